"""`outreach status`: where every campaign stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import click

from runner.cli.options import workspace_of
from runner.cli.output import console, format_option, is_masked
from runner.errors import ExitCode, NotFound
from runner.ledger import overview
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.ledger.variants import variant_results
from runner.model.variants import VariantResult
from runner.report import machine
from runner.report.half_applied import half_applied
from runner.report.notify_view import standing_lines
from runner.schedule.clock import SystemClock
from runner.wiring.applying import way_to_apply


@click.command()
@click.argument("campaign", required=False)
@click.option("--contacts", "with_contacts", is_flag=True, help="Name every contact with its attempts.")
@click.option("--variants", "with_variants", is_flag=True, help="Say how each variant did, with intervals of 95 %.")
@format_option
@click.pass_context
def status(ctx: click.Context, campaign: str | None, form: str, *, with_contacts: bool, with_variants: bool) -> int:
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
            notifications = Outbox(store).standing()
            people = (
                {one.campaign: overview.contacts(store, one.campaign) for one in campaigns} if with_contacts else None
            )
            pseudonyms = pseudonyms_of(store)
            variants = (
                {one.campaign: variant_results(store, one.campaign) for one in campaigns} if with_variants else None
            )
    finally:
        store.close()
    if campaign is not None and not campaigns:
        raise NotFound(f"no campaign `{campaign}` was applied", help="outreach status lists them all")
    if form == "json":
        click.echo(machine.status(campaigns, people, accounts, variants, notifications))
        return ExitCode.OK
    from runner.report.results import account_lines, print_contacts, print_status  # noqa: PLC0415 rich is not free

    print_status(console(), campaigns, masked=is_masked())
    _print_in_yellow(half_applied(campaigns, way_to_apply(workspace)))
    for line in account_lines(accounts, masked=is_masked()):
        console().print(line)
    _print_in_yellow(standing_lines(notifications))
    _print_variants(variants or {})
    for name, contacts in (people or {}).items():
        print_contacts(console(), name, contacts, masked=is_masked(), pseudonyms=pseudonyms)
    return ExitCode.OK


def _print_in_yellow(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console().print(sentence, style="yellow", markup=False, highlight=False)


def _print_variants(variants: Mapping[str, Sequence[VariantResult]]) -> None:
    from runner.report.variants_view import print_variants  # noqa: PLC0415 rich is not free

    for name, results in variants.items():
        if results:
            print_variants(console(), name, results)
