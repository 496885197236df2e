"""Variants: who gets which, what weights move, and the interval of a share."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.channel import Channel
from runner.rules.expressions import when_values
from runner.rules.variants import NORMAL_95, assign, varied, varied_steps, wilson
from tests.building import campaign

NAMES = st.text("abcdefgh", min_size=1, max_size=3)
WEIGHTS = st.dictionaries(NAMES, st.integers(0, 50), max_size=5)
PEOPLE = [f"+1202555{number:04d}" for number in range(4000)]
AGENTS = {"voice": "movoice/a", "friendly": "movoice/b", "texter": "revmo/c"}
STEPS = [
    {"call": "voice", "options": {"max_duration": 60}}, {"text": "texter", "message": "Hello"}, {"call": "voice"},
]  # fmt: skip


def test_known_assignments() -> None:
    """The same on every machine and in every version: these were computed once."""
    found = [assign("renewals", f"+1202555010{number}", {"a": 2, "b": 1}) for number in range(10)]

    assert "".join(found) == "aabaaabaab"


@given(st.text(max_size=8), st.text(max_size=8), WEIGHTS)
def test_assignment_ignores_order_and_weightless(campaign_name: str, person: str, weights: dict[str, int]) -> None:
    """One with a weight wins; the order in the file is nothing; none without any weight."""
    found = assign(campaign_name, person, weights)

    assert found == assign(campaign_name, person, dict(reversed(weights.items())))
    assert weights[found] > 0 if any(weights.values()) else found == ""


@given(st.text(max_size=8), WEIGHTS, NAMES, st.integers(1, 50))
@settings(max_examples=200)
def test_a_heavier_variant_only_wins_people(person: str, weights: dict[str, int], heavier: str, more: int) -> None:
    """Whoever moves when one weight grows moves to that variant; the others keep theirs."""
    before = assign("c", person, weights)
    after = assign("c", person, {**weights, heavier: weights.get(heavier, 0) + more})

    assert after in {before, heavier}


@pytest.mark.parametrize("weights", [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 7, "b": 2, "c": 1}, {"a": 1, "b": 0}])
def test_shares_follow_weights(weights: dict[str, int]) -> None:
    """Each variant's share lies within four standard deviations of its weight's."""
    counts = Counter(assign("renewals", person, weights) for person in PEOPLE)

    for name, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(counts[name] - share * len(PEOPLE)) <= 4 * math.sqrt(len(PEOPLE) * share * (1 - share))


def test_campaigns_draw_anew() -> None:
    """One campaign's variant says nothing about another one's."""
    pairs = Counter((assign("x", one, {"a": 1, "b": 1}), assign("y", one, {"a": 1, "b": 1})) for one in PEOPLE)

    assert all(abs(count - len(PEOPLE) / 4) < 120 for count in pairs.values())


@pytest.mark.parametrize(
    ("successes", "of", "low", "high"),
    # Closed form at the ends: z²/(n+z²); 81 of 263 as Newcombe (1998) prints it.
    [
        (0, 0, 0, 1),
        (0, 10, 0, 0.277533),
        (10, 10, 0.722467, 1),
        (5, 10, 0.236593, 0.763407),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson(successes: int, of: int, low: float, high: float) -> None:
    """Known values of the score interval."""
    found = wilson(successes, of)

    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_solves_its_equation(sample: tuple[int, int]) -> None:
    """The ends are where the observed share lies exactly z standard errors away; the share lies between."""
    successes, of = sample
    share, found = successes / of, wilson(successes, of)

    assert 0 <= found.low <= share <= found.high <= 1
    for end in (found.low, found.high):
        if 0 < end < 1:
            assert (share - end) ** 2 == pytest.approx(NORMAL_95**2 * end * (1 - end) / of, rel=1e-6)


@pytest.mark.parametrize(("successes", "of"), [(-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(successes: int, of: int) -> None:
    """More successes than tries are a fault of the caller."""
    with pytest.raises(ValueError, match="no share"):
        wilson(successes, of)


def serves(agent: str, channel: Channel) -> bool:
    return channel == ("text" if agent == "texter" else "call")


@pytest.mark.parametrize(
    ("variant", "touched", "agents"),
    [
        ({}, set(), ["voice", "texter", "voice"]),
        ({"variables": {"x": "1"}}, set(), ["voice", "texter", "voice"]),
        ({"agent": "friendly"}, {"call", "call-2"}, ["friendly", "texter", "friendly"]),
        ({"agent": "texter2"}, {"text"}, ["voice", "texter2", "voice"]),
        ({"options": {"max_duration": 90}}, {"call", "call-2"}, ["voice", "texter", "voice"]),
    ],
)  # fmt: skip
def test_where_a_variant_counts(variant: dict[str, object], touched: set[str], agents: list[str]) -> None:
    """The first agent that it can take over, wherever that one talks on that channel."""
    of = campaign(agent=None, agents=AGENTS | {"texter2": "revmo/d"}, steps=STEPS, variants={"a": 1, "b": variant})

    def can(agent: str, channel: Channel) -> bool:
        return serves("texter" if agent == "texter2" else agent, channel)

    assert varied_steps(of, of.variants["b"], can) == touched
    assert [step.agent for step in varied(of, "b", can)] == agents


def test_options_of_a_variant_win() -> None:
    """The variant's over the step's, and none of the step's for an agent of another provider."""
    of = campaign(
        agent=None, agents=AGENTS | {"far": "revox/z"}, steps=STEPS,
        variants={"a": {"options": {"max_duration": 90}}, "b": {"agent": "far"}, "c": {"agent": "friendly"}},
    )  # fmt: skip

    assert [varied(of, name, serves)[0].options for name in "abc"] == [
        {"max_duration": 90}, {}, {"max_duration": 60},
    ]  # fmt: skip


def test_conditions_see_the_variant() -> None:
    """A step of that very name hides it, which only a campaign without variants can have."""
    assert when_values({}, {}, "b")["variant"] == "b"
