"""`outreach resolve`: what a person found out about a request that nobody else can find out about."""

from __future__ import annotations

import sys

import click

from runner.cli.options import workspace_of
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.ledger import resolving
from runner.ledger.store import Store
from runner.report.words import count_of
from runner.schedule.clock import SystemClock


@click.command()
@click.argument("campaign")
@click.option("--handover", type=int, required=True, metavar="N", help="The held handover, as `status` numbers it.")
@click.option("--created", metavar="ID", help="It was created: the provider's id of its campaign or batch.")
@click.option("--absent", is_flag=True, help="It was never created: its people go back in line.")
@click.option("--reason", default="", metavar="TEXT", help="How you know; kept in the ledger.")
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@click.pass_context
def resolve(
    ctx: click.Context, campaign: str, handover: int, created: str | None, reason: str, *, absent: bool, yes: bool
) -> int:
    """Say what became of people whose handover is held: look at the provider first.

    With --created the runner asks the provider for that campaign and follows it; nobody is handed
    over again. With --absent everybody in it is handed over anew by the next `outreach run` or
    `serve`: if the provider has them after all, they are called twice.
    """
    if (created is None) is not absent or created == "":
        raise UsageWrong(
            "what became of the handover is not said", help="write: --created ID   (or, if it never was: --absent)"
        )
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        raise NotFound("no campaign was applied yet", help="outreach apply writes a plan into the ledger")
    store = Store.open(path)
    try:
        return _resolve(store, campaign, handover, created, reason, yes=yes)
    finally:
        store.close()


def _resolve(store: Store, campaign: str, handover: int, created: str | None, reason: str, *, yes: bool) -> int:
    now, record = SystemClock().now(), resolving.held_handover(store, campaign, handover)
    if created is not None:
        people = resolving.created_by_hand(store, campaign, handover, created, reason, now)
        click.echo(f"handover {handover} is `{created}` at {record.account}, says a person; {_people(people)} in it")
        click.echo("outreach run or serve asks the provider, and goes on with it")
        return ExitCode.OK
    if not yes and sys.stdin.isatty():
        question = f"Hand {count_of(record.people, 'contact')} over to {record.account} anew?"
        if not click.confirm(question, default=False):
            click.echo("nothing was changed", err=True)
            return ExitCode.OK
    people = resolving.absent_by_hand(store, campaign, handover, reason, now)
    click.echo(f"handover {handover} was never created, says a person; {_people(people)} back in line")
    return ExitCode.OK


def _people(count: int) -> str:
    return f"{count_of(count, 'contact')} {'is' if count == 1 else 'are'}"
