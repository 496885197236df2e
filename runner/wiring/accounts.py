"""The accounts of a project, and the same accounts pointed at a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from runner.engine.accounts import Accounts
from runner.errors import CredentialMissing
from runner.model.project import BASE_URLS, PROVIDER_NAMES, Account, AccountEntry, Project, account_of
from runner.providers.registry import provider_for

SANDBOX_SECRET = "sandbox-webhook-secret"  # noqa: S105 proves webhooks of the sandbox to this process, guards nothing
SANDBOX_KEY = "sandbox-key"

# Real providers are asked after minutes, because their webhooks bring nearly every outcome; a sandbox
# is asked after seconds, so that a lost webhook does not make a rehearsal wait.
_SANDBOX_POLL = tuple(
    timedelta(seconds=seconds) for seconds in (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3600, 21600, 86400)
)
_SANDBOX_SETTLE = timedelta(seconds=2)


def project_accounts(project: Project) -> dict[str, Account]:
    """Give every account by name: those of outreach.yaml, and the default one of each provider."""
    declared = project.providers
    found = {name: account_of(name, entry, declared.get(entry.provider)) for name, entry in project.accounts.items()}
    for provider in (*PROVIDER_NAMES, *declared):
        found.setdefault(provider, account_of(provider, AccountEntry(provider=provider), declared.get(provider)))
    return found


def sandbox_accounts(accounts: Mapping[str, Account], url: str, *, pace: float = 1.0) -> dict[str, Account]:
    """Point accounts at a sandbox: base URLs, keys and webhook secrets are the sandbox's own.

    `pace` stretches the waiting times, for a sandbox whose people talk as long as real ones. Accounts of
    declared providers are left out: no sandbox plays those.
    """
    return {
        name: replace(
            account,
            base_url=f"{url}/{account.provider}{_documented_path(account.provider)}",
            allow_loopback=True,
            credential="sandbox:key",
            webhook_secret="sandbox:webhook",  # noqa: S106 a reference
            poll=tuple(span * pace for span in _SANDBOX_POLL),
            settle_after=_SANDBOX_SETTLE * pace,
        )
        for name, account in accounts.items()
        if account.api is None
    }


def sandbox_credential(reference: str) -> str:
    """Resolve the references that sandbox_accounts puts in."""
    return {"sandbox:key": SANDBOX_KEY, "sandbox:webhook": SANDBOX_SECRET}[reference]


def with_providers(accounts: Mapping[str, Account]) -> Accounts:
    """Give each account its provider, in the generation that the account pins."""
    return Accounts(accounts, {name: provider_for(account) for name, account in accounts.items()})


def require_webhook_secrets(accounts: Mapping[str, Account], secret: Callable[[str], str]) -> None:
    """Follow every webhook secret, so that a missing one is said before the first webhook comes; raise CredentialMissing."""
    for name, account in accounts.items():
        if account.webhook_secret:
            try:
                secret(account.webhook_secret)
            except CredentialMissing as missing:
                message = f"the webhook secret of {name}: {missing.message}"
                raise CredentialMissing(message, help=missing.help) from missing


def _documented_path(provider: str) -> str:
    """Give the path of a provider's documented base URL: `/v1`, `/api` or nothing."""
    _, _, rest = BASE_URLS[provider].partition("://")
    _, slash, path = rest.partition("/")
    return slash + path
