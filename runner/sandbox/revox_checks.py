"""What Revox checks in a request before anything happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request

from runner.sandbox.revox_retries import DAYS, read_clock
from runner.sandbox.windows import zone_named
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
    body = await read_json(request)
    if not is_phone(body.get("phone_number")):
        raise refused("phone_number must be an E.164 number")
    if not is_text(body.get("assistant_id"), 1) and not isinstance(body.get("assistant"), dict):
        raise refused("assistant_id or assistant is required")
    for name in ("metadata", "prompt_variables"):
        if name in body and not is_text_map(body[name]):
            raise refused(f"{name} must be a map of strings")
    for name in ("skip_calling_window", "force_now"):
        if name in body and not isinstance(body[name], bool):
            raise refused(f"{name} must be a boolean")
    _check_from(body)
    _check_concurrency(body)
    return body


async def read_search(request: Request, *, page_base: int) -> dict[str, Any]:
    """Read the body of a search; raise Refused unless it has all ten required keys."""
    body = await read_json(request)
    check_search(body, page_base=page_base)
    return body


async def read_export(request: Request, *, page_base: int) -> dict[str, Any]:
    """Read the body of an export of calls, whose filters are those of a search; raise Refused when it is wrong."""
    body = await read_json(request)
    filters = body.get("filters")
    if not isinstance(filters, dict):
        raise refused("filters is required")
    check_search(filters, page_base=page_base)
    for name in ("include_metadata", "include_structured_output_fields"):
        if name in body and not isinstance(body[name], bool):
            raise refused(f"{name} must be a boolean")
    return body


def check_search(body: Mapping[str, Any], *, page_base: int) -> None:
    """Raise Refused unless a search has all ten required keys in their right form."""
    for name in (*_LISTS, "page", "page_size"):
        if name not in body:
            raise refused(f"{name} is required")
    check_lists(body, (*_LISTS, "call_ids"))
    if not is_whole(body["page"], page_base) or not is_whole(body["page_size"], 1):
        raise refused("page and page_size must be positive integers")
    if body.get("sort_direction", "desc") not in ("asc", "desc"):
        raise refused("sort_direction must be asc or desc")
    for name in ("query", "to_phone_number", "sort_by"):
        if not is_text(body.get(name, "")):
            raise refused(f"{name} must be a string")


async def read_campaign(request: Request, *, generation: Literal["A", "D"]) -> dict[str, Any]:
    """Read the body of a new campaign; raise Refused when it is wrong for the generation."""
    body = await read_json(request)
    for name in ("assistant_id", "name"):
        if not is_text(body.get(name), 1):
            raise refused(f"{name} is required")
    contacts = body.get("contacts")
    if not isinstance(contacts, list):
        raise refused("contacts is required")
    for contact in contacts:
        _check_contact(contact)
    if not is_whole(body.get("max_concurrent_calls", 1), 1):
        raise refused("max_concurrent_calls must be a positive integer")
    if generation == "D" and "scheduled_at" in body:
        raise refused("scheduled_at is not supported on create")
    _check_from(body)
    if "call_retry_config" in body:
        check_retry_config(body["call_retry_config"], generation)
    return body


async def read_campaign_changes(request: Request) -> dict[str, Any]:
    """Read the body of a change of a campaign; raise Refused when it is wrong or names what cannot be changed."""
    body = await read_json(request)
    for name in body:
        if name not in ("name", "from_phone_number", "call_retry_config", "max_concurrent_calls"):
            raise refused(f"{name} cannot be changed")
    if not is_text(body.get("name", "x"), 1):
        raise refused("name must not be empty")
    if body.get("max_concurrent_calls") is not None and not is_whole(body["max_concurrent_calls"], 1):
        raise refused("max_concurrent_calls must be a positive integer")
    _check_from(body)
    if body.get("call_retry_config") is not None:
        check_retry_config(body["call_retry_config"], "D")
    return body


async def read_launch(request: Request) -> dict[str, Any]:
    """Read the body of a launch; raise Refused when it is wrong."""
    body = await read_json(request)
    if body.get("mode") not in ("ai_first", "speed_dial"):
        raise refused("mode must be ai_first or speed_dial")
    selection = body.get("selection")
    if not isinstance(selection, dict):
        raise refused("selection is required")
    filters, rows = selection.get("filters"), selection.get("rows")
    names = ("assignee_ids", "directions", "outcomes", "results", "statuses")
    if not isinstance(filters, dict) or any(name not in filters for name in names):
        raise refused("selection.filters is required")
    check_lists(filters, names)
    if not isinstance(rows, dict) or rows.get("mode") not in ("all_except", "only"):
        raise refused("selection.rows.mode must be all_except or only")
    if not isinstance(rows.get("call_ids"), list):
        raise refused("selection.rows.call_ids is required")
    if body["mode"] == "speed_dial" and body.get("scheduled_at") is not None:
        raise refused("a speed_dial session cannot be scheduled")
    return body


def required_number(query: Mapping[str, str], name: str, smallest: int) -> int:
    """Read a whole number that a query must have; raise Refused when it is missing or none."""
    text = query.get(name, "").removesuffix(".0")
    if not text.isascii() or not text.isdecimal() or int(text[:9]) < smallest:
        raise refused(f"{name} is required")
    return int(text[:9])


def check_lists(body: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raise Refused unless every named value that is there is a list of strings."""
    for name in names:
        value = body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise refused(f"{name} must be a list of strings")


