"""F12, F30, F31 and F43: faults of answers, clocks and rows that pure rules and the engine meet without a provider."""

from __future__ import annotations

import asyncio
import shutil
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.rules import calendars, local_time
from tests.building import NEW_YORK, NOON, Bench, apply, bench, campaign, contact, movoice_took, reply
from tests.cli.running import Shell
from tests.e2e.processes import fictional_number
from tests.engine.test_dispatcher import running, settled

_LIMIT = 4


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    """Give an engine over a ledger of its own."""
    return bench(store, journal)


@pytest.mark.fault("F12")
async def test_f12_answers_that_take_long_pile_nothing_up(engine: Bench) -> None:
    """While nothing is answered there are never more requests on their way, nor more calls live, than the limit."""
    apply(engine.store, campaign(limits={"concurrency": _LIMIT}), tuple(contact(number) for number in range(40)))
    inside = most = 0

    async def slow(account: Any, request: Any) -> Any:
        nonlocal inside, most
        if request.method != "POST":
            return reply({"status": "completed"})
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1
        engine.transport.sent.append(request)
        return movoice_took(request)

    gate = asyncio.Event()
    engine.transport.send = slow  # type: ignore[method-assign]
    async with running(engine) as (loop, _):
        for _ in range(6):
            await settled(engine)
            engine.clock.forward(timedelta(seconds=5))
            loop.wake()
        assert inside == _LIMIT, "as many as the limit are on their way"
        gate.set()
        await settled(engine)
        assert most == _LIMIT


@pytest.mark.fault("F30")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("windows: daily 10:00-23:59:60", True),
        ("windows: daily 10:00-24:00", False),
        ("windows: daily 24:00-24:00", True),
        ("windows: daily 10:00-24:01", True),
        ('schedule: {start: "2026-12-01T23:59:60"}', True),
        ('schedule: {start: "2026-02-30T10:00"}', True),
        ('schedule: {end: "9999-12-31T23:59"}', False),
        ('schedule: {start: "2027-02-29"}', True),
    ],
)
def test_f30_instants_that_are_none_are_said_with_their_line(
    shell: Shell, tmp_path: Path, line: str, problem: bool
) -> None:
    head = "campaign: odd\npurpose: informational\nagent: movoice/agent_1\ntimezone: America/New_York\n"
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "odd.yaml").write_text(
        f'{head}contacts: [{{phone: "+12025550143"}}]\n{line}\n', encoding="utf-8"
    )
    checked = shell("validate", cwd=tmp_path)
    planned = shell("plan", "--at", "2026-12-01T15:00:00Z", cwd=tmp_path)

    assert ("odd.yaml:6:" in checked.err + checked.out) is problem, checked.err + checked.out
    assert (planned.code not in {0, 2, 3}) is problem or planned.code in {0, 2}, planned.err
    assert "Traceback" not in checked.err + planned.err


@contextmanager
def zone_data_in_which(folder: Path, zone: str, keeps_the_time_of: str) -> Iterator[None]:
    """Let a zone follow other rules, as after an update of the zone data and a new start."""
    source = Path(str(resources.files("tzdata"))) / "zoneinfo"
    target = folder / zone
    target.parent.mkdir(parents=True)
    shutil.copy(source / keeps_the_time_of, target)

    def forget(path: list[str]) -> None:
        zoneinfo.reset_tzpath(to=path)
        zoneinfo.ZoneInfo.clear_cache()
        local_time.zone_info.cache_clear()
        local_time.at_edge.cache_clear()
        calendars.day_spans.cache_clear()

    forget([str(folder)])
    try:
        yield
    finally:
        forget([])


@pytest.mark.fault("F31")
async def test_f31_the_rule_that_holds_when_it_is_sent_counts(engine: Bench, tmp_path: Path) -> None:
    """Planned for noon in New York; by the data of the day of sending it is nine there, and the window opens at ten."""
    apply(engine.store, campaign(windows="daily 10:00-18:00"), (contact(0),))
    assert engine.store.assignments([1])[0].attempt.due_at == NOON
    with zone_data_in_which(tmp_path / "zones", NEW_YORK, "America/Los_Angeles"):
        assert NOON.astimezone(local_time.zone_info(NEW_YORK)).hour == 9
        await engine.deliver()
    attempt = engine.store.assignments([1])[0].attempt

    assert engine.transport.sent == []
    assert (attempt.state, attempt.due_at) == (AttemptState.PLANNED, datetime(2026, 1, 5, 18, tzinfo=UTC))


@pytest.mark.fault("F43")
def test_f43_a_row_that_cannot_be_rendered_is_rejected_at_the_plan(shell: Shell, tmp_path: Path) -> None:
    """Of 1,000 rows the 731st has no name: it alone is rejected, with its line, and nothing of it is ever sent."""
    rows = [f"{fictional_number(index)},{'' if index == 730 else f'Person {index}'}" for index in range(1000)]
    (tmp_path / "campaigns" / "contacts").mkdir(parents=True)
    (tmp_path / "campaigns" / "contacts" / "people.csv").write_text("phone,name\n" + "\n".join(rows) + "\n")
    (tmp_path / "campaigns" / "people.yaml").write_text(
        "campaign: people\npurpose: informational\nagent: movoice/agent_1\ntimezone: America/New_York\n"
        "contacts: {file: contacts/people.csv, on_bad_row: skip}\n"
        'variables: {name: "{{ contact.name }}"}\n',
        encoding="utf-8",
    )
    planned = shell("plan", "--format", "json", cwd=tmp_path)
    ran = shell("run", "campaigns", "--sandbox", "--yes", "--now", cwd=tmp_path)
    people = shell("export", "people", "--format", "csv", cwd=tmp_path)

    lines = planned.lines()
    rejected = [line for line in lines[:-1] if line["status"] in {"skip", "reject", "rejected"}]
    assert ran.code in (0, 5), ran.err
    assert [line["contact"]["row"] for line in rejected] == [732]
    assert "name" in str(rejected[0]["reason"])
    assert fictional_number(730) not in people.out
    assert people.out.count("\n") >= 999
