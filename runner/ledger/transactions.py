"""A ledger's transactions as a context: one object for all of them, since there are many."""

from __future__ import annotations

from collections.abc import Callable


class Transaction:
    """Calls `begin` when it is entered and `end(fails=...)` when it is left, also within itself."""

    __slots__ = ("_begin", "_end")

    def __init__(self, begin: Callable[[], None], end: Callable[..., None]) -> None:
        self._begin = begin
        self._end = end

    def __enter__(self) -> None:
        self._begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(fails=kind is not None)
