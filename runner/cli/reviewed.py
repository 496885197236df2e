"""`--reviewed`: what `plan`, `apply` and `run` share about plans that somebody has to have read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from runner.errors import PlanChanged, PlanStale, UsageWrong
from runner.files.campaign import LoadedCampaign
from runner.files.reviewed_plan import ReviewedPlan, reviewed_plan
from runner.wiring.applying import Examined, examine
from runner.wiring.reviewing import refuse_other_plan
from runner.wiring.workspace import Workspace

reviewed_option = click.option(
    "--reviewed", "reviewed_said", metavar="DIGEST|FILE|-",
    help="Write only the plan that was reviewed: the digest that `outreach plan` says for the same paths, "
    "or its --format json as a file, or - for standard input.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a command may write: the plan that was reviewed, or any plan where none was named."""

    workspace: Workspace
    paths: tuple[Path, ...]
    reviewed: ReviewedPlan | None = None

    def hold(self, examined: Sequence[Examined]) -> None:
        """Raise PlanStale when a plan was reviewed, and these are not it."""
        if self.reviewed is not None:
            refuse_other_plan(self.workspace, self.reviewed, examined, review_anew=self._anew())

    def hold_early(self, loaded: Sequence[LoadedCampaign], now: datetime, *, windows_ignored: bool = False) -> None:
        """Raise PlanStale as `hold` does, before anything opens the ledger; plans nothing where none was named.

        What an engine does about a crash, before it plans, is not for a plan that nobody reviewed.
        """
        if self.reviewed is not None:
            plans = [self.workspace.plan(one, now, windows_ignored=windows_ignored) for one in loaded]
            self.hold([examine(one) for one in plans])

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say of a plan that changes while it is written how to go on; raise PlanStale for it when it was reviewed.

        What else ends the writing, as Ctrl-C does, says on standard error which campaigns it left half applied.
        """
        try:
            yield
        except PlanChanged as changed:
            if self.reviewed is not None:
                message = f"this is not the plan that was reviewed any more: {changed.message}"
                raise PlanStale(message, help=self._anew()) from changed
            again = f"look at it, and apply again: {to_paste('plan', self.paths)}"
            raise PlanChanged(changed.message, help=again) from changed
        except BaseException as error:
            for note in getattr(error, "__notes__", ()):
                click.echo(note, err=True)
            raise

    def _anew(self) -> str:
        return f"review it anew: {to_paste('plan', self.paths)}"


def asked_review(
    workspace: Workspace, said: str | None, command: str, paths: tuple[Path, ...], *, is_real: bool = True
) -> Review:
    """Read what `--reviewed` says; raise UsageWrong when the project requires it for real people and it is absent."""
    if said is None and is_real and is_required(workspace):
        raise UsageWrong(
            f"`{command}` needs --reviewed with the digest of the plan that was reviewed, "
            "since outreach.yaml says `review: required`",
            help=f"review the plan and take its digest: {to_paste('plan', paths)}",
        )
    reviewed = reviewed_plan(said) if said is not None else None
    return Review(workspace=workspace, paths=paths, reviewed=reviewed)


def is_required(workspace: Workspace) -> bool:
    """Whether real people are reached by reviewed plans alone."""
    return workspace.loaded.project.review == "required"


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
