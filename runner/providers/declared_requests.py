"""Builds the requests of a declared provider from its templates, the mark of the reference in place of a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.errors import UsageWrong
from runner.model.channel import Channel
from runner.model.http_api import HttpApi
from runner.model.json import Json
from runner.model.request import Order, Request, Sent
from runner.providers.requests import files_wrong
from runner.rules.faults import RenderFailed
from runner.rules.request_templates import (
    NOTHING,
    REFERENCE_MARK,
    Absent,
    RequestText,
    Tree,
    compile_text,
    compile_tree,
    filled_tree,
    path_with_reference,
    tree_names,
    with_reference,
)


class DeclaredRequests:
    """The templates of a declaration, compiled; raises TemplateWrong for one that was never checked."""

    def __init__(self, name: str, api: HttpApi) -> None:
        self._name = name
        self._api = api
        self._placing = {
            channel: (compile_text(one.path), compile_tree(one.body)) for channel, one in api.placing.items()
        }
        self._headers = {header: compile_text(text) for header, text in api.headers.items()}
        self._poll = compile_text(api.poll.path) if api.poll else None
        self._cancel = compile_text(api.cancel.path) if api.cancel else None
        self._find = compile_text(api.find.path) if api.find else None
        self._find_body = compile_tree(api.find.body if api.find else {})

    @property
    def has_pages(self) -> bool:
        """Whether the look-up can be asked for further pages."""
        return self._find is not None and "page" in self._find.names | tree_names(self._find_body)

    def names(self, channel: Channel) -> frozenset[str]:
        """Give the dotted names that a channel's templates read; raise UsageWrong for one that is not declared."""
        path, body = self._of(channel)
        return path.names | tree_names(body)

    def place(self, order: Order) -> Request:
        """Build the request for an order.

        Raises UsageWrong for a channel that is not declared, FilesWrong for a value that a path
        lacks or a template cannot use.
        """
        path, tree = self._of(order.channel)
        values = _order_values(self._api, order)
        try:
            where, body = path.path(values), filled_tree(tree, values)
        except RenderFailed as error:
            raise files_wrong(error.message, error.help, f"providers.{self._name}.{order.channel}") from None
        if isinstance(where, Absent):
            raise files_wrong(
                f"the path of {self._name} needs a value for each of `{', '.join(sorted(path.names))}`",
                "give the campaign what is missing, or change the path in outreach.yaml",
                f"providers.{self._name}.{order.channel}.path",
            )
        return Request(method=self._api.placing[order.channel].method, path=where, body=_object(body))

    def stamp(self, request: Request, key: str) -> Request:
        """Put a key wherever the mark stands, and into the header."""
        body = {name: with_reference(value, key) for name, value in (request.body or {}).items()}
        planted = {self._api.key_header: key} if self._api.key_header else {}
        headers = {**request.headers, **self._own_headers({"reference": key}), **planted}
        return replace(request, path=path_with_reference(request.path, key), body=body, headers=headers)

    def poll(self, sent: Sent) -> Request | None:
        """Build the request that asks how it ended; None where there is none, or the id that its path names is not known."""
        return self._about(self._poll, "GET", sent)

    def cancel(self, sent: Sent) -> Request | None:
        """Build the request that calls it off; None where there is none, or the id that its path names is not known."""
        return self._about(self._cancel, self._api.cancel.method if self._api.cancel else "", sent)

    def find(self, sent: Sent, page: int) -> Request | None:
        """Build the look-up for a page, from 0; None where there is none, and past the only page."""
        if self._api.find is None or self._find is None or (page and not self.has_pages):
            return None
        values = {**_sent_values(sent), "page": page}
        where, body = self._find.path(values), filled_tree(self._find_body, values)
        if isinstance(where, Absent):
            return None
        method = self._api.find.method
        sending = _object(body) if method == "POST" else None
        return Request(method=method, path=where, body=sending, headers=self._own_headers(values))

    def check(self) -> Request | None:
        """Build the request with which a key is tried; None where there is none."""
        return Request(method="GET", path=self._api.check, headers=self._own_headers({})) if self._api.check else None

    def _about(self, text: RequestText | None, method: str, sent: Sent) -> Request | None:
        values = _sent_values(sent)
        where = NOTHING if text is None else text.path(values)
        if isinstance(where, Absent):
            return None
        return Request(method=method, path=where, headers=self._own_headers(values))

    def _own_headers(self, values: Mapping[str, Any]) -> dict[str, str]:
        filled = {name: text.value(values) for name, text in self._headers.items()}
        return {name: str(value) for name, value in filled.items() if not isinstance(value, Absent)}

    def _of(self, channel: Channel) -> tuple[RequestText, Tree]:
        if channel not in self._placing:
            what = {"call": "places no calls", "text": "sends no texts"}[channel]
            raise UsageWrong(f"{self._name} {what}", help=f"declare `{channel}` below providers.{self._name}")
        return self._placing[channel]


def _order_values(api: HttpApi, order: Order) -> dict[str, Any]:
    """Give what the templates of an order see; what is empty is not there."""
    rules = api.options
    usual = {name: rule.read(rule.default) for name, rule in rules.items() if rule.default is not None}
    chosen = {name: one for name, one in order.options.items() if name in rules and one is not None}
    values: dict[str, Any] = {
        "phone": order.phone,
        "from": order.from_number,
        "agent": order.agent_id,
        "campaign": order.campaign,
        "channel": order.channel,
        "message": order.message,
        "reference": REFERENCE_MARK,
    }
    present = {name: value for name, value in values.items() if value}
    options = usual | {name: rules[name].read(value) for name, value in chosen.items()}
    return {**present, "variables": dict(order.variables), "options": options}


def _sent_values(sent: Sent) -> dict[str, Any]:
    values = {
        "id": sent.provider_id,
        "reference": sent.key,
        "phone": sent.phone,
        "agent": sent.agent_id,
        "campaign": sent.campaign,
        "channel": sent.channel,
    }
    return {name: value for name, value in values.items() if value}


def _object(value: Json | Absent) -> dict[str, Json]:
    return dict(value) if isinstance(value, Mapping) else {}
