"""A journey through Revox with its own SDK 0.1.1, of generation A, run as a process of its own."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from revox import Revox  # type: ignore[import-not-found]  # stands in a folder of its own

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
RETRIES = {
    "calling_windows": [
        {"calling_window_start_time": "06:00", "calling_window_end_time": "11:30pm", "retry_delay_seconds": 1}
    ],
    "max_retry_attempts": 2,
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
        "user": client.users.me.retrieve().user.email,
        "voices": [voice.id for voice in client.voices.list().voices],
    }


def assistants(client: Any) -> dict[str, Any]:
    made = client.assistants.create(
        name="Reminders", prompt="Remind them.", call_retry_config=RETRIES, transfer_phone_number="+12025550188"
    ).assistant
    other = client.assistants.create(name="Other", prompt="Nothing.").assistant
    return {
        "changed": client.assistants.update(made.id, voicemail_message="Call us.").assistant.voicemail_message,
        "read": client.assistants.retrieve(made.id).transfer_phone_number,
        "removed": client.assistants.delete(other.id).success,
        "left": [assistant.name for assistant in client.assistants.list().assistants],
    }


def calls(client: Any) -> dict[str, Any]:
    assistant = client.assistants.list().assistants[0].id
    placed = client.call.create(
        phone_number=ANA,
        assistant_id=assistant,
        metadata={"attempt_id": "sdk-1"},
        concurrency={"key": "clinic", "max": 1},
        force_now=True,
    ).call
    ended = poll(lambda: client.call.retrieve(placed.id).call, lambda call: call.status == "completed")
    attempts = client.call.list(page=0, page_size=10, statuses=["completed", "calling"]).calls
    return {
        "metadata": ended.metadata,
        "ended": (ended.status, ended.calls_count, ended.last_call_attempt.result),
        "found": [(attempt.phone_number, attempt.status, attempt.result) for attempt in attempts],
        "elsewhere": len(client.call.list(page=1, page_size=10).calls),
    }


def campaigns(client: Any) -> dict[str, Any]:
    made = client.campaigns.create(
        assistant_id=client.assistants.list().assistants[0].id,
        name="run-0001",
        contacts=[{"to_phone_number": phone, "prompt_variables": {"first_name": phone}} for phone in (ANA, SAM, TOM)],
        call_retry_config=RETRIES,
        max_concurrent_calls=1,
    ).campaign
    poll(
        lambda: client.campaigns.get_rows(made.id, page=1, page_size=2).rows, lambda rows: rows[1].call.calls_count == 2
    )
    cancelled = client.campaigns.cancel(made.id).success
    page = client.campaigns.get_rows(made.id, page=2, page_size=2)
    reached = client.campaigns.get_rows(made.id, page=1, page_size=5, result="human")
    return {
        "made": (made.status, made.row_stats.total),
        "cancelled": (cancelled, client.campaigns.retrieve(made.id).campaign.is_cancelled),
        "page": (page.page, page.page_size, page.total, [row.phone_number for row in page.rows]),
        "reached": [row.phone_number for row in reached.rows],
        "listed": [campaign.name for campaign in client.campaigns.list().campaigns],
        "exported": len(client.campaigns.export_rows(made.id).csv.splitlines()),
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
