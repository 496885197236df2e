"""Follows a credential reference to its value; the value is never logged and never in an error."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from runner.errors import CredentialMissing
from runner.providers.secret_sources import from_command, from_keyring, shown_command
from runner.rules.scrub import SECRETS

MAX_BYTES = 16 * 1024
"""no key is longer; a larger file is not a key"""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def resolve(reference: str, environ: Mapping[str, str], base: Path) -> str:
    """Give the key that a reference leads to.

    ``env:NAME`` is a variable of the environment. ``file:path`` is a file that only its owner may
    read; a relative path starts at ``base``, ``~`` is the home folder, line ends after the key are
    dropped. ``keyring:service/name`` is a password of the system's keyring, ``cmd:...`` what a command
    prints. Whatever prints or logs takes the key out from then on. Raises CredentialMissing with the
    reference and a line to paste.
    """
    value, advice = _found(reference, environ, base)
    return _usable(shown_reference(reference), value, advice)


def resolve_secrets(reference: str, environ: Mapping[str, str], base: Path) -> str:
    """Give the secrets that a reference leads to: one, or several while they are changed, each good by itself.

    They stand with blanks or line ends between them, and are given with one blank. Raises
    CredentialMissing as `resolve` does.
    """
    value, advice = _found(reference, environ, base)
    return " ".join(_usable(shown_reference(reference), one, advice) for one in value.split() or [""])


def shown_reference(reference: str) -> str:
    """Write a reference for a message; of a command only its program."""
    return shown_command(reference.removeprefix("cmd:")) if reference.startswith("cmd:") else reference


def _found(reference: str, environ: Mapping[str, str], base: Path) -> tuple[str, str]:
    """Give what stands where a reference leads to, and the line that mends it if that is no key."""
    kind, _, rest = reference.partition(":")
    if kind == "env" and rest:
        return _from_environment(rest, environ), f"export {rest}=..."
    if kind == "file" and rest:
        path = _path(rest, environ, base)
        return _from_file(reference, path), f"put the key, and nothing else, into {rest}"
    if kind == "keyring" and "/" in rest.strip("/"):
        return from_keyring(rest).strip(), "keep the key, and nothing else, in the keyring"
    if kind == "cmd" and rest.strip():
        return from_command(rest, environ, base), "have the command print the key, and nothing else"
    raise CredentialMissing("a credential is not a reference", help="write: credential: env:REVOX_API_KEY")


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise CredentialMissing(f"`env:{name}` is not set", help=f"export {name}=...")
    return value


def _from_file(reference: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CredentialMissing(
                    f"`{reference}` is not a file", help="write: credential: file:~/.config/outreach/revox.key"
                )
            if status.st_mode & _OTHERS:
                raise CredentialMissing(f"`{reference}` can be read by others", help=f"chmod 600 {path}")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise CredentialMissing(f"`{reference}` {reason}", help=f"(umask 077; cat > {path})") from None
    return content.decode("utf-8", "replace").strip() if len(content) <= MAX_BYTES else ""


def _path(text: str, environ: Mapping[str, str], base: Path) -> Path:
    if text == "~" or text.startswith("~/"):
        home = environ.get("HOME", "")
        return (Path(home) if home else Path.home()) / text[2:]
    return base / text


def _usable(reference: str, value: str, help: str) -> str:
    """Refuse what cannot stand in a header, before a library quotes it in an error."""
    if value and value.isascii() and value.isprintable() and " " not in value:
        SECRETS.add(value)
        return value
    raise CredentialMissing(f"`{reference}` holds no key: a key is one line of letters, digits and signs", help=help)
