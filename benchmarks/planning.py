"""What planning a contact costs, against reading the same file with the csv module alone."""

from __future__ import annotations

import csv
import gc
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.projects import write_campaign, write_people
from runner.model.plan import PlanStatus
from runner.planning.known import KnownCampaign
from runner.wiring.applying import examine
from runner.wiring.workspace import open_workspace

PEOPLE = 20_000
ROUNDS = 3
CAMPAIGN = """\
campaign: many
purpose: informational
agent: movoice/agent_12345
contacts: {file: contacts/people.csv, columns: {key: key}}
windows: mon-fri 10:00-18:00
variables:
  name: "{{ contact.name | title }}"
  amount_due: "{{ contact.amount_due | money('USD') }}"
  greeting: "Hello {{ contact.name }}"
  key: "{{ contact.key }}"
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_people(folder, PEOPLE)
        write_campaign(folder, "many", CAMPAIGN)
        pairs = [(_floor(folder), _plan(folder)) for _ in range(ROUNDS)]
    floor, plan = (statistics.median(pair[index] for pair in pairs) for index in (0, 1))
    print(f"planning {PEOPLE:,} rows, 4 variables, zone column (processor time, median of {ROUNDS})")
    print(
        f"  plan {plan / PEOPLE * 1e6:.1f} µs a row   csv alone {floor / PEOPLE * 1e6:.2f} µs a row   ratio {plan / floor:.0f}"
    )


def _floor(folder: Path) -> float:
    gc.collect()
    began = time.process_time()
    with (folder / "campaigns/contacts/people.csv").open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.reader(file))
    assert rows == PEOPLE + 1
    return time.process_time() - began


def _plan(folder: Path) -> float:
    workspace = open_workspace(folder)
    (loaded,) = workspace.load([])
    gc.collect()
    began = time.process_time()
    planned = workspace.plan(loaded, datetime(2026, 12, 1, 9, tzinfo=UTC), known=KnownCampaign())
    examined = examine(planned)
    assert examined.summary.counts[PlanStatus.CREATE] == PEOPLE
    return time.process_time() - began
