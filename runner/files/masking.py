"""What is never shown of a file: the values of keys that look like secrets."""

from __future__ import annotations

import re

MASK = "************"

_SECRET_NAME = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|keyring:[^/\s][^/]*/[^/]+")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_COLUMN_NAME = re.compile(r"[a-z]+(_[a-z]+)*")
_NAME = (
    r"""(?<![\w.-])(?P<name>[\w.-]{0,40}?(?:key|secret|token|password|credential)[\w.-]{0,40})["']?[ \t]{0,4}:[ \t]+"""
)
_PAIR = re.compile(
    _NAME + r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,}\]#"'|>{\[&*!][^,}\]#\n]*)""",
    re.IGNORECASE,
)
_OPENED = re.compile(_NAME + r"""(?P<value>[\[{"'|>&*!].*)""", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)(?P<user>[^\s:/@\"']{0,80}):(?P<password>[^\s/@\"']{1,200})@")
_URL_KEY = re.compile(
    r"""(?<=[?&])[\w.-]{0,40}?(?:key|secret|token|password|credential|signature)[\w.-]{0,40}=(?P<value>[^\s&#"'},\]]+)""",
    re.IGNORECASE,
)
_LAST = re.compile(r"[\s\]},]*")


def is_secret(name: str, value: str) -> bool:
    """Whether the value of this key must not be shown.

    A reference (`env:`, `file:`, `keyring:`) and a bare template give nothing away, and a key named just
    `key` with a snake_case word names a column. A command (`cmd:`) may hold anything among its words.
    """
    text = value.strip().strip("\"'")
    if not text or not _SECRET_NAME.search(name):
        return False
    if _REFERENCE.fullmatch(text) or _TEMPLATE.fullmatch(text):
        return False
    return not (name.lower() == "key" and _COLUMN_NAME.fullmatch(text))


def holds_key(url: str) -> bool:
    """Whether a URL names a key among what stands behind its `?`."""
    return _URL_KEY.search(url) is not None


def mask_line(line: str, *, unread: bool = False) -> str:
    """Give the line with every secret value masked; what stands after a masked value keeps its column.

    In a file that could not be read, a value in brackets is masked to the end of its line.
    """
    for match in reversed(list(_URL_PASSWORD.finditer(line))):
        line = mask_columns(line, match.start("password"), match.end("password"))
    for match in reversed(list(_URL_KEY.finditer(line))):
        line = mask_columns(line, match.start("value"), match.end("value"))
    if unread:
        opened = _OPENED.search(line)
        if opened and is_secret(opened["name"], opened["value"]):
            line = mask_columns(line, opened.start("value"), len(line))
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
