"""`outreach pause`, `resume` and `cancel`: what a person decides about a campaign that was applied."""

from __future__ import annotations

import sys

import click

from runner.cli.options import workspace_of
from runner.engine.stop_file import STOP_FILE
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.ledger import standing
from runner.ledger.store import Store
from runner.report.half_applied import stands_still
from runner.report.words import count_of
from runner.rules.breaker import BreakerState
from runner.schedule.clock import SystemClock
from runner.wiring.applying import way_to_apply

_campaign = click.argument("campaign")
_campaign_or_all = click.argument("campaign", required=False, default="")
_all = click.option("--all", "everything", is_flag=True, help="Every campaign of the ledger.")
_reason = click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept with the campaign and shown by `status`."
)

_HASTENED = {
    BreakerState.OPEN: "waits no longer: the next run or serve asks its provider, then lets one call through",
    BreakerState.PROBING: "is just being asked whether it answers; one call goes first then",
    BreakerState.HALF_OPEN: "answers again, and lets one call through first",
    BreakerState.TRYING: "is just being tried by one call",
}


@click.command()
@_campaign_or_all
@_all
@_reason
@click.pass_context
def pause(ctx: click.Context, campaign: str, reason: str, *, everything: bool) -> int:
    """Place nothing more of a campaign until it is resumed; what is under way goes on to its end.

    A runner that is at work takes it up within seconds, and tells the provider where people were
    handed over. `outreach run` does not end a pause that a person made. Without any command, a file
    named STOP in the ledger's folder pauses everything too, for as long as it lies there and until resumed.
    """
    _one_or_all(campaign, everything=everything)
    store = _open(ctx)
    try:
        if everything:
            return _say_all(standing.pause_all(store, reason, SystemClock().now()), "paused", "outreach resume --all")
        if not standing.pause_by_hand(store, campaign, reason, SystemClock().now()):
            raise UsageWrong(f"{campaign} is cancelled; there is nothing to pause")
    finally:
        store.close()
    click.echo(f"{campaign} is paused; outreach resume {campaign} goes on")
    return ExitCode.OK


@click.command()
@_campaign_or_all
@click.option("--all", "everything", is_flag=True, help="Every campaign that `pause --all` or a STOP file paused.")
@_reason
@click.pass_context
def resume(ctx: click.Context, campaign: str, reason: str, *, everything: bool) -> int:
    """Go on with a campaign that is paused, whoever or whatever paused it.

    It also ends the wait of the campaign's accounts through which nothing is sent because too many
    sends failed: the provider is read at once, and when it answers one call goes first. At a provider
    that has nothing to read, as Revmo, one call goes first straight away.
    """
    _one_or_all(campaign, everything=everything)
    store = _open(ctx)
    now = SystemClock().now()
    try:
        if everything:
            _refuse_stop_file(ctx)
            names = standing.resume_all(store, reason, now)
            _say_all(names, "resumed", "outreach status")
        else:
            names = [campaign]
            resumed = standing.resume_by_hand(store, campaign, reason, now)
            goes_on = f"{campaign} goes on; outreach run or serve places it"
            still = _still(ctx, store, campaign)
            click.echo(still or (goes_on if resumed else f"{campaign} is not paused"))
        ill = {
            account: state
            for name in names
            for account, state in standing.read_at_once_by_hand(store, name, now).items()
        }
    finally:
        store.close()
    for account, state in ill.items():
        click.echo(f"account {account} {_HASTENED[state]}")
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


def _one_or_all(campaign: str, *, everything: bool) -> None:
    if bool(campaign) is everything:
        raise UsageWrong("name one campaign, or all of them", help="write: outreach pause CAMPAIGN, or --all")


def _refuse_stop_file(ctx: click.Context) -> None:
    path = workspace_of(ctx).ledger_path.parent / STOP_FILE
    if path.exists() or path.is_symlink():
        raise UsageWrong(f"the file {path} is there, and nothing leaves until it is gone", help=f"rm {path}")


def _still(ctx: click.Context, store: Store, campaign: str) -> str:
    """Say of a campaign that was applied half that no resuming has it place anything; empty for every other one."""
    row = store.one("campaign_in_force", name=campaign)
    is_half = row is not None and not row["complete"] and row["state"] == "active"
    return stands_still(campaign, way_to_apply(workspace_of(ctx))) if is_half else ""


def _say_all(names: list[str], what: str, then: str) -> int:
    click.echo(f"{count_of(len(names), 'campaign')} {what}: {', '.join(names)}" if names else f"nothing was {what}")
    if names:
        click.echo(f"  = help: {then}", err=True)
    return ExitCode.OK


def _open(ctx: click.Context) -> Store:
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        raise NotFound("no campaign was applied yet", help="outreach apply writes a plan into the ledger")
    return Store.open(path)
