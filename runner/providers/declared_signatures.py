"""Proves webhooks as a rule says: an HMAC in the provider's own header, or Standard Webhooks.

Standard Webhooks (its specification, version 1.0): ``webhook-signature`` holds ``v1,`` and the
base64 of HMAC-SHA256 over ``{webhook-id}.{webhook-timestamp}.{body}``, several with blanks
between; the secret is base64 after ``whsec_``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from runner.model.http_api import Signature

TOLERANCE_SECONDS = 300
"""how far a webhook's time may be off"""

_TIMESTAMP = re.compile(r"\d{1,12}", re.ASCII)


def is_signed(rule: Signature, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    """Whether a webhook is signed as the rule says, by one of the secrets (blanks between); header names in lower case."""
    if rule.scheme == "standard":
        return _is_standard(headers, body, secret, now)
    if rule.scheme == "none" or not rule.header:
        return False
    message = body
    if rule.over == "timestamp.body":
        at = headers.get((rule.timestamp or "").lower(), "")
        if not _is_fresh(at, now):
            return False
        message = at.encode() + b"." + body
    told = headers.get(rule.header.lower(), "").strip()
    if not told.startswith(rule.prefix):
        return False
    signature = decoded(told.removeprefix(rule.prefix), rule.encoding)
    keys = [one.encode() for one in secret.split()]
    return any_match([signature], keys, message, algorithm=rule.scheme.removeprefix("hmac-"))


def decoded(text: str, encoding: Literal["hex", "base64"]) -> bytes:
    """Give the bytes of a signature; none for text that is not one."""
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def any_match(signatures: Iterable[bytes], keys: Iterable[bytes], message: bytes, algorithm: str = "sha256") -> bool:
    """Whether one of the signatures is the HMAC of the message by one of the keys; every pair takes the same time."""
    digests = [hmac.digest(key, message, algorithm) for key in keys]
    return any([hmac.compare_digest(digest, one) for digest in digests for one in signatures])  # noqa: C419 every pair costs the same time


def _is_standard(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not _is_fresh(at, now):
        return False
    told = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    keys = [decoded(one.removeprefix("whsec_"), "base64") or one.encode() for one in secret.split()]
    message = f"{message_id}.{at}.".encode() + body
    return any_match([decoded(one, "base64") for one in told], keys, message)


def _is_fresh(at: str, now: datetime) -> bool:
    return _TIMESTAMP.fullmatch(at) is not None and abs(now.timestamp() - int(at)) <= TOLERANCE_SECONDS
