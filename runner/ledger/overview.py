"""Read what the ledger says about campaigns and contacts: sums, states, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from sqlite3 import Row

from runner.ledger.instants import from_micros, to_micros
from runner.ledger.rounds_overview import with_rounds
from runner.ledger.store import Store
from runner.model.move import OPEN_CONTACTS, ContactState
from runner.model.overview import AccountStanding, AttemptOverview, CampaignOverview, ContactOverview, HandoverOverview

COUNTED = tuple(state for state in ContactState if state is not ContactState.REMOVED)


def campaigns(store: Store, now: datetime) -> list[CampaignOverview]:
    """Sum up every applied campaign; the rounds of one that repeats stand behind it."""
    with store.reading():
        return with_rounds(store, _campaigns(store, now), now)


def _campaigns(store: Store, now: datetime) -> list[CampaignOverview]:
    with store.reading():
        stats: dict[str, dict[str, int]] = {}
        for row in store.all("row_stats"):
            stats.setdefault(row["name"], {})[row["state"]] = row["count"]
        outcomes: dict[str, list[tuple[str, str, str, int]]] = {}
        for row in store.all("outcome_counts"):
            outcomes.setdefault(row["name"], []).append((row["step"], row["channel"], row["outcome"], row["count"]))
        tags: dict[str, list[tuple[str, int]]] = {}
        for row in store.all("tag_counts"):
            tags.setdefault(row["name"], []).append((row["tag"], row["count"]))
        requests = {row["name"]: row for row in store.all("request_counts")}
        left = {row["name"]: row["count"] for row in store.all("held_of_left")}
        handed = _handovers(store)
        found = []
        for row in store.all("campaigns_in_force"):
            counts, sums = stats.get(row["name"], {}), requests.get(row["name"])
            found.append(
                CampaignOverview(
                    campaign=row["name"], reason=row["reason"], revision=row["revision_id"], digest=row["digest"],
                    status=_status(row["state"], counts, complete=bool(row["complete"]), waits=_waits(sums, now)),
                    row_stats=_row_stats(counts), outcomes=tuple(outcomes.get(row["name"], ())),
                    tags=tuple(tags.get(row["name"], ())),
                    attempts=sums["attempts"] if sums else 0, sent=sums["sent"] if sums else 0,
                    placed=sums["placed"] if sums else 0,
                    first_sent=from_micros(sums["first_sent"]) if sums else None,
                    last_sent=from_micros(sums["last_sent"]) if sums else None,
                    handovers=tuple(one for one in handed if one.campaign == row["name"]),
                    held_of_left=left.get(row["name"], 0),
                )
            )  # fmt: skip
    return found


def contacts(store: Store, campaign: str) -> list[ContactOverview]:
    """Give every contact of a campaign with its attempts."""
    people: dict[str, ContactOverview] = {}
    held = _held_reasons(store, campaign)
    attempts: dict[str, list[AttemptOverview]] = {}
    for row in store.all("contact_rows", name=campaign):
        people.setdefault(
            row["key"], ContactOverview(key=row["key"], phone=row["phone"], row=row["row"], state=row["state"])
        )
        if row["step"] is not None:
            attempts.setdefault(row["key"], []).append(
                AttemptOverview(
                    key=row["attempt_key"], log_id=row["log_id"], step=row["step"], number=row["number"],
                    channel=row["channel"], state=row["attempt_state"],
                    outcome=row["outcome"], tag=row["tag"], reason=row["reason"],
                    due_at=from_micros(row["due_at"]), sent_at=from_micros(row["sent_at"]),
                    ended_at=from_micros(row["ended_at"]), provider_id=row["provider_id"] or "",
                )
            )  # fmt: skip
    return [
        ContactOverview(
            key=one.key,
            phone=one.phone,
            row=one.row,
            state=one.state,
            attempts=tuple(attempts.get(key, ())),
            held_because=held.get(key, ""),
        )
        for key, one in people.items()
    ]


def _held_reasons(store: Store, campaign: str) -> Mapping[str, str]:
    """Give by key why contacts are held for whom nothing was planned."""
    if store.one("has_held_reasons") is None:
        return {}
    return {row["key"]: row["reason"] for row in store.all("held_reasons", name=campaign)}


def _handovers(store: Store) -> list[HandoverOverview]:
    # A ledger that is only read may be older than native delivery.
    if store.one("has_handovers") is None:
        return []
    return [
        HandoverOverview(
            id=row["id"], campaign=row["campaign"], step=row["step"], account=row["account"], state=row["state"],
            name=row["name"], native_id=row["native_id"] or "", people=row["people"], waiting=row["waiting"],
            told=row["told"], reason=row["reason"], sent_at=from_micros(row["sent_at"]),
        )
        for row in store.all("open_handovers")
    ]  # fmt: skip


def account_health(store: Store, now: datetime) -> list[AccountStanding]:
    """Give the accounts that are not used freely, and why."""
    found = []
    for account, health in store.lanes.health().items():
        breaker, slowdown = health.breaker, health.slowdown
        if breaker.is_open:
            found.append(
                AccountStanding(
                    account=account, state=breaker.state.value, reason=breaker.reason, since=breaker.since,
                    until=breaker.retry_at,
                )
            )  # fmt: skip
        elif slowdown is not None and slowdown.until > now:
            reason = "the provider asked to wait"
            found.append(
                AccountStanding(account=account, state="slowed", reason=reason, since=None, until=slowdown.until)
            )
    return found


def _waits(sums: Row | None, now: datetime) -> bool:
    """Whether nothing was sent yet and the first attempt lies ahead."""
    return sums is not None and not sums["sent"] and sums["first_due"] > to_micros(now)


def _row_stats(counts: Mapping[str, int]) -> dict[str, int]:
    stats = {state.value: counts.get(state.value, 0) for state in COUNTED}
    return {"total": sum(stats.values()), **stats}


def _status(state: str, counts: Mapping[str, int], *, complete: bool, waits: bool) -> str:
    if state != "active":
        return state
    if not complete:
        return "draft"
    if not any(counts.get(one.value) for one in OPEN_CONTACTS):
        return "completed"
    return "scheduled" if waits else "running"
