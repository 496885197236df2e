"""Takes secret values out of text by knowing them, however a library may have written them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

STARS: Final = "***"
SHORTEST: Final = 8
"""shorter values are not looked for: they would stand in any text by chance"""

_UNSURE: Final = 2
"""characters at each end of a base64 text that depend on what stands beside the value"""


class Scrubber:
    """Knows secret values and replaces each, and the usual ways to write it, by `***`.

    Known ways: as it is, base64 (also URL-safe, also as a part of a longer value), quoted for URLs,
    JSON, HTML and Python, in hex, reversed case of percent signs. Not for values under eight characters.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Know one more secret; adding it again costs nothing."""
        if value in self._values or len(value) < SHORTEST:
            return
        self._values.add(value)
        spellings = {spelling for known in self._values for spelling in _spellings(known)}
        longest_first = sorted(spellings, key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(re.escape(one) for one in longest_first))

    def scrub(self, text: str) -> str:
        """Give a text without any known secret."""
        return text if self._pattern is None else self._pattern.sub(STARS, text)

    def finds(self, text: str) -> bool:
        """Whether a text holds a known secret."""
        return self._pattern is not None and self._pattern.search(text) is not None


SECRETS: Final = Scrubber()
"""the secrets that this process has resolved; what prints, logs or writes for people asks it"""


def _spellings(value: str) -> Iterator[str]:
    raw = value.encode()
    yield value
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (html.escape(value), html.escape(value, quote=False))
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield quoted
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    yield from (raw.hex(), raw.hex().upper())
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())
    # Inside a longer text, such as `user:key`, the same bytes look different at each of three offsets.
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = encoded[_UNSURE if offset == 0 else 4 : -_UNSURE]
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
