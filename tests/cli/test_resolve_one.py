"""`outreach resolve` for calls and texts one by one: what waits is listed, a person's word is taken once and written down."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.ledger.person import pseudonyms_at
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import ContactState, Move
from runner.schedule.clock import SystemClock
from tests.cli.running import Shell

_CAMPAIGN = """\
campaign: people
purpose: informational
contacts: [{phone: "+12025550140"}, {phone: "+12025550141"}, {phone: "+12025550142"}]
timezone: America/New_York
agent: revmo/QUdFTlQtMDAwMQ==
windows: daily 00:00-24:00
retry: 2 times, 1h apart, on no_answer
"""
_SURE = ("--reason", "not in the dashboard", "--yes")


@pytest.fixture
def folder(tmp_path: Path, shell: Shell) -> Path:
    """Give a project whose campaign was applied, of which two calls are held and one was not tried."""
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    done = shell("apply", "--yes", cwd=tmp_path)
    assert done.code == 0, done.err
    store, now = Store.open(tmp_path / ".outreach" / "ledger.db"), SystemClock().now()
    for attempt in (1, 2):
        for old, new in (("planned", "claimed"), ("claimed", "sending"), ("sending", "in_doubt"), ("in_doubt", "held")):
            move = Move(
                attempt_id=attempt, old=AttemptState(old), new=AttemptState(new), at=now, reason="the answer was lost",
                sent_at=now if new == "sending" else None, contact=ContactState.HELD if new == "held" else None,
            )  # fmt: skip
            assert store.move([move]) == [True]
    store.close()
    return tmp_path


def attempts(shell: Shell, folder: Path, person: int) -> list[dict[str, Any]]:
    """Give the attempts to one person, and that person's state."""
    done = shell("status", "--contacts", "--format", "json", cwd=folder)
    found = json.loads(done.out)["campaigns"][0]["contacts"][person]
    return [{**one, "contact": found["state"]} for one in found["attempts"]]


def test_what_waits_is_listed_with_where_to_look_and_what_to_paste(shell: Shell, folder: Path) -> None:
    done = shell("resolve", cwd=folder)
    (first, where, paste, *_) = done.out.splitlines()

    assert (done.code, len(done.out.splitlines())) == (0, 6)
    assert first.startswith("people  +1")
    assert " call 1 by revmo of 20" in first
    assert first.endswith("UTC: held")
    assert "+12025550140" not in done.out, "numbers are masked off a terminal"
    assert re.search(r"^people  \+1\*\*\*0140#[0-9a-f]{8}  call 1", first)
    assert where.startswith("  = look at revmo for this number, ")
    (log_id,) = re.findall(r"for the reference (a[0-9a-f]{15}) \(outreach --show-pii resolve has it in full\)", where)
    listed = json.loads(shell("resolve", "--format", "json", cwd=folder).out)["attempts"][0]
    assert log_id == listed["log_id"] == pseudonyms_at(folder / ".outreach" / "ledger.db").log_id(listed["reference"])
    (pasted,) = re.findall(r"outreach resolve people --contact '\+?(\S+)' --created ID", paste)
    assert first.split()[1].endswith(pasted)
    named = shell("resolve", "people", "--contact", pasted, "--created", "call-7", cwd=folder)
    assert (named.code, attempts(shell, folder, 0)[0]["provider_id"]) == (0, "call-7"), named.err
    data = json.loads(shell("resolve", "people", "--format", "json", cwd=folder).out)
    assert [one["state"] for one in data["attempts"]] == ["held"]
    assert data["contacts"] == []
    assert not re.search("[0-9a-f]{32}", done.out)
    in_full = shell("--show-pii", "resolve", cwd=folder).out
    assert f"for the reference {data['attempts'][0]['reference']}; then:" in in_full
    assert shell("resolve", "other", cwd=folder).out == "nothing of other waits for a person\n"


def test_created(shell: Shell, folder: Path) -> None:
    done = shell("resolve", "people", "--contact", "+12025550140", "--created", "call-9", cwd=folder)

    assert done.code == 0, done.err
    assert "call 1 by revmo is `call-9`, and is followed" in done.out
    (one,) = attempts(shell, folder, 0)
    assert (one["state"], one["provider_id"], one["contact"]) == ("accepted", "call-9", "calling")
    assert attempts(shell, folder, 1)[0]["state"] == "held"

    again = shell("resolve", "people", "--contact", "+12025550141", "--created", "call-9", cwd=folder)
    assert (again.code, "is another attempt: call 1 of people" in again.err) == (2, True), again.err


