"""What a terminal would obey, written out in everything that consoles print: data may hold escapes of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RichCast
from rich.segment import Segment

from runner.files.diagnostics import visible

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def written_out(text: str) -> str:
    """Give a text with controls and marks that turn its direction written out; tabs and line feeds stay."""
    return _OBEYED.sub(lambda found: visible(found[0]), text)


class WrittenOut(RenderHook):
    """Has a console write out what a terminal would obey; its own colours and moves of the cursor stay."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Give each thing to print in a cover."""
        return [_Cover(one) for one in renderables]


class _Cover:
    """Prints what it covers, text by text."""

    def __init__(self, inner: ConsoleRenderable | RichCast) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for one in console.render(self._inner, options):
            yield one if one.control else Segment(written_out(one.text), one.style)
