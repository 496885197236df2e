"""Routes: how a step reaches people, and what goes out by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from runner.model.campaign import Agent, Step
from runner.model.plan import BackupRequest
from runner.model.project import Account
from runner.model.request import Order, Request


class RequestBuilder(Protocol):
    """The part of a provider that planning needs: it builds requests and sends nothing."""

    name: str

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the headers that carry a credential."""
        ...

    def build(self, order: Order) -> Request:
        """Build the request for an order."""
        ...

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant an attempt's key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one step reaches people: its agent, the account that pays, the provider that places."""

    step: Step
    index: int
    agent: Agent
    account: Account
    provider: RequestBuilder
    options: Mapping[str, Any]
    """the provider's options, validated, the step's own over the agent's"""
    backups: tuple[Route, ...] = ()
    """who takes over while the account fails, in this order"""


def request_of(route: Route, order: Order, key: str) -> tuple[Request, Request]:
    """Give the request of an order as it is kept, and as the first attempt sends it."""
    request = route.provider.build(order)
    return request, route.provider.stamp(request, key, in_body=route.agent.reference == "metadata")


def backup_of(route: Route, order: Order, key: str) -> BackupRequest:
    """Give what goes out through an agent that takes over: the same words, its own number and options."""
    own = replace(order, agent_id=route.agent.id, from_number=route.agent.from_ or "", options=route.options)
    request, stamped = request_of(route, own, key)
    return BackupRequest(
        provider=route.provider.name, account=route.account.name, agent=route.step.agent, agent_id=route.agent.id,
        from_number=own.from_number, method=request.method, path=request.path,
        url=route.account.base_url + stamped.path, headers=headers_of(route, stamped), body=stamped.body,
        payload=request.body,
    )  # fmt: skip


def headers_of(route: Route, request: Request) -> dict[str, str]:
    """Give the headers of a request as sent, with the credential's reference in place of the credential."""
    return {
        "Content-Type": "application/json",
        **route.provider.auth_headers(route.account.credential),
        **request.headers,
    }
