"""Notifications on the command line: said in plans, withheld in the sandbox, looked at by doctor and status."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.cli.running import Shell
from tests.engine.receiving import SECRET, receiver

_CAMPAIGN = """\
campaign: visits
purpose: informational
agent: movoice/agent_12345
contacts: [{phone: "+12025550143", timezone: America/New_York}]
on:
  outcome: crm
  finished, paused: crm, team
"""
_PROJECT = """\
notify:
  crm: {webhook: "%s", secret: env:CRM_HOOK_SECRET, allow_loopback: true}
  team: {apprise: env:TEAM_CHAT_URL}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRM_HOOK_SECRET", SECRET)
    monkeypatch.setenv("TEAM_CHAT_URL", "json://127.0.0.1:9")
    return write(tmp_path, "https://hooks.example.com/outreach")


def write(folder: Path, url: str) -> Path:
    (folder / "campaigns").mkdir(exist_ok=True)
    (folder / "campaigns" / "visits.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    (folder / "outreach.yaml").write_text(_PROJECT % url, encoding="utf-8")
    return folder


def checks(shell: Shell, folder: Path, *words: str) -> dict[str, tuple[str, str]]:
    done = shell("doctor", *words, "--format", "json", cwd=folder)
    return {one["subject"]: (one["health"], one["says"]) for one in json.loads(done.out)["checks"]}


def test_a_plan_says_who_is_told_and_where_that_is(shell: Shell, project: Path) -> None:
    said = shell("plan", cwd=project).out

    assert "notifies crm (at hooks.example.com) on outcome, finished, paused" in said
    assert "notifies team (by env:TEAM_CHAT_URL) on finished, paused" in said


def test_a_rehearsal_withholds_and_counts(shell: Shell, project: Path) -> None:
    with receiver() as got:
        write(project, got.url)
        done = shell("run", "campaigns", "--sandbox", "--now", cwd=project)
        standing = json.loads(shell("status", "--format", "json", cwd=project).out)["notifications"]

        assert got.ids == []
    assert "3 notifications withheld, since this was the sandbox: crm 2, team 1" in done.err
    assert [(one["target"], one["withheld"], one["sent"]) for one in standing] == [("crm", 2, 0), ("team", 1, 0)]


def test_doctor_follows_references_and_sends_nothing(
    shell: Shell, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as got:
        write(project, got.url)
        assert checks(shell, project)["notify crm"][0] == checks(shell, project)["notify team"][0] == "ok"
        monkeypatch.setenv("CRM_HOOK_SECRET", "whsec_c2hvcnQ=")
        monkeypatch.delenv("TEAM_CHAT_URL")
        found = checks(shell, project)

        assert got.ids == []
    assert found["notify crm"] == ("fault", "the secret holds 5 bytes, and 24 to 64 are asked for")
    assert found["notify team"] == ("fault", "`env:TEAM_CHAT_URL` is not set")


def test_a_test_is_sent_on_demand(shell: Shell, project: Path) -> None:
    with receiver() as got:
        write(project, got.url)
        found = checks(shell, project, "--notify", "crm")
        (body,) = got.verified()
    misspelt = shell("doctor", "--notify", "cmr", cwd=project)

    assert found["notify crm"][1] == f"a test was taken, {got.ids[0]}"
    assert body["type"] == "test"
    assert (misspelt.code, "did you mean `crm`?" in misspelt.err) == (1, True)


def test_a_receiver_that_says_no_is_a_fault(shell: Shell, project: Path) -> None:
    with receiver(lambda _: 404) as got:
        write(project, got.url)
        found = checks(shell, project, "--notify", "crm")

    assert found["notify crm"] == ("fault", "a test: it answered 404")


class _Chat(BaseHTTPRequestHandler):
    """A chat service as apprise's `json://` speaks to it."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.filterwarnings("default")  # of the plug-ins that apprise imports
def test_chat_goes_through_apprise(shell: Shell, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[dict[str, Any]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Chat", (_Chat,), {"got": got}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        monkeypatch.setenv("TEAM_CHAT_URL", f"json://127.0.0.1:{server.server_port}")
        found = checks(shell, project, "--notify", "team")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

    assert found["notify team"][0] == "ok", found
    assert got[0]["message"] == "this is a test of outreach, and nothing happened"


@pytest.mark.parametrize(
    ("line", "code", "message", "advice"),
    [
        ("answerd: crm", "C42", "`answerd` is nothing that happens", "did you mean `answered`?"),
        ("BOOKED: crm", "C42", "`BOOKED` is nothing that happens", "write: tag BOOKED"),
        ("finished: teem", "C43", "outreach.yaml has no target `teem`", "did you mean `team`?"),
        (
            "finished: https://evil.example/x",
            "C43",
            "`https://evil.example/x` is an address: where notifications go stands in outreach.yaml",
            "in outreach.yaml: notify: {team: {apprise: env:TEAM_CHAT_URL}}; here: finished: team",
        ),
        ("held:", "C42", "nobody is named who is told", "write: finished: team"),
    ],
)
def test_hooks_are_checked(shell: Shell, project: Path, line: str, code: str, message: str, advice: str) -> None:
    text = _CAMPAIGN[: _CAMPAIGN.index("on:")] + f"on:\n  {line}\n"
    (project / "campaigns" / "visits.yaml").write_text(text, encoding="utf-8")
    done = shell("validate", "--format", "json", cwd=project)
    (found,) = json.loads(done.out)

    assert (found["code"], found["message"], found["help"]) == (code, message, advice)
    assert found["range"]["start"]["line"] == 6


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("{webhook: http://10.0.0.1/x, secret: env:S}", "S02"),
        ("{webhook: http://hooks.example.com/x, secret: env:S}", "S02"),
        ("{webhook: http://127.0.0.1/x, secret: env:S}", "S02"),
        ("{webhook: 'https://user:word@hooks.example.com/', secret: env:S}", "S01"),
        ("{webhook: hooks.example.com, secret: env:S}", "C10"),
        ("{webhook: https://hooks.example.com/x}", "C10"),
        ("{apprise: slack://token-a/token-b}", "S01"),
        ("{apprise: env:A, secret: env:S}", "C10"),
        ("{webhook: env:A, apprise: env:B, secret: env:S}", "C10"),
        ("{}", "C10"),
    ],
)
def test_targets_are_checked(shell: Shell, project: Path, target: str, code: str) -> None:
    (project / "outreach.yaml").write_text(f"notify:\n  crm: {{apprise: env:A}}\n  team: {target}\n", encoding="utf-8")
    done = shell("validate", "--format", "json", cwd=project)
    (found,) = json.loads(done.out)

    assert (found["code"], found["range"]["start"]["line"]) == (code, 3)
    assert "token-a" not in done.out + done.err
    assert "word" not in str(found.get("source", ""))
