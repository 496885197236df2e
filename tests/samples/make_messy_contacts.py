"""Writes campaigns/contacts/spring-recall.csv: 1,000 rows as a clinic's old software really exports them.

UTF-8 with a byte order mark, semicolons, CRLF, notes with line breaks, phone numbers in every
spelling, and each kind of bad row that the reader knows. The same bytes come out every time, and
every number lies in a range that its regulator keeps free for fiction (`runner/rules/fictional.py`).

    python tests/samples/make_messy_contacts.py        rewrites the file
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROWS = 1000
SEED = 20260321
TARGET = Path(__file__).parents[2] / "campaigns" / "contacts" / "spring-recall.csv"

COLUMNS = (
    "patient_id",
    "first_name",
    "last_name",
    "phone",
    "timezone",
    "clinic",
    "doctor",
    "last_visit",
    "next_slot",
    "consent",
    "note",
)

MISSING_NUMBER = 7
NO_COUNTRY = 9
EXPONENT = 6
LETTERS = 3
TOO_SHORT = 4
EXTENSION = 2
EMERGENCY = 3
UNKNOWN_ZONE = 5
SHORT_ROW = 3
LONG_ROW = 3
DUPLICATE_NUMBER = 12
DUPLICATE_KEY = 4
BAD_BYTE = 3
TORN_QUOTE = 1
EMPTY_SLOT = 12
"""rows that are read, but whose template has nothing to say"""
BRACES = 2
"""rows that are read, but whose name the provider would fill in again"""

REJECTED = {
    "P01": MISSING_NUMBER + SHORT_ROW + LONG_ROW + DUPLICATE_KEY + TORN_QUOTE,
    "P02": NO_COUNTRY,
    "P03": LETTERS + TOO_SHORT + EXTENSION + EMERGENCY,
    "P04": EXPONENT,
    "P05": UNKNOWN_ZONE,
    "P06": BAD_BYTE,
}
"""how many rows the reader rejects, by code"""


@dataclass(frozen=True)
class Place:
    """Where a patient may live: a stem for numbers, how many digits follow, and the clock there."""

    region: str
    stem: str
    free: int
    zone: str


_NANP = """
    US 202 America/New_York|US 212 America/New_York|US 312 America/Chicago|US 713 America/Chicago|US 303 America/Denver
    US 602 America/Phoenix|US 213 America/Los_Angeles|US 415 America/Los_Angeles|US 808 Pacific/Honolulu
    CA 416 America/Toronto|CA 514 America/Toronto|CA 604 America/Vancouver|CA 709 America/St_Johns
    JM 876 America/Jamaica|BS 242 America/Nassau|BB 246 America/Barbados|DO 809 America/Santo_Domingo
    TT 868 America/Port_of_Spain|PR 787 America/Puerto_Rico|BM 441 Atlantic/Bermuda
"""
_OTHERS = """
    GB 447700900 3 Europe/London|GB 442079460 3 Europe/London|GB 441614960 3 Europe/London|GB 442896496 3 Europe/London
    AU 6125550 4 Australia/Sydney|AU 6175550 4 Australia/Brisbane|AU 6185550 4 Australia/Perth
    FR 3363998 4 Europe/Paris|FR 3319900 4 Europe/Paris|DE 493023125 3 Europe/Berlin|DE 498999998 3 Europe/Berlin
    IE 3532091 5 Europe/Dublin|SE 468465004 2 Europe/Stockholm|SE 463139006 2 Europe/Stockholm
