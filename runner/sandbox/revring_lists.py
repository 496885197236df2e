"""How RevRing's lists are filtered and paged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from starlette.datastructures import QueryParams
from starlette.responses import Response

from runner.sandbox import revring_checks as checks
from runner.sandbox import revring_records as records
from runner.sandbox.call import Call
from runner.sandbox.wire import Json

T = TypeVar("T")

_EXACT = ("agentId", "toNumber", "fromNumber", "direction", "sipTrunkId", "folderId")
_LONGEST_PART = 64


class Wanted:
    """The filters of a list of calls; raise Refused with ``invalid_query`` for one that makes no sense."""

    def __init__(self, query: QueryParams, *, since: str = "createdFrom", until: str = "createdTo") -> None:
        self._statuses = checks.words(query, "status", records.STATUSES)
        self._causes = checks.words(query, "hangupCause")
        self._from: datetime | None = checks.moment(query, since)
        self._to: datetime | None = checks.moment(query, until)
        self._exact = {name: query[name] for name in _EXACT if name in query}
        self._part = query.get("q", "")
        if query.get("direction", "OUTBOUND") not in {"INBOUND", "OUTBOUND"}:
            raise checks.invalid_query("direction")
        if len(self._part) > _LONGEST_PART:
            raise checks.invalid_query("q")

    def fits(self, call: Call) -> bool:
        """Whether a call belongs to the list."""
        if self._from is not None and call.created_at < self._from:
            return False
        if self._to is not None and call.created_at > self._to:
            return False
        if self._statuses and records.call_status(call) not in self._statuses:
            return False
        if self._causes and records.hangup_cause(call) not in self._causes:
            return False
        record = records.call_record(call, minimal=True)
        if any(record.get(name) != value for name, value in self._exact.items()):
            return False
        return self._part in f"{call.id} {call.to} {record['fromNumber']}"


def page_of(
    query: QueryParams,
    items: Sequence[T],
    write: Callable[[T], dict[str, Any]],
    *,
    usual: int = 25,
    largest: int = 100,
) -> Response:
    """Answer one page of a list."""
    page, size = checks.number(query, "page", 1, 1_000_000), checks.number(query, "pageSize", usual, largest)
    start = (page - 1) * size
    more = start + size < len(items)
    shown = [write(item) for item in items[start : start + size]]
    return Json({"data": shown, "page": page, "pageSize": size, "total": len(items), "hasNextPage": more})
