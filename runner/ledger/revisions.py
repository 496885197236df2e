"""Write a plan into the ledger as a revision, and read back what a new plan must know."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import Any

from runner.errors import PlanChanged
from runner.ledger.forbidden import with_erased
from runner.ledger.instants import to_micros
from runner.ledger.past import everybodys_past
from runner.ledger.store import Store
from runner.ledger.suppressions import suppressions
from runner.model.attempt import AttemptState
from runner.model.dealings import Dealings
from runner.model.move import ContactState
from runner.model.outcome import REACHED
from runner.model.plan import BackupRequest, PlanLine, PlanStatus
from runner.model.suppression import Suppression
from runner.planning.digest import canonical_json, line_fingerprint
from runner.planning.known import KnownCampaign, KnownContact
from runner.ports.crash_points import CrashPoint, reached

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
    """when writing it began"""
    tool_version: str
    tzdata: str
    follows: int | None = None
    """the revision that the ledger had when this was planned, 0 for none; None when nobody else can have applied since"""
    removes: bool = False
    """the plan calls somebody off, which its digest does not tell"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What applying a plan did."""

    revision: int
    created: int = 0
    changed: int = 0
    removed: int = 0
    held: int = 0
    """contacts that are held now and were not before, or for another reason"""
    is_new: bool = True
    """False when the same plan was in force already and nothing was written"""
    was_cancelled: bool = False
    """the campaign was cancelled; it still is when nothing was written, and else is back for whoever was not called off"""


def campaign_rules(store: Store, name: str) -> dict[str, Any]:
    """Give the canonical campaign in force by top-level key; empty when it never was applied."""
    in_force = store.one("campaign_in_force", name=name)
    return dict(json.loads(in_force["policy"])) if in_force is not None else {}


def known_campaign(
    store: Store, name: str, now: datetime | None = None, look_back: timedelta = timedelta(0)
) -> KnownCampaign:
    """Read what a plan must know of a campaign; empty when it never was applied.

    With `now` it reads too what there was with people in the last `look_back`, in every campaign,
    and whom suppressions with an end leave alone.
    """
    listed = suppressions(store)
    forbidden = with_erased(store, {one.phone: one.sentence for one in listed if one.until is None})
    dealings = _dealings(store, listed, now, look_back) if now is not None else {}
    found = store.one("campaign_id", name=name)
    if found is None:
        return KnownCampaign(suppressions=forbidden, dealings=dealings)
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
            jurisdictions=tuple(row["jurisdictions"].split()),
            variant=row["variant"],
        )
        for row in store.all("known_contacts", campaign_id=found["id"])
    }
    digest = in_force["digest"] if in_force is not None and in_force["complete"] else ""
    rules = json.loads(in_force["policy"]) if in_force is not None else {}
    return KnownCampaign(
        digest=digest, revision=in_force["revision_id"] if in_force is not None else 0, rules=rules,
        contacts=contacts, suppressions=forbidden, dealings=dealings,
    )  # fmt: skip


def _dealings(store: Store, listed: Iterable[Suppression], now: datetime, look_back: timedelta) -> dict[str, Dealings]:
    past = everybodys_past(store, now - look_back, now) if look_back else {}
    found = {phone: Dealings(past=attempts) for phone, attempts in past.items()}
    for one in listed:
        if one.until is not None and one.holds(now):
            found[one.phone] = Dealings(
                past=past.get(one.phone, ()), left_alone_until=one.until, left_alone_why=one.reason
            )
    return found


def record(store: Store, new: NewRevision, lines: Iterable[PlanLine], digest_of_lines: Callable[[], str]) -> Recorded:
    """Write a plan and put it in force: `write`, then `complete`."""
    written = write(store, new, lines, digest_of_lines)
    with store.transaction():
        complete(store, new, written, new.applied_at)
    return written


def complete(store: Store, new: NewRevision, written: Recorded, at: datetime) -> None:
    """Let a campaign place, from `at` on, what was written of its plan to the end; of a plan in force already, nothing.

    Plans that are in force together or not at all are completed inside one transaction. Raises PlanChanged
    when another apply of the campaign has begun since. One that was cancelled comes back to life here.
    """
    _refuse_other_apply(store, new, written.revision, complete=not written.is_new)
    if not written.is_new:
        return
    store.change("complete_revision", revision_id=written.revision, at=to_micros(at))
    if written.was_cancelled:
        store.change("revive_campaign", name=new.campaign)
    store.event(at, None, "applied", campaign=new.campaign, revision=written.revision, digest=new.digest)


