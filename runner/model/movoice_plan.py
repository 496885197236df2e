"""Movoice's plans: how many calls each allows at once, and how many people in one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Plan = Literal["starter", "growth", "business", "enterprise"]


class PlanLimit(NamedTuple):
    """What a plan allows; None is what an enterprise agreed upon, which nobody publishes."""

    concurrency: int | None
    people: int


PLANS: Mapping[Plan, PlanLimit] = {
    "starter": PlanLimit(1, 50),
    "growth": PlanLimit(3, 500),
    "business": PlanLimit(10, 5_000),
    "enterprise": PlanLimit(None, 100_000),
}
"""documented limits; an enterprise's batch is unlimited, and still has to fit into one request"""
