"""Revox's exports: orders as CSV; the columns are assumed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runner.sandbox import revox_records as records
from runner.sandbox.revox_order import Order
from runner.sandbox.sheet import to_csv

_COLUMNS = (
    "id",
    "phone_number",
    "direction",
    "status",
    "result",
    "outcome",
    "outcome_summary",
    "calls_count",
    "last_called_at",
    "campaign_id",
    "recording_url",
)


def export_orders(
    orders: Iterable[Order], *, metadata: bool = False, structured: bool = False, variables: bool = False
) -> str:
    """Write orders as CSV, with the chosen kinds of their own fields in columns of their own."""
    rows = [_row(order, metadata=metadata, structured=structured, variables=variables) for order in orders]
    others = dict.fromkeys(name for row in rows for name in row if name not in _COLUMNS)
    return to_csv((*_COLUMNS, *others), rows)


def _row(order: Order, *, metadata: bool, structured: bool, variables: bool) -> dict[str, Any]:
    record = records.order_record(order)
    last = record["last_call_attempt"] or {}
    row: dict[str, Any] = {name: record[name] for name in ("id", "direction", "status", "outcome", "outcome_summary")}
    row |= {
        "phone_number": order.call.to,
        "result": last.get("result"),
        "calls_count": record["calls_count"],
        "last_called_at": last.get("started_at"),
        "campaign_id": order.campaign_id,
        "recording_url": last.get("recording_url"),
    }
    if metadata:
        row |= {f"metadata.{name}": value for name, value in record["metadata"].items()}
    if structured:
        row |= {f"structured_output.{name}": value for name, value in (last.get("structured_output") or {}).items()}
    if variables:
        row |= {f"input.{name}": value for name, value in record["prompt_variables"].items()}
    return row
