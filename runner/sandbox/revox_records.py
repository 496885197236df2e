"""How Revox writes down call orders, their attempts, and its webhooks."""

from __future__ import annotations

from typing import Any

from runner.sandbox.call import Call, Stage
from runner.sandbox.people import Conversation
from runner.sandbox.wire import instant

ORGANIZATION = "org_1"

DEFAULT_RETRIES = {
    "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "call_twice_in_a_row": False,
    "calling_windows": [
        {"calling_window_start_time": "10:00", "calling_window_end_time": "18:00", "retry_delay_seconds": 7200}
    ],
    "max_retry_attempts": 3,
    "timezone": None,
}
"""documented default of an order's own retries"""

_FROM = "+12025550190"
_MODEL = {"type": "dedicated-instance", "name": "gpt-4.1"}
_OUTCOMES = {"BOOKED": "interested", "REFUSED": "not_interested", "CALLBACK": "requested_callback_later"}
_DIAL_ERRORS = {"no_answer": "no_answer", "busy": "busy", "invalid_number": "number_non_attributed"}
_OTHER_DIAL_ERRORS = ("temporarily_unavailable", "non_classified_error")


def order_record(call: Call) -> dict[str, Any]:
    """Write a call order with its attempts, newest first."""
    asked = call.asked
    attempts = [attempt] if (attempt := attempt_record(call)) else []
    talk = _talk(call)
    return {
        "id": call.id,
        "organization_id": ORGANIZATION,
        "direction": "outbound",
        "status": order_status(call),
        "from_phone_number": from_number(call),
        "to_phone_number": call.to,
        "calls_count": len(attempts),
        "call_attempts": attempts,
        "last_call_attempt": attempts[0] if attempts else None,
        "call_retry_config": asked.get("call_retry_config", DEFAULT_RETRIES),
        "campaign": _campaign(call),
        "assistant": asked.get("assistant"),
        "assignee": None,
        "contact": {
            name: asked.get("prompt_variables", {}).get(name)
            for name in ("first_name", "last_name", "email", "company", "job_title")
        },
        "metadata": asked.get("metadata", {}),
        "prompt_variables": asked.get("prompt_variables", {}),
        "llm_model": _MODEL,
        "first_sentence_delay_ms": 400,
        "is_cancelled": order_status(call) == "cancelled",
        "is_completed": order_status(call) == "completed",
        "outcome": order_outcome(call),
        "outcome_summary": talk.summary if talk else None,
        "follow_up_emails": None,
        "slack_channel_ids": None,
        "scheduled_at": instant(call.due_at),
        "created_at": instant(call.created_at),
        "updated_at": instant(call.updated_at),
    }


def attempt_record(call: Call) -> dict[str, Any] | None:
    """Write the one attempt of an order; None when nobody was dialled yet."""
    if call.placed_at is None:
        return None
    over = call.stage is Stage.ENDED
    picked_up = call.answered_at is not None
    return {
        "id": f"att_{call.id.removeprefix('call_')}",
        "phone_number": call.to,
        "status": _attempt_status(call),
        "result": attempt_result(call),
        "dial_error": _dial_error(call),
        "recording_url": f"https://rec.example.test/{call.id}.ogg" if over and picked_up else None,
        "started_at": instant(call.placed_at),
        "answered_at": instant(call.answered_at),
        "ended_at": instant(call.ended_at),
        "handled_by_ai": picked_up,
        "handled_by_human": False,
        "handled_by_user": None,
        "ended_by": _ended_by(call),
        "end_reason": _end_reason(call),
        "structured_output": {"outcome": talk.tag} if (talk := _talk(call)) else None,
        "transcript": _transcript(call) if over and picked_up else None,
    }


def nested_webhook(call: Call) -> dict[str, Any]:
    """Write the webhook of the oldest documentation: the order, and the attempt beside it."""
    order, attempt = order_record(call), attempt_record(call)
    short = {name: attempt[name] for name in _WEBHOOK_ATTEMPT} if attempt else None
    config = order["call_retry_config"]
    return {
        "call": {
            **{name: order[name] for name in _WEBHOOK_ORDER},
            "call_attempts": [short] if short else [],
            "last_call_attempt": short,
            "call_retry_config": {
                **config["calling_windows"][0],
                "max_retry_attempts": config["max_retry_attempts"],
                "timezone": config.get("timezone"),
            },
            "next_call_at": None,
        },
        "call_attempt": short,
    }


