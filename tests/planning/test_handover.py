"""What a handover is made from, and how a plan shows one person of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.campaign import Campaign
from runner.model.handover import HandedContact, Handover
from runner.model.plan import PlanStatus
from runner.planning.handover import Terms, handed_contact, handover_key, native_of, options_of, pace, passable
from runner.providers.registry import provider_for
from runner.providers.revox_options import RevoxCallOptions
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, account, campaign, contact, draft, phone, planned

REVOX = {"provider": "revox", "id": "agent_1"}
START = "2026-01-06T17:00:00Z"


def native(**changes: Any) -> Campaign:
    plain: dict[str, Any] = {
        "agent": None, "agents": {"agent": REVOX}, "steps": [{"call": "agent", "delivery": "native"}],
        "variables": {"n": {"value": "{{ 3 }}", "type": "number"}},
    }  # fmt: skip
    return campaign(**plain | changes)


def terms(of: Campaign, *, windows_ignored: bool = False) -> Terms:
    step = of.steps[0]
    agent = of.agents[step.agent]
    return Terms(
        policy=policy_of(of, windows_ignored=windows_ignored), step=step, agent=agent, agent_id=agent.id,
        options=options_of(RevoxCallOptions, agent, step),
    )  # fmt: skip


def handover(of: Campaign, *, windows_ignored: bool = False) -> Handover:
    return terms(of, windows_ignored=windows_ignored).handover("k" * 32, [HandedContact(phone=phone(0))], NOON)


def test_a_plan_shows_the_request_for_one_person_and_keeps_what_many_share() -> None:
    (line,), _ = planned(draft(native()), [contact(0)])
    body: Any = line.body

    assert (line.status, line.method, line.path) == (PlanStatus.CREATE, "POST", "/campaigns")
    assert line.payload == {"variables": {"n": 3}}, "as the agent is told, whatever the provider makes of it"
    assert body["contacts"] == [{"prompt_variables": {"n": "3"}, "to_phone_number": phone(0)}]
    assert body["name"] == f"renewals {handover_key('renewals', 'call', 1, (line.key,))}"
    assert line.not_before == NOON, "windows are the provider's to keep"


def test_windows_that_are_shut_here_do_not_hold_a_handover_back() -> None:
    (line,), _ = planned(draft(native(windows="daily 03:00-04:00")), [contact(0)])
    assert line.not_before == NOON

    of = native(windows="daily 03:00-04:00", schedule={"start": START})
    (later,), _ = planned(draft(of), [contact(0)])
    assert later.not_before == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            {"limits": {"per_minute": 3}},
            "`per_minute` of limits cannot be told to revox, whose own campaigns keep the pace",
        ),
        ({"limits": {"per_day": 3}}, "`per_day` of limits cannot be told to revox, whose own campaigns keep the pace"),
        (
            {"limits": {"ramp": "1/min -> 2/min over 1h"}},
            "`ramp` of limits cannot be told to revox, whose own campaigns keep the pace",
        ),
        ({"blackout": "2026-12-24"}, "`blackout` cannot be told to revox, whose own campaigns know weekdays alone"),
        ({"holidays": "US"}, "`holidays` cannot be told to revox, whose own campaigns know weekdays alone"),
        (
            {"windows": [{"from": "10:00", "to": "18:00", "dates": "2026-01-05..2026-01-09"}]},
            "`dates` of windows cannot be told to revox, whose own campaigns know weekdays alone",
        ),
        (
            {"windows": [{"from": "10:00", "to": "18:00", "channel": "text"}]},
            "no window is for a call, so that revox would have none",
        ),
    ],
)
def test_days_that_no_providers_campaign_knows_are_refused(rules: Any, told: str) -> None:
    of = native(**rules)
    problem = terms(of).problem()
    assert problem == (told, "write: delivery: single")
    (line,), _ = planned(draft(of), [contact(0)])
    assert (line.status, line.reason) == (PlanStatus.SKIP, told)


def test_the_windows_of_the_step_and_of_calls_are_handed_over() -> None:
    own = [{"call": "agent", "delivery": "native", "windows": "daily 09:00-11:00"}]
    assert [(one.from_, one.to) for one in handover(native(steps=own)).windows] == [(540, 660)]
    both = [{"from": "10:00", "to": "12:00"}, {"from": "06:00", "to": "23:00", "channel": "text"}]
    assert [(one.from_, one.to) for one in handover(native(windows=both)).windows] == [(600, 720)]
    assert terms(native(windows=both)).problem() is None


def test_strict_zones_hold_for_a_handover_too() -> None:
    lines, _ = planned(draft(native(zones="strict")), [contact(0), contact(1, timezone=NEW_YORK)])
    assert [line.status for line in lines] == [PlanStatus.HOLD, PlanStatus.CREATE]


def test_after_the_schedule_nobody_is_planned() -> None:
    (line,), _ = planned(draft(native(schedule={"end": "2026-01-05T12:00:00Z"})), [contact(0)])

    assert (line.status, line.reason) == (PlanStatus.SKIP, "the campaign's schedule ended")


def test_somebody_whom_the_provider_cannot_take_is_skipped_with_its_reason() -> None:
    """Revox takes one zone for all people; whoever has none that is certain has none."""
    of = native(timezone="contact", windows="daily 10:00-18:00", number_types="fixed_line_or_mobile, toll_free")
    uncertain, certain = contact(0, phone="+18005550100", key="a"), contact(1, timezone="America/Chicago")
    lines, summary = planned(draft(of), [uncertain, certain])

    assert [line.status for line in lines] == [PlanStatus.SKIP, PlanStatus.CREATE]
    assert "time zone" in lines[0].reason
    assert summary.skipped == 1


def test_another_rule_changes_the_digest_but_nobodys_payload() -> None:
    (first,), one = planned(draft(native(retry="2 times, 1h apart")), [contact(0)])
    (second,), other = planned(draft(native(retry="3 times, 1h apart")), [contact(0)])

    assert first.payload == second.payload
    assert first.body != second.body
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"per_second": 2}, 2.0),
        ({"spacing": "4s"}, 0.25),
        ({"per_second": 2, "spacing": "4s"}, 0.25),
        ({"per_second": 0.1, "spacing": "4s"}, 0.1),
    ],
)
def test_pace(limits: dict[str, Any], expected: float | None) -> None:
    assert pace(policy_of(native(limits=limits))) == expected


def test_the_name_and_the_key() -> None:
    plain = handover(native())
    named = handover(native(agents={"agent": REVOX | {"options": {"name": "spring"}}}))
    bare = handover(native(agents={"agent": REVOX | {"reference": "header", "options": {"name": "x"}}}))

    assert [one.name for one in (plain, named, bare)] == [f"renewals {'k' * 32}", f"spring {'k' * 32}", "x"]


def test_our_own_options_are_not_the_providers() -> None:
    made = handover(native(agents={"agent": REVOX | {"options": {"name": "x", "own_rules": True}}}))

    assert made.own_rules
    assert made.options == {}


def test_ignored_windows_are_ignored_at_the_provider_too() -> None:
    made = handover(native(windows="daily 03:00-04:00"), windows_ignored=True)

    assert [(window.from_, window.to, len(window.days)) for window in made.windows] == [(0, 24 * 60, 7)]


def test_a_start_that_cannot_be_told_is_waited_for() -> None:
    of = native(schedule={"start": START})
    made = handover(of)
    old, new = (native_of(provider_for(account("revox", generation=one))) for one in "AD")

    assert old is not None
    assert new is not None
    assert made.start_at == NOON + timedelta(days=1)
    assert passable(old, made).start_at == made.start_at
    assert passable(new, made).start_at is None
    assert terms(of).handover("", [], NOON + timedelta(days=2)).start_at is None


@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.integers(1, 9), st.lists(st.text(max_size=5), max_size=3))),
)  # fmt: skip
def test_keys_differ_unless_everything_is_the_same(made: list[tuple[str, str, int, list[str]]]) -> None:
    keys = {(a, b, c, tuple(d)): handover_key(a, b, c, d) for a, b, c, d in made if "\x1f" not in a + b + "".join(d)}

    assert len(set(keys.values())) == len(keys)
    assert all(len(key) == 32 for key in keys.values())


@pytest.mark.parametrize(
    ("zones", "expected"), [((), None), (("Europe/Paris",), "Europe/Paris"), (("Europe/Paris", "Europe/Rome"), None)]
)
def test_only_a_certain_zone_is_handed_over(zones: tuple[str, ...], expected: str | None) -> None:
    assert handed_contact(phone(0), zones, {}).timezone == expected
