"""What failing over reads of a ledger: the backups of attempts that are due."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOfDue:
    """One backup of a planned attempt whose time has come."""

    attempt: int
    rank: int
    """which backup of the step it is, from 1"""
    account: str
    lane: int
    """the lane in which its attempts are counted"""
