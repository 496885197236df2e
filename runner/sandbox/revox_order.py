"""One call order of Revox: the call with its attempts, its retry loop, and where it belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.sandbox.call import Call
from runner.sandbox.lines import Lines
from runner.sandbox.revox_retries import RetryPlan


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One order; ``call`` holds its attempts and its stage."""

    call: Call
    config: Mapping[str, Any] | None = None
    """its ``call_retry_config``; None when nobody gave one"""
    plan: RetryPlan | None = None
    """its retry loop; None dials at once and once"""
    assistant: Mapping[str, Any] | None = None
    campaign_id: str = ""
    campaign_name: str = ""
    lines: Lines | None = None
    scheduled_at: datetime | None = None
    """when its request wanted it to start"""
    wanted_at: datetime | None = None
    """the earliest instant of its next try, before windows are asked"""
    ignores_windows: bool = False
    is_paused: bool = False
    is_final: bool = False
    """nothing follows its running call"""

    @property
    def tries_left(self) -> int:
        """How often it may still be dialled."""
        return (self.plan.most_attempts if self.plan else 1) - len(self.call.attempts)
