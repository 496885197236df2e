"""How RevRing writes down calls and messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from runner.sandbox.call import Call, Stage
from runner.sandbox.people import Conversation
from runner.sandbox.wire import instant

ORGANIZATION = "0b5f6c1e-52a1-4b0e-9d2a-000000000001"

STATUSES = frozenset({"QUEUED", "INITIATED", "ONGOING", "TRANSFERRED", "COMPLETED", "FAILED", "CANCELED"})

_TRUNK = "7d1d5a7e-1111-4222-8333-000000000009"
_AGENT_NAME = "Sandbox Agent"

_ERRORS = {
    "no_answer": "no answer: the callee did not pick up",
    "busy": "call rejected by the callee (busy or declined)",
    "declined": "call rejected by the callee (busy or declined)",
    "invalid_number": "call rejected (SIP 404: Not Found)",
}
"""our outcome -> documented literal"""

_OTHER_ERRORS = (
    "the call could not be completed",
    "no response from the carrier",
    "the line disconnected before the call was answered",
)

NO_SLOT = "concurrency_limit"
"""documented literal of a call that waited too long for a line"""

EXPORTED = (
    "id",
    "status",
    "direction",
    "agentId",
    "fromNumber",
    "toNumber",
    "createdAt",
    "startedAt",
    "endedAt",
    "durationSeconds",
    "hangupCause",
    "errorMessage",
    "summary",
    "recordingUrl",
    "campaignId",
)
"""columns of the export of calls; assumed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A text that a person sent to an agent."""

    agent: str
    conversation: str
    sender: str
    to: str
    body: str
    carrier: str
    """the carrier's id of it"""


_HEAVY = ("transcript", "summary", "metrics", "variables")
_WEBHOOK_STATE = ("postCallWebhookStatus", "preCallWebhookStatus", "postCallWebhookAttempts")


def uuid(digits: str) -> str:
    """Write 32 hexadecimal digits as a UUID."""
    return str(UUID(digits, version=4))


def call_record(call: Call, *, minimal: bool = False) -> dict[str, Any]:
    """Write the call record; the minimal form leaves transcript, summary, metrics and variables out."""
    asked = call.asked
    record = {
        "id": call.id,
        "organizationId": ORGANIZATION,
        "direction": "OUTBOUND",
        "status": call_status(call),
        "fromNumber": asked["fromNumber"],
        "toNumber": call.to,
        "initiatedAt": instant(call.placed_at or call.created_at),
        "createdAt": instant(call.created_at),
        "updatedAt": instant(call.updated_at),
        "agentId": call.agent,
        "sipTrunkId": _TRUNK,
        "agentCallerIdName": asked.get("callerIdName"),
        "agentName": _AGENT_NAME,
        "variables": asked.get("variables"),
        "startedAt": instant(call.answered_at),
        "endedAt": instant(call.ended_at),
        "durationSeconds": call.seconds,
        "errorMessage": _error(call),
        "postCallWebhookStatus": _webhook_status(call),
        "preCallWebhookStatus": None,
        "metadata": asked.get("metadata"),
        "campaignId": call.facts.get("campaign_id"),
        **_talk_fields(call),
    }
    return {name: value for name, value in record.items() if name not in _HEAVY} if minimal else record


def post_call_body(call: Call) -> dict[str, Any]:
    """Write the post-call webhook: the call record without the state of the webhook itself."""
    return {name: value for name, value in call_record(call).items() if name not in _WEBHOOK_STATE}


def started_body(call: Call) -> dict[str, Any]:
    """Write the ``call.started`` webhook."""
    return {
        "event": "call.started",
        "call": {
            "id": call.id,
            "agentId": call.agent,
            "agentName": _AGENT_NAME,
            "direction": "OUTBOUND",
            "fromNumber": call.asked["fromNumber"],
            "toNumber": call.to,
            "variables": call.asked.get("variables"),
            "campaignId": call.facts.get("campaign_id"),
            "startedAt": instant(call.answered_at),
        },
    }


def message_record(message: Call) -> dict[str, Any]:
    """Write a message; its statuses are assumed, since none are documented."""
    asked = message.asked
    failed = message.outcome == "failed"
    return {
        "id": message.id,
        "agentId": asked.get("agentId"),
        "messagingConnectionId": asked.get("messagingConnectionId", "mc_default"),
        "callId": None,
        "conversationId": message.facts["conversation"],
        "channel": "sms",
        "fromNumber": asked.get("from", "+12025550190"),
        "toNumber": message.to,
        "body": asked.get("body", "Thank you for your message."),
        "status": message_status(message),
        "providerMessageId": message.facts["carrier"],
        "generatedByLlm": asked.get("generate", False),
        "errorMessage": "the carrier could not deliver the message" if failed else None,
        "createdAt": instant(message.created_at),
    }


