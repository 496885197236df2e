"""`outreach apply`: write the plan into the ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from runner.cli.options import paths_argument, workspace_of
from runner.cli.output import format_option
from runner.errors import ExitCode
from runner.ledger.store import Store
from runner.model.plan import PlanStatus
from runner.report.words import count_of
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.applying import Applied, Examined


@click.command()
@paths_argument
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@format_option
@click.pass_context
def apply(ctx: click.Context, paths: tuple[Path, ...], form: str, *, yes: bool) -> int:
    """Write the plan into the ledger; `outreach run` then places it.

    Applying twice changes nothing the second time. On a terminal it asks first. Bad rows stop it
    before anything is written, unless the campaign says `on_bad_row: skip`.
    """
    workspace = workspace_of(ctx)
    now = SystemClock().now()
    examined = [applying.examine(workspace.plan(one, now)) for one in workspace.load(paths)]
    applying.refuse_bad_rows(examined)
    if not yes and not confirmed(examined):
        click.echo("nothing was written", err=True)
        return ExitCode.OK
    store = Store.open(workspace.ledger_path)
    try:
        applied = [applying.apply(workspace, one, store) for one in examined]
    finally:
        store.close()
    print_applied(applied, form)
    return ExitCode.OK


def confirmed(examined: Sequence[Examined]) -> bool:
    """Ask on a terminal, where somebody can answer; elsewhere the command itself is the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    counts = [one.summary.counts for one in examined]
    create, change = (sum(count[status] for count in counts) for status in (PlanStatus.CREATE, PlanStatus.CHANGE))
    remove = sum(count[PlanStatus.REMOVE] for count in counts)
    rules = [change for one in examined for change in one.summary.rules_changed]
    if not (create or change or remove or rules):
        return True
    if rules:
        click.echo(f"rules that change: {', '.join(rules)}")
    what = f"+{create:,} new, ~{change:,} changed, -{remove:,} removed"
    return click.confirm(f"{count_of(len(examined), 'campaign')}: {what}. Apply?", default=False)


def print_applied(applied: Sequence[Applied], form: str = "text") -> None:
    """Say what was written."""
    if form == "json":
        click.echo(json.dumps({"applied": [_facts(one) for one in applied]}, ensure_ascii=False, indent=2))
        return
    for one in applied:
        click.echo(_sentence(one))


def _sentence(one: Applied) -> str:
    done = one.recorded
    if not done.is_new:
        return f"{one.campaign}: nothing changes (revision {done.revision} is in force)"
    parts = [f"{done.created:,} created"]
    parts += [f"{done.changed:,} changed"] if done.changed else []
    parts += [f"{done.removed:,} called off"] if done.removed else []
    parts += [f"{one.summary.skipped:,} skipped"] if one.summary.skipped else []
    parts += [f"{one.summary.rejected:,} rejected, see {one.reject_file}"] if one.reject_file else []
    return f"{one.campaign}: {', '.join(parts)} (revision {done.revision})"


def _facts(one: Applied) -> dict[str, object]:
    return {
        "campaign": one.campaign,
        "revision": one.recorded.revision,
        "changes": one.recorded.is_new,
        "created": one.recorded.created,
        "changed": one.recorded.changed,
        "removed": one.recorded.removed,
        "skipped": one.summary.skipped,
        "rejected": one.summary.rejected,
        "reject_file": str(one.reject_file) if one.reject_file else None,
        "digest": one.summary.digest,
    }
