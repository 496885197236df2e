"""Revox's assistants: made, listed, shown, changed, copied and removed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_checks as checks
from runner.sandbox import revox_records as records
from runner.sandbox.revox_assistant_fields import FIELDS, checked_fields, known_fields
from runner.sandbox.wire import Json, Refused, instant
from runner.sandbox.world import World

_INLINE = "assistant_inline"


class RevoxAssistants:
    """The assistants of one organization; fields that the generation does not know are left out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._generation = world.settings.revox.generation
        self._assistants: dict[str, dict[str, Any]] = {}

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/assistants", self._create, methods=["POST"]),
            Route("/assistants", self._list, methods=["GET"]),
            Route("/assistants/{id}", self._get, methods=["GET"]),
            Route("/assistants/{id}", self._change, methods=["PATCH"]),
            Route("/assistants/{id}", self._remove, methods=["DELETE"]),
            Route("/assistants/{id}/clone", self._clone, methods=["POST"]),
        ]

    def forget(self) -> None:
        """Forget every assistant."""
        self._assistants.clear()

    def get(self, id: str) -> Mapping[str, Any] | None:
        """Give an assistant's record as it is now; None when there is none.

        Raises Refused when assistants must exist and this one does not.
        """
        found = self._assistants.get(id)
        if found is None and self._world.settings.revox.assistants_must_exist:
            raise Refused(404, {"error": "assistant not found"})
        return copy.deepcopy(found)

    def inline(self, body: object) -> Mapping[str, Any] | None:
        """Give the record of an assistant that a call order brings along; raise Refused when it has no prompt."""
        if not isinstance(body, dict):
            return None
        fields = checked_fields(body, self._generation)
        if not fields.get("prompt"):
            raise checks.refused("assistant.prompt is required")
        return self._record(_INLINE, {"name": "Inline assistant", **fields})

    async def _create(self, request: Request) -> Response:
        body = await checks.read_json(request)
        for name in ("name", "prompt"):
            if name not in body:
                raise checks.refused(f"{name} is required")
        return self._kept(checked_fields(body, self._generation))

    async def _list(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"assistants": list(reversed(self._assistants.values()))})

    async def _get(self, request: Request) -> Response:
        # alone among all answers, this one has no envelope
        return Json(self._known(request))

    async def _change(self, request: Request) -> Response:
        assistant = self._known(request)
        fields = checked_fields(await checks.read_json(request), self._generation)
        assistant |= fields | {"updated_at": instant(self._world.clock.now())}
        assistant["pending_faq_count"] = 0
        return Json({"assistant": assistant})

    async def _remove(self, request: Request) -> Response:
        del self._assistants[self._known(request)["id"]]
        return Json({"success": True})

    async def _clone(self, request: Request) -> Response:
        known = self._known(request)
        fields = {name: copy.deepcopy(known[name]) for name in known_fields(self._generation)}
        return self._kept(fields | {"name": f"{known['name']} (copy)"})

    def _kept(self, fields: Mapping[str, Any]) -> Response:
        digits = self._world.new_id("assistant")
        assistant = self._record(str(UUID(digits, version=4)), fields)
        self._assistants[assistant["id"]] = assistant
        return Json({"assistant": assistant})

    def _record(self, id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        now = instant(self._world.clock.now())
        defaults = {name: copy.deepcopy(FIELDS[name].default) for name in known_fields(self._generation)}
        return {
            "id": id,
            "organization_id": records.ORGANIZATION,
            **defaults,
            **fields,
            "created_at": now,
            "updated_at": now,
            "created_by": None,
            "pending_faq_count": 0,
            "is_inbound_receptionist": False,
            "is_realestate_assistant": False,
        }

    def _known(self, request: Request) -> dict[str, Any]:
        assistant = self._assistants.get(request.path_params["id"])
        if assistant is None:
            raise Refused(404, {"error": "assistant not found"})
        return assistant
