"""Every provider under every fault, as the two tables of docs/faults.md: `python -m tests.faults.matrix` prints them."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping

from tests.faults.cells import COLUMNS, Cell, Column, Trouble, cell
from tests.faults.troubles import REQUESTS, WEBHOOKS

_AT_ONCE = 6


async def row(trouble: Trouble) -> dict[str, Cell]:
    """Let one thing go wrong at every provider where it can, side by side."""
    columns = [column for column in COLUMNS if not trouble.only or column.provider in trouble.only]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(column: Column) -> Cell:
        async with turns:
            return await cell(column, trouble)

    found = await asyncio.gather(*(one(column) for column in columns))
    return dict(zip((column.name for column in columns), found, strict=True))


async def table(troubles: Mapping[str, Trouble]) -> str:
    """Give one table in Markdown."""
    return drawn({name: {where: shown(one) for where, one in (await row(it)).items()} for name, it in troubles.items()})


def drawn(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Draw the cells of a table in Markdown, a row for each fault."""
    names = [column.name for column in COLUMNS]
    lines = ["| what goes wrong | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    lines += [
        f"| {fault} | " + " | ".join(cells.get(name, "-") for name in names) + " |" for fault, cells in rows.items()
    ]
    return "\n".join(lines) + "\n"


def shown(one: Cell) -> str:
    """Say in a few words what came of it."""
    dials = {0: "never dialled", 1: "dialled once"}.get(one.dials, f"DIALLED {one.dials} TIMES")
    return f"{one.outcome or one.state}, {dials}"


async def _print() -> None:
    for troubles in (REQUESTS, WEBHOOKS):
        sys.stdout.write(await table(troubles) + "\n")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(_print())
