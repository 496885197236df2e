"""Write a plan into the ledger as a revision, and read back what a new plan must know."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from runner.errors import LedgerError
from runner.ledger.instants import to_micros
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import ContactState
from runner.model.plan import PlanLine, PlanStatus
from runner.planning.digest import canonical_json, fingerprint
from runner.planning.known import KnownCampaign, KnownContact

CHUNK = 500
"""contacts for each transaction"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """What is written down about a plan that is applied."""

    campaign: str
    digest: str
    policy: str
    """the canonical campaign as JSON"""
    accounts: str
    """the accounts that it uses as JSON, credentials by reference"""
    git_commit: str
    applied_by: str
    applied_at: datetime
    tool_version: str
    tzdata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What applying a plan did."""

    revision: int
    created: int = 0
    changed: int = 0
    removed: int = 0
    is_new: bool = True
    """False when the same plan was in force already and nothing was written"""


def known_campaign(store: Store, name: str) -> KnownCampaign:
    """Read what a plan must know of a campaign; empty when it never was applied."""
    suppressions = {row["phone"]: f"{row['reason']} ({row['source']})" for row in store.all("suppressions")}
    found = store.one("campaign_id", name=name)
    if found is None:
        return KnownCampaign(suppressions=suppressions)
    in_force = store.one("campaign_in_force", name=name)
    fingerprints: dict[int, dict[str, str]] = {}
    for row in store.all("known_payloads", campaign_id=found["id"]):
        fingerprints.setdefault(row["contact_id"], {})[row["step"]] = row["fingerprint"]
    attempts: dict[int, dict[str, AttemptState]] = {}
    for row in store.all("known_attempts", campaign_id=found["id"]):
        attempts.setdefault(row["contact_id"], {})[row["step"]] = AttemptState(row["state"])
    contacts = {
        row["key"]: KnownContact(
            phone=row["phone"],
            state=ContactState(row["state"]),
            fingerprints=fingerprints.get(row["id"], {}),
            attempts=attempts.get(row["id"], {}),
            zones=tuple(row["zones"].split()),
        )
        for row in store.all("known_contacts", campaign_id=found["id"])
    }
    digest = in_force["digest"] if in_force is not None and in_force["complete"] else ""
    return KnownCampaign(digest=digest, contacts=contacts, suppressions=suppressions)


def record(store: Store, new: NewRevision, lines: Iterable[PlanLine], digest_of_lines: Callable[[], str]) -> Recorded:
    """Write a plan: one transaction for each chunk, safe to run again after a crash.

    Until the last chunk is written the campaign places nothing. Applying the plan that is in
    force already writes nothing at all. `digest_of_lines` is asked after the last line; when it
    is not the revision's own, the files changed underway: LedgerError, and the campaign places
    nothing until it is applied again.
    """
    in_force = store.one("campaign_in_force", name=new.campaign)
    if in_force is not None and in_force["complete"] and in_force["digest"] == new.digest:
        return Recorded(revision=in_force["revision_id"], is_new=False)
    campaign_id, revision_id = _open_revision(store, new)
    policy_changed = in_force is not None and in_force["policy"] != new.policy
    writer = _Writer(store, campaign_id, new.applied_at, policy_changed=policy_changed)
    for chunk in _chunks(lines):
        with store.transaction():
            for group in chunk:
                writer.write(group)
    if digest_of_lines() != new.digest:
        raise LedgerError(
            f"the files of {new.campaign} changed while they were applied",
            help="apply again; until then this campaign places nothing",
        )
    with store.transaction():
        store.change("complete_revision", revision_id=revision_id)
        store.event(new.applied_at, None, "applied", campaign=new.campaign, revision=revision_id, digest=new.digest)
    return Recorded(revision=revision_id, created=writer.created, changed=writer.changed, removed=writer.removed)


