"""Asks other programs for a secret: the system's keyring, or a command such as `sops -d`.

Both are slow beside a variable or a file, so what they said is kept in memory for some minutes.
"""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from runner.errors import CredentialMissing, OutreachError

COMMAND_SECONDS: Final = 15.0
"""how long a command may take to print a secret"""
KEPT_SECONDS: Final = 300.0
"""how long a secret is used before its source is asked again"""
FAILED_SECONDS: Final = 10.0
"""how long a source that gave none is left alone: whoever sends webhooks must not have it asked over and over"""
_MOST_BYTES: Final = 16 * 1024

_kept: dict[tuple[str, str], tuple[float, str | CredentialMissing]] = {}
_lock = threading.Lock()


def from_command(line: str, environ: Mapping[str, str], base: Path) -> str:
    """Give what a command prints, blanks at its ends dropped.

    It is run without a shell, from the project's folder, with nothing on its standard input; it must end
    with 0 within `COMMAND_SECONDS` and print at most 16 KiB. What it says on standard error is not shown,
    since it may hold the secret. Raises CredentialMissing.
    """
    return _fresh_enough(("cmd", f"{base}\0{line}"), lambda: _printed(line, environ, base))


def from_keyring(place: str) -> str:
    """Give the password that the system's keyring holds for `service/name`; raise CredentialMissing for none."""
    service, _, name = place.rpartition("/")
    return _fresh_enough(("keyring", place), lambda: _from_keyring(service, name))


def forget() -> None:
    """Ask every source again from now on."""
    with _lock:
        _kept.clear()


def shown_command(line: str) -> str:
    """Write a command for a message: its program alone, since an argument might be a secret."""
    program, _, rest = line.strip().partition(" ")
    return f"cmd:{program} ..." if rest else f"cmd:{program}"


def _fresh_enough(source: tuple[str, str], ask: Callable[[], str]) -> str:
    with _lock:
        at, found = _kept.get(source, (float("-inf"), ""))
        is_good = isinstance(found, str) and found != ""
        if time.monotonic() - at > (KEPT_SECONDS if is_good else FAILED_SECONDS):
            try:
                found = ask()
            except CredentialMissing as missing:
                found = missing
            _kept[source] = (time.monotonic(), found)
    if isinstance(found, CredentialMissing):
        raise CredentialMissing(found.message, help=found.help)
    return found


def _printed(line: str, environ: Mapping[str, str], base: Path) -> str:
    shown = shown_command(line)
    try:
        words = shlex.split(line)
        process = subprocess.Popen(  # noqa: S603 outreach.yaml names it, and nobody runs it for `plan` or `validate`
            words, cwd=base, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError, IndexError) as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be run"
        raise CredentialMissing(f"`{shown}` {reason}", help="run the command by hand in the project's folder") from None
    try:
        printed = _read_all(process, shown)
        code = process.wait(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise _too_slow(shown) from None
    finally:
        _end(process)
    if code != 0:
        help_line = "run it by hand in the project's folder: it has to print the key, and nothing else"
        raise CredentialMissing(f"`{shown}` ended with {code}", help=help_line)
    return printed.decode("utf-8", "replace").strip()


def _read_all(process: subprocess.Popen[bytes], shown: str) -> bytes:
    """Read what a process prints until it closes its output, within the bounds of time and size."""
    assert process.stdout is not None  # noqa: S101 it was opened as a pipe
    number, deadline, printed = process.stdout.fileno(), time.monotonic() + COMMAND_SECONDS, b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([number], [], [], left)[0]:
            raise _too_slow(shown)
        chunk = os.read(number, _MOST_BYTES)
        if not chunk:
            return printed
        printed += chunk
        if len(printed) > _MOST_BYTES:
            raise CredentialMissing(f"`{shown}` prints more than a key", help="have it print the key alone")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _too_slow(shown: str) -> CredentialMissing:
    return CredentialMissing(f"`{shown}` printed no key within {COMMAND_SECONDS:g} s", help="run it by hand")


def _from_keyring(service: str, name: str) -> str:
    try:
        import keyring  # noqa: PLC0415 an extra that few need
        import keyring.errors  # noqa: PLC0415 as above
    except ImportError:
        raise OutreachError(
            f"`keyring:{service}/{name}` needs the package keyring", help="pip install 'outreach-runner[keyring]'"
        ) from None
    try:
        value = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        kind = type(error).__name__
        raise CredentialMissing(
            f"the keyring cannot be read ({kind})", help=f"keyring get {shlex.quote(service)} {shlex.quote(name)}"
        ) from None
    if not value:
        advice = f"keyring set {shlex.quote(service)} {shlex.quote(name)}"
        raise CredentialMissing(f"`keyring:{service}/{name}` is not there", help=advice)
    return value
