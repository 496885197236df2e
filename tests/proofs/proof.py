"""What a proof is: a promise, and a run that says with figures whether it held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Share(StrEnum):
    """How much of a proof is run."""

    SMALL = "small"
    """seconds: what the tests run on every change"""
    FULL = "full"
    """the figures that are published"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a run gave."""

    said: str
    """the figures in one line, such as `1,000 kills, 0 attempts dialled twice, 0 contacts lost`"""
    holds: bool
    """whether the promise held"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A promise and how it is proved; each module of this package has one or more in `PROOFS`."""

    name: str
    """a short name for the command line, such as `kill-loop`"""
    promise: str
    """what is promised, in one sentence"""
    run: Callable[[Share], Figure]
    """proves it; raises nothing for a promise that does not hold"""
