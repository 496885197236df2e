"""Movoice's batches: many calls in one request, which nobody can find, stop or ask about afterwards."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from runner.errors import InDoubt
from runner.model.handover import Handover, NativeAction, NativePage, NativeRow, NativeStatus
from runner.model.json import Json, JsonObject
from runner.model.movoice_plan import PLANS, Plan
from runner.model.request import Finding, Reply, Request
from runner.providers import movoice_answers
from runner.providers.movoice_answers import Paging
from runner.providers.native_hours import same_hours, written
from runner.providers.native_terms import SINGLE, Problem, option_problem, own_rules_problem, pace_problem, required
from runner.providers.reading import first_id, instant_of, text_of
from runner.providers.replies import accepted_document, answered_document, no_id

_SLACK_SECONDS = 10
"""a batch may be dated after its first calls, when it is answered; longer would let in a person's call before it"""
_INSTEAD = {"schedule_at": "schedule: {start: 2026-12-01T09:00:00Z}"}


@dataclass(frozen=True, slots=True)
class MovoiceBatches:
    """Movoice's batches, under the smallest plan unless the account names a larger one.

    What happens above a plan's limit is not documented, so nothing above it is handed over. A
    batch in doubt stays in doubt: there is no list of batches. Its calls are those of `GET /calls`
    since the batch was made, matched by number; where that list does not say why a call failed or
    what came of it, its row is brief, and `GET /calls/{id}` says it.
    """

    paging: Paging = "offset"
    plan: Plan = "starter"

    @property
    def most_people(self) -> int:
        """How many people one request may carry under the plan."""
        return PLANS[self.plan].people

    def problem(self, handover: Handover) -> Problem | None:
        """Say what Movoice cannot express: hours, retries, a number to show, more than the plan; None when it can all."""
        return (
            option_problem(handover, "movoice", (), _INSTEAD)
            or own_rules_problem(handover, "movoice")
            or _hours_problem(handover)
            or _retry_problem(handover)
            or _from_problem(handover)
            or pace_problem(handover, "movoice")
            or _plan_problem(handover, self.plan)
        )

    def create(self, handover: Handover) -> Request:
        """Build `POST /calls/batch`, which dials; raise FilesWrong for what `problem` names."""
        required(self.problem(handover))
        recipients: list[Json] = []
        for person in handover.people:
            recipient: dict[str, Json] = {"phone": person.phone, "variables": dict(person.variables)}
            recipients.append(recipient)
        body: dict[str, Json] = {
            "agent_id": handover.agent_id,
            "recipients": recipients,
            "concurrency": handover.concurrency,
        }
        if handover.start_at is not None:
            body["schedule_at"] = int(handover.start_at.timestamp())
        return Request(method="POST", path="/calls/batch", body=body)

    def read_created(self, reply: Reply) -> str:
        """Read the batch's id, and behind an `@` when it was made, since its calls are only found by time."""
        document = movoice_answers.unwrapped(accepted_document("movoice", reply))
        found = first_id(document, "batch_id", "id")
        if not found:
            raise no_id("movoice", reply)
        made_at = instant_of(document.get("created_at")) or _answered_at(reply)
        return found if made_at is None else f"{found}@{int(made_at.timestamp())}"

    def add(self, native_id: str, handover: Handover) -> Request | None:
        """Give None: a batch is whole; a further chunk is a batch of its own."""
        return None

    def launch(self, native_id: str) -> Request | None:
        """Give None: a batch dials when it is made."""
        return None

    def status_request(self, native_id: str, *, agent_id: str = "") -> Request:
        """Build `GET /calls` since the batch was made, the only thing that can be asked."""
        return movoice_answers.list_request(self.paging, _query(native_id, agent_id), 0)

    def read_status(self, reply: Reply) -> NativeStatus:
        """Give `running`: Movoice tells calls, not batches, so it has ended when the rows of all its people have."""
        _calls(reply)
        return NativeStatus.RUNNING

    def rows_request(self, native_id: str, page: int, *, agent_id: str = "") -> Request | None:
        """Build a page of the calls since the batch was made; None when nobody knows when that was.

        With ``agent_id`` only that agent's calls are listed.
        """
        if "@" not in native_id:
            return None
        return movoice_answers.list_request(self.paging, _query(native_id, agent_id), page)

    def read_rows(self, reply: Reply) -> NativePage:
        """Read calls as people; of several calls to a number on a page the earliest is the batch's."""
        document, calls = _calls(reply)
        earliest: dict[str, JsonObject] = {}
        for call in sorted(calls, key=_made_at):
            earliest.setdefault(text_of(call.get("recipient_phone"), 100), call)
        rows = tuple(_row(phone, call) for phone, call in earliest.items())
        return NativePage(rows=rows, has_more=movoice_answers.has_more(document, len(calls), self.paging))

    def find_request(self, handover_name: str, page: int) -> Request | None:
        """Give None: there is no list of batches."""
        return None

    def read_find(self, handover_name: str, reply: Reply) -> Finding:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("movoice cannot be asked whether a batch arrived")

    def known_as(self, native_id: str, sent_at: datetime) -> str:
        """Add when the batch was made, since its calls are only found by time."""
        return native_id if "@" in native_id else f"{native_id}@{int(sent_at.timestamp())}"

    def control(self, native_id: str, action: NativeAction) -> Request | None:
        """Give None: batches are stopped in Movoice's dashboard alone."""
        return None

    def read_done(self, reply: Reply) -> bool:
        """Raise InDoubt: there is nothing that could be done."""
        raise InDoubt("movoice's batches cannot be changed")


