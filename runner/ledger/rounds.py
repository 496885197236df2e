"""What the ledger holds of campaigns that repeat: their files, and what became of each round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from runner.ledger.handovers import Statements
from runner.ledger.instants import from_micros, to_micros
from runner.model.rounds import Recurring, RoundRecord, RoundRules, RoundState, round_name
from runner.rules.recurrence import GRACE


class Rounds:
    """The tables of rounds, as a part of the store."""

    def __init__(self, store: Statements) -> None:
        self._store = store

    def recurring(self) -> list[Recurring]:
        """Give the campaigns that repeat, neither cancelled nor half applied, in the order of their first apply."""
        return [
            Recurring(
                name=row["name"], file=row["file"], digest=row["digest"], tool_version=row["tool_version"],
                since=from_micros(row["since"]), applied_at=from_micros(row["applied_at"]),
                in_force_since=from_micros(row["in_force_since"]), is_active=bool(row["is_active"]),
            )
            for row in self._store.all("recurring")
        ]  # fmt: skip

    def put(self, campaign: str, file: str, *, anew: bool = False) -> None:
        """Have an applied campaign repeat by a file; `anew` when it was cancelled, and no round of before is due."""
        grace = GRACE // timedelta(microseconds=1)
        self._store.change("put_recurring", name=campaign, file=file, anew=anew, grace=grace)

    def forget(self, campaign: str) -> None:
        """Have a campaign repeat no more."""
        self._store.change("forget_recurring", name=campaign)

    def note(self, record: RoundRecord) -> None:
        """Write down what became of a round; the first word about it stays."""
        with self._store.transaction():
            noted = self._store.change(
                "note_round", name=record.campaign, at=to_micros(record.at), state=record.state.value,
                round=record.name, count=record.count, reason=record.reason, noted_at=to_micros(record.noted_at),
            )  # fmt: skip
            if noted:
                kind = f"round_{record.state.value}"
                detail = {"campaign": record.campaign, "round": record.at.isoformat(), "reason": record.reason}
                self._store.event(record.noted_at, None, kind, **detail, count=record.count)

    def note_missed(self, campaign: str, due: Sequence[datetime], reason: str, now: datetime) -> int:
        """Write down, in one record, that rounds were missed, oldest first, and give how many were.

        One that stands in the ledger, written to its end, was started and is noted so; half of one never begins.
        """
        with self._store.transaction():
            written = {row["name"]: bool(row["complete"]) for row in self._store.all("rounds_written", name=campaign)}
            names = {round_name(campaign, at): at for at in due}
            for name, at in names.items():  # a runner that ended before it noted what it had started
                if written.get(name):
                    state = RoundState.STARTED
                    self.note(RoundRecord(campaign=campaign, at=at, state=state, noted_at=now, name=name))
            missed = [at for name, at in names.items() if not written.get(name)]
            if missed:
                state, count = RoundState.MISSED, len(missed)
                self.note(
                    RoundRecord(campaign=campaign, at=missed[-1], state=state, noted_at=now, count=count, reason=reason)
                )
            for name in names.keys() & written.keys():
                self.drop_half(name, reason)
        return len(missed)

    def earlier_rules(self, campaign: str) -> list[RoundRules]:
        """Give the rules that were written before those in force and whose rounds are not accounted for, oldest first."""
        return [
            RoundRules(
                policy=row["policy"], since=from_micros(row["since"]), until=from_micros(row["until"]),
                in_force_since=from_micros(row["in_force_since"]) if row["in_force_since"] is not None else None,
            )
            for row in self._store.all("earlier_rules", name=campaign)
        ]  # fmt: skip

    def account_for(self, campaign: str, until: datetime) -> None:
        """Have a campaign's rounds up to an instant accounted for."""
        self._store.change("account_for_rounds", name=campaign, until=to_micros(until))

    def drop_half(self, name: str, reason: str) -> None:
        """Cancel a round's campaign that was never written to its end; does nothing when there is none."""
        self._store.change("drop_half_round", name=name, reason=reason)

    def names_of(self, campaign: str) -> list[str]:
        """Give the campaigns of a campaign's rounds, oldest first, half of one included."""
        return [row["name"] for row in self._store.all("rounds_written", name=campaign)]

    def noted(self) -> dict[str, tuple[RoundRecord, ...]]:
        """Give by campaign what became of its rounds, oldest first."""
        found: dict[str, list[RoundRecord]] = {}
        for row in self._store.all("rounds_noted"):
            record = RoundRecord(
                campaign=row["campaign"], at=from_micros(row["at"]), state=RoundState(row["state"]), name=row["name"],
                count=row["count"], reason=row["reason"], noted_at=from_micros(row["noted_at"]),
            )  # fmt: skip
            found.setdefault(record.campaign, []).append(record)
        return {campaign: tuple(records) for campaign, records in found.items()}

    def repeating(self) -> frozenset[str]:
        """Give the names of the campaigns that repeat, whatever their state."""
        return frozenset(row["name"] for row in self._store.all("repeating"))
