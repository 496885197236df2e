"""What the plans of a campaign's accounts allow: calls at once, which a campaign must not promise beyond."""

from __future__ import annotations

from collections.abc import Iterator

from runner.files.checks import Checkable
from runner.files.faults import Fault
from runner.model.campaign import Campaign
from runner.model.movoice_plan import PLANS
from runner.model.project import Account, Project, resolve_account


def within_plans(campaign: Campaign, project: Project) -> Campaign:
    """Lower the concurrency to what the plans of a campaign's accounts allow; one that the file sets was refused before."""
    most = min((limit for _, limit in _limits(campaign.canonical(), project)), default=None)
    if most is None or campaign.limits.concurrency <= most:
        return campaign
    return campaign.model_copy(update={"limits": campaign.limits.model_copy(update={"concurrency": most})})


def plan_allows(this: Checkable) -> Iterator[Fault]:
    """Refuse a concurrency above what the plan of an account allows."""
    wanted = this.written.limits
    if "concurrency" not in wanted.model_fields_set:
        return
    for account, limit in _limits(this.canonical, this.project):
        if wanted.concurrency > limit:
            message = (
                f"`{wanted.concurrency}` calls at once are more than {account.provider}'s plan `{account.plan}` allows"
            )
            advice = f"write: concurrency: {limit}   (or name a larger plan in outreach.yaml: {account.name})"
            yield Fault(path=("limits", "concurrency"), code="C29", message=message, help=advice)


def _limits(campaign: Campaign, project: Project) -> Iterator[tuple[Account, int]]:
    """Give the accounts of a campaign's agents whose plan says how many calls may be live at once, and how many."""
    for agent in campaign.agents.values():
        account = resolve_account(project, agent.provider, agent.account)
        limit = PLANS[account.plan].concurrency if account is not None and account.plan else None
        if account is not None and limit is not None:
            yield account, limit
