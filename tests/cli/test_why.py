"""`outreach why` and `outreach plan --contact`: what was done, by which rule, file and line, and what comes next."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.engine.settlement import settle
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.instants import to_micros
from runner.ledger.standing import pause_by_hand
from runner.ledger.store import Store
from runner.model.attempt import Assignment, AttemptState
from runner.model.campaign import Campaign
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from runner.rules.policy import policy_of
from runner.wiring import applying
from runner.wiring.workspace import open_workspace
from tests.building import claim_due
from tests.cli.running import Shell

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)
"""a Tuesday, 10:30 in New York"""
AT = "2026-12-01T16:00:00Z"
ANA, BO, CAI, DI, EVE = "+12025550143", "+13035550144", "+12025550145", "+18005550147", "+14165550148"

PROJECT = """\
accounts:
  main: {provider: revring, limits: {concurrency: 3}, from_limits: {spacing: 5s}}
limits: {per_minute: 30}
caps: 2 per day, 5 per 7d
"""
VISITS = f"""\
campaign: visits
purpose: transactional
agents:
  caller: {{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550100", account: main}}
contacts:
  - {{phone: "{ANA}", name: Ana}}
  - {{phone: "{BO}", name: Bo}}
  - {{phone: "{CAI}", name: Cai}}
  - {{phone: "{DI}", name: Di}}
  - {{phone: "{EVE}", name: Eve}}
number_types: mobile, fixed_line_or_mobile, toll_free
windows: mon-fri 10:00-18:00
blackout: 2026-12-24..2026-12-26
compliance: {{consent: express}}
steps:
  - call: caller
    retry: {{attempts: 3, after: 2h, on: [no_answer, busy], expires: 3d}}
"""
REMINDERS = f"""\
campaign: reminders
purpose: transactional
agent: {{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550100", account: main}}
contacts: [{{phone: "{ANA}", name: Ana, timezone: America/Chicago}}]
windows: mon-fri 12:00-13:00
"""


class Told:
    """A project with two applied campaigns, a ledger with a past, and a shell in it."""

    def __init__(self, root: Path, shell: Shell) -> None:
        self.root = root
        self.shell = shell
        (root / "campaigns").mkdir()
        (root / "outreach.yaml").write_text(PROJECT, encoding="utf-8")
        (root / "campaigns/visits.yaml").write_text(VISITS, encoding="utf-8")
        (root / "campaigns/reminders.yaml").write_text(REMINDERS, encoding="utf-8")
        self.store = self._applied()

    def _applied(self) -> Store:
        workspace = open_workspace(self.root)
        store = Store.open(workspace.ledger_path)
        for loaded in workspace.load([self.root / "campaigns/visits.yaml", self.root / "campaigns/reminders.yaml"]):
            applying.apply(workspace, applying.examine(workspace.plan(loaded, NOW)), store)
        return store

    def work(self, phone: str, campaign: str = "visits") -> Assignment:
        """Give the newest attempt on a person."""
        rows = self.store._connection.execute(
            "SELECT MAX(a.id) FROM attempts a JOIN campaigns c ON c.id = a.campaign_id WHERE a.phone = ? AND c.name = ?",
            (phone, campaign),
        )
        return self.store.assignments([rows.fetchone()[0]])[0]

    def send(self, phone: str, at: datetime, *, is_lost: bool = False) -> None:
        """Let the newest attempt leave; its answer comes, or is lost."""
        states, due = AttemptState, claim_due(self.store, "visits", 50, at, at + timedelta(minutes=5), apart=[])
        back = [one.attempt for one in due if one.attempt.phone != phone]
        self.store.move(
            Move(attempt_id=one.id, old=states.CLAIMED, new=states.PLANNED, at=at, due_at=one.due_at) for one in back
        )
        (attempt,) = (one.attempt.id for one in due if one.attempt.phone == phone)
        end = states.IN_DOUBT if is_lost else states.ACCEPTED
        self.store.move([
            Move(attempt_id=attempt, old=states.CLAIMED, new=states.SENDING, at=at, sent_at=at, contact=ContactState.CALLING),
            Move(
                attempt_id=attempt, old=states.SENDING, new=end, at=at, poll_at=at + timedelta(minutes=2),
                provider_id="" if is_lost else f"call-{attempt}", reason="the answer was lost" if is_lost else "",
            ),
        ])  # fmt: skip

    def end(self, phone: str, outcome: Outcome, at: datetime) -> None:
        """Let the newest attempt end, with what follows from it."""
        work = self.work(phone)
        row = self.store.one("campaign_in_force", name="visits")
        assert row is not None
        policy = policy_of(Campaign.model_validate_json(row["policy"]))
        history = self.store.history(work.attempt.contact_id)
        self.store.move([settle(policy, work, Observation(outcome=outcome), history, at)])

    def why(self, *words: str) -> str:
        """Give what `outreach why` prints; it must end well."""
        self.store.close()
        done = self.shell("why", *words, cwd=self.root)
        assert (done.code, done.err) == (0, "")
        return done.out


@pytest.fixture
def told(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    monkeypatch.setattr("socket.gethostname", lambda: "desk")
    monkeypatch.chdir(tmp_path)
    made = Told(tmp_path, shell)
    yield made
    made.store.close()


def test_a_person_who_was_called_and_waits_for_another_try(told: Told) -> None:
    """The whole story, held against golden files: no answer, then the retry, and a second campaign that is paused."""
    told.send(ANA, NOW)
    told.end(ANA, Outcome.NO_ANSWER, NOW + timedelta(minutes=1))
    pause_by_hand(told.store, "reminders", "the list is old", NOW)
    _compare("why.txt", told.why(ANA, "--at", AT))
    _compare("why.json", told.why(ANA, "--at", AT, "--format", "json"))


def test_the_rule_of_a_retry_is_named_with_file_and_line(told: Told) -> None:
    told.send(ANA, NOW)
    told.end(ANA, Outcome.NO_ANSWER, NOW + timedelta(minutes=1))
    said = told.why(ANA, "--campaign", "visits", "--at", AT)
    assert "next: Tue 01 Dec 12:31 New York = 2026-12-01 17:31 UTC: call 2 leaves then" in said
    assert "no_answer: try 2 of 3, call  campaigns/visits.yaml:17:12" in said
    assert "reminders" not in said


def test_nobody_is_called_before_the_window_and_the_window_is_named(told: Told) -> None:
    said = told.why(BO, "--at", "2026-12-01T16:00:00Z")
    assert "next: Tue 01 Dec 10:00 Denver = 2026-12-01 17:00 UTC" in said
    assert "outside the windows  campaigns/visits.yaml:12:10" in said
    assert "zone America/Denver (from the number)" in said


def test_a_doubt_is_told_and_never_sent_again(told: Told) -> None:
    told.send(ANA, NOW, is_lost=True)
    said = told.why(ANA, "--campaign", "visits", "--at", AT)
    assert "call 1 by main: in_doubt" in said
    assert "it may have been placed: looked up until that is known, and never sent again on a guess" in said


def test_somebody_on_the_list_is_told_with_who_said_so(told: Told) -> None:
    told.store.suppress(CAI, "asked in a letter", "by hand", NOW)
    said = told.why(CAI, "--at", AT)
    assert "must not be contacted: asked in a letter (by hand), since 2026-12-01 15:30 UTC" in said
    assert "next: nothing: the person must not be contacted; asked in a letter" in said


def test_somebody_left_alone_for_a_time_waits_for_its_end(told: Told) -> None:
    told.store.suppress(CAI, "on holiday", "by hand", NOW, until=NOW + timedelta(days=1))
    said = told.why(CAI, "--at", AT)
    assert "next: Wed 02 Dec 10:30 New York = 2026-12-02 15:30 UTC: call 1 leaves then" in said
    assert "left alone until 2026-12-02 15:30 UTC" in said


def test_somebody_who_is_held_is_told_what_is_missing(told: Told) -> None:
    said = told.why(DI, "--at", AT)
    assert "held, key" in said
    assert "next: nothing until a plan knows more: no hour fits all 42 time zones of this number" in said


def test_a_cap_that_is_used_up_names_its_place_in_the_project(told: Told) -> None:
    told.send(ANA, NOW)
    told.end(ANA, Outcome.NO_ANSWER, NOW + timedelta(minutes=1))
    told.send(ANA, NOW + timedelta(hours=2, minutes=1))
    told.end(ANA, Outcome.BUSY, NOW + timedelta(hours=2, minutes=2))
    said = told.why(ANA, "--campaign", "visits", "--at", "2026-12-01T18:00:00Z")
    assert "next: Wed 02 Dec 10:00 New York = 2026-12-02 15:00 UTC" in said
    assert re.search(r"… +cap +at most 2 per day; open from Wed 02 Dec 00:00 New York +outreach.yaml:4:7", said)
    assert "at most 2 per day  outreach.yaml:4:7" in said


def test_an_end_says_why_nothing_follows(told: Told) -> None:
    told.send(ANA, NOW)
    told.end(ANA, Outcome.ANSWERED, NOW + timedelta(minutes=1))
    said = told.why(ANA, "--campaign", "visits", "--at", AT)
    assert "next: nothing; answered: the sequence is through" in said


def test_an_account_that_fails_is_what_a_due_call_waits_for(told: Told) -> None:
    told.store._connection.execute(
        "INSERT INTO account_health (account, state, reason, since, retry_at) VALUES ('main', 'open', '5 in a row', ?, ?)",
        (to_micros(NOW), to_micros(NOW + timedelta(hours=1))),
    )
    said = told.why(ANA, "--campaign", "visits", "--at", AT)
    assert "2026-12-01 16:30 UTC: call 1 waits for the account main: 5 in a row  outreach.yaml:2:" in said
    assert re.search(r"… +account +the account main is not used freely: 5 in a row", said)


def test_the_commit_that_was_applied_is_named(told: Told) -> None:
    told.store._connection.execute("UPDATE revisions SET git_commit = 'abc1234+'")
    assert "visits · revision 1 of 2026-12-01 15:30 UTC by ann@desk · git abc1234+" in told.why(ANA, "--at", AT)


def test_off_a_terminal_numbers_are_masked_and_instants_are_not(told: Told) -> None:
    shown = pseudonyms_of(told.store).shown(ANA)
    said = told.why(ANA, "--at", AT)
    assert ANA not in said
    assert ANA[2:] not in said
    assert said.startswith(f"{shown} · as of ")
    assert "2026-12-01 15:30 UTC" in said


@pytest.mark.parametrize("written", [ANA, "+1 (202) 555-0143", "+1-202-555-0143"])
def test_a_number_is_found_however_it_is_written(told: Told, written: str) -> None:
    assert json.loads(told.why(written, "--format", "json"))["people"][0]["phone"] == ANA


@pytest.mark.parametrize("written", ["{shown}", "#{short}"])
def test_whom_a_log_names_is_found(told: Told, written: str) -> None:
    pseudonyms = pseudonyms_of(told.store)
    who = written.format(shown=pseudonyms.shown(ANA), short=pseudonyms.short(ANA))
    assert json.loads(told.why(who, "--format", "json"))["people"][0]["phone"] == ANA
    planned = told.shell("plan", "campaigns/visits.yaml", "--contact", who, "--format", "json", cwd=told.root)
    assert {line["contact"]["phone"] for line in planned.lines()} == {ANA}
    assert told.shell("why", "#00000000", cwd=told.root).code == 1


def test_an_attempt_of_a_log_leads_to_its_person(told: Told) -> None:
    key = told.work(ANA).attempt.key
    log_id = pseudonyms_of(told.store).log_id(key)
    for who in (log_id, key, log_id.upper(), key.upper(), str(uuid.UUID(key)), str(uuid.UUID(key)).upper()):
        assert json.loads(told.why(who, "--format", "json"))["people"][0]["phone"] == ANA
    (person,) = json.loads(told.why(log_id, "--campaign", "visits", "--format", "json"))["people"]
    (attempt,) = person["campaigns"][0]["attempts"]
    assert (attempt["key"], attempt["log_id"]) == (key, log_id)
    said = told.why(log_id)
    assert f"in logs {log_id}" in said
    assert key not in said
    planned = told.shell("plan", "campaigns/visits.yaml", "--contact", log_id, "--format", "json", cwd=told.root)
    assert {line["contact"]["phone"] for line in planned.lines()} == {ANA}
    other = told.shell("why", "a00000000000000", cwd=told.root)
    assert (other.code, "knows nobody" in other.err) == (1, True)


def test_off_a_terminal_a_plan_shows_that_the_key_is_hidden(told: Told) -> None:
    key, log_id = told.work(ANA).attempt.key, pseudonyms_of(told.store).log_id(told.work(ANA).attempt.key)
    told.store.close()
    asked = ("plan", "campaigns/visits.yaml", "--contact", ANA, "--at", AT)
    masked, full = told.shell(*asked, cwd=told.root).out, told.shell("--show-pii", *asked, cwd=told.root).out
    assert f"Idempotency-Key: *** (in logs {log_id})" in masked
    assert f'"attempt_id": "*** (in logs {log_id})"' in masked
    assert f"Idempotency-Key: {key}" in full
    assert key not in masked


def test_off_a_terminal_a_plan_and_the_list_show_no_key(told: Told) -> None:
    key, pseudonyms = told.work(ANA).attempt.key, pseudonyms_of(told.store)
    told.store.suppress(ANA, "opted out", f"attempt {key}", NOW)
    told.store.close()
    plan = told.shell("plan", "campaigns/visits.yaml", "--contact", ANA, "--at", AT, cwd=told.root).out
    listed = told.shell("suppress", "list", cwd=told.root).out
    told_of = told.shell("why", ANA, "--at", AT, cwd=told.root).out
    assert key not in plan + listed + told_of
    assert f"(attempt {pseudonyms.log_id(key)})" in listed
    assert f"(attempt {pseudonyms.log_id(key)})" in told_of
    shown = told.shell("--show-pii", "suppress", "list", cwd=told.root).out
    assert f"(attempt {key})" in shown


def test_whoever_is_unknown_is_looked_for_in_the_files(told: Told) -> None:
    done = told.shell("why", "+12025550199", cwd=told.root)
    assert done.code == 1
    assert "the ledger knows nobody with the number, key or log id `+12025550199`" in done.err
    assert "outreach plan --contact +12025550199" in done.err


def test_somebody_refused_at_plan_is_traced_by_the_plan(told: Told) -> None:
    told.store.close()
    done = told.shell("plan", "campaigns/visits.yaml", "--contact", EVE, "--at", AT, "--format", "json", cwd=told.root)
    (line,) = done.lines()
    assert (line["status"], line["rule"], line["country"]) == ("skip", "agents", "CA")
    refusing = [one for one in line["rules"] if one["effect"] == "refuses"]
    assert [(one["rule"], one["source"], one["place"]) for one in refusing] == [
        ("number", "agents", "campaigns/visits.yaml:3:1")
    ]


def test_every_rule_of_a_plan_is_traced(told: Told) -> None:
    told.store.close()
    done = told.shell("plan", "campaigns/visits.yaml", "--contact", BO, "--at", AT, cwd=told.root)
    assert done.code == 0
    _compare("plan_contact.txt", "\n".join(line.rstrip() for line in done.out.splitlines()) + "\n")


def test_without_a_ledger_there_is_nothing_to_tell(shell: Shell, tmp_path: Path) -> None:
    done = shell("why", ANA, cwd=tmp_path)
    assert done.code == 1
    assert "no campaign was applied yet" in done.err


def test_reading_writes_nothing(told: Told) -> None:
    told.store.close()
    ledger = told.root / ".outreach/ledger.db"
    before = ledger.read_bytes()
    told.why(ANA, "--at", AT)
    assert ledger.read_bytes() == before


def _compare(name: str, found: str) -> None:
    """Hold text against a golden file; digest, tool and zone data change with versions, hashes of people and attempts with each ledger."""
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", found)
    text = re.sub(r"tzdata \S+", "tzdata …", text)
    text = re.sub(r"(?<=\d{4})#[0-9a-f]{8}\b", "#…", text)
    text = re.sub(r"\ba[0-9a-f]{15}\b", "a…", text)
    text = re.sub(r'"(tzdata|tool_version)": "[^"]*"', r'"\1": "…"', text)
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
