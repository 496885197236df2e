"""Make a plan: for each contact and step, what would be sent, when, or why nobody is contacted.

Lines come one by one, so a plan of any size needs no more memory than one contact and what the
ledger already holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from runner.errors import FilesWrong
from runner.model.agent_definition import NOT_APPLIED
from runner.model.attempt import AttemptState, attempt_key
from runner.model.contact import Contact, DuplicateRow, RejectedRow, ValueFault
from runner.model.durations import format_duration
from runner.model.move import OPEN_CONTACTS, ContactState
from runner.model.plan import PlanLine, PlanStatus
from runner.model.request import Order, Request
from runner.model.whereabouts import Whereabouts
from runner.planning.consent import consent_caution, consent_refusal
from runner.planning.digest import line_fingerprint
from runner.planning.handover import Terms, handed_contact, handover_key, native_of, passable
from runner.planning.known import KnownCampaign, KnownContact
from runner.planning.routes import Route, backup_of, headers_of, request_of
from runner.planning.variants import Given, given_variant
from runner.planning.waiting import put_off
from runner.planning.zoning import located, no_time_reason
from runner.rules.countries import out_of_reach
from runner.rules.expressions import Expression, ExpressionFailed, where_values
from runner.rules.faults import RenderFailed
from runner.rules.law_handover import law_beyond
from runner.rules.numbers import NumberRefused, read_number
from runner.rules.policy import Policy
from runner.rules.render import Renderer
from runner.rules.windows import is_allowed
from runner.rules.zones import ZoneEvidence, own_zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything that a plan of one campaign is made from."""

    policy: Policy
    routes: tuple[Route, ...]
    renderer: Renderer
    variants: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    """the routes of each variant of the campaign"""
    where: Expression | None = None
    known: KnownCampaign = field(default_factory=KnownCampaign)
    place: Callable[[RenderFailed], str] = lambda error: ".".join(str(part) for part in error.path)
    """says where in the files a template failed, such as `campaigns/april.yaml:12:9`"""

    def every_route(self) -> Iterator[Route]:
        """Give all routes that anybody may take, those of variants and backups too."""
        for route in chain(self.routes, *self.variants.values()):
            yield route
            yield from route.backups


Row = Contact | RejectedRow | DuplicateRow

TAKEN_OFF = "called off when the person was suppressed: that stays so"
CALLED_OFF = "called off for good when the campaign was cancelled"
_OUTCOMES_OF_PREVIOUS = re.compile(r"^previous\.outcome in \[([^\]]*)\]$")


def plan_lines(draft: Draft, rows: Iterable[Row], now: datetime) -> Iterator[PlanLine]:
    """Give the lines of a plan in the order of the rows; then those for contacts that are gone.

    `now` is the instant that the plan is made for, aware and UTC.
    """
    seen: set[str] = set()
    for row in rows:
        if isinstance(row, Contact):
            seen.add(row.key)
            yield from _contact_lines(draft, row, now)
        else:
            yield _row_line(draft, row)
    yield from _removed_lines(draft, seen)


def _row_line(draft: Draft, row: RejectedRow | DuplicateRow) -> PlanLine:
    if isinstance(row, DuplicateRow):
        reason = f"the same number as in row {row.first_row}"
        return _line(draft, draft.routes[0], PlanStatus.SKIP, phone=row.phone, row=row.row, reason=reason)
    reason = f"{row.column}: {row.reason}" if row.column else row.reason
    return _line(draft, draft.routes[0], PlanStatus.SKIP, row=row.row, reason=reason, rejected=True)


def _contact_lines(draft: Draft, contact: Contact, now: datetime) -> Iterator[PlanLine]:
    policy = draft.policy
    first, known = draft.routes[0].step, draft.known.contacts.get(contact.key)
    place = located(policy, contact, first, now)
    place = put_off(policy, first, place, known, draft.known.dealings.get(contact.phone), now)
    region, kind = _number(contact)
    variant = given_variant(policy.campaign, contact.key, known)
    person = _Person(
        contact, place.evidence, place.where, known, place.allowed, place.unknown, region, kind, variant,
        place.never, place.never_source,
    )  # fmt: skip
    skip = _skip_reason(draft, person, now)
    if skip is not None:
        yield _skip(draft, person, skip)
        return
    lines = []
    for route in draft.variants.get(variant.name, draft.routes):
        try:
            line = _step_line(draft, route, person, now)
        except RenderFailed as error:
            yield _skip(
                draft, person, _Skip(f"{draft.place(error)}: {error.message}", rejected=True, fault=error.of_value)
            )
            return
        except _CannotHandOver as error:
            yield _skip(draft, person, _Skip(str(error)))
            return
        except FilesWrong as error:  # what the provider would refuse of this person alone
            yield _skip(draft, person, _Skip(f"step {route.step.label}: {error.message}", rejected=True))
            return
        is_put_off = place.waits and line.not_before is not None
        lines.append(replace(line, waits=place.waits, source=place.waits_source) if is_put_off else line)
        if line.status is PlanStatus.SKIP:
            break
    yield from lines


