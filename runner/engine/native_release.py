"""Release native steps: who is due is put into handovers, each an intent that is durable before anything leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.engine.dealings import dealings_with
from runner.engine.meanwhile import over_meanwhile
from runner.engine.reconciliation import Reconciliation
from runner.engine.settlement import give_up
from runner.errors import FilesWrong, NotFound, Rejected, UsageWrong
from runner.model.attempt import Assignment, AttemptState
from runner.model.handed_over import DueGroup, HandoverRecord, NewHandover
from runner.model.handover import HandedContact, Handover
from runner.model.json import JsonObject
from runner.model.move import Move
from runner.planning.handover import Terms, handed_contact, handover_key, options_of, pace, passable
from runner.ports import Ledger, NativeCampaigns
from runner.rules.gate import Drop, Go, Wait, may_hand_over
from runner.rules.policy import Policy

MOST_PEOPLE = 10_000
"""how many people one handover holds"""
AHEAD = timedelta(minutes=10)
"""how long before the schedule's start people are handed over; the start is passed on"""
_LEASE = timedelta(minutes=5)
_MOST_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A handover whose intent is durable and whose request has not left."""

    record: HandoverRecord
    handover: Handover
    """everybody in it"""
    first: int
    """how many of them the request that creates carries; the others are added"""


def native_steps(policy: Policy) -> tuple[str, ...]:
    """Give the steps of a campaign that are handed over."""
    return tuple(step.label for step in policy.campaign.steps if step.delivery == "native")


def release(tools: Reconciliation, ledger: Ledger, now: datetime) -> list[Fresh]:
    """Write the intents of everybody who is due by a native step, inside the transaction that is open.

    What cannot be handed over at all pauses its campaign with the reason.
    """
    found: list[Fresh] = []
    for name in tools.policies.active:
        for step in native_steps(tools.policies.of(name)):
            found += _of_step(tools, ledger, name, step, now)
    return found


def looks_ahead_at(policy: Policy, now: datetime) -> datetime | None:
    """Give when people are handed over ahead of the schedule's start; None when that has passed or nobody is."""
    if policy.starts is None or not native_steps(policy) or policy.starts - AHEAD <= now:
        return None
    return policy.starts - AHEAD


def terms_of(tools: Reconciliation, campaign: str, step_name: str, account: str, agent_id: str) -> Terms:
    """Give what is agreed on for a step by the campaign in force; KeyError when it has no such step any more."""
    policy = tools.policies.of(campaign)
    step = policy.campaign.step_named(step_name)
    agent = policy.campaign.agents[step.agent]
    options = options_of(tools.accounts.provider(account).options_model(step.channel), agent, step)
    return Terms(policy=policy, step=step, agent=agent, agent_id=agent_id, options=options)


def contact_of(work: Assignment) -> HandedContact:
    """Give the person of an attempt as they are handed over."""
    variables = (work.request.body or {}).get("variables")
    values: JsonObject = variables if isinstance(variables, dict) else {}
    return handed_contact(work.attempt.phone, work.attempt.zones, values)


def most_people(native: NativeCampaigns) -> int:
    """Give how many people one request may carry."""
    return min(native.most_people, MOST_PEOPLE)


class _NoRoom(Exception):
    """Another handover has to wait."""


def _of_step(tools: Reconciliation, ledger: Ledger, name: str, step: str, now: datetime) -> list[Fresh]:
    policy = tools.policies.of(name)
    due_by = policy.starts if policy.starts and now < policy.starts <= now + AHEAD else now
    found: list[Fresh] = []
    for _ in range(_MOST_AT_ONCE):
        group = ledger.handovers.first_due(name, step, due_by)
        if group is None:
            break
        try:
            with ledger.transaction():
                made = _hand_over(tools, ledger, group, now)
        except _NoRoom:
            break
        except (FilesWrong, NotFound, Rejected, UsageWrong) as error:
            ledger.pause(name, f"account {group.account}: {error.message}", now)
            break
        found += [made] if made is not None else []
    return found


