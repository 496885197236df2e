"""`outreach doctor`: what is at fault is said, what cannot be checked is named, and nobody is dialled."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.schedule.clock import SystemClock
from tests.cli.running import Done, Shell
from tests.e2e.processes import dials, outreach, sandbox_process

_PROJECT = """\
accounts:
  voice: {{provider: movoice, base_url: "{url}/movoice/v1", allow_loopback: true, credential: env:VOICE_KEY}}
  texts: {{provider: revmo, base_url: "{url}/revmo", allow_loopback: true, credential: env:TEXT_KEY}}
  ring: {{provider: revring, base_url: "{url}/revring/v1", allow_loopback: true, credential: env:RING_KEY, webhook_secret: env:RING_SECRET}}
  other: {{provider: revox, base_url: "{url}/revox/api", allow_loopback: true, credential: env:OTHER_KEY}}
"""
_CAMPAIGN = """\
campaign: {name}
purpose: transactional
agents: {{a: {{{agent}}}}}
contacts: [{{phone: "+12025550143"}}]
"""
_AGENTS = {
    "movoice": "provider: movoice, id: agent_1",
    "revmo": "provider: revmo, id: QUdFTlQ=",
    "revring": 'provider: revring, id: agent_1, from: "+12025550111"',
    "revox": "provider: revox, id: asst_1",
}
Facts = list[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VOICE_KEY", "TEXT_KEY", "RING_KEY", "RING_SECRET", "OTHER_KEY"):
        monkeypatch.setenv(name, "good")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox"), "--api-key", "good") as url:
        yield url


def write(folder: Path, url: str) -> None:
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text(_PROJECT.format(url=url))
    for name, agent in _AGENTS.items():
        (folder / "campaigns" / f"{name}.yaml").write_text(_CAMPAIGN.format(name=name, agent=agent))


def checks(done: Done) -> Facts:
    """Give subject, health and sentence of every check."""
    return [(one["subject"], one["health"], one["says"]) for one in json.loads(done.out)["checks"]]


def of(subject: str, facts: Facts) -> list[tuple[str, str]]:
    return [(health, says) for name, health, says in facts if name == subject]


def examined(shell: Shell, folder: Path, *words: str) -> Facts:
    return checks(shell("doctor", *words, "--format", "json", cwd=folder))


@contextmanager
def page(status: int, body: bytes, date: str = "") -> Iterator[str]:
    """Serve one answer to everything, as a proxy's own page does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return date or super().date_time_string(timestamp)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)


def test_all_is_well_and_only_read(shell: Shell, tmp_path: Path, sandbox: str) -> None:
    """Every provider's cheapest read, its clock and its secret; the sandbox saw reads alone, and dialled nobody."""
    write(tmp_path, sandbox)
    httpx.post(f"{sandbox}/_sandbox/reset", trust_env=False, timeout=10).raise_for_status()
    done = shell("doctor", "--format", "json", cwd=tmp_path)
    facts = checks(done)
    asked = httpx.get(f"{sandbox}/_sandbox/requests", trust_env=False, timeout=10).json()

    assert done.code == 0
    for name in ("voice", "ring", "other"):
        said = of(f"account {name}", facts)
        assert ("ok", "the key is accepted") in said
        assert any(health == "ok" and "clocks agree within" in says for health, says in said)
    assert ("ok", "webhooks are proven by their secret") in of("account ring", facts)
    assert of("account texts", facts) == [
        ("warning", "no webhook_secret, and the provider cannot be asked: every outcome will be unknown"),
        ("ok", f"allow_loopback: requests may go to this machine, and base_url is {sandbox}/revmo"),
        ("unchecked", "revmo has nothing that can be read, so its key cannot be tried"),
    ]
    assert of("ledger", facts) == [("ok", "there is none yet; apply creates it")]
    assert [health for health, _ in of("sqlite", facts) + of("zones", facts)] == ["ok", "ok"]
    assert of("webhooks", facts) == [("unchecked", "no address was given, so nobody knows whether webhooks arrive")]
    assert {one["method"] for one in asked} == {"GET"}
    assert {one["path"].split("/")[1] for one in asked} == {"movoice", "revring", "revox"}
    assert dials(sandbox) == []
    assert not (tmp_path / ".outreach").exists()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (("OTHER_KEY", ""), ("account other", "`env:OTHER_KEY` is not set")),
        (("OTHER_KEY", "wrong"), ("account other", "the key is refused (401)")),
        (("VOICE_KEY", "wrong"), ("account voice", "the key is refused (401)")),
        (("RING_KEY", "wrong"), ("account ring", "the key is refused (401)")),
        (("RING_SECRET", ""), ("account ring", "the webhook secret: `env:RING_SECRET` is not set")),
    ],
)
def test_what_is_at_fault_is_said_and_the_rest_is_looked_at(
    shell: Shell,
    tmp_path: Path,
    sandbox: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    wrong: tuple[str, str],
    says: tuple[str, str],
) -> None:
    write(tmp_path, sandbox)
    monkeypatch.setenv(*wrong)
    done = shell("doctor", "--format", "json", cwd=tmp_path)
    facts = checks(done)

    assert done.code == 1
    assert [(name, sentence) for name, health, sentence in facts if health == "fault"] == [says]
    assert sum(sentence == "the key is accepted" for _, _, sentence in facts) >= 2
    assert "wrong" not in done.out


