"""A try that ended, as the rules for what follows look back on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from runner.model.channel import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One finished attempt of a contact."""

    step: str
    number: int
    channel: Channel
    outcome: str
    tag: str = ""
    """empty when the agent set none"""
    started_at: datetime | None = None
    """when its request left; aware and UTC"""
    is_callback: bool = False
    """made at a time that the person named; none of the step's tries"""
    calls: int = 1
    """how often the provider dialled for it, its own retries included"""


def last_of_each_step(tries: Iterable[Tried]) -> dict[str, Tried]:
    """Give the last try of each step, in the order in which the steps first ended; `tries` are oldest first."""
    return {one.step: one for one in tries}
