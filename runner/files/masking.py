"""What is never shown of a file: the values of keys that look like secrets."""

from __future__ import annotations

import re

MASK = "************"

_SECRET_NAME = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_COLUMN_NAME = re.compile(r"[a-z]+(_[a-z]+)*")
_PAIR = re.compile(
    r"""(?<![\w.-])(?P<name>[\w.-]{0,40}?(?:key|secret|token|password|credential)[\w.-]{0,40})["']?[ \t]{0,4}:[ \t]+
        (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,}\]#"'|>{\[&*!][^,}\]#\n]*)""",
    re.IGNORECASE | re.VERBOSE,
)
_URL_PASSWORD = re.compile(r"(?<=://)(?P<user>[^\s:/@\"']{0,80}):(?P<password>[^\s/@\"']{1,200})@")
_LAST = re.compile(r"[\s\]},]*")


def is_secret(name: str, value: str) -> bool:
    """Whether the value of this key must not be shown.

    A reference (`env:`, `file:`) and a bare template give nothing away, and a key named just
    `key` with a snake_case word names a column.
    """
    text = value.strip().strip("\"'")
    if not text or not _SECRET_NAME.search(name):
        return False
    if _REFERENCE.fullmatch(text) or _TEMPLATE.fullmatch(text):
        return False
    return not (name.lower() == "key" and _COLUMN_NAME.fullmatch(text))


def mask_line(line: str) -> str:
    """Give the line with every secret value masked; what stands after a masked value keeps its column."""
    for match in reversed(list(_URL_PASSWORD.finditer(line))):
        line = mask_columns(line, match.start("password"), match.end("password"))
    for match in reversed(list(_PAIR.finditer(line))):
        if is_secret(match["name"], match["value"]):
            line = mask_columns(line, match.start("value"), match.start("value") + len(match["value"].rstrip()))
    return line


def mask_columns(line: str, start: int, end: int) -> str:
    """Mask the characters from start to end (from 0, end exclusive): twelve stars at the end of a line.

    In the middle of a line there are as many stars as characters, or carets under what follows
    would stand in the wrong place.
    """
    rest = line[end:]
    stars = MASK if _LAST.fullmatch(rest) else "*" * (end - start)
    return line[:start] + stars + rest
