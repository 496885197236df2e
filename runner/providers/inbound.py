"""Reads texts that people send back out of webhooks: RevRing's event, and a plain form for everybody else."""

from __future__ import annotations

from runner.model.outcome import InboundText
from runner.providers.reading import first_id, instant_of, text_of
from runner.providers.replies import webhook_document

MOST_CHARACTERS = 2_000
"""how much of a text is kept; a text message has at most 1,600 characters"""


def read_plain_text(provider: str, body: bytes) -> tuple[InboundText, ...]:
    """Read ``{"from": "+1...", "to": "+1...", "body": "..."}``; none when the webhook is about something else.

    This is the form that a gateway, or a rule at the provider, is to be set to; ``id`` and ``at``
    may stand beside it. Raises WebhookRefused for what is no JSON object.
    """
    document = webhook_document(provider, body)
    if "status" in document or not isinstance(document.get("from"), str) or not isinstance(document.get("body"), str):
        return ()
    return (
        InboundText(
            provider=provider,
            from_number=text_of(document.get("from"), 40).strip(),
            to_number=text_of(document.get("to"), 40).strip(),
            body=text_of(document.get("body"), MOST_CHARACTERS),
            provider_id=first_id(document, "id"),
            at=instant_of(document.get("at")),
        ),
    )


def read_message_received(provider: str, body: bytes) -> tuple[InboundText, ...]:
    """Read RevRing's ``message_received``, which it sends once and never again; none for every other event."""
    document = webhook_document(provider, body)
    if document.get("event") != "message_received":
        return ()
    return (
        InboundText(
            provider=provider,
            from_number=text_of(document.get("fromNumber"), 40).strip(),
            to_number=text_of(document.get("toNumber"), 40).strip(),
            body=text_of(document.get("body"), MOST_CHARACTERS),
            provider_id=first_id(document, "messageSid", "id"),
            at=instant_of(document.get("at")) or instant_of(document.get("createdAt")),
        ),
    )