def flat_webhook(call: Call) -> dict[str, Any]:
    """Write the webhook of the other documentation: one level, the transcript as text."""
    talk = _talk(call)
    return {
        "call_order_id": call.id,
        "call_id": f"att_{call.id.removeprefix('call_')}",
        "status": _attempt_status(call),
        "result": attempt_result(call),
        "annotation": talk.summary if talk else None,
        "transcript": "\n".join(f"{turn.speaker}: {turn.text}" for turn in talk.turns) if talk else "",
        "recording_url": f"https://rec.example.test/{call.id}.ogg" if call.answered_at else None,
        "started_at": instant(call.placed_at),
        "ended_at": instant(call.ended_at),
        "calls_count": 1,
        "timestamp": instant(call.updated_at),
    }


def order_status(call: Call) -> str:
    """Give the status of an order in Revox's words."""
    if call.stage is Stage.HELD:
        return "paused" if call.facts.get("paused") else call.facts.get("held_as", "initializing")
    return {
        Stage.SCHEDULED: "scheduled",
        Stage.QUEUED: "queued_for_calling",
        Stage.RINGING: "calling",
        Stage.TALKING: "calling",
        Stage.ENDED: "cancelled" if call.hung_up else "completed",
        Stage.CANCELLED: "cancelled",
    }[call.stage]


def order_outcome(call: Call) -> str | None:
    """Give what came out of an order in Revox's words; None unless somebody answered."""
    talk = _talk(call)
    return _OUTCOMES[talk.tag] if talk else None


def attempt_result(call: Call) -> str | None:
    """Give who picked up; None when nobody did or the call has not ended."""
    if call.stage is not Stage.ENDED or call.answered_at is None or call.fate is None:
        return None
    return "voicemail" if call.fate.outcome == "voicemail" else "human"


def from_number(call: Call) -> str:
    """Give the number that the person saw."""
    return str(call.asked.get("from_phone_number") or _FROM)


_WEBHOOK_ORDER = (
    "id",
    "direction",
    "from_phone_number",
    "to_phone_number",
    "calls_count",
    "llm_model",
    "is_completed",
    "created_at",
)
_WEBHOOK_ATTEMPT = (
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


def _talk(call: Call) -> Conversation | None:
    return call.fate.conversation if call.fate and call.stage is Stage.ENDED and call.answered_at else None


def _campaign(call: Call) -> dict[str, str] | None:
    if "campaign_id" not in call.facts:
        return None
    return {"id": call.facts["campaign_id"], "name": call.facts["campaign_name"]}


def _attempt_status(call: Call) -> str:
    if call.stage is Stage.ENDED:
        return "completed" if call.answered_at is not None else "error"
    return "ongoing" if call.stage is Stage.TALKING else "ringing"


def _dial_error(call: Call) -> str | None:
    """Give why nobody was reached; a refused call has an end reason instead, since the network did its work."""
    if call.stage is not Stage.ENDED or call.answered_at is not None or call.fate is None:
        return None
    if call.hung_up or call.fate.outcome == "declined":
        return None
    other = _OTHER_DIAL_ERRORS[int(call.fate.draw * len(_OTHER_DIAL_ERRORS))]
    return _DIAL_ERRORS.get(call.fate.outcome, other)


def _ended_by(call: Call) -> str | None:
    if call.stage is not Stage.ENDED or call.fate is None:
        return None
    if call.hung_up:
        return "system"
    if call.answered_at is None:
        return "user" if call.fate.outcome == "declined" else None
    return "agent" if call.fate.outcome == "voicemail" or call.fate.draw < 0.5 else "user"  # noqa: PLR2004  either side


def _end_reason(call: Call) -> str | None:
    ended_by = _ended_by(call)
    if ended_by is None or call.fate is None:
        return None
    if call.hung_up:
        return "participant_removed"
    if call.fate.outcome == "declined":
        return "user_rejected"
    if call.fate.outcome == "voicemail":
        return "voicemail"
    return "tool_end_call" if ended_by == "agent" else "client_initiated"


def _transcript(call: Call) -> list[dict[str, str]]:
    talk = _talk(call)
    turns = talk.turns if talk else ()
    return [{"role": "assistant" if turn.speaker == "agent" else "user", "content": turn.text} for turn in turns]
