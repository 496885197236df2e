"""The optional `outreach.yaml`: where the ledger is, which accounts there are, what campaigns default to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from runner.model.callback import CallbackShape
from runner.model.cap_rule import CapList
from runner.model.fields import CredentialReference, Duration, FilePart, Name, ZoneOrContact, wrong
from runner.model.http_api import HttpApi, Signature
from runner.model.http_fields import key_variable
from runner.model.limits import Limits, SharedLimits
from runner.model.movoice_plan import Plan
from runner.model.notification import HookList, NotifyTarget
from runner.model.retry import RetryPolicy
from runner.model.window import WindowList

ProviderName = Literal["revmo", "revring", "revox", "movoice"]
PROVIDER_NAMES: tuple[ProviderName, ...] = ("revmo", "revring", "revox", "movoice")

BASE_URLS: Mapping[str, str] = {
    "revmo": "https://api.revmo.ai",
    "revring": "https://api.revring.ai/v1",
    "revox": "https://www.getrevox.com/api",
    "movoice": "https://api.movoice.ai/v1",
}
"""the documented base URL of each provider"""

OWN_SETTINGS: Mapping[str, tuple[ProviderName, ...]] = {
    "plan": ("movoice",),
    "webhook_signature": ("movoice", "revmo"),
    "callback": ("revmo",),
    "spare_lines": ("revring",),
}
"""the settings that only accounts of these providers have"""

POLL_LADDER = tuple(timedelta(seconds=seconds) for seconds in (90, 300, 900, 3600, 21600, 86400))
"""when to ask for an outcome that no webhook brought, counted from acceptance; after the last it is unknown"""

SETTLE_AFTER = timedelta(seconds=120)
"""how long a lost request is waited for before it is looked for, and between two look-ups"""


def _poll_list(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class AccountEntry(FilePart):
    """One account at a provider."""

    provider: str
    """Which API this is: revmo, revring, revox, movoice, or one that `providers` declares."""
    base_url: str | None = None
    """Where the API answers; the provider's documented or declared URL when absent."""
    credential: CredentialReference | None = None
    """Where the API key is found, such as `env:REVOX_API_KEY`; never the key itself."""
    allow_loopback: bool = False
    """Whether `base_url` may lead to this machine, also without TLS; every other address must be public and https."""
    generation: str | None = None
    """Which generation of the API answers, for providers that changed it: revox `A` or `D`."""
    webhook_secret: CredentialReference | None = None
    """Where the secret is found that proves webhooks: RevRing's signing secret, for others the token in the URL."""
    webhook_signature: Signature | None = None
    """How Movoice or Revmo signs webhooks for you, which they do not publish; without it a signature of Movoice that does not hold only has the call asked for."""
    plan: Plan | None = None
    """Which plan of Movoice you have; it limits the calls at once, and the people in a batch (starter when absent)."""
    callback: CallbackShape | None = None
    """What Revmo's status callbacks look like, since it documents no form of them; the obvious keys when absent."""
    poll: Annotated[tuple[Duration, ...], BeforeValidator(_poll_list), Field(min_length=1)] = POLL_LADDER
    """When to ask for an outcome that no webhook brought, from acceptance on; after the last it is unknown."""
    spare_lines: Annotated[int, Field(ge=0)] | None = None
    """How many of RevRing's lines to leave free for others: no more calls start than its count of live calls allows."""
    settle_after: Duration = SETTLE_AFTER
    """How long a lost request is looked for before two empty answers prove that it never arrived."""
    limits: SharedLimits | None = None
    """How fast all campaigns together may go through this account."""
    from_limits: SharedLimits | None = None
    """How fast all campaigns together may go with each from-number of this account."""

    @model_validator(mode="after")
    def _has_only_its_own(self) -> Self:
        for name, owners in OWN_SETTINGS.items():
            if getattr(self, name) is not None and self.provider not in owners:
                whose = " and ".join(owners)
                raise wrong(
                    f"`{name}` is a setting of {whose}'s accounts, not of {self.provider}'s", f"remove `{name}`"
                )
        if self.spare_lines is not None and (self.generation or "").lower() == "seed":
            raise wrong("this generation of revring does not tell how many lines are free", "remove `spare_lines`")
        rule = self.webhook_signature
        if rule is not None and (rule.over == "timestamp.body") is not (rule.timestamp is not None):
            message = "`timestamp` and `over: timestamp.body` belong together"
            raise wrong(message, "write: over: timestamp.body, timestamp: X-Movoice-Timestamp")
        if self.provider == "revmo" and rule is not None and rule.scheme.startswith("hmac-") and rule.header is None:
            raise wrong("`webhook_signature` does not say which header holds it", "add: header: X-Revmo-Signature")
        return self


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
    on: HookList | None = None
    """Whom to notify on what, such as `{finished: team}`."""


