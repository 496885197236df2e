"""The table of law, read from the package's own data; `python -m runner.files.law_table` makes its quick form.

The YAML is for people; reading it takes a third of a second, so that the same facts lie beside it as JSON.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from runner.model.law import LawTable

_FOLDER = files("runner") / "law"


@cache
def law_table() -> LawTable:
    """Give the table of law that this version brings."""
    return LawTable.model_validate_json((_FOLDER / "calling_hours.json").read_text("utf-8"))


def written_table() -> Any:
    """Read the table as people write it: plain maps and lists, dates as texts."""
    from ruamel.yaml import YAML  # noqa: PLC0415 only to make the quick form

    text = (_FOLDER / "calling_hours.yaml").read_text("utf-8")
    return json.loads(json.dumps(YAML(typ="safe").load(text), default=str))


def quick_form(table: Any) -> str:
    """Write a table as the JSON that `law_table` reads, one row a line."""
    head = {name: value for name, value in table.items() if name != "rows"}
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in table["rows"])
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "rows": [\n{rows}\n]}}\n'


if __name__ == "__main__":
    Path(str(_FOLDER / "calling_hours.json")).write_text(quick_form(written_table()), encoding="utf-8")
