"""Revox's face: call orders, search, and the native campaigns; every POST makes a new order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_checks as checks
from runner.sandbox import revox_records as records
from runner.sandbox.call import Call, Stage
from runner.sandbox.face import bearer, reference_of
from runner.sandbox.revox_campaigns import RevoxCampaigns
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import Asked, World


class Revox:
    """Orders of one organization; an order dials once, its own retries are not played."""

    name = "revox"
    bases: tuple[str, ...] = ("/revox/api", "/revox")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revox
        self._campaigns = RevoxCampaigns(world, self._open)
        world.watch(self.name, self._tell, self._campaigns.forget)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/call", self._create, methods=["POST"]),
            Route("/call/search", self._search, methods=["POST"]),
            Route("/call/{id}", self._get, methods=["GET"]),
            Route("/call/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/call/{id}/pause", self._pause, methods=["POST"]),
            Route("/call/{id}/resume", self._resume, methods=["POST"]),
            Route("/auth-status", self._auth_status, methods=["GET"]),
            *self._campaigns.routes(),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the bearer key."""
        return bearer(headers)

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body; its form is assumed."""
        reasons = {401: "unauthorized", 404: "not found", 405: "method not allowed"}
        return {"error": reasons.get(status, "invalid request")}

    async def _create(self, request: Request) -> Response:
        body = await checks.read_call(request)
        at = checks.scheduled_at(body)
        call = self._open(request, body, body["phone_number"], str(body.get("assistant_id", "")))
        # the answer is written before anybody is dialled, as the documented one is
        answer = {"call": records.order_record(call)}
        self._world.launch(call, at=at)
        if call.stage is Stage.SCHEDULED:
            answer = {"call": records.order_record(call)}
        return Json(answer)

    async def _get(self, request: Request) -> Response:
        return Json({"call": records.order_record(self._known(request))})

    async def _search(self, request: Request) -> Response:
        body = await checks.read_search(request, page_base=self._switches.page_base)
        calls = [call for call in self._world.calls(self.name) if _fits(call, body)]
        if body.get("sort_direction", "desc") == "desc":
            calls.reverse()
        start = (body["page"] - self._switches.page_base) * body["page_size"]
        shown = calls[start : start + body["page_size"]]
        return Json({"calls": [records.order_record(call) for call in shown], "total_count": len(calls)})

    async def _cancel(self, request: Request) -> Response:
        call = self._known(request)
        if call.is_over:
            return Json({"success": False})
        if call.is_live:
            self._world.hang_up(call)
        else:
            self._world.cancel(call)
        return Json({"success": True})

    async def _pause(self, request: Request) -> Response:
        call = self._known(request)
        if call.stage is Stage.SCHEDULED:
            self._world.hold(call)
            call.facts["paused"] = "yes"
        return Json({"success": not call.is_over})

    async def _resume(self, request: Request) -> Response:
        call = self._known(request)
        if call.facts.pop("paused", None):
            self._world.launch(call, at=call.due_at)
        return Json({"success": not call.is_over})

    async def _auth_status(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"authenticated": True})

    def _open(self, request: Request, body: Mapping[str, Any], to: str, agent: str) -> Call:
        asked = Asked(provider=self.name, to=to, agent=agent, reference=reference_of(request, body), body=body)
        return self._world.open(asked, id=f"call_{self._world.new_id('call')[:20]}")

    def _known(self, request: Request) -> Call:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None:
            raise Refused(404, {"error": "call not found"})
        return call

    def _tell(self, call: Call) -> None:
        """Send the webhook of a completed order; one that was cancelled before anybody was dialled has none."""
        if call.stage is Stage.ENDED:
            write = records.nested_webhook if self._switches.webhook == "nested" else records.flat_webhook
            call.delivery = self._world.webhooks.post(self.name, write(call), after=call.delivery)


def _fits(call: Call, wanted: Mapping[str, Any]) -> bool:
    """Whether a call belongs to a search; an empty list asks for nothing."""
    if wanted.get("to_phone_number") and call.to != wanted["to_phone_number"]:
        return False
    if wanted.get("call_ids") and call.id not in wanted["call_ids"]:
        return False
    facts = {
        "assignee_ids": "none",
        "assistant_ids": call.agent,
        "campaign_ids": call.facts.get("campaign_id", "none"),
        "directions": "outbound",
        "from_phone_numbers": records.from_number(call),
        "outcomes": records.order_outcome(call) or "none",
        "results": records.attempt_result(call) or "none",
        "statuses": records.order_status(call),
    }
    if any(wanted[name] and fact not in wanted[name] for name, fact in facts.items()):
        return False
    query = wanted.get("query") or ""
    return str(query) in f"{call.id} {call.to}"
