"""Movoice's face: calls now or later, batches, lists without references, agents, sparse webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import movoice_checks as checks
from runner.sandbox import movoice_records as records
from runner.sandbox.call import Call, Stage
from runner.sandbox.chance import draw
from runner.sandbox.face import bearer, reference_of
from runner.sandbox.lines import Lines
from runner.sandbox.movoice_agents import MovoiceAgents
from runner.sandbox.signatures import sign_movoice
from runner.sandbox.wire import Json, Refused, is_text, unix
from runner.sandbox.world import Asked, World

PLANS: Mapping[str, tuple[int | None, int | None]] = {
    "starter": (1, 50),
    "growth": (3, 500),
    "business": (10, 5_000),
    "enterprise": (None, None),
}
"""plan -> calls at once and recipients of a batch; None is no limit"""

_TALK_LIMIT = 1_800
"""documented default of ``max_duration`` in seconds"""


class Movoice:
    """Single calls, batches and the two ways of paging; bodies that are not documented are assumed."""

    name = "movoice"
    bases: tuple[str, ...] = ("/movoice/api/v1", "/movoice/v1", "/movoice")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.movoice
        self._limit, self._longest = PLANS[self._switches.plan]
        self._lines = Lines(world.dial, self._limit)
        self._agents = MovoiceAgents(world)
        world.watch(self.name, self._tell, self._forget)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/call", self._create, methods=["POST"]),
            Route("/calls", self._list, methods=["GET"]),
            Route("/calls/batch", self._batch, methods=["POST"]),
            Route("/calls/{id}", self._get, methods=["GET"]),
            *self._agents.routes(),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the bearer key."""
        return bearer(headers)

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body; its codes are assumed."""
        reasons = {401: "unauthorized", 404: "not found", 405: "method not allowed"}
        return {"error": reasons.get(status, "invalid request")}

    def tell_event(self, event: str, *, call_id: str, facts: Mapping[str, Any]) -> bool:
        """Tell ``action.triggered`` or ``transfer.initiated`` of a call; raise Refused when there is no such thing."""
        call = self._world.call(self.name, call_id)
        if call is None:
            raise Refused(404, {"error": f"there is no call `{call_id}`"})
        if event == "transfer.initiated":
            return self._post(call, records.transfer_body(call, facts))
        action, parameters = facts.get("action_name"), facts.get("parameters", {})
        if event != "action.triggered" or not is_text(action, 1) or not isinstance(parameters, dict):
            raise Refused(400, {"error": "an event is transfer.initiated, or action.triggered with action_name"})
        return self._post(call, records.action_body(call, str(action), parameters))

    async def _create(self, request: Request) -> Response:
        body = await checks.read_call(request)
        at = checks.scheduled_at(body)
        if at is None and self._switches.overflow == "reject" and self._lines.free == 0:
            raise Refused(429, {"error": "concurrency limit reached"})
        call = self._open(request, body, to=body["recipient_phone"], agent=body["agent_id"])
        self._world.launch(call, at=self._start_of(call, at), lines=self._lines)
        return Json(records.call_summary(call))

    async def _batch(self, request: Request) -> Response:
        body = await checks.read_batch(request)
        at = checks.scheduled_at(body)
        recipients, limit = self._within_plan(body["recipients"], body.get("concurrency"))
        now = unix(self._world.clock.now())
        # a batch keeps to its own limit, then to the account's
        lines = Lines(self._lines.take, limit)
        for recipient in recipients:
            call = self._open(request, recipient, to=recipient["phone"], agent=body["agent_id"])
            self._world.launch(call, at=self._start_of(call, at), lines=lines)
        batch_id = f"batch_{self._world.new_id('batch')[:12]}"
        return Json({"batch_id": batch_id, "status": "queued", "total": len(recipients), "created_at": now})

    def _within_plan(self, recipients: list[Any], limit: int | None) -> tuple[list[Any], int | None]:
        """Give what the plan lets through; raise Refused where it lets nothing through."""
        too_many = self._longest is not None and len(recipients) > self._longest
        too_fast = self._limit is not None and limit is not None and limit > self._limit
        if self._switches.overflow == "reject":
            if too_many:
                raise Refused(400, {"error": f"the plan allows {self._longest} recipients in a batch"})
            if too_fast:
                raise Refused(400, {"error": f"the plan allows {self._limit} calls at once"})
        if too_many and self._switches.overflow == "truncate":
            recipients = recipients[: self._longest]
        return recipients, self._limit if too_fast else limit

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        calls = [call for call in reversed(self._listed()) if _matches(call, query)]
        start, size, paging = checks.read_paging(query)
        items = [records.call_summary(call, phone=self._switches.list_phone) for call in calls[start : start + size]]
        name = "data" if self._switches.data_envelope else "calls"
        return Json({name: items, "total": len(calls), **paging})

    def _listed(self) -> tuple[Call, ...]:
        return self._world.listed(self.name, self._switches.list_lag_seconds)

    async def _get(self, request: Request) -> Response:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None:
            raise Refused(404, {"error": "call not found"})
        detail = records.call_detail(call)
        return Json({"data": detail} if self._switches.data_envelope else detail)

    def _open(self, request: Request, body: Mapping[str, Any], *, to: str, agent: str) -> Call:
        asked = Asked(
            provider=self.name,
            to=to,
            agent=agent,
            reference=reference_of(request, body),
            body=body,
            talk_limit=body.get("max_duration", _TALK_LIMIT),
        )
        return self._world.open(asked, id=f"call_{self._world.new_id('call')[:16]}")

    def _start_of(self, call: Call, at: datetime | None) -> datetime | None:
        """Give when a scheduled call really starts: up to some seconds late, as documented."""
        if at is None:
            return None
        lag = self._switches.schedule_lag_seconds * draw(self._world.settings.seed, "lag", call.to, at)
        return at + timedelta(seconds=lag)

    def _tell(self, call: Call) -> None:
        if call.stage is Stage.TALKING:
            self._post(call, records.started_body(call))
            self._happen(call)
        elif call.stage is Stage.ENDED and call.answered_at is not None:
            self._post(call, records.completed_body(call))
        elif call.stage is Stage.ENDED:
            self._post(call, records.failed_body(call))

    def _happen(self, call: Call) -> None:
        """Let the agent act or put the call through, by the switched shares."""
        if call.fate is None or call.fate.conversation is None:
            return
        seed, tag = self._world.settings.seed, call.fate.conversation.tag
        if draw(seed, "action", call.id) < self._switches.action_share:
            self._post(call, records.action_body(call, "record_result", {"outcome": tag}))
        if draw(seed, "transfer", call.id) < self._switches.transfer_share:
            self._post(call, records.transfer_body(call, {"timestamp": unix(call.updated_at)}))

    def _post(self, call: Call, body: Mapping[str, Any]) -> bool:
        call.delivery = self._world.webhooks.post(self.name, body, after=call.delivery, sign=self._sign)
        return call.delivery is not None

    def _sign(self, secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
        if not secret or self._switches.signature == "none":
            return {}
        switches = self._switches
        return sign_movoice(
            secret,
            raw,
            now,
            prefix=switches.signature_prefix,
            encoding=switches.signature_encoding,
            over=switches.signature_over,
        )

    def _forget(self) -> None:
        self._lines.clear()
        self._agents.forget()


def _matches(call: Call, query: Mapping[str, str]) -> bool:
    status = query.get("status", "")
    if status not in {"", "completed", "failed", "active"}:
        raise checks.refused("invalid status")
    if status and status != ("active" if call.is_live else records.call_status(call)):
        return False
    if query.get("agent_id", call.agent) != call.agent:
        return False
    created_at = unix(call.created_at)
    return checks.number(query, "from", 0, 0) <= created_at <= checks.number(query, "to", created_at, 0)
