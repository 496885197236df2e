"""Output that appears whole or not at all, and that only its owner may read."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from runner.errors import UsageWrong


@contextmanager
def written(output: Path | None) -> Iterator[IO[str]]:
    """Give what is written to: standard output, or a file that appears whole or not at all, mode 0600.

    Raises UsageWrong where no file can be written.
    """
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{output.name}.", suffix=".part", dir=output.parent)
    except OSError as error:
        raise UsageWrong(
            f"`{output}` cannot be written: {error.strerror}", help="name a folder that is there"
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
