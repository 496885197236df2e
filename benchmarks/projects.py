"""Small projects to measure with: fictional people in a folder of their own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from runner.files.law_table import law_table

MOST = 25_000
"""how many different numbers there are that belong to nobody"""


def number(index: int) -> str:
    """Give a number that belongs to nobody, somewhere in North America; MOST different ones."""
    return f"+1{_areas()[index // 100 % 250]}55501{index % 100:02d}"


@cache
def _areas() -> tuple[str, ...]:
    found = {str(code) for codes in law_table().area_codes.values() for code in codes}
    return tuple(sorted(found, key=lambda code: code[::-1])[:250])  # from everywhere, not from one end of the list


def write_people(folder: Path, count: int, *, has_zones: bool = True) -> None:
    """Write a contacts file with keys, names and amounts, at most MOST rows with numbers of their own."""
    zone = "America/New_York" if has_zones else ""
    contacts = folder / "campaigns" / "contacts"
    contacts.mkdir(parents=True, exist_ok=True)
    rows = (f"K{index},{number(index)},person {index},{index % 977}.50,{zone}" for index in range(count))
    text = "key,phone,name,amount_due,timezone\n" + "\n".join(rows) + "\n"
    (contacts / "people.csv").write_text(text, encoding="utf-8")


def write_campaign(folder: Path, name: str, text: str) -> Path:
    """Write one campaign file."""
    path = folder / "campaigns" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