@dataclass(frozen=True, slots=True)
class _Person:
    """A contact with what was found out about it."""

    contact: Contact
    evidence: ZoneEvidence
    where: Whereabouts
    known: KnownContact | None
    allowed: datetime | None
    """the first instant at which the first step may start"""
    unknown: str = ""
    """why its zones cannot tell when that is; empty when they can"""
    region: str = ""
    """the country of the number"""
    kind: str = ""
    """what the number is"""
    variant: Given = field(default_factory=lambda: Given(""))
    never: str = ""
    """why the gate will give up the first step; empty when it will not"""
    never_source: str = ""


def _number(contact: Contact) -> tuple[str, str]:
    """Give the country and the type of a contact's number, as they were found when its row was read."""
    if contact.number_type:
        return contact.region, contact.number_type
    try:
        number = read_number(contact.phone, None)
    except NumberRefused:
        return "", ""
    return number.region, number.kind


class _CannotHandOver(Exception):
    """The provider's own campaign cannot take this person; says why."""


@dataclass(frozen=True, slots=True)
class _Skip:
    reason: str
    source: str = ""
    rejected: bool = False
    suppressed: bool = False
    held: bool = False
    fault: ValueFault | None = None


def _skip_reason(draft: Draft, person: _Person, now: datetime) -> _Skip | None:
    """Give why nobody will reach this contact; None when somebody will."""
    contact = person.contact
    if contact.suppressed_by:
        return _Skip(f"on the do-not-contact list {contact.suppressed_by}", "contacts.suppress", suppressed=True)
    if contact.phone in draft.known.suppressions:
        reason = f"must not be contacted: {draft.known.suppressions[contact.phone]}"
        return _Skip(reason, suppressed=True)
    if draft.where is not None:
        try:
            if not draft.where.evaluate(where_values(contact.values)):
                return _Skip(f"not selected by `where: {draft.policy.campaign.contacts.where}`", "contacts.where")
        except ExpressionFailed as error:
            return _Skip(f"where: {error.message}", "contacts.where", rejected=True)
    return _out_of_reach(draft, person) or _consent_refusal(draft, person) or _never(draft, person, now)


def _out_of_reach(draft: Draft, person: _Person) -> _Skip | None:
    found = out_of_reach(draft.policy.reach, person.region, person.kind)
    return _Skip(found.reason, found.source) if found is not None else None


def _consent_refusal(draft: Draft, person: _Person) -> _Skip | None:
    channels = (route.step.channel for route in draft.routes)
    found = consent_refusal(draft.policy, channels, person.contact, person.where.jurisdictions)
    return _Skip(found.reason, found.source, rejected=found.is_bad_row) if found is not None else None


def _never(draft: Draft, person: _Person, now: datetime) -> _Skip | None:
    """Give why no hour is right for somebody to whom nothing was sent; None when one is."""
    if person.unknown and (person.known is None or person.known.is_gone or person.known.is_unsent):
        is_refused = draft.policy.campaign.zone_unknown == "refuse"
        source = "zones" if draft.policy.campaign.zones == "strict" else "zone_unknown"
        return _Skip(person.unknown, source, rejected=is_refused, held=not is_refused)
    if person.never and len(draft.routes) == 1:
        return _Skip(person.never, person.never_source)
    if (person.known is None or person.known.is_gone) and person.allowed is None:
        return _Skip(no_time_reason(draft.policy, now), "schedule" if draft.policy.ends is not None else "windows")
    return None


