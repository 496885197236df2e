"""The corpus of paths, each named where files are named: refused with a place, nothing outside read, nothing waited for."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong, OutreachError
from runner.wiring.workspace import open_workspace
from tests.hostile.cases import FOLDER, Verdict, largest_mib, tell, unfolded
from tests.hostile.projects import CAMPAIGN, NOON, project

CPU, MIB = 2.0, 256.0

CANARY = "canary 4111 of a file outside"
_LINES = CAMPAIGN.replace("agent: movoice/agent_1", "agents: {a: {provider: revring, id: x, from: '+12025550100'}}")
_HUGE = 10 * 1024**3


def verdicts() -> list[Verdict]:
    """Try every path in this process, each in a project of its own."""
    lines = (FOLDER / "paths.txt").read_text("utf-8").splitlines()
    return [_tried(*line.split(" | ")) for line in lines if line and not line.startswith("#")]


def _tried(place: str, path: str, words: str, what: str) -> Verdict:
    with tempfile.TemporaryDirectory() as above:
        root = Path(above).resolve() / "project"
        _zoo(root, Path(above).resolve())
        started = time.process_time()
        faults = _PLACES[place](root, unfolded(path))
        cpu = time.process_time() - started
    said = "; ".join(f"{one.file}:{one.span.line if one.span else 0}: {one.message} {one.source}" for one in faults)
    is_clear = any(words in one.message and len(one.message) < 6_000 for one in faults)
    has_place = all(one.file for one in faults)
    mib = largest_mib()
    holds = is_clear and has_place and CANARY not in said and cpu < CPU and mib < MIB
    return Verdict(what=f"{place}: {what}", holds=holds, said=said[:500], cpu=cpu, mib=mib)


def _zoo(root: Path, above: Path) -> None:
    """Write a project, files outside of it, and everything that is no file inside of it."""
    project(root, files={"templates/fine.txt": "Hello"})
    (above / "outside.csv").write_text(f"phone,name\n+12025550143,{CANARY}\n", "utf-8")
    (above / "outside.yaml").write_text(f"secret: {CANARY}\n", "utf-8")
    folder = root / "campaigns"
    for name, target in {
        "link-out.csv": above / "outside.csv", "folder-out": above, "link-to-link.csv": folder / "link-out.csv",
        "loop.csv": folder / "loop.csv", "device.csv": Path("/dev/zero"),
    }.items():  # fmt: skip
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "fifo.csv")
    _socket(folder / "socket.csv")
    (folder / "folder.csv").mkdir()
    (folder / "submodule").mkdir()
    (root / ".gitmodules").write_text('[submodule "x"]\n\tpath = campaigns/submodule\n\turl = https://evil.example/x\n')
    _sparse(folder / "huge.csv", "phone,name\n+12025550143,Ann\n")
    (folder / "archive.csv").write_bytes(b"PK\x03\x04" + b"\0" * 100)


def _sparse(path: Path, start: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        file.truncate(_HUGE)


def _socket(path: Path) -> None:
    """Leave a socket behind; the name of its folder may be too long for one, so it is bound from inside."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _long_line(root: Path, path: str) -> None:
    if path == "one-line.csv":
        (root / "campaigns" / path).write_text("phone,name\n+12025550143," + "x" * 50_000_000, "utf-8")


def _written(path: str) -> str:
    return path if path.startswith('"') else "'" + path.replace("'", "''") + "'"


def _contacts(root: Path, path: str) -> list[Diagnostic]:
    _long_line(root, path)
    project(root, CAMPAIGN.replace("people.csv", _written(path)))
    return _wrong(root)


def _suppress(root: Path, path: str) -> list[Diagnostic]:
    _long_line(root, path)
    if path == "one-line.csv":
        (root / "campaigns" / path).write_text("+1202" + "5" * 50_000_000, "utf-8")
    contacts = f"contacts: {{file: people.csv, suppress: [{_written(path)}]}}"
    project(root, CAMPAIGN.replace("contacts: people.csv", contacts))
    return _wrong(root)


def _templates_zoo(root: Path) -> None:
    folder = root / "templates"
    (folder / "link-out.txt").symlink_to(root.parent / "outside.csv")


def _template(root: Path, path: str) -> list[Diagnostic]:
    _among_templates(root, path)
    project(root, f"{_LINES}steps:\n- text: a\n  message: {{template: {_written(path)}}}\n")
    return _wrong(root)


def _include(root: Path, path: str) -> list[Diagnostic]:
    _among_templates(root, path)
    project(root, f"{_LINES}steps:\n- text: a\n  message: |\n    {{% include '{path}' %}}\n")
    return _wrong(root)


def _among_templates(root: Path, path: str) -> None:
    if path == "link-out.txt":
        (root / "templates" / path).symlink_to(root.parent / "outside.csv")
    elif path == "fifo.txt":
        os.mkfifo(root / "templates" / path)
    elif path == "huge.txt":
        _sparse(root / "templates" / path, "Hello")


def _templates(root: Path, path: str) -> list[Diagnostic]:
    project(root, files={"outreach.yaml": f"templates: {_written(path)}\n"})
    return _wrong(root)


def _campaign(root: Path, path: str) -> list[Diagnostic]:
    file = root / "campaigns" / path
    if path == "link-out.yaml":
        file.symlink_to(root.parent / "outside.yaml")
    elif path == "fifo.yaml":
        os.mkfifo(file)
    elif path == "huge.yaml":
        _sparse(file, CAMPAIGN)
    return _wrong(root, file)


def _project(root: Path, _path: str) -> list[Diagnostic]:
    (root / "outreach.yaml").unlink()
    (root / "outreach.yaml").symlink_to(root.parent / "outside.yaml")
    return _wrong(root)


def _wrong(root: Path, *files: Path) -> list[Diagnostic]:
    """Open, check and plan; give all that is wrong, rows that cannot be read included."""
    try:
        workspace = open_workspace(root)
        for loaded in workspace.load(files):
            planned = workspace.plan(loaded, NOON)
            lines, _ = planned.lines()
            for _ in lines:
                pass
            if planned.rejected:
                first = planned.rejected[0]
                return [Diagnostic(code=first.code, message=first.reason, file=planned.shown_contacts)]
    except FilesWrong as wrong:
        return list(wrong.diagnostics)
    except OutreachError as error:
        return [Diagnostic(code="", message=error.message, file="in the sentence")]
    return []


_PLACES: Mapping[str, Callable[[Path, str], list[Diagnostic]]] = {
    "contacts": _contacts, "suppress": _suppress, "template": _template, "include": _include,
    "templates": _templates, "campaign": _campaign, "project": _project,
}  # fmt: skip


if __name__ == "__main__":
    tell(verdicts())
