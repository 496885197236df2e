"""The table of law, and what it says of people, purposes and instants: expectations worked out by hand from its rows."""

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
from runner.model.whereabouts import Whereabouts
from runner.rules.jurisdictions import is_under
from runner.rules.law import CampaignLaw, UnknownConsent, calendars_of, stated_consent
from runner.rules.law_verdict import Question, time_rule, verdict
from runner.rules.numbers import candidate_zones
from runner.rules.public_holidays import is_holiday
from runner.rules.windows import next_allowed

TABLE = law_table()
LAW = CampaignLaw(TABLE)
WRITTEN = Consent.EXPRESS_WRITTEN

PEOPLE = {
    "Alabama": "+12055550143", "Connecticut": "+12035550143", "Florida": "+13055550143", "Illinois": "+13125550143",
    "Kentucky": "+15025550143", "Louisiana": "+15045550143", "Massachusetts": "+16175550143",
    "Michigan": "+13135550143", "Mississippi": "+16015550143", "Nebraska": "+14025550143", "Nevada": "+17025550143",
    "Oklahoma": "+14055550143", "Oregon": "+15035550143", "Pennsylvania": "+12155550143",
    "Rhode Island": "+14015550143", "South Dakota": "+16055550143", "Texas": "+15125550143",
    "El Paso": "+19155550143", "Utah": "+18015550143", "Virginia": "+17035550143", "Washington": "+12065550143",
    "Wyoming": "+13075550143", "Indiana": "+13175550143", "California": "+14155550143", "New York": "+12125550143",
    "Toronto": "+14165550143", "Paris": "+33639981234", "Berlin": "+493023125123", "London": "+442079460123",
    # people whose country keeps no number free for examples are told by zone and place
    "Sydney": "+61491570156 Australia/Sydney", "Madrid": "ES Europe/Madrid", "Rome": "IT Europe/Rome",
    "Delhi": "IN Asia/Kolkata", "Dubai": "AE Asia/Dubai", "Sao Paulo": "BR America/Sao_Paulo",
    "Durban": "ZA Africa/Johannesburg", "Tokyo": "JP Asia/Tokyo", "Utrecht": "NL Europe/Amsterdam",
    "Auckland": "NZ Pacific/Auckland", "Quito": "EC America/Guayaquil",
    # people who moved with their numbers
    "Mississippi in the east": "+16015550143 America/New_York",
    "New York in Texas": "+12125550143 America/Chicago US-TX",
}  # fmt: skip

SAT_SUN = "mon-fri 09:00-21:30; sat, sun 10:00-18:00"
TEXAN = "mon-sat 09:00-21:00; sun 12:00-21:00"

