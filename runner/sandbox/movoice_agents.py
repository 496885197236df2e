"""Movoice's agents: made, shown, changed and removed, in the camel case of the vendor's own tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import movoice_checks as checks
from runner.sandbox.wire import Json, Refused, is_text, read_object, unix
from runner.sandbox.world import World

DEFAULTS: Mapping[str, Any] = {
    "prompt": "",
    "welcomeMessage": "",
    "llmProvider": "openai",
    "llmModel": "gpt-4o-mini",
    "ttsProvider": "elevenlabs",
    "ttsVoice": "rachel",
    "asrProvider": "deepgram",
    "language": "en-US",
    "webhookUrl": None,
    "isActive": True,
}
"""what an agent has that names none; the values are assumed"""

_KEPT = ("id", "createdAt", "updatedAt")
"""what no request changes"""


class MovoiceAgents:
    """The agents of one account; whatever a request names is kept and shown again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._agents: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/agents", self._create, methods=["POST"]),
            Route("/agents", self._list, methods=["GET"]),
            Route("/agents/{id}", self._get, methods=["GET"]),
            Route("/agents/{id}", self._change, methods=["PATCH"]),
            Route("/agents/{id}", self._remove, methods=["DELETE"]),
        ]

    def forget(self) -> None:
        """Forget every agent."""
        self._agents.clear()

    async def _create(self, request: Request) -> Response:
        body = await _read(request)
        if not is_text(body.get("name"), 1):
            raise checks.refused("invalid name")
        now = unix(self._world.clock.now())
        agent = {"id": f"agent_{self._world.new_id('agent')[:12]}", **DEFAULTS, **body}
        self._agents[agent["id"]] = agent | {"createdAt": now, "updatedAt": now}
        return self._answer(self._agents[agent["id"]], 201)

    async def _list(self, request: Request) -> Response:
        agents = list(reversed(self._agents.values()))
        start, size, paging = checks.read_paging(request.query_params)
        name = "data" if self._world.settings.movoice.data_envelope else "agents"
        return Json({name: agents[start : start + size], "total": len(agents), **paging})

    async def _get(self, request: Request) -> Response:
        return self._answer(self._known(request))

    async def _change(self, request: Request) -> Response:
        agent = self._known(request)
        body = await _read(request)
        if not is_text(body.get("name", agent["name"]), 1):
            raise checks.refused("invalid name")
        agent |= body | {"updatedAt": unix(self._world.clock.now())}
        return self._answer(agent)

    async def _remove(self, request: Request) -> Response:
        del self._agents[self._known(request)["id"]]
        return Json({"success": True})

    def _answer(self, agent: Mapping[str, Any], status: int = 200) -> Response:
        return Json({"data": agent} if self._world.settings.movoice.data_envelope else agent, status)

    def _known(self, request: Request) -> dict[str, Any]:
        agent = self._agents.get(request.path_params["id"])
        if agent is None:
            raise Refused(404, {"error": "agent not found"})
        return agent


async def _read(request: Request) -> dict[str, Any]:
    body = await read_object(request)
    if body is None:
        raise checks.refused("invalid JSON body")
    if not isinstance(body.get("isActive", True), bool):
        raise checks.refused("invalid isActive")
    for name in ("prompt", "welcomeMessage", "llmProvider", "language"):
        if not is_text(body.get(name, "")):
            raise checks.refused(f"invalid {name}")
    return {name: value for name, value in body.items() if name not in _KEPT}
