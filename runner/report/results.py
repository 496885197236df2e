"""What campaigns came to, for people: the status table and the report at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.model.overview import AccountStanding, AttemptOverview, CampaignOverview, ContactOverview, HandoverOverview
from runner.report.rounds_view import status_sentence, without_old_rounds
from runner.report.words import count_of, shown_phone
from runner.rules.pseudonyms import UNKEYED, Pseudonyms

_STAT_STYLES = {"completed": "green", "failed": "red", "held": "magenta", "suppressed": "yellow"}
_WIDE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Every row of every contact source, accounted for."""

    contacts: int
    """rows of the contact sources"""
    finished: int
    """ended in a named state: completed, failed or suppressed"""
    held: int
    """wait for a person"""
    still_open: int
    """waiting or under way"""
    skipped: int
    """left out by the plan, with a reason"""
    rejected: int
    """bad rows"""

    @property
    def add_up(self) -> bool:
        """Whether nobody is missing."""
        return self.contacts == self.finished + self.held + self.still_open + self.skipped + self.rejected


def status_table(campaigns: Sequence[CampaignOverview], width: int | None = None) -> Table:
    """Lay out where every campaign stands.

    Where `width` is too narrow for the names, states that nobody is in give up their columns.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("campaign", no_wrap=True)
    table.add_column("status", no_wrap=True)
    columns = list(campaigns[0].row_stats) if campaigns else []
    if width is not None and _least_width(campaigns, columns) > width:
        columns = [column for column in columns if any(one.row_stats[column] for one in campaigns)]
    for column in columns:
        table.add_column(column, justify="right", style=_STAT_STYLES.get(column))
    table.add_column("attempts", justify="right")
    for one in campaigns:
        counts = [f"{one.row_stats[column]:,}" if one.row_stats[column] else "·" for column in columns]
        status = Text(one.status, style="yellow" if one.status == "paused" else "")
        table.add_row(one.campaign, status, *counts, f"{one.attempts:,}")
    return table


def _least_width(campaigns: Sequence[CampaignOverview], columns: Sequence[str]) -> int:
    """Give the width at which no name and no count is cut."""
    names = max(len(one.campaign) for one in campaigns)
    statuses = max(len(one.status) for one in campaigns)
    counts = (max(len(column), *(len(f"{one.row_stats[column]:,}") for one in campaigns)) for column in columns)
    return names + 2 + statuses + 2 + sum(count + 2 for count in counts) + len("attempts")


def print_status(console: Console, campaigns: Sequence[CampaignOverview], *, masked: bool) -> None:
    """Print where every campaign stands, and why those that are paused are; masked, without keys of attempts."""
    if not campaigns:
        console.print("no campaign was applied yet")
        return
    campaigns, left_out = without_old_rounds(campaigns)
    console.print(status_table(campaigns, console.width))
    if left_out:
        console.print(Text(f"… {count_of(left_out, 'older round')} (--format json)", style="dim"))
    for one in campaigns:
        if one.rounds is not None:
            console.print(Text(status_sentence(one.campaign, one.rounds), style="dim"))
    for one in campaigns:
        for line in _notes(one, masked=masked):
            console.print(line)


def account_lines(accounts: Sequence[AccountStanding], *, masked: bool) -> list[Text]:
    """Say which accounts are not used freely, and when each is tried next; masked, without keys of attempts."""
    lines = []
    for one in accounts:
        how = {"half_open": "lets one call through", "trying": "lets one call through", "slowed": "waits"}
        until = f", tried again at {one.until:%H:%M:%S} UTC" if one.until else ""
        why = _said(one.reason, masked=masked)
        lines.append(Text(f"account {one.account} {how.get(one.state, 'is not used')}: {why}{until}", style="yellow"))
    return lines


def handover_lines(handovers: Sequence[HandoverOverview], *, masked: bool) -> list[Text]:
    """Say where those are who were handed over: each one that a person must settle, the others in one line.

    Masked, names and ids lose a key that they hold: that of a handover of few can be worked out from their numbers.
    """
    lines = []
    under_way = [one for one in handovers if one.state != "held"]
    if under_way:
        waiting = sum(one.waiting for one in under_way)
        accounts = ", ".join(dict.fromkeys(one.account for one in under_way))
        doubtful = sum(one.waiting for one in under_way if one.state == "in_doubt")
        doubt = f", {doubtful:,} of them in doubt" if doubtful else ""
        handed = count_of(len(under_way), "handover")
        lines.append(Text(f"{under_way[0].campaign}: {waiting:,} with {accounts} in {handed}{doubt}"))
    for one in (each for each in handovers if each.state == "held"):
        why, name = _said(one.reason, masked=masked), _said(one.name, masked=masked)
        said = f"handover {one.id} of {one.campaign} is held with {count_of(one.waiting, 'contact')}: {why}"
        in_full = "" if name == one.name else " (in full: outreach --show-pii status)"
        lines.append(Text(f"{said}; look for `{name}`{in_full} at {one.account}, then", style="magenta"))
        known = one.native_id if one.native_id and _said(one.native_id, masked=masked) == one.native_id else "ID"
        lines.append(
            Text(
                f"  outreach resolve {one.campaign} --handover {one.id} --created {known}   (or: --absent --reason TEXT)"
            )
        )
    return lines


def print_report(
    console: Console, campaigns: Sequence[CampaignOverview], totals: Totals | None, *, masked: bool
) -> None:
    """Print what campaigns came to: outcomes, tags, totals; masked, without keys of attempts."""
    print_status(console, campaigns, masked=masked)
    console.print()
    for title, counts in (("calls", outcome_counts(campaigns, "call")), ("texts", outcome_counts(campaigns, "text"))):
        if counts:
            console.print(Text(f"{title}, by outcome", style="bold"))
            console.print(Padding(_bars(counts), (0, 0, 1, 2), expand=False))
    tags = tag_counts(campaigns)
    if tags:
        console.print(Text("results that the agents set", style="bold"))
        console.print(Padding(_bars(tags), (0, 0, 1, 2), expand=False))
    if totals is not None:
        console.print(Text(totals_line(totals), style="bold"))


def totals_line(totals: Totals) -> str:
    """Write the sum that must come out even."""
    parts = [f"{totals.finished:,} finished"]
    if totals.held:
        parts.append(f"{totals.held:,} held")
    if totals.still_open:
        parts.append(f"{totals.still_open:,} still open")
    parts += [f"{totals.skipped:,} skipped", f"{totals.rejected:,} rejected"]
    sign = "=" if totals.add_up else "≠"
    return f"{totals.contacts:,} contacts {sign} {' + '.join(parts)}"


def _notes(one: CampaignOverview, *, masked: bool) -> Iterator[Text]:
    """Say of a campaign what no count shows: why it stands still, who was handed over, what is held of people who left."""
    if one.reason:
        yield Text(f"{one.campaign} is {one.status}: {_said(one.reason, masked=masked)}", style="yellow")
    yield from handover_lines(one.handovers, masked=masked)
    if one.held_of_left:
        held, are = count_of(one.held_of_left, "attempt"), "is" if one.held_of_left == 1 else "are"
        said = f"{held} of people who are no longer in the plan {are} held: outreach resolve {one.campaign}"
        yield Text(said, style="magenta")


def _said(words: str, *, masked: bool) -> str:
    """Give what was said of several people at once, by a provider perhaps, which may repeat a key."""
    return UNKEYED.without_keys(words) if masked else words


def _why(attempt: AttemptOverview) -> str:
    """Give the reason of an attempt that nobody would understand without one."""
    return f" ({attempt.reason})" if attempt.reason and attempt.state not in {"finished", "accepted"} else ""


def outcome_counts(campaigns: Sequence[CampaignOverview], channel: str) -> dict[str, int]:
    """Count the outcomes of one channel over all campaigns, most frequent first."""
    counts: Counter[str] = Counter()
    for one in campaigns:
        for _, of_channel, outcome, count in one.outcomes:
            if of_channel == channel:
                counts[outcome] += count
    return dict(counts.most_common())


def tag_counts(campaigns: Sequence[CampaignOverview]) -> dict[str, int]:
    """Count the tags over all campaigns, most frequent first."""
    counts: Counter[str] = Counter()
    for one in campaigns:
        counts.update(dict(one.tags))
    return dict(counts.most_common())


def _bars(counts: Mapping[str, int]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    most = max(counts.values())
    for name, count in counts.items():
        table.add_row(name, f"{count:,}", Text("█" * max(1, round(count / most * _WIDE)), style="cyan"))
    return table


def print_contacts(
    console: Console,
    campaign: str,
    contacts: Sequence[ContactOverview],
    *,
    masked: bool,
    pseudonyms: Pseudonyms = UNKEYED,
) -> None:
    """Print every contact of a campaign with its attempts."""
    console.print()
    console.print(Text(campaign, style="bold"))
    table = Table.grid(padding=(0, 2))
    for person in contacts:
        tries = ", ".join(
            f"{one.step} {one.number}: {one.outcome or one.state}{f' {one.tag}' if one.tag else ''}{_why(one)}"
            for one in person.attempts
        )
        style = _STAT_STYLES.get(person.state, "")
        said = tries or person.held_because
        if masked:
            said = pseudonyms.without_keys(said, *(one.key for one in person.attempts))
        who = shown_phone(person.phone, masked=masked, pseudonyms=pseudonyms)
        table.add_row(who, Text(person.state, style=style), Text(said))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
