"""What RevRing tells about the whole account: many calls at once, free lines, how webhooks are signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.errors import InDoubt
from runner.model.channel import Channel
from runner.model.json import JsonObject
from runner.model.outcome import Observation
from runner.model.request import Reply, Request
from runner.providers import revring_answers
from runner.providers.reading import child, count_of, object_of, objects_of, text_of
from runner.providers.replies import Proof, answered_document, proof_of, refusal


@dataclass(frozen=True, slots=True)
class RevringBatch:
    """`POST /calls/batch-get`, which answers with whole records and leaves out calls that it does not know."""

    channel: Channel = "call"
    most: int = 100
    minimal: bool = False
    """leave out transcript, summary, metrics and variables"""

    def request(self, ids: Sequence[str]) -> Request:
        """Build the request for at most 100 calls; raise ValueError for more or none."""
        wanted = list(dict.fromkeys(ids))
        if not 1 <= len(wanted) <= self.most:
            message = f"one request asks for 1 to {self.most} calls, not {len(wanted)}"
            raise ValueError(message)
        return Request(
            method="POST", path="/calls/batch-get", body={"ids": wanted, "minimal": self.minimal}, reads=True
        )

    def read(self, reply: Reply) -> Mapping[str, Observation]:
        """Read what is said of each call by its id.

        Raises Rejected when RevRing refuses the request as such: one id that it cannot read spoils all others,
        and an older server has no such endpoint.
        """
        if proof_of(reply.status) is Proof.REJECTED:
            raise refusal("revring", reply, Proof.REJECTED)
        listing = answered_document("revring", reply).get("data")
        if not isinstance(listing, list):
            raise InDoubt("revring answered calls without data")
        seen = (revring_answers.read_call(call) for call in objects_of(listing))
        return {one.provider_id: one for one in seen if one.provider_id}


@dataclass(frozen=True, slots=True)
class RevringLines:
    """`GET /analytics/active`, the cheapest look-up there is; it counts as RevRing's 429 does, whoever calls."""

    def request(self) -> Request:
        """Build the request."""
        return Request(method="GET", path="/analytics/active")

    def read(self, reply: Reply) -> int:
        """Read how many calls could still begin; raise a SendError when the answer does not say."""
        available = count_of(child(answered_document("revring", reply), "data", "concurrency", "available"))
        if available is None:
            raise InDoubt("revring does not say how many lines are free")
        return available


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Whether the organization's webhooks are signed, and the end of the secret to know it by."""

    is_on: bool
    last4: str


def signing_request() -> Request:
    """Build `GET /webhooks/signing-secret`, which changes nothing; only its POST makes a new secret."""
    return Request(method="GET", path="/webhooks/signing-secret")


def read_signing(reply: Reply) -> Signing:
    """Read whether webhooks are signed; the secret itself, which only its making shows, is left alone."""
    data: JsonObject = object_of(answered_document("revring", reply).get("data"))
    if not isinstance(data.get("enabled"), bool):
        raise InDoubt("revring does not say whether its webhooks are signed")
    return Signing(is_on=data["enabled"] is True, last4=text_of(data.get("last4"), 4))
