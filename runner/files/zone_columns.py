"""Find the column that seems to hold zones and is not read as such: P16, a warning."""

from __future__ import annotations

from collections.abc import Sequence

from runner.files.contact_table import TIMEZONE_COLUMN
from runner.model.campaign import ContactSource

_ZONE_WORDS = frozenset(
    {"tz", "tzname", "tzid", "zone", "timezone", "timezonename", "timezoneid", "ianatimezone", "ianazone", "zoneinfo"}
)


def unread_zone_column(source: ContactSource, names: Sequence[str]) -> str:
    """Name the first column that is called like a zone while none is read as the zone; empty when there is none."""
    if source.columns.timezone is not None or TIMEZONE_COLUMN in names:
        return ""
    return next((name for name in names if "".join(filter(str.isalpha, name.lower())) in _ZONE_WORDS), "")


def zone_column_line(source: ContactSource, name: str) -> str:
    """Write the line that has a column read as the zone."""
    if not source.file:
        return f"call it `{TIMEZONE_COLUMN}`"
    columns = {**source.columns.model_dump(exclude_defaults=True), "timezone": name}
    named = ", ".join(f"{use}: {column}" for use, column in columns.items())
    return f"write: contacts: {{file: {source.file}, columns: {{{named}}}}}"