def write(store: Store, new: NewRevision, lines: Iterable[PlanLine], digest_of_lines: Callable[[], str]) -> Recorded:
    """Write all lines of a plan: one transaction for each chunk, safe to run again after a crash.

    Until `complete` the campaign places nothing. Applying the plan that is in force already writes
    nothing at all. `digest_of_lines` is asked after the last line; when it is not the revision's own,
    the files changed underway: PlanChanged, and the campaign places nothing until it is applied again.
    PlanChanged, too, when another apply of the campaign came in between: nothing is written over what that wrote.
    """
    in_force = store.one("campaign_in_force", name=new.campaign)
    if in_force is not None and _is_the_same(in_force, new):
        return Recorded(revision=in_force["revision_id"], is_new=False, was_cancelled=in_force["state"] == "cancelled")
    campaign_id, revision_id, was_cancelled = _open_revision(store, new)
    same = in_force is not None and in_force["complete"] and _rules(in_force) == (new.policy, new.accounts)
    writer = _Writer(store, campaign_id, new.applied_at, rules_changed=not same)
    for chunk in _chunks(lines):
        with store.transaction():
            _refuse_other_apply(store, new, revision_id, complete=False)
            for group in chunk:
                writer.write(group)
        reached(CrashPoint.IN_APPLY)
    if digest_of_lines() != new.digest:
        raise PlanChanged(
            f"the files of {new.campaign} changed while they were applied",
            help="apply again; until then this campaign places nothing",
        )
    return Recorded(
        revision=revision_id, created=writer.created, changed=writer.changed, removed=writer.removed,
        held=writer.held, was_cancelled=was_cancelled,
    )  # fmt: skip


def _is_the_same(in_force: Row, new: NewRevision) -> bool:
    """Whether a plan is in force already; one that calls off somebody whom that left behind is not, unless it is cancelled."""
    calls_off = new.removes and in_force["state"] != "cancelled"
    return bool(in_force["complete"]) and in_force["digest"] == new.digest and not calls_off


def _rules(row: Row) -> tuple[str, str]:
    return row["policy"], row["accounts"]


def _open_revision(store: Store, new: NewRevision) -> tuple[int, int, bool]:
    """Give the campaign, its revision to write, and whether it is cancelled; what was planned for another one is refused."""
    with store.transaction():
        store.change("add_campaign", name=new.campaign)
        found = store.one("campaign_id", name=new.campaign)
        campaign_id = int(found["id"]) if found is not None else 0
        newest = store.one("campaign_in_force", name=new.campaign)
        if new.follows is not None and new.follows != (newest["revision_id"] if newest is not None else 0):
            raise _other_apply(new)
        was_cancelled = newest is not None and newest["state"] == "cancelled"
        begun = store.one(
            "begun_revision", campaign_id=campaign_id, digest=new.digest, policy=new.policy, accounts=new.accounts
        )
        if begun is not None:
            return campaign_id, int(begun["id"]), was_cancelled
        revision_id = store.insert(
            "add_revision", campaign_id=campaign_id, digest=new.digest, policy=new.policy, accounts=new.accounts,
            git_commit=new.git_commit, applied_by=new.applied_by, applied_at=to_micros(new.applied_at),
            tool_version=new.tool_version, tzdata=new.tzdata,
        )  # fmt: skip
        store.change("put_in_force", campaign_id=campaign_id, revision_id=revision_id)
    return campaign_id, revision_id, was_cancelled


def _refuse_other_apply(store: Store, new: NewRevision, revision_id: int, *, complete: bool) -> None:
    """Raise PlanChanged, inside a transaction, when a revision is not the one in force, or not as complete as it was."""
    if store.one("is_in_force", name=new.campaign, revision_id=revision_id, complete=complete) is None:
        raise _other_apply(new)


def _other_apply(new: NewRevision) -> PlanChanged:
    return PlanChanged(f"another apply of {new.campaign} began meanwhile", help="apply again")


def _chunks(lines: Iterable[PlanLine]) -> Iterator[list[list[PlanLine]]]:
    groups = (list(group) for _, group in itertools.groupby(lines, key=lambda line: (line.contact_key, line.row)))
    while chunk := list(itertools.islice(groups, CHUNK)):
        yield chunk