def test_ended_goes_on_as_the_outcome_says(shell: Shell, folder: Path) -> None:
    done = shell(
        "resolve", "people", "--contact", "+12025550140", "--ended", "no_answer", "--reason", "seen", cwd=folder
    )

    assert done.code == 0, done.err
    first, retry = attempts(shell, folder, 0)
    assert (first["state"], first["outcome"]) == ("finished", "no_answer")
    assert (retry["state"], retry["number"], retry["contact"]) == ("planned", 2, "retry")
    why = shell("why", "+12025550140", cwd=folder).out
    assert "resolved: ended as no_answer, says " in why
    assert ": seen" in why


def test_ended_by_an_opt_out_suppresses(shell: Shell, folder: Path) -> None:
    done = shell("resolve", "people", "--contact", "+12025550140", "--ended", "opted_out", cwd=folder)

    assert done.code == 0, done.err
    (one,) = attempts(shell, folder, 0)
    assert (one["outcome"], one["contact"]) == ("opted_out", "suppressed")
    assert "+12025550140" in shell("suppress", "list", "--format", "json", cwd=folder).out


def test_absent_goes_back_in_line_under_the_same_key(shell: Shell, folder: Path) -> None:
    listed = json.loads(shell("resolve", "--format", "json", cwd=folder).out)["attempts"][0]
    before = listed["reference"]
    done = shell("resolve", "people", "--contact", listed["log_id"], "--absent", *_SURE, cwd=folder)

    assert done.code == 0, done.err
    (one,) = attempts(shell, folder, 0)
    assert (one["state"], one["number"], one["contact"], one["sent_at"]) == ("planned", 1, "pending", None)
    store = Store.open_read_only(folder / ".outreach" / "ledger.db")
    assert store.assignments([1])[0].attempt.key == before
    store.close()
    assert "not in the dashboard" in shell("why", "+12025550140", cwd=folder).out


def test_all_that_is_held(shell: Shell, folder: Path) -> None:
    done = shell("resolve", "people", "--all", "--ended", "unknown", cwd=folder)

    assert (done.code, len(done.out.splitlines())) == (0, 2), done.err
    assert [attempts(shell, folder, person)[0]["outcome"] for person in range(3)] == ["unknown", "unknown", None]
    assert shell("resolve", cwd=folder).out == "nothing waits for a person\n"


def test_nobody_who_is_called_otherwise_is_put_back(shell: Shell, folder: Path) -> None:
    """While another campaign's call to the same person is live, a second one must not begin."""
    (folder / "campaigns" / "other.yaml").write_text(
        _CAMPAIGN.replace("campaign: people", "campaign: other"), encoding="utf-8"
    )
    assert shell("apply", "campaigns/other.yaml", "--yes", cwd=folder).code == 0
    store, now = Store.open(folder / ".outreach" / "ledger.db"), SystemClock().now()
    (live,) = [
        one.attempt.id
        for one in store.in_state(AttemptState.PLANNED)
        if one.attempt.phone == "+12025550140" and one.attempt.campaign == "other"
    ]
    claim = Move(
        attempt_id=live, old=AttemptState.PLANNED, new=AttemptState.CLAIMED, at=now,
        lease_until=now + timedelta(minutes=5),
    )  # fmt: skip
    assert store.move([claim]) == [True]
    store.close()

    for word in (("--absent", *_SURE), ("--created", "call-9")):
        done = shell("resolve", "people", "--contact", "+12025550140", *word, cwd=folder)
        assert (done.code, "is being contacted otherwise" in done.err) == (2, True), done.err
    assert attempts(shell, folder, 0)[0]["state"] == "held"


_LEFT = "2 attempts of people who are no longer in the plan are held: outreach resolve people"


def test_what_is_held_of_people_who_left_is_counted_until_it_is_settled(shell: Shell, folder: Path) -> None:
    """No state of a contact shows it any more, and a person must look nevertheless."""
    assert _LEFT not in shell("status", cwd=folder).out, "they are held, and counted as that"
    only_third = _CAMPAIGN.replace('{phone: "+12025550140"}, {phone: "+12025550141"}, ', "")
    (folder / "campaigns" / "people.yaml").write_text(only_third, encoding="utf-8")
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert shell("suppress", "add", "+12025550142", cwd=folder).code == 0

    said = shell("status", cwd=folder).out
    (campaign,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]
    assert " ".join(said.split()).count(_LEFT) == 1
    assert (campaign["attempts"]["held_of_left"], campaign["row_stats"]["held"]) == (2, 0)
    ran = shell("run", cwd=folder)
    assert (ran.code, " ".join(ran.out.split()).count(_LEFT)) == (5, 1), ran.err

    assert shell("resolve", "people", "--all", "--ended", "unknown", cwd=folder).code == 0
    ran = shell("run", cwd=folder)
    assert (ran.code, "no longer in the plan" in ran.out) == (0, False), ran.err


