"""RevRing's own campaigns: made as a draft, filled in chunks, started; retries and hours are then RevRing's."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runner.errors import InDoubt
from runner.model.handover import HandedContact, Handover, NativeAction, NativePage, NativeRow, NativeStatus
from runner.model.json import Json, JsonObject
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Reply, Request
from runner.model.retry import Retry
from runner.providers.lookups import PAGE_SIZE
from runner.providers.native_hours import SameHours, clock, same_hours, written
from runner.providers.native_terms import (
    SINGLE,
    Problem,
    find_named,
    option_problem,
    outcomes_text,
    own_rules_problem,
    read_done,
    required,
    retry_feature_problem,
)
from runner.providers.reading import count_of, first_id, object_of, objects_of, text_of, words_of
from runner.providers.replies import accepted_document, answered_document, no_id
from runner.providers.requests import segment, utc_text, with_query

MOST_PEOPLE = 10_000
"""documented limit of one request"""
ROWS = 500
"""documented limit of one page of people"""
MOST_TRIES = 10
MOST_DELAY = timedelta(minutes=10_080)
PACE = (0.1, 10.0)
"""documented limits of calls started in a second"""

RETRY_ON: Mapping[Outcome, str] = {
    Outcome.NO_ANSWER: "no_answer",
    Outcome.BUSY: "busy",
    Outcome.VOICEMAIL: "voicemail",
    Outcome.DECLINED: "declined",
    Outcome.FAILED: "failed",
}
"""after which outcomes RevRing can call again; its `failed` holds numbers that do not exist, too"""

STATUSES: Mapping[str, NativeStatus] = {
    "draft": NativeStatus.DRAFT,
    "running": NativeStatus.RUNNING,
    "paused": NativeStatus.PAUSED,
    "completed": NativeStatus.COMPLETED,
    "canceled": NativeStatus.CANCELLED,
}

OUTCOMES: Mapping[str, Outcome] = {
    "answered": Outcome.ANSWERED,
    "voicemail": Outcome.VOICEMAIL,
    "no_answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "declined": Outcome.DECLINED,
    "failed": Outcome.FAILED,
    "do_not_call": Outcome.OPTED_OUT,
}
"""a person's outcome in a campaign, which tells busy and declined apart"""

_OPTIONS = ("environment", "voicemailStrategy", "defaultVariables")
_DAY_NUMBERS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_ALREADY = ((409, "invalid_transition"), (409, "campaign_closed"))
_PATHS: Mapping[NativeAction, str] = {"pause": "pause", "resume": "start", "cancel": "cancel"}
_MINUTE = timedelta(minutes=1)
_UNUSED_DELAY = 60
"""RevRing's own default, for a campaign that tries once"""


