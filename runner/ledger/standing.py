"""Pause, resume and cancel campaigns as a person asks for it; the engine that runs takes it up within seconds."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from runner.engine.stop_file import WHY
from runner.errors import NotFound, UsageWrong
from runner.ledger.instants import to_micros
from runner.ledger.store import Store
from runner.model.outcome import REACHED
from runner.model.rounds import family_of
from runner.rules.breaker import BreakerState, read_at_once

ACCOUNT_FAULT = "account "
"""how the reason of a pause begins that a fault of an account caused, not a person"""

EVERYTHING = "everything was paused by hand"
"""how the reason of a pause begins that a person ordered for all campaigns at once"""


def pause_by_hand(store: Store, campaign: str, reason: str, now: datetime) -> bool:
    """Pause a campaign until a person resumes it; False when it is cancelled. Raises NotFound."""
    with store.transaction():
        _standing(store, campaign)
        said = _by_hand("paused", reason)
        stopped = bool(store.change("stop_campaign", name=campaign, reason=said))
        if stopped:
            store.event(now, None, "paused", campaign=campaign, reason=said)
        for name in store.rounds.names_of(campaign):
            if store.change("stop_campaign", name=name, reason=said):
                store.event(now, None, "paused", campaign=name, reason=said)
    return stopped


def pause_all(store: Store, reason: str, now: datetime) -> list[str]:
    """Pause every campaign that runs, or that a later run would resume by itself; give their names."""
    stopped = []
    said = f"{EVERYTHING}: {reason}" if reason else EVERYTHING
    with store.transaction():
        for one in store.campaigns_in_force():
            row = store.one("campaign_standing", name=one.name)
            if row is None or not (row["state"] == "active" or row["reason"].startswith(ACCOUNT_FAULT)):
                continue
            if store.change("stop_campaign", name=one.name, reason=said):
                store.event(now, None, "paused", campaign=one.name, reason=said)
                stopped.append(one.name)
    return stopped


def resume_all(store: Store, reason: str, now: datetime) -> list[str]:
    """Resume the campaigns that `pause_all` or a STOP file paused, and no others; give their names."""
    resumed = []
    with store.transaction():
        for one in store.campaigns_in_force():
            row = store.one("campaign_standing", name=one.name)
            if row is not None and row["state"] == "paused" and row["reason"].startswith((EVERYTHING, WHY)):
                store.resume(one.name, now)
                resumed.append(one.name)
                if reason:
                    store.event(now, None, "remarked", campaign=one.name, reason=reason)
    return resumed


def resume_by_hand(store: Store, campaign: str, reason: str, now: datetime) -> bool:
    """End a pause, whatever it was for; False when there was none.

    Raises NotFound, and UsageWrong for a cancelled campaign: what was called off stays so.
    """
    if _standing(store, campaign)[1] == "cancelled":
        raise UsageWrong(
            f"{campaign} is cancelled, and what was called off stays so",
            help="give the campaign a new name, or change it and run: outreach apply",
        )
    with store.transaction():
        resumed = store.resume(campaign, now)
        if resumed and reason:
            store.event(now, None, "remarked", campaign=campaign, reason=reason)
        rounds = [store.resume(name, now) for name in store.rounds.names_of(campaign)]
    return resumed or any(rounds)


def read_at_once_by_hand(store: Store, campaign: str, now: datetime) -> dict[str, BreakerState]:
    """End the waits of a campaign's ill accounts; give where the breaker of each stands.

    The engine that runs takes it up within seconds: it reads the provider, where that can be read, and then
    lets one call through, as it would have at the end of the wait.
    """
    found = {}
    with store.transaction():
        used = {lane.account for lane in store.lanes.after(0) if family_of(lane.campaign) == campaign}
        for account, health in store.lanes.health().items():
            if account in used and health.breaker.is_open:
                hastened = read_at_once(health.breaker, now)
                found[account] = hastened.state
                if hastened != health.breaker:
                    store.lanes.put_health(account, replace(health, breaker=hastened))
    return found


def cancel_by_hand(store: Store, campaign: str, reason: str, now: datetime) -> int | None:
    """Cancel a campaign for good and call off what was not sent; give how many attempts, None when it was cancelled before.

    What is under way at providers is called off by the engine, as far as they can. Raises NotFound.
    """
    with store.transaction():
        campaign_id, state = _standing(store, campaign)
        if state == "cancelled":
            return None
        said, at = _by_hand("cancelled", reason), to_micros(now)
        store.change("cancel_campaign", name=campaign, reason=said)
        store.event(now, None, "cancelled", campaign=campaign, reason=said)
        waiting = [row["contact_id"] for row in store.all("waiting_contacts", campaign_id=campaign_id)]
        detail = json.dumps({"from": "planned", "reason": said}, ensure_ascii=False)
        store.change("note_cancelled", campaign_id=campaign_id, at=at, detail=detail)
        count = store.change("cancel_attempts", campaign_id=campaign_id, contact_id=None, at=at, reason=said)
        reached = json.dumps(sorted(outcome.value for outcome in REACHED))
        for contact_id in waiting:
            store.change("place_contact", contact_id=contact_id, reached=reached)
        count += sum(cancel_by_hand(store, name, reason, now) or 0 for name in store.rounds.names_of(campaign))
    return count


def resume_after_faults(store: Store, now: datetime, only: Collection[str] | None = None) -> list[str]:
    """Resume the campaigns, those in `only` if given, that a fault of an account had paused; give their names."""
    resumed = []
    for one in store.campaigns_in_force():
        if only is not None and family_of(one.name) not in only:
            continue
        row = store.one("campaign_standing", name=one.name)
        if row is not None and row["state"] == "paused" and row["reason"].startswith(ACCOUNT_FAULT):
            store.resume(one.name, now)
            resumed.append(one.name)
    return resumed


def _standing(store: Store, campaign: str) -> tuple[int, str]:
    row = store.one("campaign_standing", name=campaign)
    if row is None:
        raise NotFound(f"no campaign `{campaign}` was applied", help="outreach status lists them all")
    return row["id"], row["state"]


def _by_hand(what: str, reason: str) -> str:
    return f"{what} by hand: {reason}" if reason else f"{what} by hand"
