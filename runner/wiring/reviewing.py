"""Hold the plan that is about to be written against the one that was reviewed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner import __version__
from runner.errors import LedgerError, PlanStale
from runner.files.reviewed_plan import ReviewedPlan
from runner.planning.known import KnownCampaign
from runner.wiring.applying import Examined, examine
from runner.wiring.workspace import Workspace, combined_digest

_NAMED = 6


def digest_of(examined: Sequence[Examined]) -> str:
    """Give the digest of the plan of all these campaigns: what `outreach plan` gives for the same ones."""
    return combined_digest((one.planned.name, one.summary.digest) for one in examined)


def refuse_other_plan(
    workspace: Workspace, reviewed: ReviewedPlan, examined: Sequence[Examined], *, review_anew: str
) -> None:
    """Raise PlanStale when these plans are not the one that was reviewed; say why, as far as that can be told.

    What passes is what `applying.apply` writes: it takes the same digests, and refuses rows that give another.
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


def refuse_other_people(first: Examined, second: Examined) -> None:
    """Raise LedgerError when the plan with the ids of new agents was made from other contacts than the one before.

    The ids alone may differ, so digests cannot tell. Of a campaign that repeats a plan writes nobody.
    """
    one, other = first.planned, second.planned
    if one.rounds is None and one.mark and other.mark and one.mark.value() != other.mark.value():
        raise LedgerError(
            f"the contacts of {one.name} changed while its agents were created, so nobody of it was written",
            help="look at it again: outreach plan",
        )


def _reasons(workspace: Workspace, reviewed: ReviewedPlan, examined: Sequence[Examined]) -> Iterator[str]:
    found = {one.planned.name: one.summary.digest for one in examined}
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
