"""`outreach ledger`: take care of the ledger, the one memory of who was contacted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from runner.cli.options import InstantType, workspace_of
from runner.cli.output import format_option
from runner.errors import ExitCode, NotFound, UsageWrong
from runner.ledger import copies, reconciling, sqlite
from runner.ledger.audit import Audit, audit
from runner.ledger.chain import Head
from runner.ledger.migrate import check_version, migrations, schema_version
from runner.ledger.store import Store
from runner.report.words import count_of
from runner.schedule.clock import SystemClock

_RECONCILE = "nothing is sent from it until: outreach ledger reconcile"


@click.group()
def ledger() -> None:
    """Take care of the ledger: back it up, put a backup back, check that it is sound.

    A copy of a ledger, or an older state of it, is noticed: nothing is sent from it until it is
    reconciled, because whoever was contacted since would be contacted again.
    """


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path))
@format_option
@click.pass_context
def backup(ctx: click.Context, file: Path, form: str) -> int:
    """Write a sound copy of the ledger to FILE, or into a folder; a runner may be at work meanwhile.

    The copy is checked and synced before it gets its name. It holds numbers and names as the ledger
    does, so keep it as safe.
    """
    now = SystemClock().now()
    path = _path(ctx)
    target = file / f"{path.stem}-{now:%Y%m%dT%H%M%SZ}{path.suffix}" if file.is_dir() else file
    with _opened(path) as store, sqlite.errors_mapped():
        made = copies.back_up(store._connection, target)  # noqa: SLF001 a copy is made from below
    if form == "json":
        click.echo(json.dumps({"backup": _facts(made, now)}, ensure_ascii=False, indent=2))
        return ExitCode.OK
    click.echo(f"backed up to {made.path}: {_counts(made)}, as of {now:%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"  schema {made.schema}, {made.size:,} bytes, head {made.head}", err=True)
    return ExitCode.OK


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--reconcile", "then", is_flag=True, help="Reconcile it at once.")
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@click.pass_context
def restore(ctx: click.Context, file: Path, *, then: bool, yes: bool) -> int:
    """Put the backup FILE in the ledger's place. What stands there is moved aside, never lost.

    Suppressions that came since the backup are not in it: import them before anything is sent.
    """
    path, now = workspace_of(ctx).ledger_path, SystemClock().now()
    held = copies.contents_of(file)
    if not _agreed(f"Put {file} ({_counts(held)}) in the place of {path}?", yes=yes):
        return ExitCode.OK
    with sqlite.exclusive_runner(path), sqlite.errors_mapped():
        aside = copies.put_back(file, path, now)
    click.echo(f"restored {path}: {_counts(held)}")
    if aside is not None:
        click.echo(f"what stood there is now {aside}")
    if then:
        return _reconcile(path, now, since=None)
    click.echo(f"  = note: {_RECONCILE}", err=True)
    return ExitCode.OK


@ledger.command()
@click.option("--since", type=InstantType(), help="When the copy was made; the newest instant it knows of otherwise.")
@click.option("--moved", is_flag=True, help="It was only moved: nothing ever ran on another copy of it.")
@click.option("--yes", is_flag=True, help="Do not ask, even on a terminal.")
@click.pass_context
def reconcile(ctx: click.Context, since: datetime | None, *, moved: bool, yes: bool) -> int:
    """Make a copy, or an older state, the ledger again; whoever the lost part may have contacted is in doubt.

    Outcomes are asked for, and what was due since is looked for at its provider before it is sent. Where
    nobody can be asked, it is held for `outreach resolve`. Apply what was applied since, and import the
    suppressions of since, first. No other copy may ever run again.
    """
    path, now = _path(ctx), SystemClock().now()
    if moved and since is not None:
        raise UsageWrong("`--moved` and `--since` exclude each other", help="outreach ledger reconcile --moved")
    question = "Did nothing ever run on another copy?" if moved else "Does no other copy of this ledger run any more?"
    if not _agreed(question, yes=yes):
        return ExitCode.OK
    if not moved:
        return _reconcile(path, now, since=since)
    with sqlite.exclusive_runner(path), _opened(path) as store:
        reconciling.moved(store, path, now)
    click.echo(f"{path} is the ledger; nobody is in doubt")
    return ExitCode.OK


@ledger.command()
@click.option("--quick", is_flag=True, help="Leave out the replay of moves and the audit chain.")
@click.option("--head", metavar="N:HASH", help="A head that was noted before: it must still be in the chain.")
@format_option
@click.pass_context
def verify(ctx: click.Context, head: str | None, form: str, *, quick: bool) -> int:
    """Check the file, its rows against what must always hold, every attempt's moves and the audit chain.

    The chain shows every event that was changed, removed or put in. Whoever can write the file could
    make a whole new chain: note the head elsewhere, and check it by --head.
    """
    path = _path(ctx)
    store = Store.open_read_only(path)
    try:
        found = audit(store, quick=quick, expected=_head(head) if head else None)
    finally:
        store.close()
    if form == "json":
        click.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=2))
    else:
        _print(path, found)
    return ExitCode.OK if found.is_sound else ExitCode.WRONG


@ledger.command()
@click.pass_context
def migrate(ctx: click.Context) -> int:
    """Bring the ledger's schema to this version's; a copy of what was is kept beside it.

    `apply`, `run` and whatever else writes do it by themselves. There is no way back but that copy.
    """
    path = _path(ctx)
    with sqlite.errors_mapped():
        connection = sqlite.connect_read_only(path)
        check_version(connection)
        before = schema_version(connection)
        connection.close()
    newest = migrations()[-1].version
    if before == newest:
        click.echo(f"{path} has schema {newest}, the newest that this version knows")
        return ExitCode.OK
    Store.open(path).close()
    click.echo(f"{path}: schema {before} -> {newest}")
    kept = path.with_name(f"{path.name}.schema-{before}")
    if kept.exists():
        click.echo(f"what it was is kept as {kept}")
    return ExitCode.OK


def _reconcile(path: Path, now: datetime, *, since: datetime | None) -> int:
    with sqlite.exclusive_runner(path), _opened(path) as store:
        done = reconciling.reconcile(store, path, now, since=since)
    click.echo(f"{path} is the ledger again; unknown is what happened from {_utc(done.since)} to {_utc(done.until)}")
    click.echo(f"  {count_of(done.asked, 'attempt')}: the outcome is asked for")
    click.echo(f"  {count_of(done.looked_for, 'attempt')} on the way: looked for by the next run")
    click.echo(f"  {count_of(done.in_doubt, 'attempt')} due since: looked for before anything is sent")
    click.echo(f"  {count_of(done.held, 'attempt')} that nobody can be asked about: held, see outreach status")
    click.echo("  = note: opt-outs of that time are not in it; import them: outreach suppress import FILE", err=True)
    return ExitCode.OK


def _print(path: Path, found: Audit) -> None:
    click.echo(f"{path}: {count_of(found.contacts, 'contact')}, {count_of(found.attempts, 'attempt')}")
    for check in found.checks:
        faults = [one for one in found.faults if one.check == check]
        click.echo(f"  {'wrong' if faults else 'ok':<6}{check}")
        for fault in faults:
            click.echo(f"        {fault.what}")
    if found.head.event:
        click.echo(f"head: {found.head}")
    if not found.is_sound:
        click.echo(f"{count_of(len(found.faults), 'fault')}; keep the file as it is, and look at a backup", err=True)


def _as_json(found: Audit) -> dict[str, object]:
    return {
        "sound": found.is_sound,
        "checks": list(found.checks),
        "contacts": found.contacts,
        "attempts": found.attempts,
        "head": str(found.head),
        "faults": [{"check": one.check, "what": one.what} for one in found.faults],
    }


def _facts(made: copies.Contents, now: datetime) -> dict[str, object]:
    return {
        "file": str(made.path),
        "at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "schema": made.schema,
        "bytes": made.size,
        "campaigns": made.campaigns,
        "contacts": made.contacts,
        "attempts": made.attempts,
        "suppressions": made.suppressions,
        "head": str(made.head),
    }


def _counts(held: copies.Contents) -> str:
    parts = [
        (held.campaigns, "campaign"),
        (held.contacts, "contact"),
        (held.attempts, "attempt"),
        (held.suppressions, "suppression"),
    ]
    return ", ".join(count_of(count, noun) for count, noun in parts)


def _head(text: str) -> Head:
    event, _, hash_ = text.partition(":")
    if not event.isdecimal() or not hash_:
        raise UsageWrong(f"`{text}` is no head", help="write it as verify and backup print it: --head 17:5e6ecd07…")
    return Head(event=int(event), hash=hash_)


def _agreed(question: str, *, yes: bool) -> bool:
    """Ask; without a terminal nobody can be asked, so the word has to stand in the command."""
    if not yes and not sys.stdin.isatty():
        raise UsageWrong(f"nobody can be asked here: {question}", help="add --yes when it is so")
    if yes or click.confirm(question, default=False):
        return True
    click.echo("nothing was changed", err=True)
    return False


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _path(ctx: click.Context) -> Path:
    path = workspace_of(ctx).ledger_path
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}", help="outreach apply creates it")
    return path


@contextmanager
def _opened(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    try:
        yield store
    finally:
        store.close()
