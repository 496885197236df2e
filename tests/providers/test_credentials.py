"""Credential references: what they lead to, and that no error ever tells the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import CredentialMissing
from runner.providers.credentials import resolve, resolve_secrets

SECRET = "sk_canary_0123456789"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "revox.key"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def test_the_environment(tmp_path: Path) -> None:
    assert resolve("env:REVOX_API_KEY", {"REVOX_API_KEY": SECRET}, tmp_path) == SECRET
    assert resolve("env:REVOX_API_KEY", {"REVOX_API_KEY": f" {SECRET}\n"}, tmp_path) == SECRET


def test_files(key_file: Path, tmp_path: Path) -> None:
    assert resolve(f"file:{key_file}", {}, tmp_path / "elsewhere") == SECRET
    assert resolve("file:revox.key", {}, tmp_path) == SECRET
    assert resolve("file:~/revox.key", {"HOME": str(tmp_path)}, tmp_path / "elsewhere") == SECRET
    key_file.write_bytes(f"{SECRET}\r\n\n".encode())
    assert resolve("file:revox.key", {}, tmp_path) == SECRET


@pytest.mark.parametrize("between", [" ", "\n", "\r\n", "  \n "])
def test_secrets_that_are_changed_stand_together(tmp_path: Path, between: Any) -> None:
    """A key with a blank in it is no key; of secrets, each word is one."""
    environ = {"RING": f"whsec_old{between}whsec_new\n"}

    assert resolve_secrets("env:RING", environ, tmp_path) == "whsec_old whsec_new"
    assert resolve_secrets("env:RING", {"RING": "whsec_one"}, tmp_path) == "whsec_one"
    with pytest.raises(CredentialMissing):
        resolve("env:RING", environ, tmp_path)


@pytest.mark.parametrize("value", ["", " \n", "old ne\x07w", "old n\u00e9w"])
def test_secrets_that_are_none(tmp_path: Path, value: Any) -> None:
    with pytest.raises(CredentialMissing, match="env:RING"):
        resolve_secrets("env:RING", {"RING": value}, tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_file_that_others_may_use(key_file: Path, tmp_path: Path, mode: Any) -> None:
    key_file.chmod(mode)
    with pytest.raises(CredentialMissing) as missing:
        resolve("file:revox.key", {}, tmp_path)

    assert "read by others" in missing.value.message
    assert missing.value.help == f"chmod 600 {key_file}"
    assert SECRET not in missing.value.message + missing.value.help


@pytest.mark.parametrize(
    ("reference", "environ", "help"),
    [
        ("env:REVOX_API_KEY", {}, "export REVOX_API_KEY=..."),
        ("env:REVOX_API_KEY", {"REVOX_API_KEY": ""}, "export REVOX_API_KEY=..."),
        ("env:REVOX_API_KEY", {"REVOX_API_KEY": " \n"}, "export REVOX_API_KEY=..."),
        ("env:", {}, "env:REVOX_API_KEY"),
        ("file:", {}, "env:REVOX_API_KEY"),
        ("file:missing.key", {}, "cat >"),
        ("file:.", {}, "cat >"),
        ("keyring:revox", {}, "env:REVOX_API_KEY"),
    ],
)
def test_references_that_lead_nowhere(tmp_path: Path, reference: Any, environ: Any, help: Any) -> None:
    with pytest.raises(CredentialMissing) as missing:
        resolve(reference, environ, tmp_path)

    assert help in missing.value.help


@pytest.mark.parametrize(
    "value", [f"{SECRET} {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}\u00e9", f"{SECRET}\x00", f"{SECRET}\r\nX-A: b"]
)
def test_what_cannot_stand_in_a_header_is_no_key(tmp_path: Path, value: Any) -> None:
    with pytest.raises(CredentialMissing) as missing:
        resolve("env:KEY", {"KEY": value}, tmp_path)

    assert SECRET not in missing.value.message + missing.value.help
    assert missing.value.__cause__ is None


def test_a_key_in_place_of_a_reference_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(CredentialMissing) as missing:
        resolve(SECRET, {}, tmp_path)

    assert SECRET not in missing.value.message + missing.value.help


def test_a_file_that_is_too_large_for_a_key(key_file: Path, tmp_path: Path) -> None:
    key_file.write_text("x" * 20_000)
    with pytest.raises(CredentialMissing):
        resolve("file:revox.key", {}, tmp_path)


@given(value=st.text(max_size=40))
def test_a_key_is_always_one_printable_word(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    try:
        key = resolve("env:KEY", {"KEY": value}, tmp_path_factory.getbasetemp())
    except CredentialMissing:
        return
    assert key == value.strip()
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key
