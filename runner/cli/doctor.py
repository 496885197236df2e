"""`outreach doctor`: say what a run would stumble over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import click

from runner.cli.options import paths_argument, workspace_of
from runner.cli.output import console, format_option
from runner.errors import ExitCode
from runner.model.project import resolve_account
from runner.wiring.doctor import examine
from runner.wiring.health import Check, Health
from runner.wiring.notify_doctor import notify_test
from runner.wiring.workspace import Workspace

_SIGNS = {
    Health.OK: ("✓", "green"),
    Health.WARNING: ("!", "yellow"),
    Health.FAULT: ("✗", "red"),
    Health.UNCHECKED: ("?", "dim"),
}


@click.command()
@paths_argument
@click.option("--receiver", default="", metavar="URL", help="Where providers send webhooks, as they see it.")
@click.option(
    "--notify", "target", metavar="TARGET", help="Send a test to one target of outreach.yaml, and look at nothing else."
)
@format_option
@click.pass_context
def doctor(ctx: click.Context, paths: tuple[Path, ...], receiver: str, target: str | None, form: str) -> int:
    """Check keys, clocks, ledger and webhooks by reading alone; it never dials.

    Looks at the accounts that the campaigns use, campaigns/ unless PATH says otherwise. Names what
    it cannot check. Ends with 1 when something is at fault.
    """
    workspace = workspace_of(ctx)
    found = examine(workspace, _used(workspace, paths), receiver) if target is None else notify_test(workspace, target)
    checks = asyncio.run(_collect(found, show=form == "text"))
    if form == "json":
        facts = [{"subject": one.subject, "health": one.health, "says": one.says, "help": one.help} for one in checks]
        click.echo(json.dumps({"checks": facts}, ensure_ascii=False, indent=2))
    return ExitCode.WRONG if any(one.health is Health.FAULT for one in checks) else ExitCode.OK


async def _collect(found: AsyncIterator[Check], *, show: bool) -> list[Check]:
    checks = []
    async for check in found:
        checks.append(check)
        if show:
            _print(check)
    return checks


def _print(check: Check) -> None:
    from rich.text import Text  # noqa: PLC0415 rich is not free

    sign, style = _SIGNS[check.health]
    console().print(Text.assemble((sign, style), f" {check.subject}: {check.says}"), soft_wrap=True)
    if check.help:
        console().print(Text(f"    {check.help}", style="dim"), soft_wrap=True)


def _used(workspace: Workspace, paths: tuple[Path, ...]) -> frozenset[str]:
    """Give the accounts that the campaigns' agents name."""
    found = set()
    for loaded in workspace.load(paths, need_contacts=False):
        for agent in loaded.campaign.agents.values():
            account = resolve_account(workspace.loaded.project, agent.provider, agent.account)
            if account is not None:
                found.add(account.name)
    return frozenset(found)
