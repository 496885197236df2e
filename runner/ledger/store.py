"""The ledger's one store: each method is one transaction, or joins the one that is open."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from runner.errors import LedgerError, LedgerUnwritable
from runner.ledger import forbidden, instance, sqlite
from runner.ledger.assignments import assignment_of
from runner.ledger.backups import Backups
from runner.ledger.handovers import MOST_HINTS, Handovers
from runner.ledger.instants import from_micros, to_micros
from runner.ledger.lanes import Lanes
from runner.ledger.lease import Leases
from runner.ledger.letters import Letters
from runner.ledger.migrate import check_version, is_older, migrate
from runner.ledger.moving import detail_of, statement_of
from runner.ledger.past import past_attempts
from runner.ledger.queries import id_list, query
from runner.ledger.results import write_result
from runner.ledger.rounds import Rounds
from runner.ledger.transactions import Transaction
from runner.model.attempt import Assignment, AttemptState
from runner.model.dealings import PastAttempt
from runner.model.move import CampaignInForce, Move
from runner.model.outcome import REACHED
from runner.model.tried import Tried

_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_WORLDS = {"real": "the real world", "sandbox": "the sandbox"}


class Store:
    """A connection to the ledger. Not for two threads at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        forbidden.install(connection)
        self._depth = 0
        self._transaction = Transaction(self._begin, self._end)
        # SQLite's own lock does not let go of Python's: with functions of ours in triggers, two threads that meet in
        # one connection would wait for each other for good.
        self._turn = threading.RLock()
        self.patience = 1
        """how often a transaction is tried while another process keeps the ledger locked, 5 s each"""
        self.tide: instance.Tide | None = None
        self.letters = Letters(self)
        self.handovers = Handovers(self)
        self.rounds = Rounds(self)
        self.lanes = Lanes(self)
        self.backups = Backups(self)
        self.leases = Leases(self)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a ledger for writing and bring its schema up to date."""
        with sqlite.errors_mapped():
            connection = sqlite.connect(path)
            migrate(connection)
            store = cls(connection)
            store.tide = instance.settle_in(connection, path)
        return store

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """Open a ledger for reading; raise NotFound when there is none.

        One that an older version wrote is read from a copy in memory that has today's schema: the file
        itself only changes when something is applied or run.
        """
        with sqlite.errors_mapped():
            connection = sqlite.connect_read_only(path)
            check_version(connection)
            if is_older(connection):
                connection = sqlite.copy_in_memory(connection)
                migrate(connection)
                connection.execute("PRAGMA query_only = ON")
        return cls(connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside one durable change, or none; inside another one, a part of it that fails alone."""
        return self._transaction

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Make several reads see one state of the ledger."""
        if self._depth:
            yield
            return
        self._execute_plain("BEGIN DEFERRED")
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._execute_plain("ROLLBACK")

    def assignments(self, ids: Sequence[int]) -> list[Assignment]:
        """Give attempts with all that carrying them out needs, as they stand now."""
        return [assignment_of(row) for row in self.all("attempts_by_id", ids=id_list(ids))] if ids else []

    def accounts_due(self, now: datetime) -> set[str]:
        """Give the accounts through which calls of running campaigns are due."""
        return {row["account"] for row in self.all("accounts_due", now=to_micros(now))}

    def to_ask(self, now: datetime, count: int) -> list[Assignment]:
        """Give the attempts whose outcome is to be asked for."""
        return self.assignments([row["id"] for row in self.all("attempts_to_ask", now=to_micros(now), count=count)])

    def in_state(self, state: AttemptState) -> list[Assignment]:
        """Give all attempts in one state."""
        return self.assignments([row["id"] for row in self.all("attempts_in_state", state=state.value)])

    def find(self, account: str, provider_id: str, key: str) -> Assignment | None:
        """Give the attempt that a planted key belongs to, else a provider's id, which may name a whole thread of texts."""
        row = self.one("attempt_by_key", key=key) if key else None
        if row is None and provider_id:
            row = self.one("attempt_by_provider_id", account=account, provider_id=provider_id)
        return self.assignments([row["id"]])[0] if row else None

    def move(self, moves: Iterable[Move]) -> list[bool]:
        """Write moves with their events and follow-ups; for each, whether the attempt still was where it was.

        Inside an open transaction it has no part of its own: whoever opened that must undo all of it when this fails.
        """
        if self._depth:
            self._check_open()
            return [self._move(one) for one in moves]
        with self.transaction():
            return [self._move(one) for one in moves]

    def belong_to(self, world: str) -> None:
        """Bind the ledger to the world that its attempts are placed in, `real` or `sandbox`, from its first run on.

        Raises LedgerError when it belongs to the other one: a rehearsal must never pass for the real thing.
        """
        with self.transaction():
            self.change("add_fact", name="world", value=world)
            row = self.one("fact", name="world")
        if row is not None and row["value"] != world:
            raise LedgerError(
                f"this ledger belongs to {_WORLDS[row['value']]}, and this run would place into {_WORLDS[world]}",
                help="take another ledger: --ledger sqlite:///.outreach/other.db",
            )

    def campaigns_in_force(self) -> list[CampaignInForce]:
        """Give every applied campaign."""
        return [
            CampaignInForce(
                name=row["name"], revision=row["revision_id"], policy=row["policy"], accounts=row["accounts"],
                is_active=row["state"] == "active" and bool(row["complete"]), reason=row["reason"],
            )
            for row in self.all("campaigns_in_force")
        ]  # fmt: skip

    def next_due(self, now: datetime, only: Collection[str] | None = None) -> datetime | None:
        """Give the first instant after `now` at which an attempt is due, of the campaigns in `only` if given."""
        row = self.one("next_due", now=to_micros(now), only=_names(only))
        return from_micros(row["at"]) if row is not None else None

    def next_ask(self) -> datetime | None:
        """Give the first instant at which an outcome is to be asked for."""
        row = self.one("next_ask")
        return from_micros(row["at"]) if row is not None else None

    def open_attempts(self, only: Collection[str] | None = None) -> int:
        """Count the attempts that still wait for something that the runner does, of the campaigns in `only` if given."""
        row = self.one("open_attempts", only=_names(only))
        return int(row["count"]) if row is not None else 0

    def pause(self, campaign: str, reason: str, now: datetime, *, cause: str = "") -> None:
        """Pause a campaign and write down why, with `cause` in a word for other programs too."""
        with self.transaction():
            if self.change("pause_campaign", name=campaign, reason=reason):
                self.event(now, None, "paused", campaign=campaign, reason=reason, **({"cause": cause} if cause else {}))

    def resume(self, campaign: str, now: datetime) -> bool:
        """End a campaign's pause; whether it was paused."""
        with self.transaction():
            resumed = bool(self.change("resume_campaign", name=campaign, at=to_micros(now)))
            if resumed:
                self.event(now, None, "resumed", campaign=campaign)
        return resumed

    def past_attempts(self, phone: str, since: datetime, now: datetime) -> tuple[PastAttempt, ...]:
        """Give one person's attempts of every campaign whose request may have left, under way or ended since, oldest first."""
        return past_attempts(self, phone, since, now)

    def suppress(self, phone: str, reason: str, source: str, now: datetime, *, until: datetime | None = None) -> bool:
        """Write down that a person must not be contacted; whether that is news.

        Without `until` it is for good, and what is planned for them in every campaign is called off;
        with it they are left alone until then, and what is planned waits. The first reason stays,
        unless it ends and this one lasts longer.
        """
        with self.transaction():
            values = {"phone": phone, "reason": reason, "source": source}
            is_new = bool(self.change("suppress", **values, at=to_micros(now), until=to_micros(until)))
            if is_new:
                self.event(now, None, "suppressed", source=source, **({"until": until.isoformat()} if until else {}))
            if until is not None:
                return is_new
            for row in self.all("planned_for", phone=phone):
                self.change("suppress_attempt", id=row["id"], reason=reason, at=to_micros(now))
                self.event(now, row["id"], "suppressed", **{"from": "planned", "reason": reason})
            self.change("suppress_contacts", phone=phone)
        return is_new

    def receive(self, account: str, digest: str, body: bytes, now: datetime, *, verified: bool) -> bool:
        """Store a webhook as it came; False when this very one was received before."""
        return bool(
            self.change(
                "put_in_inbox", account=account, digest=digest, received_at=to_micros(now), verified=verified, body=body
            )
        )

    def settle_webhook(self, account: str, digest: str, result: str) -> None:
        """Write down what a webhook led to."""
        self.change("settle_inbox", account=account, digest=digest, result=result)

    def ask_now(self, attempt_id: int, now: datetime) -> None:
        """Have an accepted attempt's outcome asked for at once; an attempt has so many hints and no more."""
        self.change("ask_now", id=attempt_id, now=to_micros(now), most=MOST_HINTS)

    def history(self, contact_id: int) -> tuple[Tried, ...]:
        """Give a contact's finished tries, oldest first."""
        return tuple(
            Tried(
                step=row["step"], number=row["number"], channel=row["channel"], outcome=row["outcome"], tag=row["tag"],
                started_at=from_micros(row["sent_at"]), is_callback=bool(row["is_callback"]),
                calls=row["calls"],
            )
            for row in self.all("history", contact_id=contact_id)
        )  # fmt: skip

    def one(self, name: str, /, **values: Any) -> sqlite3.Row | None:
        """Run a named query for its first row."""
        try:
            with self._turn:
                row: sqlite3.Row | None = self._connection.execute(query(name), values).fetchone()
        except sqlite3.Error as error:
            raise sqlite.foreign_error(error) from error
        return row

    def all(self, name: str, /, **values: Any) -> list[sqlite3.Row]:
        """Run a named query for all its rows."""
        try:
            with self._turn:
                return self._connection.execute(query(name), values).fetchall()
        except sqlite3.Error as error:
            raise sqlite.foreign_error(error) from error

    def change(self, name: str, /, **values: Any) -> int:
        """Run a named statement; give how many rows it changed."""
        return self._run(name, values).rowcount

    def insert(self, name: str, /, **values: Any) -> int:
        """Run a named insert; give the new row's id."""
        return self._run(name, values).lastrowid or 0

    def event(self, at: datetime, attempt_id: int | None, kind: str, **detail: Any) -> None:
        """Write down what happened."""
        text = _written(detail)
        self._run("add_event", {"at": to_micros(at), "attempt_id": attempt_id, "kind": kind, "detail": text})

    def _move(self, move: Move) -> bool:
        statement, values = statement_of(move)
        if not self._execute(statement, values).rowcount:
            return False
        if move.new is AttemptState.PLANNED:
            self.change("give_back_one", id=move.attempt_id)
        self.event(move.at, move.attempt_id, move.new.value, **detail_of(move), **self._zone_evidence(move))
        if move.ends and move.outcome is not None and move.observation is not None:
            write_result(self, move.attempt_id, move.outcome, move.observation, move.at)
        row = self.one("contact_of_attempt", id=move.attempt_id)
        if row is not None and row["is_gone"]:
            # Somebody who left the plan while an attempt was under way gets no other one.
            reason = "no longer in the plan"
            self.change("supersede_contact", contact_id=row["contact_id"], reason=reason, at=to_micros(move.at))
        elif row is not None:
            if move.contact is not None:
                self.change("set_contact_state", contact_id=row["contact_id"], state=move.contact.value)
            self._follow(row, move)
            if row["is_cancelled"]:
                self._stop_following(row, move)
        return True

    def _zone_evidence(self, move: Move) -> dict[str, Any]:
        """Give what an intent keeps beside itself: the zones whose windows were asked, and where they came from."""
        row = self.one("zone_evidence", id=move.attempt_id) if move.new is AttemptState.SENDING else None
        return {} if row is None else {"zones": row["zones"].split(), "zone_source": row["zone_source"]}

    def _follow(self, row: sqlite3.Row, move: Move) -> None:
        following = move.next_attempt
        if following is None:
            return
        account = self.one("account_of_step", contact_id=row["contact_id"], step=following.step)
        self.change(
            "add_attempt", key=following.key, campaign_id=row["campaign_id"], contact_id=row["contact_id"],
            phone=row["phone"], step=following.step, number=following.number, channel=following.channel,
            account=account["account"] if account else row["account"], due_at=to_micros(following.due_at),
            step_due_at=to_micros(following.step_due_at or following.due_at), is_callback=following.is_callback,
        )  # fmt: skip

    def _stop_following(self, row: sqlite3.Row, move: Move) -> None:
        """Leave somebody whose campaign was cancelled while an attempt was under way without any other one."""
        self.change(
            "cancel_attempts", campaign_id=row["campaign_id"], contact_id=row["contact_id"], at=to_micros(move.at),
            reason="the campaign is cancelled",
        )  # fmt: skip
        reached = json.dumps(sorted(outcome.value for outcome in REACHED))
        self.change("place_contact", contact_id=row["contact_id"], reached=reached)

    def _run(self, name: str, values: dict[str, Any]) -> sqlite3.Cursor:
        return self._execute(query(name), values)

    def _execute(self, statement: str, values: dict[str, Any]) -> sqlite3.Cursor:
        try:
            with self._turn:
                return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise sqlite.foreign_error(error) from error

    def _execute_plain(self, statement: str) -> None:
        try:
            with self._turn:
                self._connection.execute(statement)
        except sqlite3.Error as error:
            raise sqlite.foreign_error(error) from error

    def _begin(self) -> None:
        if self._depth:
            self._check_open()
            self._execute_plain(f"SAVEPOINT level_{self._depth}")
        else:
            sqlite.patiently(self._execute_plain, "BEGIN IMMEDIATE", self.patience)
        self._depth += 1

    def _check_open(self) -> None:
        if not self._connection.in_transaction:
            # SQLite rolls everything back by itself when the disk is full; what came then would begin anew and be kept.
            raise LedgerUnwritable("the ledger took back what was being written")

    def _end(self, *, fails: bool) -> None:
        level = self._depth - 1
        try:
            if fails:
                self._undo(level)
                return
            if level:
                self._execute_plain(f"RELEASE level_{level}")
                return
            sqlite.patiently(self._execute_plain, "COMMIT", self.patience)
            if self.tide is not None:
                self.tide.advance()
        except BaseException:
            if not fails:
                self._undo(level)
            raise
        finally:
            self._depth = level

    def _undo(self, level: int) -> None:
        # SQLite has already rolled back by itself after some errors (disk full); a second rollback would hide the first.
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute(f"ROLLBACK TO level_{level}" if level else "ROLLBACK")
            if level:
                self._connection.execute(f"RELEASE level_{level}")
        except sqlite3.Error as error:
            raise sqlite.foreign_error(error) from error


def _names(only: Collection[str] | None) -> str | None:
    return None if only is None else json.dumps(sorted(only))
