"""A plan over small real campaigns: what each line says, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runner.model.attempt import AttemptState, attempt_key
from runner.model.campaign import Campaign
from runner.model.contact import DuplicateRow, RejectedRow
from runner.model.move import ContactState
from runner.model.plan import PlanLine, PlanStatus
from runner.planning.digest import fingerprint
from runner.planning.known import KnownCampaign, KnownContact
from runner.planning.plan import CALLED_OFF, TAKEN_OFF, Row
from runner.planning.summary import combined
from tests.building import NEW_YORK, NOON, account, campaign, contact, draft, phone, planned

P = PlanStatus
HOUR = timedelta(hours=1)
TWO = [{"call": "agent"}, {"call": "agent", "name": "again", "after": "1d", "when": "no_answer"}]


def lines_of(of: Campaign, *rows: Any, known: KnownCampaign | None = None, now: Any = NOON) -> list[PlanLine]:
    return planned(draft(of, known=known), rows, now)[0]


def known_as(
    of: Campaign, number: int = 0, *, state: ContactState = ContactState.PENDING,
    attempts: Mapping[str, AttemptState] | None = None, zones: tuple[str, ...] = (NEW_YORK,),
) -> KnownCampaign:  # fmt: skip
    """Give a ledger that holds one contact as this campaign would have planned it."""
    lines = lines_of(of, contact(number))
    one = KnownContact(
        phone=phone(number), state=state, zones=zones,
        fingerprints={line.step: fingerprint(line.method, line.path, line.payload) for line in lines},
        attempts=attempts or {lines[0].step: AttemptState.PLANNED},
    )  # fmt: skip
    return KnownCampaign(digest="sha256:x", contacts={phone(number): one})


def test_a_new_contact_is_created_with_the_request_as_it_will_be_sent() -> None:
    line = lines_of(campaign(variables={"n": "{{ contact.phone }}"}), contact(0))[0]
    key = attempt_key("renewals", phone(0), "call", 1)
    assert (line.status, line.key, line.not_before) == (P.CREATE, key, NOON)
    assert line.body == {"agent_id": "agent_1", "recipient_phone": phone(0), "variables": {"n": phone(0)}}
    assert (line.method, line.path, line.url) == ("POST", "/call", "http://127.0.0.1:9/call")
    assert line.headers["Authorization"] == "Bearer env:NONE", "the reference, never the key"
    assert key in line.headers.values()
    assert (line.zones, line.timezone_source, line.cells) == ((NEW_YORK,), "campaign", {"phone": phone(0)})


def test_a_later_step_of_somebody_who_was_called_off_has_no_condition_any_more() -> None:
    of = campaign(steps=TWO)
    known = known_as(of, state=ContactState.FAILED, attempts={"call": AttemptState.CANCELLED})
    lines = lines_of(of, contact(0), known=known)
    assert [(one.status, one.reason, one.condition, one.not_before) for one in lines] == [
        (P.KEEP, CALLED_OFF, "", None)
    ] * 2


def test_a_key_that_travels_in_the_body_is_not_part_of_the_payload() -> None:
    line = lines_of(campaign(agent="revox/asst_1"), contact(0))[0]
    assert line.key in str(line.body)
    assert line.key not in str(line.payload)


def test_later_steps_say_when_they_are_done() -> None:
    first, later = lines_of(campaign(steps=TWO), contact(0))
    assert (later.status, later.not_before, later.step_index) == (P.LATER, None, 1)
    assert later.condition == "1d after call ended, if no_answer"
    assert first.condition == ""


def test_what_stands_in_the_ledger_is_kept() -> None:
    found = lines_of(campaign(steps=TWO), contact(0), known=known_as(campaign(steps=TWO)))
    assert [(line.status, line.changed, line.reason) for line in found] == [(P.KEEP, False, ""), (P.LATER, False, "")]


@pytest.mark.parametrize(
    ("state", "attempt", "reason"),
    [
        (ContactState.COMPLETED, AttemptState.FINISHED, "completed"),
        (ContactState.FAILED, AttemptState.FINISHED, "failed"),
        (ContactState.CALLING, AttemptState.ACCEPTED, "under way"),
        (ContactState.SUPPRESSED, AttemptState.SUPPRESSED, TAKEN_OFF),
    ],
)
def test_who_is_not_called_by_the_first_step_any_more_has_no_time(
    state: ContactState, attempt: AttemptState, reason: str
) -> None:
    """Somebody taken off the list again stays called off: a plan must not name an hour at which nothing leaves."""
    known = known_as(campaign(), state=state, attempts={"call": attempt})
    (line,), summary = planned(draft(campaign(), known=known), [contact(0)])
    assert (line.status, line.not_before, line.reason) == (P.KEEP, None, reason)
    assert (summary.first, summary.last) == (None, None)


def test_another_payload_is_a_change_until_it_was_sent() -> None:
    new = campaign(variables={"n": "new words"})
    line = lines_of(new, contact(0), known=known_as(campaign()))[0]
    assert (line.status, line.changed, line.reason) == (P.CHANGE, True, "the payload changed")
    for state in set(AttemptState) - {AttemptState.PLANNED, AttemptState.SUPERSEDED}:
        sent = known_as(campaign(), attempts={"call": state}, state=ContactState.CALLING)
        kept = lines_of(new, contact(0), known=sent)[0]
        assert (kept.status, kept.changed, kept.reason) == (P.KEEP, True, "sent before this change")


def test_another_zone_is_a_change() -> None:
    line = lines_of(campaign(), contact(0), known=known_as(campaign(), zones=("Europe/Paris",)))[0]
    assert (line.status, line.changed, line.reason) == (P.CHANGE, False, "the time zone changed")


def test_a_renamed_first_step_is_a_change_for_those_who_were_not_reached_yet() -> None:
    new = campaign(steps=[{"call": "agent", "name": "hello"}])
    assert lines_of(new, contact(0), known=known_as(campaign()))[0].status is P.CHANGE
    sent = known_as(campaign(), attempts={"call": AttemptState.FINISHED}, state=ContactState.COMPLETED)
    assert lines_of(new, contact(0), known=sent)[0].status is P.KEEP


@pytest.mark.parametrize("state", list(ContactState))
def test_a_contact_that_is_gone_is_removed_while_something_is_left_to_do(state: ContactState) -> None:
    found = lines_of(campaign(), known=known_as(campaign(), state=state))
    is_open = state in {ContactState.PENDING, ContactState.CALLING, ContactState.RETRY, ContactState.HELD}
    assert [(line.status, line.reason) for line in found] == (
        [(P.REMOVE, "no longer among the contacts")] if is_open else []
    )


def test_a_contact_that_comes_back_is_created_again() -> None:
    gone = known_as(campaign(), state=ContactState.REMOVED, attempts={"call": AttemptState.SUPERSEDED})
    assert lines_of(campaign(), contact(0), known=gone)[0].status is P.CREATE
    listed = known_as(campaign(), state=ContactState.SUPPRESSED, attempts={"call": AttemptState.SUPERSEDED})
    assert lines_of(campaign(), contact(0), known=listed)[0].status is P.CREATE
    opted_out = known_as(campaign(), state=ContactState.SUPPRESSED, attempts={"call": AttemptState.FINISHED})
    assert lines_of(campaign(), contact(0), known=opted_out)[0].status is P.KEEP


@pytest.mark.parametrize(
    ("attempts", "status", "reason"),
    [
        (["held"], P.CHANGE, "back among the contacts, and held: outreach resolve"),
        (["finished", "held"], P.CHANGE, "back among the contacts, and held: outreach resolve"),
        (["accepted"], P.CHANGE, "back among the contacts; under way"),
        (["in_doubt"], P.CHANGE, "back among the contacts; under way"),
        (["finished"], P.CHANGE, "back among the contacts; what was begun has ended"),
        (["finished", "superseded"], P.CREATE, ""),
        (["superseded"], P.CREATE, ""),
    ],
)
def test_who_comes_back_is_promised_no_call_that_is_not_made(attempts: list[str], status: P, reason: str) -> None:
    tried = {step: AttemptState(state) for step, state in zip(("call", "again"), attempts, strict=False)}
    back = known_as(campaign(steps=TWO), state=ContactState.REMOVED, attempts=tried)
    line = lines_of(campaign(steps=TWO), contact(0), known=back)[0]
    assert (line.status, line.reason, line.not_before) == (status, reason, NOON if status is P.CREATE else None)


def test_rows_that_name_nobody_are_skipped_with_the_reason() -> None:
    rows = (
        RejectedRow(row=2, column="phone", reason="`abc` is not a phone number"),
        RejectedRow(row=3, column="", reason="the row has too few cells"),
        DuplicateRow(row=5, phone=phone(0), first_row=4),
        contact(0),
    )
    found, summary = planned(draft(campaign()), rows)
    assert [(line.status, line.reason, line.rejected) for line in found] == [
        (P.SKIP, "phone: `abc` is not a phone number", True),
        (P.SKIP, "the row has too few cells", True),
        (P.SKIP, "the same number as in row 4", False),
        (P.CREATE, "", False),
    ]
    assert (summary.contacts, summary.rejected, summary.skipped) == (4, 2, 1)


def test_people_who_must_not_be_contacted_are_skipped() -> None:
    known = KnownCampaign(suppressions={phone(1): "opted out (call x)"})
    listed = replace(contact(0), suppressed_by="dnc.txt:3")
    found = lines_of(campaign(), listed, contact(1), known=known)
    assert [(line.status, line.reason, line.suppressed) for line in found] == [
        (P.SKIP, "on the do-not-contact list dnc.txt:3", True),
        (P.SKIP, "must not be contacted: opted out (call x)", True),
    ]


def test_a_row_that_was_not_selected_is_skipped_and_one_that_cannot_be_decided_is_bad() -> None:
    of = campaign(contacts={"file": "people.csv", "where": "amount > 100"})
    rows = [contact(number, values={"amount": value}) for number, value in enumerate(("250", "50", "much"))]
    found = lines_of(of, *rows)
    assert [(line.status, line.rejected) for line in found] == [(P.CREATE, False), (P.SKIP, False), (P.SKIP, True)]
    assert found[1].reason == "not selected by `where: amount > 100`"


def test_a_row_that_a_template_cannot_use_is_bad_and_makes_no_line_of_any_step() -> None:
    steps = [{"call": "agent"}, {"call": "agent", "name": "again", "variables": {"d": "{{ contact.due | date }}"}}]
    rows = [contact(0, values={"due": "2026-04-25"}), contact(1, values={"due": "soon"})]
    found = lines_of(campaign(steps=steps), *rows)
    assert [(line.status, line.rejected) for line in found] == [(P.CREATE, False), (P.LATER, False), (P.SKIP, True)]
    assert found[2].reason.startswith("steps.1.variables.d.value: ")
    assert found[2].fault is not None
    assert found[2].fault.code == "V08"


def test_a_cell_that_makes_a_value_too_long_makes_a_bad_row_and_nothing_is_cut() -> None:
    of = campaign(variables={"bio": "{{ contact.bio }}"})
    fits, long = lines_of(of, *(contact(at, values={"bio": "x" * (500 + at)}) for at in (0, 1)))
    assert fits.body is not None
    assert fits.body["variables"] == {"bio": "x" * 500}
    assert (long.status, long.rejected, long.body) == (P.SKIP, True, None)
    assert long.reason == "variables.bio.value: `bio` has 501 characters, from `contact.bio`; 500 are allowed"
    assert long.fault is not None
    assert (long.fault.code, long.fault.column, long.fault.size) == ("V10", "bio", 501)
    assert "longest: 501}" in long.fault.help


@pytest.mark.parametrize(
    ("column", "of_campaign", "zones", "source"),
    [
        ("Asia/Tokyo", "contact", ("Asia/Tokyo",), "column"),
        ("Asia/Tokyo", "Europe/Paris", ("Asia/Tokyo",), "column"),
        (None, "Europe/Paris", ("Europe/Paris",), "campaign"),
        (None, "contact", (NEW_YORK,), "number"),
    ],
)
def test_the_zone_has_its_evidence(column: str | None, of_campaign: str, zones: tuple[str, ...], source: str) -> None:
    line = lines_of(campaign(timezone=of_campaign), contact(0, timezone=column))[0]
    assert (line.zones, line.timezone_source) == (zones, source)


def test_a_window_moves_the_first_instant() -> None:
    assert lines_of(campaign(windows="mon-fri 13:00-18:00"), contact(0))[0].not_before == NOON + HOUR
    late = campaign(windows="mon-fri 10:00-11:00", schedule={"start": "2026-01-07T00:00:00Z"})
    assert lines_of(late, contact(0))[0].not_before == NOON + 46 * HOUR


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"schedule": {"end": "2026-01-05T17:00:00Z"}}, "the campaign's schedule ended"),
        (
            {"windows": "daily 08:00-09:00", "schedule": {"end": "2026-01-05T18:00:00Z"}},
            "no window opens before the campaign ends",
        ),
        (
            {"windows": [{"from": "10:00", "to": "18:00", "dates": "2025-12-01..2025-12-24"}]},
            "windows, holidays and law leave no hour to start in",
        ),
    ],
)
def test_somebody_who_can_never_be_called_is_skipped(rules: Any, reason: str) -> None:
    line = lines_of(campaign(**rules), contact(0))[0]
    assert (line.status, line.reason, line.rejected, line.not_before) == (P.SKIP, reason, False, None)


UNKNOWN, TOLL_FREE, AUSTRALIAN = "+999123456789", "+18005550199", "+61491570156"
NO_ZONE = "no time zone is known for this number; add a timezone column"
NO_ROW = "no time zone in the row, and `zones: strict` takes nothing else; add a timezone column"
NARROW = {"timezone": "contact", "windows": "daily 10:00-10:30"}


@pytest.mark.parametrize(
    ("rules", "number", "reason"),
    [
        ({"timezone": "contact"}, UNKNOWN, NO_ZONE),
        (NARROW, AUSTRALIAN, "no hour fits all 8 time zones of this number; add a timezone column"),
        (NARROW | {"schedule": {"end": "2026-02-05T18:00:00Z"}}, AUSTRALIAN, "no hour fits all 8 time zones"),
        ({"zones": "strict"}, phone(0), NO_ROW),
        ({"zones": "strict", "timezone": "contact"}, phone(0), NO_ROW),
    ],
)
def test_somebody_whose_hour_nobody_knows_is_held_refused_or_placed_as_the_file_says(
    rules: Any, number: str, reason: str
) -> None:
    who = contact(0, phone=number, number_type="mobile")
    held, summary = planned(draft(campaign(**rules)), [who])
    assert (held[0].status, held[0].rejected, held[0].changed, held[0].not_before) == (P.HOLD, False, True, None)
    assert held[0].reason.startswith(reason)
    assert (summary.counts[P.HOLD], summary.skipped, summary.rejected, summary.newly_held) == (1, 0, 0, 1)
    refused, summary = planned(draft(campaign(**rules, zone_unknown="refuse")), [who])
    assert (refused[0].status, refused[0].rejected) == (P.SKIP, True)
    assert (refused[0].reason, summary.rejected) == (held[0].reason, 1)
    taken = lines_of(campaign(**rules, zone_unknown="Europe/Paris"), who)[0]
    assert (taken.status, taken.zones, taken.timezone_source) == (P.CREATE, ("Europe/Paris",), "zone_unknown")
    told = lines_of(campaign(**rules), contact(0, phone=number, number_type="mobile", timezone="Australia/Perth"))[0]
    assert (told.status, told.zones, told.timezone_source) == (P.CREATE, ("Australia/Perth",), "column")


def test_a_toll_free_number_fits_no_common_hour() -> None:
    of = campaign(timezone="contact", windows="daily 09:00-18:00", number_types="mobile, toll_free")
    line = lines_of(of, contact(0, phone=TOLL_FREE))[0]
    assert line.status is P.HOLD
    assert len(line.zones) > 30


def test_windows_that_are_closed_in_each_zone_alone_are_no_matter_of_zones() -> None:
    past = [{"from": "10:00", "to": "18:00", "dates": "2025-12-01..2025-12-24"}]
    line = lines_of(campaign(timezone="contact", windows=past), contact(0, phone=AUSTRALIAN))[0]
    assert (line.status, line.reason) == (P.SKIP, "windows, holidays and law leave no hour to start in")


def test_whoever_is_held_stays_so_until_there_is_evidence() -> None:
    strict = campaign(zones="strict")
    held = KnownContact(phone=phone(0), state=ContactState.HELD, fingerprints={}, attempts={})
    known = KnownCampaign(digest="sha256:x", contacts={phone(0): held})
    again = lines_of(strict, contact(0), known=known)[0]
    assert (again.status, again.changed) == (P.HOLD, False)
    told = lines_of(strict, contact(0, timezone="Europe/Paris"), known=known)[0]
    assert (told.status, told.zones) == (P.CREATE, ("Europe/Paris",))
    assert [line.status for line in lines_of(strict, known=known)] == [P.REMOVE]


def test_rules_that_become_strict_hold_whoever_was_not_called_yet() -> None:
    strict = campaign(zones="strict")
    assert lines_of(strict, contact(0), known=known_as(campaign()))[0].status is P.HOLD
    for state in set(AttemptState) - {AttemptState.PLANNED, AttemptState.SUPERSEDED}:
        sent = known_as(campaign(), attempts={"call": state}, state=ContactState.CALLING)
        assert lines_of(strict, contact(0), known=sent)[0].status is P.KEEP


def test_zones_do_not_matter_where_windows_are_ignored() -> None:
    made = draft(campaign(timezone="contact", zones="strict"), windows_ignored=True)
    assert planned(made, [contact(0, phone=UNKNOWN, number_type="mobile")])[0][0].status is P.CREATE


def scheduled(at: str) -> Campaign:
    steps = [{"call": "agent", "options": {"schedule_at": at}}]
    return campaign(windows="mon-fri 10:00-18:00", steps=steps)


def test_a_provider_that_would_dial_outside_the_windows_is_not_asked_to() -> None:
    assert lines_of(scheduled("2026-01-06T16:00:00Z"), contact(0))[0].status is P.CREATE
    night = lines_of(scheduled("2026-01-06T08:00:00Z"), contact(0))[0]
    assert (night.status, night.not_before) == (P.SKIP, None)
    assert night.reason == "the provider would dial at 2026-01-06T08:00:00+00:00, outside the windows"
    assert lines_of(scheduled("2026-01-05T08:00:00Z"), contact(0))[0].status is P.CREATE, "a past time means at once"


def test_a_change_to_a_dial_outside_the_windows_is_refused_too() -> None:
    known = known_as(scheduled("2026-01-06T16:00:00Z"))
    assert lines_of(scheduled("2026-01-06T08:00:00Z"), contact(0), known=known)[0].status is P.SKIP


def test_windows_that_are_ignored_let_the_provider_dial_at_night() -> None:
    made = draft(scheduled("2026-01-06T08:00:00Z"), windows_ignored=True)
    assert planned(made, [contact(0)])[0][0].status is P.CREATE


def test_sums_count_every_row_once() -> None:
    rows: list[Row] = [
        contact(0),
        contact(1),
        replace(contact(2), suppressed_by="dnc:1"),
        RejectedRow(row=9, column="", reason="no"),
    ]
    _, summary = planned(draft(campaign(steps=TWO, windows="mon-fri 13:00-18:00")), rows)
    assert summary.contacts == 4
    assert (summary.counts[P.CREATE], summary.counts[P.LATER], summary.counts[P.SKIP]) == (2, 2, 2)
    assert (summary.rejected, summary.skipped) == (1, 1)
    assert (summary.first, summary.last) == (NOON + HOUR, NOON + HOUR)
    both = combined([summary, summary], "sha256:both")
    assert (both.contacts, both.counts[P.CREATE], both.digest) == (8, 4, "sha256:both")
    assert both.campaigns == ("renewals", "renewals")


def test_a_skipped_contact_that_the_ledger_counts_is_not_counted_twice() -> None:
    known = known_as(campaign(), state=ContactState.COMPLETED, attempts={"call": AttemptState.FINISHED})
    listed = replace(contact(0), suppressed_by="dnc.txt:1")
    _, summary = planned(draft(campaign(), known=known), [listed])
    assert (summary.contacts, summary.skipped) == (1, 0)


def test_a_text_carries_its_words() -> None:
    agents = {"sms": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}}
    steps = [{"text": "sms", "message": "Hello {{ contact.phone }}"}]
    line = planned(draft(campaign(agent=None, agents=agents, steps=steps), account("revring")), [contact(0)])[0][0]
    assert (line.channel, line.path) == ("text", "/messages")
    assert (line.payload or {})["body"] == f"Hello {phone(0)}"


def test_a_row_that_the_provider_would_refuse_is_bad_and_keeps_nobody_else_out() -> None:
    agents = {"anna": {"provider": "revring", "id": "a", "from": "+12025550190"}}
    message = "x" * 1_598 + "{{ contact.w }}"
    of = campaign(agent=None, agents=agents, steps=[{"text": "anna", "message": message}])
    rows = [contact(number, values={"phone": phone(number), "w": end}) for number, end in enumerate(("abc", "ab"))]
    long, short = lines_of(of, *rows)

    assert (long.status, short.status) == (P.SKIP, P.CREATE)
    assert "at most 1,600 characters, and this one has 1,601" in long.reason
