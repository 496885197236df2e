"""A plan for people: at most about 25 lines whatever the size; one person in full on demand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.model.finding import Finding
from runner.model.plan import Countries, PlanLine, PlanStatus, PlanSummary
from runner.report.law_view import summary_lines
from runner.report.rounds_view import plan_sentences
from runner.report.trace_view import findings_table
from runner.report.variants_view import plan_sentences as variant_sentences
from runner.report.words import STATUS_SIGNS, count_of, local_clock, masked_reason, masked_text, shown_phone
from runner.rules.faults import of_any_size
from runner.rules.pseudonyms import HIDDEN, UNKEYED, Pseudonyms, without_key

HEAD, TAIL = 6, 3
_LONG_ID = 20
_COUNTRIES = 12


@dataclass
class PlanExcerpt:
    """What the text form keeps of a stream of lines: the head, the tail and counts."""

    everything: bool = False
    head: list[PlanLine] = field(default_factory=list)
    tail: list[PlanLine] = field(default_factory=list)
    passed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def take(self, line: PlanLine) -> None:
        """Take in the next line."""
        self.passed += 1
        if line.reason:
            self.reasons[_cause(line)] += 1
        if self.everything or len(self.head) < HEAD:
            self.head.append(line)
            return
        self.tail.append(line)
        if len(self.tail) > TAIL:
            self.tail.pop(0)

    @property
    def left_out(self) -> int:
        """How many lines neither head nor tail holds."""
        return self.passed - len(self.head) - len(self.tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeading:
    """The first line of a plan: what it is about and as of when."""

    campaign: str
    as_of: datetime
    git_commit: str
    tzdata: str
    hooks: tuple[str, ...] = ()
    """a sentence for each target: where it is, and what it is told"""


def print_plan(
    console: Console,
    heading: PlanHeading,
    summary: PlanSummary,
    excerpt: PlanExcerpt,
    *,
    masked: bool,
    pseudonyms: Pseudonyms = UNKEYED,
) -> None:
    """Print one campaign's plan."""
    console.print(_heading(heading))
    for text in _countries(summary.countries):
        console.print(text)
    console.print(Padding(_sums(summary), (1, 0, 1, 2), expand=False))
    rounds = (line for one in summary.rounds for line in plan_sentences(one))
    for sentence in (*rounds, *variant_sentences(summary.variants), *heading.hooks):
        console.print(Padding(Text(sentence), (0, 0, 0, 2), expand=False))
    console.print(Padding(_lines(excerpt, masked=masked, pseudonyms=pseudonyms), (0, 0, 0, 2), expand=False))
    for line in summary_lines(summary.law, everything=excerpt.everything) if summary.law is not None else ():
        console.print(Padding(line, (0, 0, 0, 2), expand=False))
    for reason, count in excerpt.reasons.most_common(6) if excerpt.left_out else ():
        said = masked_reason(reason, pseudonyms) if masked else reason
        console.print(Text(f"  {count:>6} × {said}", style="yellow"))
    console.print(Text(f"  digest {summary.digest}", style="dim"))
    console.print()


def print_person(
    console: Console,
    lines: Sequence[PlanLine],
    traces: Sequence[tuple[Finding, ...]] = (),
    *,
    masked: bool,
    pseudonyms: Pseudonyms = UNKEYED,
) -> None:
    """Print everything that a plan says about one person; with `traces`, for each line what every rule says too.

    Masked, numbers lose their middle, and for the attempt's key stands that it is hidden and what logs call it.
    """
    for line, findings in zip(lines, traces or repeat(()), strict=False):
        console.print(Text(f"{line.campaign} · {line.step} ({line.channel})", style="bold"))
        facts = Table.grid(padding=(0, 2))
        for name, value in _facts(line):
            said = masked_text(_without_key(value, line.key, pseudonyms), pseudonyms) if masked else value
            facts.add_row(Text(name, style="dim"), Text(said))
        console.print(Padding(facts, (0, 0, 1, 2), expand=False))
        if findings:
            rules = findings_table(findings, line.zones, masked=masked, pseudonyms=pseudonyms)
            console.print(Padding(rules, (0, 0, 1, 2), expand=False))


def _heading(heading: PlanHeading) -> Text:
    text = Text.assemble((heading.campaign, "bold"), f" · as of {heading.as_of:%Y-%m-%d %H:%M} UTC")
    if heading.git_commit:
        text.append(f" · git {heading.git_commit}")
    return text.append(f" · tzdata {heading.tzdata}")


def _countries(countries: Countries | None) -> Iterator[Text]:
    """Say which countries a plan reaches, where that is more than the one that its from-numbers tell."""
    if countries is None or not countries.counts:
        return
    new = ", ".join(f"{one.country} ({count_of(one.contacts, 'contact')})" for one in countries.counts if one.is_new)
    if new:
        yield Text(f"! new countries: {new}", style="bold yellow")
    listed = [f"{one.country} {one.contacts:,}" for one in countries.counts[:_COUNTRIES]]
    more = f" and {len(countries.counts) - _COUNTRIES} more" if len(countries.counts) > _COUNTRIES else ""
    if not countries.is_limited:
        named = ", ".join(sorted(one.country for one in countries.counts)) if not more else "those that you mean"
        text = f"! any country, as no from-number tells one: {', '.join(listed)}{more}; write countries: {named}"
        yield Text(text, style="yellow")
    elif len(countries.counts) > 1:
        yield Text(f"countries: {', '.join(listed)}{more}", style="dim")


