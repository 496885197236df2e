"""Keys from commands and keyrings: bounded, without a shell, kept for a while, and never told."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.errors import CredentialMissing, FilesWrong, OutreachError
from runner.model.fields import is_slow
from runner.providers import secret_sources
from runner.providers.credentials import resolve, resolve_secrets, shown_reference
from runner.rules.scrub import SECRETS
from runner.wiring.workspace import open_workspace

KEY = "sk_canary_source_0123456789"


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    secret_sources.forget()
    yield
    secret_sources.forget()


def script(folder: Path, text: str) -> str:
    path = folder / "tell"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return "cmd:./tell"


def test_what_a_command_prints(tmp_path: Path) -> None:
    reference = script(tmp_path, f"echo noise >&2\necho {KEY}")

    assert resolve(reference, {}, tmp_path) == KEY
    assert resolve(f"{reference} --extract '[\"revox\"]' x.yaml", {}, tmp_path) == KEY
    assert SECRETS.scrub(f"it is {KEY}") == "it is ***"
    assert is_slow(reference)


def test_a_source_that_gave_none_is_left_alone_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = script(tmp_path, "echo x >> asked; exit 3")
    for _ in range(3):
        with pytest.raises(CredentialMissing, match="ended with 3") as missing:
            resolve(reference, {}, tmp_path)
        assert missing.value.help
    assert (tmp_path / "asked").read_text() == "x\n", "a stranger's webhooks do not have it run over and over"
    script(tmp_path, f"echo {KEY}")
    monkeypatch.setattr(secret_sources, "FAILED_SECONDS", 0.0)
    assert resolve(reference, {}, tmp_path) == KEY


def test_several_secrets_of_one_command(tmp_path: Path) -> None:
    assert (
        resolve_secrets(script(tmp_path, "echo whsec_old_1\necho whsec_new_2"), {}, tmp_path)
        == "whsec_old_1 whsec_new_2"
    )


def test_there_is_no_shell(tmp_path: Path) -> None:
    (tmp_path / "show").write_text('#!/bin/sh\nprintf "%s," "$@"\n')
    (tmp_path / "show").chmod(0o755)

    assert resolve("cmd:./show $HOME;touch made `id` '*'", {"HOME": "/x"}, tmp_path) == "$HOME;touch,made,`id`,*,"
    assert not (tmp_path / "made").exists()


def test_it_gets_the_environment_and_nothing_on_its_input(tmp_path: Path) -> None:
    assert resolve(script(tmp_path, 'cat\necho "$AGE_KEY"'), {"AGE_KEY": KEY, "PATH": "/usr/bin:/bin"}, tmp_path) == KEY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"echo {KEY}\nexit 3", "ended with 3"),
        ("exit 0", "holds no key"),
        ("echo two words", "holds no key"),
        ("yes | head -c 100000", "prints more than a key"),
    ],
)
def test_commands_that_give_no_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CredentialMissing, match=message) as missing:
        resolve(script(tmp_path, text) + " --token abcdefgh12345678", {"PATH": "/usr/bin:/bin"}, tmp_path)

    assert KEY not in missing.value.message + missing.value.help
    assert "abcdefgh12345678" not in missing.value.message + missing.value.help


@pytest.mark.parametrize("line", ["./nobody", "'", "/"])
def test_commands_that_cannot_be_run(tmp_path: Path, line: str) -> None:
    with pytest.raises(CredentialMissing):
        resolve(f"cmd:{line}", {}, tmp_path)


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_sources, "COMMAND_SECONDS", 0.5)
    reference = script(tmp_path, "(sleep 2; touch late) & sleep 60")
    began = time.monotonic()
    with pytest.raises(CredentialMissing, match="no key within"):
        resolve(reference, {"PATH": "/usr/bin:/bin"}, tmp_path)

    assert time.monotonic() - began < 2
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_it_is_asked_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = script(tmp_path, "echo x >> asked\necho sk_live_$(wc -l < asked)_key")
    environ = {"PATH": "/usr/bin:/bin"}
    first = [resolve(reference, environ, tmp_path) for _ in range(3)]
    monkeypatch.setattr(secret_sources, "KEPT_SECONDS", 0.0)

    assert first == ["sk_live_1_key"] * 3
    assert resolve(reference, environ, tmp_path) == "sk_live_2_key"


def test_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    held = {("outreach", "revox"): KEY}
    monkeypatch.setattr(keyring, "get_password", lambda service, name: held.get((service, name)))

    assert resolve("keyring:outreach/revox", {}, tmp_path) == KEY
    with pytest.raises(CredentialMissing, match="is not there") as missing:
        resolve("keyring:outreach/other", {}, tmp_path)
    assert missing.value.help == "keyring set outreach other"


def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(OutreachError) as missing:
        resolve("keyring:outreach/revox", {}, tmp_path)

    assert missing.value.help == "pip install 'outreach-runner[keyring]'"


def test_a_command_is_shown_by_its_program_alone() -> None:
    assert shown_reference("cmd:vault read -field=key secret/x") == "cmd:vault ..."
    assert shown_reference("env:X") == "env:X"


_PROJECT = "accounts:\n  one: {provider: movoice, credential: '%s'}\n"
_CAMPAIGN = """\
campaign: one
purpose: informational
agent: movoice/agent_1
timezone: America/New_York
contacts: [{phone: "+12025550143"}]
"""


def test_validate_and_plan_run_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull request may name a command, and CI plans it."""
    script(tmp_path, "touch made\necho sk_live_1234567890")
    (tmp_path / "outreach.yaml").write_text(_PROJECT % "cmd:./tell")
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "one.yaml").write_text(_CAMPAIGN)
    monkeypatch.chdir(tmp_path)

    assert [run([command]) for command in ("validate", "plan", "show", "apply")] == [0, 0, 0, 0]
    assert not (tmp_path / "made").exists()
    assert open_workspace(tmp_path).credential("cmd:./tell") == "sk_live_1234567890"
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "reference", ["cmd:echo sk_live_1", "cmd: printf sk_live_1", "cmd:", "keyring:x", "keyring:/x"]
)
def test_references_that_are_none(tmp_path: Path, reference: str) -> None:
    (tmp_path / "outreach.yaml").write_text(_PROJECT % reference)
    with pytest.raises(FilesWrong) as wrong:
        open_workspace(tmp_path)

    assert wrong.value.diagnostics[0].code == "S01"
    assert "sk_live" not in wrong.value.diagnostics[0].source + wrong.value.diagnostics[0].message