def scheduled_at(body: Mapping[str, Any]) -> datetime | None:
    """Read when something is to start; None for now; raise Refused when it is no instant."""
    text = body.get("scheduled_at")
    if text is None:
        return None
    at = from_iso(text)
    if at is None:
        raise refused("scheduled_at must be an ISO 8601 date")
    return at


def check_retry_config(config: object, generation: Literal["A", "D"]) -> None:
    """Raise Refused unless a retry loop has what its generation requires."""
    required: tuple[str, ...] = ("calling_windows", "max_retry_attempts")
    if generation == "D":
        required = (*required, "allowed_days", "call_twice_in_a_row")
    if not isinstance(config, dict) or any(name not in config for name in required):
        raise refused(f"call_retry_config needs {', '.join(required)}")
    if not is_whole(config["max_retry_attempts"], 1):
        raise refused("max_retry_attempts must be greater than 0")
    windows = config["calling_windows"]
    if not isinstance(windows, list) or not windows or not all(_is_window(window, generation) for window in windows):
        raise refused(f"calling_windows need {', '.join(_WINDOW_KEYS)}")
    days = config.get("allowed_days")
    if days is not None and (not isinstance(days, list) or not days or not all(day in DAYS for day in days)):
        raise refused(f"allowed_days must be some of {', '.join(DAYS)}")
    if config.get("timezone") is not None and zone_named(config["timezone"]) is None:
        raise refused("timezone must be an IANA name")


async def read_json(request: Request) -> dict[str, Any]:
    """Read a JSON object; raise Refused when the body is none."""
    body = await read_object(request)
    if body is None:
        raise refused("the body must be a JSON object")
    return body


def refused(reason: str) -> Refused:
    """Word a refusal; its form is assumed."""
    return Refused(400, {"error": reason})


def _check_contact(contact: object) -> None:
    if not isinstance(contact, dict) or not is_phone(contact.get("to_phone_number")):
        raise refused("contacts need to_phone_number, an E.164 number")
    if not is_text_map(contact.get("prompt_variables")):
        raise refused("contacts need prompt_variables, a map of strings")


def _check_from(body: Mapping[str, Any]) -> None:
    if body.get("from_phone_number") is not None and not is_phone(body["from_phone_number"]):
        raise refused("from_phone_number must be an E.164 number")


def _check_concurrency(body: Mapping[str, Any]) -> None:
    concurrency = body.get("concurrency")
    if concurrency is None:
        return
    if not isinstance(concurrency, dict) or not is_text(concurrency.get("key"), 1):
        raise refused("concurrency.key is required")
    if not is_whole(concurrency.get("max", 1), 1):
        raise refused("concurrency.max must be a positive integer")


def _is_window(window: object, generation: Literal["A", "D"]) -> bool:
    if not isinstance(window, dict) or any(name not in window for name in _WINDOW_KEYS):
        return False
    if any(read_clock(window[name]) is None for name in _WINDOW_KEYS[:2]):
        return False
    delay = window["retry_delay_seconds"]
    if isinstance(delay, bool) or not isinstance(delay, int | float):
        return False
    # the newest generation allows a retry at once, the seed's does not
    return delay >= 0 if generation == "D" else delay > 0
