"""`outreach schema`: the JSON schema that editors complete and check campaign files with."""

from __future__ import annotations

from pathlib import Path

import click

from runner.cli.options import workspace_of
from runner.errors import ExitCode
from runner.files.schema import schema_text
from runner.providers.registry import all_providers


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--check", type=click.Path(dir_okay=False, path_type=Path), help="Only say whether this file is current.")
@click.pass_context
def schema(ctx: click.Context, output: Path | None, check: Path | None) -> int:
    """Print the JSON schema of campaign files; outreach.yaml's is in it under $defs/Project.

    In a project it knows the providers that outreach.yaml declares.
    """
    text = schema_text(all_providers(workspace_of(ctx).loaded.project.providers))
    if check is not None:
        current = check.exists() and check.read_text("utf-8") == text
        if not current:
            click.echo(f"error: {check} is stale\n  = help: outreach schema --output {check}", err=True)
        return ExitCode.OK if current else ExitCode.WRONG
    if output is not None:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)
    return ExitCode.OK
