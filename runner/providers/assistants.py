"""The agents' endpoints of providers that have some: what each builds and reads; pure, sends nothing.

Fields go in and come out as campaign files name them, as plain JSON, whatever a provider calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from runner.errors import InDoubt
from runner.model.durations import format_duration, parse_duration
from runner.model.fields import FilePart
from runner.model.json import Json, JsonObject
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.planning.agents import LiveAgent
from runner.providers.reading import number_of
from runner.providers.replies import answered_document

NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPage:
    """One page of an account's agents."""

    agents: tuple[LiveAgent, ...]
    more: bool = False
    """there is another page to ask for"""


class AgentsApi(Protocol):
    """One provider's endpoints for agents."""

    @property
    def clearable(self) -> frozenset[str]:
        """Name the fields that the provider empties when it is sent nothing for them."""
        ...

    def fields(self, definition: FilePart, prompt: str) -> JsonObject:
        """Give the fields of a definition of the provider's own model, `prompt` in place of where it stands."""
        ...

    def create_request(self, name: str, fields: JsonObject) -> Request:
        """Build the request that makes an agent."""
        ...

    def update_request(self, provider_id: str, fields: JsonObject) -> Request:
        """Build the request that changes these fields of an agent and no other; None empties a field."""
        ...

    def get_request(self, provider_id: str) -> Request:
        """Build the request that shows an agent."""
        ...

    def list_request(self, page: int) -> Request:
        """Build the request for a page of the account's agents, pages from 0."""
        ...

    def read_written(self, reply: Reply) -> LiveAgent:
        """Read the answer to a create or update request; raise Rejected, Throttled or InDoubt."""
        ...

    def read_found(self, reply: Reply) -> LiveAgent | None:
        """Read the answer to a get request, None when there is no such agent; raise a SendError when it says nothing."""
        ...

    def read_list(self, reply: Reply) -> AgentPage:
        """Read the answer to a list request; raise a SendError when it says nothing."""
        ...


def agents_api(account: Account) -> AgentsApi | None:
    """Give the agents' endpoints of an account's provider, in its generation; None where there are none."""
    from runner.providers.assistants_movoice import MovoiceAgents  # noqa: PLC0415 both import the types above
    from runner.providers.assistants_revox import RevoxAssistants  # noqa: PLC0415 both import the types above

    if account.provider == "movoice":
        return MovoiceAgents()
    if account.provider == "revox":
        return RevoxAssistants(generation="D" if account.generation.lower() == "d" else "A")
    return None


def written_fields(definition: FilePart, prompt: str) -> dict[str, Json]:
    """Give every field that a definition sets as plain JSON, the prompt as its text."""
    found: dict[str, Json] = definition.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return {**found, "prompt": prompt}


def found_document(provider: str, reply: Reply) -> JsonObject | None:
    """Give the JSON object that shows an agent, None when the provider says that there is none."""
    return None if reply.status == NOT_FOUND else answered_document(provider, reply)


def no_list(provider: str) -> InDoubt:
    """Build the error for an answer that lists no agents."""
    return InDoubt(f"{provider} answered without a list of agents")


def seconds_of(span: Json) -> Json:
    """Write a span such as `10m` as seconds; anything else stays as it is."""
    return int(parse_duration(span) / timedelta(seconds=1)) if isinstance(span, str) else span


def span_of(seconds: Json) -> Json:
    """Write seconds as a span such as `10m`; anything else stays as it is."""
    number = number_of(seconds)
    if number is None or not 0 < number < timedelta(days=366).total_seconds():
        return seconds
    return format_duration(timedelta(seconds=number))


def renamed(fields: JsonObject, names: Mapping[str, str]) -> dict[str, Json]:
    """Give the fields under other names; those without another name keep theirs."""
    return {names.get(name, name): value for name, value in fields.items()}