class _Writer:
    """Writes the lines of one contact after the other; counts what it did."""

    def __init__(self, store: Store, campaign_id: int, at: datetime, *, rules_changed: bool) -> None:
        self._store = store
        self._campaign_id = campaign_id
        self._at = at
        self._rules_changed = rules_changed
        self._lanes: dict[tuple[str, str, str, str], int] = {}
        self._has_backups = store.one("any_backup") is not None
        self.created = self.changed = self.removed = self.held = 0

    def write(self, group: list[PlanLine]) -> None:
        """Write one contact's lines."""
        first = group[0]
        if first.status is PlanStatus.CREATE:
            self._create(group)
        elif first.status is PlanStatus.CHANGE:
            self._change(group)
        elif first.status is PlanStatus.KEEP:
            self._keep(group)
        elif first.status is PlanStatus.HOLD:
            self._hold(first)
        elif first.contact_key:
            self._call_off(first)

    def _create(self, group: list[PlanLine]) -> None:
        contact_id = self._contact(group)
        self._store.change("release_contact", contact_id=contact_id)
        self._open(contact_id, group)
        self.created += 1

    def _change(self, group: list[PlanLine]) -> None:
        self._open(self._contact(group), group)
        self.changed += 1

    def _keep(self, group: list[PlanLine]) -> None:
        changed = [line for line in group if line.changed]
        if self._rules_changed:
            self._follow_plan(self._contact(group), group)
        else:
            # The row's own facts are taken over even when no payload shows them: conditions and windows read them.
            contact_id = self._contact(group[:1], payloads=changed)
            if changed:
                self._follow_plan(contact_id, group)
        self.changed += bool(changed)

    def _hold(self, line: PlanLine) -> None:
        """Keep somebody from being contacted until a plan has the evidence that is missing."""
        contact_id = self._contact([line], payloads=[])
        self._store.change("supersede_contact", contact_id=contact_id, reason=line.reason, at=to_micros(self._at))
        if self._store.change("hold_contact", contact_id=contact_id, reason=line.reason):
            self._store.event(self._at, None, "held", contact=contact_id, reason=line.reason)
            self.held += 1

    def _call_off(self, line: PlanLine) -> None:
        contact = self._store.one("contact_of", campaign_id=self._campaign_id, key=line.contact_key)
        if contact is None:
            return
        self._store.change("supersede_contact", contact_id=contact["id"], reason=line.reason, at=to_micros(self._at))
        self._store.change("release_contact", contact_id=contact["id"])
        state = ContactState.SUPPRESSED if line.suppressed else ContactState.REMOVED
        if self._store.change("call_off_contact", contact_id=contact["id"], state=state.value):
            self._store.event(self._at, None, "called_off", contact=contact["id"], reason=line.reason)
            self.removed += 1

    def _open(self, contact_id: int, group: list[PlanLine]) -> None:
        """Have the sequence of somebody begin, or go on where it was called off."""
        first = group[0]
        self._supersede_steps(contact_id, group)
        if first.not_before is not None and not self._store.change(
            "add_first_attempt", key=first.key, campaign_id=self._campaign_id, contact_id=contact_id,
            phone=first.phone, step=first.step, channel=first.channel, account=first.account,
            due_at=to_micros(first.not_before),
        ):  # fmt: skip
            due_at = to_micros(first.not_before)
            self._store.change("revive_attempt", contact_id=contact_id, steps=_steps(group), due_at=due_at)
        self._follow_plan(contact_id, group)

    def _follow_plan(self, contact_id: int, group: list[PlanLine]) -> None:
        """Let what is planned for a contact follow the new plan: steps, number, accounts, first instant."""
        first = group[0]
        self._supersede_steps(contact_id, group)
        self._store.change("readdress_attempts", contact_id=contact_id, phone=first.phone)
        if first.not_before is not None:
            self._store.change("reschedule_attempt", key=first.key, due_at=to_micros(first.not_before))
        reached = json.dumps(sorted(outcome.value for outcome in REACHED))
        self._store.change("place_contact", contact_id=contact_id, reached=reached)

    def _supersede_steps(self, contact_id: int, group: list[PlanLine]) -> None:
        self._store.change(
            "supersede_steps", contact_id=contact_id, steps=_steps(group), at=to_micros(self._at),
            reason="the step is no longer in the campaign",
        )  # fmt: skip

    def _contact(self, group: list[PlanLine], payloads: list[PlanLine] | None = None) -> int:
        """Write the facts of a contact and the payloads of its lines, or of `payloads` alone."""
        first = group[0]
        row = self._store.one(
            "add_contact", campaign_id=self._campaign_id, key=first.contact_key, phone=first.phone, row=first.row,
            zones=" ".join(first.zones), zone_source=first.timezone_source,
            jurisdictions=" ".join(first.jurisdictions), cells=canonical_json(first.cells), variant=first.variant,
        )  # fmt: skip
        contact_id = int(row["id"]) if row is not None else 0
        for line in group if payloads is None else payloads:
            self._store.change(
                "put_payload", contact_id=contact_id, step_index=line.step_index, step=line.step,
                account=line.account, provider=line.provider, agent_id=line.agent_id, method=line.method,
                path=line.path, body=json.dumps(line.payload, ensure_ascii=False, separators=(",", ":")),
                fingerprint=line_fingerprint(line), lane_id=self._lane(line.step, line),
            )  # fmt: skip
            self._backups(contact_id, line)
        return contact_id

    def _backups(self, contact_id: int, line: PlanLine) -> None:
        """Write the requests of a line's backups in place of those that were there."""
        if self._has_backups:
            self._store.change("drop_backups", contact_id=contact_id, step=line.step)
        for rank, one in enumerate(line.backups, start=1):
            self._has_backups = True
            self._store.change(
                "put_backup", contact_id=contact_id, step=line.step, rank=rank, account=one.account,
                provider=one.provider, agent_id=one.agent_id, method=one.method, path=one.path,
                body=json.dumps(one.payload, ensure_ascii=False, separators=(",", ":")),
                lane_id=self._lane(line.step, one),
            )  # fmt: skip

    def _lane(self, step: str, via: PlanLine | BackupRequest) -> int:
        """Give the lane that the attempts of a line, or of one of its backups, are counted in."""
        facts = (step, via.account, via.agent, via.from_number)
        if facts not in self._lanes:
            self._lanes[facts] = self._store.lanes.put(self._campaign_id, *facts)
        return self._lanes[facts]


def _steps(group: list[PlanLine]) -> str:
    return json.dumps([line.step for line in group])
