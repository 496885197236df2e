"""Revox's own campaigns in both generations: A dials when one is made, D when its calls are launched."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from runner.errors import InDoubt, WrongGeneration
from runner.model.handover import Handover, NativeAction, NativePage, NativeRow, NativeStatus
from runner.model.json import Json, JsonObject
from runner.model.outcome import Outcome
from runner.model.request import Finding, Reply, Request
from runner.model.window import DAYS
from runner.providers import revox_answers
from runner.providers.lookups import PAGE_SIZE
from runner.providers.native_hours import SameHours, clock, same_hours, waits_of_spans, written
from runner.providers.native_terms import (
    SINGLE,
    Problem,
    counted,
    find_named,
    option_problem,
    outcomes_text,
    pace_problem,
    read_done,
    required,
    retry_feature_problem,
    zone_of_all,
)
from runner.providers.reading import count_of, first_id, object_of, objects_of, text_of
from runner.providers.replies import accepted_document, answered_document, no_id, said
from runner.providers.requests import as_texts, segment, utc_text, with_query

Generation = Literal["A", "D"]

MOST_PEOPLE = 1_000
"""our own limit, since none is documented: the rows of generation D come in one answer"""

RETRIED = frozenset({Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL})
"""after what Revox calls again; nothing in its configuration chooses"""

STATUSES: Mapping[str, NativeStatus] = {
    "draft": NativeStatus.DRAFT,
    "running": NativeStatus.RUNNING,
    "paused": NativeStatus.PAUSED,
    "completed": NativeStatus.COMPLETED,
}

_OPTIONS = ("name", "call_retry_config", "max_concurrent_calls")
_INSTEAD = {
    "call_retry_config": "windows and retry in the campaign, from which it is made",
    "max_concurrent_calls": "limits: {concurrency: 5}",
    "scheduled_at": "schedule: {start: 2026-12-01T09:00:00Z}",
}
_LONG_DAYS = dict(
    zip(DAYS, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)
)
_LIVE = frozenset({"calling", "queued", "ringing", "ongoing"})
_ONLY_D = ("not_launched", "skipped")
"""counts that only generation D has"""
_ONLY_D_ASKS = "allowed_days"
_REFUSED = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class RevoxCampaigns:
    """Revox's campaigns of one generation.

    `retry.attempts` is sent as `max_retry_attempts`, which counts the first call too, since in
    Revox's own words a second one follows from `max_retry_attempts >= 2` on. Each row tells the
    dials that were really made. With `own_rules` the assistant's configuration holds, or the one
    that the options write out in Revox's own words, and nothing of ours is translated.
    """

    generation: Generation = "A"
    most_people = MOST_PEOPLE

    def problem(self, handover: Handover) -> Problem | None:
        """Say what Revox cannot express: differing days, several zones, chosen outcomes, a pace; None when it can all."""
        allowed = _OPTIONS if handover.own_rules else _OPTIONS[:1]
        return (
            option_problem(handover, "revox", allowed, _INSTEAD)
            or (None if handover.own_rules else self._rules_problem(handover))
            or pace_problem(handover, "revox")
            or self._start_problem(handover)
        )

    def create(self, handover: Handover) -> Request:
        """Build `POST /campaigns`, which dials in generation A; raise FilesWrong for what `problem` names."""
        required(self.problem(handover))
        options: Mapping[str, Any] = handover.options
        body: dict[str, Json] = {
            "assistant_id": handover.agent_id,
            "contacts": [
                {"prompt_variables": as_texts(person.variables), "to_phone_number": person.phone}
                for person in handover.people
            ],
            "name": f"{options.get('name') or handover.campaign} {handover.key}".strip(),
        }
        own: Mapping[str, Json] = {
            "call_retry_config": self._retry_config(handover),
            "max_concurrent_calls": handover.concurrency,
        }
        rules = options if handover.own_rules else own
        if rules.get("call_retry_config") is not None:
            body["call_retry_config"] = rules["call_retry_config"]
        if handover.from_number:
            body["from_phone_number"] = handover.from_number
        if rules.get("max_concurrent_calls") is not None:
            body["max_concurrent_calls"] = rules["max_concurrent_calls"]
        if handover.start_at is not None:
            body["scheduled_at"] = utc_text(handover.start_at)
        return Request(method="POST", path="/campaigns", body=body)

    def read_created(self, reply: Reply) -> str:
        """Read the campaign's id; raise WrongGeneration when its row stats are those of the other one.

        So does a refusal that asks generation A for the days, which only D knows.
        """
        if self.generation == "A" and reply.status in _REFUSED and _ONLY_D_ASKS in said(reply):
            raise WrongGeneration(
                f"revox answered {reply.status} as generation `D`, and the account says `A`{said(reply)}",
                help="write in outreach.yaml: generation: D",
                native_id="",
                is_dialling=False,
            )
        campaign = object_of(accepted_document("revox", reply).get("campaign"))
        found = first_id(campaign, "id")
        if not found:
            raise no_id("revox", reply)
        self._check_generation(campaign)
        return found

    def add(self, native_id: str, handover: Handover) -> Request | None:
        """Give None: how people are added is not documented, so a further chunk is a campaign of its own."""
        return None

    def launch(self, native_id: str) -> Request | None:
        """Build `POST /campaigns/{id}/launch-calls` over what was never launched; None in generation A.

        Safe to send again: calls that were launched are not chosen any more.
        """
        if self.generation == "A":
            return None
        filters: JsonObject = {
            "assignee_ids": [], "directions": [], "outcomes": [], "results": [], "statuses": ["not_launched"],
        }  # fmt: skip
        selection: JsonObject = {"filters": filters, "rows": {"mode": "all_except", "call_ids": []}}
        body: JsonObject = {"mode": "ai_first", "selection": selection}
        return Request(method="POST", path=f"/campaigns/{segment(native_id)}/launch-calls", body=body)

    def status_request(self, native_id: str) -> Request:
        """Build `GET /campaigns/{id}`."""
        return Request(method="GET", path=f"/campaigns/{segment(native_id)}")

    def read_status(self, reply: Reply) -> NativeStatus:
        """Read where the campaign stands; one of which nothing was launched is a draft, whatever its status says."""
        campaign = _campaign(reply)
        self._check_generation(campaign)
        if campaign.get("is_cancelled") is True:
            return NativeStatus.CANCELLED
        stats = object_of(campaign.get("row_stats"))
        total = counted(stats, "total")
        if total and counted(stats, "not_launched") == total:
            return NativeStatus.DRAFT
        word = text_of(campaign.get("status"), 100)
        if word not in STATUSES:
            raise InDoubt(f"revox answered a campaign with the status `{word}`")
        return STATUSES[word]

    def rows_request(self, native_id: str, page: int, *, agent_id: str = "") -> Request | None:
        """Build `GET /campaigns/{id}/rows`, 100 people a page in generation A, all at once in D."""
        path = f"/campaigns/{segment(native_id)}/rows"
        if self.generation == "A":
            path = with_query(path, {"page": page + 1, "page_size": PAGE_SIZE})
        return Request(method="GET", path=path)

    def read_rows(self, reply: Reply) -> NativePage:
        """Read people; only an order that is `completed`, `cancelled` or `errored` ends one for good."""
        document = answered_document("revox", reply)
        listing = document.get("rows")
        if not isinstance(listing, list):
            raise InDoubt("revox answered a campaign without its rows")
        rows = tuple(_row(row) for row in objects_of(listing) if text_of(row.get("phone_number")))
        return NativePage(rows=rows, has_more=_has_more(document))

    def find_request(self, handover_name: str, page: int) -> Request | None:
        """Build `GET /campaigns`, which lists all campaigns at once."""
        return Request(method="GET", path="/campaigns")

    def read_find(self, handover_name: str, reply: Reply) -> Finding:
        """Find the campaign whose name ends with the handover's key."""
        listing = answered_document("revox", reply).get("campaigns")
        if not isinstance(listing, list):
            raise InDoubt("revox answered without its campaigns")
        return find_named("revox", handover_name, objects_of(listing), more=False)

    def known_as(self, native_id: str, sent_at: datetime) -> str:
        """Give the id as it is: the campaign can be asked for by it."""
        return native_id

    def control(self, native_id: str, action: NativeAction) -> Request | None:
        """Build `POST /campaigns/{id}/pause`, `/resume` or `/cancel`; retry timers run on in a pause."""
        return Request(method="POST", path=f"/campaigns/{segment(native_id)}/{action}")

    def read_done(self, reply: Reply) -> bool:
        """Read the answer to launch and control; False when Revox says that it did not happen."""
        return read_done("revox", reply)

    def _rules_problem(self, handover: Handover) -> Problem | None:
        return self._hours_problem(handover) or _zone_problem(handover) or self._retry_problem(handover)

    def _hours_problem(self, handover: Handover) -> Problem | None:
        hours = same_hours(handover.windows)
        text = f"`{written(handover.windows)}` cannot be told to revox"
        if hours is None:
            return (
                f"{text}: the hours are the same on each open day there",
                f"write: windows: daily 10:00-18:00   (or: {SINGLE})",
            )
        if self.generation == "A" and not hours.is_every_day:
            return (
                f"{text} of generation `A`, which knows no days and would call on {_closed(hours)} too",
                f"write: windows: daily 10:00-18:00   (or: {SINGLE})",
            )
        return None

    def _retry_problem(self, handover: Handover) -> Problem | None:
        retry = handover.retry
        if retry.attempts == 1 or not retry.on:
            return None
        if retry.call_twice_in_a_row and self.generation == "A":
            return (
                "`call_twice_in_a_row` cannot be told to revox of generation `A`",
                f"remove it, or write in outreach.yaml: generation: D   (or: {SINGLE})",
            )
        return retry_feature_problem(retry, "revox") or _terms_problem(handover)

    def _start_problem(self, handover: Handover) -> Problem | None:
        if self.generation == "A" or handover.start_at is None:
            return None
        return (
            f"`{utc_text(handover.start_at)}` cannot be told to revox of generation `D`, which starts when it is launched",
            f"remove `start` from schedule, and apply when it is to start (or: {SINGLE})",
        )

    def _retry_config(self, handover: Handover) -> JsonObject:
        hours, retry = same_hours(handover.windows), handover.retry
        usual = dict.fromkeys(hours.spans if hours is not None else (), retry.after[0])
        waits = waits_of_spans(handover.windows, retry.after[0]) or usual
        config: dict[str, Json] = {
            "calling_windows": [
                {
                    "calling_window_start_time": clock(start),
                    "calling_window_end_time": clock(end),
                    "retry_delay_seconds": max(1, math.ceil(wait.total_seconds())),
                }
                for (start, end), wait in waits.items()
            ],
            "max_retry_attempts": retry.attempts if retry.on else 1,
        }
        zone = zone_of_all(handover)
        if zone:
            config["timezone"] = zone
        if self.generation == "D":
            config |= {
                "allowed_days": [_LONG_DAYS[day] for day in (hours.days if hours is not None else ())],
                "call_twice_in_a_row": retry.call_twice_in_a_row,
            }
        return config

    def _check_generation(self, campaign: JsonObject) -> None:
        stats = object_of(campaign.get("row_stats"))
        if not stats:
            return
        shown: Generation = "D" if any(name in stats for name in _ONLY_D) else "A"
        if shown == self.generation:
            return
        is_dialling = shown == "A"
        native_id = first_id(campaign, "id")
        does = "is calling its people already" if is_dialling else "calls nobody until it is launched"
        raise WrongGeneration(
            f"revox answered as generation `{shown}`, and the account says `{self.generation}`: campaign `{native_id}` {does}",
            help=f"{'cancel it at revox, then ' if is_dialling else ''}write in outreach.yaml: generation: {shown}",
            native_id=native_id,
            is_dialling=is_dialling,
        )


