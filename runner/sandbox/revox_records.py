"""How Revox writes down call orders and their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.sandbox.call import Attempt, Stage
from runner.sandbox.people import Conversation
from runner.sandbox.revox_order import Order
from runner.sandbox.revox_retries import DEFAULT_RETRIES
from runner.sandbox.wire import instant

ORGANIZATION = "org_1"

MODEL: Mapping[str, Any] = {"type": "dedicated-instance", "name": "gpt-4.1"}
"""the language model of an assistant that names none"""

DEFAULT_FROM = "+12025550190"
"""what people see of a call that names no number"""

_OUTCOMES = {"BOOKED": "interested", "REFUSED": "not_interested", "CALLBACK": "requested_callback_later"}
_DIAL_ERRORS = {"no_answer": "no_answer", "busy": "busy", "invalid_number": "number_non_attributed"}
_OTHER_DIAL_ERRORS = ("temporarily_unavailable", "non_classified_error")
_CONTACT = ("first_name", "last_name", "email", "company", "job_title")


def order_record(order: Order, *, newest: bool = True) -> dict[str, Any]:
    """Write a call order with its attempts, newest first, in the words of the newest generation or the seed's."""
    call, asked = order.call, order.call.asked
    assistant = order.assistant or {}
    attempts = attempt_records(order)
    status = order_status(order, newest=newest)
    talk = final_talk(order)
    return {
        "id": call.id,
        "organization_id": ORGANIZATION,
        "direction": "outbound",
        "status": status,
        "from_phone_number": from_number(order),
        "to_phone_number": call.to,
        "calls_count": len(attempts),
        "call_attempts": attempts,
        "last_call_attempt": attempts[0] if attempts else None,
        "call_retry_config": order.config or DEFAULT_RETRIES,
        "campaign": {"id": order.campaign_id, "name": order.campaign_name} if order.campaign_id else None,
        "assistant": order.assistant,
        "assignee": None,
        "contact": {name: asked.get("prompt_variables", {}).get(name) for name in _CONTACT},
        "metadata": asked.get("metadata", {}),
        "prompt_variables": asked.get("prompt_variables", {}),
        "llm_model": assistant.get("llm_model", MODEL),
        "first_sentence_delay_ms": assistant.get("first_sentence_delay_ms", 400),
        "is_cancelled": status == "cancelled",
        "is_completed": status == "completed",
        "outcome": order_outcome(order),
        "outcome_summary": talk.summary if talk else None,
        "follow_up_emails": None,
        "slack_channel_ids": None,
        "scheduled_at": instant(order.scheduled_at),
        "created_at": instant(call.created_at),
        "updated_at": instant(call.updated_at),
    }


def attempt_records(order: Order) -> list[dict[str, Any]]:
    """Write the attempts of an order, newest first."""
    records = [_attempt_record(order, number, attempt) for number, attempt in enumerate(order.call.attempts)]
    return records[::-1]


def order_status(order: Order, *, newest: bool = True) -> str:
    """Give the status of an order; the seed's generation has no word for an order that is being analysed."""
    call = order.call
    if call.stage is Stage.HELD:
        if order.is_paused:
            return "paused"
        return "not_launched" if order.campaign_id else "initializing"
    return {
        Stage.SCHEDULED: "scheduled",
        Stage.QUEUED: "queued_for_calling",
        Stage.RINGING: "calling",
        Stage.TALKING: "calling",
        Stage.ANALYSING: "post_processing" if newest else "calling",
        Stage.ENDED: "cancelled" if call.hung_up else "completed",
        Stage.CANCELLED: "cancelled",
    }[call.stage]


def order_outcome(order: Order) -> str | None:
    """Give what came out of an order in Revox's words; None unless somebody answered and it is over."""
    talk = final_talk(order)
    return _OUTCOMES[talk.tag] if talk else None


def order_result(order: Order) -> str | None:
    """Give who picked up at the latest attempt; None when nobody did or it has not ended."""
    return attempt_result(order.call.last) if order.call.last else None


