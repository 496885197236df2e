"""Reads single values out of untrusted JSON: never raises, gives the empty value for what it cannot use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from runner.model.json import Json, JsonObject

MAX_ID = 200
MAX_WORDS = 500
MAX_TEXT = 200_000


def child(value: Json, *path: str) -> Json:
    """Give what stands under a path of keys; None when a step leads nowhere."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def object_of(value: Json) -> JsonObject:
    """Give a JSON object; the empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Json) -> tuple[JsonObject, ...]:
    """Give the objects of a JSON list, in its order; other items and other values are left out."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    return tuple(item for item in value if isinstance(item, Mapping))


def text_of(value: Json, limit: int = MAX_TEXT) -> str:
    """Give a text or a number as text of at most ``limit`` characters that any encoder can write."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        return ""
    return value[:limit].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def id_of(value: Json) -> str:
    """Give an id: one printable word of at most 200 characters, a whole number as text, else empty."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    usable = text and len(text) <= MAX_ID and text.isprintable() and not any(char.isspace() for char in text)
    return text if usable else ""


def first_id(document: JsonObject, *keys: str) -> str:
    """Give the first usable id that stands under one of the keys."""
    return next((found for key in keys if (found := id_of(document.get(key)))), "")


def number_of(value: Json) -> float | None:
    """Give a finite number, written as one or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def count_of(value: Json) -> int | None:
    """Give a whole number, written as one or as text, at least 0; None for anything else."""
    number = number_of(value)
    return max(0, int(number)) if number is not None and number == int(number) else None


def instant_of(value: Json) -> datetime | None:
    """Give an aware UTC instant from ISO 8601 with an offset or from unix seconds; None for anything else."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo is not None else None
        seconds = number_of(value)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def link_of(value: Json) -> str:
    """Give an address that a browser may open: http or https, no blanks; else empty."""
    text = text_of(value, 2_000).strip()
    return text if text.startswith(("https://", "http://")) and not any(char.isspace() for char in text) else ""


def transcript_of(value: Json) -> str:
    """Give a transcript as lines ``role: words``, from a text or from a list of turns."""
    if isinstance(value, str):
        return text_of(value)
    lines = []
    for turn in objects_of(value):
        words = text_of(turn.get("text")) or text_of(turn.get("content"))
        if words:
            lines.append(f"{text_of(turn.get('role'), MAX_WORDS) or 'unknown'}: {words}")
    return "\n".join(lines)[:MAX_TEXT]


def fields_of(value: Json) -> dict[str, Json]:
    """Give the fields of a JSON object, texts cut and made writable, empty ones left out; {} for anything else."""
    fields = {text_of(name, MAX_ID): _clean(item) for name, item in object_of(value).items()}
    return {name: item for name, item in fields.items() if name and item not in (None, "")}


def words_of(document: JsonObject, *keys: str) -> dict[str, str]:
    """Keep the provider's own terms under these keys, as they came; empty ones are left out."""
    return {key: text for key in keys if (text := text_of(document.get(key), MAX_WORDS))}


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, Mapping):
        return {text_of(name, MAX_ID): _clean(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
