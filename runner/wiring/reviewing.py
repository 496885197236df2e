"""Hold the plan that is about to be written against the one that was reviewed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote

from runner import __version__
from runner.errors import PlanChanged, PlanStale
from runner.files.reviewed_plan import ReviewedPlan
from runner.model.agent_definition import NOT_APPLIED
from runner.model.plan import BackupRequest, PlanLine, PlanStatus
from runner.planning.digest import Digest
from runner.planning.known import KnownCampaign
from runner.wiring.applying import Examined, examine
from runner.wiring.planned import Planned, shown_path
from runner.wiring.workspace import Workspace, combined_digest

_NAMED = 6

_Request = TypeVar("_Request", PlanLine, BackupRequest)


def digest_of(examined: Sequence[Examined]) -> str:
    """Give the digest of the plan of all these campaigns: what `outreach plan` gives for the same ones."""
    return combined_digest((one.planned.name, one.summary.digest) for one in examined)


def refuse_other_plan(
    workspace: Workspace, reviewed: ReviewedPlan, examined: Sequence[Examined], *, review_anew: str
) -> None:
    """Raise PlanStale when these plans are not the one that was reviewed; say why, as far as that can be told.

    What passes is what `applying.apply_all` writes: it takes the same digests, and refuses rows that give another.
    """
    now = digest_of(examined)
    if now == reviewed.digest:
        return
    of_file = f" ({reviewed.file})" if reviewed.file else ""
    why = "".join(f"; {reason}" for reason in _reasons(workspace, reviewed, examined))
    raise PlanStale(
        f"this is not the plan that was reviewed, so nothing was written: reviewed{of_file} {reviewed.digest}, "
        f"now {now}{why}",
        help=review_anew,
    )


def refuse_other_lines(first: Examined, second: Examined) -> None:
    """Raise PlanChanged when a plan with the ids of new agents differs from the one before in anything but these ids.

    What counts is what a digest counts: who is contacted, with what, and who is not. Goes through both plans
    once more. Of a campaign that repeats a plan writes nobody.
    """
    if first.planned.rounds is not None:
        return
    before, without_ids = _digests(first.planned)
    after, again_without_ids = _digests(second.planned)
    if (before, after, without_ids) != (first.summary.digest, second.summary.digest, again_without_ids):
        raise PlanChanged(
            f"the plan of {first.planned.name} became another plan while its agents were created, by its contacts or "
            "by who must not be contacted, so nothing was written",
            help="look at it again: outreach plan",
        )


def _digests(planned: Planned) -> tuple[str, str]:
    """Give the digest of a plan, and the one that it would have before its defined agents had ids."""
    campaign = planned.draft.policy.campaign
    defined = frozenset(name for name, agent in campaign.agents.items() if agent.define)
    without_ids = Digest(campaign, dict(planned.templates))
    lines, tally = planned.lines()
    for line in lines:
        if line.status is not PlanStatus.REMOVE:
            without_ids.add(
                _without_id(replace(line, backups=tuple(_without_id(one, defined) for one in line.backups)), defined)
            )
    return tally.summary().digest, without_ids.value()


def _without_id(request: _Request, defined: Collection[str]) -> _Request:
    """Put what stands for an id that nobody has given yet where a request names a defined agent."""
    if request.agent not in defined or not request.agent_id:
        return request
    path = "/".join(NOT_APPLIED if unquote(part) == request.agent_id else part for part in request.path.split("/"))
    payload = _with_leaf(request.payload, request.agent_id)
    return replace(request, agent_id=NOT_APPLIED, path=path, payload=payload)


def _with_leaf(value: Any, agent_id: str) -> Any:
    """Give JSON with `NOT_APPLIED` for each value that is an agent's id."""
    if isinstance(value, dict):
        return {name: _with_leaf(one, agent_id) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_leaf(one, agent_id) for one in value]
    return NOT_APPLIED if value == agent_id else value


def _reasons(workspace: Workspace, reviewed: ReviewedPlan, examined: Sequence[Examined]) -> Iterator[str]:
    found = {one.planned.name: one.summary.digest for one in examined}
    alone = next((one.planned for one in examined if one.summary.digest == reviewed.digest), None)
    if alone is not None:
        yield f"that is the plan of {alone.name} alone, so name its path: {shown_path(alone.loaded.path)}"
        return
    if reviewed.tool_version and reviewed.tool_version != __version__:
        yield f"outreach {reviewed.tool_version} made it, and this is {__version__}"
        return
    missing, added = sorted(set(reviewed.digests) - set(found)), sorted(set(found) - set(reviewed.digests))
    if reviewed.digests and missing:
        yield f"reviewed, and not among these: {_listed(missing)}"
    if reviewed.digests and added:
        yield f"nobody reviewed {_listed(added)}"
    other = sorted(name for name in found if name in reviewed.digests and reviewed.digests[name] != found[name])
    if other:
        yield f"another plan now: {_listed(other)}"
    if _is_of_the_same_files(workspace, reviewed, examined):
        yield (
            "the files are the same, and the ledger is not: since then agents were created, "
            "or other people must not be contacted, are held or keep a variant"
        )


def _is_of_the_same_files(workspace: Workspace, reviewed: ReviewedPlan, examined: Sequence[Examined]) -> bool:
    """Whether the reviewed plan is that of these files before the ledger held anything of what a digest counts."""
    found = [
        one.summary.digest
        if reviewed.digests.get(one.planned.name) == one.summary.digest
        else _without_ledger(workspace, one)
        for one in examined
    ]
    return combined_digest(zip((one.planned.name for one in examined), found, strict=True)) == reviewed.digest


def _without_ledger(workspace: Workspace, examined: Examined) -> str:
    planned = examined.planned
    ignored = planned.draft.policy.windows_ignored
    plain = workspace.plan(planned.loaded, planned.now, windows_ignored=ignored, known=KnownCampaign())
    return examine(plain).summary.digest


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
