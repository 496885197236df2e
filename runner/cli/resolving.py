"""What `outreach resolve` does with calls and texts one by one: list what waits, and take a person's word for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from runner.cli.options import as_number
from runner.cli.output import is_masked
from runner.engine.policies import Policies
from runner.engine.polling import sent_of
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.files.law_table import law_table
from runner.ledger import doubtful
from runner.ledger.doubtful import Doubtful, Unplanned, Word
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.person import people_named
from runner.ledger.store import Store
from runner.model.outcome import Outcome
from runner.report.words import count_of, shown_phone
from runner.rules.pseudonyms import Pseudonyms, pseudonym_in
from runner.schedule.clock import SystemClock
from runner.wiring.accounts import with_providers
from runner.wiring.operator import operator
from runner.wiring.workspace import Workspace

_ABOUT = timedelta(minutes=2)
"""how long around its intent a request may show up at its provider"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person says; exactly one of the first four."""

    created: str | None
    ended: str | None
    absent: bool
    ask: bool
    reason: str

    @property
    def count(self) -> int:
        """How many things are said at once."""
        return (self.created is not None) + (self.ended is not None) + self.absent + self.ask

    @property
    def is_given(self) -> bool:
        """Whether anything is said."""
        return self.count > 0 or bool(self.reason)


def list_doubtful(ledger: Path, campaign: str, form: str) -> int:
    """Print everything that waits for a person, and where to look; changes nothing."""
    store = Store.open_read_only(ledger)
    try:
        waiting, unplanned = doubtful.doubtful(store, campaign), doubtful.unplanned(store, campaign)
        pseudonyms = pseudonyms_of(store)
    finally:
        store.close()
    if form == "json":
        click.echo(_record(waiting, unplanned, pseudonyms))
        return ExitCode.OK
    if not waiting and not unplanned:
        click.echo(f"nothing{f' of {campaign}' if campaign else ''} waits for a person")
    for one in waiting:
        _print_waiting(one, pseudonyms)
    for person in unplanned:
        click.echo(f"{person.campaign}  {_phone(person.phone, pseudonyms)}  nothing is planned: {person.reason}")
    return ExitCode.OK


def resolve_attempts(
    workspace: Workspace, store: Store, campaign: str, contacts: Sequence[str], verdict: Verdict, *, yes: bool
) -> int:
    """Take a person's word for the attempts to some contacts, or to everybody held; all of them are settled, or none."""
    chosen = _chosen(store, campaign, contacts)
    if verdict.created is not None and len(chosen) > 1:
        raise UsageWrong("one id is one call", help="name one person: --contact WHO")
    if verdict.ask:
        _require_read_side(workspace, chosen)
    people = count_of(len(chosen), "person").replace("persons", "people")
    again = f"Contact {people} again as if nothing had been?"
    if verdict.absent and not agreed_to_contact_again(again, verdict, yes=yes):
        return ExitCode.OK
    word = Word(by=operator(), reason=verdict.reason, now=SystemClock().now())
    with store.transaction():
        for one in chosen:
            _settle(store, one, verdict, word)
    pseudonyms = pseudonyms_of(store)
    for one in chosen:
        click.echo(f"{_phone(one.work.attempt.phone, pseudonyms)}  {_done(one, verdict)}")
    if not verdict.ended and not (verdict.absent and all(one.work.has_left for one in chosen)):
        click.echo("outreach run or serve goes on with it")
    return ExitCode.OK


def agreed_to_contact_again(question: str, verdict: Verdict, *, yes: bool) -> bool:
    """Make sure that a second call is nobody's accident: a reason, and a yes; raise UsageWrong without."""
    if not verdict.reason:
        raise UsageWrong(
            "it is not said how you know that it never was placed",
            help='add, for example: --reason "not in the dashboard of 21 November"',
        )
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageWrong("whoever was called after all is called twice", help="add --yes if you are sure")
    if click.confirm(question, default=False):
        return True
    click.echo("nothing was changed", err=True)
    return False


def _chosen(store: Store, campaign: str, contacts: Sequence[str]) -> list[Doubtful]:
    """Give the attempts that are meant; raise NotFound for somebody of whom nothing is in doubt."""
    waiting = doubtful.doubtful(store, campaign)
    if not contacts:
        waiting = [one for one in waiting if one.is_held]
        if not waiting:
            raise NotFound(f"nothing of {campaign} is held", help="outreach resolve lists what waits")
    found = []
    for who in contacts:
        phones = people_named(store, as_number(who))
        if pseudonym_in(who) and len(phones) > 1:
            raise UsageWrong(f"`{who}` is more than one person", help="name one by number: --contact +12025550143")
        mine = [one for one in waiting if one.work.attempt.phone in phones]
        if not mine:
            raise NotFound(f"{campaign} has nothing in doubt with `{who}`", help=f"see why: outreach why {who}")
        found += mine
    chosen = found if contacts else waiting
    for one in chosen:
        if one.handover is not None:
            raise UsageWrong(
                f"{_phone(one.work.attempt.phone, pseudonyms_of(store))} was handed over with others, and is settled with them",
                help=f"outreach resolve {campaign} --handover {one.handover}",
            )
    return chosen


