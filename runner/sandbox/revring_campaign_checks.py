"""What RevRing checks in a campaign and its contacts, and how it reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from runner.sandbox import revring_checks as checks
from runner.sandbox.revring_campaign import RETRY_ON, CampaignSettings
from runner.sandbox.windows import LocalWindow, zone_named
from runner.sandbox.wire import from_iso, is_phone, is_text, is_whole

MOST_CONTACTS = 10_000
"""documented largest number of contacts in one request"""

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
_WEEKDAYS = (1, 2, 3, 4, 5)
_MOST_MINUTES = 10_080
_FASTEST = 10
_DEFAULT_DELAY = 60
_DEFAULT_RETRY_ON = ("no_answer", "busy", "failed")


def _is_window(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not set(value) <= {"start", "end", "timezone", "days"}:
        return False
    days = value.get("days", _WEEKDAYS)
    return (
        _is_clock(value.get("start"))
        and _is_clock(value.get("end"))
        and zone_named(value.get("timezone")) is not None
        and isinstance(days, list | tuple)
        and bool(days)
        and all(is_whole(day, 0, 6) for day in days)
    )


def _is_retry_policy(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or not set(value) <= {"maxAttempts", "retryDelayMinutes", "retryOn"}:
        return False
    outcomes = value.get("retryOn", _DEFAULT_RETRY_ON)
    return (
        is_whole(value.get("maxAttempts", 1), 1, 10)
        and is_whole(value.get("retryDelayMinutes", 1), 1, _MOST_MINUTES)
        and isinstance(outcomes, list | tuple)
        and all(outcome in RETRY_ON for outcome in outcomes)
    )


def _is_pace(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0.1 <= value <= _FASTEST  # noqa: PLR2004  documented


def _is_contacts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_CONTACTS and all(map(_is_contact, value))


SETTINGS: Mapping[str, checks.Check] = {
    "name": lambda value: is_text(value, 1, 200),
    "agentId": lambda value: is_text(value, 1),
    "fromNumber": is_phone,
    "startAt": lambda value: value is None or from_iso(value) is not None,
    "callingWindow": _is_window,
    "retryPolicy": _is_retry_policy,
    "maxConcurrency": lambda value: value is None or is_whole(value, 1),
    "callsPerSecond": _is_pace,
    "defaultVariables": lambda value: value is None or isinstance(value, dict),
    "voicemailStrategy": lambda value: value in ("agent", "last_attempt"),
    "environment": lambda value: value is None or is_text(value, 1, 32),
}
"""every setting of a campaign; the first three are required"""


async def read_campaign(request: Request) -> dict[str, Any]:
    """Read the body of a new campaign; raise Refused with ``invalid_body``."""
    fields = {**SETTINGS, "contacts": _is_contacts, "start": lambda value: isinstance(value, bool)}
    return await checks.checked(request, fields, required=("name", "agentId", "fromNumber"))


async def read_changes(request: Request) -> dict[str, Any]:
    """Read the body of a change; raise Refused with ``invalid_body``."""
    return await checks.checked(request, SETTINGS, required=())


async def read_contacts(request: Request) -> list[dict[str, Any]]:
    """Read the body of a request that adds contacts; raise Refused with ``invalid_body``."""
    body = await checks.checked(request, {"contacts": _is_contacts}, required=("contacts",))
    contacts: list[dict[str, Any]] = body["contacts"]
    return contacts


def settings_of(asked: Mapping[str, Any], *, default_attempts: int) -> CampaignSettings:
    """Read the settings of a campaign from a body that was checked."""
    window, retry = asked.get("callingWindow"), asked.get("retryPolicy")
    policy = retry or {}
    return CampaignSettings(
        asked={name: asked[name] for name in SETTINGS if name in asked},
        name=asked["name"],
        agent_id=asked["agentId"],
        from_number=asked["fromNumber"],
        start_at=from_iso(asked.get("startAt")),
        window=_window(window) if window else None,
        zone=ZoneInfo(window["timezone"]) if window else ZoneInfo("UTC"),
        max_attempts=policy.get("maxAttempts", 3) if retry is not None else default_attempts,
        retry_delay=timedelta(minutes=policy.get("retryDelayMinutes", _DEFAULT_DELAY)),
        retry_on=frozenset(policy.get("retryOn", _DEFAULT_RETRY_ON)),
        max_concurrency=asked.get("maxConcurrency"),
        calls_per_second=float(asked.get("callsPerSecond", 1)),
        default_variables=asked.get("defaultVariables") or {},
    )


def _window(window: Mapping[str, Any]) -> LocalWindow:
    # RevRing counts days from Sunday
    days = frozenset((day - 1) % 7 for day in window.get("days", _WEEKDAYS))
    return LocalWindow(opens=time.fromisoformat(window["start"]), closes=time.fromisoformat(window["end"]), days=days)


def _is_clock(value: Any) -> bool:
    return isinstance(value, str) and _CLOCK.match(value) is not None


def _is_contact(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= {"toNumber", "variables", "timezone"}:
        return False
    zone, variables = value.get("timezone"), value.get("variables")
    return (
        is_phone(value.get("toNumber"))
        and (variables is None or isinstance(variables, dict))
        and (zone is None or zone_named(zone) is not None)
    )
