"""Movoice's agents: `/agents`, in camel case, bare or in a `data` envelope, listed page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.model.fields import FilePart
from runner.model.json import Json, JsonObject
from runner.model.request import Reply, Request
from runner.planning.agents import LiveAgent
from runner.providers.assistants import AgentPage, found_document, no_list, renamed, written_fields
from runner.providers.reading import child, count_of, first_id, object_of, objects_of, text_of
from runner.providers.replies import accepted_document, no_id
from runner.providers.requests import segment, with_query

PROVIDER = "movoice"
PAGE_SIZE = 100

_NAMES = {"first_sentence": "welcomeMessage", "webhook_url": "webhookUrl"}
_FROM_WIRE = {wire: name for name, wire in _NAMES.items()}
_PAIRS = {"model": ("llmProvider", "llmModel"), "voice": ("ttsProvider", "ttsVoice")}
_PLAIN = ("prompt", "asrProvider", "language", "isActive", *_FROM_WIRE)


@dataclass(frozen=True, slots=True)
class MovoiceAgents:
    """Movoice's endpoints for agents; what its own tools send, since no reference is public."""

    clearable: frozenset[str] = frozenset()
    """nothing is known to be emptied by sending nothing"""

    def fields(self, definition: FilePart, prompt: str) -> JsonObject:
        """Give the fields of a MovoiceDefinition."""
        return written_fields(definition, prompt)

    def create_request(self, name: str, fields: JsonObject) -> Request:
        """Build `POST /agents`."""
        return Request(method="POST", path="/agents", body={"name": name, **_to_wire(fields)})

    def update_request(self, provider_id: str, fields: JsonObject) -> Request:
        """Build `PATCH /agents/{id}`."""
        return Request(method="PATCH", path=f"/agents/{segment(provider_id)}", body=_to_wire(fields))

    def get_request(self, provider_id: str) -> Request:
        """Build `GET /agents/{id}`."""
        return Request(method="GET", path=f"/agents/{segment(provider_id)}")

    def list_request(self, page: int) -> Request:
        """Build `GET /agents` for one page; Movoice counts pages from 1."""
        return Request(method="GET", path=with_query("/agents", {"page": page + 1, "per_page": PAGE_SIZE}))

    def read_written(self, reply: Reply) -> LiveAgent:
        """Read the agent that was made or changed."""
        agent = _agent(accepted_document(PROVIDER, reply))
        if not agent.provider_id:
            raise no_id(PROVIDER, reply)
        return agent

    def read_found(self, reply: Reply) -> LiveAgent | None:
        """Read an agent."""
        document = found_document(PROVIDER, reply)
        if document is None:
            return None
        agent = _agent(document)
        if not agent.provider_id:
            raise no_id(PROVIDER, reply)
        return agent

    def read_list(self, reply: Reply) -> AgentPage:
        """Read a page of agents: bare or enveloped, under `agents` or under `data`."""
        document = found_document(PROVIDER, reply)
        if document is None:
            raise no_list(PROVIDER)
        listing = _listing(document)
        if listing is None:
            raise no_list(PROVIDER)
        items = objects_of(listing)
        return AgentPage(agents=tuple(_live(item) for item in items), more=_has_more(document, len(items)))


def _agent(document: JsonObject) -> LiveAgent:
    """Take off the envelopes that an answer may have."""
    inner = object_of(document.get("data")) or document
    return _live(object_of(inner.get("agent")) or inner)


def _listing(document: JsonObject) -> Json:
    candidates = (document.get("agents"), document.get("data"), child(document, "data", "agents"))
    return next((one for one in candidates if isinstance(one, (list, tuple))), None)


def _has_more(document: JsonObject, length: int) -> bool:
    """Whether a page follows: by the total where it is told, else unless nothing came."""
    facts = {**object_of(document.get("data")), **document}
    total, page = count_of(facts.get("total")), count_of(facts.get("page"))
    size = count_of(facts.get("per_page")) or PAGE_SIZE
    if total is not None and page:
        return length > 0 and page * size < total
    # Without a total, a page may be short because the provider allows fewer than were asked for.
    return length > 0


def _live(agent: JsonObject) -> LiveAgent:
    fields: dict[str, Json] = {_FROM_WIRE.get(key, key): agent[key] for key in _PLAIN if key in agent}
    for name, (provider, chosen) in _PAIRS.items():
        if provider in agent or chosen in agent:
            fields[name] = {"provider": agent.get(provider), "id": agent.get(chosen)}
    return LiveAgent(provider_id=first_id(agent, "id", "agent_id"), name=text_of(agent.get("name")), fields=fields)


def _to_wire(fields: JsonObject) -> dict[str, Json]:
    body = renamed({name: value for name, value in fields.items() if name not in _PAIRS}, _NAMES)
    for name, (provider, chosen) in _PAIRS.items():
        value = fields.get(name)
        if isinstance(value, Mapping):
            body |= {provider: value.get("provider"), chosen: value.get("id")}
    return body
