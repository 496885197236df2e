"""What Revox remembers of each number, across all campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runner.sandbox import revox_records as records
from runner.sandbox.revox_order import Order
from runner.sandbox.wire import instant


def phone_history(orders: Iterable[Order], do_not_contact: frozenset[str]) -> dict[str, dict[str, Any]]:
    """Write what is known of every number that was dialled or must not be."""
    history = {phone: _entry(phone, do_not_contact) for phone in sorted(do_not_contact)}
    for order in orders:
        if not order.call.attempts:
            continue
        entry = history.setdefault(order.call.to, _entry(order.call.to, do_not_contact))
        entry["count"] += len(order.call.attempts)
        entry["last_called_at"] = instant(order.call.placed_at)
        entry["reached_human"] |= any(records.attempt_result(one) == "human" for one in order.call.attempts)
        campaign = {"id": order.campaign_id, "name": order.campaign_name}
        if order.campaign_id and campaign not in entry["campaigns"]:
            entry["campaigns"].append(campaign)
        if (outcome := records.order_outcome(order)) is not None:
            entry["last_outcome"] = outcome
            entry["hot"] = outcome == "interested"
    return history


def _entry(phone: str, do_not_contact: frozenset[str]) -> dict[str, Any]:
    return {
        "count": 0,
        "campaigns": [],
        "do_not_contact": phone in do_not_contact,
        "hot": False,
        "last_called_at": None,
        "last_outcome": None,
        "reached_human": False,
    }
