"""How the commands print: consoles, formats, diagnostics, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

import click

from runner.errors import Diagnostic, ExitCode, FilesWrong, OutreachError
from runner.files.diagnostics import as_github, as_json, as_records, as_text, styled, visible

if TYPE_CHECKING:
    from rich.console import Console

    from runner.files.campaign import LoadedCampaign
    from runner.wiring.workspace import Workspace

Format = Literal["text", "json"]
_NO_SUCH_FILE = "P10"
"""the code of what quotes the path of a file, and nothing that stands in it"""

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="text for people, json for machines.",
)  # fmt: skip


def console(*, error: bool = False) -> Console:
    """Give a console; without colour when it is not a terminal or NO_COLOR is set. Data gives a terminal no orders."""
    from rich.console import Console  # noqa: PLC0415 costs time that machine formats need not pay

    from runner.cli.obeyed import WrittenOut  # noqa: PLC0415 the same

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else 120
    made = Console(stderr=error, highlight=False, soft_wrap=False, width=width, emoji=False, markup=False)
    made.push_render_hook(WrittenOut())
    return made


def is_masked() -> bool:
    """Whether numbers are masked: everywhere but on the operator's own terminal, unless `--show-pii` was given."""
    return not sys.stdout.isatty() and not _shows_people()


def print_diagnostics(
    diagnostics: Sequence[Diagnostic], form: str = "text", *, everything: bool = False, error: bool = True
) -> None:
    """Print diagnostics: as text to stderr, as data to stdout.

    Off a terminal the numbers of people in contact files are masked: logs are read by others.
    """
    stream = sys.stderr if error or form != "text" else sys.stdout
    if not stream.isatty() and not _shows_people():
        diagnostics = [_masked(one) for one in diagnostics]
    if form == "json":
        click.echo(as_json(diagnostics))
    elif form == "github":
        click.echo(as_github(diagnostics))
        click.echo(as_text(diagnostics, limit=None), err=True)
    else:
        text = as_text(diagnostics, limit=None) if everything else as_text(diagnostics)
        if stream.isatty():
            console(error=error).print(styled(text))
        else:
            click.echo(text, err=error)


def print_warnings(workspace: Workspace, loaded: Iterable[LoadedCampaign]) -> None:
    """Print what campaigns could do better, to stderr."""
    problems = [problem for one in loaded for problem in workspace.warnings(one)]
    if problems:
        print_diagnostics(problems)


def print_error(error: OutreachError) -> None:
    """Print an error: its diagnostics, or its sentence and the line to paste."""
    if isinstance(error, FilesWrong):
        print_diagnostics(error.diagnostics)
        return
    click.echo(f"error: {visible(error.message)}", err=True)
    if error.help:
        click.echo(f"  = help: {visible(error.help)}", err=True)


def print_error_record(error: OutreachError, code: ExitCode) -> None:
    """Print what ended a command as one line of JSON to stdout, where a program reads the rest too."""
    diagnostics = [_masked(one) for one in error.diagnostics] if isinstance(error, FilesWrong) else []
    facts = {
        "message": diagnostics[0].message if diagnostics else error.message,
        "help": error.help,
        "exit_code": int(code),
        "diagnostics": as_records(diagnostics),
    }
    click.echo(json.dumps({"error": facts}, ensure_ascii=False))


def _shows_people() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and (context.find_root().obj or {}).get("show_pii"))


def _masked(one: Diagnostic) -> Diagnostic:
    """Mask the numbers of a diagnostic about contacts; campaign files hold none of people's.

    Rows are marked as such. What is wrong with a contact file as a whole has a code of its own room:
    a header may be quoted there that is a row. The names of the files stay, so that help can be pasted.
    """
    if not (one.quotes_contacts or one.code.startswith("P")):
        return one
    from runner.report.words import masked_as_quoted, masked_in_place, masked_quotes, masked_row  # noqa: PLC0415 brings zones along

    quotes_file_alone = one.code == _NO_SUCH_FILE and not one.quotes_contacts
    return replace(
        one,
        message=masked_in_place(one.message) if quotes_file_alone else masked_quotes(one.message),
        help=_with_name_kept(one.help, PurePath(one.file).name, masked_row),
        source=masked_as_quoted(one.source, one.message),
    )


def _with_name_kept(text: str, name: str, mask: Callable[[str], str]) -> str:
    return name.join(map(mask, text.split(name))) if name else mask(text)
