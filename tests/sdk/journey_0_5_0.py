"""A journey through Revox with its own SDK 0.5.0, run as a process of its own: address in, what was read out."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from revox import Revox  # type: ignore[import-not-found]  # stands in a folder of its own

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
RETRIES = {
    "allowed_days": WEEK,
    "call_twice_in_a_row": False,
    "calling_windows": [
        {"calling_window_start_time": "6am", "calling_window_end_time": "23:30", "retry_delay_seconds": 0}
    ],
    "max_retry_attempts": 2,
    "timezone": "America/New_York",
}
EVERYBODY: dict[str, Any] = {
    "filters": {"assignee_ids": [], "directions": [], "outcomes": [], "results": [], "statuses": ["not_launched"]},
    "rows": {"mode": "all_except", "call_ids": []},
}
ANY: dict[str, Any] = {
    name: []
    for name in (
        "assignee_ids",
        "assistant_ids",
        "campaign_ids",
        "directions",
        "from_phone_numbers",
        "outcomes",
        "results",
        "statuses",
    )
}


def main(url: str) -> dict[str, Any]:
    client = Revox(api_key="sk-test", base_url=url, max_retries=0, timeout=10, _strict_response_validation=True)
    return {
        "account": account(client),
        "assistant": assistants(client),
        "call": calls(client),
        "campaign": campaigns(client),
    }


def account(client: Any) -> dict[str, Any]:
    return {
        "authenticated": client.auth_status.retrieve().authenticated,
        "user": client.users.retrieve().user.email,
        "voices": [voice.id for voice in client.voices.list().voices],
        "voice": client.voices.retrieve("voice-ada", provider="cartesia").voice.name,
        "numbers": [number.phone_number for number in client.phone_numbers.list().phone_numbers],
    }


def assistants(client: Any) -> dict[str, Any]:
    made = client.assistants.create(name="Reminders", prompt="Remind them.", call_retry_config=RETRIES).assistant
    changed = client.assistants.update(made.id, first_sentence="Hello.", first_sentence_mode="static").assistant
    copied = client.assistants.clone(made.id).assistant
    removed = client.assistants.delete(copied.id).success
    return {
        "name": made.name,
        "delay": made.first_sentence_delay_ms,
        "attempts": made.call_retry_config.max_retry_attempts,
        "changed": client.assistants.retrieve(made.id).first_sentence,
        "unchanged": changed.prompt,
        "removed": removed,
        "left": [assistant.id == made.id for assistant in client.assistants.list().assistants],
    }


def calls(client: Any) -> dict[str, Any]:
    assistant = client.assistants.list().assistants[0].id
    placed = client.call.create(
        phone_number=ANA,
        assistant_id=assistant,
        metadata={"attempt_id": "sdk-1"},
        prompt_variables={"first_name": "Ana"},
        concurrency={"key": "clinic"},
    ).call
    (found,) = client.call.search(**ANY, page=0, page_size=10, to_phone_number=ANA).calls
    ended = poll(lambda: client.call.retrieve(placed.id).call, lambda call: call.status == "completed")
    later = client.call.create(
        phone_number=TOM, assistant={"prompt": "Say hello."}, scheduled_at="2030-01-01T15:00:00Z"
    ).call
    paused = client.call.pause(later.id).success
    resumed = client.call.resume(later.id).success
    export = client.call.export(
        filters=ANY | {"page": 0, "page_size": 10}, include_metadata=True, include_structured_output_fields=True
    )
    return {
        "found": (found.id == placed.id, found.metadata),
        "ended": (ended.status, ended.calls_count, ended.last_call_attempt.result, ended.contact.first_name),
        "talked": bool(ended.outcome and ended.outcome_summary and ended.last_call_attempt.transcript),
        "assistant": ended.assistant.name,
        "later": (later.status, paused, resumed, client.call.cancel(later.id).success),
        "cancelled": client.call.retrieve(later.id).call.is_cancelled,
        "exported": export.csv.splitlines()[0].split(",")[:2],
        "reached": client.call.phone_history().phone_history[ANA].reached_human,
    }


def campaigns(client: Any) -> dict[str, Any]:
    made = client.campaigns.create(
        assistant_id=client.assistants.list().assistants[0].id,
        name="run-0001",
        contacts=[{"to_phone_number": phone, "prompt_variables": {"first_name": phone}} for phone in (ANA, SAM, TOM)],
        call_retry_config=RETRIES,
        max_concurrent_calls=1,
    ).campaign
    changed = client.campaigns.update(made.id, name="run-0002").campaign
    launched = client.campaigns.launch(made.id, mode="ai_first", selection=EVERYBODY)
    paused = client.campaigns.pause(made.id).success, client.campaigns.retrieve(made.id).campaign.status
    resumed = client.campaigns.resume(made.id).success
    poll(lambda: client.campaigns.get_rows(made.id).rows, lambda rows: rows[1].call.calls_count == 2)
    statistics = client.campaigns.statistics(made.id).statistics
    cancelled = client.campaigns.cancel(made.id).success
    rows = client.campaigns.get_rows(made.id).rows
    listed = client.campaigns.list().campaigns
    export = client.campaigns.export_rows(made.id)
    return {
        "made": (made.status, made.row_stats.not_launched, changed.name),
        "launched": (launched.launched, launched.skipped.active, launched.session),
        "paused": paused,
        "resumed": resumed,
        "rows": [(row.phone_number, row.input_data["first_name"] == row.phone_number) for row in rows],
        "statistics": (statistics.funnel.called.imported_rows, statistics.effort.outbound_attempts),
        "cancelled": cancelled,
        "listed": [(campaign.is_cancelled, campaign.status) for campaign in listed],
        "exported": len(export.csv.splitlines()),
        "removed": client.campaigns.delete(made.id).success,
    }


def poll(read: Any, is_done: Any) -> Any:
    """Read until it is done, ten seconds at most."""
    ends_at = time.monotonic() + 10
    while not is_done(found := read()):
        if time.monotonic() > ends_at:
            raise SystemExit(f"still not done: {found}")
        time.sleep(0.05)
    return found


if __name__ == "__main__":
    json.dump(main(sys.argv[1]), sys.stdout)
