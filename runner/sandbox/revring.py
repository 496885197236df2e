"""RevRing's face: calls with idempotency and a queue, lists, campaigns, messages, signed webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revring_checks as checks
from runner.sandbox import revring_records as records
from runner.sandbox.call import Call, Stage
from runner.sandbox.face import is_other_generation, one_word, reference_of
from runner.sandbox.lines import Lines
from runner.sandbox.people import Kind
from runner.sandbox.revring_campaigns import RevringCampaigns
from runner.sandbox.revring_dialer import Dialer
from runner.sandbox.revring_do_not_call import DoNotCall
from runner.sandbox.revring_lists import Wanted, page_of
from runner.sandbox.revring_messages import RevringMessages
from runner.sandbox.revring_secret import SigningSecret
from runner.sandbox.sheet import to_csv
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import Asked, World

_KEY_LASTS = timedelta(hours=24)
_MOST_ROWS = 10_000

_FIRST_FIELDS = ("agentId", "toNumber", "fromNumber", "variables", "callerIdName", "skipQueue")
"""all that the oldest generation knew"""


class Revring:
    """Calls and messages of one organization."""

    name = "revring"
    bases: tuple[str, ...] = ("/revring/v1", "/revring")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revring
        self._keys: dict[str, Call] = {}
        self._secret = SigningSecret(world)
        self._do_not_call = DoNotCall(world)
        self._messages = RevringMessages(world, self._open)
        self._lines = Lines(world.dial, self._switches.concurrency, when_free=self._line_is_free)
        self._dialer = Dialer(world, self._lines, self._do_not_call)
        self._campaigns = RevringCampaigns(world, self._dialer)
        world.watch(self.name, self._tell, self._forget)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/calls", self._create, methods=["POST"]),
            Route("/calls", self._list, methods=["GET"]),
            Route("/calls/batch-get", self._batch_get, methods=["POST"]),
            Route("/calls/export", self._export, methods=["GET"]),
            Route("/calls/{id}", self._get, methods=["GET"]),
            Route("/calls/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/calls/{id}/end", self._end, methods=["POST"]),
            Route("/analytics/active", self._active, methods=["GET"]),
            *self._messages.routes(),
            *self._campaigns.routes(),
            *self._do_not_call.routes(),
            *self._secret.routes(),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the ``x-api-key``."""
        return one_word(headers.get("x-api-key", ""))

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body."""
        codes = {401: "unauthorized", 404: "not_found", 405: "method_not_allowed"}
        return {"error": codes.get(status, "internal_error")}

    def receive_text(self, *, sender: str, to: str, agent: str, text: str) -> bool:
        """Tell ``message_received``, once and never again; say whether anybody listens."""
        body = self._messages.receive(sender=sender, to=to, agent=agent, text=text)
        told = self._world.webhooks.post(self.name, body, after=None, once=True, sign=self._secret.sign)
        return told is not None

    async def _create(self, request: Request) -> Response:
        asked = await checks.read_call(request, strict_agent_ids=self._switches.strict_agent_ids)
        # nothing is awaited from here on: two requests with one key cannot both find it unused
        key, body = asked.get("idempotencyKey") or request.headers.get("idempotency-key", ""), asked
        if is_other_generation(request):
            key, body = "", {name: asked[name] for name in _FIRST_FIELDS if name in asked}
        if (earlier := self._earlier(key)) is not None:
            return Json({"data": records.call_record(earlier)})
        self._check_permitted(body)
        call = self._open("call", request, body, to=body["toNumber"], agent=body["agentId"])
        call.reference = reference_of(request, asked)
        if key and self._switches.idempotency:
            self._keys[key] = call
        if self._switches.fails_with:
            self._world.later(call.created_at, lambda: self._world.fail(call, self._switches.fails_with))
        else:
            self._world.launch(call, lines=self._lines)
        if call.stage is Stage.QUEUED:
            at = call.created_at + timedelta(seconds=self._switches.queue_seconds)
            call.next_entry = self._world.later(at, lambda: self._world.fail(call, records.NO_SLOT))
        return Json({"data": records.call_record(call)}, 201)

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        key, largest_first = checks.sorting(query)
        wanted = Wanted(query)
        calls = [call for call in self._calls() if wanted.fits(call)]
        calls.sort(key=lambda call: records.sort_value(call, key), reverse=largest_first)
        return page_of(query, calls, records.call_record)

    async def _export(self, request: Request) -> Response:
        wanted = Wanted(request.query_params, since="from", until="to")
        calls = [call for call in reversed(self._calls()) if wanted.fits(call)][:_MOST_ROWS]
        rows = [records.call_record(call) for call in calls]
        return Response(to_csv(records.EXPORTED, rows), media_type="text/csv")

    async def _get(self, request: Request) -> Response:
        return Json({"data": records.call_record(self._known(request))})

    async def _batch_get(self, request: Request) -> Response:
        ids, minimal = await checks.read_ids(request)
        found = [call for call in (self._world.call(self.name, one) for one in ids) if call and call.kind == "call"]
        return Json({"data": [records.call_record(call, minimal=minimal) for call in found]})

    async def _cancel(self, request: Request) -> Response:
        call = self._known(request)
        if call.stage is not Stage.QUEUED:
            raise Refused(400, {"error": "call_not_cancellable", "message": "Only queued calls can be cancelled"})
        self._world.cancel(call)
        return Json({"data": records.call_record(call)})

    async def _end(self, request: Request) -> Response:
        await checks.read_end(request)
        call = self._known(request)
        if not call.is_live:
            raise Refused(409, {"error": "call_not_active", "message": "The call is not in progress"})
        self._world.hang_up(call)
        return Json({"data": {"callId": call.id, "ending": True}}, 202)

    async def _active(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        active, limit = self._lines.active, self._switches.concurrency
        concurrency = {"active": active, "limit": limit, "available": max(limit - active, 0), "inboundReserve": 0}
        return Json({"data": {"activeCalls": active, "concurrency": concurrency}})

    def _check_permitted(self, body: Mapping[str, Any]) -> None:
        agents = self._switches.agents
        if agents and body["agentId"] not in agents:
            raise Refused(404, {"error": "agent_not_found"})
        if body.get("honorDoNotCall") and body["toNumber"] in self._do_not_call:
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

    def _calls(self) -> list[Call]:
        listed = self._world.listed(self.name, self._switches.list_lag_seconds)
        return [call for call in listed if call.kind == "call"]

    def _known(self, request: Request) -> Call:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None or call.kind != "call":
            raise Refused(404, {"error": "not_found"})
        return call

    def _tell(self, call: Call) -> None:
        if call.kind == "text":
            return
        if call.stage is Stage.TALKING:
            if self._switches.call_started:
                self._post(call, records.started_body(call), once=True)
            return
        if call.answered_at is not None or self._switches.webhook_before_pickup:
            self._post(call, records.post_call_body(call), once=not self._switches.webhook_retries)
        self._dialer.call_is_over(call)

    def _post(self, call: Call, body: Mapping[str, Any], *, once: bool) -> None:
        call.delivery = self._world.webhooks.post(
            self.name, body, after=call.delivery, once=once, sign=self._secret.sign
        )

    def _line_is_free(self) -> None:
        self._dialer.go_on()

    def _forget(self) -> None:
        self._lines.clear()
        self._keys.clear()
        self._secret.forget()
        self._do_not_call.forget()
        self._messages.forget()
        self._dialer.forget()
