"""Which calls of a Revox campaign a launch sends, and which it skips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.sandbox import revox_records as records
from runner.sandbox.call import Stage
from runner.sandbox.revox_campaign import Campaign
from runner.sandbox.revox_order import Order

SkipReason = Literal["active", "attempts_exhausted", "cancelled"]


@dataclass(slots=True, kw_only=True)
class Choice:
    """Orders to launch, and how many of the selected ones are not."""

    orders: list[Order] = field(default_factory=list)
    skipped: dict[SkipReason, int] = field(
        default_factory=lambda: {"active": 0, "attempts_exhausted": 0, "cancelled": 0}
    )


def choose(campaign: Campaign, selection: Mapping[str, Any]) -> Choice:
    """Choose among a campaign's orders by a selection that was checked."""
    choice = Choice()
    for order in campaign.orders:
        if not _is_selected(order, selection):
            continue
        if (reason := _skip_reason(order)) is None:
            choice.orders.append(order)
        else:
            choice.skipped[reason] += 1
    return choice


def fits_filters(order: Order, wanted: Mapping[str, Any]) -> bool:
    """Whether an order has what lists of a filter name; an empty or missing list asks for nothing."""
    facts = {
        "assignee_ids": "none",
        "assistant_ids": order.call.agent,
        "campaign_ids": order.campaign_id or "none",
        "directions": "outbound",
        "from_phone_numbers": records.from_number(order),
        "outcomes": records.order_outcome(order) or "none",
        "results": records.order_result(order) or "none",
        "statuses": records.order_status(order),
    }
    if any(wanted.get(name) and fact not in wanted[name] for name, fact in facts.items()):
        return False
    return str(wanted.get("query") or "") in f"{order.call.id} {order.call.to}"


def _is_selected(order: Order, selection: Mapping[str, Any]) -> bool:
    rows = selection["rows"]
    named = order.call.id in rows["call_ids"]
    return named == (rows["mode"] == "only") and fits_filters(order, selection["filters"])


def _skip_reason(order: Order) -> SkipReason | None:
    """Say why an order is not launched; None when it is."""
    if order.call.stage is Stage.CANCELLED:
        return "cancelled"
    if order.call.stage is Stage.ENDED:
        return None if order.tries_left > 0 else "attempts_exhausted"
    return None if order.call.stage is Stage.HELD and not order.is_paused else "active"