def _step_line(draft: Draft, route: Route, person: _Person, now: datetime) -> PlanLine:
    contact, step = person.contact, route.step
    zone = person.evidence.zones[0] if len(person.evidence.zones) == 1 else None
    rendered = draft.renderer.render(step, contact, now, zone=zone, variant=person.variant.name)
    order = Order(
        campaign=draft.policy.campaign.campaign,
        channel=step.channel,
        agent_id=route.agent.id,
        phone=contact.phone,
        from_number=route.agent.from_ or "",
        variables=rendered.variables,
        message=rendered.message,
        options=route.options,
        delivery=step.delivery,
    )
    key = attempt_key(order.campaign, contact.key, step.label, 1)
    if step.delivery == "native":
        request, stamped = _handed_over(draft, route, person, order, key, now)
    else:
        request, stamped = request_of(route, order, key)
    status, own = PlanStatus.CREATE, dict[str, Any](not_before=person.allowed, cells=contact.values)
    if route.index > 0:
        status, own = PlanStatus.LATER, {"condition": _condition(draft, route)}
    line = _line(
        draft, route, status, contact_key=contact.key, phone=contact.phone, row=contact.row,
        key=key, method=request.method, path=request.path, body=stamped.body, payload=request.body,
        url=route.account.base_url + stamped.path,
        headers=headers_of(route, stamped),
        zones=person.where.zones, jurisdictions=person.where.jurisdictions, timezone_source=person.evidence.source,
        country=person.region, number_type=person.kind, variant=person.variant.name,
        backups=tuple(backup_of(one, order, key) for one in route.backups),
        caution=consent_caution(draft.policy, step.channel, contact, person.where.jurisdictions), **own,
    )  # fmt: skip
    return _place(line, route, draft, person)


def _handed_over(
    draft: Draft, route: Route, person: _Person, order: Order, key: str, now: datetime
) -> tuple[Request, Request]:
    """Give what is kept of a person for a handover of many, and the request that would hand over this person alone."""
    builder = native_of(route.provider)
    if builder is None:
        raise _CannotHandOver(f"{route.provider.name} has no campaigns of its own")
    row = law_beyond(draft.policy, route.step, person.where, now, own_rules=bool(route.options.get("own_rules")))
    if row:
        name = route.provider.name
        raise _CannotHandOver(f"{row}: {name}'s own campaigns cannot keep its hours; write: delivery: single")
    terms = Terms(
        policy=draft.policy, step=route.step, agent=route.agent, agent_id=route.agent.id, options=route.options
    )
    alone = handover_key(order.campaign, route.step.label, 1, (key,))
    handed = handed_contact(order.phone, person.evidence.zones, order.variables)
    handover = passable(builder, terms.handover(alone, (handed,), now))
    problem = terms.problem() or builder.problem(handover)
    if problem is not None:
        raise _CannotHandOver(problem[0])
    request = builder.create(handover)
    kept = replace(request, body={"variables": dict(order.variables)})
    return kept, route.provider.stamp(request, alone, in_body=False)


def _place(line: PlanLine, route: Route, draft: Draft, person: _Person) -> PlanLine:
    """Hold a line against the ledger and the windows: what applying it would do."""
    known = person.known
    if known is not None and known.is_called_off:
        return replace(line, status=PlanStatus.KEEP, reason=CALLED_OFF, condition="", not_before=None)
    changed = known is not None and known.fingerprints.get(line.step) != line_fingerprint(line)
    if route.index > 0:
        return replace(line, changed=True) if changed else line
    if known is None or known.is_gone:
        agents = (route.agent, *(one.agent for one in route.backups))
        reason = "apply creates the agent first" if any(agent.id == NOT_APPLIED for agent in agents) else ""
        if person.never:
            reason = f"{person.never}; the step after it is looked at"
        return _scheduled_by_provider(replace(line, reason=reason), route, draft)
    if known.is_back:
        return replace(line, status=PlanStatus.CHANGE, changed=changed, reason=known.back_because, not_before=None)
    if known.is_open(line.step):
        reason = _change_of(line, known, person.variant, changed=changed)
        status = PlanStatus.CHANGE if reason else PlanStatus.KEEP
        return _scheduled_by_provider(replace(line, status=status, changed=changed, reason=reason), route, draft)
    reason = person.variant.note or ("sent before this change" if changed else "") or _over(known)
    return replace(line, status=PlanStatus.KEEP, changed=changed, reason=reason, not_before=None)


