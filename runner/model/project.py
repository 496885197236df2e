"""The optional `outreach.yaml`: where the ledger is, which accounts there are, what campaigns default to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from runner.model.campaign import Limits, RetryPolicy, WindowList
from runner.model.fields import CredentialReference, Duration, FilePart, Name, ZoneOrContact

ProviderName = Literal["revmo", "revring", "revox", "movoice"]
PROVIDER_NAMES: tuple[ProviderName, ...] = ("revmo", "revring", "revox", "movoice")

BASE_URLS: Mapping[str, str] = {
    "revmo": "https://api.revmo.ai",
    "revring": "https://api.revring.ai/v1",
    "revox": "https://www.getrevox.com/api",
    "movoice": "https://api.movoice.ai/v1",
}
"""the documented base URL of each provider"""

POLL_LADDER = tuple(timedelta(seconds=seconds) for seconds in (90, 300, 900, 3600, 21600, 86400))
"""when to ask for an outcome that no webhook brought, counted from acceptance; after the last it is unknown"""

SETTLE_AFTER = timedelta(seconds=120)
"""how long a lost request is waited for before it is looked for, and between two look-ups"""


def _poll_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class AccountEntry(FilePart):
    """One account at a provider."""

    provider: ProviderName
    """Which API this is: revmo, revring, revox or movoice."""
    base_url: str | None = None
    """Where the API answers; the provider's documented URL when absent."""
    credential: CredentialReference | None = None
    """Where the API key is found, such as `env:REVOX_API_KEY`; never the key itself."""
    generation: str | None = None
    """Which generation of the API answers, for providers that changed it: revox `A` or `D`."""
    webhook_secret: CredentialReference | None = None
    """Where the secret is found that proves webhooks: RevRing's signing secret, for others the token in the URL."""
    poll: Annotated[tuple[Duration, ...], BeforeValidator(_poll_list), Field(min_length=1)] = POLL_LADDER
    """When to ask for an outcome that no webhook brought, from acceptance on; after the last it is unknown."""
    settle_after: Duration = SETTLE_AFTER
    """How long a lost request is looked for before two empty answers prove that it never arrived."""


class Defaults(FilePart):
    """What campaigns get that do not say otherwise."""

    windows: WindowList | None = None
    """When attempts may start."""
    retry: RetryPolicy | None = None
    """How hard to try."""
    limits: Limits | None = None
    """How fast campaigns may go."""
    timezone: ZoneOrContact | None = None
    """Whose clock the windows follow."""
    locale: str | None = None
    """How money, dates and numbers are written."""


class Project(FilePart):
    """The file `outreach.yaml` at the top of a project; all of it is optional."""

    ledger: str = "sqlite:///.outreach/ledger.db"
    """Where the ledger is: `sqlite:///` and a path relative to this file."""
    templates: str = "templates"
    """The folder with the templates, relative to this file."""
    accounts: dict[Name, AccountEntry] = {}
    """The accounts by name."""
    defaults: Defaults = Defaults()
    """What campaigns get that do not say otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account, resolved: what a provider needs to be reached."""

    name: str
    provider: ProviderName
    base_url: str
    credential: str
    """a reference such as `env:REVOX_API_KEY`, never the key"""
    generation: str = ""
    webhook_secret: str = ""
    poll: tuple[timedelta, ...] = POLL_LADDER
    settle_after: timedelta = SETTLE_AFTER


def account_of(name: str, entry: AccountEntry) -> Account:
    """Complete an entry of outreach.yaml with what is documented of its provider."""
    return Account(
        name=name,
        provider=entry.provider,
        base_url=(entry.base_url or BASE_URLS[entry.provider]).rstrip("/"),
        credential=entry.credential or f"env:{entry.provider.upper()}_API_KEY",
        generation=entry.generation or "",
        webhook_secret=entry.webhook_secret or "",
        poll=entry.poll,
        settle_after=entry.settle_after,
    )


def resolve_account(project: Project, provider: ProviderName, name: str) -> Account | None:
    """Find the account that an agent names; None when there is none of that name and provider.

    `default` means the account of that name, else the provider's only account, else the
    provider's documented URL with its usual environment variable.
    """
    entry = project.accounts.get(name)
    if entry is not None and entry.provider == provider:
        return account_of(name, entry)
    if name != "default":
        return None
    own = [(key, one) for key, one in project.accounts.items() if one.provider == provider]
    if len(own) > 1:
        return None
    return account_of(*own[0]) if own else account_of(provider, AccountEntry(provider=provider))
