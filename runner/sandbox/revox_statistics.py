"""Revox's report of a campaign: from people called to people won."""

from __future__ import annotations

from collections import Counter
from typing import Any

from runner.sandbox import revox_records as records
from runner.sandbox.revox_campaign import Campaign, campaign_status
from runner.sandbox.revox_order import Order
from runner.sandbox.wire import instant

_HOT = ("interested", "requested_callback_later")
_LABELS = {
    "interested": "Interested",
    "not_interested": "Not interested",
    "requested_callback_later": "Requested callback",
    "completed": "Completed",
    "none": "No outcome",
}


def statistics_record(campaign: Campaign) -> dict[str, Any]:
    """Write the report; nobody calls in here, so that everything is outbound."""
    orders = campaign.orders
    called = [order for order in orders if order.call.attempts]
    reached = [order for order in called if records.order_result(order) == "human"]
    talked = [order for order in reached if records.final_talk(order)]
    hot = [order for order in talked if records.order_outcome(order) in _HOT]
    attempts = sum(len(order.call.attempts) for order in orders)
    return {
        "campaign": _campaign(campaign, called),
        "data_extraction": None,
        "effort": {"calls_total": attempts, "inbound_calls": 0, "outbound_attempts": attempts},
        "funnel": {
            "called": {"count": len(called), "imported_rows": len(orders)},
            "reached": {
                "count": len(reached),
                "inbound": 0,
                "outbound": len(reached),
                "overlap": 0,
                "pct_of_called": _percent(len(reached), len(called)),
            },
            "real_exchanges": {"count": len(talked), "pct_of_reached": _percent(len(talked), len(reached))},
            "hot_leads": {"count": len(hot), "pct_of_reached": _percent(len(hot), len(reached))},
        },
        "hot_lead_outcomes": list(_HOT),
        "inbound": {"unique_callers": 0},
        "jump_in": {"joined_calls": 0, "median_conversation_seconds": None, "median_time_to_join_seconds": None},
        "leads": {
            "interested": _leads(talked, "interested"),
            "callback_requested": _leads(talked, "requested_callback_later"),
        },
        "outcome_breakdown": _breakdown(called),
    }


def _campaign(campaign: Campaign, called: list[Order]) -> dict[str, Any]:
    placed = sorted(attempt.placed_at for order in called for attempt in order.call.attempts)
    plan = next((order.plan for order in campaign.orders if order.plan), None)
    return {
        "id": campaign.id,
        "name": campaign.asked["name"],
        "agent_name": (campaign.assistant or {}).get("name"),
        "status": campaign_status(campaign),
        "is_cancelled": campaign.cancelled,
        "has_activity": bool(placed),
        "first_activity_at": instant(placed[0]) if placed else None,
        "last_activity_at": instant(placed[-1]) if placed else None,
        "max_attempts_per_contact": plan.most_attempts if plan else None,
        "timezone": plan.zone.key if plan else "UTC",
    }


def _leads(orders: list[Order], outcome: str) -> list[dict[str, Any]]:
    return [
        {
            "call_id": order.call.id,
            "attempt_id": records.attempt_id(order, len(order.call.attempts) - 1),
            "direction": "outbound",
            "phone": order.call.to,
            "name": order.call.asked["prompt_variables"].get("first_name", ""),
            "email": order.call.asked["prompt_variables"].get("email"),
            "summary": talk.summary if (talk := records.final_talk(order)) else None,
            "last_activity_at": instant(order.call.placed_at),
        }
        for order in orders
        if records.order_outcome(order) == outcome
    ]


def _breakdown(called: list[Order]) -> list[dict[str, Any]]:
    counts = Counter(records.order_outcome(order) or "none" for order in called)
    return [{"outcome": outcome, "label": _LABELS[outcome], "count": count} for outcome, count in counts.most_common()]


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
