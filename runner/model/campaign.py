"""A campaign file: who to reach, with what words, when and how hard to try.

`Campaign` is the file as written, short forms read; `canonical` folds the short top-level
keys into agents and steps, and every tool works on what it gives.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from runner.model import shorthand
from runner.model.agent_definition import AgentDefinition
from runner.model.cap_rule import CapList
from runner.model.channel import Channel
from runner.model.compliance import Compliance
from runner.model.dates import Dates
from runner.model.fields import (
    Deadline,
    Duration,
    FilePart,
    HolidayCalendar,
    Instant,
    Name,
    PhoneNumber,
    Region,
    UnknownZone,
    Zone,
    ZoneOrContact,
    wrong,
)
from runner.model.limits import Limits, SharedLimits
from runner.model.notification import HookList
from runner.model.numbers import PERSONAL_LINES, Countries, NumberTypes
from runner.model.repeat import Repeat, needs_start
from runner.model.retry import Callback, Retry, RetryPolicy
from runner.model.window import WindowList


class Purpose(StrEnum):
    """Why people are contacted; the law asks, so there is no default."""

    MARKETING = "marketing"
    INFORMATIONAL = "informational"
    TRANSACTIONAL = "transactional"
    DEBT_COLLECTION = "debt_collection"
    RESEARCH = "research"


class Agent(FilePart):
    """The voice or SMS agent at a provider that talks."""

    provider: str
    """Which API places the calls: revmo, revring, revox, movoice, or one that outreach.yaml declares."""
    id: str = Field(default="", json_schema_extra={"minLength": 1})
    """The agent's id at the provider, as the provider prints it; absent for an agent that `define` has created."""
    account: Name = "default"
    """Which account of outreach.yaml pays; `default` is the provider's only account."""
    from_: PhoneNumber | None = Field(default=None, alias="from")
    """The number that people see; it must belong to the account."""
    options: dict[str, Any] = {}
    """The provider's own options, under the provider's own names."""
    reference: Literal["metadata", "header"] = "metadata"
    """Where the attempt's key travels: in the body's metadata where the provider has one, or in the header alone."""
    limits: SharedLimits | None = None
    """How fast this campaign may go with the agent, besides the campaign's own `limits`."""
    define: AgentDefinition | None = None
    """The agent itself, which `apply` creates and updates at the provider; without it the agent must be there."""


class Columns(FilePart):
    """Which columns of the contacts hold what the runner itself needs."""

    phone: str = "phone"
    """The column with the phone number."""
    timezone: str | None = None
    """The column with the IANA zone; without it a column named `timezone` is used if there is one."""
    jurisdiction: str | None = None
    """The column with the country or part of one whose law counts for the person too, such as `US-TX`."""
    key: str | None = None
    """The column that names a person for good, such as a customer id; without it the phone number does."""


class ContactSource(FilePart):
    """Where the people come from."""

    file: str | None = None
    """A CSV or JSON Lines file, relative to this file."""
    inline: tuple[dict[str, Any], ...] | None = None
    """The people themselves, for a handful."""
    columns: Columns = Columns()
    """Which columns hold the phone number, the zone and the key."""
    where: str | None = None
    """Keep only the rows for which this expression over the columns is true."""
    suppress: tuple[str, ...] = ()
    """Files with numbers that must not be contacted, one a line or a CSV with a phone column."""
    shared_number: Literal["once", "each", "refuse"] = "once"
    """What becomes of a number that stands in several rows: the first row counts `once`, `each` row is a person of its own with a key of its own, or `refuse` the later rows as bad ones."""
    on_bad_row: Literal["stop", "skip"] = "stop"
    """What a bad row does: `stop` lets nothing be applied, `skip` goes on without it and counts it."""
    country: Region | None = None
    """The country of numbers that are written without + and country code."""
    encoding: str = "utf-8"
    """The text encoding of the file, such as `utf-8`, `cp1252` or `utf-16`."""
    delimiter: Literal[",", ";", "tab", "|"] | None = None
    """What separates cells; found from the first line when absent."""


class Message(FilePart):
    """The words of a text, from a template file."""

    template: str
    """A template, relative to the project's templates folder."""


LONGEST_DEFAULT = 500
"""characters that a value for the agent may have where the file says nothing: enough for a name, a slot or a note"""
LONGEST_ALLOWED = 8 * 1024
"""what `longest` may be at most: no template gives more"""


class Variable(FilePart):
    """One value for the agent, rendered for each contact."""

    value: str
    """A Jinja template over contact, campaign, step and now."""
    type: Literal["text", "number", "boolean", "json"] = "text"
    """What the provider is sent; text unless a type is asked for."""
    longest: Annotated[int, Field(ge=1, le=LONGEST_ALLOWED)] = LONGEST_DEFAULT
    """The most characters that may come out for a person; more make a bad row. Text without a tag is not counted."""


