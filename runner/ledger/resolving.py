"""Settle what only a person can find out: whether a handover that is held was created at its provider.

Neither way contacts anybody by itself. What was created is looked up before it is followed; whoever
was in what never was goes back in line, and the rules are asked again before anything is sent.
"""

from __future__ import annotations

from datetime import datetime

from runner.errors import NotFound, UsageWrong
from runner.ledger.store import Store
from runner.model.attempt import LIVE, AttemptState
from runner.model.handed_over import HandoverMove, HandoverRecord, HandoverState
from runner.model.move import ContactState, Move


def created_by_hand(store: Store, campaign: str, handover: int, native_id: str, reason: str, now: datetime) -> int:
    """Take a person's word for which of the provider's campaigns a held handover became; give how many people are in it.

    The handover is in doubt again: the runner asks the provider about this campaign, and goes on
    with it if there is one. Whoever is being contacted otherwise meanwhile stays held until the
    provider tells how it ended. Raises NotFound, and UsageWrong for what is not held or not free.
    """
    with store.transaction():
        record = _held(store, campaign, handover)
        taken = store.one("same_native_campaign", id=handover, account=record.account, native_id=native_id)
        if taken is not None:
            raise UsageWrong(f"`{native_id}` at {record.account} is what handover {taken['id']} became")
        why = _by_hand(f"created as `{native_id}`", reason)
        store.handovers.move(
            HandoverMove(
                handover_id=handover, old=HandoverState.HELD, new=HandoverState.IN_DOUBT, at=now,
                native_id=native_id, poll_at=now, reason=why,
            )
        )  # fmt: skip
        return _move_held(store, handover, AttemptState.IN_DOUBT, why, now)


def absent_by_hand(store: Store, campaign: str, handover: int, reason: str, now: datetime) -> int:
    """Take a person's word that a held handover never was created; give how many people go back in line.

    They are handed over anew, under another key, unless they must not be contacted any more or the
    campaign is cancelled. Raises NotFound, and UsageWrong for what is not held, or of which the
    provider told by a webhook that holds.
    """
    with store.transaction():
        record = _held(store, campaign, handover)
        if record.native_id:
            raise UsageWrong(
                f"{record.account} told of calls of its campaign `{record.native_id}` to people of this handover",
                help=f"look there; then: outreach resolve {campaign} --handover {handover} --created {record.native_id}",
            )
        why = _by_hand("never created", reason)
        store.handovers.move(
            HandoverMove(
                handover_id=handover, old=HandoverState.HELD, new=HandoverState.ABSENT, at=now, reason=why
            )
        )  # fmt: skip
        people = _move_held(store, handover, AttemptState.PLANNED, why, now)
        store.handovers.release(handover)
        return people


def held_handover(store: Store, campaign: str, handover: int) -> HandoverRecord:
    """Give a handover that waits for a person; raise NotFound or UsageWrong for any other."""
    return _held(store, campaign, handover)


def _held(store: Store, campaign: str, handover: int) -> HandoverRecord:
    try:
        record = store.handovers.record(handover)
    except KeyError:
        record = None
    if record is None or record.campaign != campaign:
        raise NotFound(
            f"{campaign} has no handover {handover}", help=f"outreach status {campaign} names those that wait"
        )
    if record.state is not HandoverState.HELD:
        raise UsageWrong(f"handover {handover} of {campaign} is {record.state.value}, and waits for nobody's word")
    return record


def _move_held(store: Store, handover: int, new: AttemptState, why: str, now: datetime) -> int:
    """Move whoever is held in a handover and has nothing else under way; give how many."""
    people = [row for row in store.all("held_people", handover_id=handover) if row["is_free"] or new not in LIVE]
    moved = store.move(
        Move(
            attempt_id=row["id"], old=AttemptState.HELD, new=new, at=now, reason=why,
            due_at=now if new is AttemptState.PLANNED else None, unsent=new is AttemptState.PLANNED,
            contact=ContactState.RETRY if row["has_begun"] else ContactState.PENDING,
        )
        for row in people
    )  # fmt: skip
    return sum(moved)


def _by_hand(what: str, reason: str) -> str:
    return f"{what}, says a person: {reason}" if reason else f"{what}, says a person"
