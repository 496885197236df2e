"""What the tests of declared providers share: a small declaration that tests change."""

from __future__ import annotations

from typing import Any

from runner.model.http_api import HttpApi
from runner.providers.declared import DeclaredProvider

MARK = "{{ reference }}"


def api(**changes: Any) -> HttpApi:
    """Give the declaration of an API that takes calls, changed."""
    plain: dict[str, Any] = {
        "base_url": "https://api.acme.test/v2",
        "call": {"path": "/calls", "body": {"to": "{{ phone }}", "ref": MARK}, "id": "data.id"},
    }
    return HttpApi.model_validate(plain | changes)


def provider(**changes: Any) -> DeclaredProvider:
    """Give its provider."""
    return DeclaredProvider("acme", api(**changes))


def calling(body: Any, path: str = "/calls", **changes: Any) -> DeclaredProvider:
    """Give its provider with another body for calls."""
    return provider(call={"path": path, "body": body, "id": "id"}, **changes)