def _require_read_side(workspace: Workspace, chosen: Sequence[Doubtful]) -> None:
    accounts = with_providers(workspace.accounts)
    for one in chosen:
        attempt = one.work.attempt
        if accounts.provider(attempt.account).find_request(sent_of(one.work), 0) is None:
            raise UsageWrong(
                f"{attempt.account} cannot be asked which calls it placed",
                help="look into its dashboard; then: --created ID, --ended OUTCOME or --absent",
            )


def _settle(store: Store, one: Doubtful, verdict: Verdict, word: Word) -> None:
    if verdict.created is not None:
        doubtful.created(store, one, verdict.created, word)
    elif verdict.ended is not None:
        policies = Policies(law=law_table())
        policies.renew(store.campaigns_in_force())
        doubtful.ended(store, policies, one, Outcome(verdict.ended), word)
    elif verdict.absent:
        doubtful.absent(store, one, word)
    else:
        doubtful.look_again(store, one, word)


def _done(one: Doubtful, verdict: Verdict) -> str:
    attempt = one.work.attempt
    what = f"{attempt.step} {attempt.number} by {attempt.account}"
    if verdict.created is not None:
        return f"{what} is `{verdict.created}`, and is followed"
    if verdict.ended is not None:
        return f"{what} ended: {verdict.ended}"
    if not verdict.absent:
        return f"{what} is looked for again"
    return f"{what} {'is called off: no longer in the plan' if one.work.has_left else 'is back in line'}"


def _print_waiting(one: Doubtful, pseudonyms: Pseudonyms) -> None:
    attempt = one.work.attempt
    since = f"{attempt.sent_at:%Y-%m-%d %H:%M:%S} UTC" if attempt.sent_at else "an unknown instant"
    state = "held" if one.is_held else "in doubt, and being looked for"
    click.echo(
        f"{attempt.campaign}  {_phone(attempt.phone, pseudonyms)}  {attempt.step} {attempt.number} by {attempt.account}"
        f" of {since}: {state}"
    )
    if one.handover is not None:
        click.echo(
            f"  = part of handover {one.handover}: outreach resolve {attempt.campaign} --handover {one.handover}"
        )
    elif one.is_held:
        around = (
            f"{attempt.sent_at:%H:%M} UTC to {attempt.sent_at + _ABOUT:%H:%M} UTC" if attempt.sent_at else "that day"
        )
        who = f"'#{pseudonyms.short(attempt.phone)}'" if is_masked() else attempt.phone
        log_id = pseudonyms.log_id(attempt.key)
        reference = f"{log_id} (outreach --show-pii resolve has it in full)" if is_masked() else attempt.key
        click.echo(f"  = look at {attempt.account} for this number, {around}, or for the reference {reference}; then:")
        click.echo(
            f"    outreach resolve {attempt.campaign} --contact {who} --created ID"
            " | --ended OUTCOME | --absent --reason TEXT"
        )


def _record(waiting: Sequence[Doubtful], unplanned: Sequence[Unplanned], pseudonyms: Pseudonyms) -> str:
    attempts = [
        {
            "campaign": one.work.attempt.campaign, "key": one.work.attempt.contact_key,
            "phone": one.work.attempt.phone, "step": one.work.attempt.step, "number": one.work.attempt.number,
            "account": one.work.attempt.account, "reference": one.work.attempt.key,
            "log_id": pseudonyms.log_id(one.work.attempt.key) or None,
            "state": one.work.attempt.state.value, "handover": one.handover,
            "sent_at": one.work.attempt.sent_at.isoformat() if one.work.attempt.sent_at else None,
        }
        for one in waiting
    ]  # fmt: skip
    people = [{"campaign": one.campaign, "key": one.key, "phone": one.phone, "reason": one.reason} for one in unplanned]
    return json.dumps({"attempts": attempts, "contacts": people}, ensure_ascii=False, indent=2)


def _phone(phone: str, pseudonyms: Pseudonyms) -> str:
    return shown_phone(phone, masked=is_masked(), pseudonyms=pseudonyms)
