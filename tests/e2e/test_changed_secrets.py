"""A webhook secret is changed: for a while two are good, through the project's own references, over real sockets."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import httpx

from runner.schedule.clock import SystemClock
from runner.wiring.running import engine, real_surroundings
from runner.wiring.workspace import open_workspace

_PROJECT = """\
accounts:
  ring: {provider: revring, webhook_secret: env:RING_SECRET}
  voice: {provider: movoice, webhook_secret: env:VOICE_TOKEN}
"""
_REFUSED = 401
_BODY = b'{"event_type": "call.completed", "call_id": "call_1", "outcome": "BOOKED"}'
_RING = b'{"id": "call_1", "direction": "OUTBOUND", "status": "COMPLETED", "toNumber": "+12025550143"}'


def signed(secret: str) -> dict[str, str]:
    """Sign as RevRing documents it."""
    at = str(int(SystemClock().now().timestamp()))
    mark = hmac.new(secret.encode(), f"{at}.".encode() + _RING, hashlib.sha256).hexdigest()
    return {"X-RevRing-Timestamp": at, "X-RevRing-Signature": f"v1={mark}"}


async def test_both_are_good_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "outreach.yaml").write_text(_PROJECT)
    environ = {"RING_SECRET": "whsec_old whsec_new", "VOICE_TOKEN": "old\nnew\n"}
    workspace = open_workspace(tmp_path, environ)
    async with (
        real_surroundings(workspace.accounts, workspace.credential, workspace.webhook_secret) as surroundings,
        engine(workspace.ledger_path, surroundings, listen=("127.0.0.1", 0)) as running,
        httpx.AsyncClient(base_url=running.receiver_url, trust_env=False, timeout=10) as client,
    ):
        tokens = {
            token: (await client.post(f"/webhooks/voice/{token}", content=_BODY)).status_code
            for token in ("old", "new", "older", "old%20new")
        }
        signatures = {
            secret: (await client.post("/webhooks/ring", content=_RING, headers=signed(secret))).status_code
            for secret in ("whsec_old", "whsec_new", "whsec_older", "whsec_old whsec_new")
        }

    assert {token for token, status in tokens.items() if status == _REFUSED} == {"older", "old%20new"}
    assert {one for one, status in signatures.items() if status == _REFUSED} == {"whsec_older", "whsec_old whsec_new"}
    assert {status // 100 for status in (*tokens.values(), *signatures.values()) if status != _REFUSED} == {2}
