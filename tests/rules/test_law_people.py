"""What the law says of people, purposes and instants: expectations worked out by hand from the rows of its table."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from runner.files.law_table import law_table
from runner.model.campaign import Purpose
from runner.model.compliance import Consent
from runner.model.whereabouts import Whereabouts
from runner.rules.law import CampaignLaw
from runner.rules.law_verdict import Question, verdict
from runner.rules.numbers import candidate_zones

LAW = CampaignLaw(law_table())
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
