"""Who holds a ledger, until when, and in which epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process, told apart from every other one that ever ran."""

    host: str
    boot: str
    """the machine's boot id; empty where it has none"""
    pid: int
    began: int
    """when the process began, in the machine's own ticks, so that a pid that is used again is told apart; 0 if unknown"""
    version: str
    """of the tool"""

    @property
    def sentence(self) -> str:
        """Name it for people."""
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The ledger's lease as it stands."""

    epoch: int
    """grows by one with each runner; 0 when there was none yet"""
    holder: Holder
    since: datetime
    renewed: datetime
    until: datetime
    """by the wall clock of the holder's machine"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a runner found when it took a ledger."""

    epoch: int
    put_back: int = 0
    """attempts that were claimed and provably not sent"""
    in_doubt: int = 0
    """attempts that were being sent, people of handovers included"""
    looked_up_at: datetime | None = None
    """when the first of them is looked for at its provider; None when there is none"""
    waiting_letters: int = 0
    """webhooks that were received and wait for the call that they name"""
    handovers: int = 0
    """handovers to providers' own campaigns that are not finished"""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was cut short."""
        return not (self.put_back or self.in_doubt)

    @property
    def sentence(self) -> str:
        """Say it in one sentence."""
        if self.is_clean and not self.waiting_letters and not self.handovers:
            return f"runner {self.epoch} of this ledger: nothing was left unfinished"
        found = []
        if self.put_back:
            found.append(f"{self.put_back:,} not sent yet, put back in line")
        if self.in_doubt:
            at = f", looked for from {self.looked_up_at:%H:%M:%S} UTC on" if self.looked_up_at else ""
            found.append(f"{self.in_doubt:,} in doubt{at}")
        if self.waiting_letters:
            found.append(f"{_count(self.waiting_letters, 'webhook')} waiting for their call")
        if self.handovers:
            found.append(f"{_count(self.handovers, 'handover')} unfinished")
        begins = "was left behind" if self.is_clean else "was cut short"
        return f"runner {self.epoch} of this ledger took up what {begins}: {'; '.join(found)}"


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
