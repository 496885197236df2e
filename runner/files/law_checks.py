"""Rules on `compliance`: the rows that it overrides are in the table of law, and places are countries."""

from __future__ import annotations

from collections.abc import Iterator

from runner.files.checks import Checkable
from runner.files.faults import Fault
from runner.files.keys import did_you_mean
from runner.files.law_table import law_table
from runner.rules.numbers import is_country


def check_law(this: Checkable) -> Iterator[Fault]:
    """Give every fault of a campaign's `compliance`."""
    compliance = this.canonical.compliance
    if compliance.overrides:
        yield from _known_rows(this)
    for index, place in enumerate(compliance.jurisdictions):
        country = place.partition("-")[0]
        if not is_country(country):
            message = f"`{country}` is not a country"
            yield Fault(
                path=("compliance", "jurisdictions", index), code="C34", message=message, help="write: US, or US-TX"
            )
    if compliance.sectors:
        yield from _known_sectors(this)


def _known_rows(this: Checkable) -> Iterator[Fault]:
    known = [row.id for row in law_table().rows]
    seen: set[str] = set()
    for index, one in enumerate(this.canonical.compliance.overrides):
        path = ("compliance", "overrides", index, "row")
        if one.row not in known:
            advice = did_you_mean(one.row, known) or "see which rows apply: outreach rules PHONE --purpose ..."
            yield Fault(path=path, code="C34", message=f"the table of law has no row `{one.row}`", help=advice)
        elif one.row in seen:
            message = f"`{one.row}` is overridden twice"
            yield Fault(path=path, code="C34", message=message, help="put both into one override")
        seen.add(one.row)


def _known_sectors(this: Checkable) -> Iterator[Fault]:
    known = sorted({row.sector for row in law_table().rows if row.sector})
    for index, one in enumerate(this.canonical.compliance.sectors):
        if one not in known:
            advice = f"the table knows: {', '.join(known)}"
            path = ("compliance", "sectors", index)
            yield Fault(path=path, code="C34", message=f"no row is about the sector `{one}`", help=advice)
