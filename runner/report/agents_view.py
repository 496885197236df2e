"""Defined agents for people and machines: what applying would do with each, field by field."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from runner.model.json import Json
from runner.planning.agents import AgentChange, AgentStatus, FieldChange

SIGNS: Mapping[AgentStatus, tuple[str, str]] = {
    AgentStatus.CREATE: ("+", "green"),
    AgentStatus.UPDATE: ("~", "yellow"),
    AgentStatus.KEEP: ("=", "dim"),
    AgentStatus.DRIFT: ("!", "red"),
    AgentStatus.LEFT: ("·", "dim"),
}
"""the sign and the style of each status"""

LINES = 12
"""lines of a changed text that are shown"""
_WIDTH = 60


def print_agents(console: Console, changes: Sequence[AgentChange], *, online: bool, everything: bool = False) -> None:
    """Print what applying would do with agents; `online` says what they were compared with."""
    if not changes:
        return
    against = "what lives at the provider" if online else "what was last applied; --online asks the provider"
    console.print(Text.assemble((f"{changes[0].spec.campaign} · agents", "bold"), f" · compared with {against}"))
    for change in changes:
        sign, style = SIGNS[change.status]
        console.print(Text(f"  {sign} {_title(change)}", style=style))
        for field in _fields(change):
            for line in _field_lines(field, everything=everything):
                console.print(Text(f"      {line}"), soft_wrap=True)
        if change.released:
            names = ", ".join(change.released)
            console.print(Text(f"      no longer in the file, left as it is there: {names}", style="dim"))
    console.print()


def agent_line(change: AgentChange, *, online: bool) -> str:
    """Write what applying would do with one agent as one line of JSON."""
    spec = change.spec
    facts: dict[str, Any] = {
        "campaign": spec.campaign,
        "name": spec.name,
        "provider": spec.provider,
        "account": spec.account,
        "id": change.provider_id or None,
        "live_name": spec.live_name,
        "status": change.status.value,
        "reason": change.reason or None,
        "compared_with": "provider" if online else "ledger",
        "changes": [
            {"field": one.field, "old": one.old, "new": one.new, "drift": one.drifted} for one in _fields(change)
        ],
        "left_as_is": list(change.released),
    }
    return json.dumps({"agent": facts}, ensure_ascii=False)


def _title(change: AgentChange) -> str:
    at = f"{change.spec.provider}/{change.provider_id}" if change.provider_id else change.spec.provider
    reason = f": {change.reason}" if change.reason else ""
    return f"{change.spec.name} at {at} {change.status}{reason}"


def _fields(change: AgentChange) -> tuple[FieldChange, ...]:
    """Give every field of an agent that is made, else those that change."""
    if not change.creates:
        return change.changes
    return tuple(FieldChange(field=name, old=None, new=value) for name, value in change.spec.fields.items())


def _field_lines(change: FieldChange, *, everything: bool) -> list[str]:
    drift = "   (changed at the provider)" if change.drifted else ""
    if not (_is_long(change.old) or _is_long(change.new)):
        if change.old is None:
            return [f"{change.field}: {_shown(change.new)}{drift}"]
        return [f"{change.field}: {_shown(change.old)} → {_shown(change.new)}{drift}"]
    lines = _text_diff(_as_lines(change.old), _as_lines(change.new))
    cut = [] if everything or len(lines) <= LINES else [f"  … {len(lines) - LINES} more lines (--all)"]
    kept = lines if everything else lines[:LINES]
    return [f"{change.field}:{drift}", *(f"  {line}" for line in kept), *cut]


def _text_diff(old: list[str], new: list[str]) -> list[str]:
    """Give the lines that go and come, without those that stay."""
    found = difflib.unified_diff(old, new, lineterm="", n=0)
    return [_printable(line) for line in found if not line.startswith(("---", "+++", "@@"))]


def _is_long(value: Json) -> bool:
    return isinstance(value, str) and ("\n" in value.strip() or len(value) > _WIDTH)


def _as_lines(value: Json) -> list[str]:
    if value is None:
        return []
    return value.splitlines() if isinstance(value, str) else [_shown(value)]


def _shown(value: Json) -> str:
    """Write a value in one line; what a terminal would obey is escaped."""
    return "nothing" if value is None else _printable(json.dumps(value, ensure_ascii=False, default=dict))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
