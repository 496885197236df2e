"""RevRing's do-not-call list: campaigns always honour it, single calls when they ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revring_checks as checks
from runner.sandbox.revring_lists import page_of
from runner.sandbox.wire import Json, Refused, instant, is_phone, is_text
from runner.sandbox.world import World

_MOST_NUMBERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    phone: str
    reason: str | None
    at: datetime


class DoNotCall:
    """The list of one organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._listed: dict[str, _Listed] = {}
        self.forget()

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/do-not-call", self._list, methods=["GET"]),
            Route("/do-not-call", self._add, methods=["POST"]),
            Route("/do-not-call/{phone}", self._remove, methods=["DELETE"]),
        ]

    def __contains__(self, phone: str) -> bool:
        return phone in self._listed

    def forget(self) -> None:
        """Go back to the list of the start."""
        now = self._world.clock.now()
        numbers = self._world.settings.revring.do_not_call
        self._listed = {phone: _Listed(phone=phone, reason=None, at=now) for phone in numbers}

    async def _list(self, request: Request) -> Response:
        newest_first = list(reversed(self._listed.values()))
        return page_of(request.query_params, newest_first, _record, usual=100, largest=500)

    async def _add(self, request: Request) -> Response:
        fields: dict[str, checks.Check] = {
            "numbers": _are_numbers,
            "reason": lambda value: value is None or is_text(value, 0, 500),
        }
        body = await checks.checked(request, fields, required=("numbers",))
        new = [phone for phone in dict.fromkeys(body["numbers"]) if phone not in self._listed]
        now = self._world.clock.now()
        self._listed |= {phone: _Listed(phone=phone, reason=body.get("reason"), at=now) for phone in new}
        return Json({"data": {"added": len(new)}}, 201)

    async def _remove(self, request: Request) -> Response:
        if self._listed.pop(request.path_params["phone"], None) is None:
            raise Refused(404, {"error": "not_found"})
        return Json({"data": {"removed": 1}})


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= _MOST_NUMBERS and all(map(is_phone, value))


def _record(listed: _Listed) -> dict[str, Any]:
    return {"e164": listed.phone, "reason": listed.reason, "createdAt": instant(listed.at)}
