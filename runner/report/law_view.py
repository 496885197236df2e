"""The law for people: the few lines of a plan about it, and everything about one person."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from runner.model.law import LawRow, LawSummary, LawTable
from runner.rules.law_verdict import LawVerdict, Question, RowVerdict, clock_text, limits_text, time_rule

_SHOWN_ROWS, _SHOWN_WARNINGS = 6, 4
_SEEN = {"excerpt": "read in part", "secondary": "read at second hand", "no": "not read"}


def summary_lines(law: LawSummary, *, everything: bool = False) -> Iterator[Text]:
    """Give what a plan says about the law: one line of rows, a few of warnings, every override."""
    ids = [note.row for note in law.rows]
    shown = ids if everything else ids[:_SHOWN_ROWS]
    more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
    yield _line(f"law {law.version}: {', '.join(shown) or 'no row applies'}{more}", "dim", whole=everything)
    warnings = law.warnings if everything else law.warnings[:_SHOWN_WARNINGS]
    for note in warnings:
        people = f" ({note.contacts} ×)" if note.contacts else ""
        yield _line(f"! {note.text}{people}", "yellow", whole=everything)
    if len(law.warnings) > len(warnings):
        yield Text(f"! {len(law.warnings) - len(warnings)} more about the law (--all)", style="yellow")
    for note in law.overrides:
        yield _line(f"! override {note.text}", "bold yellow", whole=True)


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
            console.print(line, soft_wrap=True)
    for line in _verdict_lines(found, asked):
        console.print(line, soft_wrap=True)
    console.print(
        Text(f"table of law {table.version}, of {table.as_of}; facts with sources, not legal advice", style="dim")
    )


def _line(text: str, style: str, *, whole: bool) -> Text:
    return Text(text, style=style, no_wrap=not whole, overflow=None if whole else "ellipsis")


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
