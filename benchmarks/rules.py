"""What law, several windows, holidays and caps add to planning, against one plain window; zones come from the numbers."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.projects import MOST, write_campaign, write_people
from runner.model.plan import PlanStatus
from runner.planning.known import KnownCampaign
from runner.rules.policy import policy_of
from runner.wiring.applying import examine
from runner.wiring.planned import Planned
from runner.wiring.workspace import open_workspace

CAMPAIGNS = 4
PEOPLE = CAMPAIGNS * MOST
"""each campaign has everybody"""
ROUNDS = 3
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
PLAIN = """\
campaign: plain
purpose: marketing
agent: movoice/agent_12345
contacts: {file: contacts/people.csv, columns: {key: key}}
windows: mon-fri 10:00-18:00
variables:
  name: "{{ contact.name | title }}"
  amount_due: "{{ contact.amount_due | money('USD') }}"
  greeting: "Hello {{ contact.name }}"
  key: "{{ contact.key }}"
"""
FULL = (
    PLAIN.replace("plain", "full").replace(
        "windows: mon-fri 10:00-18:00",
        """\
compliance: {consent: express_written, jurisdictions: [US]}
windows:
  - {days: mon-fri, from: "09:00", to: "12:00"}
  - {days: mon-fri, from: "14:00", to: "18:30", retry_after: 2h}
  - {days: sat, from: "10:00", to: "13:00", dates: 2026-11-01..2027-03-31}
holidays: contact
blackout: 2026-12-24..2026-12-26
caps: 1 per day, 3 per 7d
cool_down: 7d""",
    )
    + """\
retry: 3 times, 2h apart, on no_answer, busy
limits: {concurrency: 20, per_minute: 60, spacing: 1s}
"""
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_people(folder, MOST, has_zones=False)
        for number in range(CAMPAIGNS):
            for campaign, text in (("plain", PLAIN), ("full", FULL)):
                write_campaign(folder, f"{campaign}-{number}", text.replace(campaign, f"{campaign}-{number}", 1))
        pairs = [(_plan(folder, "plain", has_law=False), _plan(folder, "full", has_law=True)) for _ in range(ROUNDS)]
    plain, full = (statistics.median(pair[index] for pair in pairs) for index in (0, 1))
    print(f"planning {PEOPLE:,} rows, zones from numbers of 250 area codes (processor time, median of {ROUNDS})")
    print(f"  one plain window, no law          {plain / PEOPLE * 1e6:.1f} µs a row")
    print(f"  law, windows, holidays, caps      {full / PEOPLE * 1e6:.1f} µs a row   ratio {full / plain:.2f}")
    print("  wanted: at most 2.5")


def _plan(folder: Path, name: str, *, has_law: bool) -> float:
    """Plan every campaign of a name; give the seconds of processor time."""
    workspace = open_workspace(folder)
    campaigns = [workspace.load([path])[0] for path in sorted((folder / "campaigns").glob(f"{name}-*.yaml"))]
    gc.collect()
    began, created = time.process_time(), 0
    for loaded in campaigns:
        planned = workspace.plan(loaded, NOW, known=KnownCampaign())
        created += examine(planned if has_law else _without_law(planned)).summary.counts[PlanStatus.CREATE]
    spent = time.process_time() - began
    assert created == PEOPLE
    return spent


def _without_law(planned: Planned) -> Planned:
    policy = policy_of(planned.draft.policy.campaign)
    return replace(planned, draft=replace(planned.draft, policy=policy), law=None)
