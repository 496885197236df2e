"""What an HTTP answer proves about a request: one table, and the decoding of bodies with its limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NoReturn

from runner.errors import InDoubt, Rejected, SendError, Throttled, WebhookRefused
from runner.model.json import Json, JsonObject
from runner.model.outcome import Outcome
from runner.model.request import Reply
from runner.providers.reading import child, text_of

MAX_BODY = 1024 * 1024
"""bytes of a webhook and of the answer to a dial request that are read; more says nothing"""
MAX_ANSWER = 16 * 1024 * 1024
"""bytes of the answer to a look-up that are read: some lists have no pages, and a row may carry a transcript"""
MAX_DEPTH = 32
"""how deep JSON may nest"""
MAX_WAIT = 3600.0
"""seconds that a provider may ask us to wait; longer is cut to this"""


class Proof(StrEnum):
    """What an answer to a dial request proves."""

    ACCEPTED = "accepted"
    """the provider took it, if the body names an id"""
    REJECTED = "rejected"
    """provably not dialled, and no use in asking again"""
    ACCOUNT_REJECTED = "account_rejected"
    """provably not dialled, and nothing else of this account will be"""
    THROTTLED = "throttled"
    """provably not dialled, may be asked again later"""
    IN_DOUBT = "in_doubt"
    """may have been dialled"""


PROOFS: Mapping[int, Proof] = {
    **dict.fromkeys((400, 404, 405, 413, 415, 422), Proof.REJECTED),
    **dict.fromkeys((401, 402, 403), Proof.ACCOUNT_REJECTED),
    303: Proof.IN_DOUBT,
    429: Proof.THROTTLED,
}
"""the statuses that prove something by themselves; 2xx and the rest of 3xx are ranges, every other one leaves a doubt"""

_KEY_REFUSED = frozenset({401, 403})
_NO_CONTENT = 204
_LONGEST_WORDS = 200
"""characters of what a provider says that are repeated"""
_LARGEST_REMEMBERED = 64 * 1024
"""bytes of a body that is kept in memory as it was read, for whoever reads it next"""
_OF_KEYS = frozenset("0123456789abcdefABCDEF-")
_CUT_WORD = re.compile(r"[0-9a-fA-F-]+\Z", re.ASCII)


class OptedOut(Rejected):
    """The provider refused because the person asked not to be contacted; the attempt ends with ``outcome``."""

    outcome = Outcome.OPTED_OUT


def proof_of(status: int) -> Proof:
    """Classify a status; a redirect is never followed, since following would send the key and the body on.

    303 is what a server answers once it has done what was asked (RFC 9110, 15.4.4), so it leaves a doubt.
    """
    if 200 <= status < 300:  # noqa: PLR2004 the 2xx range
        return Proof.ACCEPTED
    if status in PROOFS:
        return PROOFS[status]
    return Proof.ACCOUNT_REJECTED if 300 <= status < 400 else Proof.IN_DOUBT  # noqa: PLR2004 the 3xx range


def accepted_document(provider: str, reply: Reply) -> JsonObject:
    """Give the JSON object of an accepted dial request; raise Rejected, Throttled or InDoubt for every other answer."""
    proof = proof_of(reply.status)
    if proof is Proof.ACCEPTED:
        return _object_or_doubt(provider, reply)
    raise refusal(provider, reply, proof)


def answered_document(provider: str, reply: Reply) -> JsonObject:
    """Give the JSON object that answers a look-up; raise a SendError when the answer says nothing.

    A look-up proves nothing about the dial request by failing, so every failure that is neither
    the account's nor a matter of time is InDoubt.
    """
    proof = proof_of(reply.status)
    if proof is Proof.ACCEPTED:
        return _object_or_doubt(provider, reply, MAX_ANSWER)
    raise refusal(provider, reply, Proof.IN_DOUBT if proof is Proof.REJECTED else proof)


def is_accepted_key(provider: str, reply: Reply) -> bool:
    """Whether a look-up's answer shows that the key is taken: 2xx yes, 401 and 403 no; raise a SendError otherwise."""
    if reply.status in _KEY_REFUSED:
        return False
    answered_document(provider, reply)
    return True


def is_done(provider: str, reply: Reply, refused: frozenset[int]) -> bool:
    """Whether an order was followed: 2xx that does not deny it yes, the refused statuses no; raise a SendError otherwise."""
    if reply.status in refused:
        return False
    return reply.status == _NO_CONTENT or accepted_document(provider, reply).get("success") is not False


