"""`outreach status`: where every campaign stands."""

from __future__ import annotations

import click

from runner.cli.options import workspace_of
from runner.cli.output import console, format_option, is_masked
from runner.errors import ExitCode, NotFound
from runner.ledger import overview
from runner.ledger.store import Store
from runner.report import machine
from runner.schedule.clock import SystemClock


@click.command()
@click.argument("campaign", required=False)
@click.option("--contacts", "with_contacts", is_flag=True, help="Name every contact with its attempts.")
@format_option
@click.pass_context
def status(ctx: click.Context, campaign: str | None, form: str, *, with_contacts: bool) -> int:
    """Say where every campaign stands, or one; reads the ledger and nothing else."""
    workspace = workspace_of(ctx)
    if not workspace.ledger_path.exists():
        if form == "json":
            click.echo(machine.status([]))
            return ExitCode.OK
        click.echo("no campaign was applied yet")
        return ExitCode.OK
    store = Store.open_read_only(workspace.ledger_path)
    try:
        with store.reading():
            campaigns = overview.campaigns(store, SystemClock().now())
            if campaign is not None:
                campaigns = [one for one in campaigns if campaign in {one.campaign, one.round_of}]
            accounts = overview.account_health(store, SystemClock().now())
            people = (
                {one.campaign: overview.contacts(store, one.campaign) for one in campaigns} if with_contacts else None
            )
    finally:
        store.close()
    if campaign is not None and not campaigns:
        raise NotFound(f"no campaign `{campaign}` was applied", help="outreach status lists them all")
    if form == "json":
        click.echo(machine.status(campaigns, people, accounts))
        return ExitCode.OK
    from runner.report.results import account_lines, print_contacts, print_status  # noqa: PLC0415 rich is not free

    print_status(console(), campaigns)
    for line in account_lines(accounts):
        console().print(line)
    for name, contacts in (people or {}).items():
        print_contacts(console(), name, contacts, masked=is_masked())
    return ExitCode.OK
