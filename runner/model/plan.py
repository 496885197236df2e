"""What a plan says: one line for each contact and step, and the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runner.model.channel import Channel
from runner.model.contact import ValueFault
from runner.model.json import JsonObject
from runner.model.law import LawSummary
from runner.model.rounds import RoundsSummary


class PlanStatus(StrEnum):
    """What applying the plan would do with one contact and step."""

    CREATE = "create"
    """a new attempt"""
    KEEP = "keep"
    """stands in the ledger as it is"""
    CHANGE = "change"
    """stands in the ledger with another payload, not sent yet"""
    REMOVE = "remove"
    """stands in the ledger, no longer among the contacts, not sent yet"""
    SKIP = "skip"
    """nobody will be contacted, and the reason says why"""
    HOLD = "hold"
    """waits for a person: no zone is known, or no hour suits all that may be theirs"""
    LATER = "later"
    """depends on an earlier step's outcome"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRequest:
    """What one step sends to one contact through an agent that takes over."""

    provider: str
    account: str
    agent: str
    """the agent's name in the campaign"""
    agent_id: str
    from_number: str
    method: str
    path: str
    url: str
    headers: Mapping[str, str]
    """as sent, with the credential's reference in place of the credential"""
    body: JsonObject | None
    """exactly as the first attempt would send it"""
    payload: JsonObject | None
    """the body before the attempt's key is planted: what the ledger stores"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One contact and step of a plan; instants are aware and UTC."""

    campaign: str
    step: str
    step_index: int
    channel: Channel
    status: PlanStatus
    contact_key: str = ""
    phone: str = ""
    row: int = 0
    key: str = ""
    """the key of the first attempt"""
    provider: str = ""
    account: str = ""
    agent: str = ""
    """the agent's name in the campaign"""
    agent_id: str = ""
    from_number: str = ""
    """the number that people see; empty where the campaign names none"""
    method: str = ""
    path: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """as sent, with the credential's reference in place of the credential"""
    body: JsonObject | None = None
    """exactly as the first attempt sends it"""
    payload: JsonObject | None = None
    """the body before the attempt's key is planted: what the ledger stores"""
    reason: str = ""
    """why it is skipped, kept back or changed"""
    source: str = ""
    """where the rule stands that skips or holds: a key path of the canonical campaign, or the id of a row of the law"""
    country: str = ""
    """of the number; `001` for one that belongs to none, empty where it cannot be read"""
    number_type: str = ""
    """what the number is: mobile, fixed_line, voip, ..."""
    caution: str = ""
    """what the law asks for and nobody states, where that does not forbid it"""
    waits: str = ""
    """what puts the first allowed instant off besides windows and law, such as `at most 1 per day`"""
    condition: str = ""
    """for `later`: when it will be done"""
    not_before: datetime | None = None
    """the first allowed instant"""
    zones: tuple[str, ...] = ()
    """the zones whose windows must all be open"""
    jurisdictions: tuple[str, ...] = ()
    """whose law counts, such as `US` and `US-TX`"""
    timezone_source: str = ""
    """where the zone came from: column, campaign, number or the campaign's `zone_unknown`"""
    cells: JsonObject = field(default_factory=dict)
    """the contact's row, which conditions of later steps may name"""
    variant: str = ""
    """which way of doing the campaign the person has; empty without one"""
    backups: tuple[BackupRequest, ...] = ()
    """what goes out instead while the account fails, in this order"""
    suppressed: bool = False
    """skipped because the person must not be contacted"""
    changed: bool = False
    """stands in the ledger with another payload; of somebody who is held: was not held before"""
    stays_in_ledger: bool = False
    """skipped now, yet the ledger goes on counting this contact"""
    rejected: bool = False
    """the row is bad: it stops `apply` unless the campaign skips bad rows"""
    fault: ValueFault | None = None
    """what is wrong with the values of a bad row; None where only the reason says it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryCount:
    """How many people of a plan a country has."""

    country: str
    contacts: int
    is_new: bool = False
    """the ledger has this campaign, and nobody of this country in it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Countries:
    """The countries of the people whom a plan reaches."""

    counts: tuple[CountryCount, ...]
    is_limited: bool
    """False where neither `countries` nor a from-number says which countries there may be"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCount:
    """How many people of a plan have a variant of a campaign."""

    campaign: str
    variant: str
    """empty for people who have none, since something was sent to them before there were any"""
    contacts: int
    weight: int | None
    """None for a variant that is no longer in the file"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """The sums of a plan over one or many campaigns."""

    campaigns: tuple[str, ...]
    contacts: int
    """rows of the contact sources, rejected ones included"""
    counts: Mapping[PlanStatus, int]
    rejected: int
    """contacts whose row is bad"""
    skipped: int
    """contacts that nobody will reach, bad rows not counted"""
    newly_held: int = 0
    """contacts that are held and were not before"""
    first: datetime | None
    last: datetime | None
    digest: str
    rules_changed: tuple[str, ...] = ()
    """the parts of campaigns in force that would change, such as `april: windows`"""
    law: LawSummary | None = None
    """what the law adds; None where no law is looked at"""
    rounds: tuple[RoundsSummary, ...] = ()
    """of the campaigns that repeat; the sums above are those of the next round of each"""
    countries: Countries | None = None
    """None where nobody looked"""
    variants: tuple[VariantCount, ...] = ()
    """the people of each variant; empty where no campaign has variants"""
    digests: Mapping[str, str]
    """the digest of each campaign's own plan by its name"""