def test_people_read_signs(shell: Shell, tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, sandbox)
    monkeypatch.setenv("VOICE_KEY", "wrong")
    done = shell("doctor", "campaigns/movoice.yaml", cwd=tmp_path)

    assert "✗ account voice: the key is refused (401)" in done.out
    assert "account other" not in done.out


def test_an_account_without_permission_is_at_fault(shell: Shell, tmp_path: Path, sandbox: str) -> None:
    write(tmp_path, sandbox)
    fault = [{"kind": "status", "status": 403, "provider": "revring", "path": "/analytics/active$", "times": 1}]
    httpx.post(f"{sandbox}/_sandbox/faults", json=fault, trust_env=False, timeout=10).raise_for_status()

    assert ("fault", "the key is refused (403)") in of("account ring", examined(shell, tmp_path))


def test_a_provider_that_is_away_is_at_fault(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, "http://127.0.0.1:9")
    facts = examined(shell, tmp_path)

    for name in ("voice", "ring", "other"):
        assert [health for health, _ in of(f"account {name}", facts)][-1] == "fault"


# ---- the generation of Revox ----


@pytest.mark.parametrize("has_campaign", [True, False])
@pytest.mark.parametrize("answers", ["A", "D"])
@pytest.mark.parametrize("pinned", ["A", "D"])
def test_another_generation_than_the_pinned_one_is_a_fault(
    shell: Shell, tmp_path: Path, answers: str, pinned: str, *, has_campaign: bool
) -> None:
    """Told by reading alone, with a campaign to look at and without one, before anybody is dialled."""
    with sandbox_process(tmp_path, "--revox-generation", answers) as url:
        write(tmp_path, url)
        project = tmp_path / "outreach.yaml"
        project.write_text(project.read_text().replace("provider: revox,", f"provider: revox, generation: {pinned},"))
        before = _dials_of_a_campaign(url) if has_campaign else 0
        facts = examined(shell, tmp_path, "campaigns/revox.yaml")
        placed = len(dials(url))
    found = [(health, says) for health, says in of("account other", facts) if "generation" in says]

    assert [health for health, _ in found] == ["ok" if answers == pinned else "fault"], found
    assert f"{pinned} is pinned" in found[0][1]
    assert placed <= before


def _dials_of_a_campaign(url: str) -> int:
    """Make a campaign, which dials in generation A; give how many it may dial."""
    contact = {"to_phone_number": "+12025550143", "prompt_variables": {}}
    body = {"assistant_id": "asst_1", "name": "one", "contacts": [contact]}
    headers = {"Authorization": "Bearer good"}
    made = httpx.post(f"{url}/revox/api/campaigns", json=body, headers=headers, trust_env=False, timeout=10)
    assert made.is_success, made.text
    return 3


