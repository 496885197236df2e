"""Notifications: what is told to other systems when something happens, to whom, and what one of them holds.

A campaign says on what it notifies and names targets; where a target is stands in outreach.yaml alone,
so that a change to a campaign cannot send people's data to a new address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from runner.model.fields import CredentialReference, FilePart, wrong
from runner.model.json import JsonObject
from runner.model.outcome import Outcome

FINISHED: Final = "finished"
DOUBT_BUDGET: Final = "doubt_budget"
"""also the cause that a pause is written down with"""
CAMPAIGN_EVENTS: Final = (FINISHED, "paused", DOUBT_BUDGET, "held")
EVENTS: Final = ("outcome", "tag", *CAMPAIGN_EVENTS)
"""what can be named besides each outcome and `tag X`"""
OUTCOMES: Final = tuple(one.value for one in Outcome)

_HOOKS_HELP: Final = "write: on: {finished: team}"
TARGET_HELP: Final = "in outreach.yaml: notify: {team: {apprise: env:TEAM_CHAT_URL}}; here: finished: team"


class Kind(StrEnum):
    """What a notification is about; receivers see it as `type`."""

    ATTEMPT_ENDED = "attempt.ended"
    """an attempt has its outcome"""
    ATTEMPT_TAGGED = "attempt.tagged"
    """a tag came after the outcome"""
    ATTEMPT_HELD = "attempt.held"
    """an attempt waits for a person"""
    CAMPAIGN_PAUSED = "campaign.paused"
    """a campaign was paused, by hand or by itself"""
    CAMPAIGN_FINISHED = "campaign.finished"
    """nobody of a campaign waits for anything that the runner does"""
    TEST = "test"
    """`outreach doctor --notify` was asked to send it"""


def _words(value: Any) -> Any:
    """Read `answered, declined` or a list of words; `outcome answered` is `answered`."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)):
        return parts
    found = [" ".join(str(part).split()) for part in parts]
    return [_plain_outcome(part) for part in found if part]


def _plain_outcome(word: str) -> str:
    head, _, rest = word.partition(" ")
    return rest if head == "outcome" and rest else word


def _names(value: Any) -> Any:
    """Read `team, crm` or a list of names; refuse a target itself."""
    if isinstance(value, dict):
        raise wrong("where notifications go stands in outreach.yaml, and campaigns name it", TARGET_HELP)
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


WordList = Annotated[
    tuple[str, ...],
    BeforeValidator(_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "examples": ["answered, declined", "tag BOOKED", "finished"]},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]
NameList = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "examples": ["team", "team, crm"]},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]


class Hook(FilePart):
    """On what to notify whom."""

    when: WordList
    """What happened: outcomes such as `answered, declined`, `outcome` for any, `tag BOOKED`, `tag` for any, `finished`, `paused`, `doubt_budget`, `held`."""
    notify: NameList
    """Who is told: targets that stand in outreach.yaml under `notify`."""


def read_hooks(value: Any) -> Any:
    """Read `{finished: team}` into a list of long forms; leave such a list as it is."""
    if isinstance(value, dict):
        return [{"when": when, "notify": () if target is None else target} for when, target in value.items()]
    if isinstance(value, str):
        raise wrong(f"`{value}` does not say who is told when", _HOOKS_HELP)
    return value


HookList = Annotated[tuple[Hook, ...], BeforeValidator(read_hooks)]
"""a map from what happens to who is told, or a list of long forms"""


def _secrets(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class NotifyTarget(FilePart):
    """Where notifications go: a webhook, or chat and mail by way of apprise."""

    webhook: str | None = None
    """The https address that is sent signed webhooks, or where it is found, such as `env:CRM_HOOK_URL`."""
    secret: Annotated[
        tuple[CredentialReference, ...],
        BeforeValidator(_secrets),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": "^[a-z]+:.+$", "examples": ["env:CRM_HOOK_SECRET"]},
                    {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+:.+$"}, "minItems": 1},
                ]
            }
        ),
    ] = ()
    """Where the secret is found that signs webhooks (`whsec_...`); a list, while it is changed, signs with each."""
    apprise: CredentialReference | None = None
    """Where an apprise URL is found, such as `env:TEAM_CHAT_URL`; never the URL itself, for it holds keys."""
    personal: bool = False
    """Tell who it was: number, contact key, attempt key, summary. Without it numbers are masked, the others left out."""
    allow_loopback: bool = False
    """Let the webhook's address be this machine, also by http."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook is None) is (self.apprise is None):
            raise wrong(
                "a target is either a webhook or apprise", "write: {webhook: https://..., secret: env:CRM_HOOK_SECRET}"
            )
        if self.webhook is not None and not self.secret:
            raise wrong(
                "this webhook has no secret, so nobody could tell its notifications from forged ones",
                "add: secret: env:CRM_HOOK_SECRET",
            )
        if self.apprise is not None and (self.secret or self.allow_loopback):
            raise wrong("`secret` and `allow_loopback` are for webhooks", "remove them")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutAttempt:
    """The attempt that a notification is about."""

    key: str
    contact_key: str
    phone: str
    step: str
    number: int
    channel: str
    provider: str
    account: str
    outcome: str
    tag: str
    summary: str
    reason: str
    sent_at: datetime | None
    ended_at: datetime | None
    masked_phone: str = ""
    """the number masked, with what tells the person apart in this ledger: `+1***0143#1a2b3c4d`"""
    log_id: str = ""
    """what the log calls the attempt, too"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing that one target is told; instants are aware and UTC."""

    id: int
    """of its row in the outbox; 0 for one that is in none"""
    message_id: str
    """the same whenever it is sent, so that a receiver can tell repeats"""
    kind: Kind
    at: datetime
    """when it happened"""
    target: str
    campaign: str = ""
    """a round's own name for one of a campaign that repeats"""
    tries: int = 0
    """how often it was sent before"""
    attempt: AboutAttempt | None = None
    reason: str = ""
    """why a campaign was paused"""
    cause: str = ""
    """`doubt_budget` for a pause by the doubt budget"""
    row_stats: Mapping[str, int] = field(default_factory=dict)
    """how many contacts of the campaign stand where"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notification as a target gets it."""

    id: str
    body: JsonObject
    text: str
    """for people: one line"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one try to send a notification."""

    id: int
    at: datetime
    again_at: datetime | None = None
    """when it is tried again"""
    is_dead: bool = False
    """it is given up"""
    says: str = ""
    """why it failed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanding:
    """How notifications to one target stand."""

    target: str
    waiting: int
    sent: int
    dead: int
    """given up, after the last try or because too many waited"""
    withheld: int
    """not sent, because the run was in the sandbox"""
    says: str = ""
    """the newest fault; empty when there is none"""