def _open_revision(store: Store, new: NewRevision) -> tuple[int, int]:
    with store.transaction():
        store.change("add_campaign", name=new.campaign)
        row = store.one("campaign_id", name=new.campaign)
        campaign_id = int(row["id"]) if row is not None else 0
        revision_id = store.insert(
            "add_revision", campaign_id=campaign_id, digest=new.digest, policy=new.policy, accounts=new.accounts,
            git_commit=new.git_commit, applied_by=new.applied_by, applied_at=to_micros(new.applied_at),
            tool_version=new.tool_version, tzdata=new.tzdata,
        )  # fmt: skip
        store.change("put_in_force", campaign_id=campaign_id, revision_id=revision_id)
    return campaign_id, revision_id


def _chunks(lines: Iterable[PlanLine]) -> Iterator[list[list[PlanLine]]]:
    groups = (list(group) for _, group in itertools.groupby(lines, key=lambda line: (line.contact_key, line.row)))
    while chunk := list(itertools.islice(groups, CHUNK)):
        yield chunk


class _Writer:
    """Writes the lines of one contact after the other; counts what it did."""

    def __init__(self, store: Store, campaign_id: int, at: datetime, *, policy_changed: bool) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._at = at
        self._policy_changed = policy_changed
        self.created = self.changed = self.removed = 0

    def write(self, group: list[PlanLine]) -> None:
        """Write one contact's lines."""
        first = group[0]
        if first.status is PlanStatus.CREATE:
            self._create(group)
        elif first.status is PlanStatus.CHANGE:
            self._change(group)
        elif first.status is PlanStatus.KEEP:
            self._keep(group)
        elif first.contact_key:
            self._call_off(first)

    def _create(self, group: list[PlanLine]) -> None:
        first = group[0]
        contact_id = self._contact(group)
        added = self._store.change(
            "add_attempt", key=first.key, campaign_id=self._campaign_id, contact_id=contact_id, phone=first.phone,
            step=first.step, number=1, channel=first.channel, account=first.account, due_at=to_micros(first.not_before),
        )  # fmt: skip
        if not added:
            self._store.change("revive_attempt", key=first.key, due_at=to_micros(first.not_before))
            self._readdress(first)
        self.created += 1

    def _change(self, group: list[PlanLine]) -> None:
        self._contact(group)
        self._readdress(group[0])
        self.changed += 1

    def _keep(self, group: list[PlanLine]) -> None:
        if any(line.changed for line in group):
            self._contact([line for line in group if line.changed or line is group[0]])
            self.changed += 1
        if self._policy_changed:
            self._readdress(group[0])

    def _call_off(self, line: PlanLine) -> None:
        contact = self._store.one("contact_of", campaign_id=self._campaign_id, key=line.contact_key)
        if contact is None:
            return
        called_off = self._store.change(
            "supersede_contact", contact_id=contact["id"], reason=line.reason, at=to_micros(self._at)
        )
        if called_off:
            state = ContactState.SUPPRESSED if line.suppressed else ContactState.REMOVED
            self._store.change("set_contact_state", contact_id=contact["id"], state=state.value)
            self._store.event(self._at, None, "called_off", contact=contact["id"], reason=line.reason)
            self.removed += 1

    def _contact(self, group: list[PlanLine]) -> int:
        first = group[0]
        row = self._store.one(
            "add_contact", campaign_id=self._campaign_id, key=first.contact_key, phone=first.phone, row=first.row,
            zones=" ".join(first.zones), zone_source=first.timezone_source, cells=canonical_json(first.cells),
        )  # fmt: skip
        contact_id = int(row["id"]) if row is not None else 0
        for line in group:
            self._store.change(
                "put_payload", contact_id=contact_id, step_index=line.step_index, step=line.step,
                account=line.account, provider=line.provider, agent_id=line.agent_id, method=line.method,
                path=line.path, body=json.dumps(line.payload, ensure_ascii=False, separators=(",", ":")),
                fingerprint=fingerprint(line.method, line.path, line.payload),
            )  # fmt: skip
        return contact_id

    def _readdress(self, line: PlanLine) -> None:
        if line.not_before is not None:
            self._store.change(
                "readdress_attempt", key=line.key, phone=line.phone, account=line.account,
                due_at=to_micros(line.not_before),
            )  # fmt: skip
