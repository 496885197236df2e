"""An attempt that ended, with everything that is known for what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner.model.json import Json
from runner.model.outcome import Outcome
from runner.model.tried import Tried
from runner.model.whereabouts import Whereabouts
from runner.rules.expressions import StepResult, when_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An attempt that ended, with all that a follow-up is decided on; instants are aware and UTC."""

    step: str
    number: int
    outcome: Outcome
    at: datetime
    where: Whereabouts
    history: Mapping[str, StepResult]
    """how each step done so far ended, in that order, this one last"""
    contact: Mapping[str, Any]
    """the contact's row"""
    variant: str = ""
    """the person's variant of the campaign; empty without one"""
    key: str = ""
    """the attempt's key, from which its jitter is drawn"""
    started_at: datetime | None = None
    """when its request left; when it ended, where that is not known"""
    step_due_at: datetime | None = None
    """when its step became due for the person; when it ended, where that is not known"""
    is_callback: bool = False
    """made at a time that the person named"""
    calls: int = 1
    """how often the provider dialled for it, its own retries included"""
    is_undialled: bool = False
    """provably nobody was dialled"""
    structured: Mapping[str, Json] = field(default_factory=dict)
    """what the agent found out, field by field"""
    earlier: tuple[Tried, ...] = ()
    """the person's tries before this one, of every step, oldest first"""

    @property
    def tag(self) -> str:
        """The business result that the agent set; empty when it set none."""
        result = self.history.get(self.step)
        return result.tag if result is not None else ""

    @property
    def tries_of_step(self) -> tuple[Tried, ...]:
        """The earlier tries of the same step."""
        return tuple(one for one in self.earlier if one.step == self.step)

    @property
    def callbacks(self) -> int:
        """How many of the step's attempts were calls back, this one included."""
        return sum(one.is_callback for one in self.tries_of_step) + self.is_callback

    @property
    def used(self) -> int:
        """How many tries of the budget are used up, this one included; a provider's own redials are tries too."""
        redials = sum(one.calls - 1 for one in self.tries_of_step if not one.is_callback)
        return self.number - self.callbacks + redials + (0 if self.is_callback else self.calls - 1)

    @property
    def ended_alike(self) -> int:
        """How many tries of the budget ended like this one, this one included."""
        alike = [one for one in self.tries_of_step if one.outcome == self.outcome and not one.is_callback]
        return len(alike) + (not self.is_callback)

    def values(self) -> dict[str, Any]:
        """Give what `done_when` and `stop_when` see: this attempt's `outcome` and `tag`, and all that `when` sees."""
        return {**when_values(self.history, self.contact, self.variant), "outcome": self.outcome.value, "tag": self.tag}
