"""Phone numbers that regulators keep free for films, books and examples; nobody can be reached on them.

Examples, tests and rehearsals need numbers that ring nowhere. libphonenumber knows some of these
ranges as numbers in use and others not at all, so they are listed here with who keeps them free:

Ofcom     Telephone numbers for use in TV and radio drama programmes
ACMA      Phone numbers for use in TV shows, films and creative works
ARCEP     Décision 2018-0881, numéros réservés aux œuvres audiovisuelles
BNetzA    Mitteilung 148/2021, Rufnummern für Medienproduktionen
PTS       Telefonnummer för användning i böcker och filmer
ComReg    National numbering conventions: 020 91
NANPA     555 line numbers: 555-0100 to 555-0199 in each area code
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_NANPA = re.compile(r"\+1[2-9]\d{2}55501\d{2}")


@dataclass(frozen=True, slots=True)
class FictionalRange:
    """A span of numbers, both ends included, that its keeper gives to nobody."""

    first: str
    """E.164"""
    last: str
    """E.164, as long as ``first``"""
    region: str
    kind: str
    keeper: str


def _block(prefix: str, free: int, region: str, kind: str, keeper: str) -> FictionalRange:
    """All numbers with this prefix and ``free`` more digits."""
    return FictionalRange(f"+{prefix}{'0' * free}", f"+{prefix}{'9' * free}", region, kind, keeper)


def _ofcom() -> list[FictionalRange]:
    towns = (
        "113496",
        "114496",
        "115496",
        "116496",
        "117496",
        "118496",
        "121496",
        "131496",
        "141496",
        "151496",
        "161496",
    )
    fixed = (*(f"{town}0" for town in towns), "2079460", "1914980", "2896496", "2920180", "1632960")
    return [
        *(_block(f"44{prefix}", 3, "GB", "fixed_line", "Ofcom") for prefix in fixed),
        _block("447700900", 3, "GB", "mobile", "Ofcom"),
        _block("448081570", 3, "GB", "toll_free", "Ofcom"),
        _block("449098790", 3, "GB", "premium_rate", "Ofcom"),
        _block("443069990", 3, "GB", "uan", "Ofcom"),
    ]


_ACMA_MOBILES = (
    "570006 570110 570156 570157 570158 570159 570313 570737 571266 571491 571804 572549 572665 572983 573087 "
    "573770 574118 574632 575254 575789 576398 576801 577426 577644 578148 578888 578957 579212 579455 579760"
)


def _acma() -> list[FictionalRange]:
    return [
        *(_block(f"61{area}{start}", 4, "AU", "fixed_line", "ACMA") for area in "2378" for start in ("5550", "7010")),
        *(_block(f"61491{rest}", 0, "AU", "mobile", "ACMA") for rest in _ACMA_MOBILES.split()),
    ]


def _arcep() -> list[FictionalRange]:
    fixed = ("19900", "26191", "35301", "46571", "53649")
    return [
        *(_block(f"33{prefix}", 4, "FR", "fixed_line", "ARCEP") for prefix in fixed),
        _block("3363998", 4, "FR", "mobile", "ARCEP"),
    ]


_BNETZA_MOBILES = (
    "15228817386 15228895456 15254599371 1729925904 1729968532 1729973185 1729973186 1729980752 1749091317 1749464308"
)


def _bnetza() -> list[FictionalRange]:
    return [
        *(
            _block(f"49{prefix}", 3, "DE", "fixed_line", "BNetzA")
            for prefix in ("3023125", "6990009", "4066969", "2214710", "8999998")
        ),
        *(_block(f"49{number}", 0, "DE", "mobile", "BNetzA") for number in _BNETZA_MOBILES.split()),
        _block("4917139200", 2, "DE", "mobile", "BNetzA"),
        _block("49176040690", 2, "DE", "mobile", "BNetzA"),
    ]


def _pts() -> list[FictionalRange]:
    return [
        *(
            _block(f"46{prefix}", 2, "SE", "fixed_line", "PTS")
            for prefix in ("3139006", "4062804", "8465004", "9803192")
        ),
        FictionalRange("+46701740605", "+46701740699", "SE", "mobile", "PTS"),
    ]


FICTIONAL: tuple[FictionalRange, ...] = tuple(
    sorted(
        [*_ofcom(), *_acma(), *_arcep(), *_bnetza(), *_pts(), _block("3532091", 5, "IE", "fixed_line", "ComReg")],
        key=lambda span: int(span.first),
    )
)
"""every range outside the North American plan, in numeric order, none overlapping another"""

_STARTS = [int(span.first) for span in FICTIONAL]


def fictional_range(e164: str) -> FictionalRange | None:
    """Give the reserved range that holds this number; None when none does.

    A North American number comes back with an empty region: its area code tells the country.
    """
    if _NANPA.fullmatch(e164):
        return FictionalRange(e164[:-2] + "00", e164[:-2] + "99", "", "fixed_line_or_mobile", "NANPA")
    at = bisect_right(_STARTS, int(e164)) - 1
    if at >= 0 and int(e164) <= int(FICTIONAL[at].last):
        return FICTIONAL[at]
    return None