Variables = dict[str, Annotated[Variable, BeforeValidator(shorthand.read_variable)]]
Holidays = Annotated[
    tuple[HolidayCalendar, ...],
    BeforeValidator(shorthand.read_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["contact", "US", "US, DE-BY"]},
                {"type": "array", "items": {"type": "string"}},
            ]
        }
    ),
]
AgentReference = Annotated[Agent, BeforeValidator(shorthand.read_agent)]


class Variant(FilePart):
    """One of several ways to do the campaign; each person gets one for good."""

    weight: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    """How many people get it, beside the other weights; nobody new with 0."""
    variables: Variables = {}
    """Values for the agent; they win over the campaign's and the steps'."""
    agent: str | None = None
    """Who talks in place of the agent of the first step that this one can do, wherever that one does."""
    options: dict[str, Any] = {}
    """Provider options for the steps that `agent` takes over, else for those of the first step's agent; they win over the steps'."""


class Step(FilePart):
    """One call or text in the campaign's sequence."""

    call: str | None = None
    """Call the person with this agent; a list names its backups too: `[main, spare]`."""
    text: str | None = None
    """Text the person with this agent; a list names its backups too."""
    backups: Annotated[
        tuple[str, ...],
        BeforeValidator(shorthand.read_words),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = ()
    """Agents of other accounts that take over, the first that can, while the account of the step's own agent fails."""
    name: Name | None = None
    """What this step is called in plans and conditions; `call`, `text`, `call-2` when absent."""
    message: Message | str | None = None
    """The words of a text: a Jinja template, or `{template: file}`."""
    after: Duration = shorthand.NO_TIME
    """How long after the step before it ended."""
    when: Annotated[str | None, BeforeValidator(shorthand.read_when)] = None
    """Do it only if this is true: outcomes of the step before (`no_answer, busy`) or an expression."""
    variables: Variables = {}
    """Values for the agent in this step; they win over the campaign's."""
    options: dict[str, Any] = {}
    """Provider options for this step; they win over the agent's."""
    windows: WindowList | None = None
    """When this step may start; the campaign's own windows when absent."""
    retry: RetryPolicy | None = None
    """How hard to try; the campaign's own `retry` when absent."""
    until: Deadline | None = None
    """Not started later than this: a span after it became due such as `2d`, or an instant."""
    delivery: Literal["single", "native"] = "single"
    """`single` sends one request for each attempt; `native` lets the provider's own campaign place the call."""

    @model_validator(mode="before")
    @classmethod
    def _several_agents(cls, written: Any) -> Any:
        """Read `call: [main, spare]` as an agent and its backups."""
        return shorthand.read_backups(written)

    @property
    def channel(self) -> Channel:
        """Whether this step calls or texts."""
        return "call" if self.call is not None else "text"

    @property
    def agent(self) -> str:
        """The name of the agent that talks."""
        return self.call or self.text or ""

    @property
    def label(self) -> str:
        """The step's name; only a canonical campaign has one for every step."""
        return self.name or self.channel


class Schedule(FilePart):
    """When the campaign may run at all, and when it begins anew."""

    start: Instant | None = None
    """Nothing starts before; local to `timezone` unless it carries an offset."""
    end: Instant | None = None
    """Nothing starts at or after it."""
    timezone: Zone = "UTC"
    """The zone whose clock `repeat` follows, and start and end when they carry no offset."""
    repeat: Repeat | None = None
    """When the campaign begins anew with the contacts of that moment: a cron expression such as `0 9 * * mon`, or an RRULE."""
    catch_up: Literal["none", "last", "all"] = "none"
    """What becomes of rounds that were missed while no runner was at work: `none` of them is started, the `last`, or `all`."""

    @model_validator(mode="after")
    def _repeats_by_a_clock(self) -> Self:
        """Require the clock that rounds follow, and the start that some rules count from."""
        if self.repeat is None:
            if self.catch_up != "none":
                raise wrong("`catch_up` is for rounds, and nothing repeats", "add: repeat: 0 9 * * mon")
            return self
        if "timezone" not in self.model_fields_set:
            raise wrong("`repeat` needs the zone whose clock it follows", "add: timezone: America/New_York")
        if self.start is None and needs_start(self.repeat):
            raise wrong(f"`{self.repeat}` counts from a start, and there is none", "add: start: 2026-12-01T09:00")
        return self


class Campaign(FilePart):
    """One campaign file."""

    campaign: Name
    """The campaign's name; it is part of every attempt's key, so keep it."""
    purpose: Purpose
    """Why people are contacted: marketing, informational, transactional, debt_collection or research."""
    compliance: Compliance = Compliance()
    """What the law asks: the consent that people gave, places whose law counts too, rows that do not hold here."""
    description: str = ""
    """A sentence for your colleagues."""
    agent: AgentReference | None = None
    """The only agent, short: provider/id."""
    agents: dict[Name, AgentReference] = {}
    """The agents by name, for campaigns with several."""
    contacts: Annotated[ContactSource, BeforeValidator(shorthand.read_contacts)]
    """Where the people come from: a file name, a list of people, or the long form."""
    countries: Countries = ()
    """Whose numbers are reached, such as `US, CA`; those of the agents' from-numbers when absent, and all where none is known."""
    number_types: NumberTypes = PERSONAL_LINES
    """What kinds of numbers are reached: `mobile`, `fixed_line` and `fixed_line_or_mobile`; `voip` and `toll_free` can be added, all others never are."""
    timezone: ZoneOrContact = "contact"
    """Whose clock the windows follow: each `contact`'s own, or one zone for all."""
    zones: Literal["evidence", "strict"] = "evidence"
    """What may tell a person's zone: any `evidence`, the number's area code too, or `strict`ly the contacts' own column."""
    zone_unknown: UnknownZone = "hold"
    """What becomes of a person whose zones allow no common hour or are unknown: `hold`, `refuse`, or the zone to take."""
    windows: WindowList = Field(default=shorthand.DEFAULT_WINDOWS, validate_default=True)
    """When attempts may start, such as `mon-fri 10:00-18:00`."""
    blackout: Dates = ()
    """Dates on which nothing starts, such as `2026-12-24..2026-12-26`."""
    holidays: Holidays = ()
    """Public holidays on which nothing starts: those of each `contact`'s own country, or calendars such as `US, DE-BY`."""
    retry: RetryPolicy | None = None
    """How hard to try, such as `3 times, 2h apart, on no_answer, busy`; for every step that says nothing else."""
    caps: CapList = ()
    """The most attempts that one person may get, over all campaigns and channels, such as `1 per day, 3 per 7d`; those of outreach.yaml hold too."""
    cool_down: Duration | None = None
    """How long a person is left alone after a conversation with any campaign; later texts of the same sequence may go on."""
    callback: Callback = Callback()
    """How the agent says that a person wants to be called back, and when."""
    done_when: Annotated[str | None, BeforeValidator(shorthand.read_outcome_condition)] = None
    """The goal: nothing more is done for a person once this is true, such as `tag == 'BOOKED'`."""
    variants: dict[Name, Annotated[Variant, BeforeValidator(shorthand.read_variant)]] = {}
    """Ways to do the campaign that are compared, each with its weight: `{a: 2, b: 1}`; every person gets one for good."""
    steps: tuple[Step, ...] = ()
    """The sequence of calls and texts; one call by the only agent when absent."""
    variables: Variables = {}
    """Values for the agent, rendered for each contact."""
    schedule: Schedule = Schedule()
    """When the campaign may run at all."""
    limits: Limits = Limits()
    """How fast it may go."""
    locale: str = "en_US"
    """How money, dates and numbers are written in templates, such as en_US, de_DE or fr_CA."""
    on: HookList | None = None
    """Whom to notify on what, such as `{finished: team}`; the targets stand in outreach.yaml under `notify`."""

    def canonical(self) -> Self:
        """Give the campaign in its one long form: agents named, steps complete, no short keys left."""
        agents = dict(self.agents)
        if self.agent is not None:
            agents.setdefault("agent", self.agent)
        steps = self.steps
        if not steps and len(agents) == 1:
            steps = (Step(call=next(iter(agents))),)
        default_retry = self.retry or Retry(attempts=1)
        labelled = tuple(
            step.model_copy(update={"name": label, "retry": step.retry or default_retry})
            for step, label in zip(steps, _labels(steps), strict=True)
        )
        return self.model_copy(update={"agent": None, "agents": agents, "retry": None, "steps": labelled})

    def step_named(self, label: str) -> Step:
        """Give the step of that name; KeyError when there is none."""
        for step in self.steps:
            if step.label == label:
                return step
        raise KeyError(label)


def _labels(steps: tuple[Step, ...]) -> list[str]:
    """Name the steps that have no name: the first of a channel by its channel, later ones numbered."""
    taken = {step.name for step in steps if step.name}
    labels: list[str] = []
    for step in steps:
        label, count = step.name or step.channel, 2
        while not step.name and label in taken:
            label, count = f"{step.channel}-{count}", count + 1
        taken.add(label)
        labels.append(label)
    return labels
