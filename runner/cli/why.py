"""`outreach why`: what was done with one person and why, and what comes next."""

from __future__ import annotations

import json
from datetime import datetime

import click

from runner.cli.options import as_number, at_option, workspace_of
from runner.cli.output import console, format_option, is_masked
from runner.errors import ExitCode, NotFound
from runner.ledger.person import people_named, person, pseudonyms_at
from runner.ledger.store import Store
from runner.model.person import Person
from runner.planning.prospect import Prospect
from runner.report.why_machine import why_record
from runner.schedule.clock import SystemClock
from runner.wiring.prospects import prospects
from runner.wiring.workspace import Workspace


@click.command()
@click.argument("who", metavar="PHONE")
@click.option("--campaign", metavar="NAME", help="Only what this campaign did; all of them otherwise.")
@at_option
@format_option
@click.pass_context
def why(ctx: click.Context, who: str, campaign: str | None, at: datetime | None, form: str) -> int:
    """Say for one person why they were contacted, were not, or will be, and when.

    PHONE is the number, or the key of the contact, or what a log calls the person, '#1a2b3c4d', or one of their
    attempts, a1b2c3d4e5f60718. For each campaign: every attempt and what was decided about it, by which rule and
    where that stands, the zone and where it came from, revision and git commit; then what comes next by the rules
    as they are now. Reads the ledger and writes nothing.
    """
    workspace = workspace_of(ctx)
    now = at or SystemClock().now()
    found = _look_up(workspace, who, campaign, now)
    if form == "json":
        click.echo(json.dumps({"people": [why_record(one, then) for one, then in found]}, ensure_ascii=False, indent=2))
        return ExitCode.OK
    from runner.report.why_view import print_why  # noqa: PLC0415 rich is not free

    pseudonyms = pseudonyms_at(workspace.ledger_path)
    for one, then in found:
        print_why(console(), one, then, now, masked=is_masked(), pseudonyms=pseudonyms)
    return ExitCode.OK


def _look_up(
    workspace: Workspace, who: str, campaign: str | None, now: datetime
) -> list[tuple[Person, tuple[Prospect, ...]]]:
    if not workspace.ledger_path.exists():
        raise NotFound("no campaign was applied yet", help=f"see what would be: outreach plan --contact {who}")
    store = Store.open_read_only(workspace.ledger_path)
    try:
        numbers = people_named(store, as_number(who))
        if not numbers:
            raise NotFound(
                f"the ledger knows nobody with the number, key or log id `{who}`",
                help=f"look into the files: outreach plan --contact {who}",
            )
        people = [person(store, phone, campaign) for phone in numbers]
        return [(one, prospects(workspace, store, one, now)) for one in people]
    finally:
        store.close()
