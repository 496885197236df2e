"""An attempt's row read as the assignment that the engine carries out."""

from __future__ import annotations

import json
import sqlite3

from runner.ledger.instants import from_micros
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.request import Request
from runner.rules.zones import own_zones


def assignment_of(row: sqlite3.Row) -> Assignment:
    """Read a row of `attempts_by_id`."""
    told = dict(zip(row.keys(), row, strict=True))  # a row looks through its names each time that it is asked
    attempt = Attempt(
        id=told["id"], key=told["key"], campaign=told["campaign"], contact_id=told["contact_id"],
        contact_key=told["contact_key"], phone=told["phone"], zones=tuple(told["zones"].split()),
        step=told["step"], number=told["number"], channel=told["channel"], provider=told["provider"],
        account=told["account"], state=AttemptState(told["state"]), due_at=from_micros(told["due_at"]),
        transport_tries=told["transport_tries"], provider_id=told["provider_id"] or "",
        sent_at=from_micros(told["sent_at"]), poll_at=from_micros(told["poll_at"]), polls=told["polls"],
        jurisdictions=tuple(told["jurisdictions"].split()), step_due_at=from_micros(told["step_due_at"]),
        is_callback=bool(told["is_callback"]), own_zones=own_zones(told["zone_source"], told["phone"]),
        lost_since=from_micros(told["lost_since"]), lost_until=from_micros(told["lost_until"]),
        is_lost=told["lost_until"] is not None and not told["lost_asked"],
    )  # fmt: skip
    return Assignment(
        attempt=attempt,
        agent_id=told["agent_id"],
        request=Request(method=told["method"], path=told["path"], body=json.loads(told["body"])),
        cells=json.loads(told["cells"]),
        agent=told["agent"],
        variant=told["variant"],
        suppression=(told["suppression"] or "") if told["suppressed_until"] is None else "",
        is_paused=not told["is_active"],
        has_left=bool(told["has_left"]),
        left_alone_until=from_micros(told["suppressed_until"]),
        left_alone_why=told["suppression"] or "" if told["suppressed_until"] is not None else "",
    )
