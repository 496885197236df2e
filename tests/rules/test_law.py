"""The form of the table of law, and how a campaign reads it: places, sectors, limits, consent, overrides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.files.law_table import law_table, quick_form, written_table
from runner.model.campaign import Purpose
from runner.model.channel import Channel
from runner.model.compliance import Compliance, Consent
from runner.rules.jurisdictions import is_under
from runner.rules.law import CampaignLaw, UnknownConsent, calendars_of, stated_consent
from runner.rules.law_verdict import time_rule
from runner.rules.public_holidays import is_holiday
from runner.rules.windows import next_allowed

TABLE = law_table()
LAW = CampaignLaw(TABLE)
WRITTEN = Consent.EXPRESS_WRITTEN


def test_both_forms_of_the_table_agree() -> None:
    quick = files("runner").joinpath("law", "calling_hours.json").read_text("utf-8")

    assert quick == quick_form(written_table()), "make law"


def test_form_of_the_table() -> None:
    ids = [row.id for row in TABLE.rows]
    assert len(ids) == len(set(ids)) == 68
    for row in TABLE.rows:
        country = row.jurisdiction.partition("-")[0]
        assert row.id.startswith(country.lower()), row.id
        assert row.source.url.startswith(("https://", "http://")), row.id
        assert row.channels, row.id
        assert row.purposes, row.id
        assert row.is_unverified is (row.source.seen == "no"), row.id
        assert (row.source.seen == "secondary") is bool(row.source.read_at), row.id
        assert row.effective is None or row.effective <= TABLE.as_of, row.id
        assert bool(row.holidays.hours) is (row.holidays.policy == "window"), row.id
        assert row.holidays.calendars or row.holidays.policy in {"allowed", "unknown"}, row.id
        assert all(clock == "person" or ZoneInfo(clock) for clock in row.clocks), row.id
        for window in row.hours or ():
            assert window.from_ < window.to, row.id


def test_every_calendar_of_holidays_exists() -> None:
    days = [date(2026, 1, 1) + timedelta(days=count) for count in range(365)]
    for calendar in sorted({one for row in TABLE.rows for one in row.holidays.calendars}):
        assert 5 <= sum(is_holiday(calendar, day) for day in days) <= 120, calendar


def test_area_codes_belong_to_one_country() -> None:
    owners: dict[int, set[str]] = {}
    for part, codes in TABLE.area_codes.items():
        assert all(200 <= code <= 999 for code in codes), part
        for code in codes:
            owners.setdefault(code, set()).add(part.partition("-")[0])
    assert all(len(countries) == 1 for countries in owners.values())
    states = {row.jurisdiction for row in TABLE.rows if row.jurisdiction.startswith("US-")}
    assert states <= set(TABLE.area_codes)


@pytest.mark.parametrize(
    ("phone", "told", "expected"),
    [
        ("+15125550143", (), ("US", "US-TX")),
        ("+12125550143", ("US-TX",), ("US", "US-NY", "US-TX")),
        ("+12125550143", ("CA-QC",), ("US", "US-NY", "CA", "CA-QC")),
        ("+18005550143", (), ("US",)),
        ("+18765550143", (), ("JM",)),  # Jamaica
        ("+14165550143", (), ("CA", "CA-ON")),
        ("+18675550143", (), ("CA", "CA-NT", "CA-NU", "CA-YT")),  # three territories share it: all count
        ("+447700900123", (), ("GB",)),
        ("", ("ES",), ("ES",)),
    ],
)
def test_whose_law_counts(phone: str, told: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert LAW.jurisdictions(phone, told) == expected


def test_a_campaign_adds_places_and_takes_none_away() -> None:
    law = CampaignLaw(TABLE, Compliance(jurisdictions=("US-FL",)))

    assert law.jurisdictions("+15125550143") == ("US", "US-TX", "US-FL")
    ids = {row.id for row in law.rows(Purpose.MARKETING, "call", law.jurisdictions("+15125550143"))}
    assert {"us-tx-marketing", "us-fl-voice-marketing"} <= ids


def test_a_group_holds_in_its_countries() -> None:
    groups = {"EU": frozenset({"FR", "DE"})}

    assert is_under("FR", "EU", groups)
    assert is_under("DE-BY", "EU", groups)
    assert not is_under("GB", "EU", groups)
    assert is_under("US-TX", "US", groups)
    assert not is_under("US", "US-TX", groups)


def test_a_code_of_a_sector_counts_for_the_sector_alone() -> None:
    telecom = CampaignLaw(TABLE, Compliance(sectors=("telecom",)))

    assert "es-voice-marketing-code" not in {row.id for row in LAW.rows(Purpose.MARKETING, "call", ("ES",))}
    assert "es-voice-marketing-code" in {row.id for row in telecom.rows(Purpose.MARKETING, "call", ("ES",))}


def caps(purpose: Purpose, channel: Channel, *places: str) -> list[tuple[str, int, timedelta, bool, str]]:
    found = LAW.caps(purpose, channel, places)
    return [(cap.source, cap.attempts, cap.per, cap.calendar_day, cap.after) for cap in found]


def test_limits_become_caps() -> None:
    day, week, month = timedelta(days=1), timedelta(days=7), timedelta(days=30)
    marketing, debt = Purpose.MARKETING, Purpose.DEBT_COLLECTION

    assert caps(marketing, "call", "US", "US-FL") == [("us-fl-voice-marketing", 3, day, False, "")]
    assert caps(debt, "call", "US") == [
        ("us-fed-debt-voice", 7, week, False, ""), ("us-fed-debt-voice", 0, week, False, "conversation"),
    ]  # fmt: skip
    assert caps(Purpose.INFORMATIONAL, "call", "US") == [("us-fed-prerecorded-informational", 3, month, False, "")]
    assert caps(marketing, "call", "AE") == [
        ("ae-voice-marketing", 1, day, True, ""),
        ("ae-voice-marketing", 2, week, False, ""),
    ]
    assert caps(marketing, "call", "US", "US-ME") == [("us-me-adad", 1, timedelta(hours=8), False, "")]
    assert caps(Purpose.INFORMATIONAL, "call", "GB") == []  # an agent is there from the start: no call is abandoned


def test_a_limit_for_those_without_consent_is_lifted_by_consent() -> None:
    less, enough = (
        CampaignLaw(TABLE, Compliance(consent=one)) for one in (Consent.EXISTING_RELATIONSHIP, Consent.EXPRESS)
    )

    assert [cap.source for cap in less.caps(Purpose.INFORMATIONAL, "call", ("US",))] == [
        "us-fed-prerecorded-informational"
    ]
    assert enough.caps(Purpose.INFORMATIONAL, "call", ("US",)) == ()


def test_an_override_changes_one_part_of_a_row() -> None:
    one = {"row": "us-tx-marketing", "reason": "customers of two years", "windows": "mon-sun 08:00-22:00"}
    law = CampaignLaw(TABLE, Compliance.model_validate({"overrides": [one]}))

    row = next(row for row in law.rows(Purpose.MARKETING, "call", ("US-TX",)) if row.id == "us-tx-marketing")

    assert time_rule(row) == "08:00-22:00, on the clock of the person and America/Chicago"


def test_an_override_sets_a_row_aside_and_lifts_limits() -> None:
    overrides = [
        {"row": "us-al-voice-marketing", "reason": "business to business alone"},
        {"row": "us-fl-voice-marketing", "reason": "counsel agreed on 2026-02-01", "attempts": []},
    ]
    law = CampaignLaw(TABLE, Compliance.model_validate({"overrides": overrides}))

    assert "us-al-voice-marketing" not in {row.id for row in law.rows(Purpose.MARKETING, "call", ("US-AL",))}
    assert law.caps(Purpose.MARKETING, "call", ("US-FL",)) == ()
    assert LAW.caps(Purpose.MARKETING, "call", ("US-FL",)) != ()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("express", Consent.EXPRESS), (" Express_Written ", WRITTEN), (None, Consent.NONE), ("none", Consent.NONE)],
)
def test_a_contacts_own_consent_comes_first(cell: str | None, expected: Consent) -> None:
    compliance = Compliance(consent=Consent.NONE, consent_column="ok")

    assert stated_consent(compliance, {} if cell is None else {"ok": cell}) is expected


def test_a_word_that_is_no_consent_is_refused() -> None:
    with pytest.raises(UnknownConsent, match="ok: `yes` is not one of none, existing_relationship, express"):
        stated_consent(Compliance(consent_column="ok"), {"ok": "yes"})


PLACES = sorted({row.jurisdiction for row in TABLE.rows} - {"EU"})


@settings(max_examples=150, deadline=None)
@given(
    places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True),
    more=st.sampled_from(PLACES),
    purpose=st.sampled_from(list(Purpose)),
    channel=st.sampled_from(["call", "text"]),
    minutes=st.integers(0, 365 * 24 * 60),
)
def test_more_places_never_allow_more(
    places: list[str], more: str, purpose: Purpose, channel: Channel, minutes: int
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    zones = ("America/Chicago",)
    fewer = LAW.calendars(purpose, channel, tuple(places))
    all_of = LAW.calendars(purpose, channel, (*places, more))

    assert set(fewer) <= set(all_of)
    first = next_allowed(fewer, zones, now) if fewer else now
    later = next_allowed(all_of, zones, now) if all_of else now
    assert first is not None
    assert later is None or later >= first


@settings(max_examples=100, deadline=None)
@given(
    place=st.sampled_from(PLACES),
    purpose=st.sampled_from(list(Purpose)),
    channel=st.sampled_from(["call", "text"]),
    pair=st.lists(st.sampled_from(list(Consent)), min_size=2, max_size=2),
)
def test_more_consent_never_lacks_where_less_does_not(
    place: str, purpose: Purpose, channel: Channel, pair: list[Consent]
) -> None:
    less, more = sorted(pair, key=lambda one: one.rank)

    if LAW.consent_gap(purpose, channel, (place,), less) is None:
        assert LAW.consent_gap(purpose, channel, (place,), more) is None
    assert LAW.consent_gap(purpose, channel, (place,), WRITTEN) is None


def test_every_row_with_hours_lets_somebody_be_contacted() -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for row in TABLE.rows:
        calendars = calendars_of(row)
        assert bool(calendars) is (row.hours is not None), row.id
        if calendars:
            found = next_allowed(calendars, ("UTC",), monday)
            assert found is not None, row.id
            assert found - monday < timedelta(days=7), row.id
