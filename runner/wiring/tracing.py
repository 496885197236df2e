"""What every rule says about one person of an open project's plans, with the place of each rule."""

from __future__ import annotations

from collections.abc import Collection

from runner.model.finding import Finding
from runner.model.limits import SharedLimits
from runner.model.plan import PlanLine
from runner.model.project import Account, Project
from runner.planning.prospect import placed
from runner.planning.tracing import traced
from runner.wiring.places import shown_places
from runner.wiring.planned import Planned
from runner.wiring.workspace import Workspace

Traced = tuple[PlanLine, tuple[Finding, ...]]


def traced_lines(workspace: Workspace, planned: Planned, wanted: Collection[str]) -> list[Traced]:
    """Give each line of a plan that is about somebody with one of these numbers or keys, and what rules say about it.

    A line of a row that is no contact, or of somebody who left the contacts, comes without a word of any rule.
    """
    lines, _ = planned.lines()
    own = [line for line in lines if line.phone in wanted or line.contact_key in wanted]
    draft, now = planned.preview or planned.draft, planned.at or planned.now
    people = {one.key: one for one in planned.people(wanted)}
    places = shown_places(workspace, planned.loaded)
    found: list[Traced] = []
    for line in own:
        contact = people.get(line.contact_key)
        ways = draft.variants.get(line.variant, draft.routes)
        route = next((one for one in ways if one.step.label == line.step), None)
        if contact is None or route is None:
            found.append((line, ()))
            continue
        limits = shared_limits(workspace.loaded.project, route.account, has_from=bool(route.agent.from_))
        found.append((line, placed(traced(draft, contact, route.step, limits, now), places)))
    return found


def shared_limits(project: Project, account: Account, *, has_from: bool) -> dict[str, SharedLimits]:
    """Give the limits that campaigns share and that count for attempts through an account, by key path."""
    limits = {
        f"accounts.{account.name}.limits": account.limits,
        f"accounts.{account.name}.from_limits": account.from_limits if has_from else None,
        "project.limits": project.limits,
    }
    return {source: one for source, one in limits.items() if one is not None}
