"""Build what a provider's own campaign is made from: the plan shows one person, the engine hands over many."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from runner.model.campaign import Agent, Step
from runner.model.fields import FilePart
from runner.model.handover import HandedContact, Handover
from runner.model.json import JsonObject
from runner.model.request import Request
from runner.model.retry import Retry
from runner.model.window import Window
from runner.rules.policy import Policy

_WHOLE_DAY = Window.model_validate({"from": "00:00", "to": "24:00"})
_SINGLE = "delivery: single"
_OURS = frozenset({"name", "own_rules"})
"""options of native delivery that we read ourselves"""


class CampaignBuilder(Protocol):
    """The part of a provider's own campaigns that planning needs: it builds requests and sends nothing."""

    def problem(self, handover: Handover) -> tuple[str, str] | None:
        """Say what of a handover the provider cannot express, and what to write instead."""
        ...

    def create(self, handover: Handover) -> Request:
        """Build the request that hands over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is agreed on with a provider for one step, whoever is handed over."""

    policy: Policy
    step: Step
    agent: Agent
    agent_id: str
    options: Mapping[str, Any]
    """the provider's options, validated, the step's own over the agent's"""

    @property
    def own_rules(self) -> bool:
        """Whether windows, retries and concurrency are left to what the agent is set to at the provider."""
        return bool(self.options.get("own_rules"))

    def problem(self) -> tuple[str, str] | None:
        """Say what of the campaign's days and pace no provider's own campaign knows, and what to write instead; None when nothing.

        Weekdays, hours, concurrency and starts in a second are each provider's own to judge.
        """
        limits = self.policy.campaign.limits
        paces = {"per_minute": limits.per_minute, "per_day": limits.per_day, "ramp": limits.ramp}
        pace = next((name for name, value in paces.items() if value is not None), None)
        return self._days_problem() if pace is None else self._pace_problem(f"`{pace}` of limits")

    def _pace_problem(self, what: str) -> tuple[str, str]:
        provider = self.agent.provider
        return f"{what} cannot be told to {provider}, whose own campaigns keep the pace", f"write: {_SINGLE}"

    def _days_problem(self) -> tuple[str, str] | None:
        campaign, provider = self.policy.campaign, self.agent.provider
        windows = self.policy.windows_of(self.step)
        if not windows:
            return f"no window is for a {self.step.channel}, so that {provider} would have none", f"write: {_SINGLE}"
        is_used = {
            "blackout": campaign.blackout,
            "holidays": campaign.holidays,
            "dates": any(window.dates for window in windows),
        }
        found = next((name for name, value in is_used.items() if value), None)
        if found is None:
            return None
        of = " of windows" if found == "dates" else ""
        return (
            f"`{found}`{of} cannot be told to {provider}, whose own campaigns know weekdays alone",
            f"write: {_SINGLE}",
        )

    def handover(
        self, key: str, people: Iterable[HandedContact], now: datetime, *, concurrency: int | None = None
    ) -> Handover:
        """Build a handover that is sent at `now`; its concurrency is the campaign's unless a part of it is given.

        With `reference: header` the key stays out of the name, so that the name is the one that
        the files say.
        """
        policy, campaign = self.policy, self.policy.campaign
        return Handover(
            key="" if self.agent.reference == "header" else key,
            campaign=str(self.options.get("name") or campaign.campaign),
            agent_id=self.agent_id,
            people=tuple(people),
            windows=(_WHOLE_DAY,) if policy.windows_ignored else policy.windows_of(self.step),
            timezone=campaign.timezone,
            retry=self.step.retry or Retry(),
            concurrency=concurrency or campaign.limits.concurrency,
            per_second=pace(policy),
            from_number=self.agent.from_ or "",
            start_at=policy.starts if policy.starts is not None and policy.starts > now else None,
            options={name: value for name, value in self.options.items() if name not in _OURS},
            own_rules=self.own_rules,
        )


def passable(builder: CampaignBuilder, handover: Handover) -> Handover:
    """Give a handover without its start when that alone cannot be told to the provider: it then is waited for here."""
    later = replace(handover, start_at=None)
    if handover.start_at is None or builder.problem(handover) is None or builder.problem(later) is not None:
        return handover
    return later


def options_of(model: type[FilePart], agent: Agent, step: Step) -> dict[str, Any]:
    """Validate the provider's options of a step over those of its agent; only keys that the files set.

    An agent that both calls and texts has the options of both: those that the model does not know are left out.
    """
    known = {info.alias or name for name, info in model.model_fields.items()}
    own = {key: value for key, value in agent.options.items() if key in known}
    return model.model_validate({**own, **step.options}).model_dump(exclude_unset=True, by_alias=True)


def native_of(provider: object) -> CampaignBuilder | None:
    """Give the builder of a provider's own campaigns; None where it has none."""
    return cast("CampaignBuilder | None", getattr(provider, "native", None))


def handed_contact(phone: str, zones: Sequence[str], variables: JsonObject) -> HandedContact:
    """Give one person to hand over; the zone only if it is certain."""
    return HandedContact(phone=phone, variables=variables, timezone=zones[0] if len(zones) == 1 else None)


def pace(policy: Policy) -> float | None:
    """Give how many calls may start in a second, from `per_second` and `spacing`; None without either."""
    limits = policy.campaign.limits
    paces = [limits.per_second] if limits.per_second is not None else []
    if limits.spacing:
        paces.append(timedelta(seconds=1) / limits.spacing)
    return min(paces, default=None)


def handover_key(campaign: str, step: str, number: int, attempts: Iterable[str]) -> str:
    """Give the key of a handover: 32 hex digits from its place in its step, from 1, and the keys of its attempts."""
    parts = "\x1f".join((campaign, step, str(number), *attempts))
    return hashlib.blake2b(parts.encode(), digest_size=16, person=b"outreach-handov").hexdigest()
