"""RevRing's face: calls with idempotency and a queue, messages, lists, signed webhooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revring_checks as checks
from runner.sandbox import revring_records as records
from runner.sandbox.call import Call, Stage
from runner.sandbox.face import one_word, reference_of
from runner.sandbox.lines import Lines
from runner.sandbox.people import Kind
from runner.sandbox.webhooks import sign_revring
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import Asked, World

_KEY_LASTS = timedelta(hours=24)


class Revring:
    """Calls and messages of one organization."""

    name = "revring"
    bases: tuple[str, ...] = ("/revring/v1", "/revring")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revring
        self._lines = Lines(world.dial, self._switches.concurrency)
        self._keys: dict[str, Call] = {}
        world.watch(self.name, self._tell, self._forget)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/calls", self._create, methods=["POST"]),
            Route("/calls", self._list, methods=["GET"]),
            Route("/calls/batch-get", self._batch_get, methods=["POST"]),
            Route("/calls/{id}", self._get, methods=["GET"]),
            Route("/calls/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/calls/{id}/end", self._end, methods=["POST"]),
            Route("/messages", self._send, methods=["POST"]),
            Route("/messages", self._list_messages, methods=["GET"]),
            Route("/messages/{id}", self._get_message, methods=["GET"]),
            Route("/analytics/active", self._active, methods=["GET"]),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the ``x-api-key``."""
        return one_word(headers.get("x-api-key", ""))

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body."""
        codes = {401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
        return {"error": codes.get(status, "internal_error")}

    async def _create(self, request: Request) -> Response:
        body = await checks.read_call(request, strict_agent_ids=self._switches.strict_agent_ids)
        # nothing is awaited from here on: two requests with one key cannot both find it unused
        key = body.get("idempotencyKey") or request.headers.get("idempotency-key", "")
        if (earlier := self._earlier(key)) is not None:
            return Json({"data": records.call_record(earlier)})
        self._check_permitted(body)
        call = self._open("call", request, body, to=body["toNumber"], agent=body["agentId"])
        if key and self._switches.idempotency:
            self._keys[key] = call
        self._world.launch(call, lines=self._lines)
        return Json({"data": records.call_record(call)}, 201)

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        key, largest_first = checks.sorting(query)
        wanted = _Wanted(query)
        calls = [call for call in self._all("call") if wanted.fits(call)]
        calls.sort(key=lambda call: records.sort_value(call, key), reverse=largest_first)
        return _page(query, calls, records.call_record)

    async def _get(self, request: Request) -> Response:
        return Json({"data": records.call_record(self._known("call", request))})

    async def _batch_get(self, request: Request) -> Response:
        ids, minimal = await checks.read_ids(request)
        found = [call for call in (self._world.call(self.name, one) for one in ids) if call and call.kind == "call"]
        return Json({"data": [records.call_record(call, minimal=minimal) for call in found]})

    async def _cancel(self, request: Request) -> Response:
        call = self._known("call", request)
        if call.stage is not Stage.QUEUED:
            raise Refused(400, {"error": "call_not_cancellable", "message": "Only queued calls can be cancelled"})
        self._world.cancel(call)
        return Json({"data": records.call_record(call)})

    async def _end(self, request: Request) -> Response:
        await checks.read_end(request)
        call = self._known("call", request)
        if not call.is_live:
            raise Refused(409, {"error": "call_not_active", "message": "The call is not in progress"})
        self._world.hang_up(call)
        return Json({"data": {"callId": call.id, "ending": True}}, 202)

    async def _send(self, request: Request) -> Response:
        body = await checks.read_message(request)
        message = self._open("text", request, body, to=body["to"], agent=body.get("agentId", ""))
        message.facts["conversation"] = f"conv_{self._world.new_id('conversation')[:12]}"
        message.facts["carrier"] = f"SM{self._world.new_id('carrier')}"
        self._world.launch(message)
        return Json({"data": records.message_record(message)}, 201)

    async def _list_messages(self, request: Request) -> Response:
        query = request.query_params
        agent, status = query.get("agentId"), query.get("status")
        # only outbound messages without a call exist here
        nothing = "callId" in query or query.get("direction", "OUTBOUND").upper() != "OUTBOUND"
        found = [
            message
            for message in reversed(self._all("text"))
            if not nothing and agent in {None, message.agent} and status in {None, records.message_status(message)}
        ]
        return _page(query, found, records.message_record)

    async def _get_message(self, request: Request) -> Response:
        return Json({"data": records.message_record(self._known("text", request))})

    async def _active(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        active, limit = self._lines.active, self._switches.concurrency
        concurrency = {"active": active, "limit": limit, "available": max(limit - active, 0), "inboundReserve": 0}
        return Json({"data": {"activeCalls": active, "concurrency": concurrency}})

    def _check_permitted(self, body: Mapping[str, Any]) -> None:
        agents = self._switches.agents
        if agents and body["agentId"] not in agents:
            raise Refused(404, {"error": "agent_not_found"})
        if body.get("honorDoNotCall") and body["toNumber"] in self._switches.do_not_call:
            message = "Number is on the do-not-call list"
            raise Refused(409, {"error": "number_on_do_not_call_list", "message": message})
        if body.get("skipQueue") and self._lines.free == 0:
            raise Refused(429, {"error": "concurrency_limit"})

    def _open(self, kind: Kind, request: Request, body: Mapping[str, Any], *, to: str, agent: str) -> Call:
        asked = Asked(
            provider=self.name,
            kind=kind,
            to=to,
            agent=agent,
            reference=reference_of(request, body),
            body=body,
            talk_limit=body.get("maxDurationSeconds"),
        )
        digits = self._world.new_id(kind)
        return self._world.open(asked, id=records.uuid(digits) if kind == "call" else f"msg_{digits[:16]}")

    def _earlier(self, key: str) -> Call | None:
        """Find the call that a key has placed in the last 24 hours."""
        call = self._keys.get(key)
        if call is None or self._world.clock.now() - call.created_at >= _KEY_LASTS:
            return None
        return call

    def _all(self, kind: Kind) -> list[Call]:
        return [call for call in self._world.calls(self.name) if call.kind == kind]

    def _known(self, kind: Kind, request: Request) -> Call:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None or call.kind != kind:
            raise Refused(404, {"error": "not_found"})
        return call

    def _tell(self, call: Call) -> None:
        if call.kind == "text":
            return
        if call.stage is Stage.TALKING:
            if self._switches.call_started:
                self._post(call, records.started_body(call), once=True)
        elif call.answered_at is not None or self._switches.webhook_before_pickup:
            self._post(call, records.post_call_body(call))

    def _post(self, call: Call, body: Mapping[str, Any], *, once: bool = False) -> None:
        call.delivery = self._world.webhooks.post(self.name, body, after=call.delivery, once=once, sign=sign_revring)

    def _forget(self) -> None:
        self._lines.clear()
        self._keys.clear()


class _Wanted:
    """The filters of a list."""

    def __init__(self, query: QueryParams) -> None:
        self._statuses = checks.words(query, "status", records.STATUSES)
        self._causes = checks.words(query, "hangupCause")
        self._from: datetime | None = checks.moment(query, "createdFrom")
        self._to: datetime | None = checks.moment(query, "createdTo")
        self._exact = {name: query[name] for name in _EXACT if name in query}
        self._part = query.get("q", "")
        if query.get("direction", "OUTBOUND") not in {"INBOUND", "OUTBOUND"}:
            raise checks.invalid_query("direction")
        if len(self._part) > 64:  # noqa: PLR2004  the documented longest
            raise checks.invalid_query("q")

    def fits(self, call: Call) -> bool:
        """Whether a call belongs to the list."""
        if self._from is not None and call.created_at < self._from:
            return False
        if self._to is not None and call.created_at > self._to:
            return False
        if self._statuses and records.call_status(call) not in self._statuses:
            return False
        if self._causes and records.hangup_cause(call) not in self._causes:
            return False
        record = records.call_record(call, minimal=True)
        if any(record.get(name) != value for name, value in self._exact.items()):
            return False
        return self._part in f"{call.id} {call.to} {record['fromNumber']}"


_EXACT = ("agentId", "toNumber", "fromNumber", "direction", "sipTrunkId", "folderId")


def _page(query: QueryParams, items: list[Call], write: Callable[[Call], dict[str, Any]]) -> Response:
    page, size = checks.number(query, "page", 1, 1_000_000), checks.number(query, "pageSize", 25, 100)
    start = (page - 1) * size
    more = start + size < len(items)
    shown = [write(item) for item in items[start : start + size]]
    return Json({"data": shown, "page": page, "pageSize": size, "total": len(items), "hasNextPage": more})
