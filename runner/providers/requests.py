"""What every provider's requests have in common: own options, planted keys, quoted paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from runner.errors import Diagnostic, FilesWrong, UsageWrong
from runner.model.campaign import Agent
from runner.model.fields import FilePart
from runner.model.json import Json
from runner.model.request import Request

KEY_HEADER = "Idempotency-Key"
"""carries an attempt's key: documented at RevRing, ignored elsewhere"""
REFERENCE = "attempt_id"
"""the name under which an attempt's key stands in a body's metadata"""


def chosen_options(model: type[FilePart], options: Mapping[str, Any]) -> dict[str, Json]:
    """Give the options that the files set, as JSON, in the order of the model.

    An agent that both calls and texts carries the options of both; those of the other channel are left out.
    """
    own = {key: value for key, value in options.items() if key in model.model_fields}
    if not own:
        return {}
    return model.model_validate(own).model_dump(mode="json", by_alias=True, exclude_unset=True)


def with_key_header(request: Request, key: str) -> Request:
    """Plant an attempt's key in the header; gives a new request."""
    return replace(request, headers={**request.headers, KEY_HEADER: key})


def with_key_in_metadata(request: Request, key: str) -> Request:
    """Plant an attempt's key in the body's metadata, which keeps its place or is put last; gives a new request."""
    body = dict(request.body or {})
    metadata = body.get("metadata")
    body["metadata"] = {**(metadata if isinstance(metadata, Mapping) else {}), REFERENCE: key}
    return replace(request, body=body)


def as_texts(variables: Mapping[str, Json]) -> dict[str, Json]:
    """Write every variable as text, for a provider that takes a map of strings: nothing is empty, the rest is JSON."""
    return {name: _as_text(value) for name, value in variables.items()}


def utc_text(at: datetime, timespec: str = "auto") -> str:
    """Write an aware instant in UTC, with `Z`; ``timespec`` as in isoformat."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def segment(id: str) -> str:
    """Quote an id as one segment of a path."""
    return quote(id, safe="")


def with_query(path: str, query: Mapping[str, str | int]) -> str:
    """Put a query behind a path; ``+`` in numbers is percent-encoded."""
    return f"{path}?{urlencode(query, quote_via=quote)}"


def id_problem(agent: Agent, example: str) -> tuple[str, str] | None:
    """Say what is wrong with an agent's id, which is one word at every provider; None when nothing is."""
    if not agent.id and agent.define is not None:
        return None
    if agent.id and agent.id.isprintable() and not any(char.isspace() for char in agent.id):
        return None
    return (
        f"`{agent.id}` is not an agent's id: it has blanks in it",
        f"write the id as {agent.provider} prints it: {example}",
    )


def no_texts(provider: str) -> UsageWrong:
    """Build the error for a text by a provider that sends none."""
    return UsageWrong(f"{provider} sends no texts", help="use a revring or revmo agent for `text` steps")


def no_native(provider: str) -> FilesWrong:
    """Build the error for a single request that is to go through a provider's own campaigns, which take many people."""
    return files_wrong(
        f"{provider} takes people into its own campaigns together, not one by one",
        "write: delivery: single",
        "delivery",
    )


def files_wrong(message: str, help: str, path: str) -> FilesWrong:
    """Build the error for an order that the files should not have asked for."""
    return FilesWrong([Diagnostic(code="C06", message=message, help=help, path=path)])


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
