"""What Revox checks in a request before anything happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request

from runner.sandbox.wire import Refused, from_iso, is_phone, is_text, is_text_map, is_whole, read_object

_LISTS = (
    "assignee_ids",
    "assistant_ids",
    "campaign_ids",
    "directions",
    "from_phone_numbers",
    "outcomes",
    "results",
    "statuses",
)
"""the lists that a search must have, empty or not"""

_WINDOW_KEYS = ("calling_window_start_time", "calling_window_end_time", "retry_delay_seconds")


async def read_call(request: Request) -> dict[str, Any]:
    """Read the body of a call order; raise Refused when it is wrong."""
    body = await _object(request)
    if not is_phone(body.get("phone_number")):
        raise _refused("phone_number must be an E.164 number")
    assistant = body.get("assistant")
    if not is_text(body.get("assistant_id"), 1) and not _is_assistant(assistant):
        raise _refused("assistant_id or assistant is required")
    for name in ("metadata", "prompt_variables"):
        if name in body and not is_text_map(body[name]):
            raise _refused(f"{name} must be a map of strings")
    for name in ("skip_calling_window", "force_now"):
        if name in body and not isinstance(body[name], bool):
            raise _refused(f"{name} must be a boolean")
    _check_from(body)
    _check_concurrency(body)
    return body


async def read_search(request: Request, *, page_base: int) -> dict[str, Any]:
    """Read the body of a search; raise Refused unless it has all ten required keys."""
    body = await _object(request)
    for name in (*_LISTS, "page", "page_size"):
        if name not in body:
            raise _refused(f"{name} is required")
    check_lists(body, (*_LISTS, "call_ids"))
    if not is_whole(body["page"], page_base) or not is_whole(body["page_size"], 1):
        raise _refused("page and page_size must be positive integers")
    if body.get("sort_direction", "desc") not in ("asc", "desc"):
        raise _refused("sort_direction must be asc or desc")
    return body


async def read_campaign(request: Request, *, generation: Literal["A", "D"]) -> dict[str, Any]:
    """Read the body of a new campaign; raise Refused when it is wrong for the generation."""
    body = await _object(request)
    for name in ("assistant_id", "name"):
        if not is_text(body.get(name), 1):
            raise _refused(f"{name} is required")
    contacts = body.get("contacts")
    if not isinstance(contacts, list):
        raise _refused("contacts is required")
    for contact in contacts:
        _check_contact(contact)
    if not is_whole(body.get("max_concurrent_calls", 1), 1):
        raise _refused("max_concurrent_calls must be a positive integer")
    if generation == "D" and "scheduled_at" in body:
        raise _refused("scheduled_at is not supported on create")
    _check_from(body)
    if "call_retry_config" in body:
        _check_retry_config(body["call_retry_config"], generation)
    return body


async def read_launch(request: Request) -> dict[str, Any]:
    """Read the body of a launch; raise Refused when it is wrong."""
    body = await _object(request)
    if body.get("mode") not in ("ai_first", "speed_dial"):
        raise _refused("mode must be ai_first or speed_dial")
    selection = body.get("selection")
    if not isinstance(selection, dict):
        raise _refused("selection is required")
    filters, rows = selection.get("filters"), selection.get("rows")
    names = ("assignee_ids", "directions", "outcomes", "results", "statuses")
    if not isinstance(filters, dict) or any(name not in filters for name in names):
        raise _refused("selection.filters is required")
    check_lists(filters, names)
    if not isinstance(rows, dict) or rows.get("mode") not in ("all_except", "only"):
        raise _refused("selection.rows.mode must be all_except or only")
    if not isinstance(rows.get("call_ids"), list):
        raise _refused("selection.rows.call_ids is required")
    return body


def check_lists(body: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raise Refused unless every named value that is there is a list of strings."""
    for name in names:
        value = body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _refused(f"{name} must be a list of strings")


def scheduled_at(body: Mapping[str, Any]) -> datetime | None:
    """Read when something is to start; None for now; raise Refused when it is no instant."""
    text = body.get("scheduled_at")
    if text is None:
        return None
    at = from_iso(text)
    if at is None:
        raise _refused("scheduled_at must be an ISO 8601 date")
    return at


def _check_contact(contact: object) -> None:
    if not isinstance(contact, dict) or not is_phone(contact.get("to_phone_number")):
        raise _refused("contacts need to_phone_number, an E.164 number")
    if not is_text_map(contact.get("prompt_variables")):
        raise _refused("contacts need prompt_variables, a map of strings")


def _check_from(body: Mapping[str, Any]) -> None:
    if body.get("from_phone_number") is not None and not is_phone(body["from_phone_number"]):
        raise _refused("from_phone_number must be an E.164 number")


def _check_concurrency(body: Mapping[str, Any]) -> None:
    concurrency = body.get("concurrency")
    if concurrency is None:
        return
    if not isinstance(concurrency, dict) or not is_text(concurrency.get("key"), 1):
        raise _refused("concurrency.key is required")


def _check_retry_config(config: object, generation: Literal["A", "D"]) -> None:
    required: tuple[str, ...] = ("calling_windows", "max_retry_attempts")
    if generation == "D":
        required = (*required, "allowed_days", "call_twice_in_a_row")
    if not isinstance(config, dict) or any(name not in config for name in required):
        raise _refused(f"call_retry_config needs {', '.join(required)}")
    if not is_whole(config["max_retry_attempts"], 1):
        raise _refused("max_retry_attempts must be greater than 0")
    windows = config["calling_windows"]
    if not isinstance(windows, list) or not all(_is_window(window, generation) for window in windows):
        raise _refused(f"calling_windows need {', '.join(_WINDOW_KEYS)}")


def _is_window(window: object, generation: Literal["A", "D"]) -> bool:
    if not isinstance(window, dict) or any(name not in window for name in _WINDOW_KEYS):
        return False
    delay = window["retry_delay_seconds"]
    if isinstance(delay, bool) or not isinstance(delay, int | float):
        return False
    # the newest generation allows a retry at once, the seed's does not
    return delay >= 0 if generation == "D" else delay > 0


def _is_assistant(assistant: object) -> bool:
    return isinstance(assistant, dict) and is_text(assistant.get("prompt"), 1)


async def _object(request: Request) -> dict[str, Any]:
    body = await read_object(request)
    if body is None:
        raise _refused("the body must be a JSON object")
    return body


def _refused(reason: str) -> Refused:
    return Refused(400, {"error": reason})
