"""What tests of named faults share."""

from __future__ import annotations

from tests.cli.conftest import shell
from tests.engine.conftest import journal, path, store

__all__ = ["journal", "path", "shell", "store"]
