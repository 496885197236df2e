"""From when to when a campaign runs, as instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from runner.model.campaign import Schedule
from runner.rules.schedule import ends_at, starts_at


@pytest.mark.parametrize(
    ("schedule", "starts", "ends"),
    [
        ({}, None, None),
        ({"start": "2026-12-01"}, "2026-12-01T00:00", None),
        ({"start": "2026-12-01T09:00", "timezone": "America/New_York"}, "2026-12-01T14:00", None),
        ({"end": "2026-07-01T09:00", "timezone": "America/New_York"}, None, "2026-07-01T13:00"),
        ({"end": "2026-07-01T09:00:00Z", "timezone": "America/New_York"}, None, "2026-07-01T09:00"),
        ({"start": "2026-07-01T09:00:00+02:00"}, "2026-07-01T07:00", None),
    ],
)
def test_a_written_time_is_local_unless_it_carries_an_offset(
    schedule: dict[str, Any], starts: str | None, ends: str | None
) -> None:
    read = Schedule.model_validate(schedule)
    assert starts_at(read) == (starts and datetime.fromisoformat(starts).replace(tzinfo=UTC))
    assert ends_at(read) == (ends and datetime.fromisoformat(ends).replace(tzinfo=UTC))
