"""The project's templates folder, read into memory: names and texts, nothing from outside the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong

LARGEST_FILE = 256 * 1024
"""bytes of one template file"""
MOST_FILES = 2_000


def read_templates(folder: Path) -> dict[str, str]:
    """Give every file below a folder by its name relative to it, with `/`; hidden files are left out.

    A folder that is not there holds nothing. Raises FilesWrong for files that are too large or
    too many, that are not UTF-8, and for links that lead out of the folder.
    """
    if not folder.is_dir():
        return {}
    sources: dict[str, str] = {}
    wrong: list[Diagnostic] = []
    root = folder.resolve()
    for path in _visible_files(folder):
        if len(sources) >= MOST_FILES:
            message = f"there are more than {MOST_FILES:,} files in `{folder.name}`"
            raise FilesWrong([_diagnostic(folder, message, "keep only templates there")])
        found = _read(path, root)
        if isinstance(found, Diagnostic):
            wrong.append(found)
        else:
            sources[path.relative_to(folder).as_posix()] = found
    if wrong:
        raise FilesWrong(wrong)
    return sources


def _visible_files(folder: Path) -> Iterator[Path]:
    """Walk in name order, without following linked folders."""
    with os.scandir(folder) as entries:
        below = sorted(entries, key=lambda entry: entry.name)
    for entry in below:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _visible_files(path)
        else:
            yield path


def _read(path: Path, root: Path) -> str | Diagnostic:
    real = path.resolve()
    if not real.is_relative_to(root):
        return _diagnostic(
            path, f"`{path.name}` is a link that leads out of the templates folder", "put the file itself there"
        )
    if not real.is_file():
        return _diagnostic(path, f"`{path.name}` is not a file", "keep only text files there")
    with real.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        return _diagnostic(path, f"`{path.name}` is larger than {LARGEST_FILE // 1024} KiB", "split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _diagnostic(path, f"`{path.name}` is not UTF-8", "save it as UTF-8")


def _diagnostic(path: Path, message: str, help: str) -> Diagnostic:
    return Diagnostic(code="V05", message=message, help=help, file=str(path))
