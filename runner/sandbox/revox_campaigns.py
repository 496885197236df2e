"""Revox's native campaigns in two generations: A dials when a campaign is created, D when it is launched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_checks as checks
from runner.sandbox import revox_records as records
from runner.sandbox.face import is_other_generation, reference_of
from runner.sandbox.revox_assistants import RevoxAssistants
from runner.sandbox.revox_campaign import Campaign, campaign_record, row_record
from runner.sandbox.revox_exports import export_orders
from runner.sandbox.revox_launches import choose
from runner.sandbox.revox_order import Order
from runner.sandbox.revox_orders import NewOrder, Orders
from runner.sandbox.revox_statistics import statistics_record
from runner.sandbox.wire import Json, Refused, instant
from runner.sandbox.world import World

_SHARED_WITH_ROWS = ("assistant_id", "from_phone_number", "call_retry_config")


class RevoxCampaigns:
    """The campaigns of one organization."""

    def __init__(self, world: World, orders: Orders, assistants: RevoxAssistants) -> None:
        self._world = world
        self._orders = orders
        self._assistants = assistants
        self._campaigns: dict[str, Campaign] = {}

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/campaigns", self._create, methods=["POST"]),
            Route("/campaigns", self._list, methods=["GET"]),
            Route("/campaigns/{id}", self._get, methods=["GET"]),
            Route("/campaigns/{id}", self._change, methods=["PATCH"]),
            Route("/campaigns/{id}", self._remove, methods=["DELETE"]),
            Route("/campaigns/{id}/rows", self._rows, methods=["GET"]),
            Route("/campaigns/{id}/export", self._export, methods=["GET"]),
            Route("/campaigns/{id}/statistics", self._statistics, methods=["GET"]),
            Route("/campaigns/{id}/launch-calls", self._launch_calls, methods=["POST"]),
            Route("/campaigns/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/campaigns/{id}/pause", self._pause, methods=["POST"]),
            Route("/campaigns/{id}/resume", self._resume, methods=["POST"]),
        ]

    def forget(self) -> None:
        """Forget every campaign."""
        self._campaigns.clear()

    async def _create(self, request: Request) -> Response:
        generation = self._generation(request)
        body = await checks.read_campaign(request, generation=generation)
        at = checks.scheduled_at(body)
        assistant = self._assistants.get(body["assistant_id"])
        now = self._world.clock.now()
        campaign = Campaign(
            id=f"camp_{self._world.new_id('campaign')[:16]}",
            asked=body,
            assistant=assistant,
            created_at=now,
            updated_at=now,
            lines=self._orders.lines(body.get("max_concurrent_calls")),
            scheduled_at=at,
        )
        self._campaigns[campaign.id] = campaign
        for contact in body["contacts"]:
            campaign.orders.append(self._row(request, campaign, contact))
        if generation == "A":
            self._launch(campaign, campaign.orders, at)
        return self._answer(request, campaign)

    async def _list(self, request: Request) -> Response:
        newest = self._generation(request) == "D"
        found = [campaign_record(campaign, newest=newest) for campaign in reversed(self._campaigns.values())]
        return Json({"campaigns": found})

    async def _get(self, request: Request) -> Response:
        return self._answer(request, self._known(request))

    async def _change(self, request: Request) -> Response:
        campaign = self._known(request)
        if self._generation(request) != "D":
            raise Refused(405, {"error": "method not allowed"})
        changes = await checks.read_campaign_changes(request)
        campaign.asked |= changes
        campaign.updated_at = self._world.clock.now()
        if "max_concurrent_calls" in changes:
            campaign.lines.allow(changes["max_concurrent_calls"])
        for order in campaign.orders:
            if not order.call.is_over:
                self._change_order(order, changes)
        return self._answer(request, campaign)

    async def _remove(self, request: Request) -> Response:
        campaign = self._known(request)
        for order in campaign.orders:
            self._orders.abort(order)
        del self._campaigns[campaign.id]
        return Json({"success": True})

    async def _rows(self, request: Request) -> Response:
        newest = self._generation(request) == "D"
        orders = self._known(request).orders
        if newest:
            return Json({"rows": [row_record(at, order, newest=True) for at, order in enumerate(orders)]})
        query = request.query_params
        page, size = checks.required_number(query, "page", 1), checks.required_number(query, "page_size", 1)
        rows = [row_record(at, order, newest=False) for at, order in enumerate(orders) if _fits_row(order, query)]
        start = (page - 1) * size
        return Json({"page": page, "page_size": size, "total": len(rows), "rows": rows[start : start + size]})

    async def _export(self, request: Request) -> Response:
        campaign = self._known(request)
        return Json({"csv": export_orders(campaign.orders, variables=True), "filename": f"{campaign.id}.csv"})

    async def _statistics(self, request: Request) -> Response:
        return Json({"statistics": statistics_record(self._known(request))})

    async def _launch_calls(self, request: Request) -> Response:
        if self._generation(request) != "D":
            raise Refused(404, {"error": "not found"})
        campaign = self._known(request)
        body = await checks.read_launch(request)
        at = checks.scheduled_at(body)
        choice = choose(campaign, body["selection"])
        self._launch(campaign, choice.orders, at)
        session = self._session(campaign, len(choice.orders)) if body["mode"] == "speed_dial" else None
        return Json({"launched": len(choice.orders), "skipped": choice.skipped, "session": session})

    async def _cancel(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.cancelled = True
        for order in campaign.orders:
            self._orders.abort(order)
        return self._changed(campaign)

    async def _pause(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.paused = True
        # timers run on: whoever's time comes meanwhile waits in line
        campaign.lines.pause()
        return self._changed(campaign)

    async def _resume(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.paused = False
        campaign.lines.resume()
        return self._changed(campaign)

    def _row(self, request: Request, campaign: Campaign, contact: Mapping[str, Any]) -> Order:
        body = {name: campaign.asked[name] for name in _SHARED_WITH_ROWS if name in campaign.asked}
        body["prompt_variables"] = contact["prompt_variables"]
        return self._orders.open(
            NewOrder(
                phone=contact["to_phone_number"],
                assistant_id=campaign.asked["assistant_id"],
                reference=reference_of(request, body),
                body=body,
                assistant=campaign.assistant,
                is_stored=campaign.assistant is not None,
                campaign_id=campaign.id,
                campaign_name=campaign.asked["name"],
                lines=campaign.lines,
                scheduled_at=campaign.scheduled_at,
            )
        )

    def _launch(self, campaign: Campaign, orders: Iterable[Order], at: datetime | None) -> None:
        campaign.launched = True
        for order in orders:
            order.scheduled_at = at
            self._orders.launch(order, at)

    def _change_order(self, order: Order, changes: Mapping[str, Any]) -> None:
        if "from_phone_number" in changes:
            order.call.asked = {**order.call.asked, "from_phone_number": changes["from_phone_number"]}
        if changes.get("call_retry_config"):
            self._orders.plan(order, changes["call_retry_config"])

    def _session(self, campaign: Campaign, targets: int) -> dict[str, Any]:
        """Write a speed dial session; here nobody operates it, so that it only counts its targets."""
        return {
            "id": f"session_{self._world.new_id('session')[:12]}",
            "campaign_id": campaign.id,
            "status": "dialing",
            "total_targets": targets,
            "dialed_count": 0,
            "connected_count": 0,
            "current_call_id": None,
            "in_flight_calls": [],
            "outcome_filter": [],
            "created_at": instant(self._world.clock.now()),
            "ended_at": None,
        }

    def _changed(self, campaign: Campaign) -> Response:
        campaign.updated_at = self._world.clock.now()
        return Json({"success": True})

    def _answer(self, request: Request, campaign: Campaign) -> Response:
        return Json({"campaign": campaign_record(campaign, newest=self._generation(request) == "D")})

    def _known(self, request: Request) -> Campaign:
        campaign = self._campaigns.get(request.path_params["id"])
        if campaign is None:
            raise Refused(404, {"error": "campaign not found"})
        return campaign

    def _generation(self, request: Request) -> Literal["A", "D"]:
        own = self._world.settings.revox.generation
        if not is_other_generation(request):
            return own
        return "A" if own == "D" else "D"


def _fits_row(order: Order, query: Mapping[str, str]) -> bool:
    """Whether the seed's generation shows a row."""
    statuses = [word for word in query.get("statuses", "").split(",") if word]
    if statuses and records.order_status(order, newest=False) not in statuses:
        return False
    result = query.get("result", "all")
    if result != "all" and result != (records.order_result(order) or "none"):
        return False
    searched = f"{order.call.to} {' '.join(order.call.asked['prompt_variables'].values())}"
    return query.get("query", "").lower() in searched.lower()
