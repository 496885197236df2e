"""What the ledger holds of native delivery: handovers, the people in them, and what was called off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from sqlite3 import Row
from typing import Any, Protocol

from runner.ledger.instants import from_micros, to_micros
from runner.model.attempt import Assignment, AttemptState
from runner.model.handed_over import (
    DueGroup,
    Handed,
    HandedPerson,
    HandoverMove,
    HandoverRecord,
    HandoverState,
    NewHandover,
    RowSeen,
    Standing,
)
from runner.model.move import ContactState

MOST_HINTS = 6
"""how many unproven words about one attempt are heard"""


class Statements(Protocol):
    """The part of the store that this table is built on."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside one durable change, or none."""
        ...

    def one(self, name: str, /, **values: Any) -> Row | None:
        """Run a named query for its first row."""
        ...

    def all(self, name: str, /, **values: Any) -> list[Row]:
        """Run a named query for all its rows."""
        ...

    def change(self, name: str, /, **values: Any) -> int:
        """Run a named statement; give how many rows it changed."""
        ...

    def insert(self, name: str, /, **values: Any) -> int:
        """Run a named insert; give the new row's id."""
        ...

    def event(self, at: datetime, attempt_id: int | None, kind: str, **detail: Any) -> None:
        """Write down what happened."""
        ...

    def assignments(self, ids: Sequence[int]) -> list[Assignment]:
        """Give attempts as they stand now."""
        ...


