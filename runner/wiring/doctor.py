"""`doctor`: look at everything that a run will need, by reading alone; it never dials and never writes.

Each check ends as ok, warning, fault or unchecked; what cannot be checked is named, so that silence
never passes for health.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from runner.errors import CredentialMissing, OutreachError
from runner.ledger.sqlite import connect_read_only
from runner.ledger.store import Store
from runner.model.project import BASE_URLS, Account
from runner.model.request import Reply, Request
from runner.providers.registry import provider_for
from runner.providers.transport import HttpTransport
from runner.schedule.clock import SystemClock
from runner.wiring.health import Check, Health
from runner.wiring.notify_doctor import notify_checks
from runner.wiring.workspace import Workspace, tzdata_version

MOST_SKEW = timedelta(seconds=120)
"""how far our clock may be from a provider's before windows cannot be trusted"""
_SOUND_WAL = (3, 51, 3)
_NO_SUCH_ENDPOINT = frozenset({404, 405})
_RESTORE = "restore it from a backup: outreach ledger restore FILE"


async def examine(workspace: Workspace, used: frozenset[str], receiver: str = "") -> AsyncIterator[Check]:
    """Look at the machine, the ledger and the accounts named in `used`; one check after the other.

    `receiver` is the public address that providers send webhooks to; empty when it is not known here.
    """
    for check in (*_machine(), *_ledger(workspace), *notify_checks(workspace)):
        yield check
    transport = HttpTransport(workspace.credential)
    try:
        for name in sorted(used):
            async for check in _account(workspace, workspace.accounts[name], transport):
                yield check
    finally:
        await transport.aclose()
    yield await _receiver(receiver)


def _machine() -> Iterator[Check]:
    version = ".".join(map(str, sqlite3.sqlite_version_info))
    if sqlite3.sqlite_version_info >= _SOUND_WAL:
        yield Check(subject="sqlite", health=Health.OK, says=f"{version}, write-ahead log")
    else:
        yield Check(
            subject="sqlite", health=Health.OK, says=f"{version}, rollback journal (its write-ahead log is unsound)"
        )
    yield Check(subject="zones", health=Health.OK, says=f"tzdata {tzdata_version()}")


def _ledger(workspace: Workspace) -> Iterator[Check]:
    path = workspace.ledger_path
    if not path.exists():
        yield Check(subject="ledger", health=Health.OK, says="there is none yet; apply creates it")
        return
    try:
        Store.open_read_only(path).close()
        connection = connect_read_only(path)
        found = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        connection.close()
    except (OutreachError, sqlite3.Error) as error:
        help_ = error.help if isinstance(error, OutreachError) else ""
        yield Check(subject="ledger", health=Health.FAULT, says=str(error), help=help_ or _RESTORE)
        return
    if found != "ok":
        says = f"not sound: {found.splitlines()[-1]}"
        yield Check(subject="ledger", health=Health.FAULT, says=says, help=_RESTORE)
        return
    yield Check(subject="ledger", health=Health.OK, says=f"sound: {path}")


async def _account(workspace: Workspace, account: Account, transport: HttpTransport) -> AsyncIterator[Check]:
    subject = f"account {account.name}"
    yield _webhook_secret(workspace, account, subject)
    if account.allow_loopback:
        says = f"allow_loopback: requests may go to this machine, and base_url is {account.base_url}"
        yield Check(subject=subject, health=Health.OK, says=says)
    elif account.api is None and account.base_url != BASE_URLS[account.provider]:
        says = f"its key goes to {account.base_url}, and {BASE_URLS[account.provider]} is documented"
        yield Check(subject=subject, health=Health.WARNING, says=says, help="look who changed base_url")
    try:
        workspace.credential(account.credential)
    except CredentialMissing as missing:
        yield Check(subject=subject, health=Health.FAULT, says=missing.message, help=missing.help)
        return
    provider = provider_for(account)
    request: Request | None = provider.credential_check()
    if request is None:
        says = f"{account.provider} has nothing that can be read, so its key cannot be tried"
        yield Check(subject=subject, health=Health.UNCHECKED, says=says)
        return
    try:
        reply = await transport.send(account, request)
        accepted = provider.read_credential_check(reply)
    except OutreachError as error:
        yield Check(subject=subject, health=Health.FAULT, says=error.message, help=error.help)
        return
    if accepted:
        yield Check(subject=subject, health=Health.OK, says="the key is accepted")
    else:
        help_line = f"look at {account.credential} and base_url {account.base_url}"
        yield Check(subject=subject, health=Health.FAULT, says=f"the key is refused ({reply.status})", help=help_line)
    yield _skew(subject, reply, SystemClock().now())
    if accepted and account.provider == "revox":
        yield _generation(subject, account, await _shown_generation(account, transport))


