"""A ledger is lost and yesterday's backup is put back: nobody is called again whom the lost ledger called."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.processes import (
    READABLE,
    dials,
    outreach,
    sandbox_process,
    start,
    status_of,
    wait_until_dialled,
    write_project,
)
from tests.e2e.test_crash import people_of

_ENDED = {"completed", "failed", "suppressed", "held"}


@pytest.mark.parametrize("provider", READABLE)
@pytest.mark.fault("F38")
def test_nobody_is_called_again_after_a_restore(tmp_path: Path, provider: str) -> None:
    write_project(tmp_path, [("people.yaml", people_of(provider))], people=20)
    with sandbox_process(tmp_path, "--seed", "7") as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        first = start(*words, cwd=tmp_path)
        wait_until_dialled(url, 4)
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=20)
        assert first.stdout is not None
        first.stdout.close()
        early = dials(url)
        backup = outreach("ledger", "backup", "kept.db", cwd=tmp_path)
        finished = outreach(*words, cwd=tmp_path)
        before = dials(url)

        restored = outreach("ledger", "restore", "kept.db", "--yes", cwd=tmp_path)
        refused = outreach(*words, cwd=tmp_path)
        after_refusal = dials(url)
        reconciled = outreach("ledger", "reconcile", "--yes", cwd=tmp_path)
        second = outreach(*words, cwd=tmp_path)
        after = dials(url)
        verified = outreach("ledger", "verify", cwd=tmp_path)
        (campaign,) = status_of(tmp_path, contacts=True)

    assert len(early) < 20, "the backup is of the middle of the campaign"
    assert finished.returncode in (0, 5), finished.stderr
    assert backup.returncode == 0, backup.stderr
    assert "20 contacts" in backup.stdout
    assert restored.returncode == 0, restored.stderr
    assert refused.returncode == 1
    assert "nothing is sent from the ledger" in refused.stderr
    assert "outreach ledger reconcile" in refused.stderr
    assert len(after_refusal) == len(before)
    assert reconciled.returncode == 0, reconciled.stderr
    assert second.returncode in (0, 5), second.stderr
    assert verified.returncode == 0, verified.stdout
    assert [key for key, count in Counter(str(one["reference"]) for one in after).items() if count > 1] == []
    assert len(before) >= 20, "the lost ledger called everybody"
    assert len(after) == len(before), "and so nobody is called now"
    assert {person["state"] for person in campaign["contacts"]} <= _ENDED
    if provider != "movoice":  # its list says neither key nor which of several calls to one number is meant
        assert "held" not in {person["state"] for person in campaign["contacts"]}


@pytest.mark.fault("F38")
def test_a_copied_and_a_moved_ledger_place_nothing_by_themselves(tmp_path: Path) -> None:
    write_project(tmp_path, [("people.yaml", people_of("revox"))], people=6)
    with sandbox_process(tmp_path, "--seed", "3") as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        assert outreach("apply", "campaigns", "--yes", cwd=tmp_path).returncode == 0
        copy = tmp_path / "copied"
        shutil.copytree(tmp_path / ".outreach", copy)
        refused = outreach("--ledger", f"sqlite:///{copy}/ledger.db", *words, cwd=tmp_path)
        assert refused.returncode == 1
        assert "a copy of another file" in refused.stderr
        assert dials(url) == []

        elsewhere = tmp_path / "elsewhere"
        (tmp_path / ".outreach").rename(elsewhere)
        ledger = ("--ledger", f"sqlite:///{elsewhere}/ledger.db")
        moved = outreach(*ledger, *words, cwd=tmp_path)
        assert moved.returncode in (0, 5), moved.stderr
        placed = len(dials(url))
        assert placed >= 6

        alone = tmp_path / "alone"
        alone.mkdir(mode=0o700)
        (elsewhere / "ledger.db").rename(alone / "ledger.db")
        ledger = ("--ledger", f"sqlite:///{alone}/ledger.db")
        refused = outreach(*ledger, *words, cwd=tmp_path)
        assert refused.returncode == 1
        assert "the mark beside it is missing" in refused.stderr
        assert outreach(*ledger, "ledger", "reconcile", "--moved", "--yes", cwd=tmp_path).returncode == 0
        assert outreach(*ledger, *words, cwd=tmp_path).returncode in (0, 5)
        assert len(dials(url)) == placed