class Handovers:
    """The handovers of one ledger; each method is one transaction, or a part of the one that is open."""

    def __init__(self, store: Statements) -> None:
        self._store = store

    def first_due(self, campaign: str, step: str, due_by: datetime) -> DueGroup | None:
        """Give what the step's attempts that are due first have in common; None when nobody is due.

        Whoever has a live attempt anywhere waits.
        """
        asked = {"name": campaign, "step": step, "due_by": to_micros(due_by)}
        row = self._store.one("first_due_of_step", **asked)
        if row is None:
            return None
        zones = self._store.one("zones_of_step", **asked)
        return DueGroup(
            campaign=campaign, step=step, due_by=due_by, account=row["account"], agent_id=row["agent_id"],
            zones=row["zones"], different_zones=int(zones["count"]) if zones is not None else 1,
        )  # fmt: skip

    def claim(self, group: DueGroup, count: int, lease_until: datetime, *, same_zones: bool) -> list[Assignment]:
        """Take up to `count` due attempts of a group by a lease, with `same_zones` those of its zones alone."""
        with self._store.transaction():
            due = self._store.all(
                "due_of_step", name=group.campaign, step=group.step, account=group.account, agent_id=group.agent_id,
                zones=group.zones if same_zones else None, due_by=to_micros(group.due_by), count=count,
            )  # fmt: skip
            lease = to_micros(lease_until)
            taken = [row["id"] for row in due if self._store.change("claim", id=row["id"], lease_until=lease)]
            return self._store.assignments(taken)

    def begin(self, new: NewHandover, at: datetime) -> HandoverRecord:
        """Write an intent: the handover, `sending`, and who is in it."""
        with self._store.transaction():
            made = self._store.insert(
                "add_handover", key=new.key, campaign=new.campaign, step=new.step, account=new.account,
                agent_id=new.agent_id, name=new.name, people=len(new.attempts), concurrency=new.concurrency,
                at=to_micros(at),
            )  # fmt: skip
            self._store.change("join_handover", handover_id=made, ids=json.dumps(list(new.attempts)))
            self._event(at, made, "sending", people=len(new.attempts), campaign=new.campaign, step=new.step)
            return self.record(made)

    def count(self, campaign: str, step: str) -> int:
        """Count the handovers that a step has had."""
        row = self._store.one("handover_count", name=campaign, step=step)
        return int(row["count"]) if row is not None else 0

    def record(self, handover_id: int) -> HandoverRecord:
        """Give a handover as it stands now."""
        row = self._store.one("handover_by_id", id=handover_id)
        if row is None:
            message = f"handover {handover_id} is not in the ledger"
            raise KeyError(message)
        return _record(row)

    def unfinished(self) -> list[HandoverRecord]:
        """Give every handover that the provider may still be working on, oldest first."""
        return [_record(row) for row in self._store.all("handovers_unfinished")]

    def move(self, move: HandoverMove) -> bool:
        """Write a move; whether the handover still was where the move says."""
        with self._store.transaction():
            moved = self._store.change(
                "move_handover", id=move.handover_id, old=move.old.value, new=move.new.value,
                native_id=move.native_id or None, poll_at=to_micros(move.poll_at), polls=move.polls,
                tries=move.tries, reason=move.reason,
            )  # fmt: skip
            if moved and move.new is not move.old:
                detail = {"reason": move.reason} if move.reason else {}
                if move.native_id:
                    detail["native_id"] = move.native_id
                self._event(move.at, move.handover_id, move.new.value, **detail)
        return bool(moved)

    def telling(self, handover_id: int, standing: Standing) -> None:
        """Write down what the provider is about to be told: when the answer is lost it may have heeded it."""
        self._store.change("telling_handover", id=handover_id, telling=standing)

    def told(self, record: HandoverRecord, standing: Standing, at: datetime, *, refusal: str = "") -> None:
        """Write down that the provider took what it was told, or why it did not; then it is asked again at once."""
        with self._store.transaction():
            taken = not refusal
            self._store.change(
                "tell_handover", id=record.id, told=standing if taken else record.told,
                refused="" if taken else standing, poll_at=to_micros(at), reason=refusal,
            )  # fmt: skip
            self._event(at, record.id, f"told_{standing}" if taken else f"not_told_{standing}", reason=refusal)
            if refusal:
                self._store.change("remark", name=record.campaign, text=refusal)

    def people(self, handover_id: int) -> list[Handed]:
        """Give everybody in a handover as they stand now, in the order in which they were handed over."""
        return [
            Handed(
                attempt_id=row["id"], phone=row["phone"], state=AttemptState(row["state"]),
                contact=ContactState(row["contact_state"]), calls=row["calls"],
            )
            for row in self._store.all("people_of_handover", handover_id=handover_id)
        ]  # fmt: skip

    def release(self, handover_id: int) -> None:
        """Let those who went back in line be handed over anew."""
        self._store.change("leave_handover", handover_id=handover_id)

    def see(self, handover_id: int, seen: Iterable[RowSeen], at: datetime) -> None:
        """Write down what a provider says of its people: how often they were dialled, where they stand."""
        with self._store.transaction():
            changed = 0
            for one in seen:
                changed += self._store.change("set_calls", id=one.attempt_id, calls=one.calls)
                if one.contact is not None:
                    changed += self._store.change("place_handed", id=one.attempt_id, state=one.contact.value)
            if changed:
                self._store.change("handover_changed", id=handover_id, at=to_micros(at))

    def person(self, account: str, native_id: str, phone: str) -> HandedPerson | None:
        """Give somebody who was handed over through an account by the newest attempt, one that still waits first.

        With `native_id` only in that campaign of the provider's, or where nobody knows its id yet.
        """
        row = self._store.one("handed_person", account=account, native_id=native_id, phone=phone)
        if row is None:
            return None
        return HandedPerson(attempt_id=row["id"], handover_id=row["handover_id"], calls=row["calls"])

    def hurry(self, handover_id: int, at: datetime) -> bool:
        """Have a provider's campaign looked at no later than this; whether that is sooner."""
        return bool(self._store.change("hurry_handover", id=handover_id, at=to_micros(at)))

    def hint(self, attempt_id: int) -> bool:
        """Count an unproven word about somebody; False when so many were heard that no other one is."""
        return bool(self._store.change("hint", id=attempt_id, most=MOST_HINTS))

    def heard_of(self, handover_id: int, native_id: str, at: datetime) -> None:
        """Write down which campaign of the provider's a held handover may have become, as a proven webhook says."""
        with self._store.transaction():
            if self._store.change("heard_of", id=handover_id, native_id=native_id):
                self._event(at, handover_id, "heard_of", native_id=native_id)

    def unnamed(self, handover_id: int) -> None:
        """Take back which campaign of the provider's a handover was said to have become."""
        self._store.change("unname_handover", id=handover_id)

    def to_call_off(self, count: int) -> list[Assignment]:
        """Give accepted attempts of cancelled campaigns and suppressed people that no provider was asked to call off."""
        return self._store.assignments([row["id"] for row in self._store.all("attempts_to_call_off", count=count)])

    def called_off(self, attempt_id: int, at: datetime) -> None:
        """Write down that the provider was asked to call an attempt off; it is asked once."""
        self._store.change("called_off", id=attempt_id, at=to_micros(at))

    def calls_by_phone(self) -> dict[str, int]:
        """Give how often providers say that they dialled each person who was handed over."""
        return {row["phone"]: row["calls"] for row in self._store.all("calls_by_phone")}

    def _event(self, at: datetime, handover_id: int, kind: str, **detail: Any) -> None:
        kept = {key: value for key, value in detail.items() if value != ""}
        self._store.event(at, None, f"handover_{kind}", handover=handover_id, **kept)


def _record(row: Row) -> HandoverRecord:
    return HandoverRecord(
        id=row["id"], key=row["key"], campaign=row["campaign"], step=row["step"], account=row["account"],
        agent_id=row["agent_id"], name=row["name"], state=HandoverState(row["state"]), people=row["people"],
        concurrency=row["concurrency"], sent_at=from_micros(row["sent_at"]), changed_at=from_micros(row["changed_at"]),
        native_id=row["native_id"] or "", told=row["told"], telling=row["telling"], refused=row["refused"],
        poll_at=from_micros(row["poll_at"]), polls=row["polls"], tries=row["tries"], reason=row["reason"],
        campaign_state=row["campaign_state"],
    )  # fmt: skip
