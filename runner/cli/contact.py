"""`outreach call` and `outreach text`: reach one person, through the same gate as any campaign."""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from ruamel.yaml import YAML

from runner.cli.options import workspace_of
from runner.cli.output import console, format_option, is_masked
from runner.cli.running import Ended, RunOptions, apply_and_run, surroundings_of
from runner.errors import ExitCode, FilesWrong, UsageWrong
from runner.files.campaign import LoadedCampaign
from runner.ledger.person import pseudonyms_at
from runner.model.campaign import Purpose
from runner.model.channel import Channel
from runner.model.compliance import Consent
from runner.model.numbers import NUMBER_TYPES
from runner.model.plan import PlanLine
from runner.report import machine
from runner.rules.countries import country_of
from runner.rules.numbers import NumberRefused, read_number
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.workspace import Workspace

_SHARED = (
    click.argument("phone"),
    click.option("--agent", required=True, metavar="PROVIDER/ID", help="Who talks, such as movoice/agent_12345."),
    click.option(
        "--purpose",
        required=True,
        type=click.Choice([one.value for one in Purpose]),
        help="Why the person is contacted.",
    ),
    click.option("--consent", type=click.Choice([one.value for one in Consent]), help="What the person has agreed to."),
    click.option("--from", "from_number", metavar="PHONE", help="The number that the person sees."),
    click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A value for the agent."),
    click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the provider."),
    click.option("--timezone", metavar="ZONE", help="The person's zone; what the number tells otherwise."),
    click.option("--windows", metavar="WINDOWS", help="When it may start, such as `daily 09:00-20:00`."),
    click.option("--sandbox", is_flag=False, flag_value="here", metavar="[URL]", help="Place it into the sandbox."),
    click.option("--now", "windows_ignored", is_flag=True, help="Ignore windows; in the sandbox only."),
    click.option("--dry-run", is_flag=True, help="Show the request and stop."),
    click.option("--again", metavar="NAME", default="", help="Reach the person once more, under this name."),
    click.option("--yes", is_flag=True, help="Do not ask, even on a terminal."),
    format_option,
)


def _shared(command: Any) -> Any:
    for decorate in reversed(_SHARED):
        command = decorate(command)
    return command


@click.command()
@_shared
@click.pass_context
def call(ctx: click.Context, /, **words: Any) -> int:
    """Call one person. The same words twice are one call; --again NAME makes it another.

    It is a campaign of one: windows, suppressions and the ledger hold for it as for any other.
    """
    return _reach(ctx, "call", "", words)


@click.command()
@_shared
@click.option("--message", default="", help="The words; the agent finds its own otherwise.")
@click.pass_context
def text(ctx: click.Context, /, message: str, **words: Any) -> int:
    """Text one person. The same words twice are one text; --again NAME makes it another.

    It is a campaign of one: windows, suppressions and the ledger hold for it as for any other.
    """
    return _reach(ctx, "text", message, words)


def _reach(ctx: click.Context, channel: Channel, message: str, words: dict[str, Any]) -> int:
    if words["windows_ignored"] and words["sandbox"] is None:
        raise UsageWrong("--now is for the sandbox only: real people have windows", help="add --sandbox")
    try:
        words["phone"] = read_number(words["phone"], None).e164
    except NumberRefused as refused:
        raise UsageWrong(
            refused.message, help="start with + and the country code, for example +12025550143"
        ) from refused
    workspace = workspace_of(ctx)
    name = _name(channel, message, words)
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(_campaign(name, channel, message, words), encoding="utf-8")
        try:
            (loaded,) = workspace.load([file])
        except FilesWrong as wrong:
            first = wrong.diagnostics[0]
            raise UsageWrong(first.message, help=first.help) from wrong
        if words["dry_run"]:
            shown = _examine(workspace, loaded, SystemClock().now(), words)
            return ExitCode.UNFINISHED if shown.summary.skipped else ExitCode.OK
        return asyncio.run(_run(workspace, loaded, words))