def _hours_problem(handover: Handover) -> Problem | None:
    """Refuse every window that ever closes: a batch that starts inside one may still dial after its end."""
    hours = same_hours(handover.windows)
    if hours is not None and hours.is_always:
        return None
    return (
        f"`{written(handover.windows)}` cannot be told to movoice: its batches dial until everybody was called, at any hour",
        f"write: {SINGLE}   (or, if any hour will do: windows: daily 00:00-24:00)",
    )


def _retry_problem(handover: Handover) -> Problem | None:
    if handover.retry.attempts == 1 or not handover.retry.on:
        return None
    return (
        f"`{handover.retry.attempts}` tries cannot be told to movoice: its batches dial everybody once",
        f"write: retry: never   (or: {SINGLE})",
    )


def _from_problem(handover: Handover) -> Problem | None:
    if not handover.from_number:
        return None
    return "movoice's batches show the agent's own number", f"remove `from` from the agent (or: {SINGLE})"


def _plan_problem(handover: Handover, plan: Plan) -> Problem | None:
    limit = PLANS[plan].concurrency
    if limit is None or handover.concurrency <= limit:
        return None
    return (
        f"`{handover.concurrency}` calls at once are more than movoice's plan `{plan}` allows",
        f"write: limits: {{concurrency: {limit}}}   (or name your plan at the account in outreach.yaml: plan: business)",
    )


def _query(native_id: str, agent_id: str) -> dict[str, str | int]:
    made_at = native_id.rpartition("@")[2] if "@" in native_id else ""
    query: dict[str, str | int] = {"agent_id": agent_id} if agent_id else {}
    if not (made_at.isascii() and made_at.isdecimal()):
        return query
    return {**query, "from": int(made_at) - _SLACK_SECONDS}


def _answered_at(reply: Reply) -> Any:
    """Give the provider's own clock from the answer's Date; None without one."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _calls(reply: Reply) -> tuple[JsonObject, tuple[JsonObject, ...]]:
    document, calls = movoice_answers.listed(answered_document("movoice", reply))
    if any(not text_of(call.get("recipient_phone")) for call in calls):
        raise InDoubt("movoice lists calls without their numbers")
    return document, calls


def _made_at(call: JsonObject) -> float:
    at = instant_of(call.get("created_at"))
    return at.timestamp() if at is not None else 0.0


def _row(phone: str, call: JsonObject) -> NativeRow:
    seen = movoice_answers.read_call(call)
    is_dialled = text_of(call.get("status"), 100).lower() not in {"scheduled", "queued"}
    return NativeRow(
        phone=phone,
        calls=int(is_dialled),
        is_calling=is_dialled and not seen.is_final,
        ended=seen if seen.is_final else None,
        is_brief=seen.is_final and not text_of(call.get("reason")) and not text_of(call.get("summary")),
    )
