"""`outreach pause`, `resume` and `cancel`: what a person decides about a campaign that was applied."""

from __future__ import annotations

import sys

import click

from runner.cli.options import workspace_of
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.ledger import standing
from runner.ledger.store import Store
from runner.report.words import count_of
from runner.schedule.clock import SystemClock

_campaign = click.argument("campaign")
_reason = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept with the campaign and shown by `status`."
)


@click.command()
@_campaign
@_reason
@click.pass_context
def pause(ctx: click.Context, campaign: str, reason: str) -> int:
    """Place nothing more of a campaign until it is resumed; what is under way goes on to its end.

    A runner that is at work takes it up within seconds, and tells the provider where people were
    handed over. `outreach run` does not end a pause that a person made.
    """
    store = _open(ctx)
    try:
        if not standing.pause_by_hand(store, campaign, reason, SystemClock().now()):
            raise UsageWrong(f"{campaign} is cancelled; there is nothing to pause")
    finally:
        store.close()
    click.echo(f"{campaign} is paused; outreach resume {campaign} goes on")
    return ExitCode.OK


@click.command()
@_campaign
@_reason
@click.pass_context
def resume(ctx: click.Context, campaign: str, reason: str) -> int:
    """Go on with a campaign that is paused, whoever or whatever paused it."""
    store = _open(ctx)
    try:
        resumed = standing.resume_by_hand(store, campaign, reason, SystemClock().now())
    finally:
        store.close()
    click.echo(f"{campaign} goes on; outreach run or serve places it" if resumed else f"{campaign} is not paused")
    return ExitCode.OK


@click.command()
@_campaign
@_reason
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@click.pass_context
def cancel(ctx: click.Context, campaign: str, reason: str, *, yes: bool) -> int:
    """Call off everything of a campaign that was not sent, for good.

    A runner that is at work asks the providers to call off what waits in their queues and in
    their own campaigns; with none at work, the next `outreach run` or `serve` does.
    """
    store = _open(ctx)
    try:
        if not yes and sys.stdin.isatty() and not click.confirm(f"Call off {campaign} for good?", default=False):
            click.echo("nothing was called off", err=True)
            return ExitCode.OK
        count = standing.cancel_by_hand(store, campaign, reason, SystemClock().now())
    finally:
        store.close()
    if count is None:
        click.echo(f"{campaign} was cancelled before")
    else:
        click.echo(f"{campaign} is cancelled; {count_of(count, 'attempt')} called off")
    return ExitCode.OK


def _open(ctx: click.Context) -> Store:
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        raise NotFound("no campaign was applied yet", help="outreach apply writes a plan into the ledger")
    return Store.open(path)