# person, purpose and channel, their own clock, consent -> every row that forbids it then, and consent that lacks
TABLE_OF_PEOPLE: list[tuple[str, str, str, Consent | None, list[str]]] = [
    ("New York", "marketing call", "2026-03-02 08:00", WRITTEN, []),
    ("New York", "marketing call", "2026-03-02 07:59", WRITTEN, [
        "us-fed-voice-marketing: outside 08:00-21:00 in America/New_York; open from Mon 02 Mar 2026 08:00 America/New_York"]),
    ("New York", "marketing call", "2026-03-02 20:59", WRITTEN, []),
    ("New York", "marketing call", "2026-03-02 21:00", WRITTEN, [
        "us-fed-voice-marketing: outside 08:00-21:00 in America/New_York; open from Tue 03 Mar 2026 08:00 America/New_York"]),
    ("New York", "informational call", "2026-03-02 03:00", Consent.EXPRESS, []),
    ("New York", "informational call", "2026-03-02 12:00", None, ["us-fed-ai-voice needs express: warned"]),
    ("New York", "informational call", "2026-03-02 12:00", Consent.NONE, ["us-fed-ai-voice needs express: refused"]),
    ("New York", "marketing call", "2026-03-02 12:00", None, ["us-fed-ai-voice needs express_written: refused"]),
    ("New York", "marketing call", "2026-03-02 12:00", Consent.EXPRESS, [
        "us-fed-ai-voice needs express_written: refused"]),
    ("New York", "marketing text", "2026-03-02 12:00", None, ["us-fed-sms-marketing needs express_written: refused"]),
    ("New York", "transactional text", "2026-03-02 03:00", None, []),
    ("New York", "debt_collection call", "2026-03-02 07:30", Consent.EXPRESS, [
        "us-fed-debt-voice: outside 08:00-21:00 in America/New_York; open from Mon 02 Mar 2026 08:00 America/New_York"]),
    ("New York", "research call", "2026-03-02 03:00", Consent.EXPRESS, []),
    ("Alabama", "marketing call", "2026-03-01 12:00", WRITTEN, [
        "us-al-voice-marketing: nothing on sun in America/Chicago; open from Mon 02 Mar 2026 08:00 America/Chicago"]),
    ("Alabama", "marketing call", "2026-04-27 12:00", WRITTEN, [
        "us-al-voice-marketing: 2026-04-27 is a holiday in America/Chicago; open from Tue 28 Apr 2026 08:00 America/Chicago"]),
    ("Alabama", "marketing call", "2026-03-02 20:30", WRITTEN, [
        "us-al-voice-marketing: outside mon-sat 08:00-20:00 in America/Chicago; open from Tue 03 Mar 2026 08:00 America/Chicago"]),
    ("Alabama", "marketing text", "2026-03-01 12:00", WRITTEN, []),
    ("Connecticut", "marketing call", "2026-03-02 08:30", WRITTEN, [
        "us-ct-voice-marketing: outside 09:00-20:00 in America/New_York; open from Mon 02 Mar 2026 09:00 America/New_York"]),
    ("Connecticut", "marketing text", "2026-03-02 20:30", WRITTEN, [
        "us-ct-voice-marketing: outside 09:00-20:00 in America/New_York; open from Tue 03 Mar 2026 09:00 America/New_York"]),
    ("Florida", "marketing call", "2026-03-02 20:00", WRITTEN, [
        "us-fl-voice-marketing: outside 08:00-20:00 in America/New_York; open from Tue 03 Mar 2026 08:00 America/New_York"]),
    ("Illinois", "marketing call", "2026-03-02 08:30", WRITTEN, [
        "us-il-recorded: outside 09:00-21:00 in America/Chicago; open from Mon 02 Mar 2026 09:00 America/Chicago"]),
    ("Kentucky", "marketing call", "2026-03-02 09:59", WRITTEN, [
        "us-ky-voice-marketing: outside 10:00-21:00 in America/New_York; open from Mon 02 Mar 2026 10:00 America/New_York"]),
    ("Louisiana", "marketing call", "2026-02-17 12:00", WRITTEN, [  # Mardi Gras
        "us-la-voice-marketing: 2026-02-17 is a holiday in America/Chicago; open from Wed 18 Feb 2026 08:00 America/Chicago"]),
    ("Louisiana", "marketing call", "2026-12-24 12:00", WRITTEN, [  # a day of another kind, then Christmas
        "us-la-voice-marketing: 2026-12-24 is a holiday in America/Chicago; open from Sat 26 Dec 2026 08:00 America/Chicago"]),
    ("Louisiana", "marketing call", "2026-03-01 12:00", WRITTEN, [
        "us-la-voice-marketing: nothing on sun in America/Chicago; open from Mon 02 Mar 2026 08:00 America/Chicago"]),
    ("Massachusetts", "debt_collection call", "2026-04-20 12:00", Consent.EXPRESS, [  # Patriots' Day
        "us-ma-debt: 2026-04-20 is a holiday in America/New_York; open from Tue 21 Apr 2026 08:00 America/New_York"]),
    ("Michigan", "marketing call", "2026-03-02 08:30", WRITTEN, [
        "us-mi-voice-marketing: outside 09:00-21:00 in America/New_York; open from Mon 02 Mar 2026 09:00 America/New_York"]),
    ("Mississippi", "marketing call", "2026-03-07 08:00", WRITTEN, []),
    ("Mississippi in the east", "marketing call", "2026-03-02 08:30", WRITTEN, [
        "us-ms-voice-marketing: outside mon-sat 08:00-20:00 in America/Chicago; open from Mon 02 Mar 2026 09:00 America/New_York"]),
    ("Nebraska", "marketing call", "2026-03-01 12:00", WRITTEN, [
        ("us-ne-recorded: outside mon-sat 08:00-21:00; sun 13:00-21:00 in America/Chicago; "
        "open from Sun 01 Mar 2026 13:00 America/Chicago")]),
    ("Nebraska", "marketing call", "2026-05-25 12:00", WRITTEN, [  # Memorial Day
        ("us-ne-recorded: 2026-05-25 is a holiday, so outside 13:00-21:00 in America/Chicago; "
        "open from Mon 25 May 2026 13:00 America/Chicago")]),
    ("Nebraska", "marketing call", "2026-05-25 13:00", WRITTEN, []),
    ("Nevada", "marketing call", "2026-03-02 20:00", WRITTEN, [
        "us-nv-voice-marketing: outside 09:00-20:00 in America/Los_Angeles; open from Tue 03 Mar 2026 09:00 America/Los_Angeles"]),
    ("Oklahoma", "marketing text", "2026-03-02 20:00", WRITTEN, [
        "us-ok-marketing: outside 08:00-20:00 in America/Chicago; open from Tue 03 Mar 2026 08:00 America/Chicago"]),
    ("Oregon", "marketing text", "2026-03-02 08:00", WRITTEN, []),
    ("Pennsylvania", "marketing call", "2026-11-27 12:00", WRITTEN, [
        "us-pa-voice-marketing: 2026-11-27 is a holiday in America/New_York; open from Sat 28 Nov 2026 08:00 America/New_York"]),
    ("Rhode Island", "marketing call", "2026-08-10 12:00", WRITTEN, [  # Victory Day
        "us-ri-voice-marketing: 2026-08-10 is a holiday in America/New_York; open from Tue 11 Aug 2026 09:00 America/New_York"]),
    ("Rhode Island", "marketing call", "2026-03-07 17:00", WRITTEN, [  # clocks change on the Sunday between
        ("us-ri-voice-marketing: outside mon-fri 09:00-18:00; sat 10:00-17:00 in America/New_York; "
        "open from Mon 09 Mar 2026 09:00 America/New_York")]),
    ("South Dakota", "marketing call", "2026-03-01 12:00", WRITTEN, [
        "us-sd-voice-marketing: nothing on sun in America/Denver; open from Mon 02 Mar 2026 09:00 America/Denver"]),
    ("South Dakota", "marketing call", "2026-03-02 20:30", WRITTEN, [  # two clocks, an hour apart
        "us-fed-voice-marketing: outside 08:00-21:00 in America/North_Dakota/Center; open from Tue 03 Mar 2026 08:00 America/Denver",
        ("us-sd-voice-marketing: outside mon-sat 09:00-21:00 in America/North_Dakota/Center; "
        "open from Tue 03 Mar 2026 09:00 America/Denver")]),
    ("Texas", "marketing call", "2026-03-01 11:59", WRITTEN, [
        f"us-tx-marketing: outside {TEXAN} in America/Chicago; open from Sun 01 Mar 2026 12:00 America/Chicago"]),
    ("Texas", "informational call", "2026-03-01 07:00", Consent.EXPRESS, []),
    ("El Paso", "marketing call", "2026-03-02 20:30", WRITTEN, [  # half past nine on the Central clock
        f"us-tx-marketing: outside {TEXAN} in America/Chicago; open from Tue 03 Mar 2026 09:00 America/Denver"]),
    ("El Paso", "marketing text", "2026-03-02 08:30", WRITTEN, [  # half past nine on the Central clock
        f"us-tx-marketing: outside {TEXAN} in America/Denver; open from Mon 02 Mar 2026 09:00 America/Denver"]),
    ("New York in Texas", "marketing call", "2026-03-01 11:00", WRITTEN, [
        f"us-tx-marketing: outside {TEXAN} in America/Chicago; open from Sun 01 Mar 2026 12:00 America/Chicago"]),
    ("Utah", "marketing call", "2026-07-24 12:00", WRITTEN, [  # Pioneer Day
        "us-ut-voice-marketing: 2026-07-24 is a holiday in America/Denver; open from Sat 25 Jul 2026 08:00 America/Denver"]),
    ("Virginia", "marketing text", "2026-03-02 21:00", WRITTEN, [
        "us-fed-sms-marketing: outside 08:00-21:00 in America/New_York; open from Tue 03 Mar 2026 08:00 America/New_York",
        "us-va-marketing: outside 08:00-21:00 in America/New_York; open from Tue 03 Mar 2026 08:00 America/New_York"]),
    ("Washington", "marketing call", "2026-03-02 20:30", WRITTEN, [
        "us-wa-voice-marketing: outside 08:00-20:00 in America/Los_Angeles; open from Tue 03 Mar 2026 08:00 America/Los_Angeles"]),
    ("Washington", "debt_collection call", "2026-03-02 07:45", Consent.EXPRESS, [
        "us-fed-debt-voice: outside 08:00-21:00 in America/Los_Angeles; open from Mon 02 Mar 2026 08:00 America/Los_Angeles"]),
    ("Wyoming", "marketing call", "2026-01-19 12:00", WRITTEN, [  # whether holidays are forbidden, nobody knows
        "us-wy-voice-marketing: 2026-01-19 is a holiday in America/Denver; open from Tue 20 Jan 2026 08:00 America/Denver"]),
    ("Indiana", "marketing call", "2026-03-02 08:30", WRITTEN, [
        "us-in-recorded: outside 09:00-20:00 in America/New_York; open from Mon 02 Mar 2026 09:00 America/New_York"]),
    ("California", "marketing call", "2026-03-31 12:00", WRITTEN, [  # Cesar Chavez Day
        "us-ca-recorded: 2026-03-31 is a holiday in America/Los_Angeles; open from Wed 01 Apr 2026 09:00 America/Los_Angeles"]),
    ("Toronto", "marketing call", "2026-03-07 18:00", Consent.EXPRESS, [
        f"ca-voice-marketing: outside {SAT_SUN} in America/Toronto; open from Sun 08 Mar 2026 10:00 America/Toronto",
        f"ca-voice-adad: outside {SAT_SUN} in America/Toronto; open from Sun 08 Mar 2026 10:00 America/Toronto"]),
    ("Toronto", "marketing call", "2026-06-24 12:00", Consent.EXPRESS, [  # a holiday in Quebec
        "ca-voice-marketing: 2026-06-24 is a holiday in America/Toronto; open from Thu 25 Jun 2026 09:00 America/Toronto",
        "ca-voice-adad: 2026-06-24 is a holiday in America/Toronto; open from Thu 25 Jun 2026 09:00 America/Toronto"]),
    ("Toronto", "informational call", "2026-03-02 22:00", Consent.EXPRESS, [  # a synthesized voice, whatever it says
        f"ca-voice-adad: outside {SAT_SUN} in America/Toronto; open from Tue 03 Mar 2026 09:00 America/Toronto"]),
    ("Toronto", "marketing text", "2026-03-02 03:00", Consent.EXISTING_RELATIONSHIP, []),
    ("Paris", "marketing call", "2026-03-02 13:30", Consent.EXPRESS, [
        ("fr-voice-marketing: outside mon-fri 10:00-13:00; mon-fri 14:00-20:00 in Europe/Paris; "
        "open from Mon 02 Mar 2026 14:00 Europe/Paris")]),
    ("Paris", "marketing call", "2026-07-14 11:00", Consent.EXPRESS, [
        "fr-voice-marketing: 2026-07-14 is a holiday in Europe/Paris; open from Wed 15 Jul 2026 10:00 Europe/Paris"]),
    ("Paris", "marketing call", "2026-03-02 11:00", None, ["fr-voice-marketing needs express: refused"]),
    ("Paris", "marketing text", "2026-03-01 12:00", Consent.EXPRESS, [
        "fr-sms-marketing: nothing on sun in Europe/Paris; open from Mon 02 Mar 2026 08:00 Europe/Paris"]),
    ("Paris", "informational call", "2026-03-02 03:00", None, []),
    ("Berlin", "marketing call", "2026-03-02 12:00", Consent.EXISTING_RELATIONSHIP, [
        "de-voice-marketing needs express: refused"]),
    ("Berlin", "marketing call", "2026-03-01 06:00", Consent.EXPRESS, []),
    ("Madrid", "marketing call", "2026-03-07 12:00", Consent.EXPRESS, [
        "es-voice-marketing: nothing on sat in Europe/Madrid; open from Mon 09 Mar 2026 09:00 Europe/Madrid"]),
    ("Rome", "marketing call", "2026-12-07 09:30", None, [  # Immaculate Conception is on the day after
        ("it-voice-marketing: 2026-12-07 is the day before a holiday, so outside 10:00-19:00 in Europe/Rome; "
        "open from Mon 07 Dec 2026 10:00 Europe/Rome")]),
    ("Rome", "marketing call", "2026-04-05 12:00", None, [  # Easter: a Sunday and a holiday, and one more after it
        "it-voice-marketing: 2026-04-05 is a holiday in Europe/Rome; open from Tue 07 Apr 2026 09:00 Europe/Rome"]),
    ("London", "marketing call", "2026-03-01 09:59", Consent.EXPRESS, [
        ("gb-voice-live-marketing: outside mon-sat 08:00-21:00; sun 10:00-18:00 in Europe/London; "
        "open from Sun 01 Mar 2026 10:00 Europe/London")]),
    ("London", "marketing call", "2026-03-17 12:00", Consent.EXPRESS, [  # a holiday in Northern Ireland
        "gb-voice-live-marketing: 2026-03-17 is a holiday in Europe/London; open from Wed 18 Mar 2026 08:00 Europe/London"]),
    ("London", "marketing text", "2026-03-02 03:00", Consent.EXISTING_RELATIONSHIP, []),
    ("Sydney", "research call", "2026-03-07 17:00", None, [
        ("au-voice-research: outside mon-fri 09:00-20:30; sat, sun 09:00-17:00 in Australia/Sydney; "
        "open from Sun 08 Mar 2026 09:00 Australia/Sydney")]),
    ("Sydney", "marketing call", "2026-04-25 12:00", None, [  # ANZAC Day, a Saturday
        "au-voice-marketing: 2026-04-25 is a holiday in Australia/Sydney; open from Mon 27 Apr 2026 09:00 Australia/Sydney"]),
    ("Sydney", "debt_collection call", "2026-03-01 08:00", None, [
        ("au-voice-debt: outside mon-fri 07:30-21:00; sat, sun 09:00-21:00 in Australia/Sydney; "
        "open from Sun 01 Mar 2026 09:00 Australia/Sydney")]),
    ("Delhi", "marketing call", "2026-03-02 09:30", None, [
        "in-voice-promotional: outside 10:00-21:00 in Asia/Kolkata; open from Mon 02 Mar 2026 10:00 Asia/Kolkata"]),
    ("Dubai", "marketing call", "2026-03-02 18:00", None, [
        "ae-voice-marketing: outside 09:00-18:00 in Asia/Dubai; open from Tue 03 Mar 2026 09:00 Asia/Dubai"]),
    ("Sao Paulo", "marketing call", "2026-03-07 16:00", None, [
        ("br-voice-marketing: outside mon-fri 09:00-21:00; sat 10:00-16:00 in America/Sao_Paulo; "
        "open from Mon 09 Mar 2026 09:00 America/Sao_Paulo")]),
    ("Durban", "marketing call", "2026-03-01 12:00", None, [
        "za-voice-marketing: nothing on sun in Africa/Johannesburg; open from Mon 02 Mar 2026 08:00 Africa/Johannesburg"]),
    ("Tokyo", "marketing call", "2026-03-02 03:00", None, []),
    ("Utrecht", "marketing call", "2026-03-07 16:00", Consent.EXPRESS, [
        ("nl-voice-marketing: outside mon-fri 09:00-21:00; sat 10:00-16:00 in Europe/Amsterdam; "
        "open from Mon 09 Mar 2026 09:00 Europe/Amsterdam")]),
    ("Auckland", "marketing call", "2026-02-06 12:00", None, [  # Waitangi Day
        "nz-voice-marketing: 2026-02-06 is a holiday in Pacific/Auckland; open from Sat 07 Feb 2026 09:00 Pacific/Auckland"]),
    ("Quito", "marketing text", "2026-03-07 12:00", None, [
        "ec-sms-marketing: nothing on sat in America/Guayaquil; open from Mon 09 Mar 2026 09:00 America/Guayaquil"]),
]  # fmt: skip


