"""How the engine meets the world: small protocols, no code."""

from __future__ import annotations

from runner.ports.ledger import HandoverLedger, LaneLedger, Ledger, LetterLedger
from runner.ports.provider import (
    Capabilities,
    DoNotCallList,
    LineCount,
    ListedNumbers,
    ManyPolls,
    NativeCampaigns,
    Provider,
)
from runner.ports.world import Alarm, Clock, Transport

__all__ = [
    "Alarm",
    "Capabilities",
    "Clock",
    "DoNotCallList",
    "HandoverLedger",
    "LaneLedger",
    "Ledger",
    "LetterLedger",
    "LineCount",
    "ListedNumbers",
    "ManyPolls",
    "NativeCampaigns",
    "Provider",
    "Transport",
]
