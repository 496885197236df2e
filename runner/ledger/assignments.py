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
    attempt = Attempt(
        id=row["id"], key=row["key"], campaign=row["campaign"], contact_id=row["contact_id"],
        contact_key=row["contact_key"], phone=row["phone"], zones=tuple(row["zones"].split()),
        step=row["step"], number=row["number"], channel=row["channel"], provider=row["provider"],
        account=row["account"], state=AttemptState(row["state"]), due_at=from_micros(row["due_at"]),
        transport_tries=row["transport_tries"], provider_id=row["provider_id"] or "",
        sent_at=from_micros(row["sent_at"]), poll_at=from_micros(row["poll_at"]), polls=row["polls"],
        jurisdictions=tuple(row["jurisdictions"].split()), step_due_at=from_micros(row["step_due_at"]),
        is_callback=bool(row["is_callback"]), own_zones=own_zones(row["zone_source"], row["phone"]),
        lost_since=from_micros(row["lost_since"]), lost_until=from_micros(row["lost_until"]),
        is_lost=row["lost_until"] is not None and not row["lost_asked"],
    )  # fmt: skip
    return Assignment(
        attempt=attempt,
        agent_id=row["agent_id"],
        request=Request(method=row["method"], path=row["path"], body=json.loads(row["body"])),
        cells=json.loads(row["cells"]),
        agent=row["agent"],
        variant=row["variant"],
        suppression=(row["suppression"] or "") if row["suppressed_until"] is None else "",
        is_paused=not row["is_active"],
        has_left=bool(row["has_left"]),
        left_alone_until=from_micros(row["suppressed_until"]),
        left_alone_why=row["suppression"] or "" if row["suppressed_until"] is not None else "",
    )
