"""`--reviewed`: what `plan`, `apply` and `run` share about plans that somebody has to have read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from runner.errors import UsageWrong
from runner.files.reviewed_plan import ReviewedPlan, reviewed_plan
from runner.wiring.applying import Examined
from runner.wiring.reviewing import refuse_other_plan
from runner.wiring.workspace import Workspace

reviewed_option = click.option(
    "--reviewed", "reviewed_said", metavar="DIGEST",
    help="Write only the plan that was reviewed: the digest that `outreach plan` says for the same paths, "
    "or its --format json as a file, or - for standard input.",
)  # fmt: skip


def asked_review(
    workspace: Workspace, said: str | None, command: str, paths: Sequence[Path], *, is_real: bool = True
) -> ReviewedPlan | None:
    """Read what `--reviewed` says; raise UsageWrong when the project requires it for real people and it is absent."""
    if said is not None:
        return reviewed_plan(said)
    if is_real and is_required(workspace):
        raise UsageWrong(
            f"`{command}` needs the digest of the plan that was reviewed, since outreach.yaml says `review: required`",
            help=f"{to_paste(command, paths, 'DIGEST')}   (DIGEST is what {to_paste('plan', paths)} says at its end)",
        )
    return None


def is_required(workspace: Workspace) -> bool:
    """Whether real people are reached by reviewed plans alone."""
    return workspace.loaded.project.review == "required"


def hold_against(
    reviewed: ReviewedPlan | None, workspace: Workspace, examined: Sequence[Examined], paths: Sequence[Path]
) -> None:
    """Raise PlanStale when a plan was reviewed, and these are not it."""
    if reviewed is not None:
        refuse_other_plan(workspace, reviewed, examined, review_anew=f"review it anew: {to_paste('plan', paths)}")


def to_paste(command: str, paths: Sequence[Path], digest: str = "") -> str:
    """Write a command as a shell takes it, for the same project, ledger and campaigns as this one."""
    context = click.get_current_context(silent=True)
    told = (context.find_root().obj or {}) if context else {}
    words = ["outreach"]
    words += ["--project", str(told["project"])] if told.get("project") else []
    words += ["--ledger", told["ledger"]] if told.get("ledger") else []
    words += [command, *(str(path) for path in paths)]
    words += ["--reviewed", digest] if digest else []
    return shlex.join(words)
