"""The pace of unproven webhooks: by source, refilled with time, for so many sources."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.web.pace import AT_ONCE, PER_SECOND, SourcePace

A, B = "192.0.2.1", "192.0.2.2"


def spend(pace: SourcePace, source: str, count: int, now: float = 0.0) -> None:
    for _ in range(count):
        pace.count(source, now)


def test_a_source_is_listened_to_until_its_bucket_is_empty() -> None:
    pace = SourcePace()
    spend(pace, A, int(AT_ONCE) - 1)
    assert pace.wait(A, 0.0) == 0
    spend(pace, A, 1)
    assert pace.wait(A, 0.0) == 1 / PER_SECOND
    assert pace.wait(A, 1 / PER_SECOND) == 0
    assert pace.wait(B, 0.0) == 0


def test_what_was_under_way_is_forgiven() -> None:
    pace = SourcePace()
    spend(pace, A, 10_000)
    assert pace.wait(A, 0.0) == 1 / PER_SECOND


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.floats(0, 0.2)), max_size=400),
)
def test_over_any_time_no_source_has_more_than_its_pace(events: list[tuple[str, float]]) -> None:
    pace, now, heard = SourcePace(), 0.0, {A: 0, B: 0}
    for source, after in events:
        now += after
        if pace.wait(source, now) == 0:
            pace.count(source, now)
            heard[source] += 1
    assert max(heard.values()) <= AT_ONCE + PER_SECOND * now + 1


def test_a_clock_that_stands_or_goes_back_fills_nothing() -> None:
    pace = SourcePace()
    spend(pace, A, int(AT_ONCE), 100.0)
    assert pace.wait(A, 50.0) > 0
    assert pace.wait(A, 50.0) > 0


def test_ipv6_sources_are_networks_and_mapped_ones_are_ipv4() -> None:
    pace = SourcePace()
    spend(pace, "2001:db8:0:1::1", int(AT_ONCE))
    assert pace.wait("2001:db8:0:1:ffff::2", 0.0) > 0
    assert pace.wait("2001:db8:0:2::1", 0.0) == 0
    spend(pace, f"::ffff:{A}", int(AT_ONCE))
    assert pace.wait(A, 0.0) > 0
    assert pace.wait("no address", 0.0) == 0


def test_so_many_sources_are_remembered_and_no_more() -> None:
    pace = SourcePace(most_sources=3)
    for number in range(5):
        spend(pace, f"192.0.2.{number}", int(AT_ONCE))
    assert [pace.wait(f"192.0.2.{number}", 0.0) > 0 for number in range(5)] == [False, False, True, True, True]
