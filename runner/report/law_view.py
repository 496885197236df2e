"""The law for people: the few lines of a plan about it, and everything about one person."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.model.law import LawRow, LawSummary, LawTable
from runner.rules.law_verdict import LawVerdict, Question, RowVerdict, clock_text, limits_text, time_rule

_SHOWN_ROWS, _SHOWN_WARNINGS = 6, 4
_SEEN = {"excerpt": "read in part", "secondary": "read at second hand", "no": "not read"}


def summary_lines(law: LawSummary, *, everything: bool = False) -> Iterator[Table]:
    """Give what a plan says about the law: one line of rows, a few of warnings, every override."""
    ids = [note.row for note in law.rows]
    shown = ids if everything else ids[:_SHOWN_ROWS]
    more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
    yield _line("law", f"{law.version}: {', '.join(shown) or 'no row applies'}{more}", "dim")
    warnings = law.warnings if everything else law.warnings[:_SHOWN_WARNINGS]
    for note in warnings:
        people = f" ({note.contacts:,} ×)" if note.contacts else ""
        yield _line("!", f"{note.text}{people}", "yellow")
    if len(law.warnings) > len(warnings):
        yield _line("!", f"{len(law.warnings) - len(warnings)} more about the law (--all)", "yellow")
    for note in law.overrides:
        yield _line("!", f"override {note.text}", "bold yellow")


def print_verdict(console: Console, asked: Question, found: LawVerdict, table: LawTable) -> None:
    """Print what the law says about one person at one instant, each row with its source."""
    zones = asked.where.zones
    console.print(Text(f"{asked.purpose} {asked.channel} · {', '.join(asked.where.jurisdictions) or 'no country'}"))
    console.print(
        Text(f"{asked.now:%Y-%m-%d %H:%M} UTC{''.join(f' = {clock_text(asked.now, one)}' for one in zones[:3])}")
    )
    console.print()
    for one in found.rows:
        for line in _row_lines(one, asked):
            _print_hanging(console, line)
    for line in _verdict_lines(found, asked):
        _print_hanging(console, line)
    console.print(
        Text(f"table of law {table.version}, of {table.as_of}; facts with sources, not legal advice", style="dim")
    )


def _line(sign: str, text: str, style: str) -> Table:
    """Lay out a sign and a text that goes on below itself: a remedy that is cut off helps nobody."""
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_row(Text(sign, style=style), Text(text, style=style))
    return line


def _print_hanging(console: Console, line: Text) -> None:
    """Wrap a line below its own indent on a terminal; elsewhere it stays one line for whoever searches it."""
    if not console.is_terminal:
        console.print(line, soft_wrap=True)
        return
    indent = len(line.plain) - len(line.plain.lstrip())
    console.print(Padding(line[indent:], (0, 0, 0, indent), expand=False))


def _row_lines(one: RowVerdict, asked: Question) -> Iterator[Text]:
    sign, style = ("✓", "green") if one.is_open else ("✗", "red")
    yield Text.assemble((sign, style), f" {one.reason}")
    for fact in _facts(one.row, asked):
        yield Text(f"    {fact}", style="dim")


def _facts(row: LawRow, asked: Question) -> Iterator[str]:
    source = row.source
    yield from (one for one in (time_rule(row), limits_text(row)) if one)
    if row.consent is not None and row.consent.needed(asked.purpose).rank:
        yield f"needs consent: {row.consent.needed(asked.purpose)}"
    for name, fact in (
        ("covers", row.covers), ("hold numbers against", row.screening), ("say", row.disclosure),
        ("exempt", row.exempt), ("hours lifted by", row.waived_by), ("after a refusal, no contact for", row.after_refusal),
        ("since", str(row.effective or "")), ("note", row.notes),
    ):  # fmt: skip
        if fact:
            yield f"{name}: {fact}"
    read_at = f" at {source.read_at}" if source.read_at else ""
    yield f"source: {source.url} ({source.kind}, {_SEEN[source.seen]}{read_at}; {row.confidence})"


def _verdict_lines(found: LawVerdict, asked: Question) -> Iterator[Text]:
    if not found.has_hours:
        yield Text("no rule is known about hours here: a campaign's own windows count alone", style="yellow")
    if found.gap is not None:
        yield Text(found.gap.reason, style="red" if found.gap.forbids else "yellow")
    unverified = [one.row.id for one in found.rows if one.row.is_unverified]
    if unverified:
        yield Text(f"applied, and nobody has verified: {', '.join(unverified)}", style="yellow")
    if found.allowed_at is None:
        yield Text("never allowed: no hour fits every rule and clock", style="bold red")
    elif found.allowed_at == asked.now:
        yield Text("the hours allow it now", style="bold green")
    else:
        local = clock_text(found.allowed_at, asked.where.zones[0])
        yield Text(f"the hours allow it from {local} = {found.allowed_at:%Y-%m-%d %H:%M} UTC", style="bold yellow")
