"""RevRing's messages: texts that agents send, and those that people send to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revring_checks as checks
from runner.sandbox import revring_records as records
from runner.sandbox.call import Call
from runner.sandbox.people import Kind
from runner.sandbox.revring_lists import page_of
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import World

_ANY_AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


class OpenCall(Protocol):
    """Writes down a call or text that nobody launched yet."""

    def __call__(self, kind: Kind, request: Request, body: Mapping[str, Any], *, to: str, agent: str) -> Call:
        """Give the call; nothing happens to it yet."""
        ...


class RevringMessages:
    """The messages of one organization; those with one person belong to one conversation."""

    def __init__(self, world: World, open_call: OpenCall) -> None:
        self._world = world
        self._open_call = open_call
        self._conversations: dict[str, str] = {}
        self._received: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/messages", self._send, methods=["POST"]),
            Route("/messages", self._list, methods=["GET"]),
            Route("/messages/{id}", self._get, methods=["GET"]),
        ]

    def forget(self) -> None:
        """Forget every conversation and every text that came in."""
        self._conversations.clear()
        self._received.clear()

    def receive(self, *, sender: str, to: str, agent: str, text: str) -> dict[str, Any]:
        """Keep a text that a person sent, and give the webhook about it."""
        latest = next((one for one in reversed(self._sent()) if one.to == sender), None)
        agent = agent or (latest.agent if latest else "") or _ANY_AGENT
        received = records.ReceivedText(
            agent=agent,
            conversation=self._conversation(sender),
            sender=sender,
            to=to,
            body=text,
            carrier=f"SM{self._world.new_id('carrier')}",
        )
        number = f"msg_{self._world.new_id('text')[:16]}"
        self._received.append(records.received_record(received, id=number, at=self._world.clock.now()))
        return records.received_body(received)

    async def _send(self, request: Request) -> Response:
        body = await checks.read_message(request)
        message = self._open_call("text", request, body, to=body["to"], agent=body.get("agentId", ""))
        message.facts["conversation"] = self._conversation(message.to)
        message.facts["carrier"] = f"SM{self._world.new_id('carrier')}"
        self._world.launch(message)
        return Json({"data": records.message_record(message)}, 201)

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        agent, status = query.get("agentId"), query.get("status")
        direction = query.get("direction", "").upper()
        sent = [records.message_record(message) for message in self._sent()]
        chosen = {"OUTBOUND": sent, "INBOUND": self._received}.get(direction, [*self._received, *sent])
        found = [
            record
            for record in chosen
            if "callId" not in query and agent in {None, record["agentId"]} and status in {None, record["status"]}
        ]
        found.sort(key=lambda record: record["createdAt"])
        return page_of(query, found[::-1], lambda record: record)

    async def _get(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        for record in self._received:
            if record["id"] == wanted:
                return Json({"data": record})
        message = self._world.call("revring", wanted)
        if message is None or message.kind != "text":
            raise Refused(404, {"error": "not_found"})
        return Json({"data": records.message_record(message)})

    def _sent(self) -> list[Call]:
        return [call for call in self._world.calls("revring") if call.kind == "text"]

    def _conversation(self, phone: str) -> str:
        if phone not in self._conversations:
            self._conversations[phone] = f"conv_{self._world.new_id('conversation')[:12]}"
        return self._conversations[phone]
