"""Revox's native campaigns in two generations: A dials when a campaign is created, D when it is launched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_checks as checks
from runner.sandbox import revox_records as records
from runner.sandbox.call import Call, Stage
from runner.sandbox.lines import Lines
from runner.sandbox.wire import Json, Refused, instant
from runner.sandbox.world import World

OpenCall = Callable[[Request, Mapping[str, Any], str, str], Call]
"""request, the order's body, phone and assistant give a call that nobody launched yet"""


@dataclass(slots=True, kw_only=True, eq=False)
class _Campaign:
    id: str
    asked: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    lines: Lines
    scheduled_at: datetime | None = None
    rows: list[Call] = field(default_factory=list)
    launched: bool = False
    paused: bool = False
    cancelled: bool = False


class RevoxCampaigns:
    """The campaigns of one organization."""

    def __init__(self, world: World, open_call: OpenCall) -> None:
        self._world = world
        self._open_call = open_call
        self._generation = world.settings.revox.generation
        self._campaigns: dict[str, _Campaign] = {}

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        routes = [
            Route("/campaigns", self._create, methods=["POST"]),
            Route("/campaigns", self._list, methods=["GET"]),
            Route("/campaigns/{id}", self._get, methods=["GET"]),
            Route("/campaigns/{id}/rows", self._rows, methods=["GET"]),
            Route("/campaigns/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/campaigns/{id}/pause", self._pause, methods=["POST"]),
            Route("/campaigns/{id}/resume", self._resume, methods=["POST"]),
        ]
        if self._generation == "D":
            routes.append(Route("/campaigns/{id}/launch-calls", self._launch_calls, methods=["POST"]))
        return routes

    def forget(self) -> None:
        """Forget every campaign."""
        self._campaigns.clear()

    async def _create(self, request: Request) -> Response:
        body = await checks.read_campaign(request, generation=self._generation)
        at = checks.scheduled_at(body)
        now = self._world.clock.now()
        campaign = _Campaign(
            id=f"camp_{self._world.new_id('campaign')[:16]}",
            asked=body,
            created_at=now,
            updated_at=now,
            lines=Lines(self._world.dial, body.get("max_concurrent_calls")),
            scheduled_at=at,
        )
        self._campaigns[campaign.id] = campaign
        for contact in body["contacts"]:
            campaign.rows.append(self._row(request, campaign, contact))
        if self._generation == "A":
            self._launch(campaign, campaign.rows, at)
        return Json({"campaign": self._record(campaign)})

    async def _list(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"campaigns": [self._record(campaign) for campaign in reversed(self._campaigns.values())]})

    async def _get(self, request: Request) -> Response:
        return Json({"campaign": self._record(self._known(request))})

    async def _rows(self, request: Request) -> Response:
        rows = [_row_record(at, call) for at, call in enumerate(self._known(request).rows)]
        if self._generation == "D":
            return Json({"rows": rows})
        query = request.query_params
        page, size = _required_number(query, "page"), _required_number(query, "page_size")
        start = (page - 1) * size
        return Json({"page": page, "page_size": size, "total": len(rows), "rows": rows[start : start + size]})

    async def _launch_calls(self, request: Request) -> Response:
        campaign = self._known(request)
        body = await checks.read_launch(request)
        at = checks.scheduled_at(body)
        skipped = {"active": 0, "attempts_exhausted": 0, "cancelled": 0}
        chosen = []
        for call in campaign.rows:
            if not _is_selected(call, body["selection"]):
                continue
            if (reason := _skip_reason(call)) is None:
                chosen.append(call)
            else:
                skipped[reason] += 1
        self._launch(campaign, chosen, at)
        return Json({"launched": len(chosen), "skipped": skipped, "session": None})

    async def _cancel(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.cancelled = True
        for call in campaign.rows:
            if not call.is_over and not call.is_live:
                self._world.cancel(call)
        return self._changed(campaign)

    async def _pause(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.paused = True
        campaign.lines.pause()
        return self._changed(campaign)

    async def _resume(self, request: Request) -> Response:
        campaign = self._known(request)
        campaign.paused = False
        campaign.lines.resume()
        return self._changed(campaign)

    def _row(self, request: Request, campaign: _Campaign, contact: Mapping[str, Any]) -> Call:
        order = {name: campaign.asked[name] for name in _SHARED_WITH_ROWS if name in campaign.asked}
        order["prompt_variables"] = contact["prompt_variables"]
        call = self._open_call(request, order, contact["to_phone_number"], campaign.asked["assistant_id"])
        call.facts["campaign_id"] = campaign.id
        call.facts["campaign_name"] = campaign.asked["name"]
        call.facts["held_as"] = "not_launched"
        return call

    def _launch(self, campaign: _Campaign, calls: list[Call], at: datetime | None) -> None:
        campaign.launched = True
        for call in calls:
            self._world.launch(call, at=at, lines=campaign.lines)

    def _changed(self, campaign: _Campaign) -> Response:
        campaign.updated_at = self._world.clock.now()
        return Json({"success": True})

    def _known(self, request: Request) -> _Campaign:
        campaign = self._campaigns.get(request.path_params["id"])
        if campaign is None:
            raise Refused(404, {"error": "campaign not found"})
        return campaign

    def _record(self, campaign: _Campaign) -> dict[str, Any]:
        asked = campaign.asked
        record = {
            "id": campaign.id,
            "assistant_id": asked["assistant_id"],
            "organization_id": records.ORGANIZATION,
            "name": asked["name"],
            "status": _status(campaign),
            "is_cancelled": campaign.cancelled,
            "created_at": instant(campaign.created_at),
            "updated_at": instant(campaign.updated_at),
            "assistant": None,
            "call_retry_config": asked.get("call_retry_config", records.DEFAULT_RETRIES),
            "from_phone_number": asked.get("from_phone_number"),
            "max_concurrent_calls": asked.get("max_concurrent_calls"),
            "row_stats": _row_stats(campaign, newest=self._generation == "D"),
            "scheduled_at": instant(campaign.scheduled_at),
        }
        return record | _newest_fields(campaign) if self._generation == "D" else record


_SHARED_WITH_ROWS = ("assistant_id", "from_phone_number", "call_retry_config")


def _status(campaign: _Campaign) -> str:
    """Give the status of a campaign; an unlaunched one counts as paused, for want of a better word."""
    if campaign.cancelled or (campaign.launched and all(call.is_over for call in campaign.rows)):
        return "completed"
    return "running" if campaign.launched and not campaign.paused else "paused"


def _row_stats(campaign: _Campaign, *, newest: bool) -> dict[str, int]:
    rows = campaign.rows
    reached = sum(call.stage is Stage.ENDED and call.answered_at is not None for call in rows)
    ended = sum(call.stage is Stage.ENDED for call in rows)
    cancelled = sum(call.stage is Stage.CANCELLED for call in rows)
    stats = {
        "calling": sum(call.is_live for call in rows),
        "completed": reached,
        "failed": ended - reached + (0 if newest else cancelled),
        "pending": sum(call.stage in {Stage.SCHEDULED, Stage.QUEUED} for call in rows),
        "retry": 0,
        "total": len(rows),
    }
    if newest:
        stats |= {"not_launched": sum(call.stage is Stage.HELD for call in rows), "skipped": cancelled}
    return stats


def _newest_fields(campaign: _Campaign) -> dict[str, Any]:
    talked = sum(records.attempt_result(call) == "human" for call in campaign.rows)
    hot = sum(records.order_outcome(call) == "interested" for call in campaign.rows)
    return {
        "funnel_stats": {"hot": hot, "talked_to_human": talked, "total_leads": len(campaign.rows)},
        "metadata_keys": [],
        "structured_output_extraction": "none",
        "created_by": None,
    }


def _row_record(at: int, call: Call) -> dict[str, Any]:
    return {
        "id": f"row_{call.id.removeprefix('call_')}",
        "row_index": at,
        "phone_number": call.to,
        "input_data": call.asked["prompt_variables"],
        "call": records.order_record(call),
    }


def _is_selected(call: Call, selection: Mapping[str, Any]) -> bool:
    filters, rows = selection["filters"], selection["rows"]
    named = call.id in rows["call_ids"]
    if named != (rows["mode"] == "only"):
        return False
    facts = {
        "assignee_ids": "none",
        "directions": "outbound",
        "outcomes": records.order_outcome(call) or "none",
        "results": records.attempt_result(call) or "none",
        "statuses": records.order_status(call),
    }
    return all(not filters[name] or fact in filters[name] for name, fact in facts.items())


def _skip_reason(call: Call) -> str | None:
    """Say why a call is not launched; None when it is. One dial exhausts an order here."""
    if call.stage is Stage.CANCELLED:
        return "cancelled"
    if call.stage is Stage.ENDED:
        return "attempts_exhausted"
    return None if call.stage is Stage.HELD else "active"


def _required_number(query: QueryParams, name: str) -> int:
    text = query.get(name, "")
    if not text.isascii() or not text.isdecimal() or int(text[:9]) < 1:
        raise Refused(400, {"error": f"{name} is required"})
    return int(text[:9])
