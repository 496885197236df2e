"""Settle one attempt of which only a person knows what became of it: placed, ended, never placed, or to be looked for again.

None of it contacts anybody by itself. What was never placed goes back in line, and the rules are
asked again before anything is sent. Every word is written down with who said it and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.engine.endings import end
from runner.engine.policies import Policies
from runner.errors import UsageWrong
from runner.ledger.store import Store
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome

_HELD_HANDOVER = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """An attempt that may have been placed."""

    work: Assignment
    handover: int | None
    """the held handover that it is part of; it is settled with all of that"""
    is_free: bool
    """nothing else is under way to the person"""

    @property
    def is_held(self) -> bool:
        """Whether nobody but a person can find out."""
        return self.work.attempt.state is AttemptState.HELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplanned:
    """A contact that is held, and for whom nothing was planned."""

    campaign: str
    key: str
    phone: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says about an attempt."""

    by: str
    """who says it"""
    reason: str
    """how they know; may be empty"""
    now: datetime

    def sentence(self, what: str) -> str:
        """Write what is said, by whom and why."""
        return f"{what}, says {self.by}{f': {self.reason}' if self.reason else ''}"


def doubtful(store: Store, campaign: str = "") -> list[Doubtful]:
    """Give every attempt of a campaign, or of all, of which nobody knows whether it was placed, oldest first."""
    rows = store.all("doubtful_attempts", name=campaign)
    works = {work.attempt.id: work for work in store.assignments([row["id"] for row in rows])}
    return [
        Doubtful(
            work=works[row["id"]], is_free=bool(row["is_free"]),
            handover=row["handover_id"] if row["handover_state"] == _HELD_HANDOVER else None,
        )
        for row in rows
    ]  # fmt: skip


def unplanned(store: Store, campaign: str = "") -> list[Unplanned]:
    """Give the contacts of a campaign, or of all, that are held and for whom nothing was planned."""
    return [Unplanned(**dict(row)) for row in store.all("unplanned_people", name=campaign)]


def created(store: Store, one: Doubtful, provider_id: str, word: Word) -> None:
    """Take a person's word for the provider's id of an attempt; the runner follows it from now on.

    Raises UsageWrong when another attempt has the id, or the person is being contacted otherwise.
    """
    attempt = one.work.attempt
    with store.transaction():
        known = store.find(attempt.account, provider_id, "")
        if known is not None and known.attempt.id != attempt.id:
            raise UsageWrong(
                f"`{provider_id}` at {attempt.account} is another attempt: {known.attempt.step} "
                f"{known.attempt.number} of {known.attempt.campaign}"
            )
        _refuse_second(one)
        said = word.sentence(f"placed as `{provider_id}`")
        accepted = Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.ACCEPTED, at=word.now, reason=said,
            provider_id=provider_id, poll_at=word.now, contact=ContactState.CALLING,
        )  # fmt: skip
        _moved(store.move([accepted])[0])


def ended(store: Store, policies: Policies, one: Doubtful, outcome: Outcome, word: Word) -> None:
    """Take a person's word for how an attempt ended; what follows is what the campaign says of that outcome."""
    attempt = one.work.attempt
    with store.transaction():
        seen = Observation(outcome=outcome, words={"said": word.sentence(outcome.value)})
        _moved(end(store, policies, attempt.id, seen, word.now))
        store.event(word.now, attempt.id, "resolved", reason=word.sentence(f"ended as {outcome.value}"))


def absent(store: Store, one: Doubtful, word: Word) -> None:
    """Take a person's word that an attempt never was placed: it goes back in line, under the same key."""
    attempt = one.work.attempt
    with store.transaction():
        _refuse_second(one)
        has_begun = store.one("has_begun", id=attempt.id) is not None
        planned = Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.PLANNED, at=word.now, due_at=word.now,
            reason=word.sentence("never placed"), unsent=True,
            contact=ContactState.RETRY if has_begun else ContactState.PENDING,
        )  # fmt: skip
        _moved(store.move([planned])[0])


def look_again(store: Store, one: Doubtful, word: Word) -> None:
    """Have the runner look for an attempt at its provider once more, from the first look-up on."""
    attempt = one.work.attempt
    with store.transaction():
        _refuse_second(one)
        doubt = Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.IN_DOUBT, at=word.now, poll_at=word.now,
            reason=word.sentence("to be looked for again"), contact=ContactState.CALLING,
        )  # fmt: skip
        _moved(store.move([doubt])[0])


def _refuse_second(one: Doubtful) -> None:
    if not one.is_free:
        raise UsageWrong(
            f"{one.work.attempt.phone} is being contacted otherwise at this moment",
            help="say it again when that has ended",
        )


def _moved(moved: bool) -> None:
    if not moved:
        raise UsageWrong("it was settled in the meantime", help="outreach status shows how")
