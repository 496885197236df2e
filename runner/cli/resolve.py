"""`outreach resolve`: what a person found out about a request that nobody else can find out about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from runner.cli.options import workspace_of
from runner.cli.output import format_option
from runner.cli.resolving import Verdict, agreed_to_contact_again, list_doubtful, resolve_attempts
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.ledger import resolving
from runner.ledger.store import Store
from runner.model.outcome import Outcome
from runner.report.words import count_of
from runner.schedule.clock import SystemClock

_OUTCOMES = click.Choice([one.value for one in Outcome if one is not Outcome.CANCELLED])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Whom a word is about."""

    handover: int | None
    contacts: Sequence[str]
    everybody: bool

    @property
    def is_named(self) -> bool:
        return self.handover is not None or bool(self.contacts) or self.everybody


@click.command()
@click.argument("campaign", required=False)
@click.option("--contact", "contacts", multiple=True, metavar="WHO", help="A number or key; may stand several times.")
@click.option("--all", "everybody", is_flag=True, help="Everybody of the campaign who is held.")
@click.option("--handover", type=int, metavar="N", help="A held handover, as `status` numbers it.")
@click.option("--created", metavar="ID", help="It was placed: the provider's id of the call, campaign or batch.")
@click.option("--ended", type=_OUTCOMES, help="It was placed, and ended so.")
@click.option("--absent", is_flag=True, help="It never was placed: back in line.")
@click.option("--ask", is_flag=True, help="Have the runner look for it at the provider once more.")
@click.option("--reason", default="", metavar="TEXT", help="How you know; kept in the ledger.")
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@format_option
@click.pass_context
def resolve(  # noqa: PLR0917 each is an option of its own
    ctx: click.Context, campaign: str | None, contacts: tuple[str, ...], handover: int | None, created: str | None,
    ended: str | None, reason: str, form: str, *, everybody: bool, absent: bool, ask: bool, yes: bool,
) -> int:  # fmt: skip
    """Say what became of a call, text or handover that is held: look at the provider first.

    Alone, or with a campaign, it lists what waits for a person and changes nothing. A call or text is named
    by --contact; with --created the runner follows it, with --ended the campaign goes on as that outcome
    says, with --ask the runner looks for it again. With --absent it is placed by the next `outreach run` or
    `serve`: if the provider has it after all, the person is contacted twice, so a --reason is needed. Who said
    what is kept in the ledger.
    """
    workspace = workspace_of(ctx)
    path = workspace.ledger_path
    if not path.exists():
        raise NotFound("no campaign was applied yet", help="outreach apply writes a plan into the ledger")
    target = _Target(handover=handover, contacts=contacts, everybody=everybody)
    verdict = Verdict(created=created, ended=ended, absent=absent, ask=ask, reason=reason)
    if not target.is_named and not verdict.is_given:
        return list_doubtful(path, campaign or "", form)
    name = _checked(campaign, target, verdict)
    store = Store.open(path)
    try:
        if handover is not None:
            return _resolve_handover(store, name, handover, verdict, yes=yes)
        return resolve_attempts(workspace, store, name, () if everybody else contacts, verdict, yes=yes)
    finally:
        store.close()


def _checked(campaign: str | None, target: _Target, verdict: Verdict) -> str:
    """Give the campaign's name; raise UsageWrong unless one campaign, one kind of target and one word are given."""
    if campaign is None:
        raise UsageWrong("no campaign is named", help="outreach resolve lists what waits, by campaign")
    if (target.handover is not None) + bool(target.contacts) + target.everybody != 1:
        raise UsageWrong("it is not said who is meant", help="write one of: --contact WHO, --all, --handover N")
    if verdict.count != 1 or verdict.created == "":
        raise UsageWrong(
            "what became of it is not said",
            help="write one of: --created ID, --absent"
            + ("" if target.handover is not None else ", --ended OUTCOME, --ask"),
        )
    if target.handover is not None and (verdict.ended or verdict.ask):
        raise UsageWrong("a handover was created or it never was", help="write: --created ID, or --absent")
    return campaign


def _resolve_handover(store: Store, campaign: str, handover: int, verdict: Verdict, *, yes: bool) -> int:
    now, record = SystemClock().now(), resolving.held_handover(store, campaign, handover)
    if verdict.created is not None:
        people = resolving.created_by_hand(store, campaign, handover, verdict.created, verdict.reason, now)
        click.echo(
            f"handover {handover} is `{verdict.created}` at {record.account}, says a person; {_people(people)} in it"
        )
        click.echo("outreach run or serve asks the provider, and goes on with it")
        return ExitCode.OK
    question = f"Hand {count_of(record.people, 'contact')} over to {record.account} anew?"
    if not agreed_to_contact_again(question, verdict, yes=yes):
        return ExitCode.OK
    people = resolving.absent_by_hand(store, campaign, handover, verdict.reason, now)
    click.echo(f"handover {handover} was never created, says a person; {_people(people)} back in line")
    return ExitCode.OK


def _people(count: int) -> str:
    return f"{count_of(count, 'contact')} {'is' if count == 1 else 'are'}"
