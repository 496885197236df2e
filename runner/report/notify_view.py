"""Notifications for people: whom a plan tells what, and how what was to be told stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from runner.model.notification import Hook, NotifyTarget, TargetStanding


def hook_sentences(hooks: Sequence[Hook] | None, targets: Mapping[str, NotifyTarget]) -> tuple[str, ...]:
    """Give a sentence for each target: its host where outreach.yaml tells it, whether people are named, and on what."""
    told: dict[str, list[str]] = {}
    for hook in hooks or ():
        for name in hook.notify:
            told.setdefault(name, []).extend(word for word in hook.when if word not in told.get(name, []))
    return tuple(f"notifies {name}{_where(targets.get(name))} on {', '.join(when)}" for name, when in told.items())


def standing_lines(standings: Sequence[TargetStanding]) -> list[str]:
    """Say what waits, what was given up and why, for each target with either."""
    return [
        f"notifications to {one.target}: {_counts(one)}{f': {one.says}' if one.says else ''}"
        for one in standings
        if one.waiting or one.dead
    ]


def standing_facts(standings: Sequence[TargetStanding]) -> list[dict[str, Any]]:
    """Give the same for programs, of every target."""
    return [
        {
            "target": one.target, "waiting": one.waiting, "sent": one.sent, "given_up": one.dead,
            "withheld": one.withheld, "reason": one.says or None,
        }
        for one in standings
    ]  # fmt: skip


def _where(target: NotifyTarget | None) -> str:
    if target is None:
        return ""
    if target.apprise is not None:
        where = f"by {target.apprise}"
    else:
        webhook = target.webhook or ""
        where = f"at {urlsplit(webhook).netloc or webhook}"
    return f" ({where}{', people named' if target.personal else ''})"


def _counts(one: TargetStanding) -> str:
    parts = [(one.waiting, "waiting"), (one.dead, "given up"), (one.withheld, "withheld")]
    return ", ".join(f"{count:,} {word}" for count, word in parts if count)
