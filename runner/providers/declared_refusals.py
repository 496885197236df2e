"""What an answer of a declared provider proves: the common table, and the declaration's exceptions to it."""

from __future__ import annotations

import json
from dataclasses import replace

from runner.errors import InDoubt, Rejected, SendError
from runner.model.http_api import HttpApi, Ruling
from runner.model.http_fields import UNDECIDABLE
from runner.model.json import Json, JsonObject
from runner.model.request import Reply
from runner.providers.declared_answers import at
from runner.providers.replies import (
    Proof,
    accepted_document,
    answered_document,
    clipped,
    decode_object,
    proof_of,
    refusal,
)

_PROOFS: dict[Ruling, Proof] = {
    "rejected": Proof.REJECTED,
    "throttled": Proof.THROTTLED,
    "pause": Proof.ACCOUNT_REJECTED,
    "in_doubt": Proof.IN_DOUBT,
}
"""every other ruling is the outcome of a person who was not dialled"""
_TOO_LATE = frozenset({409, 410})
"""statuses that refuse an order because of where the call stands, which for placing one leave a doubt"""


def accepted(provider: str, api: HttpApi, reply: Reply) -> JsonObject:
    """Give the JSON object of an accepted request; raise Rejected, Throttled or InDoubt for every other answer."""
    if proof_of(reply.status) is Proof.ACCEPTED:
        return accepted_document(provider, reply)
    raise _refusal(provider, api, reply)


def answered(provider: str, api: HttpApi, reply: Reply, *, may_be_list: bool = False) -> Json:
    """Give the JSON that answers a look-up; raise a SendError when it says nothing.

    A look-up that fails proves nothing about the request that it is about, so what would be a
    refusal of that is InDoubt.
    """
    if proof_of(reply.status) is Proof.ACCEPTED:
        if not may_be_list:
            return answered_document(provider, reply)
        return _list(provider, reply)
    error = _refusal(provider, api, reply)
    if isinstance(error, Rejected) and not error.pause:
        raise InDoubt(error.message)
    raise error


def done(provider: str, api: HttpApi, reply: Reply) -> bool:
    """Whether an order was followed: 2xx yes, whatever its body; a refusal no. Raise a SendError for the rest."""
    if proof_of(reply.status) is Proof.ACCEPTED:
        return True
    error = _refusal(provider, api, reply)
    if reply.status in _TOO_LATE or (isinstance(error, Rejected) and not error.pause):
        return False
    raise error


def _list(provider: str, reply: Reply) -> Json:
    """Decode a bare list; the common decoding knows objects only, and its limits are to hold here too."""
    wrapped = answered_document(provider, replace(reply, body=b'{"items":%s}' % reply.body))
    try:
        json.loads(reply.body)
    except ValueError:
        raise InDoubt(f"{provider} answered {reply.status}, and the body is not JSON") from None
    return wrapped["items"]


def _refusal(provider: str, api: HttpApi, reply: Reply) -> SendError:
    # What may come after somebody was dialled proves nothing, whatever is declared.
    ruling = None if reply.status in UNDECIDABLE else api.errors.get(reply.status)
    proof = proof_of(reply.status) if ruling is None else _PROOFS.get(ruling, Proof.REJECTED)
    error = refusal(provider, _with_common_words(api, reply), proof)
    if isinstance(error, Rejected) and ruling is not None:
        if ruling not in _PROOFS:
            error.outcome = ruling
        elif error.pause:
            error.help = f"`errors` of {provider} in outreach.yaml stops the account here; then: outreach run goes on"
    return error


def _with_common_words(api: HttpApi, reply: Reply) -> Reply:
    """Put the provider's own reason where the common sentence takes it from."""
    if api.error_message is None:
        return reply
    try:
        words = clipped(at(decode_object(reply.body), api.error_message))
    except ValueError:
        return reply
    return replace(reply, body=json.dumps({"message": words}).encode()) if words else reply
