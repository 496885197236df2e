"""Revox's face: call orders, search, exports, and what belongs to them; every POST makes a new order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_checks as checks
from runner.sandbox import revox_records as records
from runner.sandbox.call import Stage
from runner.sandbox.face import bearer, reference_of
from runner.sandbox.revox_account import RevoxAccount
from runner.sandbox.revox_assistants import RevoxAssistants
from runner.sandbox.revox_campaigns import RevoxCampaigns
from runner.sandbox.revox_exports import export_orders
from runner.sandbox.revox_history import phone_history
from runner.sandbox.revox_launches import fits_filters
from runner.sandbox.revox_order import Order
from runner.sandbox.revox_orders import NewOrder, Orders
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import World


class Revox:
    """Orders of one organization; which of them Revox tries again by itself is said at ``RevoxSwitches.own_retries``."""

    name = "revox"
    bases: tuple[str, ...] = ("/revox/api", "/revox")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revox
        self._orders = Orders(world)
        self._assistants = RevoxAssistants(world)
        self._campaigns = RevoxCampaigns(world, self._orders, self._assistants)
        self._account = RevoxAccount(world)
        world.watch(self.name, self._orders.tell, self._forget)

    def routes(self) -> list[Route]:
        """Give the endpoints; listing attempts went away with the seed's generation."""
        routes = [
            Route("/call", self._create, methods=["POST"]),
            Route("/call/search", self._search, methods=["POST"]),
            Route("/call/export", self._export, methods=["POST"]),
            Route("/calls/phone-history", self._history, methods=["GET"]),
            Route("/call/{id}", self._get, methods=["GET"]),
            Route("/call/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/call/{id}/pause", self._pause, methods=["POST"]),
            Route("/call/{id}/resume", self._resume, methods=["POST"]),
            *self._account.routes(),
            *self._assistants.routes(),
            *self._campaigns.routes(),
        ]
        if self._switches.generation == "A":
            routes.append(Route("/call", self._list, methods=["GET"]))
        return routes

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
        order = self._orders.open(self._new(request, body, at))
        # the answer is written before anybody is dialled, as the documented one is
        answer = self._record(order)
        self._orders.launch(order, at)
        if order.call.stage is Stage.SCHEDULED:
            answer = self._record(order)
        return Json({"call": answer})

    async def _get(self, request: Request) -> Response:
        return Json({"call": self._record(self._known(request))})

    async def _list(self, request: Request) -> Response:
        """Answer attempts, newest first; they name neither their order nor its metadata."""
        query = request.query_params
        base = self._switches.page_base
        page, size = checks.required_number(query, "page", base), checks.required_number(query, "page_size", 1)
        # a list comes divided by commas or repeated, with or without brackets
        words = ",".join([*query.getlist("statuses"), *query.getlist("statuses[]")]).split(",")
        statuses = {word for word in words if word}
        attempts = [
            attempt
            for order in reversed(self._listed())
            if not statuses or records.order_status(order, newest=False) in statuses
            for attempt in records.attempt_records(order)
        ]
        start = (page - base) * size
        return Json({"calls": attempts[start : start + size]})

    async def _search(self, request: Request) -> Response:
        body = await checks.read_search(request, page_base=self._switches.page_base)
        found = self._found(body)
        shown = found[self._start(body) :][: body["page_size"]]
        return Json({"calls": [self._record(order) for order in shown], "total_count": len(found)})

    async def _export(self, request: Request) -> Response:
        body = await checks.read_export(request, page_base=self._switches.page_base)
        csv = export_orders(
            self._found(body["filters"]),
            metadata=body.get("include_metadata") is True,
            structured=body.get("include_structured_output_fields") is True,
        )
        return Json({"csv": csv, "filename": "calls.csv"})

    async def _history(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        refused = frozenset(self._switches.do_not_contact)
        return Json({"phone_history": phone_history(self._orders.all(), refused)})

    async def _cancel(self, request: Request) -> Response:
        return Json({"success": self._orders.cancel(self._known(request))})

    async def _pause(self, request: Request) -> Response:
        return Json({"success": self._orders.pause(self._known(request))})

    async def _resume(self, request: Request) -> Response:
        return Json({"success": self._orders.resume(self._known(request))})

    def _new(self, request: Request, body: Mapping[str, Any], at: datetime | None) -> NewOrder:
        assistant_id = str(body.get("assistant_id") or "")
        stored = self._assistants.get(assistant_id) if assistant_id else None
        # an inline assistant is ignored beside an id
        assistant = stored if assistant_id else self._assistants.inline(body.get("assistant"))
        return NewOrder(
            phone=body["phone_number"],
            assistant_id=assistant_id,
            reference=reference_of(request, body),
            body=body,
            assistant=assistant,
            is_stored=stored is not None,
            scheduled_at=at,
        )

    def _found(self, wanted: Mapping[str, Any]) -> list[Order]:
        """Find orders by a search that was checked; sorted by creation unless it names another instant."""
        phone, ids = wanted.get("to_phone_number"), wanted.get("call_ids")
        found = [
            order
            for order in self._listed()
            if (not phone or order.call.to == phone)
            and (not ids or order.call.id in ids)
            and fits_filters(order, wanted)
        ]
        if wanted.get("sort_by") == "updated_at":
            found.sort(key=lambda order: order.call.updated_at)
        return found[::-1] if wanted.get("sort_direction", "desc") == "desc" else found

    def _listed(self) -> list[Order]:
        old_enough = self._world.listed(self.name, self._switches.list_lag_seconds)
        ids = {call.id for call in old_enough}
        return [order for order in self._orders.all() if order.call.id in ids]

    def _start(self, wanted: Mapping[str, Any]) -> int:
        start: int = (wanted["page"] - self._switches.page_base) * wanted["page_size"]
        return start

    def _record(self, order: Order) -> dict[str, Any]:
        return records.order_record(order, newest=self._switches.generation == "D")

    def _known(self, request: Request) -> Order:
        order = self._orders.get(request.path_params["id"])
        if order is None:
            raise Refused(404, {"error": "call not found"})
        return order

    def _forget(self) -> None:
        self._orders.forget()
        self._assistants.forget()
        self._campaigns.forget()
