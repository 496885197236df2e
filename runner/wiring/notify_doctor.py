"""`doctor` on notifications: whether secrets and addresses are there, what was given up, and a test on demand."""

from __future__ import annotations

import importlib.util
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator

from runner.errors import CredentialMissing, NotFound, NotifyFailed, OutreachError
from runner.files.keys import did_you_mean
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.model.notification import Kind, Notification, NotifyTarget
from runner.providers.notify import Targets
from runner.providers.notify_apprise import INSTALL
from runner.providers.notify_webhook import SECRET_HELP
from runner.report.notify_view import standing_lines
from runner.rules.notify import secret_bytes
from runner.schedule.clock import SystemClock
from runner.wiring.health import Check, Health
from runner.wiring.workspace import Workspace


def notify_checks(workspace: Workspace) -> Iterator[Check]:
    """Look at each target of outreach.yaml, and at what was given up; sends nothing."""
    for name, target in workspace.loaded.project.notify.items():
        yield _target(workspace, name, target)
    yield from _given_up(workspace)


async def notify_test(workspace: Workspace, name: str) -> AsyncIterator[Check]:
    """Send one target a test; raise NotFound when outreach.yaml has no such target."""
    known = workspace.loaded.project.notify
    if name not in known:
        raise NotFound(
            f"outreach.yaml has no target `{name}`", help=did_you_mean(name, known) or "name it there, under notify"
        )
    targets, now = Targets(known, workspace.webhook_secret), SystemClock().now()
    test = Notification(id=0, message_id=f"msg_{secrets.token_hex(16)}", kind=Kind.TEST, at=now, target=name)
    try:
        await targets.send(test, now)
    except NotifyFailed as failed:
        yield Check(subject=_subject(name), health=Health.FAULT, says=f"a test: {failed.message}", help=failed.help)
    else:
        yield Check(subject=_subject(name), health=Health.OK, says=f"a test was taken, {test.message_id}")
    finally:
        await targets.aclose()


def _target(workspace: Workspace, name: str, target: NotifyTarget) -> Check:
    subject, address = _subject(name), target.webhook or ""
    if target.apprise is not None and importlib.util.find_spec("apprise") is None:
        return Check(subject=subject, health=Health.FAULT, says="apprise is not installed", help=INSTALL)
    try:
        for reference in (*target.secret, *(one for one in (target.apprise, address) if one and "://" not in one)):
            values = workspace.webhook_secret(reference).split()
            if reference in target.secret:
                for one in values:
                    secret_bytes(one)
    except CredentialMissing as missing:
        return Check(subject=subject, health=Health.FAULT, says=missing.message, help=missing.help)
    except ValueError as error:
        return Check(subject=subject, health=Health.FAULT, says=str(error), help=SECRET_HELP)
    says = f"its secrets are there; try it with: outreach doctor --notify {name}"
    return Check(subject=subject, health=Health.OK, says=says)


def _given_up(workspace: Workspace) -> Iterator[Check]:
    if not workspace.ledger_path.exists():
        return
    try:
        store = Store.open_read_only(workspace.ledger_path)
        try:
            standings = [one for one in Outbox(store).standing() if one.dead]
        finally:
            store.close()
    except (OutreachError, sqlite3.Error):
        return  # the check of the ledger says so
    for sentence in standing_lines(standings):
        yield Check(subject="notifications", health=Health.WARNING, says=sentence.removeprefix("notifications "))


def _subject(name: str) -> str:
    return f"notify {name}"
