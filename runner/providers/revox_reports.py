"""What Revox tells beside single orders: attempts as generation A lists them, exports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.errors import InDoubt
from runner.model.json import JsonObject
from runner.model.outcome import Observation
from runner.model.request import Reply, Request
from runner.providers import revox_answers
from runner.providers.lookups import PAGE_SIZE
from runner.providers.reading import objects_of, text_of
from runner.providers.replies import answered_document
from runner.providers.requests import with_query

MOST_ROWS = 1_000
"""how many calls one export asks for"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A table of calls; its columns are not documented."""

    csv: str
    filename: str


def attempts_request(page: int) -> Request:
    """Build `GET /call`, which only generation A has, pages from 0."""
    return Request(method="GET", path=with_query("/call", {"page": page + 1, "page_size": PAGE_SIZE}))


def read_attempts(reply: Reply) -> tuple[Observation, ...]:
    """Read dials as generation A lists them: by the dial's own id, which names no order.

    For that reason they settle nothing and find nothing: an order that was not dialled yet has none.
    """
    listing = answered_document("revox", reply).get("calls")
    if not isinstance(listing, list):
        raise InDoubt("revox answered without calls")
    return tuple(revox_answers.read_order(attempt) for attempt in objects_of(listing))


def export_request(campaigns: Iterable[str]) -> Request:
    """Build `POST /call/export` of the calls of these campaigns, metadata and structured output included."""
    filters: JsonObject = {
        "assignee_ids": [], "assistant_ids": [], "campaign_ids": list(campaigns), "directions": [],
        "from_phone_numbers": [], "outcomes": [], "page": 1, "page_size": MOST_ROWS, "results": [], "statuses": [],
    }  # fmt: skip
    body: JsonObject = {"filters": filters, "include_metadata": True, "include_structured_output_fields": True}
    return Request(method="POST", path="/call/export", body=body)


def read_export(reply: Reply) -> Export:
    """Read an export; raise a SendError when the answer holds none."""
    document = answered_document("revox", reply)
    table = document.get("csv")
    if not isinstance(table, str):
        raise InDoubt("revox answered without an export")
    return Export(csv=table, filename=text_of(document.get("filename"), 200))
