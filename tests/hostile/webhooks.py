"""The corpus of webhooks, sent over sockets to a real `outreach serve`: refused, or taken in without an effect."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.schedule.clock import SystemClock
from tests.hostile.cases import FOLDER, Verdict, unfolded

TOKEN, OTHER = "tok_5f2c9a7be1d04c83", "tok_other_88ab41c07d"
MIB = 256.0
_PATIENCE = 25.0
_PROJECT = """\
accounts:
  movoice: {provider: movoice, base_url: "http://127.0.0.1:9", allow_loopback: true, credential: env:HOSTILE_KEY, webhook_secret: env:HOSTILE_TOKEN}
  revring: {provider: revring, base_url: "http://127.0.0.1:9", allow_loopback: true, credential: env:HOSTILE_KEY, webhook_secret: env:HOSTILE_TOKEN}
  other: {provider: revring, base_url: "http://127.0.0.1:9", allow_loopback: true, credential: env:HOSTILE_KEY, webhook_secret: env:HOSTILE_OTHER}
  revox: {provider: revox, base_url: "http://127.0.0.1:9", allow_loopback: true, credential: env:HOSTILE_KEY}
"""
_BODY = '{"id": "call-1", "call_id": "call-1", "event_type": "call.completed", "status": "COMPLETED"}'


@dataclass(frozen=True, slots=True)
class Served:
    """A runner that serves."""

    port: int
    process: subprocess.Popen[bytes]
    ledger: Path

    def kept(self) -> int:
        """Count the webhooks in the ledger."""
        connection = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=10)
        try:
            return int(connection.execute("SELECT COUNT(*) FROM inbox").fetchone()[0])
        finally:
            connection.close()

    def largest_mib(self) -> float:
        """Give the most memory that the runner ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def verdicts() -> list[Verdict]:
    """Serve, send every webhook, and look whether the runner is alive and takes a right one."""
    asked = [json.loads(line) for line in (FOLDER / "webhooks.jsonl").read_text("utf-8").splitlines()]
    with served() as runner, ThreadPoolExecutor(4) as pool:
        slow = [(one, pool.submit(_sent, runner, one)) for one in asked if str(one.get("how", "")).startswith("slow")]
        found = [_verdict(runner, one) for one in asked if not str(one.get("how", "")).startswith("slow")]
        for one, sending in slow:
            status = sending.result()
            found.append(Verdict(what=one["what"], holds=status == one["status"], said=str(status)))
        mib = runner.largest_mib()
        alive = runner.process.poll() is None and _sent(runner, _RIGHT) == _RIGHT["status"]
        found.append(Verdict(what="a right one, afterwards", holds=alive and mib < MIB, said="alive", mib=mib))
    return found


_RIGHT: Mapping[str, Any] = {
    "what": "", "to": "revring", "sign": {}, "body": '{"id": "call-9", "status": "COMPLETED"}', "status": 202,
}  # fmt: skip


def _verdict(runner: Served, one: Mapping[str, Any]) -> Verdict:
    """Send one webhook; it must get its answer, and leave in the ledger what it may."""
    before = runner.kept()
    status = _sent(runner, one)
    answers = [status, _sent(runner, one)] if one.get("twice") else [status]
    wanted = [{one["status"], *one.get("or", ())}, {one.get("again")}][: len(answers)]
    kept = runner.kept() - before
    fits = all(answer in fine for answer, fine in zip(answers, wanted, strict=True))
    said = f"answered {answers}, {kept} kept"
    return Verdict(what=one["what"], holds=fits and kept == one.get("kept", 0), said=said)