def _zone_problem(handover: Handover) -> Problem | None:
    """Refuse people of several zones, or of none that is certain: Revox takes one, or guesses by country code."""
    hours = same_hours(handover.windows)
    if not handover.people or zone_of_all(handover) or (hours is not None and hours.is_always):
        return None
    return (
        "revox takes one time zone for all people, or guesses each by the country code; these have several, or no certain one",
        f"write: timezone: America/New_York   (or: {SINGLE})",
    )


def _terms_problem(handover: Handover) -> Problem | None:
    retry = handover.retry
    if frozenset(retry.on) != RETRIED:
        return (
            f"`{outcomes_text(retry)}` cannot be told to revox, which calls again on its own terms",
            "write: on: no_answer, busy, voicemail   (or leave `on` out)",
        )
    waits = waits_of_spans(handover.windows, retry.after[0])
    if waits is None:
        return (
            f"`{written(handover.windows)}` cannot be told to revox: one `retry_after` holds for the same hours of each open day",
            f"write windows that do not overlap, each with its own retry_after   (or: {SINGLE})",
        )
    if not all(waits.values()):
        return "`0s` between tries cannot be told to revox, which waits", "write: retry: 3 times, 2h apart"
    return None


def _closed(hours: SameHours) -> str:
    return ", ".join(f"`{day}`" for day in DAYS if day not in hours.days)


def _campaign(reply: Reply) -> JsonObject:
    campaign = object_of(answered_document("revox", reply).get("campaign"))
    if not campaign:
        raise InDoubt("revox answered without a campaign")
    return campaign


def _row(row: JsonObject) -> NativeRow:
    phone, call = text_of(row.get("phone_number"), 100), object_of(row.get("call"))
    if not call:
        return NativeRow(phone=phone, calls=0)
    seen = revox_answers.read_order(call)
    return NativeRow(
        phone=phone,
        calls=seen.calls or 0,
        is_calling=text_of(call.get("status"), 100) in _LIVE,
        ended=seen if seen.is_final else None,
    )


def _has_more(document: JsonObject) -> bool:
    page, size, total = (count_of(document.get(name)) for name in ("page", "page_size", "total"))
    return page is not None and size is not None and total is not None and page * size < total
