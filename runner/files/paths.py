"""Paths that files name: kept inside the project; and files read once, with a sentence when they cannot be."""

from __future__ import annotations

from pathlib import Path

from runner.errors import NotFound, UsageWrong


def read_bytes(path: Path) -> bytes:
    """Read a whole file; raise NotFound with a sentence when that cannot be done."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"there is no file `{path}`"
    except IsADirectoryError:
        message = f"`{path}` is a folder, not a file"
    except OSError as error:
        message = f"`{path}` cannot be read: {(error.strerror or 'unknown reason').lower()}"
    raise NotFound(message)


def resolve_inside(base_file: Path, name: str, root: Path) -> Path:
    """Give the absolute path of a file that another file names, relative to that file, links followed.

    The file need not exist. Raises UsageWrong with a sentence when the path leads out of the
    project: by `..`, as an absolute path or through a symbolic link.
    """
    if not name.strip() or "\x00" in name:
        raise UsageWrong("this is not the name of a file", help="write a path relative to this file")
    top = root.resolve()
    try:
        found = (base_file.resolve().parent / Path(name)).resolve()
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError up to Python 3.12
        message = f"`{name}` leads nowhere"
        raise UsageWrong(message, help="write a path relative to this file") from error
    if not found.is_relative_to(top):
        message = f"`{name}` leads out of the project `{top.name}`"
        raise UsageWrong(message, help="move the file into the project and write a path relative to this file")
    return found
