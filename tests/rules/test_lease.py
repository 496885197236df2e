"""When a ledger may be taken from whoever held it last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runner.model.lease import Holder, Lease
from runner.rules.lease import LASTS, RENEWED_EVERY, SENDS_UNTIL, is_free, is_over_by_watching

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
HOLDER = Holder(host="one", boot="b", pid=7, began=70, version="1")
LEASE = Lease(epoch=3, holder=HOLDER, since=NOON, renewed=NOON, until=NOON + LASTS)


@pytest.mark.fault("F23")
@pytest.mark.parametrize(
    ("seconds", "dead", "free"),
    [(0, False, False), (14.9, False, False), (15, False, True), (0, True, True), (-3600, False, False)],
)
def test_until_its_end_only_a_dead_holder_loses_it(seconds: float, dead: bool, free: bool) -> None:
    assert is_free(LEASE, NOON + timedelta(seconds=seconds), holder_is_dead=dead) is free


@pytest.mark.fault("F23")
def test_whoever_watches_needs_no_wall_clock() -> None:
    assert not is_over_by_watching(LEASE, LEASE, 14.9)
    assert is_over_by_watching(LEASE, LEASE, 15.0)
    renewed = replace(LEASE, renewed=NOON + timedelta(seconds=5))
    assert not is_over_by_watching(LEASE, renewed, 99.0), "it was renewed, so somebody lives"
    assert not is_over_by_watching(LEASE, replace(LEASE, epoch=4), 99.0)


def test_the_holder_stops_sending_before_anybody_may_take_it() -> None:
    assert RENEWED_EVERY * 2 < SENDS_UNTIL < LASTS, "one renewal may fail, and still nobody sends beside another one"