def _hand_over(tools: Reconciliation, ledger: Ledger, group: DueGroup, now: datetime) -> Fresh | None:
    """Put one group's people into a handover; None when the gate let none of them through."""
    native = tools.accounts.native(group.account)
    terms = terms_of(tools, group.campaign, group.step, group.account, group.agent_id)
    if group.due_by > now and passable(native, terms.handover("", (), now)).start_at is None:
        raise _NoRoom
    same_zones = _takes_one_zone(native, terms, now)
    concurrency = _share(ledger, terms, group.different_zones if same_zones else 1)
    claimed = ledger.handovers.claim(group, _most(native, terms, now), now + _LEASE, same_zones=same_zones)
    if not claimed:
        raise _NoRoom
    going = _let_through(ledger, terms, claimed, now)
    if not going:
        return None
    number = ledger.handovers.count(group.campaign, group.step) + 1
    key = handover_key(group.campaign, group.step, number, (work.attempt.key for work in going))
    people = (contact_of(work) for work in going)
    handover = passable(native, terms.handover(key, people, now, concurrency=concurrency))
    problem = native.problem(handover)
    if problem is not None:
        raise Rejected(problem[0], help=problem[1])
    new = NewHandover(
        key=key, campaign=group.campaign, step=group.step, account=group.account, agent_id=group.agent_id,
        name=handover.name, concurrency=0 if terms.own_rules else concurrency,
        attempts=[work.attempt.id for work in going],
    )  # fmt: skip
    record = ledger.handovers.begin(new, now)
    ledger.move(
        Move(attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.SENDING, at=now, sent_at=now)
        for work in going
    )
    return Fresh(record=record, handover=handover, first=min(len(going), most_people(native)))


def _let_through(ledger: Ledger, terms: Terms, claimed: Sequence[Assignment], now: datetime) -> list[Assignment]:
    """Ask the gate for each, in the transaction that read what forbids it; write down who may not be contacted, or not yet."""
    policy, step = terms.policy, terms.step
    going = []
    for work in claimed:
        attempt = work.attempt
        over = over_meanwhile(policy, work, ledger, now)
        if over is not None:
            ledger.move([over])
            continue
        dealings = dealings_with(ledger, policy, step, work, now)
        match may_hand_over(policy, step, attempt.where, now, work.suppression, dealings, own_rules=terms.own_rules):
            case Go():
                going.append(work)
            case Wait(until, why, source):
                ledger.move(
                    [
                        Move(
                            attempt_id=attempt.id, old=attempt.state, new=AttemptState.PLANNED, at=now, due_at=until,
                            reason=why, source=source,
                        )
                    ]
                )  # fmt: skip
            case Drop() as drop:
                ledger.move([give_up(policy, work, drop, ledger.history(attempt.contact_id), now)])
    return going


def _share(ledger: Ledger, terms: Terms, parts: int) -> int:
    """Give how many calls another handover may have live, so that all of a campaign keep its concurrency together.

    The provider keeps a pace in each of its campaigns, so with a pace there is one at a time.
    Raises _NoRoom when the others have it all.
    """
    limit, name = terms.policy.campaign.limits.concurrency, terms.policy.campaign.campaign
    if terms.own_rules:
        return limit
    others = [one for one in ledger.handovers.unfinished() if one.campaign == name]
    free = limit - sum(min(one.concurrency, one.people) for one in others)
    if free <= 0 or (others and pace(terms.policy) is not None):
        raise _NoRoom
    return max(1, free // max(1, parts))


def _takes_one_zone(native: NativeCampaigns, terms: Terms, now: datetime) -> bool:
    """Whether people of different zones need handovers of their own, which two people who do not exist show."""
    east, west = (
        HandedContact(phone=f"+1202555010{at}", timezone=zone)
        for at, zone in enumerate(("America/New_York", "America/Los_Angeles"))
    )
    apart = native.problem(terms.handover("", [east], now)) or native.problem(terms.handover("", [west], now))
    return apart is None and native.problem(terms.handover("", [east, west], now)) is not None


def _most(native: NativeCampaigns, terms: Terms, now: datetime) -> int:
    """Give how many people one handover holds: many requests' worth only where people can be added."""
    nobody = terms.handover("", [], now)
    return MOST_PEOPLE if native.add("0", nobody) is not None else most_people(native)
