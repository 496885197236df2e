"""The fingerprint of a payload and the digest of a plan: the same input gives the same digest anywhere.

Neither the time of planning nor a file's name or formatting counts; what would be sent, to whom,
by which rules and which version of the tool does. The host does not either: a rehearsal against
the sandbox is of the same plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from runner import __version__
from runner.model.campaign import Campaign
from runner.model.json import JsonObject
from runner.model.plan import PlanLine, PlanStatus

_in_one_way = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical_json(value: object) -> str:
    """Write JSON in one way only: sorted keys, no spaces, characters as they are."""
    return _in_one_way(value)


def fingerprint(method: str, path: str, payload: JsonObject | None) -> str:
    """Give the fingerprint of a rendered request: 32 hex digits."""
    text = f"{method} {path} {canonical_json(payload)}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def line_fingerprint(line: PlanLine) -> str:
    """Give the fingerprint of what a line would send, its backups included."""
    own = fingerprint(line.method, line.path, line.payload)
    if not line.backups:
        return own
    parts = [own, *(f"{one.account} {fingerprint(one.method, one.path, one.payload)}" for one in line.backups)]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def rules_digest(campaign: Campaign, sources: Mapping[str, str]) -> str:
    """Give the digest of a campaign that repeats: of its rules and templates, since its people come with each round."""
    return Digest(campaign, dict(sources)).value()


class Digest:
    """Takes in a campaign and its lines, in order; gives the plan's digest."""

    def __init__(self, campaign: Campaign, sources: dict[str, str]) -> None:
        self._hash = hashlib.sha256()
        self._has_conditions = any(step.when for step in campaign.steps)
        self._take(__version__, canonical_json(campaign.model_dump(mode="json")), canonical_json(sources))

    def add(self, line: PlanLine) -> None:
        """Take in what would be sent, to whom and from which zones; not when, and not what the ledger holds."""
        self._take(
            line.contact_key,
            line.phone,
            line.step,
            line.account,
            line.method,
            line.path,
            canonical_json(line.payload),
            " ".join(line.zones),
            # Conditions of later steps are decided on the row as it was applied.
            canonical_json(line.cells) if self._has_conditions else "",
            # Neither is sent anything, and somebody who is held stands in the ledger.
            *(("held",) if line.status is PlanStatus.HOLD else ()),
            *(("backups", line_fingerprint(line)) if line.backups else ()),
            *(("variant", line.variant) if line.variant else ()),
        )

    def value(self) -> str:
        """Give the digest: `sha256:` and 64 hex digits."""
        return f"sha256:{self._hash.hexdigest()}"

    def _take(self, *parts: str) -> None:
        for part in parts:
            self._hash.update(part.encode())
            self._hash.update(b"\x1f")
        self._hash.update(b"\x1e")
