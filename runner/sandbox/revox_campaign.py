"""Revox's native campaigns as values: orders with rows, and how they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.sandbox import revox_records as records
from runner.sandbox.call import Stage
from runner.sandbox.lines import Lines
from runner.sandbox.revox_order import Order
from runner.sandbox.revox_retries import DEFAULT_RETRIES
from runner.sandbox.wire import instant

_CALLING = frozenset({Stage.RINGING, Stage.TALKING, Stage.ANALYSING})
_WAITING = frozenset({Stage.SCHEDULED, Stage.QUEUED})


@dataclass(slots=True, kw_only=True, eq=False)
class Campaign:
    """One campaign; each of its orders is a row, in the order in which its contacts came."""

    id: str
    asked: dict[str, Any]
    assistant: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime
    lines: Lines
    scheduled_at: datetime | None = None
    orders: list[Order] = field(default_factory=list)
    launched: bool = False
    paused: bool = False
    cancelled: bool = False


def campaign_record(campaign: Campaign, *, newest: bool) -> dict[str, Any]:
    """Write a campaign in the form of the newest generation or the seed's."""
    asked = campaign.asked
    record = {
        "id": campaign.id,
        "assistant_id": asked["assistant_id"],
        "organization_id": records.ORGANIZATION,
        "name": asked["name"],
        "status": campaign_status(campaign),
        "is_cancelled": campaign.cancelled,
        "created_at": instant(campaign.created_at),
        "updated_at": instant(campaign.updated_at),
        "assistant": campaign.assistant,
        "call_retry_config": asked.get("call_retry_config") or DEFAULT_RETRIES,
        "from_phone_number": asked.get("from_phone_number"),
        "max_concurrent_calls": asked.get("max_concurrent_calls"),
        "row_stats": _row_stats(campaign, newest=newest),
        "scheduled_at": instant(campaign.scheduled_at),
    }
    return record | _newest_fields(campaign) if newest else record


def campaign_status(campaign: Campaign) -> str:
    """Give the status of a campaign; an unlaunched one counts as paused, for want of a better word."""
    if campaign.cancelled or (campaign.launched and all(order.call.is_over for order in campaign.orders)):
        return "completed"
    return "running" if campaign.launched and not campaign.paused else "paused"


def row_record(at: int, order: Order, *, newest: bool) -> dict[str, Any]:
    """Write a row: a contact and its order."""
    return {
        "id": f"row_{order.call.id.removeprefix('call_')}",
        "row_index": at,
        "phone_number": order.call.to,
        "input_data": order.call.asked["prompt_variables"],
        "call": records.order_record(order, newest=newest),
    }


def _row_stats(campaign: Campaign, *, newest: bool) -> dict[str, int]:
    calls = [order.call for order in campaign.orders]
    reached = sum(call.stage is Stage.ENDED and call.answered_at is not None for call in calls)
    ended = sum(call.stage is Stage.ENDED for call in calls)
    cancelled = sum(call.stage is Stage.CANCELLED for call in calls)
    stats = {
        "calling": sum(call.stage in _CALLING for call in calls),
        "completed": reached,
        "failed": ended - reached + (0 if newest else cancelled),
        "pending": sum(call.stage in _WAITING and not call.attempts for call in calls),
        "retry": sum(call.stage in {*_WAITING, Stage.HELD} and bool(call.attempts) for call in calls),
        "total": len(calls),
    }
    if newest:
        held = sum(call.stage is Stage.HELD and not call.attempts for call in calls)
        stats |= {"not_launched": held, "skipped": cancelled}
    return stats


def _newest_fields(campaign: Campaign) -> dict[str, Any]:
    talked = sum(records.order_result(order) == "human" for order in campaign.orders)
    hot = sum(records.order_outcome(order) == "interested" for order in campaign.orders)
    return {
        "funnel_stats": {"hot": hot, "talked_to_human": talked, "total_leads": len(campaign.orders)},
        "metadata_keys": [],
        "structured_output_extraction": "none",
        "created_by": None,
    }
