"""What a plan says about the law: the rows that apply, what is unsure or missing, what the campaign overrides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runner.model.campaign import Purpose
from runner.model.channel import Channel
from runner.model.law import LawNote, LawRow, LawSummary
from runner.model.plan import PlanLine, PlanStatus
from runner.rules.law import CampaignLaw

OLDEST = timedelta(days=180)
"""a table of law that is older makes every plan say so"""


class _Place(NamedTuple):
    """What people have in common, as far as the law asks."""

    channel: Channel
    jurisdictions: tuple[str, ...]
    step: str


class LawTally:
    """Takes in the lines of one campaign's plan, and says what the law makes of them.

    It keeps one count for each step and set of places, however many people there are.
    """

    def __init__(self, law: CampaignLaw, purpose: Purpose, now: datetime) -> None:
        self._law = law
        self._purpose = purpose
        self._now = now
        self._people: Counter[_Place] = Counter()
        self._cautions: Counter[str] = Counter()

    def take(self, line: PlanLine) -> None:
        """Take in a line; those of people who are nobody's to contact say nothing about places."""
        if line.status is PlanStatus.REMOVE or line.suppressed or not line.contact_key:
            return
        self._people[_Place(line.channel, line.jurisdictions, line.step)] += 1
        if line.caution:
            self._cautions[line.caution] += 1

    def summary(self) -> LawSummary:
        """Give what is to be said about the lines that have passed."""
        found = self._rows()
        return LawSummary(
            version=self._law.table.version,
            as_of=self._law.table.as_of,
            rows=tuple(_row_note(row, count) for row, count in found),
            warnings=tuple(self._warnings(found)),
            overrides=tuple(self._overrides()),
        )

    def _rows(self) -> list[tuple[LawRow, int]]:
        """Give the rows that count for somebody, with the number of people, in the table's order."""
        found: dict[str, tuple[LawRow, Counter[str]]] = {}
        for place, people in self._people.items():
            for row in self._law.rows(self._purpose, place.channel, place.jurisdictions):
                found.setdefault(row.id, (row, Counter()))[1][place.step] += people
        order = {row.id: index for index, row in enumerate(self._law.table.rows)}
        counted = [(row, max(steps.values())) for row, steps in found.values()]
        return sorted(counted, key=lambda one: order[one[0].id])

    def _warnings(self, found: list[tuple[LawRow, int]]) -> Iterator[LawNote]:
        age = (self._now.astimezone(UTC).date() - self._law.table.as_of).days
        if age > OLDEST.days:
            text = f"the table of law is {age} days old; a newer outreach-runner may bring a newer one"
            yield LawNote(kind="warning", text=text)
        for caution, people in self._cautions.most_common():
            yield LawNote(kind="warning", text=caution, row=caution.partition(":")[0], contacts=people)
        unverified = [(row.id, people) for row, people in found if row.is_unverified]
        if unverified:
            text = f"applied, and nobody has verified: {', '.join(name for name, _ in unverified)}"
            yield LawNote(kind="warning", text=text, contacts=max(people for _, people in unverified))
        for row, people in found:
            if row.disclosure and not self._law.compliance.disclosure:
                text = f"{row.id}: say {row.disclosure}; then write how: compliance: {{disclosure: ...}}"
                yield _warning(row, text, people)
        yield from self._without_hours()
        for row, people in found:
            if row.screening:
                text = f"{row.id}: hold the numbers against {row.screening}; nothing here does that"
                yield _warning(row, text, people)

    def _without_hours(self) -> Iterator[LawNote]:
        """Name the countries for which no row has hours: the campaign's own windows count alone there."""
        bare: dict[tuple[str, Channel], Counter[str]] = {}
        for place, people in self._people.items():
            countries = dict.fromkeys(one.partition("-")[0] for one in place.jurisdictions)
            for country in countries or [""]:
                parts = tuple(one for one in place.jurisdictions if one.partition("-")[0] == country)
                if not self._law.calendars(self._purpose, place.channel, parts):
                    bare.setdefault((country, place.channel), Counter())[place.step] += people
        for channel in dict.fromkeys(channel for _, channel in bare):
            here = {country: max(steps.values()) for (country, its_own), steps in bare.items() if its_own == channel}
            text = f"no rule is known about hours of {self._purpose} {channel}s {_where(here)}; the windows count alone"
            yield LawNote(kind="warning", text=text, contacts=sum(here.values()))

    def _overrides(self) -> Iterator[LawNote]:
        for one in self._law.compliance.overrides:
            row = next((row for row in self._law.table.rows if row.id == one.row), None)
            changed = [name for name in ("windows", "attempts") if getattr(one, name) is not None]
            what = f"other {' and '.join(changed)}" if changed else "set aside"
            source = row.source.url if row is not None else ""
            yield LawNote(kind="override", text=f"{one.row}: {what}: {one.reason}", row=one.row, source=source)


def combined_law(summaries: Sequence[LawSummary]) -> LawSummary | None:
    """Put what several campaigns' plans say about the law together; None when none says anything."""
    if not summaries:
        return None
    return replace(
        summaries[0],
        rows=_added(note for one in summaries for note in one.rows),
        warnings=_added(note for one in summaries for note in one.warnings),
        overrides=tuple(dict.fromkeys(note for one in summaries for note in one.overrides)),
    )


def _where(countries: Collection[str]) -> str:
    """Name countries, of which the empty one is unknown."""
    known = ", ".join(sorted(filter(None, countries)))
    parts = [f"in {known}"] if known else []
    return " and ".join(parts if all(countries) else [*parts, "where no country is known"])


def _added(notes: Iterator[LawNote]) -> tuple[LawNote, ...]:
    found: dict[tuple[str, str], LawNote] = {}
    for note in notes:
        same = found.get((note.row, note.text))
        found[note.row, note.text] = replace(note, contacts=note.contacts + (same.contacts if same else 0))
    return tuple(found.values())


def _row_note(row: LawRow, people: int) -> LawNote:
    text = f"{row.jurisdiction}, {row.confidence}"
    return LawNote(kind="row", text=text, row=row.id, source=row.source.url, contacts=people)


def _warning(row: LawRow, text: str, people: int) -> LawNote:
    return LawNote(kind="warning", text=text, row=row.id, source=row.source.url, contacts=people)