def refusal(provider: str, reply: Reply, proof: Proof) -> SendError:
    """Build the error that a proof other than ACCEPTED stands for, with the provider's own words."""
    sentence = f"{provider} answered {reply.status}{said(reply)}"
    match proof:
        case Proof.REJECTED:
            return Rejected(sentence)
        case Proof.ACCOUNT_REJECTED:
            return Rejected(sentence, pause=True, help=_account_help(reply.status))
        case Proof.THROTTLED:
            return Throttled(sentence, retry_after=retry_after(reply.headers))
        case _:
            return InDoubt(sentence)


def no_id(provider: str, reply: Reply) -> InDoubt:
    """Build the error for an accepted request whose answer names no id that could be asked for."""
    return InDoubt(f"{provider} answered {reply.status} without an id{said(reply)}")


def webhook_document(provider: str, body: bytes) -> JsonObject:
    """Give the JSON object of a webhook; raise WebhookRefused (413 too large, 400 unreadable)."""
    if len(body) > MAX_BODY:
        raise WebhookRefused(f"a webhook of {provider} is larger than 1 MiB", status=413)
    try:
        return decode_object(body)
    except ValueError as error:
        raise WebhookRefused(f"a webhook of {provider} cannot be read: {error}", status=400) from None


def meaningless(provider: str, what: str) -> WebhookRefused:
    """Build the error for a webhook that is well-formed and makes no sense."""
    return WebhookRefused(f"a webhook of {provider} {what}", status=400)


def decode_object(body: bytes, limit: int = MAX_BODY) -> JsonObject:
    """Decode a JSON object of at most ``limit`` bytes and 32 levels; raise ValueError with a lower-case reason.

    What is read several times in a row is decoded once; the object is everybody's, and nobody's to change.
    """
    if len(body) > limit:
        message = f"the body is larger than {limit // MAX_BODY} MiB"
        raise ValueError(message)
    return _remembered(body) if len(body) <= _LARGEST_REMEMBERED else _decoded(body)


def error_code(reply: Reply) -> str:
    """Give the provider's own word for what went wrong: the body's ``error``, as text; empty when there is none."""
    try:
        document = decode_object(reply.body)
    except ValueError:
        return ""
    error = document.get("error")
    return clipped(error) or clipped(child(error, "code"))


def said(reply: Reply) -> str:
    """Give the provider's own words as the end of a sentence, such as `` `invalid_body` ``; empty without any."""
    code = _one_line(error_code(reply))
    try:
        message = _one_line(clipped(decode_object(reply.body).get("message")))
    except ValueError:
        message = ""
    words = ": ".join(word for word in (code, message) if word)
    return f": `{words}`" if words else ""


def clipped(value: Json, limit: int = _LONGEST_WORDS) -> str:
    """Give a text's first characters; a word of hex digits that is cut there is left out, for it may be a key.

    Whoever knows the key could not tell a few digits of it from other words, and they would still help to guess it.
    """
    text = text_of(value)
    if len(text) <= limit:
        return text
    return _CUT_WORD.sub("", text[:limit]) if text[limit] in _OF_KEYS else text[:limit]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After as seconds from the answer on, at most an hour; None when it says nothing usable.

    The form with a date is counted from the answer's own Date, because no other clock is at hand.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:9]), MAX_WAIT)
    until, sent = _http_date(value), _http_date(headers.get("date", ""))
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), MAX_WAIT)


def _decoded(body: bytes) -> JsonObject:
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        message = "the body is not JSON"
        raise ValueError(message) from None
    if not isinstance(value, dict):
        message = "the body is not a JSON object"
        raise ValueError(message)  # noqa: TRY004 one error for every unreadable body
    if _deeper_than(value, MAX_DEPTH):
        message = f"the body nests deeper than {MAX_DEPTH} levels"
        raise ValueError(message)
    return value


_remembered = lru_cache(maxsize=2)(_decoded)


def _object_or_doubt(provider: str, reply: Reply, limit: int = MAX_BODY) -> JsonObject:
    try:
        return decode_object(reply.body, limit)
    except ValueError as error:
        raise InDoubt(f"{provider} answered {reply.status}, and {error}") from None


def _account_help(status: int) -> str:
    if status in _KEY_REFUSED:
        return "check the account's credential: outreach doctor"
    if status == 402:  # noqa: PLR2004 Payment Required
        return "the provider wants to be paid; then: outreach run goes on"
    return "the address moved: correct base_url in outreach.yaml"


def _http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo is not None else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _deeper_than(value: Any, limit: int) -> bool:
    """Whether containers nest deeper than the limit; walks level by level, so depth costs no stack."""
    level = [value]
    for _ in range(limit):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return False
    return True


def _one_line(text: str) -> str:
    """Make foreign text safe for one line of a log: no control characters, no backticks."""
    return "".join(char if char.isprintable() and char != "`" else " " for char in text).strip()
