"""Rules over several keys of a campaign, each a pure function that yields what is wrong and where."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from runner.files.faults import Fault
from runner.files.keys import did_you_mean
from runner.files.nodes import KeyPath
from runner.model.campaign import Agent, Campaign, Step
from runner.model.durations import format_clock_time
from runner.model.outcome import Outcome
from runner.model.project import Project
from runner.model.retry import Retry
from runner.ports import Provider

_PREVIOUS = re.compile(r"\bprevious\b")
_DEFAULT_LOCALE = "en_US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkable:
    """A campaign with everything that its rules look at."""

    written: Campaign
    """as the file has it, short forms read"""
    canonical: Campaign
    """agents named, steps complete"""
    project: Project
    providers: Mapping[str, Provider]
    """by the name that agents use"""

    def agent_of(self, step: Step) -> Agent | None:
        """Give the agent that a step names; None when there is none of that name."""
        return self.canonical.agents.get(step.agent)

    def provider_of(self, step: Step) -> Provider | None:
        """Give the provider of a step's agent; None when either is unknown."""
        agent = self.agent_of(step)
        return self.providers.get(agent.provider) if agent else None


Check = Callable[[Checkable], Iterator[Fault]]


def check_campaign(this: Checkable) -> list[Fault]:
    """Give everything that is wrong between the keys of a campaign; paths are those of the canonical campaign."""
    return [fault for check in CAMPAIGN_CHECKS for fault in check(this)]


def some_agent(this: Checkable) -> Iterator[Fault]:
    """Require an agent that talks."""
    if not this.canonical.agents:
        yield Fault(path=(), code="C11", message="no agent is named", help="add: agent: movoice/agent_12345", at="map")


def one_meaning_of_agent(this: Checkable) -> Iterator[Fault]:
    """Refuse `agent` beside another `agents.agent`, for which it is short."""
    short, named = this.written.agent, this.written.agents.get("agent")
    if short is not None and named is not None and short != named:
        advice = "remove one of them, or give the agent below `agents` another name"
        yield Fault(
            path=("agent",),
            code="C12",
            message="`agent` and `agents` name two different agents `agent`",
            help=advice,
            at="key",
        )


def steps_choose_among_agents(this: Checkable) -> Iterator[Fault]:
    """Require steps where there are several agents: without steps the only one calls."""
    names = list(this.canonical.agents)
    if len(names) > 1 and not this.written.steps:
        path = ("agents",) if this.written.agents else ("agent",)
        advice = f"add: steps: [{{call: {names[0]}}}]"
        yield Fault(
            path=path, code="C13", message="there are several agents, and no step says who calls", help=advice, at="key"
        )


def call_or_text(this: Checkable) -> Iterator[Fault]:
    """Require each step to be a call or a text."""
    for at, step in enumerate(this.written.steps):
        if step.call is None and step.text is None:
            advice = f"add: call: {next(iter(this.canonical.agents), 'agent-name')}"
            yield Fault(
                path=("steps", at), code="C03", message="this step is neither call nor text", help=advice, at="map"
            )
        elif step.call is not None and step.text is not None:
            advice = "make two steps of it, one with `call` and one with `text`"
            yield Fault(
                path=("steps", at, "text"), code="C14", message="this step is both call and text", help=advice, at="key"
            )


def known_agents(this: Checkable) -> Iterator[Fault]:
    """Require each step's agent to stand below `agents`."""
    names = list(this.canonical.agents)
    for at, step in enumerate(this.written.steps):
        for channel, name in (("call", step.call), ("text", step.text)):
            if name is not None and name not in names and names:
                advice = did_you_mean(name, names) or f"the agents here: {', '.join(names)}"
                yield Fault(
                    path=("steps", at, channel),
                    code="C15",
                    message=f"`{name}` is not an agent of this campaign",
                    help=advice,
                )


def message_only_for_texts(this: Checkable) -> Iterator[Fault]:
    """Refuse words for a call: they are the agent's own."""
    for at, step in enumerate(this.written.steps):
        if step.message is not None and step.text is None and step.call is not None:
            advice = f"write: text: {step.call}, or give the agent `variables`"
            yield Fault(
                path=("steps", at, "message"),
                code="C17",
                message="a call has no `message`: the agent finds its words",
                help=advice,
                at="key",
            )


def distinct_step_names(this: Checkable) -> Iterator[Fault]:
    """Refuse a name twice: it is part of every attempt's key."""
    first: dict[str, int] = {}
    for at, step in enumerate(this.written.steps):
        if step.name is None:
            continue
        if step.name in first:
            advice = f"step {first[step.name] + 1} has this name already; write: name: {step.name}-2"
            yield Fault(
                path=("steps", at, "name"), code="C18", message=f"two steps are named `{step.name}`", help=advice
            )
        first.setdefault(step.name, at)


def first_step_follows_nothing(this: Checkable) -> Iterator[Fault]:
    """Refuse `after` and `previous` where there is no step before."""
    for step in this.written.steps[:1]:
        if step.when is not None and _PREVIOUS.search(step.when):
            advice = "remove `when`, or move this step down"
            yield Fault(
                path=("steps", 0, "when"),
                code="C26",
                message="the first step has no step before it",
                help=advice,
                at="key",
            )
        if step.after:
            advice = "remove `after`; a campaign waits with schedule: {start: 2026-12-01T09:00}"
            yield Fault(
                path=("steps", 0, "after"),
                code="C26",
                message="the first step has no step before it",
                help=advice,
                at="key",
            )


