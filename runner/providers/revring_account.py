"""What RevRing tells about the whole account: many calls at once, free lines, how webhooks are signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner.errors import InDoubt
from runner.model.json import JsonObject
from runner.model.outcome import Observation
from runner.model.request import Reply, Request
from runner.providers import revring_answers
from runner.providers.reading import child, count_of, first_id, object_of, objects_of, text_of
from runner.providers.replies import answered_document

MOST_IDS = 100
"""documented limit of one request"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeLines:
    """How many calls the organization has live, may have, and could still begin, counted as its 429 counts."""

    active: int
    limit: int
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Whether the organization's webhooks are signed, and the end of the secret to know it by."""

    is_on: bool
    last4: str


def batch_request(ids: Iterable[str], *, minimal: bool = False) -> Request:
    """Build `POST /calls/batch-get` for at most 100 calls; raise ValueError for more or none.

    Minimal records leave out transcript, summary, metrics and variables.
    """
    wanted = list(dict.fromkeys(ids))
    if not 1 <= len(wanted) <= MOST_IDS:
        message = f"one request asks for 1 to {MOST_IDS} calls, not {len(wanted)}"
        raise ValueError(message)
    return Request(method="POST", path="/calls/batch-get", body={"ids": wanted, "minimal": minimal})


def read_batch(reply: Reply) -> dict[str, Observation]:
    """Read what is said of each call by its id; calls that RevRing does not know are not in it."""
    listing = answered_document("revring", reply).get("data")
    if not isinstance(listing, list):
        raise InDoubt("revring answered calls without data")
    return {
        first_id(call, "id"): revring_answers.read_call(call) for call in objects_of(listing) if first_id(call, "id")
    }


def lines_request() -> Request:
    """Build `GET /analytics/active`, the cheapest look-up there is."""
    return Request(method="GET", path="/analytics/active")


def read_lines(reply: Reply) -> FreeLines:
    """Read how many lines are free; raise a SendError when the answer does not say."""
    lines = object_of(child(answered_document("revring", reply), "data", "concurrency"))
    active, limit, available = (count_of(lines.get(name)) for name in ("active", "limit", "available"))
    if active is None or limit is None or available is None:
        raise InDoubt("revring does not say how many lines are free")
    return FreeLines(active=active, limit=limit, available=available)


def signing_request() -> Request:
    """Build `GET /webhooks/signing-secret`, which changes nothing; only its POST makes a new secret."""
    return Request(method="GET", path="/webhooks/signing-secret")


def read_signing(reply: Reply) -> Signing:
    """Read whether webhooks are signed; the secret itself, which only its making shows, is left alone."""
    data: JsonObject = object_of(answered_document("revring", reply).get("data"))
    if not isinstance(data.get("enabled"), bool):
        raise InDoubt("revring does not say whether its webhooks are signed")
    return Signing(is_on=data["enabled"] is True, last4=text_of(data.get("last4"), 4))
