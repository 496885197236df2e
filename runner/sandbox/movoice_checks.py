"""What Movoice checks in a request before anything happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request

from runner.sandbox.wire import Refused, from_unix, is_phone, is_text, is_whole, read_object


async def read_call(request: Request) -> dict[str, Any]:
    """Read the body of a call; raise Refused when it is wrong."""
    body = await _read(request)
    if not is_phone(body.get("recipient_phone")):
        raise refused("invalid recipient_phone")
    _check_variables(body)
    if "from_number" in body and not is_phone(body["from_number"]):
        raise refused("invalid from_number")
    if "max_duration" in body and not is_whole(body["max_duration"], 1):
        raise refused("invalid max_duration")
    return body


async def read_batch(request: Request) -> dict[str, Any]:
    """Read the body of a batch; raise Refused when it is wrong."""
    body = await _read(request)
    recipients = body.get("recipients")
    if not isinstance(recipients, list) or not recipients:
        raise refused("invalid recipients")
    for recipient in recipients:
        if not isinstance(recipient, dict) or not is_phone(recipient.get("phone")):
            raise refused("invalid phone")
        _check_variables(recipient)
    if body.get("concurrency") is not None and not is_whole(body["concurrency"], 1):
        raise refused("invalid concurrency")
    return body


def scheduled_at(body: Mapping[str, Any]) -> datetime | None:
    """Read when a call is to be placed, None for now; raise Refused when it is no Unix time."""
    seconds = body.get("schedule_at")
    if seconds is None:
        return None
    at = from_unix(seconds) if is_whole(seconds, 0) else None
    if at is None:
        raise refused("invalid schedule_at")
    return at


def read_paging(query: Mapping[str, str]) -> tuple[int, int, dict[str, int]]:
    """Read either way of paging: where to start, how many, and what the answer says of it."""
    if "page" in query or "per_page" in query:
        page, size = number(query, "page", 1, 1), number(query, "per_page", 20, 1, 100)
        return (page - 1) * size, size, {"page": page, "per_page": size}
    size, start = number(query, "limit", 20, 1, 100), number(query, "offset", 0, 0)
    return start, size, {"limit": size, "offset": start}


def number(query: Mapping[str, str], name: str, default: int, smallest: int, largest: int = 2**53) -> int:
    """Read a whole number from a query; raise Refused when it is none or out of range."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not smallest <= int(text[:20]) <= largest:
        raise refused(f"invalid {name}")
    return int(text)


def refused(reason: str) -> Refused:
    """Word a refusal."""
    return Refused(400, {"error": reason})


async def _read(request: Request) -> dict[str, Any]:
    body = await read_object(request)
    if body is None:
        raise refused("invalid JSON body")
    if not is_text(body.get("agent_id"), 1):
        raise refused("invalid agent_id")
    return body


def _check_variables(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("variables", {}), dict):
        raise refused("invalid variables")