def received_record(text: ReceivedText, *, id: str, at: datetime) -> dict[str, Any]:
    """Write a message that a person sent."""
    return {
        "id": id,
        "agentId": text.agent,
        "messagingConnectionId": "mc_default",
        "callId": None,
        "conversationId": text.conversation,
        "channel": "sms",
        "fromNumber": text.sender,
        "toNumber": text.to,
        "body": text.body,
        "status": "received",
        "providerMessageId": text.carrier,
        "generatedByLlm": False,
        "errorMessage": None,
        "createdAt": instant(at),
    }


def received_body(text: ReceivedText) -> dict[str, Any]:
    """Write the ``message_received`` webhook of such a message."""
    return {
        "event": "message_received",
        "organizationId": ORGANIZATION,
        "agentId": text.agent,
        "conversationId": text.conversation,
        "fromNumber": text.sender,
        "toNumber": text.to,
        "body": text.body,
        "messageSid": text.carrier,
    }


def call_status(call: Call) -> str:
    """Give the status of a call in RevRing's words."""
    if call.stage is Stage.ENDED:
        return "COMPLETED" if call.answered_at is not None else "FAILED"
    words = {Stage.CANCELLED: "CANCELED", Stage.RINGING: "INITIATED", Stage.TALKING: "ONGOING"}
    return words.get(call.stage, "QUEUED")


def message_status(message: Call) -> str:
    """Give the status of a message; assumed words."""
    return message.outcome or "sent"


def hangup_cause(call: Call) -> str | None:
    """Give why a call ended in RevRing's words; None when it was never picked up or has not ended."""
    if call.stage is not Stage.ENDED or call.fate is None:
        return None
    if call.hung_up:
        return "API_ENDED"
    if call.answered_at is None:
        return None
    if call.fate.outcome == "voicemail":
        return "VOICEMAIL_DETECTED"
    if call.cut_off:
        return "MAX_DURATION"
    return "END_CALL_TOOL" if call.fate.draw < 0.5 else "USER_ENDED"  # noqa: PLR2004  either side as often


def sort_value(call: Call, key: str) -> tuple[bool, datetime | str | int]:
    """Give what a list is sorted by; what is not known yet comes first."""
    values: dict[str, datetime | str | int | None] = {
        "createdAt": call.created_at,
        "startedAt": call.answered_at,
        "endedAt": call.ended_at,
        "durationSeconds": call.seconds,
        "status": call_status(call),
        "direction": "OUTBOUND",
    }
    value = values[key]
    return (False, "") if value is None else (True, value)


def _talk_fields(call: Call) -> dict[str, Any]:
    """Write what only a call that was picked up has; null or absent until it has ended."""
    cause = hangup_cause(call)
    if call.stage is not Stage.ENDED or call.answered_at is None:
        return {"recordingUrl": None, "hangupCause": cause, "transcript": None, "summary": None, "metrics": None}
    talk = call.fate.conversation if call.fate else None
    tries = call.delivery.attempts if call.delivery else 0
    return {
        "recordingUrl": f"https://recordings.example.test/{call.id}.ogg",
        "hangupCause": cause,
        "transcript": _transcript(talk),
        "summary": talk.summary if talk else None,
        "metrics": {"llm_prompt_tokens": 900, "llm_completion_tokens": 60, "tts_characters_count": 180},
        "extraction": {"outcome": talk.tag, "callback_requested": talk.tag == "CALLBACK"} if talk else None,
        "evaluation": None,
        "sentiment": talk.sentiment if talk else "unknown",
        "doNotCallRequested": False,
        "postCallWebhookAttempts": tries,
    }


def _transcript(talk: Conversation | None) -> list[dict[str, Any]]:
    return [
        {
            "at": 4.5 * at,
            "seq": at,
            "role": "assistant" if turn.speaker == "agent" else "user",
            "text": turn.text,
            "type": "message",
            "turnId": f"item_{at + 1}",
            "isFinal": True,
        }
        for at, turn in enumerate(talk.turns if talk else ())
    ]


def _error(call: Call) -> str | None:
    if call.error:
        return call.error
    if call.stage is not Stage.ENDED or call.answered_at is not None or call.fate is None or call.hung_up:
        return None
    return _ERRORS.get(call.fate.outcome) or _OTHER_ERRORS[int(call.fate.draw * len(_OTHER_ERRORS))]


def _webhook_status(call: Call) -> str | None:
    if not call.is_over:
        return None
    if call.delivery is None:
        return "skipped"
    return None if call.delivery.status == "pending" else call.delivery.status
