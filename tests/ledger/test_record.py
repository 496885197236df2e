"""Writing plans into the ledger: idempotent, resumable, and followed by what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runner.errors import LedgerError
from runner.ledger import revisions
from runner.ledger.revisions import known_campaign, record
from runner.ledger.store import Store
from runner.model.attempt import AttemptState, attempt_key
from runner.model.contact import Contact
from runner.model.move import ContactState, Move, NextAttempt
from runner.model.outcome import Outcome
from runner.model.plan import PlanStatus
from tests.building import (
    NOON,
    account,
    apply,
    campaign,
    claim_due,
    contact,
    draft,
    dump,
    phone,
    planned,
    revision,
    standing,
    states,
)
from tests.ledger.conftest import OpenStore

PEOPLE = tuple(contact(number) for number in range(5))
ONE = (contact(0),)
LIVE_PATH = (AttemptState.SENDING, AttemptState.ACCEPTED)


def take(store: Store, *path: AttemptState, of: str = "renewals", **facts: Any) -> int:
    """Claim the next due attempt and move it along a path of states; give its id."""
    work = claim_due(store, of, 1, NOON + timedelta(days=9), NOON + timedelta(days=10))[0]
    old = AttemptState.CLAIMED
    for new in path:
        last = facts if new is path[-1] else {}
        store.move([Move(attempt_id=work.attempt.id, old=old, new=new, at=NOON, **last)])
        old = new
    return work.attempt.id


def finish(store: Store, attempt_id: int, outcome: Outcome, retry: bool = True, step: str = "call") -> None:
    """End an accepted attempt, with a retry of its step tomorrow."""
    following = NextAttempt(
        key=attempt_key("renewals", phone(0), step, 2), step=step, number=2, channel="call",
        due_at=NOON + timedelta(days=1),
    )  # fmt: skip
    store.move(
        [
            Move(
                attempt_id=attempt_id, old=AttemptState.ACCEPTED, new=AttemptState.FINISHED, at=NOON, outcome=outcome,
                contact=ContactState.RETRY if retry else ContactState.COMPLETED,
                next_attempt=following if retry else None,
            )
        ]
    )  # fmt: skip


def test_a_plan_is_written_once_however_often_it_is_applied(store: Store) -> None:
    first = apply(store, campaign(), PEOPLE)
    before = dump(store)
    again = apply(store, campaign(), PEOPLE, now=NOON + timedelta(hours=3))
    assert (first.created, first.is_new) == (5, True)
    assert (again.created, again.is_new) == (0, False)
    assert dump(store) == before


@pytest.mark.parametrize("rules", [{}, {"variables": {"n": "{{ contact.phone }}"}}, {"agent": "revox/asst_1"}])
@pytest.mark.parametrize("written", [0, 1, 3, 5])
def test_a_crash_between_chunks_leaves_no_trace_after_the_next_run(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch, written: int, rules: Any, tmp_path: Any
) -> None:
    monkeypatch.setattr(revisions, "CHUNK", 1)
    old, new = campaign(), campaign(windows="mon-fri 13:00-18:00", **rules)
    crashed, whole = open_store(), Store.open(tmp_path / "whole.db")
    for one in (crashed, whole):
        apply(one, old, PEOPLE[:3])
    lines, summary = planned(draft(new, known=known_campaign(crashed, "renewals")), PEOPLE)

    def dying() -> Any:
        yield from lines[:written]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(crashed, revision(new, summary.digest), dying(), lambda: summary.digest)
    assert not crashed.campaigns_in_force()[0].is_active
    apply(crashed, new, PEOPLE)
    apply(whole, new, PEOPLE)
    assert dump(crashed) == dump(whole)
    assert crashed.campaigns_in_force()[0].is_active
    whole.close()


def test_a_half_applied_campaign_places_nothing_and_keeps_no_runner_waiting(store: Store) -> None:
    lines, summary = planned(draft(campaign()), PEOPLE)
    with pytest.raises(LedgerError, match="changed while they were applied"):
        record(store, revision(campaign(), summary.digest), lines, lambda: "sha256:other")
    assert not store.campaigns_in_force()[0].is_active
    assert store.open_attempts() == 0
    assert store.next_due(NOON - timedelta(days=9)) is None


def test_an_attempt_that_was_claimed_before_a_half_apply_counts_as_paused(store: Store) -> None:
    apply(store, campaign(), ONE)
    work = claim_due(store, "renewals", 1, NOON, NOON)[0]
    lines, summary = planned(draft(campaign(windows="daily 01:00-02:00")), ONE)
    with pytest.raises(LedgerError):
        record(store, revision(campaign(), summary.digest), lines, lambda: "sha256:other")
    assert store.assignments([work.attempt.id])[0].is_paused


def test_a_contact_that_leaves_before_anything_was_sent_is_called_off_and_may_come_back(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    gone = apply(store, campaign(), PEOPLE[:1])
    assert gone.removed == 1
    assert standing(store) == {phone(0): "pending", phone(1): "removed"}
    assert states(store)[1][3] == "superseded"
    back = apply(store, campaign(), PEOPLE[:2], now=NOON + timedelta(hours=1))
    assert back.created == 1
    assert standing(store)[phone(1)] == "pending"
    assert [state for *_, state in states(store)] == ["planned", "planned"]


def test_a_contact_that_left_after_a_try_goes_on_with_its_retry_when_it_comes_back(store: Store) -> None:
    apply(store, campaign(retry="3 times"), PEOPLE[:2])
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    apply(store, campaign(retry="3 times"), PEOPLE[1:2])
    assert standing(store)[phone(0)] == "removed"
    apply(store, campaign(retry="3 times"), PEOPLE[:2])
    mine = [(number, state) for key, _, number, state in states(store) if key == phone(0)]
    assert mine == [(1, "finished"), (2, "planned")]
    assert standing(store)[phone(0)] == "retry"


@pytest.mark.parametrize(("outcome", "ends"), [(Outcome.NO_ANSWER, "failed"), (Outcome.VOICEMAIL, "completed")])
def test_a_contact_that_left_while_it_was_called_gets_no_other_try(store: Store, outcome: Outcome, ends: str) -> None:
    rules = campaign(retry="3 times, 1h apart")
    apply(store, rules, PEOPLE[:2])
    live = take(store, *LIVE_PATH)
    gone = apply(store, rules, PEOPLE[1:2])
    assert gone.removed == 1
    finish(store, live, outcome)
    assert standing(store)[phone(0)] == "removed"
    assert not [one for one in states(store) if one[0] == phone(0) and one[3] == "planned"]
    apply(store, rules, PEOPLE[:2])
    assert standing(store)[phone(0)] == ends, "nothing is left to do, so nobody may wait for it"


def test_a_contact_that_left_while_in_doubt_is_not_dialled_again(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    doubtful = take(store, AttemptState.SENDING, AttemptState.IN_DOUBT)
    apply(store, campaign(), PEOPLE[1:2])
    store.move([Move(attempt_id=doubtful, old=AttemptState.IN_DOUBT, new=AttemptState.PLANNED, at=NOON, due_at=NOON)])
    assert states(store)[0][3] == "superseded"


def test_a_do_not_contact_file_stops_a_retry_and_its_removal_lets_the_person_back(store: Store) -> None:
    apply(store, campaign(), ONE)
    listed = replace(contact(0), suppressed_by="dnc.txt:1")
    apply(store, campaign(), (listed,))
    assert standing(store) == {phone(0): "suppressed"}
    apply(store, campaign(), ONE)
    assert standing(store) == {phone(0): "pending"}
    assert states(store) == [(phone(0), "call", 1, "planned")]


def test_a_person_who_opted_out_stays_so_whatever_the_files_say(store: Store) -> None:
    apply(store, campaign(), ONE)
    store.suppress(phone(0), "opted out", "call x", NOON)
    apply(store, campaign(), ONE)
    apply(store, campaign(windows="daily 01:00-02:00"), ONE)
    assert standing(store) == {phone(0): "suppressed"}
    assert states(store)[0][3] == "suppressed"


def test_a_contact_whose_last_window_is_past_cannot_come_back_and_breaks_nothing(store: Store) -> None:
    ending = campaign(schedule={"end": "2026-01-06T00:00:00Z"})
    apply(store, ending, PEOPLE[:2])
    apply(store, ending, PEOPLE[:1])
    apply(store, ending, PEOPLE[:2], now=NOON + timedelta(days=30))
    assert standing(store)[phone(1)] == "removed"


def with_key(number: int, **changes: Any) -> Contact:
    return replace(contact(number), key="customer-7", **changes)


def test_a_new_number_reaches_the_first_try_and_the_retry_alike(store: Store) -> None:
    rules = campaign(retry="3 times")
    apply(store, rules, [with_key(0)])
    apply(store, rules, [with_key(1)])
    work = claim_due(store, "renewals", 1, NOON, NOON)[0]
    assert (work.attempt.phone, (work.request.body or {})["recipient_phone"]) == (phone(1), phone(1))
    path = [(AttemptState.CLAIMED, AttemptState.SENDING), (AttemptState.SENDING, AttemptState.ACCEPTED)]
    for old, new in path:
        store.move([Move(attempt_id=work.attempt.id, old=old, new=new, at=NOON)])
    finish(store, work.attempt.id, Outcome.NO_ANSWER)
    apply(store, rules, [with_key(2)])
    again = claim_due(store, "renewals", 1, NOON + timedelta(days=2), NOON)[0]
    assert (again.attempt.phone, (again.request.body or {})["recipient_phone"]) == (phone(2), phone(2))


def test_a_number_that_changed_while_it_was_called_is_the_one_the_retry_takes(store: Store) -> None:
    rules = campaign(retry="3 times")
    apply(store, rules, [with_key(0)])
    live = take(store, *LIVE_PATH)
    apply(store, rules, [with_key(1)])
    finish(store, live, Outcome.NO_ANSWER)
    again = claim_due(store, "renewals", 1, NOON + timedelta(days=2), NOON)[0]
    assert (again.attempt.phone, (again.request.body or {})["recipient_phone"]) == (phone(1), phone(1))


def test_another_account_takes_over_what_is_planned(store: Store) -> None:
    rules = campaign(retry="3 times")
    apply(store, rules, PEOPLE[:2], account())
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    apply(store, rules, PEOPLE[:2], account(name="team"))
    due = claim_due(store, "renewals", 9, NOON + timedelta(days=2), NOON)
    assert [(work.attempt.number, work.attempt.account) for work in due] == [(1, "team"), (2, "team")]


def test_another_provider_gets_its_own_body_and_its_own_account(store: Store) -> None:
    apply(store, campaign(retry="3 times"), ONE)
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    apply(store, campaign(retry="3 times", agent="revox/asst_1"), ONE)
    work = claim_due(store, "renewals", 9, NOON + timedelta(days=2), NOON)[0]
    assert (work.attempt.account, work.attempt.provider, work.agent_id) == ("revox", "revox", "asst_1")


def test_a_zone_that_was_put_right_is_the_one_that_counts(store: Store) -> None:
    rules = campaign(timezone="contact", windows="daily 10:00-18:00")
    apply(store, rules, [replace(contact(0), timezone="America/New_York")])
    changed = apply(store, rules, [replace(contact(0), timezone="America/Los_Angeles")])
    work = claim_due(store, "renewals", 1, NOON + timedelta(days=1), NOON)[0]
    assert changed.changed == 1
    assert work.attempt.zones == ("America/Los_Angeles",)
    assert work.attempt.due_at == NOON + timedelta(hours=1)


def test_a_zone_is_put_right_for_the_retry_too(store: Store) -> None:
    rules = campaign(timezone="contact", retry="3 times")
    apply(store, rules, [replace(contact(0), timezone="America/New_York")])
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    apply(store, rules, [replace(contact(0), timezone="Asia/Tokyo")])
    assert claim_due(store, "renewals", 1, NOON + timedelta(days=2), NOON)[0].attempt.zones == ("Asia/Tokyo",)


def test_conditions_see_the_row_as_it_was_applied_last(store: Store) -> None:
    two = [{"call": "agent"}, {"call": "agent", "name": "again", "when": "contact.vip == 'yes'"}]
    rules = campaign(steps=two)
    apply(store, rules, [replace(contact(0), values={"vip": "no"})])
    apply(store, rules, [replace(contact(0), values={"vip": "yes"})])
    assert claim_due(store, "renewals", 1, NOON, NOON)[0].cells == {"vip": "yes"}


def named(step: str) -> Any:
    return campaign(steps=[{"call": "agent", "name": step}])


def test_a_renamed_first_step_is_called_once_and_under_its_new_name(store: Store) -> None:
    apply(store, named("call"), ONE)
    apply(store, named("hello"), ONE)
    assert states(store) == [(phone(0), "call", 1, "superseded"), (phone(0), "hello", 1, "planned")]
    apply(store, named("call"), ONE)
    assert [state for *_, state in states(store)] == ["planned", "superseded"]
    assert standing(store) == {phone(0): "pending"}
    assert len(claim_due(store, "renewals", 9, NOON, NOON)) == 1


def test_a_renamed_step_does_not_call_anybody_twice(store: Store) -> None:
    apply(store, named("call"), ONE)
    finish(store, take(store, *LIVE_PATH), Outcome.VOICEMAIL, retry=False)
    lines, _ = planned(draft(named("hello"), known=known_campaign(store, "renewals")), ONE)
    assert lines[0].status is PlanStatus.KEEP
    apply(store, named("hello"), ONE)
    assert states(store) == [(phone(0), "call", 1, "finished")]
    assert standing(store) == {phone(0): "completed"}


def test_a_renamed_step_loses_nobody_who_is_being_called(store: Store) -> None:
    apply(store, named("call"), ONE)
    live = take(store, *LIVE_PATH, poll_at=NOON)
    apply(store, named("hello"), ONE)
    assert [work.attempt.id for work in store.to_ask(NOON, 9)] == [live]
    assert store.in_state(AttemptState.ACCEPTED)[0].attempt.step == "call"


def test_a_step_that_was_taken_out_is_not_done_any_more(store: Store) -> None:
    rules = campaign(retry="3 times")
    apply(store, rules, ONE)
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    apply(store, named("hello"), ONE)
    assert states(store) == [(phone(0), "call", 1, "finished"), (phone(0), "call", 2, "superseded")]
    assert standing(store) == {phone(0): "failed"}
    assert store.open_attempts() == 0


def test_what_is_kept_writes_no_event_and_no_row(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    before = dump(store)
    apply(store, campaign(windows="daily 01:00-23:00"), PEOPLE)
    after = dump(store)
    assert {name: len(rows) for name, rows in after.items() if len(rows) != len(before[name])} == {
        "revisions": 2,
        "events": len(before["events"]) + 1,
    }


def words(lines: Sequence[Any]) -> list[str]:
    return [line.status.value for line in lines]


def test_a_plan_right_after_its_apply_keeps_everything(store: Store) -> None:
    rules = campaign(timezone="contact")
    apply(store, rules, PEOPLE)
    lines, _ = planned(draft(rules, known=known_campaign(store, "renewals")), PEOPLE)
    assert words(lines) == ["keep"] * 5
