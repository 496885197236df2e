"""`outreach resolve`, and how `outreach status` shows people who were handed over: text and JSON."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.handed_over import HandoverMove, HandoverRecord, HandoverState, NewHandover, RowSeen
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from runner.schedule.clock import SystemClock
from tests.cli.running import REPOSITORY, Shell

_PEOPLE = 5
_CAMPAIGN = """\
campaign: people
purpose: informational
contacts: [{phone: "+12025550140"}, {phone: "+12025550141"}, {phone: "+12025550142"}, {phone: "+12025550143"}, {phone: "+12025550144"}]
timezone: America/New_York
agent: {provider: revring, id: agent_1, from: "+12025550199"}
windows: daily 10:00-18:00
steps:
  - {call: agent, delivery: native}
"""


@pytest.fixture
def folder(tmp_path: Path, shell: Shell) -> Path:
    """Give a project whose campaign was applied."""
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    done = shell("apply", "--yes", cwd=tmp_path)
    assert done.code == 0, done.err
    return tmp_path


def hand_over(folder: Path) -> tuple[Store, HandoverRecord]:
    """Write into the ledger what the engine writes when everybody was handed over and the answer was lost."""
    store, now = Store.open(folder / ".outreach" / "ledger.db"), SystemClock().now()
    group = store.handovers.first_due("people", "call", now)
    assert group is not None
    claimed = store.handovers.claim(group, 10, now + timedelta(minutes=5), same_zones=False)
    ids = [work.attempt.id for work in claimed]
    new = NewHandover(
        key="a" * 32, campaign="people", step="call", account="revring", agent_id="agent_1", name="people aaaa",
        concurrency=10, attempts=ids,
    )  # fmt: skip
    record = store.handovers.begin(new, now)
    for old, state in (
        (AttemptState.CLAIMED, AttemptState.SENDING),
        (AttemptState.SENDING, AttemptState.IN_DOUBT),
    ):
        store.move(Move(attempt_id=one, old=old, new=state, at=now) for one in ids)
    store.handovers.move(move(record, HandoverState.IN_DOUBT, HandoverState.SENDING))
    return store, record


def move(record: HandoverRecord, new: HandoverState, old: HandoverState, native_id: str = "") -> HandoverMove:
    return HandoverMove(
        handover_id=record.id, old=old, new=new, at=record.sent_at, native_id=native_id, reason="the answer was lost"
    )


def held(folder: Path) -> None:
    """Leave the handover to a person."""
    store, record = hand_over(folder)
    store.handovers.move(move(record, HandoverState.HELD, HandoverState.IN_DOUBT))
    store.move(
        Move(attempt_id=one.attempt_id, old=one.state, new=AttemptState.HELD, at=record.sent_at,
             contact=ContactState.HELD)
        for one in store.handovers.people(record.id)
    )  # fmt: skip
    store.close()


def dialling(folder: Path) -> None:
    """Have the provider dial: one is called, one waits for a try, one was reached, one was not, one waits."""
    store, record = hand_over(folder)
    now = record.sent_at
    store.handovers.move(move(record, HandoverState.CREATED, HandoverState.IN_DOUBT, "camp_1"))
    store.handovers.move(move(record, HandoverState.ACCEPTED, HandoverState.CREATED))
    people = store.handovers.people(record.id)
    store.move(Move(attempt_id=one.attempt_id, old=one.state, new=AttemptState.ACCEPTED, at=now) for one in people)
    store.handovers.see(
        record.id,
        [
            RowSeen(attempt_id=people[0].attempt_id, calls=1, contact=ContactState.CALLING),
            RowSeen(attempt_id=people[1].attempt_id, calls=2, contact=ContactState.RETRY),
        ],
        now,
    )
    ends = {2: (Outcome.ANSWERED, ContactState.COMPLETED), 3: (Outcome.BUSY, ContactState.FAILED)}
    store.move(
        Move(attempt_id=people[at].attempt_id, old=AttemptState.ACCEPTED, new=AttemptState.FINISHED, at=now,
             outcome=outcome, observation=Observation(outcome=outcome), contact=contact)
        for at, (outcome, contact) in ends.items()
    )  # fmt: skip
    store.close()


def test_row_stats_of_people_who_were_handed_over(shell: Shell, folder: Path) -> None:
    """The words of the provider's own page: calling, completed, failed, pending, retry, total."""
    dialling(folder)
    text = shell("status", cwd=folder)
    (found,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]

    assert [line.rstrip() for line in text.out.splitlines()] == [
        "campaign  status   total  pending  calling  retry  completed  failed  held  suppressed  attempts",
        "people    running      5        1        1      1          1       1     ·           ·         5",
        "people: 3 with revring in 1 handover",
    ]
    assert found["row_stats"] == {
        "total": 5, "pending": 1, "calling": 1, "retry": 1, "completed": 1, "failed": 1, "held": 0, "suppressed": 0,
    }  # fmt: skip
    (handover,) = found["handovers"]
    page = (REPOSITORY / "docs" / "machine-formats.md").read_text(encoding="utf-8")
    assert set(handover) == set(re.findall(r"`campaigns\[\]\.handovers\[\]\.(\w+)`", page))
    assert handover.pop("sent_at").endswith("Z")
    assert handover == {
        "id": 1, "step": "call", "account": "revring", "state": "accepted", "name": "people aaaa",
        "native_id": "camp_1", "people": 5, "waiting": 3, "told": "running", "reason": "the answer was lost",
    }  # fmt: skip