def one_contact_source(this: Checkable) -> Iterator[Fault]:
    """Require people from a file or in the campaign, not both."""
    source = this.written.contacts
    if source.file is not None and source.inline is not None:
        advice = "keep `file`, or keep `inline`"
        yield Fault(
            path=("contacts", "inline"),
            code="C19",
            message="contacts come from a file and stand here as well",
            help=advice,
            at="key",
        )
    elif not source.file and not source.inline:
        advice = "add: file: contacts/people.csv"
        yield Fault(path=("contacts",), code="C19", message="there are no contacts", help=advice)


def known_encoding(this: Checkable) -> Iterator[Fault]:
    """Require an encoding that can be read."""
    encoding = this.written.contacts.encoding
    try:
        known = codecs.lookup(encoding)._is_text_encoding  # noqa: SLF001 no public way to ask
    except LookupError:
        known = False
    if not known:
        advice = did_you_mean(encoding, ["utf-8", "cp1252", "latin-1", "utf-16"]) or "write: utf-8, cp1252 or utf-16"
        yield Fault(
            path=("contacts", "encoding"), code="C10", message=f"`{encoding}` is not a text encoding", help=advice
        )


def windows_open(this: Checkable) -> Iterator[Fault]:
    """Require a window, and each to be open for a while."""
    if not this.written.windows:
        advice = "write: windows: mon-fri 10:00-18:00"
        yield Fault(
            path=("windows",),
            code="C21",
            message="there is no window, so nothing could ever start",
            help=advice,
            at="key",
        )
    for at, window in enumerate(this.written.windows):
        if window.from_ == window.to:
            hour = format_clock_time(window.to)
            message = f"this window closes when it opens, at {hour}"
            yield Fault(path=("windows", at), code="C21", message=message, help="write: 00:00-24:00 for the whole day")


def schedule_runs_forward(this: Checkable) -> Iterator[Fault]:
    """Require a campaign to end after it starts."""
    schedule = this.written.schedule
    if schedule.start is None or schedule.end is None:
        return
    if _instant(schedule.start, schedule.timezone) >= _instant(schedule.end, schedule.timezone):
        advice = "write an `end` that is later than `start`"
        yield Fault(
            path=("schedule", "end"), code="C20", message="the campaign would end before it starts", help=advice
        )


def no_retry_after_refusal(this: Checkable) -> Iterator[Fault]:
    """Refuse another try after an opt-out, whatever a campaign says."""
    for path, retry in _retries(this.written):
        if Outcome.OPTED_OUT in retry.on:
            message = "nobody is tried again after `opted_out`"
            yield Fault(path=(*path, "on"), code="C27", message=message, help="remove `opted_out`")


def retries_agree(this: Checkable) -> Iterator[Fault]:
    """Refuse parts of a retry that say two things, or nothing."""
    for path, retry in _retries(this.written):
        if retry.backoff is not None and len(retry.after) > 1:
            message = "`backoff` grows one wait, and `after` lists several"
            yield Fault(path=(*path, "backoff"), code="C33", message=message, help="remove `backoff`", at="key")
        if retry.at_most is not None and retry.backoff is None:
            message = "`at_most` bounds what `backoff` comes to, and there is none"
            yield Fault(path=(*path, "at_most"), code="C33", message=message, help="add: backoff: 2", at="key")
        for outcome, rule in retry.on.items():
            if rule.attempts is not None and rule.attempts > retry.attempts:
                message = f"`{rule.attempts}` tries may end like this, and there are {retry.attempts} in all"
                advice = f"write: attempts: {retry.attempts}   (or fewer)"
                yield Fault(path=(*path, "on", outcome.value, "attempts"), code="C33", message=message, help=advice)


def last_starts_are_kept_here(this: Checkable) -> Iterator[Fault]:
    """Refuse a last start for calls that the provider's own campaign places when it likes."""
    for at, step in enumerate(this.canonical.steps):
        if step.delivery != "native":
            continue
        expires = step.retry is not None and step.retry.expires is not None
        for key, path, is_set in (
            ("until", ("steps", at, "until"), step.until is not None),
            ("expires", ("steps", at, "retry", "expires"), expires),
        ):
            if is_set:
                message = f"`{key}` cannot be told to a provider's own campaign, which calls when it likes"
                advice = f"remove `{key}`   (or: delivery: single)"
                yield Fault(path=path, code="C29", message=message, help=advice, at="key")


def _retries(written: Campaign) -> list[tuple[KeyPath, Retry]]:
    """Give the retry rules of a campaign with their places."""
    places: list[tuple[KeyPath, Retry | None]] = [(("retry",), written.retry)]
    places += [(("steps", at, "retry"), step.retry) for at, step in enumerate(written.steps)]
    return [(path, retry) for path, retry in places if retry is not None]


def known_locale(this: Checkable) -> Iterator[Fault]:
    """Require a locale that templates can write numbers and dates in."""
    name = this.written.locale
    if name == _DEFAULT_LOCALE:
        return
    from babel import localedata  # noqa: PLC0415 its data is not needed for the default

    if not localedata.exists(name.replace("-", "_")):
        yield Fault(
            path=("locale",), code="C10", message=f"`{name}` is not a locale", help="write: en_US, de_DE or fr_CA"
        )


CAMPAIGN_CHECKS: tuple[Check, ...] = (
    some_agent,
    one_meaning_of_agent,
    steps_choose_among_agents,
    call_or_text,
    known_agents,
    message_only_for_texts,
    distinct_step_names,
    first_step_follows_nothing,
    one_contact_source,
    known_encoding,
    windows_open,
    schedule_runs_forward,
    no_retry_after_refusal,
    retries_agree,
    last_starts_are_kept_here,
    known_locale,
)
"""every rule that needs nothing but the campaign; `provider_checks` has those about providers"""


def _instant(at: datetime, zone: str) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
