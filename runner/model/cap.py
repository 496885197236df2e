"""Caps: the most attempts that one person may get in a period, over all campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from runner.model.campaign import Purpose
from runner.model.channel import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One cap, ready for counting."""

    attempts: int
    """how many there may be; 0 for none"""
    per: timedelta
    """in how long a time, elapsed; one day for a calendar day"""
    calendar_day: bool = False
    """counted by the person's own calendar day instead"""
    after: Literal["", "conversation"] = ""
    """counted from such a call on; every attempt counts when empty"""
    source: str = ""
    """where it stands: a key path such as `caps`, or the id of a row of the law"""
    channels: tuple[Channel, ...] = ()
    """what it counts and limits; all when empty"""
    purposes: tuple[Purpose, ...] = ()
    """what it counts and limits; all when empty"""