def test_what_waits_for_a_person_is_shown_with_what_to_paste(shell: Shell, folder: Path) -> None:
    held(folder)
    done = shell("status", cwd=folder)

    said = done.out.replace("\n", " ")
    assert (
        "handover 1 of people is held with 5 contacts: the answer was lost; look for `people aaaa` at revring, then"
        in said
    )
    assert "  outreach resolve people --handover 1 --created ID   (or: --absent --reason TEXT)" in done.out


def test_created(shell: Shell, folder: Path) -> None:
    held(folder)
    done = shell("resolve", "people", "--handover", "1", "--created", "camp_9", "--reason", "seen", cwd=folder)

    assert done.code == 0
    assert done.out.splitlines() == [
        "handover 1 is `camp_9` at revring, says a person; 5 contacts are in it",
        "outreach run or serve asks the provider, and goes on with it",
    ]
    (found,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]
    (handover,) = found["handovers"]
    assert (handover["state"], handover["native_id"]) == ("in_doubt", "camp_9")
    assert handover["reason"] == "created as `camp_9`, says a person: seen"
    assert "people: 5 with revring in 1 handover, 5 of them in doubt" in shell("status", cwd=folder).out


def test_absent(shell: Shell, folder: Path) -> None:
    held(folder)
    done = shell("resolve", "people", "--handover", "1", "--absent", "--reason", "seen", "--yes", cwd=folder)

    assert (done.code, done.out) == (0, "handover 1 was never created, says a person; 5 contacts are back in line\n")
    (found,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]
    assert (found["row_stats"]["pending"], found["handovers"]) == (_PEOPLE, [])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["people", "--handover", "1"], 2, "what became of it is not said"),
        (["people", "--handover", "1", "--created", "x", "--absent"], 2, "what became of it is not said"),
        (["people", "--handover", "1", "--created", ""], 2, "what became of it is not said"),
        (["people", "--absent"], 2, "it is not said who is meant"),
        (["people", "--handover", "1", "--all", "--absent"], 2, "it is not said who is meant"),
        (["people", "--handover", "1", "--absent"], 2, "it is not said how you know"),
        (["people", "--handover", "1", "--absent", "--yes"], 2, "it is not said how you know"),
        (["people", "--handover", "1", "--absent", "--reason", "seen"], 2, "is called twice"),
        (["people", "--handover", "1", "--ended", "answered"], 2, "a handover was created or it never was"),
        (["people", "--all", "--absent", "--reason", "seen", "--yes"], 2, "is settled with them"),
        (["people", "--handover", "7", "--absent"], 1, "people has no handover 7"),
        (["other", "--handover", "1", "--absent"], 1, "other has no handover 1"),
    ],
)
def test_what_cannot_be_settled(shell: Shell, folder: Path, words: list[str], code: int, says: str) -> None:
    held(folder)
    done = shell("resolve", *words, cwd=folder)

    assert (done.code, says in done.err) == (code, True), done.err
    (found,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]
    assert found["handovers"][0]["state"] == "held"


def test_without_a_ledger(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    done = shell("resolve", "people", "--handover", "1", "--absent", cwd=tmp_path)

    assert (done.code, "no campaign was applied yet" in done.err) == (1, True)
