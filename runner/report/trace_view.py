"""What each rule says, for people: one line for each rule, with where it stands."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from runner.model.finding import Effect, Finding
from runner.report.words import local_clock, masked_text
from runner.rules.pseudonyms import UNKEYED, Pseudonyms

_SIGNS = {
    Effect.ALLOWS: ("✓", "green"),
    Effect.WAITS: ("…", "yellow"),
    Effect.REFUSES: ("✗", "red"),
    Effect.NOTES: ("·", "dim"),
}


def findings_table(
    findings: Iterable[Finding], zones: tuple[str, ...], *, masked: bool, pseudonyms: Pseudonyms = UNKEYED
) -> Table:
    """Lay out what rules say: a sign, the kind of rule, the sentence, and its place on a line of its own below."""
    table = Table.grid(padding=(0, 2))
    for one in findings:
        sign, style = _SIGNS[one.effect]
        until = f"; open from {local_clock(one.until, zones)}" if one.until is not None else ""
        says = masked_text(one.says, pseudonyms) if masked else one.says
        said = Text(says + until)
        where = where_text(one.source, one.place, one.reference)
        if where:
            said.append(f"  {where}", style="dim")
        table.add_row(Text(sign, style=style), Text(one.rule, style="dim"), said)
    return table


def where_text(source: str, place: str, reference: str = "") -> str:
    """Say where a rule stands: its place in the files, the row of the law, or that it is a default."""
    if reference:
        return f"{source} {reference}"
    if place:
        return place
    return f"({source}: the default)" if source else ""