def test_what_shows_no_generation_is_named(shell: Shell, tmp_path: Path, sandbox: str) -> None:
    write(tmp_path, sandbox)
    faults = [{"kind": "status", "status": 500, "provider": "revox", "path": "/campaigns$", "times": 1}]
    httpx.post(f"{sandbox}/_sandbox/faults", json=faults, trust_env=False, timeout=10).raise_for_status()
    facts = examined(shell, tmp_path, "campaigns/revox.yaml")

    says = "generation A is pinned, and nothing shows whether it is the one that answers"
    assert ("unchecked", says) in of("account other", facts)


# ---- clocks ----


@pytest.mark.parametrize(
    ("off", "health"), [(0, "ok"), (110, "ok"), (130, "fault"), (-130, "fault"), (None, "unchecked")]
)
def test_a_clock_that_is_off_is_a_fault(shell: Shell, tmp_path: Path, off: int | None, health: str) -> None:
    """Windows are kept by our clock: two minutes away from the provider's, it cannot be trusted."""
    date = "soon" if off is None else formatdate(SystemClock().now().timestamp() + off, usegmt=True)
    with page(200, b'{"calls": []}', date) as url:
        write(tmp_path, url)
        facts = examined(shell, tmp_path, "campaigns/movoice.yaml")

    assert [one for one, says in of("account voice", facts) if "clock" in says] == [health]


# ---- the ledger ----


def test_a_ledger_that_others_can_read_is_a_fault_and_a_broken_one_too(
    shell: Shell, tmp_path: Path, sandbox: str
) -> None:
    write(tmp_path, sandbox)
    assert shell("apply", "campaigns/movoice.yaml", "--yes", cwd=tmp_path).code == 0
    ledger = tmp_path / ".outreach/ledger.db"
    assert [health for health, _ in of("ledger", examined(shell, tmp_path))] == ["ok"]

    ledger.chmod(ledger.stat().st_mode | stat.S_IROTH)
    assert [health for health, _ in of("ledger", examined(shell, tmp_path))] == ["fault"]
    ledger.chmod(0o600)

    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "DELETE FROM sqlite_schema WHERE rowid IN (SELECT max(rowid) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL)"
    )
    connection.close()
    ((health, says),) = of("ledger", examined(shell, tmp_path))
    assert health == "fault"
    assert re.match(r"not sound: Page \d+", says)

    pages = bytearray(ledger.read_bytes())
    pages[4096:] = b"\x5a" * (len(pages) - 4096)
    ledger.write_bytes(pages)
    assert [health for health, _ in of("ledger", examined(shell, tmp_path))] == ["fault"]


# ---- webhooks ----


@pytest.mark.parametrize(
    ("status", "body", "health"),
    [
        (200, b'{"ok": true}', "ok"),
        (200, b"<html>welcome</html>", "fault"),
        (200, b"[]", "fault"),
        (404, b"{}", "fault"),
    ],
)
def test_only_our_own_receiver_counts(
    shell: Shell, tmp_path: Path, sandbox: str, status: int, body: bytes, health: str
) -> None:
    """A page that says yes to everything is not a receiver."""
    write(tmp_path, sandbox)
    with page(status, body) as url:
        facts = examined(shell, tmp_path, "campaigns/revmo.yaml", "--receiver", url)

    assert [one for one, _ in of("webhooks", facts)] == [health]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "hooks.example.invalid", "http://[::"])
def test_an_address_where_nothing_answers_is_a_fault(shell: Shell, tmp_path: Path, sandbox: str, address: str) -> None:
    write(tmp_path, sandbox)
    facts = examined(shell, tmp_path, "campaigns/revmo.yaml", "--receiver", address)

    ((health, says),) = of("webhooks", facts)
    assert (health, says.startswith(f"nothing answers at {address}: ")) == ("fault", True)


def test_serve_starts_with_its_secrets_or_not_at_all(
    tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is missing is said at the start, not when the first webhook comes."""
    write(tmp_path, sandbox)
    monkeypatch.setenv("RING_SECRET", "")
    done = outreach("serve", "--port", "0", cwd=tmp_path, timeout=20)

    assert done.returncode == 1
    assert "error: the webhook secret of ring: `env:RING_SECRET` is not set" in done.stderr
    assert "export RING_SECRET=..." in done.stderr
    assert not (tmp_path / ".outreach/ledger.db").exists()
