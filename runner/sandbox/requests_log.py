"""What was asked of the providers: every request, without its credentials."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_KEPT = 100_000
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-api-key", "cookie"})


@dataclass(slots=True, kw_only=True, eq=False)
class Seen:
    """One request; ``status`` stays None when no answer was sent."""

    at: datetime
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """names in lower case, credentials left out"""
    body: Any
    """the JSON value, or the text when it is none"""
    fault: str = ""
    """kind of the fault that befell it"""
    status: int | None = None


class RequestsLog:
    """Remembers the latest requests, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=_KEPT)

    def add(self, at: datetime, scope: Mapping[str, Any], raw: bytes) -> Seen:
        """Write down a request that has arrived in full."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        seen = Seen(
            at=at,
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name: value for name, value in headers.items() if name not in _CREDENTIALS},
            body=_body(raw),
        )
        self._seen.append(seen)
        return seen

    def all(self) -> tuple[Seen, ...]:
        """Give the requests, oldest first."""
        return tuple(self._seen)

    def clear(self) -> None:
        """Forget every request."""
        self._seen.clear()


def _body(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")
