"""Revox's webhook of an order, in the two shapes that its documentations show."""

from __future__ import annotations

from typing import Any

from runner.sandbox import revox_records as records
from runner.sandbox.revox_order import Order
from runner.sandbox.wire import instant

_ORDER = (
    "id",
    "direction",
    "from_phone_number",
    "to_phone_number",
    "calls_count",
    "llm_model",
    "is_completed",
    "created_at",
)
_ATTEMPT = (
    "id",
    "phone_number",
    "status",
    "result",
    "recording_url",
    "started_at",
    "answered_at",
    "ended_at",
    "transcript",
    "structured_output",
)


def nested_webhook(order: Order) -> dict[str, Any]:
    """Write the webhook of the oldest documentation: the order, and the attempt beside it."""
    record = records.order_record(order)
    attempts = [{name: attempt[name] for name in _ATTEMPT} for attempt in record["call_attempts"]]
    last = attempts[0] if attempts else None
    config = record["call_retry_config"]
    return {
        "call": {
            **{name: record[name] for name in _ORDER},
            "call_attempts": attempts,
            "last_call_attempt": last,
            "call_retry_config": {
                **config["calling_windows"][0],
                "max_retry_attempts": config["max_retry_attempts"],
                "timezone": config.get("timezone"),
            },
            "next_call_at": None,
        },
        "call_attempt": last,
    }


def flat_webhook(order: Order) -> dict[str, Any]:
    """Write the webhook of the other documentation: one level, the transcript as text."""
    call, last = order.call, order.call.last
    if last is None:
        raise ValueError("an order without an attempt has no webhook")
    talk = records.attempt_talk(last)
    return {
        "call_order_id": call.id,
        "call_id": records.attempt_id(order, len(call.attempts) - 1),
        "status": records.attempt_status(last),
        "result": records.attempt_result(last),
        "annotation": talk.summary if talk else None,
        "transcript": "\n".join(f"{turn.speaker}: {turn.text}" for turn in talk.turns) if talk else "",
        "recording_url": records.recording_of(order, last),
        "started_at": instant(last.placed_at),
        "ended_at": instant(last.ended_at),
        "calls_count": len(call.attempts),
        "timestamp": instant(call.updated_at),
    }
