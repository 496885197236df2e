"""Ledgers of every schema that there ever was: migrated, sound, run to their end; and killed in the middle of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import LedgerCopied
from runner.ledger import copies, instance, reconciling
from runner.ledger.audit import audit
from runner.ledger.instants import to_micros
from runner.ledger.migrate import migrate, migrations, schema_version
from runner.ledger.store import Store
from runner.wiring.running import engine, own_sandbox
from tests.building import NOON, account, campaign, dump, phone

NEWEST = migrations()[-1].version
VERSIONS = [one.version for one in migrations()[:-1]]
REPOSITORY = Path(__file__).resolve().parents[2]
STATES = ("planned", "planned", "accepted", "finished", "in_doubt", "held", "suppressed", "superseded")
CONTACTS = ("pending", "pending", "calling", "completed", "calling", "held", "suppressed", "removed")


def ledger_of(version: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Build a ledger as a version of the tool with that schema left it: people in every state, events, webhooks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        path.chmod(0o600)
        with monkeypatch.context() as patch:
            patch.setattr("runner.ledger.migrate.migrations", lambda: migrations()[:version])
            migrate(connection)
        fill(connection)
        assert schema_version(connection) == version
    return path


def fill(connection: sqlite3.Connection) -> None:
    """Write by the names of columns that every schema has, and of lanes where there are any."""
    at = to_micros(NOON)
    put(connection, "campaigns", id=1, name="renewals")
    put(
        connection, "revisions", id=1, campaign_id=1, digest="sha256:0", accounts="{}", applied_at=at,
        policy=campaign().model_dump_json(exclude_none=True), tool_version="0.1.0", complete=1,
    )  # fmt: skip
    connection.execute("UPDATE campaigns SET revision_id = 1")
    lane = {}
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lanes'").fetchone():
        put(connection, "lanes", id=1, campaign_id=1, step="call", account="movoice", agent="agent", from_number="")
        lane = {"lane_id": 1}
    for number, (state, where) in enumerate(zip(STATES, CONTACTS, strict=True), start=1):
        put(
            connection, "contacts", id=number, campaign_id=1, key=phone(number), phone=phone(number), row=number + 1,
            zones="America/New_York", zone_source="campaign", cells="{}", state=where,
        )  # fmt: skip
        put(
            connection, "payloads", contact_id=number, step_index=0, step="call", account="movoice",
            provider="movoice", agent_id="agent_1", method="POST", path="/calls", fingerprint="x",
            body=json.dumps({"agent_id": "agent_1", "to": phone(number), "variables": {}}), **lane,
        )  # fmt: skip
        has_left = state in {"accepted", "finished", "in_doubt", "held"}
        put(
            connection, "attempts", id=number, key=f"{number:032x}", campaign_id=1, contact_id=number,
            phone=phone(number), step="call", number=1, channel="call", account="movoice", state=state, due_at=at,
            sent_at=at if has_left else None, outcome="answered" if state == "finished" else "",
            provider_id=f"call-{number}" if state in {"accepted", "finished"} else None,
            poll_at=at if state in {"accepted", "in_doubt"} else None,
            ended_at=at if state in {"finished", "suppressed", "superseded"} else None, **lane,
        )  # fmt: skip
        path = {
            "accepted": ("sending", "accepted"), "finished": ("sending", "accepted", "finished"),
            "in_doubt": ("sending", "in_doubt"), "held": ("sending", "in_doubt", "held"), "suppressed": ("suppressed",),
        }.get(state, ())  # fmt: skip
        for before, kind in zip(("claimed", *path), path, strict=False):
            detail = json.dumps({"from": "planned" if kind == "suppressed" else before})
            put(connection, "events", at=at, attempt_id=number, kind=kind, detail=detail)
    put(connection, "suppressions", phone=phone(7), reason="asked", source="by hand", at=at)
    put(connection, "inbox", account="movoice", digest="d", received_at=at, verified=1, body=b"{}")
    put(connection, "facts", name="world", value="sandbox")


def put(connection: sqlite3.Connection, table: str, **values: object) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_that_there_was_becomes_a_sound_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    path = ledger_of(version, tmp_path / "ledger.db", monkeypatch)
    old = path.read_bytes()
    store = Store.open(path)
    done = audit(store)
    assert done.faults == ()
    assert (done.contacts, done.attempts) == (8, 8)
    assert [row["state"] for row in store._connection.execute("SELECT state FROM attempts ORDER BY id")] == list(STATES)
    assert store.assignments([1])[0].request.body == {"agent_id": "agent_1", "to": phone(1), "variables": {}}
    assert store.tide is not None
    assert not store.tide.foreign
    store.close()
    kept = path.with_name(f"ledger.db.schema-{version}")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with closing(sqlite3.connect(kept)) as before, closing(sqlite3.connect(":memory:")) as same:
        same.deserialize(old)
        mine = "SELECT name, value FROM facts WHERE name <> 'home' ORDER BY 1"
        for query in ("SELECT * FROM attempts", "SELECT * FROM events", mine, "PRAGMA user_version"):
            assert before.execute(query).fetchall() == same.execute(query).fetchall()
    assert copies.contents_of(kept).schema == version


@pytest.mark.parametrize("put", ["restored", "restored where none is", "copied over it", "moved over it"])
def test_a_state_from_before_ledgers_knew_their_file_is_noticed_where_a_later_one_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: str
) -> None:
    path = ledger_of(14, tmp_path / "a" / "ledger.db", monkeypatch)
    other = Path(shutil.copy2(path, tmp_path / "copy.db"))
    Store.open(path).close()
    if put.startswith("restored"):
        kept = path.with_name("ledger.db.schema-14").rename(tmp_path / "kept.db")
        if put.endswith("none is"):
            shutil.rmtree(path.parent)
        copies.put_back(kept, path, NOON)
    elif put.startswith("copied"):
        path.write_bytes(other.read_bytes())
    else:
        other.replace(path)
    for _ in range(2):
        store = Store.open(path)
        with pytest.raises(LedgerCopied, match="older than its mark"):
            instance.require_own(store.tide)
        store.close()
    store = Store.open(path)
    reconciling.reconcile(store, path, NOON + timedelta(hours=1))
    instance.require_own(store.tide)
    store.close()


def test_a_new_ledger_where_one_was_deleted_is_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Store.open(path).close()
    path.unlink()
    for _ in range(2):
        store = Store.open(path)
        instance.require_own(store.tide)
        store.close()


@pytest.mark.parametrize("version", sorted({1, 6, *VERSIONS[-4:]}))
def test_an_older_ledger_is_run_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    path = ledger_of(version, tmp_path / "ledger.db", monkeypatch)

    async def run() -> None:
        accounts = {"movoice": account()}
        async with (
            own_sandbox(accounts, seed=1, start=NOON + timedelta(minutes=5)) as surroundings,
            engine(path, surroundings) as running,
        ):
            await asyncio.wait_for(running.run(until_done=True), 60)

    asyncio.run(run())
    store = Store.open_read_only(path)
    assert audit(store).faults == ()
    ended = [
        row["state"] for row in store._connection.execute("SELECT state FROM attempts WHERE number = 1 ORDER BY id")
    ]
    assert ended[:2] == ["finished", "finished"]
    assert set(ended) <= {"finished", "held", "suppressed", "superseded"}
    store.close()


@pytest.mark.parametrize("step", [1, 5, 9, NEWEST - 1])
def test_killed_in_the_middle_of_a_migration_it_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    path = ledger_of(1, tmp_path / "a" / "ledger.db", monkeypatch)
    whole = ledger_of(1, tmp_path / "b" / "ledger.db", monkeypatch)
    code = "import sys; from pathlib import Path; from runner.ledger.store import Store; Store.open(Path(sys.argv[1]))"
    environment = {**os.environ, "OUTREACH_CRASH_AT": f"in_migration:{step}", "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with closing(sqlite3.connect(path)) as connection:
        assert schema_version(connection) == step, "the steps before it are there, and it is not"
    store, other = Store.open(path), Store.open(whole)
    assert audit(store).faults == ()
    assert dump(store) == dump(other)
    store.close()
    other.close()


def test_a_ledger_without_campaigns_is_not_kept_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        path.chmod(0o600)
        with monkeypatch.context() as patch:
            patch.setattr("runner.ledger.migrate.migrations", lambda: migrations()[:3])
            migrate(connection)
    Store.open(path).close()
    assert not list(tmp_path.glob("*.schema-*"))
