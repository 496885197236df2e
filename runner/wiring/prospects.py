"""What comes next for one person, asked of the rules in force and of the law as this version has it."""

from __future__ import annotations

from datetime import datetime

from runner.files.law_table import law_table
from runner.ledger.overview import account_health
from runner.ledger.store import Store
from runner.model.attempt import Assignment, AttemptState
from runner.model.campaign import Campaign
from runner.model.dealings import NO_DEALINGS, Dealings
from runner.model.limits import SharedLimits
from runner.model.person import CampaignStory, Person
from runner.planning.prospect import Prospect, prospect
from runner.rules.caps import look_back
from runner.rules.law import CampaignLaw
from runner.rules.policy import Policy, policy_of
from runner.wiring.tracing import shared_limits
from runner.wiring.workspace import Workspace


def prospects(workspace: Workspace, store: Store, person: Person, now: datetime) -> tuple[Prospect, ...]:
    """Give for each campaign of a person what comes next."""
    return tuple(_prospect(workspace, store, story, now) for story in person.campaigns)


def _prospect(workspace: Workspace, store: Store, story: CampaignStory, now: datetime) -> Prospect:
    policy = _policy(story)
    planned = next(
        (one.work for one in reversed(story.attempts) if one.work.attempt.state is AttemptState.PLANNED), None
    )
    if planned is None:
        return prospect(policy, story, NO_DEALINGS, {}, now)
    ill = next((one for one in account_health(store, now) if one.account == planned.attempt.account), None)
    return prospect(
        policy, story, _dealings(store, policy, planned, now), _limits(workspace, policy, planned), now, ill
    )


def _policy(story: CampaignStory) -> Policy:
    campaign = Campaign.model_validate_json(story.revision.policy).model_copy(update={"campaign": story.campaign})
    return policy_of(campaign, law=CampaignLaw(law_table(), campaign.compliance))


def _dealings(store: Store, policy: Policy, work: Assignment, now: datetime) -> Dealings:
    step = policy.step_named(work.attempt.step)
    span = look_back(policy, step, work.attempt.where) if step is not None else None
    past = store.past_attempts(work.attempt.phone, now - span, now) if span else ()
    return Dealings(past=past, left_alone_until=work.left_alone_until, left_alone_why=work.left_alone_why)


def _limits(workspace: Workspace, policy: Policy, work: Assignment) -> dict[str, SharedLimits]:
    account = workspace.accounts.get(work.attempt.account)
    step = policy.step_named(work.attempt.step)
    if account is None or step is None:
        return {}
    agent = policy.campaign.agents.get(step.agent)
    return shared_limits(workspace.loaded.project, account, has_from=agent is not None and bool(agent.from_))