def _webhook_secret(workspace: Workspace, account: Account, subject: str) -> Check:
    """Look for the secret that proves webhooks, and say what follows where there is none."""
    if not account.webhook_secret:
        return Check(subject=subject, health=_unproven(account), says=_unproven_sentence(account))
    try:
        workspace.webhook_secret(account.webhook_secret)
    except CredentialMissing as missing:
        return Check(
            subject=subject, health=Health.FAULT, says=f"the webhook secret: {missing.message}", help=missing.help
        )
    return Check(subject=subject, health=Health.OK, says="webhooks are proven by their secret")


async def _shown_generation(account: Account, transport: HttpTransport) -> str:
    """Tell by reading which generation of Revox answers: `A`, `D`, `newer` than A; empty when nothing shows it.

    A campaign's counts tell it best. Without a campaign, only generation A lists its calls by GET.
    """
    try:
        reply = await transport.send(account, Request(method="GET", path="/campaigns"))
        campaigns = json.loads(reply.body)["campaigns"]
        shown = {"D" if "not_launched" in one["row_stats"] else "A" for one in campaigns if one.get("row_stats")}
        if shown:
            return shown.pop() if len(shown) == 1 else ""
        reply = await transport.send(account, Request(method="GET", path="/call?page=1&page_size=1"))
        if reply.status in _NO_SUCH_ENDPOINT:
            return "newer"
        return "A" if isinstance(json.loads(reply.body)["calls"], list) else ""
    except (OutreachError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _generation(subject: str, account: Account, shown: str) -> Check:
    """Compare the generation of the API that the account pins with the one that answers."""
    pinned = (account.generation or "A").upper()
    if not shown:
        says = f"generation {pinned} is pinned, and nothing shows whether it is the one that answers"
        return Check(subject=subject, health=Health.UNCHECKED, says=says)
    answers = "a newer generation than A" if shown == "newer" else f"generation {shown}"
    if shown == pinned or (shown == "newer" and pinned != "A"):
        return Check(subject=subject, health=Health.OK, says=f"{answers} answers, and {pinned} is pinned")
    says = f"{answers} answers, and {pinned} is pinned: campaigns would be started wrongly"
    return Check(
        subject=subject, health=Health.FAULT, says=says, help=f"write: generation: {'A' if shown == 'A' else 'D'}"
    )


def _unproven(account: Account) -> Health:
    return Health.WARNING if not provider_for(account).capabilities.poll else Health.OK


def _unproven_sentence(account: Account) -> str:
    if provider_for(account).capabilities.poll:
        return "no webhook_secret: webhooks are hints, and the provider is asked"
    return "no webhook_secret, and the provider cannot be asked: every outcome will be unknown"


def _skew(subject: str, reply: Reply, now: datetime) -> Check:
    try:
        theirs = parsedate_to_datetime(reply.headers.get("date", ""))
        skew = abs(now - theirs)
    except (ValueError, TypeError):
        return Check(subject=subject, health=Health.UNCHECKED, says="its answer has no date to compare our clock with")
    if skew > MOST_SKEW:
        says = f"our clock is {skew.total_seconds():.0f} s away from the provider's"
        return Check(subject=subject, health=Health.FAULT, says=says, help="set this machine's clock")
    return Check(subject=subject, health=Health.OK, says=f"clocks agree within {skew.total_seconds():.0f} s")


async def _receiver(address: str) -> Check:
    if not address:
        says = "no address was given, so nobody knows whether webhooks arrive"
        return Check(
            subject="webhooks",
            health=Health.UNCHECKED,
            says=says,
            help="outreach doctor --receiver https://hooks.example.com",
        )
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.get(f"{address.rstrip('/')}/healthz")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        says = f"nothing answers at {address}: {type(error).__name__}"
        return Check(subject="webhooks", health=Health.FAULT, says=says, help="start it: outreach serve")
    if _is_ours(answer):
        return Check(subject="webhooks", health=Health.OK, says=f"the receiver answers at {address}")
    says = f"what answers at {address} ({answer.status_code}) is no receiver of ours"
    return Check(subject="webhooks", health=Health.FAULT, says=says, help="point it at outreach serve")


def _is_ours(answer: httpx.Response) -> bool:
    """Whether the receiver itself answered, and no page that says yes to everything."""
    try:
        return answer.is_success and answer.json() == {"ok": True}
    except ValueError:
        return False
