"""One set of switches per provider: where documentation is silent or contradicts itself, our assumption stands here.

A correction is then a setting, by name as well: ``revmo.slash=301``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from runner.errors import UsageWrong

ASSUMED_WAITS = (30.0, 300.0)
"""seconds before each repetition of a webhook, where nothing is documented"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevmoSwitches:
    """Assumptions about Revmo, and the set-up of its account."""

    calls_remaining: int = 500
    """the quota before the first call"""
    calls_remaining_form: Literal["string", "int", "absent"] = "string"
    """how the quota is told; the documentation shows a string that is no number"""
    quota_enforced: bool = False
    """a call without quota is refused with 403"""
    slash: Literal["404", "301", "accept"] = "404"
    """what a path without its trailing slash gets"""
    permitted: bool = True
    """the account may call and text; False refuses with 403"""
    thread_key: str = "thread_id"
    """key of the thread in the answer to a text, which is not documented"""
    webhook_waits: tuple[float, ...] = ASSUMED_WAITS
    """seconds before each repetition of a callback that was not taken; empty means that none is repeated"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevringSwitches:
    """Assumptions about RevRing, and the set-up of its organization."""

    concurrency: int = 100
    """calls at once; more are queued, or refused with ``skipQueue``"""
    idempotency: bool = True
    """False mimics the oldest generation, which dials again"""
    webhook_before_pickup: bool = True
    """calls that fail before anybody answered are told as well"""
    call_started: bool = False
    """agents have opted in to ``call.started``"""
    strict_agent_ids: bool = False
    """agent ids must be UUIDs, as the schema says and the guides do not"""
    agents: tuple[str, ...] = ()
    """the agents that exist; empty means that any does"""
    do_not_call: tuple[str, ...] = ()
    """the do-not-call list at the start"""
    queue_seconds: float = 14_400.0
    """how long a call waits for a line before it fails; documented: about four hours"""
    default_attempts: int = 1
    """tries of a campaign without a ``retryPolicy``: the guide says 1, the schema 3"""
    fails_with: str = ""
    """every single call fails with this error before anybody is dialled, such as ``billing_inactive``"""
    webhook_retries: bool = True
    """webhooks are repeated; the older documentation says never"""
    list_lag_seconds: float = 0.0
    """how long a new call stands in no list and is found by no search; asked for by its id, it is known at once"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevoxSwitches:
    """Assumptions about Revox, and the set-up of its organization."""

    generation: Literal["A", "D"] = "A"
    """A dials when a campaign is created, D when it is launched"""
    page_base: Literal[0, 1] = 0
    """number of the first page of a search"""
    webhook: Literal["nested", "flat"] = "nested"
    """shape of a webhook: the order with its attempts inside, or one level of keys"""
    webhook_per_attempt: bool = False
    """every attempt is told, not only the end of the order"""
    webhook_waits: tuple[float, ...] = ASSUMED_WAITS
    """seconds before each repetition of a webhook that was not taken; empty means that none is repeated"""
    own_retries: bool = True
    """orders keep to their calling windows and are tried again by Revox itself.

    Which loop an order has: its campaign's ``call_retry_config``; else that of its assistant, stored or inline; else,
    when the assistant is stored here, the documented default. An order of an assistant that is not stored here, and
    without a configuration of its own, is dialled at once and once.
    """
    post_processing_seconds: float = 0.05
    """how long an answered order is analysed before it is completed"""
    key_limit: int = 10
    """calls at once that share a concurrency key, where the request does not say"""
    do_not_contact: tuple[str, ...] = ()
    """numbers that the phone history marks as not to be contacted"""
    assistants_must_exist: bool = False
    """an unknown assistant is refused with 404"""
    list_lag_seconds: float = 0.0
    """how long a new call stands in no list and is found by no search; asked for by its id, it is known at once"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovoiceSwitches:
    """Assumptions about Movoice, and the set-up of its account."""

    data_envelope: bool = False
    """lists, calls and agents come wrapped in ``data``"""
    list_phone: bool = True
    """items of a list name the recipient"""
    list_lag_seconds: float = 0.0
    """how long a new call stands in no list and is found by no search; asked for by its id, it is known at once"""
    schedule_lag_seconds: float = 0.0
    """a scheduled call is placed up to so many seconds late; documented: 30"""
    plan: Literal["starter", "growth", "business", "enterprise"] = "enterprise"
    """calls at once and recipients of a batch: 1 and 50, 3 and 500, 10 and 5,000, no limit"""
    overflow: Literal["reject", "queue", "truncate"] = "reject"
    """what happens above a limit of the plan; a recipient that is truncated is never dialled"""
    signature: Literal["hmac-sha256", "none"] = "hmac-sha256"
    """what ``X-Movoice-Signature`` holds: an HMAC, or it is not sent"""
    signature_encoding: Literal["hex", "base64"] = "hex"
    """how the signature is written"""
    signature_over: Literal["body", "timestamp.body"] = "body"
    """what is signed: the raw body, or ``X-Movoice-Timestamp`` in Unix seconds, a dot, and the raw body"""
    signature_prefix: str = ""
    """stands before the signature, such as ``sha256=``"""
    action_share: float = 0.0
    """share of the answered calls that tell ``action.triggered``"""
    transfer_share: float = 0.0
    """share of the answered calls that tell ``transfer.initiated``"""


S = TypeVar("S", RevmoSwitches, RevringSwitches, RevoxSwitches, MovoiceSwitches)


def switched(switches: S, name: str, text: str) -> S:
    """Give a set of switches with one set from a text; raise UsageWrong when there is no such switch or value."""
    hints = get_type_hints(type(switches))
    if name not in hints:
        raise UsageWrong(f"there is no switch `{name}`", help=f"write one of {', '.join(hints)}")
    changes: Mapping[str, Any] = {name: _value(hints[name], name, text)}
    return replace(switches, **changes)


def _value(hint: Any, name: str, text: str) -> object:
    if get_origin(hint) is Literal:
        return _chosen(get_args(hint), name, text)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], name, word.strip()) for word in text.split(",") if word.strip())
    if hint is bool:
        return _chosen(("true", "false"), name, text.lower()) == "true"
    return text if hint is str else _count(hint, name, text)


def _count(hint: Any, name: str, text: str) -> object:
    try:
        value = hint(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise UsageWrong(f"`{text}` is no number for {name}", help=f"write a number, such as {name}=10")
    return value


def _chosen(choices: tuple[object, ...], name: str, text: str) -> object:
    for choice in choices:
        if str(choice) == text:
            return choice
    raise UsageWrong(f"`{text}` is no {name}", help=f"write one of {', '.join(map(str, choices))}")
