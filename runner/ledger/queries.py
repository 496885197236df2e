"""Named SQL: every statement of the ledger stands in an `.sql` file of this room under a name, with a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    files = sorted(resources.files("runner.ledger").iterdir(), key=lambda file: file.name)
    texts = [file.read_text("utf-8") for file in files if file.name.endswith(".sql")]
    parts = [part for text in texts for part in _HEADING.split(text)[1:]]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        message = "two queries share a name"
        raise ValueError(message)
    return dict(zip(names, (body.strip() for body in bodies), strict=True))


@cache
def query(name: str) -> str:
    """Give a statement by its name; KeyError when there is none."""
    return _all()[name]


def id_list(ids: Iterable[int]) -> str:
    """Write ids as the JSON list that `json_each` reads."""
    return f"[{','.join(map(str, ids))}]"
