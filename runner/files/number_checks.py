"""Rules on `countries`: each is a country, and stands there once."""

from __future__ import annotations

from collections.abc import Iterator

from runner.files.checks import Checkable
from runner.files.faults import Fault
from runner.rules.numbers import is_country


def check_countries(this: Checkable) -> Iterator[Fault]:
    """Give every fault of a campaign's `countries`."""
    seen: set[str] = set()
    for index, country in enumerate(this.canonical.countries):
        path = ("countries", index)
        if not is_country(country):
            help_line = "write: GB" if country == "UK" else "write two letters: US, CA"
            yield Fault(path=path, code="C37", message=f"`{country}` is not a country", help=help_line)
        elif country in seen:
            yield Fault(path=path, code="C37", message=f"`{country}` stands there twice", help="write it once")
        seen.add(country)