@dataclass(frozen=True, slots=True)
class RevringCampaigns:
    """RevRing's campaigns; a number stands in one of them once, so adding people again changes nothing.

    A draft dials nobody, so a create request in doubt may simply be looked for by its name.
    Whoever RevRing has on its do-not-call list is skipped.
    """

    most_people = MOST_PEOPLE

    def problem(self, handover: Handover) -> Problem | None:
        """Say what RevRing cannot express: several spans, guessed zones, other retries or paces; None when it can all."""
        return (
            option_problem(handover, "revring", _OPTIONS, {})
            or own_rules_problem(handover, "revring")
            or _from_problem(handover)
            or _hours_problem(handover)
            or _zone_problem(handover)
            or _retry_problem(handover)
            or _pace_problem(handover.per_second)
        )

    def create(self, handover: Handover) -> Request:
        """Build `POST /campaigns` with the first people, as a draft; raise FilesWrong for what `problem` names."""
        required(self.problem(handover))
        body: dict[str, Json] = {
            "name": handover.name,
            "agentId": handover.agent_id,
            "fromNumber": handover.from_number,
        }
        options: Mapping[str, Any] = handover.options
        if options.get("environment") is not None:
            body["environment"] = options["environment"]
        if handover.start_at is not None:
            body["startAt"] = utc_text(handover.start_at)
        window = _calling_window(handover)
        if window is not None:
            body["callingWindow"] = window
        body |= {"retryPolicy": _retry_policy(handover.retry), "maxConcurrency": handover.concurrency}
        if handover.per_second is not None:
            body["callsPerSecond"] = handover.per_second
        body |= {
            name: options[name] for name in ("defaultVariables", "voicemailStrategy") if options.get(name) is not None
        }
        return Request(method="POST", path="/campaigns", body={**body, "contacts": _contacts(handover), "start": False})

    def read_created(self, reply: Reply) -> str:
        """Read the campaign's id."""
        found = first_id(object_of(accepted_document("revring", reply).get("data")), "id")
        if not found:
            raise no_id("revring", reply)
        return found

    def add(self, native_id: str, handover: Handover) -> Request | None:
        """Build `POST /campaigns/{id}/contacts`; safe to send again, numbers that are there are skipped."""
        return Request(
            method="POST", path=f"/campaigns/{segment(native_id)}/contacts", body={"contacts": _contacts(handover)}
        )

    def launch(self, native_id: str) -> Request | None:
        """Build `POST /campaigns/{id}/start`; a campaign that runs answers 409, which `read_done` reads."""
        return self._changed(native_id, "start")

    def status_request(self, native_id: str) -> Request:
        """Build `GET /campaigns/{id}`."""
        return Request(method="GET", path=f"/campaigns/{segment(native_id)}")

    def read_status(self, reply: Reply) -> NativeStatus:
        """Read where the campaign stands; raise InDoubt for a word that we do not know."""
        word = text_of(_campaign(reply).get("status"), 100)
        if word not in STATUSES:
            raise InDoubt(f"revring answered a campaign with the status `{word}`")
        return STATUSES[word]

    def rows_request(self, native_id: str, page: int, *, agent_id: str = "") -> Request | None:
        """Build `GET /campaigns/{id}/contacts`, 500 people a page."""
        path = f"/campaigns/{segment(native_id)}/contacts"
        return Request(method="GET", path=with_query(path, {"page": page + 1, "pageSize": ROWS}))

    def read_rows(self, reply: Reply) -> NativePage:
        """Read a page of people; only `completed`, `exhausted`, `skipped` and `canceled` end one for good."""
        document = answered_document("revring", reply)
        listing = document.get("data")
        if not isinstance(listing, list):
            raise InDoubt("revring answered a campaign's people without data")
        rows = tuple(_row(contact) for contact in objects_of(listing) if text_of(contact.get("toNumber")))
        return NativePage(rows=rows, has_more=document.get("hasNextPage") is True)

    def find_request(self, handover_name: str, page: int) -> Request | None:
        """Build the list of all campaigns, newest first."""
        return Request(method="GET", path=with_query("/campaigns", {"page": page + 1, "pageSize": PAGE_SIZE}))

    def read_find(self, handover_name: str, reply: Reply) -> Finding:
        """Find the campaign whose name ends with the handover's key."""
        document = answered_document("revring", reply)
        listing = document.get("data")
        if not isinstance(listing, list):
            raise InDoubt("revring answered its campaigns without data")
        return find_named("revring", handover_name, objects_of(listing), more=document.get("hasNextPage") is True)

    def known_as(self, native_id: str, sent_at: datetime) -> str:
        """Give the id as it is: the campaign can be asked for by it."""
        return native_id

    def control(self, native_id: str, action: NativeAction) -> Request | None:
        """Build `POST /campaigns/{id}/pause`, `/start` or `/cancel`; calls in progress go on to their end."""
        return self._changed(native_id, _PATHS[action])

    def read_done(self, reply: Reply) -> bool:
        """Read the answer to add, launch and control; False when the campaign's state did not allow it, so ask for it."""
        return read_done("revring", reply, _ALREADY)

    @staticmethod
    def _changed(native_id: str, verb: str) -> Request:
        return Request(method="POST", path=f"/campaigns/{segment(native_id)}/{verb}")


def _from_problem(handover: Handover) -> Problem | None:
    if handover.from_number:
        return None
    return "revring needs the number that people see", "write in the agent: from: +12025550190"


def _hours_problem(handover: Handover) -> Problem | None:
    hours = same_hours(handover.windows)
    if hours is not None and hours.across_midnight() is not None:
        return None
    return (
        f"`{written(handover.windows)}` cannot be told to revring: it takes one span of hours, the same on each open day",
        f"write: windows: mon-fri 10:00-18:00   (or: {SINGLE})",
    )


def _zone_problem(handover: Handover) -> Problem | None:
    """Refuse people without a certain zone, whom RevRing would place by their area code."""
    hours = same_hours(handover.windows)
    if handover.timezone != "contact" or hours is None or hours.is_always:
        return None
    unknown = sum(person.timezone is None for person in handover.people)
    if not unknown:
        return None
    return (
        f"`{unknown}` of `{len(handover.people)}` people have no certain time zone, and revring would guess it from the area code",
        f"add a column timezone to the contacts, or write: timezone: America/New_York   (or: {SINGLE})",
    )


def _retry_problem(handover: Handover) -> Problem | None:
    retry = handover.retry
    if retry.attempts == 1 or not retry.on:
        return None
    return retry_feature_problem(retry, "revring") or _twice_problem(handover) or _terms_problem(retry)


