"""Whose clock counts, and what says so."""

from __future__ import annotations

import pytest

from runner.rules.zones import ZoneEvidence, zone_evidence


@pytest.mark.parametrize(
    ("column", "of_campaign", "number", "expected"),
    [
        ("Europe/Paris", "America/New_York", "+12025550143", ZoneEvidence(("Europe/Paris",), "column")),
        ("Europe/Paris", "contact", "+12025550143", ZoneEvidence(("Europe/Paris",), "column")),
        (None, "America/Chicago", "+12025550143", ZoneEvidence(("America/Chicago",), "campaign")),
        ("", "America/Chicago", "+12025550143", ZoneEvidence(("America/Chicago",), "campaign")),
        (None, "contact", "+12025550143", ZoneEvidence(("America/New_York",), "number")),
        (None, "contact", "+447700900123", ZoneEvidence(("Europe/London",), "number")),
    ],
)
def test_the_nearest_evidence_counts(column: str | None, of_campaign: str, number: str, expected: ZoneEvidence) -> None:
    found = zone_evidence(column, of_campaign, number)
    assert found.source == expected.source
    assert set(expected.zones) <= set(found.zones)


def test_a_number_that_may_be_in_several_zones_gives_them_all() -> None:
    assert len(zone_evidence(None, "contact", "+61491570156").zones) > 1


def test_a_number_that_says_nothing_gives_no_zone() -> None:
    assert zone_evidence(None, "contact", "+999123456789") == ZoneEvidence((), "none")


@pytest.mark.parametrize(
    ("column", "expected"),
    [("Europe/Paris", ZoneEvidence(("Europe/Paris",), "column")), (None, ZoneEvidence((), "none")), ("", ZoneEvidence((), "none"))],
)  # fmt: skip
def test_strictly_only_the_row_counts(column: str | None, expected: ZoneEvidence) -> None:
    assert zone_evidence(column, "America/Chicago", "+12025550143", is_strict=True) == expected
    assert zone_evidence(column, "contact", "+12025550143", is_strict=True) == expected
