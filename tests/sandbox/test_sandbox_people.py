"""The people: a pure function of seed, phone and number of dials, unless a script says otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageWrong
from runner.sandbox.chance import draw
from runner.sandbox.people import People, fate_of
from runner.sandbox.settings import CALL_OUTCOMES, ODDS, Settings, Target

PHONE = "+12025550143"
CROWD = tuple(f"+1202555{n:04}" for n in range(4000))


@given(seed=st.integers(), before=st.integers(0, 50), phone=st.sampled_from(CROWD))
def test_a_fate_is_the_same_every_time_and_keeps_to_its_spans(seed: Any, before: Any, phone: Any) -> None:
    settings = Settings(seed=seed, ring_seconds=(2.0, 5.0), talk_seconds=(10.0, 20.0))

    fate = fate_of(settings, "call", phone, before)

    assert fate == fate_of(settings, "call", phone, before)
    assert fate.outcome in CALL_OUTCOMES
    assert 2.0 <= fate.ring_seconds <= 5.0
    assert (10.0 <= fate.talk_seconds <= 20.0) if fate.connects else fate.talk_seconds == 0.0
    assert (fate.conversation is not None) == (fate.outcome == "answered")


@given(st.lists(st.text()))
def test_draws_lie_between_zero_and_one(parts: Any) -> None:
    assert 0.0 <= draw(*parts) < 1.0


@pytest.mark.parametrize(("outcome", "share"), ODDS.items())
def test_outcomes_come_in_their_shares(outcome: str, share: Any) -> None:
    counts = Counter(fate_of(Settings(seed=1), "call", phone, 0).outcome for phone in CROWD)

    assert counts[outcome] / len(CROWD) == pytest.approx(share, abs=0.02)


def test_texts_arrive_in_their_share() -> None:
    counts = Counter(fate_of(Settings(seed=1), "text", phone, 0).outcome for phone in CROWD)

    assert set(counts) == {"delivered", "failed"}
    assert counts["delivered"] / len(CROWD) == pytest.approx(0.97, abs=0.01)


def test_another_seed_makes_other_people() -> None:
    one, other = ([fate_of(Settings(seed=seed), "call", phone, 0).outcome for phone in CROWD] for seed in (1, 2))

    assert one != other


def test_a_later_dial_may_end_differently_but_a_number_that_nobody_has_stays_so() -> None:
    settings = Settings(seed=1)
    fates = {phone: [fate_of(settings, "call", phone, n).outcome for n in range(8)] for phone in CROWD[:400]}

    assert any(len(set(outcomes)) > 2 for outcomes in fates.values())
    assert any(outcomes[0] == "invalid_number" for outcomes in fates.values())
    assert all(len(set(outcomes)) == 1 for outcomes in fates.values() if "invalid_number" in outcomes)


@pytest.mark.parametrize(
    ("kind", "script", "outcomes"),
    [
        ("call", ("no_answer", "answered"), ["no_answer", "answered", "answered"]),
        ("call", ("busy",), ["busy", "busy", "busy"]),
        ("call", ("answered", "delivered", "busy"), ["answered", "busy", "busy"]),
        ("call", ("failed", "answered"), ["failed", "answered", "answered"]),
        ("text", ("failed", "delivered"), ["failed", "delivered", "delivered"]),
        ("text", ("failed",), ["failed", "failed", "failed"]),
        ("text", ("no_answer", "failed", "delivered"), ["delivered", "delivered", "delivered"]),
    ],
)
def test_a_script_is_followed_and_its_last_outcome_repeats(kind: Any, script: Any, outcomes: Any) -> None:
    people = People(Settings(script={PHONE: script}))

    assert [people.dial(kind, PHONE).outcome for _ in outcomes] == outcomes


def test_a_script_of_calls_says_nothing_about_texts() -> None:
    seed = next(n for n in range(1000) if fate_of(Settings(seed=n), "text", PHONE, 0).outcome == "delivered")

    assert fate_of(Settings(seed=seed), "text", PHONE, 0, script=("busy", "failed")).outcome == "delivered"


def test_a_new_script_starts_from_its_first_line() -> None:
    people = People(Settings())
    people.dial("call", PHONE)
    people.write_script({PHONE: ("busy", "voicemail")})

    assert [people.dial("call", PHONE).outcome for _ in range(2)] == ["busy", "voicemail"]


def test_a_certain_outcome_leaves_no_other() -> None:
    settings = Settings(odds={"answered": 3})

    assert {fate_of(settings, "call", phone, 0).outcome for phone in CROWD[:200]} == {"answered"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"script": {PHONE: ("asleep",)}}, f"`{PHONE}` names the unknown outcome `asleep`"),
        ({"script": {PHONE: ()}}, f"the script of `{PHONE}` names no outcome"),
        ({"odds": {"maybe": 1.0}}, "`odds` names the unknown outcome `maybe`"),
        ({"odds": {"busy": 0.0}}, "the odds must be zero or more, and not all zero"),
        ({"ring_seconds": (2.0, 1.0)}, "`2.0` to `1.0` is no span of ring time"),
        ({"talk_seconds": (-1.0, 1.0)}, "`-1.0` to `1.0` is no span of talk time"),
        ({"webhooks": {"twilly": Target(url="http://127.0.0.1/")}}, "there is no provider `twilly`"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: Any, message: Any) -> None:
    with pytest.raises(UsageWrong) as caught:
        Settings(**settings)

    assert caught.value.message == message


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "ftp://127.0.0.1/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "",
    ],
)
def test_webhooks_stay_on_this_machine(url: str) -> None:
    with pytest.raises(UsageWrong, match="this machine only"):
        Target(url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80/a", "http://127.9.9.9/", "http://[::1]:8000/", "http://localhost/"]
)
def test_webhooks_reach_this_machine(url: str) -> None:
    assert Target(url=url).url == url
