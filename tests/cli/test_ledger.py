"""`outreach ledger` and `outreach purge` as a person meets them, and who may read what they leave."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from pathlib import Path

from tests.cli.running import Shell

CAMPAIGN = """\
campaign: people
purpose: informational
agent: movoice/agent_12345
contacts: [{phone: "+12025550143"}, {phone: "+12025550182"}]
"""


def project(folder: Path) -> Path:
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text("{}\n")
    (folder / "campaigns" / "people.yaml").write_text(CAMPAIGN)
    return folder


def modes(folder: Path) -> dict[str, str]:
    """Give every mode that lets others in."""
    found = [folder / ".outreach", *(folder / ".outreach").iterdir(), *folder.glob("*.db")]
    return {
        one.name: oct(stat.S_IMODE(one.stat().st_mode)) for one in found if stat.S_IMODE(one.stat().st_mode) & 0o077
    }


def test_a_ledgers_day(shell: Shell, tmp_path: Path) -> None:
    root = project(tmp_path)

    def run(*words: str, code: int = 0) -> str:
        done = shell(*words, cwd=root)
        assert done.code == code, done
        assert modes(root) == {}, words
        return done.out + done.err

    run("run", "campaigns", "--sandbox", "--yes", code=5)
    told = run("ledger", "backup", "kept.db")
    head = re.search(r"head (\d+:[0-9a-f]{64})", told)
    assert head is not None
    assert "1 campaign, 2 contacts, 2 attempts" in told
    assert "is there already" in run("ledger", "backup", "kept.db", code=2)
    assert "wrong" not in run("ledger", "verify", "--head", head[1])
    assert "has schema" in run("ledger", "migrate")

    counted = json.loads(shell("purge", "--number", "+12025550143", "--format", "json", cwd=root).out)
    assert counted["would_erase"]["contacts"] == 1
    assert "2025550143" not in json.dumps(counted)
    assert str(root / ".outreach") not in str(counted["would_erase"]["also_in"])
    run("purge", "--number", "+12025550143", "--yes")
    assert b"2025550143" not in (root / ".outreach" / "ledger.db").read_bytes()
    assert "wrong" not in run("ledger", "verify", "--head", head[1])
    assert "was erased" in run("plan", "campaigns", "--all")

    assert "outreach ledger reconcile" in run("ledger", "restore", "kept.db", "--yes")
    refused = shell("run", "campaigns", "--sandbox", "--yes", cwd=root)
    assert refused.code == 1
    assert "it is a backup" in refused.err
    assert "is the ledger again" in run("ledger", "reconcile", "--yes")
    run("status")
    run("why", "+12025550182")
    run("purge", "--older-than", "1d")


def test_what_is_wrong_is_said_row_by_row(shell: Shell, tmp_path: Path) -> None:
    root = project(tmp_path)
    assert shell("apply", "campaigns", "--yes", cwd=root).code == 0
    connection = sqlite3.connect(root / ".outreach" / "ledger.db", isolation_level=None)
    connection.execute("UPDATE attempts SET state = 'gone' WHERE id = 1")
    connection.close()
    done = shell("ledger", "verify", cwd=root)
    assert done.code == 1
    assert "wrong states\n        attempt 1 is in the state `gone`, which there is not" in done.out
    found = json.loads(shell("ledger", "verify", "--format", "json", cwd=root).out)
    assert found["sound"] is False
    assert {"check": "states", "what": "attempt 1 is in the state `gone`, which there is not"} in found["faults"]


def test_wrong_words_are_said(shell: Shell, tmp_path: Path) -> None:
    root = project(tmp_path)
    assert "there is no ledger" in shell("ledger", "verify", cwd=root).err
    assert shell("apply", "campaigns", "--yes", cwd=root).code == 0
    for words, says in (
        (("purge",), "what to forget is not said"),
        (("purge", "--older-than", "1d", "--number", "+12025550143"), "what to forget is not said"),
        (("purge", "--older-than", "soon"), "`soon` is no length of time"),
        (("purge", "--older-than", "1d", "--campaign", "peple"), "no campaign `peple` was applied"),
        (("ledger", "verify", "--head", "abc"), "`abc` is no head"),
        (("ledger", "restore", "nothing.db", "--yes"), "there is no file"),
        (("ledger", "reconcile", "--moved", "--since", "2026-01-01T00:00:00Z"), "exclude each other"),
        (("ledger", "reconcile"), "nobody can be asked here: Does no other copy of this ledger run any more?"),
        (("ledger", "reconcile", "--moved"), "nobody can be asked here: Did nothing ever run on another copy?"),
    ):
        done = shell(*words, cwd=root)
        assert done.code in {1, 2}, words
        assert says in done.err, words


def test_others_may_not_read_a_ledger(shell: Shell, tmp_path: Path) -> None:
    root = project(tmp_path)
    assert shell("apply", "campaigns", "--yes", cwd=root).code == 0
    (root / ".outreach" / "ledger.db").chmod(0o644)
    for words in (("status",), ("apply", "campaigns", "--yes"), ("ledger", "verify"), ("export",)):
        done = shell(*words, cwd=root)
        assert done.code == 1, words
        assert "chmod 600" in done.err


def test_a_link_that_leads_the_ledger_out_of_the_project_is_refused(shell: Shell, tmp_path: Path) -> None:
    """A pull request may bring a link in the place of the ledger's folder."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    project(root)
    (root / ".outreach").symlink_to(outside)
    for words in (("apply", "campaigns", "--yes"), ("run", "campaigns", "--sandbox", "--yes"), ("status",)):
        done = shell(*words, cwd=root)
        assert done.code == 1, words
        assert "is a link that leads out of the project" in done.err
    assert list(outside.iterdir()) == []
