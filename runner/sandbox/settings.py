"""What a sandbox is started with: seed, people, keys, webhooks, and one set of switches per provider.

Where a provider's documentation is silent, our assumption is a switch here, so that a correction is a setting.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from runner.errors import UsageWrong

PROVIDERS = ("revmo", "revring", "revox", "movoice")

CALL_OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "declined", "invalid_number", "failed")
TEXT_OUTCOMES = ("delivered", "failed")

ODDS: Mapping[str, float] = {
    "answered": 0.55,
    "no_answer": 0.18,
    "voicemail": 0.12,
    "busy": 0.08,
    "declined": 0.03,
    "invalid_number": 0.02,
    "failed": 0.02,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one provider's webhooks go; only this machine can be named."""

    url: str
    secret: str = ""
    """signs RevRing's and Movoice's webhooks; the others sign nothing"""

    def __post_init__(self) -> None:
        if not _is_loopback(self.url):
            raise UsageWrong(
                f"the sandbox sends webhooks to this machine only, not to `{self.url}`",
                help="use an address such as http://127.0.0.1:8000/webhooks/revring",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevmoSwitches:
    """Assumptions about Revmo."""

    calls_remaining: int = 500
    """the quota before the first call; assumed to be told and not enforced"""


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
    """numbers refused to calls that set ``honorDoNotCall``"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevoxSwitches:
    """Assumptions about Revox."""

    generation: Literal["A", "D"] = "A"
    """A dials when a campaign is created, D when it is launched"""
    page_base: Literal[0, 1] = 0
    """number of the first page of a search"""
    webhook: Literal["nested", "flat"] = "nested"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovoiceSwitches:
    """Assumptions about Movoice."""

    data_envelope: bool = False
    """lists and calls come wrapped in ``data``"""
    list_phone: bool = True
    """items of a list name the recipient"""
    schedule_lag_seconds: float = 0.0
    """a scheduled call is placed up to so many seconds late; documented: 30"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that makes one sandbox behave unlike another; seconds are seconds of its clock."""

    seed: int = 0
    api_keys: tuple[str, ...] = ()
    """the keys that are accepted; empty accepts any"""
    odds: Mapping[str, float] = field(default_factory=lambda: dict(ODDS))
    """share of each outcome of a call; scaled to one"""
    delivered_share: float = 0.97
    """share of the texts that arrive"""
    script: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """phone -> outcomes of the person's 1st, 2nd, ... dial; the last repeats"""
    ring_seconds: tuple[float, float] = (0.05, 0.25)
    talk_seconds: tuple[float, float] = (0.1, 0.5)
    webhooks: Mapping[str, Target] = field(default_factory=dict)
    """provider -> where its webhooks go"""
    webhook_share: float = 1.0
    """share of the webhooks that are sent at all; the rest is lost for good"""
    webhook_retries: int = 3
    """how often a webhook that was not taken is sent again, at most"""
    webhook_retry_scale: float = 0.01
    """the documented waits are multiplied by this; ring and talk are about as much shorter than real ones"""
    revmo: RevmoSwitches = field(default_factory=RevmoSwitches)
    revring: RevringSwitches = field(default_factory=RevringSwitches)
    revox: RevoxSwitches = field(default_factory=RevoxSwitches)
    movoice: MovoiceSwitches = field(default_factory=MovoiceSwitches)

    def __post_init__(self) -> None:
        _check_span("ring", self.ring_seconds)
        _check_span("talk", self.talk_seconds)
        _check_words("odds", tuple(self.odds), CALL_OUTCOMES)
        if sum(self.odds.values()) <= 0 or min(self.odds.values()) < 0:
            raise UsageWrong("the odds must be zero or more, and not all zero")
        if unknown := set(self.webhooks) - set(PROVIDERS):
            raise UsageWrong(f"there is no provider `{min(unknown)}`", help=f"providers: {', '.join(PROVIDERS)}")
        for phone, outcomes in self.script.items():
            check_script(phone, outcomes)


def check_script(phone: str, outcomes: tuple[str, ...]) -> None:
    """Raise UsageWrong unless a person's script names at least one outcome and only known ones."""
    if not outcomes:
        raise UsageWrong(f"the script of `{phone}` names no outcome", help='write at least one, such as ["answered"]')
    _check_words(phone, outcomes, (*CALL_OUTCOMES, "delivered"))


def _check_words(where: str, words: tuple[str, ...], known: tuple[str, ...]) -> None:
    for word in words:
        if word not in known:
            raise UsageWrong(f"`{where}` names the unknown outcome `{word}`", help=f"outcomes: {', '.join(known)}")


def _check_span(what: str, span: tuple[float, float]) -> None:
    shortest, longest = span
    if not 0 <= shortest <= longest:
        raise UsageWrong(f"`{shortest}` to `{longest}` is no span of {what} time", help="write the shorter time first")


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  it raises for a port that cannot be
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"}:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
