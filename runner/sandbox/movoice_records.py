"""How Movoice writes down calls and its sparse webhooks; bodies that are not documented are assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.sandbox.call import Call, Stage
from runner.sandbox.wire import unix

_REASONS = {
    "no_answer": "no_answer",
    "busy": "busy",
    "declined": "busy",
    "invalid_number": "invalid_number",
    "failed": "network_error",
}
"""our outcome -> documented reason of a failed call"""

_STORE = "https://storage.example.test"


def call_status(call: Call) -> str:
    """Give the status of a call in Movoice's words."""
    if call.stage is Stage.ENDED:
        return "failed" if call.answered_at is None else "completed"
    return {Stage.RINGING: "initiated", Stage.TALKING: "active", Stage.QUEUED: "queued"}.get(call.stage, "scheduled")


def call_summary(call: Call, *, phone: bool = True) -> dict[str, Any]:
    """Write a call as lists and answers show it, the recipient left out where lists do."""
    summary = {
        "call_id": call.id,
        "status": call_status(call),
        "agent_id": call.agent,
        "recipient_phone": call.to,
        "created_at": unix(call.created_at),
    }
    if not phone:
        del summary["recipient_phone"]
    return summary


def call_detail(call: Call) -> dict[str, Any]:
    """Write everything about a call."""
    talk = call.fate.conversation if call.fate and call.stage is Stage.ENDED else None
    detail = {
        **call_summary(call),
        "duration": call.seconds or 0,
        "transcript": [{"role": _role(turn.speaker), "text": turn.text} for turn in talk.turns] if talk else [],
        "summary": talk.summary if talk else None,
        "sentiment": talk.sentiment if talk else None,
        "outcome": talk.tag if talk else None,
    }
    if call_status(call) == "failed" and call.outcome is not None:
        detail["reason"] = _REASONS[call.outcome]
    return detail


def started_body(call: Call) -> dict[str, Any]:
    """Write the webhook of a call that was picked up."""
    return {
        "event_type": "call.started",
        "call_id": call.id,
        "agent_id": call.agent,
        "direction": "outbound",
        "recipient_phone": call.to,
        "timestamp": unix(call.updated_at),
    }


def completed_body(call: Call) -> dict[str, Any]:
    """Write the webhook of a call that ended after it was picked up; a machine is not told apart, since there is no word for it."""
    talk = call.fate.conversation if call.fate else None
    return {
        "event_type": "call.completed",
        "call_id": call.id,
        "duration": call.seconds or 0,
        "summary": talk.summary if talk else "Reached an answering machine.",
        "sentiment": talk.sentiment if talk else "neutral",
        "outcome": talk.tag if talk else None,
        "transcript_url": f"{_STORE}/transcripts/{call.id}.json",
        "recording_url": f"{_STORE}/recordings/{call.id}.mp3",
    }


def failed_body(call: Call) -> dict[str, Any]:
    """Write the webhook of a call that nobody picked up."""
    return {
        "event_type": "call.failed",
        "call_id": call.id,
        "reason": _REASONS[call.outcome or "failed"],
        "recipient_phone": call.to,
        "timestamp": unix(call.updated_at),
    }


def action_body(call: Call, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Write the webhook of something that the agent did during a call."""
    return {
        "event_type": "action.triggered",
        "call_id": call.id,
        "action_name": action,
        "parameters": dict(parameters),
    }


def transfer_body(call: Call, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write the webhook of a call that was put through; all but its first two keys are assumed."""
    return {"event_type": "transfer.initiated", "call_id": call.id, **facts}


def _role(speaker: str) -> str:
    return "agent" if speaker == "agent" else "user"
