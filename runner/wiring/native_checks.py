"""Say at `validate` and `plan` what of a campaign its provider's own campaigns cannot express."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from runner.errors import Diagnostic
from runner.files.campaign import LoadedCampaign
from runner.model.campaign import Agent
from runner.model.project import Account
from runner.planning.handover import Terms, native_of, options_of
from runner.providers.registry import provider_for
from runner.rules.policy import policy_of

# The schedule's start is waited for here where a provider cannot be told, so it is no reason to refuse.
_AFTER_EVERY_START = datetime.max.replace(tzinfo=UTC)


def native_problems(loaded: LoadedCampaign, account_of: Callable[[Agent], Account]) -> Iterator[Diagnostic]:
    """Give what each native step's provider cannot express, in the generation that its account pins.

    Only rules are looked at here; a person whom the provider cannot take is skipped by the plan.
    """
    campaign = loaded.campaign
    for index, step in enumerate(campaign.steps):
        if step.delivery != "native":
            continue
        agent = campaign.agents[step.agent]
        account, place = account_of(agent), ("steps", index, "delivery")
        provider = provider_for(account)
        builder = native_of(provider)
        if builder is None:
            named = f" of generation `{account.generation}`" if account.generation else ""
            message = f"{agent.provider}{named} has no campaigns of its own, so delivery cannot be `native`"
            yield loaded.diagnostic("C25", message, "write: delivery: single   (or remove the line)", place)
            continue
        options = options_of(provider.options_model(step.channel), agent, step)
        terms = Terms(policy=policy_of(campaign), step=step, agent=agent, agent_id=agent.id, options=options)
        problem = terms.problem() or builder.problem(terms.handover("", (), _AFTER_EVERY_START))
        if problem is not None:
            yield loaded.diagnostic("C29", problem[0], problem[1], place)
