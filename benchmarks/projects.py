"""Small projects to measure with: fictional people in a folder of their own."""

from __future__ import annotations

from pathlib import Path

_AREAS = ("202", "212", "213", "305", "312", "404", "415", "512", "617", "702")


def number(index: int) -> str:
    """Give a number that belongs to nobody; 1,000 different ones."""
    return f"+1{_AREAS[index // 100 % 10]}55501{index % 100:02d}"


def write_people(folder: Path, count: int) -> None:
    """Write a contacts file with keys, names and amounts; numbers are unique for the first 1,000 rows."""
    contacts = folder / "campaigns" / "contacts"
    contacts.mkdir(parents=True, exist_ok=True)
    rows = (f"K{index},{number(index)},person {index},{index % 977}.50,America/New_York" for index in range(count))
    text = "key,phone,name,amount_due,timezone\n" + "\n".join(rows) + "\n"
    (contacts / "people.csv").write_text(text, encoding="utf-8")


def write_campaign(folder: Path, name: str, text: str) -> Path:
    """Write one campaign file."""
    path = folder / "campaigns" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
