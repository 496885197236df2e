"""Everything hostile in every cell of an export, opened again by a CSV reader: text, and nothing a terminal obeys (S19)."""

from __future__ import annotations

import csv
from pathlib import Path

from runner.ledger.store import Store
from tests.building import apply, campaign, contact, phone
from tests.e2e.processes import outreach
from tests.hostile.cases import cases
from tests.hostile.rows import is_text


def hostile_cells() -> list[str]:
    """Give every cell of the corpus of rows that the ledger can hold."""
    found = {cell for case in cases("rows.txt") if len(case.text) < 1_000 for cell in case.text.split(",", 2)}
    return sorted(cell for cell in found if "\0" not in cell and cell)


def test_the_check_knows_what_is_no_text() -> None:
    assert [one for one in ("=1", " +1", "\u200b@x", "-1", "a\x1bb", "\u00a0=1") if is_text(one)] == []
    assert is_text("'=1")


def test_every_cell_comes_out_as_text(tmp_path: Path) -> None:
    cells = hostile_cells()
    assert len(cells) >= 60
    (tmp_path / "outreach.yaml").write_text("ledger: sqlite:///ledger.db\n", "utf-8")
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), tuple(contact(number) for number in range(len(cells))))
    store._connection.execute("UPDATE contacts SET key = 'k' || id")
    for at, cell in enumerate(cells, start=1):
        store._connection.execute("UPDATE contacts SET key = ? WHERE id = ?", (cell, at))
        store._connection.execute("UPDATE attempts SET tag = ?, reason = ? WHERE contact_id = ?", (cell, cell, at))
    store.close()
    exported, raw = _opened(tmp_path), _opened(tmp_path, "--raw")

    wrong = [cell for row in exported for cell in row.values() if not is_text(cell)]
    assert (len(exported), wrong) == (len(cells), [])
    assert exported[0]["phone"] == f"'{phone(0)}"
    assert [row["tag"] for row in raw] == cells, "raw cells are what the ledger holds"


def _opened(folder: Path, *words: str) -> list[dict[str, str]]:
    outreach("export", *words, "--output", "out.csv", cwd=folder)
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
