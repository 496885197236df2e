"""One person's story for people: what was done, by which rule, what comes next and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.model.person import AttemptStory, CampaignStory, Event, Person
from runner.model.rule_places import RulePlaces
from runner.planning.prospect import Prospect
from runner.report.trace_view import findings_table, where_text
from runner.report.words import local_clock, masked_text, shown_phone
from runner.rules.local_time import zone_info
from runner.rules.pseudonyms import UNKEYED, Pseudonyms

_SOURCES = {"column": "the row", "campaign": "the campaign", "number": "the number", "zone_unknown": "`zone_unknown`"}


def print_why(
    console: Console,
    person: Person,
    then: Sequence[Prospect],
    now: datetime,
    *,
    masked: bool,
    pseudonyms: Pseudonyms = UNKEYED,
) -> None:
    """Print everything about a person; `then` is what comes next by campaign, in the same order."""
    who = shown_phone(person.phone, masked=masked, pseudonyms=pseudonyms)
    console.print(Text.assemble((who, "bold"), f" · as of {now:%Y-%m-%d %H:%M} UTC"))
    for line in _list_lines(person, now):
        shown = Text(masked_text(line.plain, pseudonyms), style=line.style) if masked else line
        console.print(shown, soft_wrap=True)
    if not person.campaigns:
        console.print(Text("in no campaign that was applied", style="dim"))
    for story, after in zip(person.campaigns, then, strict=True):
        console.print()
        _print_campaign(console, story, after, masked=masked, pseudonyms=pseudonyms)


def _list_lines(person: Person, now: datetime) -> Iterator[Text]:
    entry = person.suppression
    if entry is not None:
        word, style = ("must not be contacted", "bold red") if entry.holds(now) else ("was on the list", "dim")
        yield Text(f"{word}: {entry.sentence}, since {entry.at:%Y-%m-%d %H:%M} UTC", style=style)
    for one in person.lifted:
        yield Text(
            f"was on the list from {one.at:%Y-%m-%d %H:%M} UTC on, and was taken off: {one.sentence}", style="dim"
        )
    if person.listed_by:
        yield Text(f"on the own do-not-call list of: {', '.join(person.listed_by)}", style="yellow")


def _print_campaign(
    console: Console, story: CampaignStory, then: Prospect, *, masked: bool, pseudonyms: Pseudonyms
) -> None:
    def said(text: Text) -> Text:
        return Text(masked_text(text.plain, pseudonyms), style=text.style) if masked else text

    keys = [attempt.work.attempt.key for attempt in story.attempts]

    def without_keys(text: Text) -> Text:
        return said(Text(pseudonyms.without_keys(text.plain, *keys), style=text.style)) if masked else text

    for line in _heading(story):  # has the contact's own key, which may look like an attempt's
        console.print(said(line), soft_wrap=True)
    for event in story.events:
        console.print(without_keys(_event_line(event, story)), soft_wrap=True)
    for attempt in story.attempts:
        for line in _attempt_lines(attempt, story):
            console.print(without_keys(line), soft_wrap=True)
    console.print(said(_next_line(story, then)), soft_wrap=True)
    if then.findings:
        console.print(Text("  by the rules as they are now:", style="dim"))
        table: Table = findings_table(then.findings, story.zones, masked=masked, pseudonyms=pseudonyms)
        console.print(Padding(table, (0, 0, 0, 4), expand=False))


def _heading(story: CampaignStory) -> Iterator[Text]:
    revision = story.revision
    commit = f" · git {revision.git_commit}" if revision.git_commit else ""
    yield Text(
        f"{story.campaign} · revision {revision.id} of {revision.applied_at:%Y-%m-%d %H:%M} UTC by {revision.applied_by}"
        f"{commit} · tzdata {revision.tzdata}",
        style="bold",
    )
    paused = f", campaign {story.state}: {story.reason}" if story.state != "active" else ""
    yield Text(f"  {story.contact_state}, key {story.key}, row {story.row}{paused}")
    zones = ", ".join(story.zones[:4]) + (f" and {len(story.zones) - 4} more" if len(story.zones) > 4 else "")  # noqa: PLR2004
    source = _SOURCES.get(story.zone_source, story.zone_source)
    law = f" · law of {', '.join(story.jurisdictions)}" if story.jurisdictions else ""
    yield Text(f"  zone {zones or 'unknown'}{f' (from {source})' if zones else ''}{law}", style="dim")


def _attempt_lines(attempt: AttemptStory, story: CampaignStory) -> Iterator[Text]:
    one = attempt.work.attempt
    ended = f", {attempt.outcome}" if attempt.outcome else ""
    tag = f", tag {attempt.tag}" if attempt.tag else ""
    back = ", a call back" if one.is_callback else ""
    logged = f" · in logs {attempt.log_id}" if attempt.log_id else ""
    yield Text(f"  {one.step} {one.number} by {one.account}: {one.state}{ended}{tag}{back}{logged}")
    for event in attempt.events:
        yield _event_line(event, story)


def _event_line(event: Event, story: CampaignStory) -> Text:
    """Say what happened, when on the person's own clock, and by which rule."""
    parts = [_event_words(event)]
    source = str(event.detail.get("source", ""))
    where = _where(source, story.revision.places)
    if where:
        parts.append(where)
    following = event.detail.get("next")
    if isinstance(following, dict):
        at = datetime.fromisoformat(str(following["due_at"]))
        parts.append(f"then {following['step']} {following['number']} at {local_clock(at, story.zones)}")
    due = event.detail.get("due_at")
    if isinstance(due, str):
        parts.append(f"due {local_clock(datetime.fromisoformat(due), story.zones)}")
    return Text(f"    {_clock(event.at, story.zones)}  {'  '.join(parts)}", style="dim")


def _event_words(event: Event) -> str:
    words = event.kind.replace("_", " ")
    outcome, reason = event.detail.get("outcome"), event.detail.get("reason")
    zones = event.detail.get("zones")
    if isinstance(zones, list):
        source = _SOURCES.get(str(event.detail.get("zone_source")), str(event.detail.get("zone_source")))
        return f"{words} in {', '.join(str(one) for one in zones[:4])} (from {source})"
    said = str(reason or outcome or "")
    return f"{words}: {said}" if said else words


def _next_line(story: CampaignStory, then: Prospect) -> Text:
    at = f" {local_clock(then.at, story.zones)} = {then.at:%Y-%m-%d %H:%M} UTC:" if then.at is not None else ""
    where = _where(then.source, story.revision.places)
    return Text(f"  next:{at} {then.says}{f'  {where}' if where else ''}", style="bold")


def _where(source: str, places: RulePlaces) -> str:
    """Say where a rule stands; a row of the law is called by its id."""
    place = places.of(source)
    is_key = source.partition(".")[0] in places.by_path or "-" not in source.partition(".")[0]
    return where_text(source, place) if is_key else source


def _clock(at: datetime, zones: tuple[str, ...]) -> str:
    """Write an instant on the person's clock, seconds exact; in UTC where nobody knows it."""
    if not zones:
        return f"{at:%a %d %b %H:%M:%S} UTC"
    place = zones[0].rpartition("/")[2].replace("_", " ")
    return f"{at.astimezone(zone_info(zones[0])):%a %d %b %H:%M:%S} {place}"
