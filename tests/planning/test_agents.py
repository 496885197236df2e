"""Agents as code, decided: what differs between files, ledger and provider, and whose change it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.planning.agents import (
    GONE,
    TAKEN,
    AgentChange,
    AgentSpec,
    AgentStatus,
    AppliedAgent,
    LiveAgent,
    agrees,
    compare_applied,
    compare_live,
    definition_digest,
    observed_of,
    problems_of_names,
    same,
)

CREATE, UPDATE, KEEP, DRIFT = AgentStatus.CREATE, AgentStatus.UPDATE, AgentStatus.KEEP, AgentStatus.DRIFT
OLD, NEW, FOREIGN = "You call people.", "You call friends.", "You sell."

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from(["prompt", "voice", "model", "faq_items"]), values, max_size=4)


def spec(provider_id: str = "", clearable: frozenset[str] = frozenset(), **changes: Any) -> AgentSpec:
    return AgentSpec(
        campaign="renewals", name="reminder", account="main", provider="revox", fields={"prompt": OLD} | changes,
        provider_id=provider_id, clearable=clearable,
    )  # fmt: skip


def applied(provider_id: str = "a1", observed: dict[str, Any] | None = None, **changes: Any) -> AppliedAgent:
    said = {"prompt": OLD} | changes
    return AppliedAgent(provider_id=provider_id, fields=said, observed=said if observed is None else observed)


def live(provider_id: str = "a1", **changes: Any) -> LiveAgent:
    return LiveAgent(provider_id=provider_id, name="reminder", fields={"prompt": OLD} | changes)


def found(change: AgentChange) -> list[tuple[str, Any, Any, bool]]:
    return [(one.field, one.old, one.new, one.drifted) for one in change.changes]


# files, last applied, live -> status, changes
LIVE_CASES: dict[str, tuple[AgentSpec, AppliedAgent | None, LiveAgent | None, AgentStatus, list[Any]]] = {
    "new": (spec(), None, None, CREATE, []),
    "as it was": (spec(), applied(), live(), KEEP, []),
    "the file changed": (spec(prompt=NEW), applied(), live(), UPDATE, [("prompt", OLD, NEW, False)]),
    "the provider changed": (spec(), applied(), live(prompt=FOREIGN), DRIFT, [("prompt", FOREIGN, OLD, True)]),
    "both changed": (spec(prompt=NEW), applied(), live(prompt=FOREIGN), DRIFT, [("prompt", FOREIGN, NEW, True)]),
    "both changed alike": (spec(prompt=NEW), applied(), live(prompt=NEW), KEEP, []),
    "a field of theirs": (spec(), applied(), live(background_sound="audio/office.ogg"), KEEP, []),
    "written in its own way": (
        spec(prompt=OLD + "\n"), applied(prompt=OLD + "\n", observed={"prompt": OLD}), live(), KEEP, [],
    ),
    "its own way, then changed": (
        spec(prompt=OLD + "\n"), applied(prompt=OLD + "\n", observed={"prompt": OLD}), live(prompt=FOREIGN),
        DRIFT, [("prompt", FOREIGN, OLD + "\n", True)],
    ),
    "not shown": (spec(webhook_url="https://a.test"), applied(webhook_url="https://a.test"), live(), KEEP, []),
    "not shown and changed": (
        spec(webhook_url="https://b.test"), applied(webhook_url="https://a.test"), live(),
        UPDATE, [("webhook_url", "https://a.test", "https://b.test", False)],
    ),
    "a field more": (
        spec(voicemail_message="Hi"), applied(), live(voicemail_message=None),
        UPDATE, [("voicemail_message", None, "Hi", False)],
    ),
    "a field less": (spec(), applied(first_sentence="Hi"), live(first_sentence="Hi"), KEEP, []),
    "a field less, emptied": (
        spec(clearable=frozenset({"voicemail_message"})), applied(voicemail_message="Hi"),
        live(voicemail_message="Hi"), UPDATE, [("voicemail_message", "Hi", None, False)],
    ),
    "emptied already": (
        spec(clearable=frozenset({"voicemail_message"})), applied(voicemail_message="Hi"),
        live(voicemail_message=""), KEEP, [],
    ),
    "a part less": (
        spec(voice={"id": "x"}), applied(voice={"id": "x", "speed": 1.2}), live(voice={"id": "x", "speed": 1.2}),
        UPDATE, [("voice", {"id": "x", "speed": 1.2}, {"id": "x"}, False)],
    ),
    "a part that only they know": (
        spec(voice={"id": "x"}), applied(voice={"id": "x"}), live(voice={"id": "x", "speed": 1.0}), KEEP, [],
    ),
    "another id in the file": (
        spec(provider_id="a2", prompt=NEW), applied(), live("a2"), UPDATE, [("prompt", OLD, NEW, False)],
    ),
    "found by its name": (spec(), None, live(), KEEP, []),
    "found by its name, another": (spec(), None, live(prompt=FOREIGN), DRIFT, [("prompt", FOREIGN, OLD, True)]),
    "found after a lost answer": (spec(), applied(""), live(), KEEP, []),
    "lost answer, then edited": (spec(prompt=NEW), applied(""), live(), UPDATE, [("prompt", OLD, NEW, False)]),
    "gone": (spec(), applied(), None, DRIFT, []),
    "an intent and nothing there": (spec(), applied(""), None, CREATE, []),
    "an id in the file, and nothing there": (spec(provider_id="a9"), None, None, DRIFT, []),
}  # fmt: skip


@pytest.mark.parametrize("case", LIVE_CASES)
def test_what_lives_there_is_compared(case: str) -> None:
    wanted, before, now, status, changes = LIVE_CASES[case]

    change = compare_live(wanted, before, now)

    assert (change.status, found(change)) == (status, changes)
    assert change.writes is (status is not KEEP)


def test_reasons_say_whose_change_it_was() -> None:
    assert compare_live(spec(), applied(), None).reason == GONE
    assert compare_live(spec(), None, live(prompt=FOREIGN)).reason == TAKEN
    assert compare_live(spec(), applied(), live(prompt=FOREIGN)).reason == "somebody changed it at the provider"


def test_an_agent_of_another_ledger_is_taken_over() -> None:
    assert compare_live(spec(), None, live()).adopted
    assert not compare_live(spec(), applied(), live()).adopted


def test_fields_that_cannot_be_emptied_are_named() -> None:
    before = applied(first_sentence="Hi", voicemail_message="Bye")
    change = compare_live(spec(clearable=frozenset({"voicemail_message"})), before, live())

    assert change.released == ("first_sentence",)


def test_only_what_changes_is_written() -> None:
    changed = compare_live(spec(prompt=NEW, model={"id": "x"}), applied(model={"id": "x"}), live(model={"id": "x"}))
    made = compare_live(spec(prompt=NEW, model={"id": "x"}), None, None)

    assert changed.fields == {"prompt": NEW}
    assert made.fields == {"prompt": NEW, "model": {"id": "x"}}


@pytest.mark.parametrize(
    ("wanted", "before", "status", "changes"),
    [
        (spec(), None, CREATE, []),
        (spec(), applied(""), CREATE, []),
        (spec(), applied(), KEEP, []),
        (spec(prompt=NEW), applied(), UPDATE, [("prompt", OLD, NEW, False)]),
        (spec(), applied(first_sentence="Hi"), KEEP, []),
        (
            spec(clearable=frozenset({"first_sentence"})),
            applied(first_sentence="Hi"),
            UPDATE,
            [("first_sentence", "Hi", None, False)],
        ),
        (spec(provider_id="a7"), None, UPDATE, [("prompt", None, OLD, False)]),
    ],
)
def test_without_the_network_the_ledger_is_compared(
    wanted: AgentSpec, before: AppliedAgent | None, status: AgentStatus, changes: list[Any]
) -> None:
    change = compare_applied(wanted, before)

    assert (change.status, found(change)) == (status, changes)


def test_the_name_at_the_provider_is_of_campaign_and_agent_alone() -> None:
    name = spec(prompt=NEW).live_name

    assert name == spec().live_name
    assert name.startswith("reminder (outreach ")
    assert len(name) == len("reminder (outreach 01234567)")
    assert name != AgentSpec(campaign="other", name="reminder", account="main", provider="revox", fields={}).live_name
    # `a` and `b-c` must not be `a-b` and `c`.
    one = AgentSpec(campaign="a", name="b-c", account="m", provider="revox", fields={}).live_name
    other = AgentSpec(campaign="a-b", name="c", account="m", provider="revox", fields={}).live_name
    assert one.partition(" ")[2] != other.partition(" ")[2]


def test_two_agents_of_one_name_are_told() -> None:
    assert problems_of_names([live()]) == problems_of_names([]) == ""
    assert problems_of_names([live("a1"), live("a2")]) == "2 agents are named `reminder`: `a1`, `a2`"


@pytest.mark.parametrize(
    ("wanted", "now", "fits"),
    [
        ("", None, True),
        (None, [], True),
        ({}, None, True),
        (600, 600.0, True),
        (True, 1, False),
        (False, None, False),
        ("1", 1, False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([{"a": 1}], [{"a": 1, "id": "x"}], True),
        ([1], [1, 2], False),
        ([1, 2], (1, 2), True),
        ({"a": 1}, "a", False),
        ([1], {"0": 1}, False),
    ],
)
def test_values_agree(wanted: Any, now: Any, fits: bool) -> None:
    assert agrees(wanted, now) is fits


@given(fields)
def test_what_was_applied_and_still_lives_changes_nothing(said: dict[str, Any]) -> None:
    wanted = AgentSpec(campaign="c", name="n", account="a", provider="revox", fields=said)
    before = AppliedAgent(provider_id="a1", fields=said, observed=said)
    now = LiveAgent(provider_id="a1", name="n", fields=said)

    assert compare_live(wanted, before, now).status is KEEP
    assert compare_applied(wanted, before).status is KEEP


@given(fields, fields, fields)
def test_after_writing_the_changes_nothing_is_left_to_do(
    said: dict[str, Any], then: dict[str, Any], there: dict[str, Any]
) -> None:
    wanted = AgentSpec(campaign="c", name="n", account="a", provider="revox", fields=then)
    before = AppliedAgent(provider_id="a1", fields=said, observed=said)
    change = compare_live(wanted, before, LiveAgent(provider_id="a1", name="n", fields=there))
    after = LiveAgent(provider_id="a1", name="n", fields={**there, **change.fields})
    remembered = AppliedAgent(provider_id="a1", fields=then, observed=observed_of(then, after))

    again = compare_live(wanted, remembered, after)

    assert (again.status, again.changes) == (KEEP, ())


@given(fields, values)
def test_a_foreign_change_of_a_field_of_ours_is_never_missed(said: dict[str, Any], foreign: Any) -> None:
    for name, value in said.items():
        wanted = AgentSpec(campaign="c", name="n", account="a", provider="revox", fields=said)
        before = AppliedAgent(provider_id="a1", fields=said, observed=said)
        now = LiveAgent(provider_id="a1", name="n", fields={**said, name: foreign})

        change = compare_live(wanted, before, now)

        assert (change.status is DRIFT) is (not agrees(value, foreign))


@given(values, values)
def test_equality_has_no_sides(one: Any, other: Any) -> None:
    assert same(one, other) is same(other, one)
    assert same(one, one)


@given(fields)
def test_the_fingerprint_is_of_the_values_alone(said: dict[str, Any]) -> None:
    assert definition_digest(said) == definition_digest(dict(reversed(said.items())))
