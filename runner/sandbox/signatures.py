"""How providers prove their webhooks: headers made of a secret, the raw body and the present instant."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

from runner.sandbox.wire import unix

Signer = Callable[[str, bytes, datetime], Mapping[str, str]]
"""the target's secret, empty when it has none, the raw body and the present instant give the headers"""


def sign_revring(secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
    """Sign as RevRing documents it: hex HMAC-SHA256 over timestamp, a dot, and the raw body."""
    timestamp = str(unix(now))
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + raw, sha256).hexdigest()
    return {"X-RevRing-Timestamp": timestamp, "X-RevRing-Signature": f"v1={mac}"}


def sign_movoice(secret: str, raw: bytes, now: datetime, *, prefix: str = "") -> Mapping[str, str]:  # noqa: ARG001  it has no timestamp
    """Sign in the way that is assumed for Movoice: hex HMAC-SHA256 over the raw body, behind a prefix."""
    return {"X-Movoice-Signature": prefix + hmac.new(secret.encode(), raw, sha256).hexdigest()}