def _over(known: KnownContact) -> str:
    """Say how it is with somebody whose first step is no longer planned: its instant would be none at which anything leaves."""
    if known.state is ContactState.SUPPRESSED:
        return TAKEN_OFF
    return "under way" if known.state in OPEN_CONTACTS else known.state.value


def _change_of(line: PlanLine, known: KnownContact, variant: Given, *, changed: bool) -> str:
    """Say what a plan changes for somebody to whom nothing was sent; empty when nothing."""
    if known.variant != line.variant:
        return variant.note or f"is given variant `{line.variant}`"
    if changed:
        return "the payload changed"
    if known.zones != line.zones:
        return "the time zone changed"
    if line.jurisdictions and known.jurisdictions != line.jurisdictions:
        return "the places whose law counts changed"
    return "" if known.attempts.get(line.step) is AttemptState.PLANNED else "the first step changed"


def _scheduled_by_provider(line: PlanLine, route: Route, draft: Draft) -> PlanLine:
    """Refuse a request that tells the provider to dial at a time outside the windows."""
    if route.step.delivery == "native":  # the windows are the provider's to keep
        return line
    at = route.options.get("schedule_at", route.options.get("scheduled_at"))
    if not isinstance(at, (int, datetime)) or line.not_before is None or draft.policy.windows_ignored:
        return line
    dial = datetime.fromtimestamp(at, UTC) if isinstance(at, int) else at.astimezone(UTC)
    own = own_zones(line.timezone_source, line.phone)
    calendars = draft.policy.calendars(route.step, line.jurisdictions, own)
    if dial <= line.not_before or is_allowed(calendars, line.zones, dial):
        return line
    reason = f"the provider would dial at {dial.isoformat()}, outside the windows"
    return replace(line, status=PlanStatus.SKIP, reason=reason, not_before=None)


def _condition(draft: Draft, route: Route) -> str:
    """Say in words when a later step is done."""
    step, before = route.step, draft.routes[route.index - 1].step.label
    parts = [f"after {before} ended"]
    if step.after:
        parts = [f"{format_duration(step.after)} after {before} ended"]
    if step.when:
        parts.append(f"if {_OUTCOMES_OF_PREVIOUS.sub(_listed, step.when)}")
    return ", ".join(parts)


def _listed(match: re.Match[str]) -> str:
    """Write the long form of `when: no_answer, busy` as people do."""
    return " or ".join(re.findall(r"\w+", match[1]))


def _removed_lines(draft: Draft, seen: set[str]) -> Iterator[PlanLine]:
    first = draft.routes[0]
    for key, known in draft.known.contacts.items():
        if key not in seen and known.may_go_on:
            reason = "no longer among the contacts"
            yield _line(draft, first, PlanStatus.REMOVE, contact_key=key, phone=known.phone, reason=reason)


def _skip(draft: Draft, person: _Person, skip: _Skip) -> PlanLine:
    contact = person.contact
    status = PlanStatus.HOLD if skip.held else PlanStatus.SKIP
    return _line(
        draft, draft.routes[0], status, contact_key=contact.key, phone=contact.phone, row=contact.row,
        reason=skip.reason, rejected=skip.rejected, fault=skip.fault, suppressed=skip.suppressed,
        changed=skip.held and (person.known is None or person.known.state is not ContactState.HELD),
        stays_in_ledger=_stays(person.known, skip), source=skip.source, country=person.region, number_type=person.kind,
        variant=person.variant.name, zones=person.where.zones, jurisdictions=person.where.jurisdictions, timezone_source=person.evidence.source,
    )  # fmt: skip


def _stays(known: KnownContact | None, skip: _Skip) -> bool:
    """Whether the ledger counts a skipped contact: one that had ended, or is suppressed there now."""
    if known is None or known.state is ContactState.REMOVED:
        return False
    return skip.suppressed or not known.may_go_on


def _line(draft: Draft, route: Route, status: PlanStatus, **facts: Any) -> PlanLine:
    return PlanLine(
        campaign=draft.policy.campaign.campaign,
        step=route.step.label,
        step_index=route.index,
        channel=route.step.channel,
        status=status,
        provider=route.provider.name,
        account=route.account.name,
        agent=route.step.agent,
        agent_id=route.agent.id,
        from_number=route.agent.from_ or "",
        **facts,
    )
