"""Write what came of every attempt for spreadsheets and machines: CSV and JSON Lines, row by row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from runner.model.result import AttemptRecord, ExportRow, Reply, Result
from runner.report.machine import utc_text

COLUMNS = (
    "campaign", "contact", "phone", "row", "contact_state", "key", "step", "number", "channel", "provider", "account",
    "state", "outcome", "tag", "reason", "due_at", "sent_at", "ended_at", "provider_id", "sentiment", "duration_seconds",
    "hangup_cause", "calls", "summary", "recording_url", "transcript_url", "transcript", "structured", "words", "replies",
    "log_id",
)  # fmt: skip
"""the columns of the CSV; later versions add new ones behind"""


_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNSEEN_AT_THE_START = " \t\r\n\u00a0\u200b\u200c\u200d\u2060\ufeff"
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""what a terminal or a page obeys instead of showing it; tabs and line feeds are text"""


def for_spreadsheets(cell: str) -> str:
    """Give a cell that a spreadsheet takes for text: an apostrophe before what it would run or work out.

    A phone number is worked out as well, and loses its `+`. What a terminal would obey is written out.
    """
    text = _OBEYED.sub(lambda found: f"\\x{ord(found[0]):02x}", cell)
    return f"'{text}" if text.lstrip(_UNSEEN_AT_THE_START).startswith(_FORMULA) else text


def as_it_is(cell: str) -> str:
    """Give a cell as the ledger holds it, for programs; a lone surrogate, which no file can hold, is replaced."""
    return cell.encode("utf-8", "replace").decode("utf-8")


def write_csv(rows: Iterable[ExportRow], file: IO[str], written: Callable[[str], str] = for_spreadsheets) -> int:
    """Write a header and one line for each row; give how many rows.

    Every cell is quoted and goes through `written`. Instants are UTC; structured output, the
    provider's words and replies are JSON in their cell.
    """
    lines = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    lines.writerow(COLUMNS)
    count = 0
    for row in rows:
        cells = _cells(row)
        lines.writerow([written(cells[name]) for name in COLUMNS])
        count += 1
    return count


def write_json_lines(rows: Iterable[ExportRow], file: IO[str]) -> int:
    """Write each row as one line of JSON; give how many. Keys are only ever added."""
    count = 0
    for row in rows:
        file.write(json.dumps(_document(row), ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count


def _document(row: ExportRow) -> dict[str, Any]:
    return {
        "campaign": row.campaign,
        "contact": {"key": row.contact_key, "phone": row.phone, "row": row.row, "state": row.contact_state},
        "attempt": _attempt(row.attempt) if row.attempt is not None else None,
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "key": attempt.key,
        "log_id": attempt.log_id or None,
        "step": attempt.step,
        "number": attempt.number,
        "channel": attempt.channel,
        "provider": attempt.provider or None,
        "account": attempt.account,
        "state": attempt.state,
        "outcome": attempt.outcome or None,
        "tag": attempt.tag or None,
        "reason": attempt.reason or None,
        "due_at": utc_text(attempt.due_at),
        "sent_at": utc_text(attempt.sent_at),
        "ended_at": utc_text(attempt.ended_at),
        "provider_id": attempt.provider_id or None,
        "result": _result(attempt.result) if attempt.result is not None else None,
        "replies": [_reply(one) for one in attempt.replies],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "sentiment": result.sentiment or None,
        "duration_seconds": result.duration_seconds,
        "hangup_cause": result.hangup_cause or None,
        "calls": result.calls,
        "summary": result.summary or None,
        "recording_url": result.recording_url or None,
        "transcript_url": result.transcript_url or None,
        "transcript": result.transcript or None,
        "structured": dict(result.structured),
        "words": dict(result.words),
    }


def _reply(reply: Reply) -> dict[str, Any]:
    return {"at": utc_text(reply.at), "body": reply.body, "stops": reply.stops, "verified": reply.verified}


def _cells(row: ExportRow) -> dict[str, str]:
    """Give the cells of a row by column, empty where there is nothing to say."""
    known: dict[str, Any] = {
        "campaign": row.campaign, "contact": row.contact_key, "phone": row.phone, "row": row.row,
        "contact_state": row.contact_state,
    }  # fmt: skip
    if row.attempt is not None:
        flat = _attempt(row.attempt)
        known |= flat | (flat["result"] or {})
    return {name: _cell(known.get(name)) for name in COLUMNS}


def _cell(value: Any) -> str:
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, (Mapping, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)
