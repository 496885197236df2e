"""Results in full: written when an attempt is settled, filled when more is told, read out page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from runner.errors import NotFound
from runner.ledger.instants import from_micros, to_micros
from runner.model.outcome import Observation, Outcome
from runner.model.result import AttemptRecord, ExportRow, Reply, Result

if TYPE_CHECKING:
    from runner.ledger.store import Store

PAGE = 500
"""contacts that are read at once"""

_COLUMNS = ("sentiment", "duration_seconds", "hangup_cause", "calls", "recording_url", "transcript_url")
_DETAILS = ("summary", "transcript", "structured", "words")


def write_result(store: Store, attempt_id: int, outcome: Outcome, seen: Observation, at: datetime) -> None:
    """Write what was said about an attempt that ends, in the transaction that ends it; the first result stays."""
    store.change(
        "add_result", attempt_id=attempt_id, at=to_micros(at), outcome=outcome.value, **_columns(seen),
        detail=_dump(_details(seen)),
    )  # fmt: skip


def fill_result(store: Store, attempt_id: int, seen: Observation) -> None:
    """Add what a later word knows and the result does not say yet; what it says already stays."""
    row = store.one("result", attempt_id=attempt_id)
    if row is None:
        return
    later = _columns(seen)
    columns = {name: row[name] if row[name] not in ("", None) else later[name] for name in _COLUMNS}
    known = json.loads(row["detail"])
    detail = {name: known.get(name) or value for name, value in _details(seen).items()}
    store.change("fill_result", attempt_id=attempt_id, **columns, detail=_dump(detail))
    store.change("fill_tag", attempt_id=attempt_id, tag=seen.tag, summary=seen.summary)


def export_rows(store: Store, campaign: str | None = None) -> Iterator[ExportRow]:
    """Give every contact and attempt of one campaign, or of all, in the order in which they were made.

    Raises NotFound when no such campaign was applied. Between two pages nothing is held of the
    ledger: a reader that waits for a slow disk or pipe must not keep a runner from writing.
    """
    found = store.all("applied_campaigns", name=campaign)
    if campaign is not None and not found:
        raise NotFound(f"no campaign `{campaign}` was applied", help="outreach status lists them all")
    for one in found:
        yield from _of_campaign(store, one["id"], one["name"])


def _of_campaign(store: Store, campaign_id: int, name: str) -> Iterator[ExportRow]:
    after = 0
    while True:
        page = store.one("contact_page", campaign_id=campaign_id, after=after, count=PAGE)
        if page is None or page["last"] is None:
            return
        rows = store.all("export_page", campaign_id=campaign_id, after=after, last=page["last"])
        yield from (_export_row(name, row) for row in rows)
        after = page["last"]


def _columns(seen: Observation) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in _COLUMNS}


def _details(seen: Observation) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in _DETAILS}


def _dump(detail: dict[str, Any]) -> str:
    plain = {name: value if isinstance(value, (str, dict)) else dict(value) for name, value in detail.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _export_row(campaign: str, row: Row) -> ExportRow:
    return ExportRow(
        campaign=campaign, contact_key=row["contact_key"], phone=row["phone"], row=row["row"],
        contact_state=row["contact_state"], attempt=_attempt(row) if row["attempt_id"] is not None else None,
    )  # fmt: skip


def _attempt(row: Row) -> AttemptRecord:
    return AttemptRecord(
        key=row["key"], log_id=row["log_id"], step=row["step"], number=row["number"], channel=row["channel"],
        provider=row["provider"] or "", account=row["account"], state=row["state"], outcome=row["outcome"],
        tag=row["tag"], reason=row["reason"], due_at=from_micros(row["due_at"]), sent_at=from_micros(row["sent_at"]),
        ended_at=from_micros(row["ended_at"]), provider_id=row["provider_id"] or "",
        result=_result(row) if row["detail"] is not None else None,
        replies=tuple(
            Reply(at=from_micros(at), body=body, stops=bool(stops), verified=bool(verified))
            for at, body, stops, verified in json.loads(row["replies"])
        ),
    )  # fmt: skip


def _result(row: Row) -> Result:
    detail = json.loads(row["detail"])
    columns = {name: row[name] for name in _COLUMNS}
    return Result(**columns, **{name: detail[name] for name in _DETAILS})
