"""Hold agents that files define against what lives at the provider and what was last applied; pure.

Fields are named as files name them, values are plain JSON. Only fields that a file sets, or that
were set by it when it was last applied, are ever looked at: what else somebody sets at the
provider is theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runner.model.json import Json, JsonObject
from runner.planning.digest import canonical_json


class AgentStatus(StrEnum):
    """What applying would do with one defined agent."""

    CREATE = "create"
    """it does not live at the provider yet"""
    UPDATE = "update"
    """the file says something else than what was applied"""
    KEEP = "keep"
    """it is as the file says"""
    DRIFT = "drift"
    """somebody changed it at the provider since it was applied"""
    LEFT = "left"
    """the files define it no longer; it stays at the provider, since nothing is deleted there"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """One agent as the files define it."""

    campaign: str
    name: str
    """the agent's name in the campaign"""
    account: str
    provider: str
    fields: JsonObject
    """as files name them"""
    provider_id: str = ""
    """the id that the file names; empty for an agent that `apply` creates"""
    clearable: frozenset[str] = frozenset()
    """fields that can be emptied at the provider when the file sets them no longer"""

    @property
    def live_name(self) -> str:
        """What the agent is called at the provider; equal for every checkout of the same campaign."""
        mark = hashlib.blake2b(f"{self.campaign}\x1f{self.name}".encode(), digest_size=4).hexdigest()
        return f"{self.name} (outreach {mark})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAgent:
    """An agent as the ledger remembers it."""

    provider_id: str
    """empty while nobody knows whether a create request arrived"""
    fields: JsonObject
    """what the file said when it was last applied"""
    observed: JsonObject = field(default_factory=dict)
    """what the provider made of it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAgent:
    """An agent as the provider shows it."""

    provider_id: str
    name: str
    fields: JsonObject
    """as files name them; a field that the provider does not show is absent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that applying would change."""

    field: str
    old: Json
    """what lives at the provider, or was last applied when nobody asked the provider"""
    new: Json
    """what the file says; None empties the field"""
    drifted: bool = False
    """somebody changed it at the provider"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChange:
    """What applying would do with one agent, and why."""

    spec: AgentSpec
    status: AgentStatus
    provider_id: str = ""
    """the agent that is kept or updated; empty for one that is created"""
    changes: tuple[FieldChange, ...] = ()
    reason: str = ""
    released: tuple[str, ...] = ()
    """fields that the file sets no longer and that stay at the provider as they are"""
    adopted: bool = False
    """it lives at the provider, and this ledger does not know it yet"""

    @property
    def fields(self) -> JsonObject:
        """Give what is written at the provider: every field of a new agent, else those that change."""
        if self.creates:
            return self.spec.fields
        return {one.field: one.new for one in self.changes}

    @property
    def creates(self) -> bool:
        """Whether the agent is made anew."""
        return not self.provider_id and self.status is not AgentStatus.LEFT

    @property
    def writes(self) -> bool:
        """Whether applying sends the provider anything."""
        return self.status is not AgentStatus.LEFT and (self.creates or bool(self.changes))


GONE = "it is gone at the provider"
LEFT = "the files define it no longer, and it stays there"
LEFT_IN_DOUBT = "the files define it no longer, and nobody knows whether it was ever created"
TAKEN = "an agent of this name lives there, and this ledger did not make it what it is"


def compare_applied(spec: AgentSpec, applied: AppliedAgent | None) -> AgentChange:
    """Hold a definition against what was last applied alone: all that can be said without the network."""
    known = spec.provider_id or (applied.provider_id if applied else "")
    if not known:
        return AgentChange(spec=spec, status=AgentStatus.CREATE, reason="it was never applied")
    if applied is None or applied.provider_id != known:
        reason = "it was never applied, and only --online can say what it is now"
        changes = tuple(FieldChange(field=name, old=None, new=value) for name, value in spec.fields.items())
        return AgentChange(spec=spec, status=AgentStatus.UPDATE, provider_id=known, changes=changes, reason=reason)
    cleared, released = _left(spec, applied)
    changes = (
        *(
            FieldChange(field=name, old=applied.fields.get(name), new=value)
            for name, value in spec.fields.items()
            if not same(value, applied.fields.get(name))
        ),
        *(FieldChange(field=name, old=applied.fields[name], new=None) for name in cleared),
    )
    return _settled(spec, known, changes, released)


def compare_live(spec: AgentSpec, applied: AppliedAgent | None, live: LiveAgent | None) -> AgentChange:
    """Hold a definition against the agent that lives at the provider, None when there is none.

    A field that the provider changed since it was applied is drift, unless it is now as the file
    says. An agent that is known and gone is drift as well. One that has the name and that this
    ledger does not know is drift where it differs, since somebody else may rely on it; one whose id
    the file names is simply made what the file says.
    """
    before = applied if applied is not None and applied.provider_id else None
    if live is None:
        gone = spec.provider_id or before
        status, reason = (AgentStatus.DRIFT, GONE) if gone else (AgentStatus.CREATE, "it does not live there yet")
        return AgentChange(spec=spec, status=status, reason=reason)
    if before is None or before.provider_id != live.provider_id:
        return _adopted(spec, applied, live)
    cleared, released = _left(spec, before)
    wanted: dict[str, Json] = {**spec.fields, **dict.fromkeys(cleared)}
    changes = tuple(
        change for name, value in wanted.items() if (change := _field(name, value, before, live)) is not None
    )
    return _settled(spec, live.provider_id, changes, released)


