"""The kinds of value that campaign and project files hold, each with its reader, writer and schema.

Every reader raises ``wrong(...)``: a pydantic error that carries a sentence and a line to paste.
Scalars arrive as the text that stands in the file; a field asks for its type here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from runner.model.durations import format_clock_time, format_duration, parse_clock_time, parse_duration

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.IGNORECASE)
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_REFERENCE = re.compile(
    r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^/\s][^/]*/[^/]+|cmd:(?!\s*(echo|printf)\b)\s*\S.*)"
)
_PUNCTUATION = re.compile(r"[\s().\-\u00a0]")


class FilePart(BaseModel):
    """A frozen part of a file: unknown keys are errors, field docstrings become the schema."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


def wrong(message: str, help: str = "", code: str = "C10") -> PydanticCustomError:
    """Build the error that a validator raises: a sentence, a line to paste, a stable code."""
    return PydanticCustomError(code, "{message}", {"message": message, "help": help})


def _reader(parse: Callable[[str], Any], help: str) -> Callable[[Any], Any]:
    """Turn a parser of text that raises ValueError into a validator with a line to paste."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except PydanticCustomError:  # a ValueError too, and it has its own help
            raise
        except ValueError as error:
            raise wrong(str(error), help) from error

    return read


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        message = f"`{text}` is not a name"
        raise ValueError(message)
    return text


def _phone(text: str) -> str:
    number = _PUNCTUATION.sub("", text)
    if not _E164.fullmatch(number):
        message = f"`{text}` is not a phone number"
        raise ValueError(message)
    return number


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in _zone_names() or text in {"localtime", "posixrules"}:
        near = _near_zone(text)
        raise wrong(
            f"`{text}` is not a time zone",
            f"did you mean `{near}`?" if near else "write an IANA name: America/New_York",
        )
    ZoneInfo(text)
    return text


def _near_zone(text: str) -> str:
    import difflib  # noqa: PLC0415 only on the way to an error

    wanted = text.replace(" ", "_").lower()
    by_lower = {name.lower(): name for name in _zone_names()}
    by_lower |= {name.rpartition("/")[2].lower(): name for name in sorted(_zone_names()) if "/" in name}
    found = difflib.get_close_matches(wanted, by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else ""


def _zone_or_contact(text: str) -> str:
    return text if text == "contact" else _zone(text)


def _unknown_zone(text: str) -> str:
    return text if text in {"hold", "refuse"} else _zone(text)


def _holiday_calendar(text: str) -> str:
    if not re.fullmatch(r"contact|[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
        message = f"`{text}` is not a calendar of public holidays"
        raise ValueError(message)
    return text


def _credential(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise wrong(
            "this looks like the key itself",
            "put it in the environment and write: credential: env:REVOX_API_KEY",
            code="S01",
        )
    return text


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        message = f"`{text}` is not a date and time"
        raise ValueError(message) from None


def _deadline(text: str) -> timedelta | datetime:
    try:
        return parse_duration(text)
    except ValueError:
        pass
    try:
        return _instant(text)
    except ValueError:
        message = f"`{text}` is neither a span nor a date and time"
        raise ValueError(message) from None


def _regions(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", text):
        message = f"`{text}` is not a country code"
        raise ValueError(message)
    return text.upper()


Duration = Annotated[
    timedelta,
    BeforeValidator(_reader(parse_duration, "write: 90s, 5m, 2h or 1d")),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\s*\d+(\.\d+)?\s*[smhdw])+\s*$|^P",
            "patternErrorMessage": "write: 90s, 5m, 2h or 1d",
            "examples": ["90s", "5m", "2h", "1d", "PT2H"],
        }
    ),
]
"""a span of time"""

ClockTime = Annotated[
    int,
    BeforeValidator(_reader(parse_clock_time, "write: 17:00 or 6pm")),
    PlainSerializer(format_clock_time, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{1,2}:\d{2}$|^\d{1,2}(:\d{2})?\s*[aApP]\.?[mM]\.?$",
            "patternErrorMessage": "write: 17:00 or 6pm",
            "examples": ["10:00", "6pm", "24:00"],
        }
    ),
]
"""minutes after local midnight, 0 to 1440"""

Name = Annotated[
    str,
    BeforeValidator(_reader(_name, "use letters, digits, `-` and `_`, at most 63")),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"}),
]

PhoneNumber = Annotated[
    str,
    BeforeValidator(_reader(_phone, "start with + and the country code, for example +12025550143")),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\+[1-9][\d\s().-]{6,20}$",
            "patternErrorMessage": "start with + and the country code",
            "examples": ["+12025550143"],
        }
    ),
]
"""a number in E.164; spaces, dots, dashes and brackets may stand in it"""

Zone = Annotated[
    str,
    BeforeValidator(_reader(_zone, "write an IANA name: America/New_York")),
    WithJsonSchema({"type": "string", "examples": ["America/New_York", "Europe/London", "UTC"]}),
]

ZoneOrContact = Annotated[
    str,
    BeforeValidator(_reader(_zone_or_contact, "write `contact` or an IANA name: America/New_York")),
    WithJsonSchema({"type": "string", "examples": ["contact", "America/New_York", "Europe/London"]}),
]

UnknownZone = Annotated[
    str,
    BeforeValidator(_reader(_unknown_zone, "write `hold`, `refuse` or an IANA name: America/New_York")),
    WithJsonSchema({"type": "string", "examples": ["hold", "refuse", "America/New_York"]}),
]

HolidayCalendar = Annotated[
    str,
    BeforeValidator(_reader(_holiday_calendar, "write `contact`, a country or a part of one: US, US-CA, DE-BY")),
    WithJsonSchema({"type": "string", "examples": ["contact", "US", "US-CA"]}),
]

CredentialReference = Annotated[
    str,
    BeforeValidator(_reader(_credential, "")),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:.+/.+|cmd:.+)$",
            "patternErrorMessage": "write a reference, never the key: env:REVOX_API_KEY",
            "examples": [
                "env:REVOX_API_KEY",
                "file:~/.config/outreach/revox.key",
                "keyring:outreach/revox",
                "cmd:sops -d --extract '[\"revox\"]' secrets.yaml",
            ],
        }
    ),
]
"""where a key is found; never the key"""

Instant = Annotated[
    datetime,
    BeforeValidator(_reader(_instant, "write: 2026-12-01T09:00 (with a timezone) or 2026-12-01T09:00:00Z")),
    PlainSerializer(lambda at: at.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-01", "2026-12-01T09:00", "2026-12-01T09:00:00Z"]}),
]

Deadline = Annotated[
    timedelta | datetime,
    BeforeValidator(_reader(_deadline, "write: 2d, or 2026-12-01T18:00")),
    PlainSerializer(lambda at: format_duration(at) if isinstance(at, timedelta) else at.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2d", "2026-12-01T18:00", "2026-12-01T18:00:00Z"]}),
]
"""a span after something became due, or an instant"""

Region = Annotated[
    str,
    BeforeValidator(_reader(_regions, "write two letters: GB")),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["US", "GB", "FR"]}),
]

PositiveInt = Annotated[int, Field(ge=1, le=1_000_000_000)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def is_slow(reference: str) -> bool:
    """Whether following a credential reference may take seconds, so that an event loop must not wait for it."""
    return reference.startswith(("cmd:", "keyring:"))