def _sums(summary: PlanSummary) -> RenderableType:
    counts = summary.counts
    first = Text(f"{count_of(summary.contacts, 'contact')}   ")
    for status in (PlanStatus.CREATE, PlanStatus.CHANGE, PlanStatus.KEEP, PlanStatus.REMOVE, PlanStatus.HOLD):
        if counts[status]:
            sign, style = STATUS_SIGNS[status]
            first.append(f"{sign}{counts[status]} {status}   ", style=style)
    if summary.skipped:
        first.append(f"-{summary.skipped} skipped   ", style="yellow")
    if summary.rejected:
        first.append(f"✗{summary.rejected} rejected   ", style="red")
    if counts[PlanStatus.LATER]:
        first.append(f"…{counts[PlanStatus.LATER]} later steps", style="dim")
    parts: list[RenderableType] = [first]
    if summary.first and summary.last:
        parts.append(Text(f"first {summary.first:%a %d %b %H:%M} UTC   last {summary.last:%a %d %b %H:%M} UTC"))
    if summary.rules_changed:
        parts.append(Text(f"rules that change: {', '.join(summary.rules_changed)}", style="yellow"))
    return Group(*parts)


def _lines(excerpt: PlanExcerpt, *, masked: bool, pseudonyms: Pseudonyms) -> Table:
    table = Table.grid(padding=(0, 2))
    for line in excerpt.head:
        table.add_row(*_row(line, masked=masked, pseudonyms=pseudonyms))
    if excerpt.left_out:
        table.add_row("", Text(f"… {excerpt.left_out} more (--all)", style="dim"))
    for line in excerpt.tail:
        table.add_row(*_row(line, masked=masked, pseudonyms=pseudonyms))
    return table


def _row(line: PlanLine, *, masked: bool, pseudonyms: Pseudonyms) -> tuple[RenderableType, ...]:
    sign, style = STATUS_SIGNS[line.status]
    who = shown_phone(line.phone, masked=masked, pseudonyms=pseudonyms) or f"row {line.row}"
    via = f"{line.step} by {line.provider}/{_short(line.agent_id)}"
    reason = masked_reason(line.reason, pseudonyms) if masked else line.reason
    when = line.condition or reason or (local_clock(line.not_before, line.zones) if line.not_before else "")
    return (
        Text(sign, style=style),
        Text(who),
        Text(via, style="dim", no_wrap=True),
        Text(when, overflow="ellipsis", no_wrap=True),
    )


def _facts(line: PlanLine) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = [
        ("status", f"{line.status}{f': {line.reason}' if line.reason else ''}"),
        ("contact", f"{line.phone}, key {line.contact_key}, row {line.row}"),
    ]
    if line.condition:
        facts.append(("when", line.condition))
    if line.not_before is not None:
        clocks = ", ".join(
            f"{line.not_before.astimezone(ZoneInfo(zone)):%a %d %b %H:%M} {zone}" for zone in line.zones[:3]
        )
        facts.append(("not before", f"{line.not_before:%Y-%m-%d %H:%M:%S} UTC = {clocks}"))
    if line.zones:
        zones = ", ".join(line.zones[:6]) + (f" and {len(line.zones) - 6} more" if len(line.zones) > 6 else "")  # noqa: PLR2004
        source = "`zone_unknown`" if line.timezone_source == "zone_unknown" else f"the {line.timezone_source}"
        facts.append(("time zone", f"{zones} (from {source})"))
    said = {
        "law of": ", ".join(line.jurisdictions), "waits": line.waits, "variant": line.variant, "caution": line.caution,
    }  # fmt: skip
    facts += [(name, text) for name, text in said.items() if text]
    return facts + _request_facts(line)


def _request_facts(line: PlanLine) -> list[tuple[str, str]]:
    """Give what is sent, and what backups would send."""
    facts: list[tuple[str, str]] = []
    if line.method:
        facts.append(("request", f"{line.method} {line.url}"))
        facts.extend(("", f"{name}: {value}") for name, value in line.headers.items())
        body = json.dumps(line.body, ensure_ascii=False, indent=2)
        facts.append(("body", body))
    for one in line.backups:
        facts.append(("backup", f"{one.agent}, while account {line.account} fails: {one.method} {one.url}"))
        facts.append(("", json.dumps(one.body, ensure_ascii=False, indent=2)))
    return facts


def _without_key(text: str, key: str, pseudonyms: Pseudonyms) -> str:
    """Put what is no key where the attempt's key will be sent, for what logs call it is never sent."""
    log_id = pseudonyms.log_id(key)
    return without_key(text, key, f"{HIDDEN} (in logs {log_id})" if log_id else HIDDEN)


def _short(agent_id: str) -> str:
    """Keep the end of a long id, which is what tells two of them apart."""
    return agent_id if len(agent_id) <= _LONG_ID else f"…{agent_id[-8:]}"


def _cause(line: PlanLine) -> str:
    """Give a reason without what differs from row to row, so that equal causes are counted together."""
    column, colon, rest = line.reason.partition(": ")
    head, tick, tail = rest.partition("`")
    if line.rejected and not line.contact_key and colon and tick and "`" in tail:
        return f"{column}: {head}`…`{tail.partition('`')[2]}"
    if line.reason.startswith("the same number as in row"):
        return "the same number as in an earlier row"
    if line.reason.startswith("on the do-not-contact list"):
        return line.reason.rpartition(":")[0]
    return of_any_size(line.reason, line.fault.size) if line.fault is not None else line.reason
