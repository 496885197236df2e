"""`outreach suppress`: keep the list of people who must not be contacted, in every campaign and on every channel."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from runner.cli.options import InstantType, workspace_of
from runner.cli.output import is_masked, print_diagnostics
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.files.rejects import write_rejects
from runner.files.row_faults import row_diagnostics
from runner.files.suppression_list import Usual, read_list, write_list
from runner.files.suppressions import Entry, number_of
from runner.files.written import written
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.store import Store
from runner.ledger.suppressions import lift, suppress_all, suppression_of, suppressions
from runner.model.campaign import ContactSource
from runner.model.contact import RejectedRow
from runner.model.suppression import Suppression
from runner.report.machine import utc_text
from runner.report.words import count_of, masked_reason, shown_phone
from runner.rules.numbers import NumberRefused
from runner.rules.pseudonyms import UNKEYED, Pseudonyms
from runner.schedule.clock import SystemClock

REASON = "asked not to be contacted"
_WIDE, _WIDE_MASKED = 16, 20
"""columns of a number in the list"""
_MEND = "mend them and import the file again: those who are on the list stay on it"
_IMPORT_HELP = {"P02": "say which country: --country GB"}
_country = click.option(
    "--country", metavar="XX", help="The country of numbers written without + and country code, such as GB."
)
_until = click.option(
    "--until", type=InstantType(), help="When it ends, such as 2027-01-31T00:00:00Z; never when absent."
)


@click.group()
def suppress() -> None:
    """Keep the list of people who must not be contacted, in every campaign and on every channel.

    A runner that is at work heeds a change before its next request: the list is read in the very
    transaction that decides on a call or text. What the engine adds by itself, opt-outs and the
    providers' own lists, stands on the same list.
    """


@suppress.command()
@click.argument("phones", nargs=-1, required=True, metavar="PHONE...")
@click.option("--reason", default=REASON, show_default=True, metavar="TEXT", help="Why.")
@click.option("--source", default="by hand", show_default=True, metavar="TEXT", help="Who or what said so.")
@_until
@_country
@click.pass_context
def add(
    ctx: click.Context, phones: tuple[str, ...], reason: str, source: str, until: datetime | None, country: str | None
) -> int:
    """Put people on the list and call off what is planned for them.

    With --until they are left alone until then, and what is planned waits for it.
    """
    now = SystemClock().now()
    if until is not None and until <= now:
        raise UsageWrong(f"`{until:%Y-%m-%dT%H:%M:%SZ}` is over", help="write an instant to come, or leave --until out")
    entries = [
        Suppression(phone=_number(one, country), reason=reason, source=source, at=now, until=until) for one in phones
    ]
    with _ledger(ctx) as store:
        for entry, is_news in zip(entries, suppress_all(store, entries, now), strict=True):
            known = suppression_of(store, entry.phone)
            sentence = known.sentence if known is not None else entry.sentence
            click.echo(f"{entry.phone} {'is on the list' if is_news else 'was on the list before'}: {sentence}")
    return ExitCode.OK


@suppress.command()
@click.argument("phone")
@click.option("--reason", required=True, metavar="TEXT", help="Why they may be contacted again; kept with the entry.")
@_country
@click.pass_context
def remove(ctx: click.Context, phone: str, reason: str, country: str | None) -> int:
    """Take a person from the list; the entry is kept with the reason.

    What was called off stays so. A provider's own do-not-call list is never changed: what stands
    there is taken over again.
    """
    number = _number(phone, country)
    by = f"{getpass.getuser()}@{socket.gethostname()}"
    with _ledger(ctx, must_exist=True) as store:
        lifted = lift(store, number, reason, by, SystemClock().now())
    if lifted is None:
        raise NotFound(f"{number} is not on the list", help="outreach suppress list")
    click.echo(f"{number} may be contacted again; what was called off stays so")
    for account in lifted.listed_by:
        click.echo(
            f"  = note: the do-not-call list of account {account} has the number too, and the next run takes it over"
            " again; take it from there first",
            err=True,
        )
    return ExitCode.OK


@suppress.command("list")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="text for people, json for machines.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Those included whose time is over.")
@click.pass_context
def list_(ctx: click.Context, form: str, *, everything: bool) -> int:
    """Show the list: number, why, who said so, since when and until when."""
    now = SystemClock().now()
    found, pseudonyms = _read(ctx)
    found = [one for one in found if everything or one.holds(now)]
    if form == "json":
        click.echo(json.dumps({"suppressions": [_as_json(one, now) for one in found]}, ensure_ascii=False, indent=2))
        return ExitCode.OK
    masked = is_masked()
    for one in found:
        who = shown_phone(one.phone, masked=masked, pseudonyms=pseudonyms)
        why = masked_reason(one.sentence, pseudonyms) if masked else one.sentence
        click.echo(f"{who:<{_WIDE_MASKED if masked else _WIDE}}  {one.at:%Y-%m-%d}  {why}")
    click.echo(f"{count_of(len(found), 'number')} on the list", err=True)
    return ExitCode.OK


@suppress.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--reason", default=REASON, show_default=True, metavar="TEXT", help="Why, where the file has no column `reason`."
)
@click.option(
    "--source", metavar="TEXT", help="Who said so, where the file has no column `source`; its name otherwise."
)
@_until
@_country
@click.pass_context
def import_(
    ctx: click.Context, file: Path, reason: str, source: str | None, until: datetime | None, country: str | None
) -> int:
    """Put the numbers of FILE on the list: a number a line, or a CSV with a phone column.

    Columns `reason`, `source` and `until` count where they are there. Entries that cannot be read
    are said and written to a reject file; all others are put on the list all the same.
    """
    now = SystemClock().now()
    usual = Usual(reason=reason, source=source or file.name, until=until, country=country)
    found = list(read_list(file, usual, now))
    entries = [one for one in found if isinstance(one, Suppression)]
    rejected = [one for one in found if isinstance(one, RejectedRow)]
    holding = [one for one in entries if one.holds(now)]
    with _ledger(ctx) as store:
        news = sum(suppress_all(store, holding, now))
    over = len(entries) - len(holding)
    parts = [f"{news:,} put on the list", f"{len(holding) - news:,} were on it before"]
    click.echo(", ".join([*parts, *([f"{over:,} left out whose time is over"] if over else [])]))
    return _say_rejected(workspace_of(ctx).ledger_path.parent, file, rejected)


@suppress.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.pass_context
def export(ctx: click.Context, file: Path | None) -> int:
    """Write the list as a CSV that `import` reads back, into FILE, which only you may read, or to standard output."""
    now = SystemClock().now()
    found = [one for one in _read(ctx)[0] if one.holds(now)]
    file = None if file == Path("-") else file
    with written(file) as out:
        count = write_list(found, out)
    if file is not None:
        click.echo(f"{count_of(count, 'number')} in {file}", err=True)
    return ExitCode.OK


def _say_rejected(folder: Path, file: Path, rejected: list[RejectedRow]) -> int:
    if not rejected:
        return ExitCode.OK
    path = folder / f"{file.stem}.reject.csv"
    write_rejects(path, (), rejected)
    source = ContactSource(file=str(file.absolute()))
    found = row_diagnostics(rejected, source, str(file))
    print_diagnostics([replace(one, help=_IMPORT_HELP.get(one.code, _MEND)) for one in found])
    click.echo(f"{count_of(len(rejected), 'row')} left out: {path}", err=True)
    return ExitCode.WRONG


def _as_json(one: Suppression, now: datetime) -> dict[str, object]:
    return {
        "phone": one.phone,
        "reason": one.reason,
        "source": one.source,
        "at": utc_text(one.at),
        "until": utc_text(one.until),
        "holds": one.holds(now),
    }


def _number(text: str, country: str | None) -> str:
    """Read a number as do-not-contact files are read: one written in full counts even if nobody could have it."""
    try:
        return number_of(Entry(0, text), country.upper() if country else None)
    except NumberRefused as refused:
        raise UsageWrong(refused.message, help=refused.help or "write it with + and country code") from None


def _read(ctx: click.Context) -> tuple[list[Suppression], Pseudonyms]:
    """Give the list, and what tells those on it apart where numbers are masked."""
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        return [], UNKEYED
    with _ledger(ctx) as store:
        return suppressions(store), pseudonyms_of(store)


@contextmanager
def _ledger(ctx: click.Context, *, must_exist: bool = False) -> Iterator[Store]:
    """Open the ledger for writing; a runner may be at work on it."""
    path = workspace_of(ctx).ledger_path
    if must_exist and not path.exists():
        raise NotFound("there is no list yet", help="outreach suppress add +12025550143")
    store = Store.open(path)
    try:
        yield store
    finally:
        store.close()
