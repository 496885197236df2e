"""What RevRing checks in a request before anything happens, and how it words a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from runner.sandbox.wire import Refused, from_iso, is_phone, is_text, is_whole, read_object, to_json

Check = Callable[[Any], bool]

_METADATA_BYTES = 16 * 1024
_ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,31}\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
_SORT_KEYS = ("createdAt", "startedAt", "endedAt", "durationSeconds", "status", "direction")


def _text(shortest: int, longest: int = 1_000_000) -> Check:
    return lambda value: is_text(value, shortest, longest)


def _whole(smallest: int, largest: int) -> Check:
    return lambda value: is_whole(value, smallest, largest)


def _one_of(*words: str) -> Check:
    return lambda value: value in words


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_metadata(value: Any) -> bool:
    return isinstance(value, dict) and len(to_json(value)) <= _METADATA_BYTES


def _is_environment(value: Any) -> bool:
    return isinstance(value, str) and _ENVIRONMENT.match(value) is not None


CALL_FIELDS: Mapping[str, Check] = {
    "agentId": _text(1),
    "toNumber": is_phone,
    "fromNumber": is_phone,
    "variables": _is_object,
    "callerIdName": _text(1, 15),
    "skipQueue": _is_flag,
    "voicemailAction": _one_of("hangup", "leave_message"),
    "voiceId": _text(1),
    "startSpeaker": _one_of("agent", "user"),
    "firstMessageDelayMs": _whole(0, 15_000),
    "beginAfterUserSilenceMs": _whole(500, 60_000),
    "environment": _is_environment,
    "language": _text(1),
    "firstMessage": _text(1, 4_000),
    "promptAppend": _text(1, 8_000),
    "maxDurationSeconds": _whole(10, 7_200),
    "voicemailMessage": _text(1, 2_000),
    "metadata": _is_metadata,
    "idempotencyKey": _text(1, 200),
    "honorDoNotCall": _is_flag,
}
"""every field of Send Call; the first three are required"""

MESSAGE_FIELDS: Mapping[str, Check] = {
    "to": is_phone,
    "from": _text(1),
    "agentId": _text(1),
    "messagingConnectionId": _text(1),
    "body": _text(1, 1_600),
    "generate": _is_flag,
    "messages": lambda value: isinstance(value, list) and all(map(_is_object, value)),
    "smsPrompt": _text(1),
}
"""every field of Send Message; the first is required"""


async def read_call(request: Request, *, strict_agent_ids: bool) -> dict[str, Any]:
    """Read the body of Send Call; raise Refused with ``invalid_body`` and every field that is wrong."""
    body = await checked(request, CALL_FIELDS, required=("agentId", "toNumber", "fromNumber"))
    if strict_agent_ids and _UUID.match(body["agentId"]) is None:
        raise invalid_body({"agentId": ["Invalid uuid"]})
    if len(request.headers.get("idempotency-key", "")) > 200:  # noqa: PLR2004  the documented longest key
        raise invalid_body({"Idempotency-Key": ["Invalid"]})
    return body


async def read_message(request: Request) -> dict[str, Any]:
    """Read the body of Send Message; raise Refused for wrong fields, and unless it has one of body and generate."""
    body = await checked(request, MESSAGE_FIELDS, required=("to",))
    if ("body" in body) == (body.get("generate") is True):
        raise invalid_body({"body": ["Provide exactly one of body or generate"]})
    if "agentId" not in body and "messagingConnectionId" not in body:
        raise Refused(400, {"error": "missing_connection"})
    if body.get("generate") is True and "agentId" not in body and "smsPrompt" not in body:
        raise Refused(400, {"error": "no_prompt"})
    return body


async def read_ids(request: Request) -> tuple[tuple[str, ...], bool]:
    """Read the body of a batch-get: the ids, and whether the minimal form is wanted."""
    fields: Mapping[str, Check] = {"ids": _is_ids, "minimal": _is_flag}
    body = await checked(request, fields, required=("ids",))
    return tuple(body["ids"]), body.get("minimal", False)


async def read_end(request: Request) -> None:
    """Check the body of an end request, which may be missing."""
    if await request.body():
        await checked(request, {"reason": _text(0, 200)}, required=())


async def checked(request: Request, fields: Mapping[str, Check], required: tuple[str, ...]) -> dict[str, Any]:
    """Read a JSON object of known fields; raise Refused with ``invalid_body`` and every field that is wrong."""
    body = await read_object(request)
    if body is None:
        raise invalid_body({}, ("Expected object",))
    wrong = {name: ["Required"] for name in required if name not in body}
    wrong |= {name: ["Invalid"] for name, value in body.items() if name in fields and not fields[name](value)}
    unknown = tuple(f"Unrecognized key: {name}" for name in body if name not in fields)
    if wrong or unknown:
        raise invalid_body(wrong, unknown)
    return body


def number(query: QueryParams, name: str, default: int, largest: int) -> int:
    """Read a whole number from 1 up from a query; raise Refused with ``invalid_query``."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= largest:
        raise invalid_query(name)
    return int(text[:9])


def moment(query: QueryParams, name: str) -> datetime | None:
    """Read an instant from a query, None when it is absent; raise Refused with ``invalid_query``."""
    text = query.get(name)
    if text is None:
        return None
    at = from_iso(text)
    if at is None:
        raise invalid_query(name)
    return at


def sorting(query: QueryParams) -> tuple[str, bool]:
    """Read what a list is sorted by, and whether the largest comes first."""
    key, direction = query.get("sortBy", "createdAt"), query.get("sortDir", "desc")
    if key not in _SORT_KEYS:
        raise invalid_query("sortBy")
    if direction not in {"asc", "desc"}:
        raise invalid_query("sortDir")
    return key, direction == "desc"


def words(query: QueryParams, name: str, known: frozenset[str] | None = None) -> frozenset[str]:
    """Read a list of words divided by commas; raise Refused when one is not known."""
    found = frozenset(word for word in query.get(name, "").split(",") if word)
    if known is not None and not found <= known:
        raise invalid_query(name)
    return found


def invalid_body(fields: Mapping[str, list[str]], form: tuple[str, ...] = ()) -> Refused:
    """Word a refused body."""
    details: dict[str, Any] = {"fieldErrors": dict(fields)}
    if form:
        details["formErrors"] = list(form)
    return Refused(400, {"error": "invalid_body", "details": details})


def invalid_query(name: str) -> Refused:
    """Word a refused query."""
    return Refused(400, {"error": "invalid_query", "details": {"fieldErrors": {name: ["Invalid"]}}})


def _is_ids(value: Any) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= 100 and all(isinstance(item, str) for item in value)  # noqa: PLR2004  the documented most
