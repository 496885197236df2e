"""`outreach show`: a campaign in its one long form."""

from __future__ import annotations

import io
from pathlib import Path

import click
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from runner.cli.options import paths_argument, workspace_of
from runner.cli.output import format_option
from runner.errors import ExitCode
from runner.model.campaign import Campaign


@click.command()
@paths_argument
@format_option
@click.pass_context
def show(ctx: click.Context, paths: tuple[Path, ...], form: str) -> int:
    """Print campaigns in their long form: short forms written out, every default named.

    What is printed is a campaign file again, and means the same.
    """
    workspace = workspace_of(ctx)
    for index, loaded in enumerate(workspace.load(paths)):
        if form == "json":
            click.echo(loaded.campaign.model_dump_json(exclude_none=True))
        else:
            click.echo(("---\n" if index else "") + long_form(loaded.campaign), nl=False)
    return ExitCode.OK


def long_form(campaign: Campaign) -> str:
    """Write a canonical campaign as YAML."""
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(_quoted(_without_empty(campaign.model_dump(mode="json", exclude_none=True))), text)
    return text.getvalue()


def _without_empty(value: object) -> object:
    """Leave out keys that hold nothing: no options, no description. To retry `on` nothing says something, though."""
    if isinstance(value, dict):
        return {
            key: item if key == "on" else _without_empty(item)
            for key, item in value.items()
            if key == "on" or item not in ("", [], {})
        }
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _quoted(value: object) -> object:
    """Quote what YAML readers of other tools would take for something else: `+1202…`, `10:00`, `no`."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    if isinstance(value, str) and not value.replace("_", "").replace("-", "").isalpha():
        return DoubleQuotedScalarString(value)
    return value