@contextmanager
def served() -> Iterator[Served]:
    """Run `outreach serve` on a new project until the block ends."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        root = Path(folder)
        (root / "campaigns").mkdir()
        (root / "outreach.yaml").write_text(_PROJECT, "utf-8")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = {
            **os.environ, "PYTHONPATH": str(FOLDER.parents[1]), "HOSTILE_KEY": "any", "HOSTILE_TOKEN": TOKEN,
            "HOSTILE_OTHER": OTHER,
        }  # fmt: skip
        with (root / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "runner", "serve", "--port", str(port)], cwd=root, env=environment,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait_for(port, process, root / "said.txt")
            yield Served(port, process, root / ".outreach" / "ledger.db")
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, said.read_text("utf-8")
        assert time.monotonic() < deadline, "serve does not start"
        time.sleep(0.05)


def _sent(runner: Served, one: Mapping[str, Any]) -> int:
    """Send one webhook byte by byte as it is written; give the status, 0 when the connection just ends."""
    how = one.get("how", "")
    body = bytes.fromhex(one["hex"]) if "hex" in one else unfolded(one.get("body", _BODY)).encode()
    now = str(int(SystemClock().now().timestamp()))
    headers = [(name, unfolded(value).replace("NOW", now)) for name, value in one.get("headers", ())]
    headers += _signature(one.get("sign"), body, now)
    with socket.create_connection(("127.0.0.1", runner.port), timeout=_PATIENCE) as connection:
        with suppress(OSError):  # answered and closed while it was still sending
            _send(connection, _head(one["to"], how, headers, len(body)), body, how)
        return _status(connection)


def _signature(sign: Mapping[str, Any] | None, body: bytes, now: str) -> list[tuple[str, str]]:
    """Sign a body as RevRing does, with what is to be wrong about it."""
    if sign is None:
        return []
    stamp = unfolded(str(sign.get("write", ""))).replace("NOW", now) or str(int(now) - int(sign.get("age", 0)))
    secret = {"OTHER": OTHER}.get(str(sign.get("secret", "")), str(sign.get("secret", TOKEN)))
    content = str(sign["of"]).encode() if "of" in sign else body
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    shown = str(int(now) - int(sign["stamp"])) if "stamp" in sign else stamp
    return [("X-RevRing-Timestamp", shown), ("X-RevRing-Signature", f"{sign.get('prefix', 'v1=')}{mac}")]


def _head(to: str, how: str, headers: list[tuple[str, str]], length: int) -> bytes:
    path = to.replace("TOKEN:-1", TOKEN[:-1]).replace("TOKEN:+x", f"{TOKEN}x").replace("TOKEN", TOKEN)
    path = path.replace("OTHER", OTHER)
    lengths = {"announced": "100000000", "slow": "1000", "length -1": "-1"}
    size = (
        [("Transfer-Encoding", "chunked")] if how == "pieces" else [("Content-Length", lengths.get(how, str(length)))]
    )
    lines = [f"{'GET' if how == 'GET' else 'POST'} /webhooks/{path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in [*size, *headers]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(connection: socket.socket, head: bytes, body: bytes, how: str) -> None:
    if how == "slow head":
        _drip(connection, head[:-4] + b"\r\nX-More: " + b"x" * 1000)
        return
    connection.sendall(head)
    if how == "slow":
        _drip(connection, b"{" * 1000)
    elif how in {"announced", "pieces"}:
        piece = b"x" * 65_536
        part = piece if how == "announced" else b"10000\r\n" + piece + b"\r\n"
        for _ in range(100_000_000 // len(piece)):
            connection.sendall(part)
    else:
        connection.sendall(b"" if how == "GET" else body)


def _drip(connection: socket.socket, content: bytes) -> None:
    """Send a byte each half second, until somebody answers."""
    connection.settimeout(0.5)
    for at in range(len(content)):
        connection.send(content[at : at + 1])
        try:
            if connection.recv(1, socket.MSG_PEEK) is not None:
                break
        except TimeoutError:
            continue
    connection.settimeout(_PATIENCE)


def _status(connection: socket.socket) -> int:
    answer = b""
    with suppress(OSError):
        while b"\r\n" not in answer and (piece := connection.recv(4096)):
            answer += piece
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
