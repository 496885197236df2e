"""What the ledger holds of campaigns that repeat: their files, and what became of each round."""

from __future__ import annotations

from runner.ledger.handovers import Statements
from runner.ledger.instants import from_micros, to_micros
from runner.model.rounds import Recurring, RoundRecord, RoundState


class Rounds:
    """The tables of rounds, as a part of the store."""

    def __init__(self, store: Statements) -> None:
        self._store = store

    def recurring(self) -> list[Recurring]:
        """Give the campaigns that repeat, neither cancelled nor half applied, in the order of their first apply."""
        return [
            Recurring(
                name=row["name"], file=row["file"], digest=row["digest"], tool_version=row["tool_version"],
                since=from_micros(row["since"]), is_active=bool(row["is_active"]),
            )
            for row in self._store.all("recurring")
        ]  # fmt: skip

    def put(self, campaign: str, file: str) -> None:
        """Have an applied campaign repeat by a file."""
        self._store.change("put_recurring", name=campaign, file=file)

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

    def is_written(self, name: str) -> bool:
        """Whether a round's campaign stands in the ledger, written to its end."""
        return self._store.one("round_written", name=name) is not None

    def drop_half(self, name: str, reason: str) -> None:
        """Cancel a round's campaign that was never written to its end; does nothing when there is none."""
        self._store.change("drop_half_round", name=name, reason=reason)

    def names_of(self, campaign: str) -> list[str]:
        """Give the campaigns of a campaign's rounds, oldest first."""
        return [row["name"] for row in self._store.all("rounds_in_force", name=campaign)]

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