"""
_FIRST = (
    "Anna Bo Chloé Dwayne Émilie Fatima Göran Hélène Ian Jürgen Keisha Liam Marisol Niamh Olivia Pádraig Quentin Rosa "
    "Siobhán Tyrell Ulrika Víctor Wanda Xavier Yvonne Zoë JEAN-LUC mary-ann"
)
_LAST = (
    "O'Neill|van der Berg|McDonald|Müller|Lindström|D'Souza|Lefèvre|Brathwaite|Núñez|Smith|Ó Briain|Bowe|de la Cruz|"
    "Campbell|Åkesson|WILLIAMS|baptiste|Schäfer|Tremblay|Nguyen"
)
_CLINICS = ("Harbour Dental", 'Clinic "North"', "Dr. Weiß & Partner", "Centre; Rive Gauche", "Mercer Street")
_DOCTORS = ("Dr. Okafor", "Dr. Weiß", "Dr. Leclerc", "Dr. Persson", "")
_SLOTS = ("Monday at 9", "Tuesday at 10:30", "Wednesday at 2 pm", "Thursday at 4:15", "Friday at noon")
_NOTES = (
    "",
    "",
    "",
    "",
    "prefers mornings",
    "call the daughter; she translates",
    "moved in 2025\r\nnew address on file",
    '"no voicemail" please',
)


def make() -> bytes:
    """Give the whole file."""
    chance = random.Random(SEED)
    people = _good_people(chance, ROWS - sum(_BAD.values()) - TORN_QUOTE)
    for row in chance.sample(people, EMPTY_SLOT):
        row["next_slot"] = ""
    for row in chance.sample([row for row in people if row["next_slot"]], BRACES):
        row["first_name"] = "{{name}}"
    lines = [_line(row) for row in people]
    for kind, count in _BAD.items():
        for index in range(count):
            bad = _bad_line(kind, index, people, chance, number=ROWS + len(lines))
            first = _after(kind, lines)
            lines.insert(chance.randrange(first, len(lines) + 1), bad)
    for _ in range(5):
        lines.insert(chance.randrange(1, len(lines)), chance.choice((b"", b";" * (len(COLUMNS) - 1), b"  ")))
    last = _person(chance, ROWS, "+12025550199", "America/New_York") | {"note": ""}
    torn = _line(last) + b'"and then the export stop'
    return b"\xef\xbb\xbf" + b"\r\n".join([";".join(COLUMNS).encode(), *lines, torn])


_BAD = {
    "missing number": MISSING_NUMBER,
    "no country": NO_COUNTRY,
    "exponent": EXPONENT,
    "letters": LETTERS,
    "too short": TOO_SHORT,
    "extension": EXTENSION,
    "emergency": EMERGENCY,
    "unknown zone": UNKNOWN_ZONE,
    "short row": SHORT_ROW,
    "long row": LONG_ROW,
    "duplicate number": DUPLICATE_NUMBER,
    "duplicate key": DUPLICATE_KEY,
    "bad byte": BAD_BYTE,
}

_BAD_NUMBERS = {
    "missing number": ("",),
    "no country": (
        "0161 496 0012",
        "020 7946 0018",
        "(202) 555-0187",
        "06 39 98 12 34",
        "030 23125-410",
        "08-465 004 12",
    ),
    "exponent": ("1.20256E+10", "4,47701E+11", "1.87656E+10"),
    "letters": ("ask reception", "+1-800-FLOWERS", "unknown"),
    "too short": ("+1 202 555", "+44 7700 90", "+33 6 39"),
    "extension": ("+1 202 555 0188 x12", "+44 20 7946 0777 ext. 4"),
    "emergency": ("112", "911", "999"),
}


def places() -> tuple[Place, ...]:
    """Give every place that patients live in."""
    american = (entry.split() for entry in _NANP.strip().replace("\n", "|").split("|") if entry.strip())
    others = (entry.split() for entry in _OTHERS.strip().replace("\n", "|").split("|") if entry.strip())
    return (
        *(Place(region, f"1{area}55501", 2, zone) for region, area, zone in american),
        *(Place(region, stem, int(free), zone) for region, stem, free, zone in others),
    )


def _good_people(chance: random.Random, count: int) -> list[dict[str, str]]:
    """Give people with numbers that are all different, spread evenly over all places."""
    numbers = [_numbers(place, chance) for place in places()]
    people = []
    for index in range(count):
        place = places()[index % len(numbers)]
        people.append(_person(chance, index + 1, next(numbers[index % len(numbers)]), place.zone))
    chance.shuffle(people)
    return people


def _numbers(place: Place, chance: random.Random) -> Iterator[str]:
    # 87, 88 and 99 stay free for the bad rows, whose numbers must not repeat a patient's
    ends = [end for end in range(10**place.free) if end % 100 not in {87, 88, 99}]
    yield from (f"+{place.stem}{end:0{place.free}}" for end in chance.sample(ends, min(len(ends), 97)))


def _person(chance: random.Random, number: int, e164: str, zone: str) -> dict[str, str]:
    return {
        "patient_id": f"P-{number:04}",
        "first_name": chance.choice(_FIRST.split()),
        "last_name": chance.choice(_LAST.split("|")),
        "phone": _spelled(chance, e164),
        "timezone": zone if chance.random() < 0.7 else "",
        "clinic": chance.choice(_CLINICS),
        "doctor": chance.choice(_DOCTORS),
        "last_visit": f"2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "next_slot": chance.choice(_SLOTS),
        "consent": "yes" if chance.random() < 0.93 else "no",
        "note": chance.choice(_NOTES),
    }


def _spelled(chance: random.Random, e164: str) -> str:
    """Spell a number as people do."""
    if e164.startswith("+1"):
        area, exchange, line = e164[2:5], e164[5:8], e164[8:]
        dotted, bracketed = f"+1.{area}.{exchange}.{line}", f"+1 ({area}) {exchange}-{line}"
        return chance.choice([e164, f"+1 {area} {exchange} {line}", bracketed, dotted.replace(".", "-"), dotted])
    code = 4 if e164.startswith("+353") else 3
    spaced = f"{e164[:code]} {e164[code : code + 2]} {e164[code + 2 : code + 5]} {e164[code + 5 :]}"
    trunk = f"{e164[:code]} (0){e164[code:]}"
    return chance.choice([e164, spaced, spaced.replace(" ", "\u00a0"), trunk, f"'{e164}", f" {spaced} "])


def _line(row: dict[str, str], extra: str = "") -> bytes:
    return (";".join(_cell(row[name]) for name in COLUMNS) + extra).encode()


def _cell(value: str) -> str:
    if any(one in value for one in ';"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _bad_line(kind: str, index: int, people: list[dict[str, str]], chance: random.Random, number: int) -> bytes:
    """Give one bad row of a kind; its own number and key repeat no patient's unless the kind says so."""
    row = _person(chance, number, "+12025550188", "")
    row["note"] = ""
    if kind in _BAD_NUMBERS:
        row["phone"] = _BAD_NUMBERS[kind][index % len(_BAD_NUMBERS[kind])]
    elif kind == "unknown zone":
        row |= {
            "phone": f"+1416555018{7 + index % 2}",
            "timezone": ("America/New_Yrok", "EST5", "Europe/Berln", "London", "GMT+2")[index],
        }
    elif kind == "duplicate number":
        row["phone"] = _spelled(chance, _e164(people[index]["phone"]))
    elif kind == "duplicate key":
        row |= {"phone": f"+1312555018{7 + index % 2}", "patient_id": people[-1 - index]["patient_id"]}
    elif kind == "short row":
        return _line(row).rsplit(b";", 3 + index)[0]
    elif kind == "long row":
        return _line(row, extra=";see file")
    elif kind == "bad byte":
        return _line(row).replace(row["last_name"].encode(), "Böhm".encode("cp1252"), 1)
    return _line(row)


def _e164(spelled: str) -> str:
    return "+" + "".join(one for one in spelled.replace("(0)", "") if one.isdigit())


def _after(kind: str, lines: list[bytes]) -> int:
    """Give the first place for a bad row: a repetition stands behind everything that it could repeat."""
    return len(lines) if kind.startswith("duplicate") else 1


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(make())
