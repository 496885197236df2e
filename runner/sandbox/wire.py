"""What all faces read and write: JSON, instants, phone numbers, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

E164 = re.compile(r"\+[1-9]\d{1,14}\Z", re.ASCII)
"""the pattern that RevRing documents and that the others describe"""


class Refused(Exception):
    """The request is refused with this answer."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Json(Response):
    """A JSON answer, written without spaces."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Give the bytes of a JSON value."""
        return to_json(content)


_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(content: Any) -> bytes:
    """Give the bytes of a JSON value, without spaces, in UTF-8."""
    return _written(content).encode()


async def read_object(request: Request) -> dict[str, Any] | None:
    """Give the request's JSON object; None when the body is anything else."""
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def is_phone(value: object) -> bool:
    """Whether a value is a phone number in E.164 form."""
    return isinstance(value, str) and E164.match(value) is not None


def is_text(value: object, shortest: int = 0, longest: int = 1_000_000) -> bool:
    """Whether a value is a string of so many characters."""
    return isinstance(value, str) and shortest <= len(value) <= longest


def is_whole(value: object, smallest: int, largest: int = 2**53) -> bool:
    """Whether a value is a whole number in a range; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest


def is_text_map(value: object) -> bool:
    """Whether a value is an object whose values are all strings."""
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def instant(at: datetime | None) -> str | None:
    """Write an instant as ISO 8601 in UTC with milliseconds and a Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def unix(at: datetime) -> int:
    """Write an instant in Unix seconds."""
    return int(at.timestamp())


def from_unix(seconds: int) -> datetime | None:
    """Read an instant in Unix seconds; None when it lies beyond the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_iso(text: object) -> datetime | None:
    """Read an ISO 8601 instant, taken as UTC without a zone; None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
