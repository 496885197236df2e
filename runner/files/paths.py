"""Paths that files name: kept inside the project; and files read once, with a sentence when they cannot be."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong, NotFound, UsageWrong

MOST_READ = 4 * 1024 * 1024
"""bytes that are read of a file at most, where all of it is wanted: more than any reader takes"""

_LONGEST_PATH, _LONGEST_NAME = 1_000, 255


class NoRegularFile(OSError):
    """A pipe, a device or a socket stands where a file should."""


class FileTooLarge(OSError):
    """A file is larger than its reader takes."""


def open_regular(path: Path, *, follow: bool = True, most: int | None = None) -> io.BufferedReader:
    """Open a file for reading; raise OSError, NoRegularFile for what could be waited for without end.

    What was opened is looked at, not what the path named a moment before. Without `follow` a
    link in the place of the file is refused: for paths whose links were followed already.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    handle = os.open(path, flags)
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        raise IsADirectoryError(path) if stat.S_ISDIR(facts.st_mode) else NoRegularFile("a pipe or a device")
    if most is not None and facts.st_size > most:
        os.close(handle)
        raise FileTooLarge
    return os.fdopen(handle, "rb")


def read_bytes(path: Path) -> bytes:
    """Read a file, of a huge one the first 4 MiB; raise NotFound with a sentence when that cannot be done."""
    try:
        with open_regular(path) as file:
            return file.read(MOST_READ)
    except FileNotFoundError:
        message = f"there is no file `{path}`"
    except IsADirectoryError:
        message = f"`{path}` is a folder, not a file"
    except NoRegularFile:
        message = f"`{path}` is a pipe or a device, not a file"
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
    if len(name) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in Path(name).parts):
        raise UsageWrong("this name is longer than that of a file can be", help="write a path relative to this file")
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


def refuse_link_out(path: Path, root: Path, shown: str) -> None:
    """Raise FilesWrong when a file that stands inside of a project is, or lies behind, a link out of it."""
    written = Path(os.path.abspath(path))  # noqa: PTH100 `resolve` would follow the links that are asked for
    tops = (root.resolve(), Path(os.path.abspath(root)))  # noqa: PTH100 the same
    if any(map(written.is_relative_to, tops)) and not path.resolve().is_relative_to(tops[0]):
        message, remedy = f"`{shown}` is a link that leads out of the project", "put the file itself there"
        raise FilesWrong([Diagnostic(code="C28", message=message, help=remedy, file=shown)])
