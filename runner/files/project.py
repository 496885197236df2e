"""Projects: where one starts, its optional `outreach.yaml`, its campaigns, and paths that stay inside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runner.errors import FilesWrong, UsageWrong
from runner.files.address_checks import address_faults
from runner.files.campaign import in_file_order
from runner.files.declared_checks import check_declared
from runner.files.document import Document, read_document
from runner.files.faults import Fault, diagnostic_of
from runner.files.keys import did_you_mean
from runner.files.nodes import Node
from runner.files.notify_checks import check_targets
from runner.files.paths import read_bytes, refuse_link_out, resolve_inside
from runner.files.validation import check_model
from runner.model.project import Project

__all__ = [
    "CAMPAIGNS_FOLDER",
    "PROJECT_FILE",
    "LoadedProject",
    "find_campaigns",
    "find_project",
    "load_project",
    "read_project",
    "resolve_inside",
]

PROJECT_FILE = "outreach.yaml"
CAMPAIGNS_FOLDER = "campaigns"

_SUFFIXES = (".yaml", ".yml")
_SQLITE = "sqlite:///"
_LEDGERS = (_SQLITE, "postgresql://", "postgres://")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProject:
    """A project and where it lies."""

    project: Project
    root: Path
    """absolute, links followed"""
    ledger_url: str
    """a SQLite path in it is absolute"""
    templates_dir: Path


def find_project(start: Path) -> Path:
    """Give the root of the project that a folder (or file) belongs to.

    It is the nearest folder upwards, the start included, that holds `outreach.yaml`, else the
    nearest that holds a `campaigns` folder, else the start itself.
    """
    here = start.resolve()
    here = here if here.is_dir() else here.parent
    folders = (here, *here.parents)
    with_file = (folder for folder in folders if (folder / PROJECT_FILE).is_file())
    with_campaigns = (folder for folder in folders if (folder / CAMPAIGNS_FOLDER).is_dir())
    return next(with_file, next(with_campaigns, here))


def load_project(root: Path, *, shown: str = "") -> LoadedProject:
    """Read the project's `outreach.yaml`, or take the defaults when there is none.

    `shown` is the file's path as errors name it. Raises FilesWrong with every diagnostic, in file order.
    """
    root = root.resolve()
    file = root / PROJECT_FILE
    project = read_project(file, root, shown=shown) if file.exists() else Project()
    return LoadedProject(
        project=project,
        root=root,
        ledger_url=_ledger_url(project.ledger, root),
        templates_dir=root / project.templates,
    )


def read_project(file: Path, root: Path, *, shown: str = "") -> Project:
    """Read a project file; raise FilesWrong with every diagnostic, in file order. An empty file is fine."""
    refuse_link_out(file, root, shown or str(file))
    document = read_document(read_bytes(file), shown or str(file))
    if document.root is None:
        if _is_blank(document):
            return Project()
        raise FilesWrong(document.problems)
    checked = check_model(Project, document.root)
    faults = [*checked.faults, *_path_faults(document.root, file, root)]
    if checked.value is not None:
        faults += check_declared(checked.value, checked.left_out)
        faults += check_targets(checked.value, checked.root)
        told = {fault.path for fault in faults}
        faults += (fault for fault in address_faults(checked.value) if fault.path not in told)
    diagnostics = [*document.problems, *(diagnostic_of(document, checked.root, fault) for fault in faults)]
    if diagnostics or checked.value is None:
        raise FilesWrong(in_file_order(diagnostics))
    return checked.value


def find_campaigns(paths: Iterable[Path]) -> list[Path]:
    """Give the campaign files that paths name: files as they are, of folders the *.yaml and *.yml directly inside.

    Each file comes once, in the order of the paths, the files of a folder sorted by name; hidden
    files and the project's own file are no campaigns. Raises UsageWrong for a path that does not exist.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _campaigns_at(path):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _campaigns_at(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = sorted(path.iterdir(), key=lambda file: file.name)
        return [file for file in inside if _is_campaign(file)]
    siblings = [str(path.parent / file.name) for file in path.parent.iterdir()] if path.parent.is_dir() else []
    message = f"there is no file or folder `{path}`"
    raise UsageWrong(
        message, help=did_you_mean(str(path), siblings) or "name a campaign file, or a folder with campaigns"
    )


def _is_campaign(file: Path) -> bool:
    return file.suffix in _SUFFIXES and not file.name.startswith(".") and file.name != PROJECT_FILE and file.is_file()


def _is_blank(document: Document) -> bool:
    """Whether a file holds nothing but comments, which is fine for a file that is optional."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in document.lines)


def _path_faults(root: Node, file: Path, top: Path) -> list[Fault]:
    """Check that the ledger has a known form and that the templates lie inside of the project."""
    faults: list[Fault] = []
    ledger, templates = root.get("ledger"), root.get("templates")
    if ledger is not None and ledger.value and not ledger.value.startswith(_LEDGERS):
        advice = "write: sqlite:///.outreach/ledger.db, or postgresql://host/database"
        faults.append(Fault(path=("ledger",), code="C10", message=f"`{ledger.value}` is not a ledger", help=advice))
    if templates is not None and templates.value:
        try:
            resolve_inside(file, templates.value, top)
        except UsageWrong as error:
            faults.append(Fault(path=("templates",), code="C28", message=error.message, help=error.help))
    return faults


def _ledger_url(url: str, root: Path) -> str:
    """Make a SQLite path absolute; four slashes mean that it is already."""
    if not url.startswith(_SQLITE) or url == f"{_SQLITE}:memory:":
        return url
    name = url.removeprefix(_SQLITE)
    return f"{_SQLITE}{root / name}"
