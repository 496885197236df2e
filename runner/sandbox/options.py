"""Options of a sandbox as people write them on a command line: ``name=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from runner.errors import UsageWrong
from runner.sandbox.fault_plans import read_fault
from runner.sandbox.faults import Fault
from runner.sandbox.settings import PROVIDERS, Mischief, Settings
from runner.sandbox.switches import switched

_MISCHIEF = ("duplicated", "reordered", "late", "lost", "early", "late_seconds")


def with_switches(settings: Settings, words: Iterable[str]) -> Settings:
    """Set switches such as ``revmo.slash=301``; raise UsageWrong when there is no such switch or value."""
    for word in words:
        path, value = _halves(word, "revmo.slash=301")
        provider, _, name = path.partition(".")
        if provider not in PROVIDERS:
            raise UsageWrong(f"there is no provider `{provider}`", help=f"write one of {', '.join(PROVIDERS)}")
        changes: Mapping[str, Any] = {provider: switched(getattr(settings, provider), name, value)}
        settings = replace(settings, **changes)
    return settings


def read_shares(words: Iterable[str]) -> tuple[Fault, ...]:
    """Read faults such as ``drop_after=0.05``, which the seed deals out; raise UsageWrong for one that is none."""
    pairs = [_halves(word, "drop_after=0.05") for word in words]
    return tuple(read_fault({"kind": kind, "share": _number(kind, share)}) for kind, share in pairs)


def read_mischief(words: Iterable[str]) -> Mischief:
    """Read what goes wrong with webhooks, such as ``lost=0.1``; raise UsageWrong for what is unknown."""
    changes: dict[str, float] = {}
    for word in words:
        name, value = _halves(word, "lost=0.1")
        if name not in _MISCHIEF:
            raise UsageWrong(f"webhooks have no option `{name}`", help=f"write one of {', '.join(_MISCHIEF)}")
        changes[name] = _number(name, value)
    return Mischief(**changes)


def _halves(word: str, example: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise UsageWrong(f"`{word}` sets nothing", help=f"write it such as {example}")
    return name.strip(), value.strip()


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageWrong(f"`{text}` is no number for {name}", help=f"write it such as {name}=0.05") from None
