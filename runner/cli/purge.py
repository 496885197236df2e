"""`outreach purge`: forget what was said to people once it is old, or everything of one person."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import click

from runner.cli.options import workspace_of
from runner.cli.output import format_option
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.files.suppressions import Entry, number_of
from runner.ledger import erasing, sqlite
from runner.ledger.erasing import Erased, Purged
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.store import Store
from runner.model.durations import parse_duration
from runner.report.words import count_of
from runner.rules.numbers import NumberRefused
from runner.schedule.clock import SystemClock

_MOST_BYTES = 256 * 1024 * 1024


@click.command()
@click.option("--older-than", "age", metavar="SPAN", help="Forget what ended longer ago than this, such as 180d.")
@click.option("--campaign", metavar="NAME", help="Only of this campaign and its rounds.")
@click.option("--number", metavar="PHONE", help="Erase this person everywhere; the number stays forbidden.")
@click.option("--country", metavar="XX", help="The country of a number written without + and country code.")
@click.option("--yes", is_flag=True, help="Do it; without, it is only counted.")
@format_option
@click.pass_context
def purge(
    ctx: click.Context,
    age: str | None,
    campaign: str | None,
    number: str | None,
    country: str | None,
    form: str,
    *,
    yes: bool,
) -> int:
    """Forget what was said to people, or everything of one person. Without --yes it only counts.

    With --older-than go the rows, requests, transcripts, summaries, texts and webhook bodies of people
    for whom everything ended before; who was called, when and with which outcome stays.

    With --number goes everything of one person, in every campaign. What stays is a keyed hash of the
    number, by which it is refused whenever it turns up again. Copies of the ledger and files of yours
    are out of reach.
    """
    if (age is None) is (number is None) or (number is not None and campaign is not None):
        raise UsageWrong(
            "what to forget is not said", help="write: --older-than 180d   (or, for one person: --number +12025550143)"
        )
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}", help="outreach apply creates it")
    store = Store.open(path)
    try:
        if number is not None:
            return _erase(store, path, _number(number, country), form, yes=yes)
        return _purge(store, path, _span(age or ""), campaign, form, yes=yes)
    finally:
        store.close()


def _purge(store: Store, path: Path, age: timedelta, campaign: str | None, form: str, *, yes: bool) -> int:
    now = SystemClock().now()
    if campaign is not None and store.one("campaign_id", name=campaign) is None:
        raise NotFound(f"no campaign `{campaign}` was applied", help="outreach status lists them all")
    found = erasing.purge(store, now - age, now, campaign=campaign, really=yes)
    compacted = yes and not found.is_nothing and _compacted(store, path)
    if form == "json":
        click.echo(json.dumps({"purged" if yes else "would_purge": _purged(found)}, indent=2))
        return ExitCode.OK
    verb = "forgot" if yes else "would forget"
    parts = [
        f"the rows of {count_of(found.contacts, 'contact')}", count_of(found.payloads, "request"),
        f"{found.summaries:,} summaries", count_of(found.results, "result") + " in full",
        f"{found.replies:,} replies", f"the bodies of {count_of(found.webhooks, 'webhook')}",
    ]  # fmt: skip
    click.echo(f"{verb} {', '.join(parts)}, of before {now - age:%Y-%m-%d %H:%M} UTC")
    _say_more(done=yes, compacted=compacted or found.is_nothing)
    return ExitCode.OK


def _erase(store: Store, path: Path, phone: str, form: str, *, yes: bool) -> int:
    now = SystemClock().now()
    found = erasing.erase(store, phone, now, really=yes)
    compacted = yes and _compacted(store, path)
    shown, elsewhere = pseudonyms_of(store).shown(phone), _files_with(path, phone)
    if form == "json":
        facts = _erased(found) | {"person": shown, "also_in": [str(one) for one in elsewhere]}
        click.echo(json.dumps({"erased" if yes else "would_erase": facts}, ensure_ascii=False, indent=2))
        return ExitCode.OK
    verb = "erased" if yes else "would erase"
    click.echo(
        f"{verb} {shown}: {count_of(found.contacts, 'contact')}, {count_of(found.attempts, 'attempt')},"
        f" the detail of {count_of(found.events, 'event')}, {found.replies:,} replies,"
        f" {count_of(found.webhooks, 'webhook')}, {found.elsewhere:,} other rows"
    )
    for one in elsewhere:
        click.echo(f"  = note: {one} has the number too, and is yours to delete", err=True)
    click.echo(
        "  = note: backups, exports and contact files elsewhere are out of reach, and so is the provider", err=True
    )
    _say_more(done=yes, compacted=compacted)
    return ExitCode.OK


def _say_more(*, done: bool, compacted: bool) -> None:
    if not done:
        click.echo("nothing was changed; do it with --yes", err=True)
    elif not compacted:
        click.echo(
            "  = note: a runner is at work, so the file keeps its size; what was forgotten is overwritten", err=True
        )


def _compacted(store: Store, path: Path) -> bool:
    """Write the file anew unless a runner is at work on it."""
    return not sqlite.is_held(path) and erasing.compact(store)


def _files_with(path: Path, phone: str) -> list[Path]:
    """Name the files beside the ledger in which a number stands: backups, reject files, reports."""
    digits = phone.removeprefix("+").encode()
    return [
        file
        for file in sorted(path.parent.iterdir())
        if file.is_file() and file != path and file.stat().st_size <= _MOST_BYTES and digits in file.read_bytes()
    ]


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError:
        raise UsageWrong(f"`{text}` is no length of time", help="write: --older-than 180d") from None


def _purged(found: Purged) -> dict[str, int]:
    return {
        "contacts": found.contacts, "requests": found.payloads, "summaries": found.summaries,
        "results": found.results, "replies": found.replies, "webhooks": found.webhooks,
    }  # fmt: skip


def _erased(found: Erased) -> dict[str, object]:
    return {
        "contacts": found.contacts, "attempts": found.attempts, "events": found.events, "replies": found.replies,
        "webhooks": found.webhooks, "other_rows": found.elsewhere, "was_suppressed": found.was_listed,
    }  # fmt: skip


def _number(text: str, country: str | None) -> str:
    try:
        return number_of(Entry(0, text), country.upper() if country else None)
    except NumberRefused as refused:
        raise UsageWrong(refused.message, help=refused.help or "write it with + and country code") from None