async def _run(workspace: Workspace, loaded: LoadedCampaign, words: dict[str, Any]) -> int:
    name = loaded.campaign.campaign
    options = RunOptions(sandbox=words["sandbox"], windows_ignored=words["windows_ignored"], only=frozenset({name}))

    def examined(pointed: Workspace, at: datetime) -> list[applying.Examined]:
        found = _examine(pointed, loaded, at, words)
        if not _agreed(words):
            sys.exit(ExitCode.OK)
        return [found]

    async with surroundings_of(workspace, options, SystemClock().now()) as surroundings:
        ended = await apply_and_run(workspace, surroundings, options, examined)
    if words["form"] == "json":
        click.echo(machine.status(ended.overview))
    else:
        _print_end(ended)
    nobody = any(done.summary.skipped for done in ended.applied)
    return ExitCode.UNFINISHED if nobody else ended.code


def _print_end(ended: Ended) -> None:
    """Say how it went, and whether anything was placed at all."""
    for done in ended.applied:
        if not done.recorded.is_new:
            click.echo("it was placed before; add --again NAME to reach the person once more")
    for one in ended.overview:
        for _, of_channel, outcome, _ in one.outcomes:
            click.echo(f"{of_channel}: {outcome}")


def _examine(workspace: Workspace, loaded: LoadedCampaign, at: datetime, words: dict[str, Any]) -> applying.Examined:
    """Plan the campaign of one and show its request."""
    lines: list[PlanLine] = []
    planned = workspace.plan(loaded, at, windows_ignored=words["windows_ignored"])
    examined = applying.examine(planned, lines.append)
    for line in lines:
        if line.rejected:
            # The place is in a file that nobody wrote: only the sentence is of use.
            raise UsageWrong(line.reason.partition(": ")[2] or line.reason)
    _print_request(workspace, lines, words["form"])
    return examined


def _print_request(workspace: Workspace, lines: list[PlanLine], form: str) -> None:
    if form == "json":
        for line in lines:
            click.echo(machine.plan_line(line))
        return
    from runner.report.plan_view import print_person  # noqa: PLC0415 rich is not free

    print_person(console(), lines, masked=is_masked(), pseudonyms=pseudonyms_at(workspace.ledger_path))


def _agreed(words: dict[str, Any]) -> bool:
    if words["yes"] or words["sandbox"] is not None or not sys.stdin.isatty():
        return True
    return click.confirm("Place it?", default=False)


def _campaign(name: str, channel: Channel, message: str, words: dict[str, Any]) -> str:
    """Write the campaign of one as YAML, so that its errors have a place to point at."""
    provider, _, agent_id = words["agent"].partition("/")
    agent: dict[str, Any] = {"provider": provider, "id": agent_id}
    if words["from_number"]:
        agent["from"] = words["from_number"]
    if words["options"]:
        agent["options"] = _pairs(words["options"], "--option")
    person = {"phone": words["phone"]} | ({"timezone": words["timezone"]} if words["timezone"] else {})
    campaign: dict[str, Any] = {
        "campaign": name,
        "purpose": words["purpose"],
        "agents": {"agent": agent},
        "contacts": [person],
        # Whoever names one number by hand has chosen its country and type.
        "number_types": list(NUMBER_TYPES),
        "steps": [{channel: "agent"} | ({"message": _literal(message)} if message else {})],
    }
    if country := country_of(words["phone"]):
        campaign["countries"] = [country]
    if words["consent"]:
        campaign["compliance"] = {"consent": words["consent"]}
    if words["variables"]:
        campaign["variables"] = {key: _literal(value) for key, value in _pairs(words["variables"], "--var").items()}
    if words["windows"]:
        campaign["windows"] = words["windows"]
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(campaign, stream)
    return stream.getvalue()


def _literal(value: str) -> str:
    """Refuse what the template language would read: words from the command line are said as they are."""
    if any(mark in value for mark in ("{{", "{%", "{#")):
        raise UsageWrong(f"`{value}` holds a template mark", help="write the words themselves, without {{ or {%")
    return value


def _pairs(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageWrong(f"`{pair}` is not a name and a value", help=f"write: {option} name=Anna")
        found[name] = value
    return found


def _name(channel: Channel, message: str, words: dict[str, Any]) -> str:
    """Name the campaign of one by what it says to whom: the same words give the same name, so nobody is reached twice."""
    parts = [channel, message, words["phone"], words["agent"], *words["variables"], *words["options"], words["again"]]
    return f"{channel}-{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:12]}"
