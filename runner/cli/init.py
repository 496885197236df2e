"""`outreach init`: write a small working project into a new folder."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

import click

from runner import __version__
from runner.errors import ExitCode, UsageWrong
from runner.files.schema import schema_text
from runner.providers.registry import all_providers

SCAFFOLD = {
    "README.md": "project-readme.md",
    "outreach.yaml": "outreach.yaml",
    "campaigns/first-campaign.yaml": "first-campaign.yaml",
    "campaigns/contacts/first-campaign.csv": "first-campaign.csv",
    "campaigns/contacts/first-campaign.sample.csv": "first-campaign.csv",
    "templates/visit.txt.j2": "visit.txt.j2",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".vscode/settings.json": "vscode-settings.json",
    ".vscode/outreach.schema.json": "outreach.schema.json",
    ".github/workflows/outreach.yml": "workflow.yml",
}
"""file of the project -> file of this package's folder `scaffold`, whose names keep git and editors from acting on it"""

SCHEMA = "schema.json"
REHEARSAL = "sqlite:///.outreach/rehearsal.db"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Add the files that are missing; none that is there is changed.")
def init(folder: Path, *, force: bool) -> int:
    """Write a small working project into FOLDER.

    A campaign, its contacts with fictional numbers, a template, settings for editor, git and CI. It
    can be planned and rehearsed at once. Nothing is committed, and no file that exists is changed.
    """
    if not force:
        _refuse_files(folder)
    written = [name for name, text in project_files().items() if _write(folder / name, text)]
    click.echo(f"{folder}: {len(written)} files written" if written else f"{folder}: nothing was missing")
    for name in written:
        click.echo(f"  {name}")
    _say_next(folder)
    return ExitCode.OK


def project_files() -> dict[str, str]:
    """Give every file of a new project by its path in the project, in the order in which they are written."""
    folder = files("runner.cli") / "scaffold"
    texts = {
        name: (folder / source).read_text("utf-8").replace("@VERSION@", __version__)
        for name, source in SCAFFOLD.items()
    }
    return {**texts, SCHEMA: schema_text(all_providers())}


def _refuse_files(folder: Path) -> None:
    """Refuse a folder with anything in it but a fresh repository."""
    if not folder.exists():
        return
    found = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    if found:
        raise UsageWrong(
            f"`{folder}` is not empty: it has `{found[0]}`",
            help=f"name a new folder, or add only what is missing: outreach init {shlex.quote(str(folder))} --force",
        )


def _write(path: Path, text: str) -> bool:
    """Write a new file; False when there is one already. Raises UsageWrong where none can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise UsageWrong(f"`{path.parent}` is a file, and a folder is needed", help="name a new folder") from None
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise UsageWrong(f"`{path}` cannot be written: {reason}", help="name a folder that you may write to") from None
    return True


def _say_next(folder: Path) -> None:
    enter = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    click.echo("\nnext:")
    click.echo(f"  {enter}outreach validate")
    click.echo("  outreach plan")
    click.echo(f"  outreach --ledger {REHEARSAL} run campaigns --sandbox")
