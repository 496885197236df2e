"""`outreach rules`: say what the law asks for one number, from which source."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, reset_tzpath

import click

from runner.cli.output import console, format_option
from runner.errors import ExitCode, UsageWrong
from runner.files.law_table import law_table
from runner.model.campaign import Purpose
from runner.model.channel import Channel
from runner.model.compliance import Compliance, Consent, is_jurisdiction
from runner.model.whereabouts import Whereabouts
from runner.report import machine
from runner.rules.law import CampaignLaw
from runner.rules.law_verdict import Question, verdict
from runner.rules.numbers import NumberRefused, candidate_zones, read_number
from runner.schedule.clock import SystemClock


@click.command()
@click.argument("phone")
@click.option(
    "--purpose", type=click.Choice([one.value for one in Purpose]), required=True, help="Why the person is contacted."
)
@click.option("--channel", type=click.Choice(["call", "text"]), default="call", show_default=True, help="How.")
@click.option(
    "--at", metavar="TIME",
    help="When, such as 2026-03-01T10:00 on the person's clock, or 2026-03-01T09:00:00Z; now otherwise.",
)  # fmt: skip
@click.option("--consent", type=click.Choice([one.value for one in Consent]), help="What the person has agreed to.")
@click.option(
    "--jurisdiction", "told", multiple=True, metavar="PLACE", help="A place whose law counts too, such as US-TX."
)
@click.option("--timezone", "zone", metavar="ZONE", help="The person's zone; those that the number allows otherwise.")
@format_option
def rules(
    phone: str,
    *,
    purpose: str,
    channel: Channel,
    at: str | None,
    consent: str | None,
    told: tuple[str, ...],
    zone: str | None,
    form: str,
) -> int:
    """Say which rows of the law apply to a number, when they allow it, and where they come from.

    Needs no project, no network and no keys. Facts with sources, not legal advice.
    """
    reset_tzpath(to=[])
    table = law_table()
    law = CampaignLaw(table, Compliance())
    number = _number(phone)
    zones = (_zone(zone),) if zone is not None else candidate_zones(number)
    asked = Question(
        purpose=Purpose(purpose),
        channel=channel,
        where=Whereabouts(zones, law.jurisdictions(number, _places(told))),
        now=_instant(at, zones),
        consent=Consent(consent) if consent is not None else None,
    )
    found = verdict(law, asked)
    if form == "json":
        click.echo(machine.law_verdict(asked, found, table))
        return ExitCode.OK
    from runner.report.law_view import print_verdict  # noqa: PLC0415 rich is not free

    print_verdict(console(), asked, found, table)
    return ExitCode.OK


def _number(phone: str) -> str:
    try:
        return read_number(phone, None).e164
    except NumberRefused as refused:
        raise UsageWrong(refused.message, help=refused.help) from refused


def _zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageWrong(f"`{zone}` is not a time zone", help="write: --timezone America/New_York") from error
    return zone


def _places(told: tuple[str, ...]) -> tuple[str, ...]:
    for one in told:
        if not is_jurisdiction(one):
            message = f"`{one}` is not a country or a part of one"
            raise UsageWrong(message, help="write: --jurisdiction US-TX")
    return told


def _instant(at: str | None, zones: tuple[str, ...]) -> datetime:
    """Read an instant; one without an offset stands on the person's clock, which must be known."""
    if at is None:
        return SystemClock().now()
    try:
        written = datetime.fromisoformat(at)
    except ValueError as error:
        raise UsageWrong(f"`{at}` is not an instant", help="write: --at 2026-03-01T10:00") from error
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    instants = {written.replace(tzinfo=ZoneInfo(one)).astimezone(UTC) for one in zones}
    if len(instants) != 1:
        message = f"`{at}` has no offset, and this number may be in {len(zones)} time zones"
        raise UsageWrong(message, help=f"write: --at {at}Z, or --timezone America/New_York")
    return instants.pop()