def where_of(person: str) -> Whereabouts:
    words = PEOPLE[person].split()
    phone = words[0] if words[0].startswith("+") else ""
    told = tuple(word for word in words if not word.startswith("+") and "/" not in word)
    zones = tuple(word for word in words if "/" in word) or candidate_zones(phone)
    return Whereabouts(zones, LAW.jurisdictions(phone, told))


@pytest.mark.parametrize(("person", "what", "clock", "consent", "expected"), TABLE_OF_PEOPLE)
def test_people_purposes_and_instants(
    person: str, what: str, clock: str, consent: Consent | None, expected: list[str]
) -> None:
    where = where_of(person)
    now = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(where.zones[0])).astimezone(UTC)
    purpose, _, channel = what.partition(" ")
    asked = Question(Purpose(purpose), "call" if channel == "call" else "text", where, now, consent)

    found = verdict(LAW, asked)

    said = [one.reason for one in found.rows if not one.is_open]
    if found.gap is not None:
        said.append(f"{found.gap.row.id} needs {found.gap.needed}: {'refused' if found.gap.forbids else 'warned'}")
    assert said == expected
    closed = [one for one in expected if " needs " not in one]
    assert (found.allowed_at == now) is not bool(closed)


def test_the_table_of_people_is_large() -> None:
    assert len(TABLE_OF_PEOPLE) >= 60
    assert len({person for person, *_ in TABLE_OF_PEOPLE}) >= 35


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
