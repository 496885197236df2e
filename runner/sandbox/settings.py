"""What a sandbox is started with: seed, people, keys, webhooks, faults, and one set of switches per provider."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runner.errors import UsageWrong
from runner.sandbox.faults import Fault
from runner.sandbox.switches import MovoiceSwitches, RevmoSwitches, RevoxSwitches, RevringSwitches

__all__ = [
    "CALL_OUTCOMES",
    "ODDS",
    "PROVIDERS",
    "TEXT_OUTCOMES",
    "Mischief",
    "MovoiceSwitches",
    "RevmoSwitches",
    "RevoxSwitches",
    "RevringSwitches",
    "Settings",
    "Target",
    "check_script",
]

PROVIDERS = ("revmo", "revring", "revox", "movoice")

CALL_OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "declined", "invalid_number", "failed")
TEXT_OUTCOMES = ("delivered", "failed")

_LONGEST_LATE = 604_800.0

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
class Mischief:
    """What goes wrong with webhooks on their way: shares of all of them, chosen by the seed."""

    duplicated: float = 0.0
    """told twice"""
    reordered: float = 0.0
    """told after the call's next webhook, or late when there is none"""
    late: float = 0.0
    """told after ``late_seconds``; later ones may overtake it"""
    lost: float = 0.0
    """never told, and its provider believes that it was"""
    early: float = 0.0
    """share of the requests that are answered only after the webhook about them was told"""
    late_seconds: float = 30.0
    """seconds of the sandbox's clock"""

    def __post_init__(self) -> None:
        for name in ("duplicated", "reordered", "late", "lost", "early"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageWrong(f"`{getattr(self, name)}` is no share of {name} webhooks", help="write 0 to 1")
        if not 0 <= self.late_seconds <= _LONGEST_LATE:
            raise UsageWrong(f"`{self.late_seconds}` seconds are no delay of webhooks", help="write 0 to 604800")


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
    mischief: Mischief = field(default_factory=Mischief)
    """what goes wrong with webhooks on their way"""
    faults: tuple[Fault, ...] = ()
    """what goes wrong with requests, until a plan replaces it"""
    faults_seed: int | None = None
    """chooses whom faults with a share strike; None takes ``seed``"""
    webhook_share: float = 1.0
    """share of the webhooks that are sent at all; the rest is lost for good"""
    webhook_retries: int = 4
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