def left_behind(spec: AgentSpec, applied: AppliedAgent) -> AgentChange:
    """Say of an agent that the ledger knows and no file defines that it stays; `spec` is what was last applied."""
    reason = LEFT if applied.provider_id else LEFT_IN_DOUBT
    return AgentChange(spec=spec, status=AgentStatus.LEFT, provider_id=applied.provider_id, reason=reason)


def problems_of_names(found: Sequence[LiveAgent]) -> str:
    """Say what keeps a look-up by name from telling which agent is meant; empty when nothing does."""
    if len(found) <= 1:
        return ""
    ids = ", ".join(f"`{one.provider_id}`" for one in found)
    return f"{len(found)} agents are named `{found[0].name}`: {ids}"


def observed_of(fields: JsonObject, live: LiveAgent | None) -> dict[str, Json]:
    """Give what the provider made of the fields that were written; what it does not show counts as written."""
    shown = live.fields if live is not None else {}
    return {name: shown.get(name, value) for name, value in fields.items()}


def definition_digest(fields: JsonObject) -> str:
    """Give the fingerprint of a definition: 32 hex digits."""
    return hashlib.blake2b(canonical_json(fields).encode(), digest_size=16).hexdigest()


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal: numbers by value, nothing and emptiness alike."""
    return agrees(one, other) and agrees(other, one)


def agrees(wanted: Json, live: Json) -> bool:
    """Whether a live value is what is wanted; keys that only the provider knows do not count.

    Nothing, an empty text, an empty list and an empty map are one: providers print them as they like.
    """
    if _is_empty(wanted):
        return _is_empty(live)
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(agrees(value, live.get(key)) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(live, (list, tuple))
            and len(live) == len(wanted)
            and all(agrees(one, other) for one, other in zip(wanted, live, strict=True))
        )
    if isinstance(wanted, bool) or isinstance(live, bool):
        return wanted is live
    return wanted == live


def _is_empty(value: Json) -> bool:
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value)


def _left(spec: AgentSpec, applied: AppliedAgent) -> tuple[list[str], tuple[str, ...]]:
    """Name the fields that the file sets no longer: those that are emptied, and those that stay as they are."""
    left = [name for name, value in applied.fields.items() if name not in spec.fields and not _is_empty(value)]
    cleared = [name for name in left if name in spec.clearable]
    return cleared, tuple(name for name in left if name not in spec.clearable)


def _field(name: str, wanted: Json, applied: AppliedAgent, live: LiveAgent) -> FieldChange | None:
    """Say what applying would change about one field; None when nothing."""
    before = applied.fields.get(name)
    if name not in live.fields:
        return None if same(wanted, before) else FieldChange(field=name, old=before, new=wanted)
    now = live.fields[name]
    if agrees(wanted, now):
        # A part that the file has dropped, such as a voice's speed, still lives there.
        dropped = not agrees(before, wanted) and agrees(before, now)
        return FieldChange(field=name, old=now, new=wanted) if dropped and not _is_empty(before) else None
    if name in applied.observed and not same(applied.observed[name], now):
        return FieldChange(field=name, old=now, new=wanted, drifted=True)
    # The provider may write a value in its own way; as long as neither side moved, that is no change.
    return None if same(wanted, before) else FieldChange(field=name, old=now, new=wanted)


def _adopted(spec: AgentSpec, applied: AppliedAgent | None, live: LiveAgent) -> AgentChange:
    """Take over an agent that this ledger does not know: by its id, by its name, or after a lost answer."""
    differing = [
        name for name, value in spec.fields.items() if name in live.fields and not agrees(value, live.fields[name])
    ]
    foreign = bool(differing) and not spec.provider_id and applied is None
    changes = tuple(
        FieldChange(field=name, old=live.fields[name], new=spec.fields[name], drifted=foreign) for name in differing
    )
    status = AgentStatus.DRIFT if foreign else AgentStatus.UPDATE if changes else AgentStatus.KEEP
    return AgentChange(
        spec=spec, status=status, provider_id=live.provider_id, changes=changes, adopted=True,
        reason=TAKEN if foreign else "it lives there already",
    )  # fmt: skip


def _settled(
    spec: AgentSpec, provider_id: str, changes: tuple[FieldChange, ...], released: tuple[str, ...]
) -> AgentChange:
    drifted = any(one.drifted for one in changes)
    status = AgentStatus.DRIFT if drifted else AgentStatus.UPDATE if changes else AgentStatus.KEEP
    reason = "somebody changed it at the provider" if drifted else ""
    return AgentChange(
        spec=spec, status=status, provider_id=provider_id, changes=changes, reason=reason, released=released
    )
