"""Caps, cool-downs and suppressions that end: counted on any history, they let nobody be tried too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.model.attempt import AttemptState
from runner.model.campaign import Campaign, Purpose
from runner.model.cap import Cap
from runner.model.channel import Channel
from runner.model.compliance import Consent
from runner.model.dealings import Dealings, PastAttempt
from runner.model.whereabouts import Whereabouts
from runner.rules.calendars import Calendar
from runner.rules.caps import free_from, held_back, look_back, sentence_of
from runner.rules.gate import Drop, Go, Verdict, Wait, may_hand_over, may_send
from runner.rules.law import ConsentGap
from runner.rules.local_time import local_day
from runner.rules.policy import Policy, policy_of
from tests.building import NEW_YORK, NOON, campaign

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NY = Whereabouts((NEW_YORK,))
TEXTS = ({"name": "call", "call": "agent"}, {"name": "text", "text": "sms", "message": "hello"})


def tried(ago: timedelta, **facts: Any) -> PastAttempt:
    """Give an attempt of another campaign that left so long before noon and ended two minutes later."""
    started = NOON - ago
    plain: dict[str, Any] = {
        "campaign": "other", "purpose": "informational", "channel": "call", "started_at": started,
        "ended_at": started + timedelta(minutes=2), "outcome": "no_answer",
    }  # fmt: skip
    return PastAttempt(**plain | facts)


def dealings(*past: PastAttempt, **facts: Any) -> Dealings:
    return Dealings(past=past, **facts)


def asked(with_them: Dealings, *, at: datetime = NOON, step: int = 0, asked_for: bool = False, **rules: Any) -> Verdict:
    policy = policy_of(campaign(**rules))
    return may_send(policy, policy.campaign.steps[step], NY, at, "", dealings=with_them, is_callback=asked_for)


# ---- as files write them ----


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1 per day", [(1, "day")]),
        ("1 per day, 3 per 7d", [(1, "day"), (3, 7 * DAY)]),
        ("once a day", [(1, "day")]),
        ("twice per 24h", [(2, DAY)]),
        ("4 times per 30d", [(4, 30 * DAY)]),
        ("2/day", [(2, "day")]),
        ("1 per hour", [(1, HOUR)]),
        ({"attempts": 1, "per": "day"}, [(1, "day")]),
        ([{"attempts": "3", "per": "1w"}], [(3, 7 * DAY)]),
        (["1 per day", {"attempts": 2, "per": "P2D"}], [(1, "day"), (2, 2 * DAY)]),
        ([], []),
    ],
)
def test_short_and_long_forms(written: Any, read: list[tuple[int, Any]]) -> None:
    caps = campaign(caps=written).caps
    assert [(one.attempts, one.per) for one in caps] == read
    assert Campaign.model_validate_json(campaign(caps=written).model_dump_json(exclude_none=True)).caps == caps


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("daily", "`daily` is not a cap"),
        ("1 per week", "`week` may mean a week of the calendar or any 7d"),
        ("1 per month", "`month` may mean a month of the calendar or any 30d"),
        ("1 per fortnight", "`fortnight`"),
        ("0 per day", ""),
        ([{"attempts": -1, "per": "day"}], ""),
        ([{"per": "day"}], ""),
        ([{"attempts": 1}], ""),
    ],
)
def test_what_is_no_cap(written: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        campaign(caps=written)
    assert said in str(caught.value)


# ---- one cap ----

DAILY = Cap(attempts=1, per=DAY, calendar_day=True)
WEEKLY = Cap(attempts=3, per=7 * DAY)
MIDNIGHT = datetime(2026, 1, 6, 5, 0, tzinfo=UTC)
"""the next one in New York"""
HONOLULU = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)

SPANS = [
    ("nothing yet", DAILY, [], NOON),
    ("this morning", DAILY, [tried(3 * HOUR)], MIDNIGHT),
    ("last night", DAILY, [tried(13 * HOUR)], NOON),
    ("a minute before midnight, ended after it", DAILY, [tried(12 * HOUR + timedelta(minutes=1))], NOON),
    ("two of a day", Cap(attempts=2, per=DAY, calendar_day=True), [tried(HOUR), tried(2 * HOUR)], MIDNIGHT),
    ("one of two", Cap(attempts=2, per=DAY, calendar_day=True), [tried(HOUR), tried(30 * HOUR)], NOON),
    ("two of three", WEEKLY, [tried(HOUR), tried(DAY)], NOON),
    ("three of three", WEEKLY, [tried(HOUR), tried(DAY), tried(6 * DAY)], NOON + DAY),
    ("four of three", WEEKLY, [tried(HOUR), tried(DAY), tried(5 * DAY), tried(6 * DAY)], NOON + 2 * DAY),
    ("a whole span ago", WEEKLY, [tried(HOUR), tried(DAY), tried(7 * DAY)], NOON),
    ("a moment less", WEEKLY, [tried(HOUR), tried(DAY), tried(7 * DAY - timedelta(seconds=1))], NOON + timedelta(seconds=1)),
    ("its redials count", WEEKLY, [tried(2 * DAY, calls=3)], NOON + 5 * DAY + timedelta(minutes=2)),
    ("no dial at all", DAILY, [tried(HOUR, calls=0, outcome="cancelled")], NOON),
    ("no dial, they say, and somebody answered", DAILY, [tried(HOUR, calls=0, outcome="answered")], MIDNIGHT),
    ("still under way", DAILY, [tried(HOUR, ended_at=None, outcome="")], MIDNIGHT),
    ("handed over yesterday, dialled today", DAILY, [tried(13 * HOUR, handed_over=True, ended_at=NOON)], MIDNIGHT),
    ("a text counts", DAILY, [tried(HOUR, channel="text", outcome="delivered")], MIDNIGHT),
    ("calls alone", Cap(attempts=1, per=DAY, channels=("call",)), [tried(HOUR, channel="text")], NOON),
    ("one purpose alone", Cap(attempts=1, per=DAY, purposes=(Purpose.MARKETING,)), [tried(HOUR)], NOON),
    ("that purpose", Cap(attempts=1, per=DAY, purposes=(Purpose.INFORMATIONAL,)), [tried(HOUR)], NOON + 23 * HOUR),
    ("nobody knows", Cap(attempts=1, per=DAY, purposes=(Purpose.MARKETING,)), [tried(HOUR, purpose="")], NOON + 23 * HOUR),
    ("never", Cap(attempts=0, per=DAY), [], None),
]  # fmt: skip


@pytest.mark.parametrize(("cap", "past", "free"), [row[1:] for row in SPANS], ids=[row[0] for row in SPANS])
def test_one_cap(cap: Cap, past: list[PastAttempt], free: datetime | None) -> None:
    assert free_from(cap, NY, past, NOON) == free


def test_the_day_ends_where_it_ends_last() -> None:
    anywhere = Whereabouts((NEW_YORK, "Pacific/Honolulu"))
    assert free_from(DAILY, anywhere, [tried(HOUR)], NOON) == HONOLULU
    assert free_from(DAILY, anywhere, [tried(8 * HOUR)], NOON) == MIDNIGHT, "in Honolulu it was the day before"
    assert free_from(DAILY, anywhere, [tried(13 * HOUR)], NOON) == NOON


def test_without_a_clock_a_day_is_the_longest_that_there_is() -> None:
    assert free_from(DAILY, Whereabouts(()), [tried(HOUR)], NOON) == NOON + 24 * HOUR
    assert free_from(DAILY, Whereabouts(()), [tried(25 * HOUR)], NOON) == NOON


TALK = tried(2 * DAY, outcome="answered")
TALKED = NOON - 2 * DAY + timedelta(minutes=2)
AFTER = [
    ("no conversation", 0, [tried(DAY)], NOON),
    ("a conversation", 0, [TALK], TALKED + 7 * DAY),
    ("one long ago", 0, [tried(8 * DAY, outcome="answered")], NOON),
    ("a voicemail is none", 0, [tried(DAY, outcome="voicemail")], NOON),
    ("a reply by text is none", 0, [tried(DAY, channel="text", outcome="replied")], NOON),
    ("one may follow", 1, [TALK], NOON),
    ("one has followed", 1, [TALK, tried(HOUR)], TALKED + 7 * DAY),
    ("one came before", 1, [tried(3 * DAY), TALK], NOON),
]


@pytest.mark.parametrize(("most", "past", "free"), [row[1:] for row in AFTER], ids=[row[0] for row in AFTER])
def test_after_a_conversation(most: int, past: list[PastAttempt], free: datetime) -> None:
    cap = Cap(attempts=most, per=7 * DAY, after="conversation")
    assert free_from(cap, NY, past, NOON) == free


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        (DAILY, "at most 1 per day"),
        (WEEKLY, "at most 3 per 7d"),
        (Cap(attempts=1, per=DAY), "at most 1 per 1d"),
        (Cap(attempts=0, per=DAY), "none at all"),
        (Cap(attempts=0, per=7 * DAY, after="conversation"), "none within 7d of a conversation"),
        (Cap(attempts=2, per=7 * DAY, after="conversation"), "at most 2 within 7d of a conversation"),
    ],
)
def test_sentences(cap: Cap, said: str) -> None:
    assert sentence_of(cap) == said


# ---- any history ----

_ATTEMPTS = st.lists(
    st.builds(
        lambda minutes, length, calls, channel: tried(
            timedelta(minutes=minutes), calls=calls, channel=channel,
            ended_at=NOON - timedelta(minutes=max(0, minutes - length)),
        ),
        st.integers(0, 60 * 24 * 9), st.integers(0, 300), st.sampled_from([None, 1, 2, 3]), st.sampled_from(["call", "text"]),
    ),
    max_size=8,
)  # fmt: skip
_CAPS = st.builds(
    lambda attempts, per, on_day: Cap(attempts=attempts, per=DAY if on_day else per, calendar_day=on_day),
    st.integers(1, 5), st.sampled_from([HOUR, DAY, 2 * DAY, 7 * DAY]), st.booleans(),
)  # fmt: skip
_ZONES = st.sampled_from([(NEW_YORK,), ("Europe/London", "Asia/Kolkata"), ("Pacific/Kiritimati", "Pacific/Pago_Pago")])


def allows(cap: Cap, zones: tuple[str, ...], past: list[PastAttempt], at: datetime) -> bool:
    """Count anew whether one more attempt at an instant keeps the cap."""
    if cap.calendar_day:
        return all(
            sum(one.count for one in past if local_day(one.at, zone) == local_day(at, zone)) < cap.attempts
            for zone in zones
        )
    return sum(one.count for one in past if at - cap.per < one.at <= at) < cap.attempts


@settings(max_examples=400, deadline=None)
@given(_CAPS, _ZONES, _ATTEMPTS)
def test_it_is_the_first_instant_at_which_counting_allows_one_more(
    cap: Cap, zones: tuple[str, ...], past: list[PastAttempt]
) -> None:
    free = free_from(cap, Whereabouts(zones), past, NOON)
    assert free is not None
    assert free >= NOON
    for minutes in (0, 1, 59, 60 * 25, 60 * 24 * 8):
        assert allows(cap, zones, past, free + timedelta(minutes=minutes)), "free once is free for good"
    step = timedelta(minutes=7)
    before = [NOON + step * count for count in range(int((free - NOON) / step) + 1)]
    assert not any(allows(cap, zones, past, at) for at in before if at < free)


@settings(max_examples=150, deadline=None)
@given(st.lists(_CAPS, min_size=1, max_size=3), _ZONES, st.lists(st.integers(0, 2000), max_size=12))
def test_no_order_of_attempts_exceeds_a_cap(caps: list[Cap], zones: tuple[str, ...], waits: list[int]) -> None:
    """Ask the gate again and again, take each Go, and count all windows of the history at the end."""
    rules = [{"attempts": cap.attempts, "per": "day" if cap.calendar_day else cap.per} for cap in caps]
    policy = policy_of(campaign(caps=rules, windows="daily 09:00-21:00"))
    where, now, past = Whereabouts(zones), NOON, list[PastAttempt]()
    for wait in waits:
        now += timedelta(minutes=wait)
        verdict = may_send(policy, policy.campaign.steps[0], where, now, "", dealings=dealings(*past))
        if isinstance(verdict, Drop):  # no hour of the day fits zones that are so far apart
            return
        if isinstance(verdict, Wait):
            assert verdict.until > now
            now = verdict.until
            assert may_send(policy, policy.campaign.steps[0], where, now, "", dealings=dealings(*past)) == Go()
        assert all(allows(cap, zones, past, now) for cap in caps)
        past.append(PastAttempt(campaign="x", purpose="", channel="call", started_at=now, ended_at=now))


# ---- at the gate ----


def test_a_cap_waits_and_then_for_the_windows() -> None:
    office: dict[str, Any] = {"windows": "mon-fri 10:00-18:00"}
    assert asked(dealings(tried(3 * HOUR)), caps="1 per day", **office) == Wait(
        MIDNIGHT + 10 * HOUR, "at most 1 per day", "caps.0"
    )
    friday = NOON + 4 * DAY
    late = PastAttempt(campaign="other", purpose="", channel="call", started_at=friday - HOUR)
    assert asked(dealings(late), at=friday, caps="3 per 7d, 1 per day", **office) == Wait(
        friday + 3 * DAY - 2 * HOUR, "at most 1 per day", "caps.1"
    )


def test_what_holds_longest_is_said() -> None:
    past = [tried(HOUR), tried(DAY), tried(2 * DAY)]
    assert asked(dealings(*past), caps="1 per day, 3 per 7d") == Wait(NOON + 5 * DAY, "at most 3 per 7d", "caps.1")


@pytest.mark.parametrize("rule", [{"until": "5h"}, {"retry": {"expires": "5h"}}])
def test_what_is_too_late_by_then_is_given_up_and_the_sequence_goes_on(rule: dict[str, Any]) -> None:
    verdict = asked(dealings(tried(HOUR)), caps="1 per day", steps=[{"name": "call", "call": "agent", **rule}])
    assert isinstance(verdict, Drop)
    assert (verdict.state, verdict.goes_on) == (AttemptState.EXPIRED, True)
    assert verdict.why.startswith("at most 1 per day, and that lasts too long for `")


def test_without_caps_nothing_is_counted_or_read() -> None:
    policy = policy_of(campaign())
    assert look_back(policy, policy.campaign.steps[0], NY) == timedelta(0)
    assert asked(dealings(*(tried(HOUR) for _ in range(50)))) == Go()


@pytest.mark.parametrize(
    ("rules", "span"),
    [({"caps": "3 per 7d"}, 7 * DAY), ({"cool_down": "10d", "caps": "3 per 7d"}, 10 * DAY), ({"caps": "1 per day"}, 73 * HOUR)],
)  # fmt: skip
def test_how_far_back_is_looked(rules: dict[str, Any], span: timedelta) -> None:
    policy = policy_of(campaign(**rules))
    assert look_back(policy, policy.campaign.steps[0], NY) == span


# ---- cool-down ----

SEQUENCE: dict[str, Any] = {
    "agent": None,
    "agents": {"agent": "movoice/agent_1", "sms": "revring/agent_2"},
    "steps": list(TEXTS),
    "cool_down": "7d",
}
COOL = "a cool-down of 7d after a conversation"


@pytest.mark.parametrize(
    ("of", "step", "asked_for", "goes"),
    [
        ("other", 0, False, False),
        ("other", 1, False, False),
        ("other", 0, True, False),
        ("renewals", 0, False, False),
        ("renewals", 1, False, True),
        ("renewals", 0, True, True),
    ],
)
def test_a_cool_down(of: str, step: int, asked_for: bool, goes: bool) -> None:
    talk = tried(2 * DAY, outcome="answered", campaign=of)
    expected = Go() if goes else Wait(TALKED + 7 * DAY, COOL, "cool_down")
    assert asked(dealings(talk), step=step, asked_for=asked_for, **SEQUENCE) == expected


def test_a_cool_down_ends_and_needs_a_conversation() -> None:
    for outcome in ("no_answer", "voicemail", "screened", "declined", "busy", "failed", "unknown", ""):
        assert asked(dealings(tried(HOUR, outcome=outcome)), cool_down="7d") == Go()
    ended = NOON - 7 * DAY
    assert asked(dealings(tried(8 * DAY, outcome="answered", ended_at=ended)), cool_down="7d") == Go()


# ---- left alone ----


def test_a_suppression_with_an_end_waits_for_it() -> None:
    resting = Dealings(left_alone_until=NOON + 3 * DAY, left_alone_why="on holiday")
    assert asked(resting) == Wait(NOON + 3 * DAY, "left alone until 2026-01-08 17:00 UTC: on holiday")
    assert asked(resting, at=NOON + 3 * DAY) == Go()
    policy = policy_of(campaign())
    step = policy.campaign.steps[0]
    assert may_send(policy, step, NY, NOON, "opted out", dealings=resting) == Drop(AttemptState.SUPPRESSED, "opted out")


# ---- handed over ----


def test_handing_over_heeds_caps_and_leaves_windows_to_the_provider() -> None:
    policy = policy_of(campaign(caps="1 per day", windows="mon-fri 10:00-18:00"))
    step, late = policy.campaign.steps[0], NOON + 8 * HOUR
    assert may_hand_over(policy, step, NY, late, "") == Go()
    held = may_hand_over(policy, step, NY, late, "", dealings(tried(HOUR)))
    assert held == Wait(MIDNIGHT, "at most 1 per day", "caps.0")
    assert may_hand_over(policy, step, NY, late, "opted out") == Drop(AttemptState.SUPPRESSED, "opted out")
    ending = policy_of(campaign(caps="1 per day", schedule={"end": "2026-01-05T20:00Z"}))
    gone = may_hand_over(ending, ending.campaign.steps[0], NY, NOON, "", dealings(tried(HOUR)))
    assert gone == Drop(AttemptState.EXPIRED, "at most 1 per day", "caps.0", goes_on=True)


# ---- the law ----


class _OneRow:
    """A law of one row: seven calls in seven days, and none for seven days after a conversation."""

    def jurisdictions(self, phone: str, told: tuple[str, ...] = ()) -> tuple[str, ...]:
        return ("US", *told) if phone else ()

    def calendars(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Calendar, ...]:
        del purpose, channel, jurisdictions
        return ()

    def caps(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Cap, ...]:
        if purpose is not Purpose.DEBT_COLLECTION or channel != "call" or "US" not in jurisdictions:
            return ()
        ours: dict[str, Any] = {
            "per": 7 * DAY, "source": "us-debt", "channels": ("call",), "purposes": (Purpose.DEBT_COLLECTION,),
        }  # fmt: skip
        return (Cap(attempts=7, **ours), Cap(attempts=0, after="conversation", **ours))

    def consent_gap(
        self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...], stated: Consent | None
    ) -> ConsentGap | None:
        del purpose, channel, jurisdictions, stated
        return None


def _debts(**rules: Any) -> Policy:
    return policy_of(campaign(purpose="debt_collection", **SEQUENCE | {"cool_down": None} | rules), law=_OneRow())


@pytest.mark.parametrize(
    ("past", "step", "where", "held"),
    [
        ([TALK], 0, ("US",), "none within 7d of a conversation"),
        ([TALK], 1, ("US",), None),
        ([TALK], 0, ("CA",), None),
        ([tried(timedelta(hours=n)) for n in range(1, 8)], 0, ("US",), "at most 7 per 7d"),
        ([tried(timedelta(hours=n)) for n in range(1, 7)], 0, ("US",), None),
        ([tried(timedelta(hours=n), purpose="informational") for n in range(1, 9)], 0, ("US",), None),
    ],
)
def test_caps_of_the_law(past: list[PastAttempt], step: int, where: tuple[str, ...], held: str | None) -> None:
    policy = _debts()
    of_debts = [
        PastAttempt(
            campaign=one.campaign, purpose=one.purpose if len(past) > 7 else "debt_collection", channel=one.channel,
            started_at=one.started_at, ended_at=one.ended_at, outcome=one.outcome,
        )
        for one in past
    ]  # fmt: skip
    found = held_back(policy, policy.campaign.steps[step], Whereabouts((NEW_YORK,), where), NOON, dealings(*of_debts))
    assert (found.why if found else None, found.source if found else None) == (held, "us-debt" if held else None)
