"""What the state machine has found, shrunk to its shortest: each was a fault, and stays mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.sandbox.faults import Fault
from runner.sandbox.settings import Mischief
from tests.building import apply
from tests.rehearsal.machine import DIALS, PEOPLE, STARTS, campaign_of, contact_of
from tests.rehearsal.stage import Stage, scratch

HOUR = 3600.0


@pytest.fixture
def stage() -> Iterator[Stage]:
    with scratch() as folder:
        made = Stage(STARTS[4], 1, Path(folder))
        apply(made.outside, campaign_of("alpha", "alpha", 3), [contact_of(0)], *made.accounts.values(), now=made.now)
        yield made
        made.close()


def state_of(stage: Stage) -> str:
    return str(stage.rows("SELECT state FROM attempts ORDER BY id LIMIT 1")[0]["state"])


def test_a_look_up_that_fails_after_a_long_absence_leaves_nothing_to_a_person(stage: Stage) -> None:
    stage.world.webhooks.upset(Mischief(lost=1.0))
    stage.world.faults.plan((Fault(kind="hang_after", path=DIALS),))
    stage.boot()
    stage.pass_time(60)
    assert state_of(stage) == "in_doubt"
    stage.kill()
    stage.pass_time(50 * HOUR)
    stage.world.faults.plan((Fault(kind="status", status=503, path=DIALS),))
    stage.boot()
    stage.pass_time(1)
    assert state_of(stage) == "in_doubt", "the one answer that failed was no reason to give up"
    stage.pass_time(HOUR)
    assert state_of(stage) == "finished"
    assert [dial.to for dial in stage.dials()] == [PEOPLE[0][0]]


def test_look_ups_that_fail_for_an_hour_after_a_long_absence_leave_nothing_to_a_person(stage: Stage) -> None:
    stage.world.webhooks.upset(Mischief(lost=1.0))
    stage.world.faults.plan((Fault(kind="hang_after", path=DIALS),))
    stage.boot()
    stage.pass_time(60)
    stage.kill()
    stage.pass_time(50 * HOUR)
    stage.world.faults.plan((Fault(kind="status", status=503, path=DIALS, times=20),))
    stage.boot()
    stage.pass_time(HOUR / 3)
    assert state_of(stage) == "in_doubt", "what failed within minutes was no reason to give up"
    stage.kill()  # nor does another start change that
    stage.boot()
    stage.pass_time(HOUR)
    assert state_of(stage) == "finished"
    assert [dial.to for dial in stage.dials()] == [PEOPLE[0][0]]


def test_a_provider_that_answers_nothing_for_long_leaves_it_to_a_person(stage: Stage) -> None:
    stage.world.webhooks.upset(Mischief(lost=1.0))
    stage.world.faults.plan((Fault(kind="hang_after", path=DIALS),))
    stage.boot()
    stage.pass_time(60)
    stage.world.faults.plan((Fault(kind="status", status=503, times=None),))
    stage.pass_time(23 * HOUR)
    assert state_of(stage) == "in_doubt"
    stage.pass_time(3 * HOUR)
    assert state_of(stage) == "held"


def test_who_leaves_while_an_attempt_is_held_is_not_called_again_when_its_end_is_heard_of_after_all(
    stage: Stage,
) -> None:
    accounts = stage.accounts.values()
    of = campaign_of("beta", "gamma", 0)
    apply(stage.outside, of, [contact_of(1), contact_of(5)], *accounts, now=stage.now)
    stage.world.people.write_script({PEOPLE[person][0]: ("busy", "answered") for person in (1, 5)})
    stage.world.webhooks.upset(Mischief(late=1.0, late_seconds=900.0))
    stage.world.faults.plan((Fault(kind="drop_after", path=re.compile("/makecall")),))
    stage.boot()
    stage.pass_time(300)
    (held,) = stage.rows("SELECT * FROM attempts WHERE state = 'held'")
    (stays,) = {1, 5} - {person for person in (1, 5) if PEOPLE[person][0] == held["phone"]}
    apply(stage.outside, of, [contact_of(stays)], *accounts, now=stage.now)
    stage.pass_time(12 * HOUR)
    ended = stage.rows("SELECT state, outcome FROM attempts WHERE phone = ? ORDER BY id", held["phone"])
    assert [tuple(row) for row in ended] == [("finished", "busy")]
    assert [dial.to for dial in stage.dials()].count(held["phone"]) == 1
    assert "removed" in {row["state"] for row in stage.rows("SELECT state FROM contacts")}
