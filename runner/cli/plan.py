"""`outreach plan`: the dry run."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import click

from runner.cli import agent_changes
from runner.cli.options import as_number, at_option, paths_argument, workspace_of
from runner.cli.output import console, format_option, is_masked, print_diagnostics, print_warnings
from runner.cli.reviewed import is_required, to_paste
from runner.errors import ExitCode, NotFound, Severity
from runner.files.campaign import LoadedCampaign
from runner.files.row_faults import row_diagnostics
from runner.ledger.person import phones_behind, pseudonyms_at
from runner.model.plan import PlanStatus, PlanSummary
from runner.planning.agents import AgentChange
from runner.planning.summary import combined
from runner.report import machine
from runner.schedule.clock import SystemClock
from runner.wiring.applying import Examined, examine
from runner.wiring.left_agents import LeftAgent, left_agents, still_there
from runner.wiring.planned import Planned
from runner.wiring.reviewing import digest_of
from runner.wiring.tracing import traced_lines
from runner.wiring.workspace import Workspace, git_commit, tzdata_version

CHANGES = (PlanStatus.CREATE, PlanStatus.CHANGE, PlanStatus.REMOVE)


@click.command()
@paths_argument
@at_option
@format_option
@click.option(
    "--contact", metavar="PHONE", help="Show everything about one person: requests, and what every rule says."
)
@click.option("--all", "everything", is_flag=True, help="Show every line, not head and tail.")
@click.option("--online", is_flag=True, help="Ask providers what the agents are that campaigns define.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 when applying would change anything.")
@click.pass_context
def plan(
    ctx: click.Context,
    paths: tuple[Path, ...],
    at: datetime | None,
    form: str,
    contact: str | None,
    *,
    everything: bool,
    online: bool,
    exit_code: bool,
) -> int:
    """Show who would be contacted, when, with which request, or why not.

    PATH is a campaign file or a folder of them; campaigns/ otherwise. Writes nothing, asks nothing,
    needs neither network nor keys unless --online asks for them. `--format json` gives one object
    for each contact and step and the sums as the last line.
    """
    workspace = workspace_of(ctx)
    now = at or SystemClock().now()
    loaded = workspace.load(paths)
    print_warnings(workspace, loaded)
    planned = [workspace.plan(one, now) for one in loaded]
    if contact is not None:
        return _show_person(workspace, planned, contact, form)
    agents = _agents(workspace, loaded, now, online=online, whole_project=not paths)
    _show_agents(agents, form, online=online, everything=everything)
    examined = [_show(workspace, one, form, everything=everything) for one in planned]
    summary = combined((one.summary for one in examined), digest_of(examined))
    if form == "json":
        click.echo(machine.plan_summary(summary))
    else:
        _warn(examined)
        _say_how_to_apply(workspace, summary, paths, stops=any(one.stops for one in examined))
    changes = any(_changes(one.summary) for one in examined) or any(one.writes for one in agents)
    return ExitCode.CHANGES if exit_code and changes else ExitCode.OK


def _agents(
    workspace: Workspace, loaded: list[LoadedCampaign], now: datetime, *, online: bool, whole_project: bool
) -> list[AgentChange]:
    """Hold the agents that campaigns define, or defined once, against the ledger, or against what lives at the providers."""
    left = left_agents(workspace, loaded, whole_project=whole_project)
    if not online:
        found = [change for one in loaded for change in agent_changes.last_applied(workspace, one)]
        return [*found, *(one.change for one in left)]
    return asyncio.run(_living_agents(workspace, loaded, left, now))


async def _living_agents(
    workspace: Workspace, loaded: list[LoadedCampaign], left: list[LeftAgent], now: datetime
) -> list[AgentChange]:
    found = await agent_changes.live(workspace, loaded, workspace.credential, now)
    if not found and not left:
        click.echo("no campaign here defines an agent, so no provider was asked", err=True)
    there = await still_there(left, workspace.credential, now)
    return [*(one.change for one in found), *(one.change for one in there)]


def _show_agents(agents: list[AgentChange], form: str, *, online: bool, everything: bool) -> None:
    if form != "json":
        agent_changes.show(agents, online=online, everything=everything)
        return
    from runner.report.agents_view import agent_line  # noqa: PLC0415 only where agents are defined

    for one in agents:
        click.echo(agent_line(one, online=online))


def _show(workspace: Workspace, planned: Planned, form: str, *, everything: bool) -> Examined:
    if form == "json":
        return examine(planned, lambda line: click.echo(machine.plan_line(line)))
    from runner.report.notify_view import hook_sentences  # noqa: PLC0415 only where text is shown
    from runner.report.plan_view import PlanExcerpt, PlanHeading, print_plan  # noqa: PLC0415 rich is not free

    excerpt = PlanExcerpt(everything=everything)
    examined = examine(planned, excerpt.take)
    hooks = hook_sentences(planned.loaded.campaign.on, workspace.loaded.project.notify)
    heading = PlanHeading(
        campaign=planned.name, as_of=planned.now, git_commit=git_commit(workspace.root), tzdata=tzdata_version(),
        hooks=hooks,
    )  # fmt: skip
    pseudonyms = pseudonyms_at(workspace.ledger_path)
    print_plan(console(), heading, examined.summary, excerpt, masked=is_masked(), pseudonyms=pseudonyms)
    return examined


def _show_person(workspace: Workspace, planned: list[Planned], contact: str, form: str) -> int:
    """Show every line of one person, found by number or key, and what each rule says about it."""
    wanted = {contact, as_number(contact), *phones_behind(workspace.ledger_path, contact)}
    found = [pair for one in planned for pair in traced_lines(workspace, one, wanted)]
    if not found:
        raise NotFound(f"nobody in these campaigns has the number, key or log id `{contact}`")
    if form == "json":
        for line, findings in found:
            click.echo(machine.plan_line(line, findings))
    else:
        from runner.report.plan_view import print_person  # noqa: PLC0415 rich is not free

        lines, traces = [line for line, _ in found], [each for _, each in found]
        pseudonyms = pseudonyms_at(workspace.ledger_path)
        print_person(console(), lines, traces, masked=is_masked(), pseudonyms=pseudonyms)
    return ExitCode.OK


def _warn(examined: list[Examined]) -> None:
    """Say which bad rows `apply` would stop at."""
    for one in examined:
        if one.stops:
            problems = row_diagnostics(one.rejected, one.planned.source, one.planned.shown_contacts, Severity.WARNING)
            print_diagnostics(problems)
            click.echo(f"apply would stop at the bad rows of {one.planned.name} (on_bad_row: stop)", err=True)


def _say_how_to_apply(workspace: Workspace, summary: PlanSummary, paths: tuple[Path, ...], *, stops: bool) -> None:
    """End with the command that applies this very plan where one has to be named, else with the digest of several."""
    if is_required(workspace) and not stops:
        click.echo(f"apply this very plan: {to_paste('apply', paths, summary.digest)}")
    elif len(summary.campaigns) > 1:
        click.echo(f"digest of all {len(summary.campaigns)}: {summary.digest}")


def _changes(summary: PlanSummary) -> bool:
    if summary.rounds:
        return not all(one.is_in_force for one in summary.rounds)
    return bool(summary.rules_changed or summary.newly_held) or any(summary.counts[status] for status in CHANGES)