def _twice_problem(handover: Handover) -> Problem | None:
    """Refuse two tries in a row and waits of windows: RevRing waits the same after every try."""
    by_window = any(window.retry_after is not None for window in handover.windows)
    if not by_window and not handover.retry.call_twice_in_a_row:
        return None
    return (
        f"`{'retry_after' if by_window else 'call_twice_in_a_row'}` cannot be told to revring: it waits the same after every try",
        f"remove it, and write: retry: 3 times, 2h apart   (or: {SINGLE})",
    )


def _terms_problem(retry: Retry) -> Problem | None:
    after = retry.after[0]
    if retry.attempts > MOST_TRIES:
        return f"`{retry.attempts}` tries are more than revring makes", f"write: retry: {MOST_TRIES} times, 2h apart"
    if after % _MINUTE or not _MINUTE <= after <= MOST_DELAY:
        seconds = f"{after.total_seconds():g}s"
        return (
            f"`{seconds}` between tries cannot be told to revring: it waits whole minutes, 1 to 10080",
            "write whole minutes, at most 7 days: retry: 3 times, 2h apart",
        )
    unknown = next((outcome for outcome in retry.on if outcome not in RETRY_ON), None)
    if unknown is None:
        return None
    return (
        f"`{unknown}` calls for no other try at revring",
        f"write some of: on: {', '.join(RETRY_ON)}   instead of {outcomes_text(retry)}",
    )


def _pace_problem(per_second: float | None) -> Problem | None:
    if per_second is None or PACE[0] <= per_second <= PACE[1]:
        return None
    return (
        f"`per_second: {per_second:g}` cannot be told to revring: it starts 0.1 to 10 calls a second",
        "write: per_second: 1",
    )


def _calling_window(handover: Handover) -> JsonObject | None:
    """Write the hours; None when they never close, which is what RevRing does without any."""
    hours = same_hours(handover.windows)
    span = hours.across_midnight() if hours is not None else None
    if hours is None or span is None or hours.is_always:
        return None
    # The zone counts for people without one, and there are none: each is sent with their own.
    zone = "UTC" if handover.timezone == "contact" else handover.timezone
    return {"start": clock(span[0]), "end": clock(span[1]), "days": _day_numbers(hours), "timezone": zone}


def _day_numbers(hours: SameHours) -> list[int]:
    return sorted(_DAY_NUMBERS[day] for day in hours.days)


def _retry_policy(retry: Retry) -> JsonObject:
    """Write the retries, always: schema and guide disagree about what happens without them."""
    on = [RETRY_ON[outcome] for outcome in retry.on if outcome in RETRY_ON]
    if retry.attempts == 1 or not on:
        return {"maxAttempts": 1, "retryDelayMinutes": _UNUSED_DELAY, "retryOn": on or ["no_answer"]}
    return {"maxAttempts": retry.attempts, "retryDelayMinutes": retry.after[0] // _MINUTE, "retryOn": on}


def _contacts(handover: Handover) -> list[Json]:
    return [_contact(handover, person) for person in handover.people]


def _contact(handover: Handover, person: HandedContact) -> JsonObject:
    """Write a person with their zone; one zone for all is written too, since an area code would win over the window's."""
    contact: dict[str, Json] = {"toNumber": person.phone, "variables": dict(person.variables)}
    zone = person.timezone if handover.timezone == "contact" else handover.timezone
    return {**contact, "timezone": zone} if zone is not None else contact


def _campaign(reply: Reply) -> JsonObject:
    campaign = object_of(answered_document("revring", reply).get("data"))
    if not campaign:
        raise InDoubt("revring answered without a campaign")
    return campaign


def _row(contact: JsonObject) -> NativeRow:
    status, calls = text_of(contact.get("status"), 100), count_of(contact.get("attempts")) or 0
    outcome = _ended_outcome(status, text_of(contact.get("outcome"), 100))
    seen = Observation(
        provider_id=first_id(contact, "lastCallId"),
        outcome=outcome,
        words=words_of(contact, "status", "outcome"),
        calls=calls,
        opt_out=outcome is Outcome.OPTED_OUT,
    )
    return NativeRow(
        phone=text_of(contact.get("toNumber"), 100),
        calls=calls,
        is_calling=status == "dialing",
        ended=seen if outcome is not None else None,
    )


def _ended_outcome(status: str, word: str) -> Outcome | None:
    match status:
        case "completed" | "exhausted":
            return OUTCOMES.get(word, Outcome.UNKNOWN)
        case "skipped":
            return OUTCOMES.get(word, Outcome.FAILED)
        case "canceled":
            return Outcome.OPTED_OUT if word == "do_not_call" else Outcome.CANCELLED
        case _:
            return None
