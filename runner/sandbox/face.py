"""What the server asks of a provider's face, and what the faces share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.routing import Route

OTHER_GENERATION = "outreach.sandbox.other_generation"
"""key of a request's scope that is to be served as the provider's other generation would"""


class Face(Protocol):
    """One provider as its clients see it."""

    name: str
    bases: tuple[str, ...]
    """the paths under which its routes stand, the longest first"""

    def routes(self) -> list[Route]:
        """Give its endpoints, without a base."""
        ...

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the key that a request carries; empty when it has none in the right form."""
        ...

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give the body of a 401, 404 or 405 in the provider's own form."""
        ...


def is_other_generation(request: Request) -> bool:
    """Whether a fault wants this request to be served as the provider's other generation would."""
    return request.scope.get(OTHER_GENERATION, False) is True


def bearer(headers: Mapping[str, str]) -> str:
    """Give the key of an ``Authorization: Bearer`` header; empty when there is none in that form."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return one_word(key) if scheme.lower() == "bearer" else ""


def one_word(key: str) -> str:
    """Give a key without the blanks around it; empty when it is not one printable word."""
    key = key.strip()
    return key if key.isascii() and key.isprintable() and " " not in key else ""


def reference_of(request: Request, body: Mapping[str, Any]) -> str:
    """Give the caller's own key: the metadata's ``attempt_id``, else the ``Idempotency-Key`` header, else nothing."""
    metadata = body.get("metadata")
    planted = metadata.get("attempt_id") if isinstance(metadata, dict) else None
    return planted if isinstance(planted, str) and planted else request.headers.get("idempotency-key", "")
