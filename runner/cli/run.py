"""`outreach run`: apply and place until everything has ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from runner.cli.apply import confirmed, print_applied
from runner.cli.options import InstantType, holding_options, workspace_of
from runner.cli.output import format_option, print_warnings
from runner.cli.reviewed import Review, asked_review, reviewed_option
from runner.cli.running import RunOptions, apply_and_run, report, surroundings_of
from runner.errors import ExitCode, UsageWrong
from runner.files.campaign import LoadedCampaign
from runner.report import machine
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.workspace import Workspace

HERE = "here"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--sandbox", is_flag=False, flag_value=HERE, metavar="[URL]",
    help="Place into the sandbox: one in this process with a fast clock, or the one at URL.",
)  # fmt: skip
@click.option("--now", "windows_ignored", is_flag=True, help="Ignore windows; in the sandbox only.")
@click.option("--seed", type=int, default=0, show_default=True, help="What the people of an in-process sandbox do.")
@click.option("--at", type=InstantType(), help="Where the clock of an in-process sandbox starts; now otherwise.")
@reviewed_option
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@holding_options
@format_option
@click.pass_context
def run(
    ctx: click.Context,
    paths: tuple[Path, ...],
    sandbox: str | None,
    seed: int,
    at: datetime | None,
    form: str,
    *,
    reviewed_said: str | None,
    windows_ignored: bool,
    yes: bool,
    takeover: bool,
    trusts_clock: bool,
) -> int:
    """Apply campaigns, then place their calls and texts until everything has ended.

    With PATH it places these campaigns and no others; without, everything that was applied before.
    So does a second run after the first was stopped, however that happened. Ctrl-C drains: nothing
    new is started, what is being sent is finished and written down. While `outreach serve` runs on
    the ledger, that places what is applied here, and this watches until the end. With --reviewed
    nothing is applied or placed unless the plan is the one that was reviewed.
    """
    if sandbox is None and (windows_ignored or at is not None):
        raise UsageWrong("--now and --at are for the sandbox only: real people have windows", help="add --sandbox")
    paths, sandbox = _meant(paths, sandbox)
    if reviewed_said is not None and not paths:
        raise UsageWrong("without a PATH nothing is applied, so there is no plan to hold against --reviewed")
    workspace = workspace_of(ctx)
    review = asked_review(workspace, reviewed_said, "run", paths, is_real=sandbox is None and bool(paths))
    loaded = workspace.load(paths) if paths else []
    print_warnings(workspace, loaded)
    only = frozenset(one.campaign.campaign for one in loaded) or None
    options = RunOptions(
        sandbox=sandbox, seed=seed, windows_ignored=windows_ignored, at=at, only=only, shows_agents=form == "text",
        takeover=takeover, trusts_clock=trusts_clock,
    )  # fmt: skip
    review.hold_early(loaded, at or SystemClock().now(), windows_ignored=windows_ignored)
    with review.writing():
        return asyncio.run(_run(workspace, loaded, options, form, review, ask=not yes and sandbox is None))


def _meant(paths: tuple[Path, ...], sandbox: str | None) -> tuple[tuple[Path, ...], str | None]:
    """Take a word after --sandbox that is no address for the first path."""
    if sandbox in (None, HERE) or str(sandbox).startswith(("http://", "https://")):
        return paths, sandbox
    return (Path(str(sandbox)), *paths), HERE


async def _run(
    workspace: Workspace,
    loaded: Sequence[LoadedCampaign],
    options: RunOptions,
    form: str,
    review: Review,
    *,
    ask: bool,
) -> int:
    now = SystemClock().now()

    def plan(pointed: Workspace, at: datetime) -> list[applying.Examined]:
        examined = [applying.examine(pointed.plan(one, at, windows_ignored=options.windows_ignored)) for one in loaded]
        review.hold(examined)
        if options.sandbox is None:
            _check_credentials(pointed, examined)
        if ask and not confirmed(examined):
            click.echo("nothing was applied and nothing placed", err=True)
            sys.exit(ExitCode.OK)
        return examined

    async with surroundings_of(workspace, options, now) as surroundings:
        ended = await apply_and_run(workspace, surroundings, options, plan, loaded)
        ended_at = surroundings.clock.now()
    if form == "json":
        click.echo(machine.status(ended.overview))
    else:
        print_applied(ended.applied)
        click.echo()
        report(workspace, ended, ended_at)
    return ended.code


def _check_credentials(workspace: Workspace, examined: list[applying.Examined]) -> None:
    """Resolve every key that will be needed, so that a missing one is said before anything happens."""
    for account in {route.account for one in examined for route in one.planned.draft.every_route()}:
        workspace.credential(account.credential)
