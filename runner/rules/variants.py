"""Variants of a campaign: who gets which, where one changes who talks, and how sure a share of successes is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.model.campaign import Agent, Campaign, Step, Variant
from runner.model.channel import Channel

NORMAL_95 = 1.959963984540054
"""how many standard deviations to either side hold 95 % of a normal distribution"""
_SPAN = float(2**53)

Serves = Callable[[str, Channel], bool]
"""whether the agent of that name can call, or text"""


@dataclass(frozen=True, slots=True)
class Interval:
    """A span in which a share lies, in 0..1."""

    low: float
    high: float


def assign(campaign: str, contact: str, weights: Mapping[str, int]) -> str:
    """Give the variant of a contact key: the same on every machine, whatever the order of the variants.

    Weighted rendezvous hashing: each variant draws a number for the person, and the highest one
    wins. A changed weight, a new variant or one that goes away moves only as many people as it
    must. Empty when no variant has a weight.
    """
    drawn = {name: _draw(campaign, contact, name, weight) for name, weight in weights.items() if weight > 0}
    return max(sorted(drawn), key=drawn.__getitem__, default="")


def _draw(campaign: str, contact: str, variant: str, weight: int) -> float:
    parts = f"{campaign}\x1f{contact}\x1f{variant}"
    digest = hashlib.blake2b(parts.encode(), digest_size=8, person=b"outreach-variant").digest()
    # Even in (0, 1): never 0 nor 1, of which there is no logarithm or no use.
    even = ((int.from_bytes(digest, "big") >> 11) + 0.5) / _SPAN
    return -weight / math.log(even)


def varied_steps(campaign: Campaign, variant: Variant, serves: Serves) -> frozenset[str]:
    """Name the steps of a canonical campaign in which a variant's agent and options count.

    Those of one channel in which one agent talks: the first step's, or with `agent` the first that
    this one can take over. None when there is no such step.
    """
    first = next((step for step in campaign.steps if _may_take(variant, step, serves)), None)
    if first is None or (variant.agent is None and not variant.options):
        return frozenset()
    same = (step for step in campaign.steps if (step.agent, step.channel) == (first.agent, first.channel))
    return frozenset(step.label for step in same)


def _may_take(variant: Variant, step: Step, serves: Serves) -> bool:
    return variant.agent is None or serves(variant.agent, step.channel)


def varied(campaign: Campaign, name: str, serves: Serves) -> tuple[Step, ...]:
    """Give the steps as a variant does them: who talks, and the options over the step's own."""
    variant = campaign.variants[name]
    touched = varied_steps(campaign, variant, serves)
    return tuple(
        _as_varied(step, variant, campaign.agents) if step.label in touched else step for step in campaign.steps
    )


def _as_varied(step: Step, variant: Variant, agents: Mapping[str, Agent]) -> Step:
    name = variant.agent or step.agent
    update: dict[str, object] = {
        step.channel: name,
        "options": {**_options_for(step, name, agents), **variant.options},
        "backups": tuple(one for one in step.backups if one != name),
    }
    return step.model_copy(update=update)


def as_backup(step: Step, name: str, agents: Mapping[str, Agent]) -> Step:
    """Give a step as a backup does it: the step's options count only for an agent of the same provider."""
    return step.model_copy(update={step.channel: name, "backups": (), "options": _options_for(step, name, agents)})


def _options_for(step: Step, name: str, agents: Mapping[str, Agent]) -> Mapping[str, object]:
    """Give the options of a step for an agent: none where it is another provider's than the step's own."""
    own, other = agents.get(step.agent), agents.get(name)
    return step.options if own is not None and other is not None and own.provider == other.provider else {}


def wilson(successes: int, of: int) -> Interval:
    """Give the interval of 95 % for a share of successes, by Wilson's score; all of 0..1 where nothing was tried.

    ValueError unless 0 <= successes <= of. (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.)
    """
    if not 0 <= successes <= of:
        message = f"`{successes}` of `{of}` is no share"
        raise ValueError(message)
    if of == 0:
        return Interval(0.0, 1.0)
    share, z2 = successes / of, NORMAL_95**2
    middle = share + z2 / (2 * of)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    scale = 1 + z2 / of
    # Rounding must not let the ends lie beyond what is exact: nobody is below 0 of n, nor above n of n.
    low = 0.0 if successes == 0 else max(0.0, (middle - reach) / scale)
    high = 1.0 if successes == of else min(1.0, (middle + reach) / scale)
    return Interval(low, high)
