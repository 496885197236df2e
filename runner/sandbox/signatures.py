"""How providers prove their webhooks: headers made of a secret, the raw body and the present instant."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Literal

from runner.sandbox.wire import unix

Signer = Callable[[str, bytes, datetime], Mapping[str, str]]
"""the target's secret, empty when it has none, the raw body and the present instant give the headers"""


def sign_revring(secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
    """Sign as RevRing documents it: hex HMAC-SHA256 over timestamp, a dot, and the raw body."""
    timestamp = str(unix(now))
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + raw, sha256).hexdigest()
    return {"X-RevRing-Timestamp": timestamp, "X-RevRing-Signature": f"v1={mac}"}


def sign_movoice(
    secret: str,
    raw: bytes,
    now: datetime,
    *,
    prefix: str = "",
    encoding: Literal["hex", "base64"] = "hex",
    over: Literal["body", "timestamp.body"] = "body",
) -> Mapping[str, str]:
    """Sign in a way that may be Movoice's: an HMAC-SHA256 behind a prefix; unless told, hex over the raw body."""
    timestamp = str(unix(now))
    signed = raw if over == "body" else timestamp.encode() + b"." + raw
    mac = hmac.new(secret.encode(), signed, sha256).digest()
    written = mac.hex() if encoding == "hex" else base64.b64encode(mac).decode()
    headers = {"X-Movoice-Signature": prefix + written}
    return headers if over == "body" else {**headers, "X-Movoice-Timestamp": timestamp}
