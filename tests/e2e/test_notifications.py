"""Notifications of a real run, as processes: told while it runs, and by the next run what the first was killed over."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.processes import outreach, sandbox_process, start
from tests.engine.receiving import SECRET, Receiver, receiver, wait_until

_PEOPLE = 6
_PROJECT = """\
accounts:
  movoice: {{provider: movoice, base_url: "{url}/movoice/v1", allow_loopback: true, credential: env:KEY, poll: "1s, 2s, 3s, 5s"}}
notify:
  crm: {{webhook: "{hook}", secret: env:SECRET, allow_loopback: true}}
"""
_CAMPAIGN = """\
campaign: told
purpose: transactional
agent: movoice/agent_12345
timezone: {zone}
zones: evidence
windows: daily 00:00-24:00
retry: never
contacts: people.csv
on:
  outcome: crm
  finished: crm
"""


def _write(folder: Path, url: str, got: Receiver) -> None:
    """Write a project whose people have noon, so that no law's hours are in the way."""
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # noqa: TID251 real processes live in real time
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text(_PROJECT.format(url=url, hook=got.url), encoding="utf-8")
    (folder / "campaigns" / "told.yaml").write_text(_CAMPAIGN.format(zone=zone), encoding="utf-8")
    rows = "".join(f"+44770090010{number},{zone}\n" for number in range(_PEOPLE))
    (folder / "campaigns" / "people.csv").write_text("phone,timezone\n" + rows, encoding="utf-8")


@pytest.mark.parametrize("point", ["", "before_notify:2", "after_notify:2"])
def test_everything_that_happened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    monkeypatch.setenv("KEY", "good")
    monkeypatch.setenv("SECRET", SECRET)
    with sandbox_process(tmp_path, "--api-key", "good") as url, receiver() as got:
        _write(tmp_path, url, got)
        if point:
            first = start("run", "campaigns", "--yes", cwd=tmp_path, env={"OUTREACH_CRASH_AT": point})
            assert first.wait(timeout=60) == -signal.SIGKILL
            assert first.stdout is not None
            first.stdout.close()
        done = outreach("run", "campaigns", "--yes", cwd=tmp_path)
        wait_until(lambda: len(got.answered) == len(got.ids))

        assert done.returncode in {0, 5}, done.stderr
        types = Counter({body["data"].get("attempt", body["type"]): 1 for body in got.verified()})
    assert types.total() == _PEOPLE + 1, done.stderr
    assert types["campaign.finished"] == 1
    assert len(set(got.ids)) == _PEOPLE + 1