class Project(FilePart):
    """The file `outreach.yaml` at the top of a project; all of it is optional."""

    ledger: str = "sqlite:///.outreach/ledger.db"
    """Where the ledger is: `sqlite:///` and a path relative to this file."""
    templates: str = "templates"
    """The folder with the templates, relative to this file."""
    accounts: dict[Name, AccountEntry] = {}
    """The accounts by name."""
    providers: dict[Name, HttpApi] = {}
    """Providers of your own by name: HTTP APIs that are told here how to place calls and texts."""
    defaults: Defaults = Defaults()
    """What campaigns get that do not say otherwise."""
    review: Literal["optional", "required"] = "optional"
    """Whether real people are reached by reviewed plans alone: `required` has `apply` and `run` ask for `--reviewed`."""
    notify: dict[Name, NotifyTarget] = {}
    """Where notifications go, by the name that campaigns use: `{team: {apprise: env:TEAM_CHAT_URL}}`."""
    limits: SharedLimits | None = None
    """How fast all campaigns of the ledger together may go."""
    caps: CapList = ()
    """The most attempts that one person may get, over all campaigns and channels, such as `1 per day, 3 per 7d`."""
    cool_down: Duration | None = None
    """How long every campaign leaves a person alone who had a conversation with any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account, resolved: what a provider needs to be reached."""

    name: str
    provider: str
    base_url: str
    credential: str
    """a reference such as `env:REVOX_API_KEY`, never the key"""
    generation: str = ""
    allow_loopback: bool = False
    """whether requests may go to this machine, besides public hosts"""
    webhook_secret: str = ""
    poll: tuple[timedelta, ...] = POLL_LADDER
    settle_after: timedelta = SETTLE_AFTER
    webhook_signature: Signature | None = None
    """how webhooks are signed, where the provider does not publish it; None when nobody said"""
    plan: Plan | None = None
    """the plan that limits calls at once; None when nobody said, or the provider has none"""
    limits: SharedLimits | None = None
    """of all campaigns together"""
    from_limits: SharedLimits | None = None
    """of all campaigns together, for each from-number"""
    spare_lines: int | None = None
    """how many lines to leave to others; None asks for no count of live calls"""
    callback: CallbackShape | None = field(default=None, compare=False, repr=False)
    """the form of the status callbacks, where outreach.yaml tells it"""
    api: HttpApi | None = field(default=None, compare=False, repr=False)
    """how the provider is spoken to, where outreach.yaml declares it; None for a built-in one"""


def account_of(name: str, entry: AccountEntry, api: HttpApi | None = None) -> Account:
    """Complete an entry of outreach.yaml with what is documented of its provider, or declared as `api`."""
    base_url = entry.base_url or (api.base_url if api else BASE_URLS[entry.provider])
    return Account(
        name=name,
        provider=entry.provider,
        base_url=base_url.rstrip("/"),
        credential=entry.credential or f"env:{key_variable(entry.provider)}",
        generation=entry.generation or "",
        allow_loopback=entry.allow_loopback,
        webhook_secret=entry.webhook_secret or "",
        poll=entry.poll,
        settle_after=entry.settle_after,
        webhook_signature=entry.webhook_signature,
        plan=entry.plan,
        limits=entry.limits,
        from_limits=entry.from_limits,
        spare_lines=entry.spare_lines,
        callback=entry.callback,
        api=api,
    )


def resolve_account(project: Project, provider: str, name: str) -> Account | None:
    """Find the account that an agent names; None when there is none of that name and provider.

    `default` means the account of that name, else the provider's only account, else the
    provider's documented or declared URL with its usual environment variable.
    """
    api = project.providers.get(provider)
    entry = project.accounts.get(name)
    if entry is not None and entry.provider == provider:
        return account_of(name, entry, api)
    if name != "default":
        return None
    own = [(key, one) for key, one in project.accounts.items() if one.provider == provider]
    if len(own) > 1:
        return None
    return account_of(*own[0], api) if own else account_of(provider, AccountEntry(provider=provider), api)
