"""How much memory the bodies of webhooks under way may take together, however many connections bring them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runner.errors import WebhookRefused

MOST_HELD = 32 << 20
"""bytes of all bodies together, beyond the first `ALWAYS` of each"""

ALWAYS = 64 << 10
"""bytes of a body that always find room: strangers with large ones must not keep out an ordinary webhook"""

Take = Callable[[int], None]


@dataclass(slots=True)
class Room:
    """Memory that is lent to bodies while they are read and stored."""

    most_held: int = MOST_HELD
    always: int = ALWAYS
    held: int = 0

    @contextmanager
    def lent(self) -> Iterator[Take]:
        """Give what one body asks for each of its pieces, by size; it raises WebhookRefused (503) when no room is left.

        Everything is given back then, or at the end of the block.
        """
        size = 0

        def take(more: int) -> None:
            nonlocal size
            grown = self._beyond(size + more) - self._beyond(size)
            if self.held + grown > self.most_held:
                self.held -= self._beyond(size)
                size = 0
                raise WebhookRefused("too many large ones at once", status=503)
            size += more
            self.held += grown

        try:
            yield take
        finally:
            self.held -= self._beyond(size)

    def _beyond(self, size: int) -> int:
        return max(0, size - self.always)
