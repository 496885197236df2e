"""`outreach export`: everything that came of every attempt, for spreadsheets and machines."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.options import workspace_of
from runner.errors import ExitCode
from runner.files.written import written
from runner.ledger.results import export_rows
from runner.ledger.store import Store
from runner.report.export import as_it_is, for_spreadsheets, write_csv, write_json_lines


@click.command()
@click.argument("campaign", required=False)
@click.option(
    "--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True,
    help="csv for spreadsheets, json for one JSON object a line.",
)  # fmt: skip
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write into FILE, which only you may read; standard output otherwise.",
)  # fmt: skip
@click.option(
    "--raw", is_flag=True,
    help="Write cells of the CSV as they are, for programs: a spreadsheet may run them.",
)  # fmt: skip
@click.pass_context
def export(ctx: click.Context, campaign: str | None, form: str, output: Path | None, *, raw: bool) -> int:
    """Write one row for each contact and attempt, of one campaign or all, with everything that is known of it.

    Outcome, the provider's own words, summary, transcript, links, structured output, replies.
    Reads the ledger and nothing else; links are written down, never followed. In the CSV an apostrophe
    stands before what a spreadsheet would run or work out, phone numbers among them.
    """
    store = Store.open_read_only(workspace_of(ctx).ledger_path)
    try:
        rows = export_rows(store, campaign)
        with written(output) as file:
            cell = as_it_is if raw else for_spreadsheets
            count = write_csv(rows, file, cell) if form == "csv" else write_json_lines(rows, file)
    finally:
        store.close()
    if output is not None:
        click.echo(f"{count:,} rows in {output}", err=True)
    return ExitCode.OK
