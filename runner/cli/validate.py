"""`outreach validate`: check campaign files, templates and contacts."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.options import paths_argument, workspace_of
from runner.cli.output import print_diagnostics
from runner.errors import Diagnostic, ExitCode, FilesWrong, Severity
from runner.files.campaign import LoadedCampaign
from runner.files.row_faults import row_diagnostics
from runner.planning.known import KnownCampaign
from runner.report.words import count_of
from runner.schedule.clock import SystemClock
from runner.wiring.applying import examine
from runner.wiring.workspace import Workspace


@click.command()
@paths_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="text for people, json for machines, github for annotations in a pull request.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Print every problem, not the first 20.")
@click.option("--no-contacts", is_flag=True, help="Leave the contacts unread; they need not even be there.")
@click.pass_context
def validate(ctx: click.Context, paths: tuple[Path, ...], form: str, *, everything: bool, no_contacts: bool) -> int:
    """Check campaign files, their templates and their contacts.

    PATH is a campaign file or a folder of them; campaigns/ otherwise. Needs no network, no keys and
    no ledger. Bad rows of contacts are errors, or warnings where the campaign skips them.
    """
    problems: list[Diagnostic] = []
    campaigns = 0
    try:
        workspace = workspace_of(ctx)
        loaded = workspace.load(paths, need_contacts=not no_contacts)
        campaigns = len(loaded)
        problems += [one for campaign in loaded for one in workspace.warnings(campaign)]
        if not no_contacts:
            for one in loaded:
                problems += _row_problems(workspace, one)
    except FilesWrong as wrong:
        problems += wrong.diagnostics
    if problems or form != "text":
        print_diagnostics(problems, form, everything=everything)
    errors = any(one.severity is Severity.ERROR for one in problems)
    if not errors and form == "text":
        click.echo(f"{count_of(campaigns, 'campaign')} fine")
    return ExitCode.WRONG if errors else ExitCode.OK


def _row_problems(workspace: Workspace, loaded: LoadedCampaign) -> list[Diagnostic]:
    """Render everything for everybody, whatever the ledger holds and the clock says."""
    planned = workspace.plan(loaded, SystemClock().now(), windows_ignored=True, known=KnownCampaign())
    examined = examine(planned)
    severity = Severity.ERROR if examined.stops else Severity.WARNING
    return row_diagnostics(examined.rejected, planned.source, planned.shown_contacts, severity)
