"""`outreach apply`: write the plan into the ledger."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from runner.cli import agent_changes
from runner.cli.options import paths_argument, workspace_of
from runner.cli.output import format_option, print_warnings
from runner.cli.reviewed import asked_review, reviewed_option
from runner.errors import ExitCode
from runner.ledger.store import Store
from runner.model.plan import PlanStatus
from runner.report.rounds_view import applied_sentence
from runner.report.words import count_of
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.agents import MadeAgent, ReviewedAgent, refuse_drift
from runner.wiring.applying import Applied, Examined
from runner.wiring.left_agents import LeftAgent, forget, left_agents, still_there
from runner.wiring.telemetry import applying_traced
from runner.wiring.workspace import Workspace


@click.command()
@paths_argument
@reviewed_option
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@click.option("--accept-drift", is_flag=True, help="Overwrite what somebody changed of agents at their provider.")
@format_option
@click.pass_context
def apply(
    ctx: click.Context, paths: tuple[Path, ...], reviewed_said: str | None, form: str, *, yes: bool, accept_drift: bool
) -> int:
    """Write the plan into the ledger; `outreach run` then places it.

    Applying twice changes nothing the second time. On a terminal it asks first. Bad rows stop it
    before anything is written, unless the campaign says `on_bad_row: skip`. Agents that a campaign
    defines are created or updated at their provider first; nothing else needs the network.
    All campaigns are put in force together, or none. With --reviewed nothing is written, and no agent
    made, unless the plan is the one that was reviewed.
    """
    workspace = workspace_of(ctx)
    review = asked_review(workspace, reviewed_said, "apply", paths)
    now = SystemClock().now()
    loaded = workspace.load(paths)
    print_warnings(workspace, loaded)
    examined = [applying.examine(workspace.plan(one, now)) for one in loaded]
    review.hold(examined)
    applying.refuse_bad_rows(examined)
    agents = asyncio.run(agent_changes.live(workspace, loaded, workspace.credential, now))
    if form == "text":
        agent_changes.show([one.change for one in agents if one.change.writes], online=True)
    refuse_drift(agents, accept=accept_drift)
    if not yes and not confirmed(examined, agents):
        click.echo("nothing was written", err=True)
        return ExitCode.OK
    left = left_agents(workspace, loaded, whole_project=not paths)
    store = Store.open(workspace.ledger_path)
    try:
        made = _made(agents, store, workspace, now)
        _forget_gone(left, store, workspace, now)
        with review.writing():
            examined = agent_changes.with_their_ids(workspace, examined, agents)
            with applying_traced(os.environ) as telemetry, telemetry.span("apply", campaigns=len(examined)):
                applied = applying.apply_all(workspace, examined, store, SystemClock().now)
    finally:
        store.close()
    print_applied(applied, form, made)
    return ExitCode.OK


def _made(agents: Sequence[ReviewedAgent], store: Store, workspace: Workspace, now: datetime) -> list[MadeAgent]:
    """Make the agents what the files say; a ledger that knows real agents can belong to no sandbox."""
    if agents:
        store.belong_to("real")
    return asyncio.run(agent_changes.make_so(agents, store, workspace.credential, now))


def _forget_gone(left: Sequence[LeftAgent], store: Store, workspace: Workspace, now: datetime) -> None:
    """Forget agents that no file defines any more, once somebody has deleted them at their provider."""
    if not left:
        return
    there = asyncio.run(still_there(left, workspace.credential, now))
    forget(store, [one for one in left if one not in there], now)


def confirmed(examined: Sequence[Examined], agents: Sequence[ReviewedAgent] = ()) -> bool:
    """Ask on a terminal, where somebody can answer; elsewhere the command itself is the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    counts = [one.summary.counts for one in examined if not one.summary.rounds]
    repeating = [one for one in examined if any(not rounds.is_in_force for rounds in one.summary.rounds)]
    create, change = (sum(count[status] for count in counts) for status in (PlanStatus.CREATE, PlanStatus.CHANGE))
    remove = sum(count[PlanStatus.REMOVE] for count in counts)
    writes = sum(one.change.writes for one in agents)
    rules = [change for one in examined for change in one.summary.rules_changed]
    if not (create or change or remove or writes or rules or repeating):
        return True
    if rules:
        click.echo(f"rules that change: {', '.join(rules)}")
    what = f"+{create:,} new, ~{change:,} changed, -{remove:,} removed"
    what += f", {count_of(writes, 'agent')} created or changed" if writes else ""
    what += f", {len(repeating):,} to repeat" if repeating else ""
    return click.confirm(f"{count_of(len(examined), 'campaign')}: {what}. Apply?", default=False)


def print_applied(applied: Sequence[Applied], form: str = "text", made: Sequence[MadeAgent] = ()) -> None:
    """Say what was written."""
    if form == "json":
        facts: dict[str, object] = {"applied": [_facts(one) for one in applied]}
        if made:
            facts["agents"] = agent_changes.facts_of(made)
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    agent_changes.print_made(made)
    for one in applied:
        click.echo(_sentence(one))


def _sentence(one: Applied) -> str:
    done = one.recorded
    if not done.is_new:
        stays = ", and it stays cancelled" if done.was_cancelled else ""
        return f"{one.campaign}: nothing changes (revision {done.revision} is in force){stays}"
    parts = [applied_sentence(rounds) for rounds in one.summary.rounds] or [f"{done.created:,} created"]
    parts += [f"{done.changed:,} changed"] if done.changed else []
    parts += [f"{done.removed:,} called off"] if done.removed else []
    parts += [f"{done.held:,} held"] if done.held else []
    parts += [f"{one.summary.skipped:,} skipped"] if one.summary.skipped else []
    parts += [f"{one.summary.rejected:,} rejected, see {one.reject_file}"] if one.reject_file else []
    back = "; it was cancelled, and is back for whoever was not called off then" if done.was_cancelled else ""
    return f"{one.campaign}: {', '.join(parts)} (revision {done.revision}){back}"


def _facts(one: Applied) -> dict[str, object]:
    return {
        "campaign": one.campaign,
        "revision": one.recorded.revision,
        "changes": one.recorded.is_new,
        "was_cancelled": one.recorded.was_cancelled,
        "created": one.recorded.created,
        "changed": one.recorded.changed,
        "removed": one.recorded.removed,
        "held": one.recorded.held,
        "skipped": one.summary.skipped,
        "rejected": one.summary.rejected,
        "reject_file": str(one.reject_file) if one.reject_file else None,
        "digest": one.summary.digest,
    }