def attempt_result(attempt: Attempt) -> str | None:
    """Give who picked up; None when nobody did or the attempt has not ended."""
    if attempt.ended_at is None or attempt.answered_at is None:
        return None
    return "voicemail" if attempt.fate.outcome == "voicemail" else "human"


def final_talk(order: Order) -> Conversation | None:
    """Give what was said in an order that is over; None when nobody talked."""
    last = order.call.last
    return last.fate.conversation if last and last.answered_at and order.call.stage is Stage.ENDED else None


def attempt_talk(attempt: Attempt) -> Conversation | None:
    """Give what was said in an attempt that is over; None when nobody talked."""
    return attempt.fate.conversation if attempt.ended_at and attempt.answered_at else None


def attempt_status(attempt: Attempt) -> str:
    """Give the status of an attempt in Revox's words."""
    if attempt.ended_at is not None:
        return "completed" if attempt.answered_at is not None else "error"
    return "ongoing" if attempt.answered_at is not None else "ringing"


def attempt_id(order: Order, number: int) -> str:
    """Give the id of an attempt, counted from 0."""
    digits = order.call.id.removeprefix("call_")
    return f"att_{digits}" if number == 0 else f"att_{digits}_{number + 1}"


def recording_of(order: Order, attempt: Attempt) -> str | None:
    """Give where an attempt can be heard; None when nobody picked up."""
    return f"https://rec.example.test/{order.call.id}.ogg" if attempt.ended_at and attempt.answered_at else None


def from_number(order: Order) -> str:
    """Give the number that the person saw."""
    own = (order.assistant or {}).get("from_phone_number")
    return str(order.call.asked.get("from_phone_number") or own or DEFAULT_FROM)


def _attempt_record(order: Order, number: int, attempt: Attempt) -> dict[str, Any]:
    picked_up, over = attempt.answered_at is not None, attempt.ended_at is not None
    talk = attempt_talk(attempt)
    return {
        "id": attempt_id(order, number),
        "phone_number": order.call.to,
        "status": attempt_status(attempt),
        "result": attempt_result(attempt),
        "dial_error": _dial_error(attempt),
        "recording_url": recording_of(order, attempt),
        "started_at": instant(attempt.placed_at),
        "answered_at": instant(attempt.answered_at),
        "ended_at": instant(attempt.ended_at),
        "handled_by_ai": picked_up,
        "handled_by_human": False,
        "handled_by_user": None,
        "ended_by": _ended_by(attempt),
        "end_reason": _end_reason(attempt),
        "structured_output": {"outcome": talk.tag} if talk else None,
        "transcript": _transcript(talk) if over and picked_up else None,
    }


def _dial_error(attempt: Attempt) -> str | None:
    """Give why nobody was reached; a refused call has an end reason instead, since the network did its work."""
    if attempt.ended_at is None or attempt.answered_at is not None:
        return None
    if attempt.hung_up or attempt.fate.outcome == "declined":
        return None
    other = _OTHER_DIAL_ERRORS[int(attempt.fate.draw * len(_OTHER_DIAL_ERRORS))]
    return _DIAL_ERRORS.get(attempt.fate.outcome, other)


def _ended_by(attempt: Attempt) -> str | None:
    if attempt.ended_at is None:
        return None
    if attempt.hung_up:
        return "system"
    if attempt.answered_at is None:
        return "user" if attempt.fate.outcome == "declined" else None
    if attempt.cut_off:
        return "system"
    return "agent" if attempt.fate.outcome == "voicemail" or attempt.fate.draw < 0.5 else "user"  # noqa: PLR2004  either side


def _end_reason(attempt: Attempt) -> str | None:
    ended_by = _ended_by(attempt)
    if ended_by is None:
        return None
    if attempt.hung_up:
        return "participant_removed"
    if attempt.cut_off:
        return "max_duration"
    reasons = {"declined": "user_rejected", "voicemail": "voicemail"}
    return reasons.get(attempt.fate.outcome, "tool_end_call" if ended_by == "agent" else "client_initiated")


def _transcript(talk: Conversation | None) -> list[dict[str, str]]:
    turns = talk.turns if talk else ()
    return [{"role": "assistant" if turn.speaker == "agent" else "user", "content": turn.text} for turn in turns]