def _write_without_the_first(folder: Path) -> None:
    text = _CAMPAIGN.replace('{phone: "+12025550140"}, ', "")
    (folder / "campaigns" / "people.yaml").write_text(text, encoding="utf-8")


def _planned_for_the_first(shell: Shell, folder: Path) -> dict[str, Any]:
    *lines, _ = shell("plan", "--format", "json", cwd=folder).lines()
    (line,) = [one for one in lines if one["contact"]["phone"] == "+12025550140"]
    return line


def test_who_comes_back_before_it_is_settled_is_held_again_and_goes_on_when_it_is(shell: Shell, folder: Path) -> None:
    _write_without_the_first(folder)
    assert shell("apply", "--yes", cwd=folder).code == 0
    (folder / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    line = _planned_for_the_first(shell, folder)
    assert (line["status"], line["not_before"]) == ("change", None)
    assert line["reason"] == "back among the contacts, and held: outreach resolve"
    assert shell("apply", "--yes", cwd=folder).code == 0

    (held,) = attempts(shell, folder, 0)
    assert (held["state"], held["contact"]) == ("held", "held")
    assert shell("resolve", "people", "--contact", "+12025550140", "--ended", "no_answer", cwd=folder).code == 0
    first, second = attempts(shell, folder, 0)
    assert (first["outcome"], second["state"], second["contact"]) == ("no_answer", "planned", "retry")


def test_absent_calls_off_who_is_no_longer_in_the_plan(shell: Shell, folder: Path) -> None:
    _write_without_the_first(folder)
    assert shell("apply", "--yes", cwd=folder).code == 0
    done = shell("resolve", "people", "--contact", "+12025550140", "--absent", *_SURE, cwd=folder)

    assert done.code == 0, done.err
    assert done.out.endswith("call 1 by revmo is called off: no longer in the plan\n"), done.out
    store = Store.open_read_only(folder / ".outreach" / "ledger.db")
    assert [one.attempt.id for one in store.in_state(AttemptState.SUPERSEDED)] == [1]
    store.close()
    both = shell("resolve", "people", "--all", "--absent", *_SURE, cwd=folder).out
    assert "call 1 by revmo is back in line\noutreach run or serve goes on with it\n" in both, both


def test_a_ledger_that_still_holds_who_left_is_put_right_by_one_apply(shell: Shell, folder: Path) -> None:
    """Earlier releases left such a contact as it was, and the digest does not count who is gone."""
    _write_without_the_first(folder)
    assert shell("apply", "--yes", cwd=folder).code == 0
    store = Store.open(folder / ".outreach" / "ledger.db")
    store._connection.execute("UPDATE contacts SET state = 'held' WHERE phone = '+12025550140'")
    store.close()

    assert shell("plan", "--exit-code", cwd=folder).code == 3
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert shell("plan", "--exit-code", cwd=folder).code == 0
    (campaign,) = json.loads(shell("status", "--format", "json", cwd=folder).out)["campaigns"]
    assert (campaign["attempts"]["held_of_left"], campaign["row_stats"]["held"]) == (1, 1)


def test_who_comes_back_after_it_was_settled_is_promised_no_call(shell: Shell, folder: Path) -> None:
    _write_without_the_first(folder)
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert shell("resolve", "people", "--contact", "+12025550140", "--ended", "no_answer", cwd=folder).code == 0
    (folder / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    line = _planned_for_the_first(shell, folder)
    assert (line["status"], line["reason"]) == ("change", "back among the contacts; what was begun has ended")
    assert shell("apply", "--yes", cwd=folder).code == 0

    (one,) = attempts(shell, folder, 0)
    assert (one["outcome"], one["contact"]) == ("no_answer", "failed")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--contact", "+12025550140"), 2, "what became of it is not said"),
        (("--contact", "+12025550140", "--ask"), 2, "revmo cannot be asked which calls it placed"),
        (("--contact", "+12025550140", "--absent", "--yes"), 2, "it is not said how you know"),
        (("--contact", "+12025550140", "--absent", "--reason", "seen"), 2, "is called twice"),
        (("--contact", "+12025550142", "--ended", "busy"), 1, "has nothing in doubt with"),
        (("--contact", "+12025550199", "--ended", "busy"), 1, "has nothing in doubt with"),
        (("--all", "--created", "call-9"), 2, "one id is one call"),
        (("--all", "--contact", "+12025550140", "--ended", "busy"), 2, "it is not said who is meant"),
        (("--ended", "busy"), 2, "it is not said who is meant"),
    ],
)
def test_a_word_that_is_not_enough_changes_nothing(
    shell: Shell, folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = shell("resolve", "people", *words, cwd=folder)

    assert (done.code, says in done.err) == (code, True), done.err
    assert [attempts(shell, folder, person)[0]["state"] for person in range(3)] == ["held", "held", "planned"]
