"""The sample campaigns reproduce the requests that the providers' own pages print, key for key and type for type.

Where a page prints a placeholder or a number that must not be used, a fictional one stands in.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.running import Shell

_PHONE = "+12025550143"
_BEARER = {"Content-Type": "application/json", "Authorization": "Bearer env:{}_API_KEY"}

SEEDS: dict[str, dict[str, Any]] = {
    "revmo-sales-followup": {
        "url": "https://api.revmo.ai/v1/makecall/",
        "channel": "call",
        "body": {
            "agentId": "YOUR_AGENT_ID",
            "to": _PHONE,
            "trigger": "sales_followup",
            "metadata": {"customer_name": "John Doe", "account_type": "premium"},
        },
    },
    "revmo-appointment-text": {
        "url": "https://api.revmo.ai/v1/startsms/",
        "channel": "text",
        "body": {
            "agentId": "YOUR_AGENT_ID",
            "to": _PHONE,
            "trigger": "appointment_reminder",
            "metadata": {"customer_name": "John Doe", "appointment_time": "2025-02-22T15:00:00Z"},
            "override": "Hi John, just confirming your appointment tomorrow at 3 PM.",
            "no_agent": "true",
        },
    },
    "revring-call": {
        "url": "https://api.revring.ai/v1/calls",
        "channel": "call",
        "body": {
            "agentId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "toNumber": _PHONE,
            "fromNumber": "+12025550100",
            "variables": {},
            "callerIdName": "Mercer Dental",
            "skipQueue": False,
        },
    },
    "revox-campaign": {
        "url": "https://www.getrevox.com/api/campaigns",
        "channel": "call",
        "body": {
            "assistant_id": "assistant_id",
            "contacts": [{"prompt_variables": {"foo": "string"}, "to_phone_number": _PHONE}],
            "name": "x",
        },
    },
    "movoice-reminder": {
        "url": "https://api.movoice.ai/v1/call",
        "channel": "call",
        "body": {
            "agent_id": "agent_12345",
            "recipient_phone": _PHONE,
            "variables": {"name": "Rahul", "amount_due": "₹2,500", "due_date": "April 25"},
        },
    },
    "movoice-scheduled": {
        "url": "https://api.movoice.ai/v1/call",
        "channel": "call",
        "body": {
            "agent_id": "agent_12345",
            "recipient_phone": "+12025550144",
            "schedule_at": 1714000000,
            "variables": {"name": "Priya"},
        },
    },
}


@pytest.mark.parametrize("campaign", SEEDS)
def test_printed_request(shell: Shell, campaign: str) -> None:
    """Method, URL, headers, every key in its order, every type."""
    done = shell("plan", f"campaigns/{campaign}.yaml", "--at", "2026-12-01T09:00:00Z", "--format", "json")
    line, summary = done.lines()
    seed = SEEDS[campaign]

    assert done.code == 0
    assert summary["summary"]["create"] == 1
    assert (line["method"], line["url"], line["channel"]) == ("POST", seed["url"], seed["channel"])
    # As text, so that the order of keys and the difference between false, "false" and 0 count.
    assert json.dumps(line["body"], ensure_ascii=False) == json.dumps(seed["body"], ensure_ascii=False)
    assert _documented(line["headers"]) == _credentials(line["provider"])


def _documented(headers: dict[str, str]) -> dict[str, str]:
    """Leave out the one header that we add to every provider's own: the attempt's key."""
    return {name: value for name, value in headers.items() if name != "Idempotency-Key"}


def _credentials(provider: str) -> dict[str, str]:
    if provider == "revring":
        return {"Content-Type": "application/json", "x-api-key": "env:REVRING_API_KEY"}
    return {name: value.format(provider.upper()) for name, value in _BEARER.items()}
