"""Phone numbers: what a person wrote becomes E.164 or is refused with a reason; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Final, NoReturn

from runner.errors import OutreachError
from runner.rules.fictional import fictional_range

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_CANONICAL = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_WRITTEN = re.compile(r"\(?\+?[\d\s().\-/]*", re.ASCII)
_EXTENSION = re.compile(
    r"\s*(?:;\s*ext\s*=|,|#|x\.?|ext\.?|extension|extn\.?|anexo|poste|durchwahl)\s*:?\s*\d{1,8}#?",
    re.IGNORECASE | re.ASCII,
)
_SECOND = re.compile(r"/\s*\d{1,3}$", re.ASCII)
"""`/4` after a number means a second one that ends in 4, not one more digit"""
_EXPONENT = re.compile(r"\+?\d+(?:[.,]\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"\+?\d{6,}[.,]0+", re.ASCII)
_SHEET_ERROR = re.compile(r"#{2,}|#[A-Z/0?!]+[!?]?|#N/A", re.ASCII)
_INVISIBLE = frozenset("\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2066\u2068\u2069\ufeff")
_PUNCTUATION = {"\uff0b": "+", "\u2795": "+", "\u2212": "-", "\uff08": "(", "\uff09": ")", "\uff0e": ".", "\uff0f": "/"}
_LONGEST_SHORT_NUMBER = 6

_SHEET_HELP: Final = "format the column as Text in the spreadsheet, paste the numbers again, save as CSV UTF-8"
_COUNTRY_HELP: Final = "say which country: contacts: {file: ..., country: GB}"
_DIGITS_HELP: Final = "write + and the country code, then the digits: +12025550143"
_CHECK_HELP: Final = "check it digit by digit, the country code included"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A phone number that can be dialled from anywhere."""

    e164: str
    """`+`, country code and number, digits only"""
    region: str
    """the country's two letters; `001` for numbers that belong to none"""
    kind: str
    """fixed_line, mobile, fixed_line_or_mobile, toll_free, premium_rate, shared_cost, voip, ..."""


class NumberRefused(OutreachError):
    """What stands there is no number that could be dialled; carries a code that groups equal causes.

    P01 nothing there, P02 no country code, P03 not a number, P04 damaged by a spreadsheet.
    """

    def __init__(self, message: str, *, code: str, help: str = "") -> None:
        super().__init__(message, help=help)
        self.code = code


_LONGEST_WRITTEN = 250
"""characters that the library's parser takes, blanks and brackets among them"""


def read_number(text: str, country: str | None) -> Number:
    """Read a phone number as people write it into E.164.

    ``country`` (two letters, or None) tells what a number without `+` means; without it such a
    number is refused. Takes spaces, dots, dashes, brackets, full-width digits and one leading
    apostrophe. Numbers that are reserved for fiction count as numbers. Raises NumberRefused.
    """
    if len(text) > _LONGEST_WRITTEN:
        raise NumberRefused(f"`{text[:20]}…` is too long to be a number", code="P03", help="one number a row")
    # E.164 goes past the library's parser, which costs more than all its other checks together
    number = _split(text) if _CANONICAL.fullmatch(text) else None
    if number is not None:
        return _checked(number, text) or _refuse_unused(number, text, country, text)
    return _from_written(_plain(text), country, text.strip())


def is_country(country: str) -> bool:
    """Whether these two letters name a country that has phone numbers."""
    return country in _library().SUPPORTED_REGIONS


def candidate_zones(e164: str) -> tuple[str, ...]:
    """Give the IANA zones in which this number may be, sorted; empty when nothing is known."""
    # an area code and exchange settle the zones of a North American number (tested), which makes
    # the cache hit for nearly every row of a list from one place
    return _zones(f"{e164[:8]}0100" if len(e164) == 12 and e164.startswith("+1") else e164)  # noqa: PLR2004


@cache
def _library() -> ModuleType:
    import phonenumbers  # noqa: PLC0415 its tables cost 60 ms, which `validate` need not pay

    return phonenumbers


@cache
def _kinds() -> dict[int, str]:
    types = _library().PhoneNumberType
    return {getattr(types, name): name.lower() for name in dir(types) if name.isupper()}


def _plain(text: str) -> str:
    """Bring digits, spaces and dashes of any script to ASCII and drop invisible marks."""
    kept = text.strip().removeprefix("'")
    if not kept.isascii():
        kept = "".join(_plain_character(one) for one in kept if one not in _INVISIBLE)
    return kept.strip()


def _plain_character(one: str) -> str:
    if one in _PUNCTUATION:
        return _PUNCTUATION[one]
    category = unicodedata.category(one)
    if category == "Nd":
        return str(unicodedata.decimal(one))
    return {"Zs": " ", "Pd": "-"}.get(category, one)


def _split(e164: str) -> PhoneNumber | None:
    """Build the library's value from E.164; None where its parser might read another number."""
    library = _library()
    for length in (1, 2, 3):
        code = int(e164[1 : 1 + length])
        if code in library.COUNTRY_CODE_TO_REGION_CODE:
            national = e164[1 + length :]
            if not national or national[0] == "0" or _may_hold_prefix(code, national):
                return None
            return library.PhoneNumber(country_code=code, national_number=int(national))  # type: ignore[no-any-return]
    return None


def _may_hold_prefix(code: int, national: str) -> bool:
    """Whether a trunk or carrier prefix may stand before the national number, which the parser would take off."""
    pattern = _prefix_pattern(code)
    return pattern is not None and pattern.match(national) is not None


@cache
def _prefix_pattern(code: int) -> re.Pattern[str] | None:
    library = _library()
    region = library.region_code_for_country_code(code)
    metadata = library.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    prefix = metadata.national_prefix_for_parsing if metadata else None
    return re.compile(prefix) if prefix else None


def _checked(number: PhoneNumber, e164: str) -> Number | None:
    """Give the number if it can exist; a type that the library cannot name means that it cannot."""
    library = _library()
    kind = library.number_type(number)
    if kind != library.PhoneNumberType.UNKNOWN:
        return Number(e164=e164, region=library.region_code_for_number(number) or "", kind=_kinds()[kind])
    reserved = fictional_range(e164)
    region = reserved and (reserved.region or _american_region(e164[2:]))
    return Number(e164=e164, region=region, kind=reserved.kind) if reserved and region else None


def _american_region(national: str) -> str:
    """Find the country of a North American area code; empty when no country has it."""
    metadata_of = _library().PhoneMetadata.metadata_for_region
    for region in _library().COUNTRY_CODE_TO_REGION_CODE[1]:
        leading = metadata_of(region).leading_digits
        if leading and re.match(leading, national):
            return str(region)
    return ""


def _from_written(text: str, country: str | None, shown: str) -> Number:
    _refuse_damage(text, shown)
    library = _library()
    if country is not None and not is_country(country):
        raise NumberRefused(f"`{country}` is not a country", code="P02", help="write two letters: GB")
    _refuse_short(text, country, shown)
    if "+" not in text and country is None:
        raise _no_country(text, shown)
    try:
        number = library.parse(text, country)
    except library.NumberParseException as error:
        raise _unreadable(error, shown) from error
    e164 = library.format_number(number, library.PhoneNumberFormat.E164)
    return _checked(number, e164) or _refuse_unused(number, text, country, shown)


def _refuse_damage(text: str, shown: str) -> None:
    """Refuse what no reading could make a phone number."""
    if not text:
        raise NumberRefused("there is no phone number", code="P01", help=_DIGITS_HELP)
    if _EXPONENT.fullmatch(text):
        raise NumberRefused(
            f"a spreadsheet turned this number into `{shown}` and lost digits", code="P04", help=_SHEET_HELP
        )
    if _DECIMAL.fullmatch(text):
        raise NumberRefused(
            f"a spreadsheet turned this number into the decimal `{shown}`", code="P04", help=_SHEET_HELP
        )
    if _SHEET_ERROR.fullmatch(text):
        raise NumberRefused(f"a spreadsheet wrote `{shown}` where a number was", code="P04", help=_SHEET_HELP)
    if _WRITTEN.fullmatch(text) and any(one.isdigit() for one in text) and not _SECOND.search(text):
        return
    raise _not_written_as_number(text, shown)


def _not_written_as_number(text: str, shown: str) -> NumberRefused:
    stem = _WRITTEN.match(text)
    alone = stem.group().rstrip() if stem else ""
    if alone and _EXTENSION.fullmatch(text[len(alone) :]):
        return NumberRefused(
            f"`{shown}` has an extension, which nobody dials", code="P03", help=f"write the number alone: {alone}"
        )
    if text.count("+") > 1 or _SECOND.search(text):
        return NumberRefused(f"`{shown}` is more than one number", code="P03", help="give each person one number")
    if any(one.isalpha() for one in text):
        return NumberRefused(f"`{shown}` has letters in it", code="P03", help=_DIGITS_HELP)
    return NumberRefused(f"`{shown}` is not a phone number", code="P03", help=_DIGITS_HELP)


def _refuse_short(text: str, country: str | None, shown: str) -> None:
    """Refuse emergency numbers before anything else could read them as something longer."""
    digits = re.sub(r"\D", "", text)
    if len(digits) > _LONGEST_SHORT_NUMBER or "+" in text:
        return
    if _is_emergency(digits, country):
        raise NumberRefused(
            f"`{shown}` is an emergency number", code="P03", help="nobody may call it; take the row out"
        )
    if country is None:
        raise NumberRefused(f"`{shown}` is too short", code="P03", help=_DIGITS_HELP)


@lru_cache(maxsize=256)
def _is_emergency(digits: str, country: str | None) -> bool:
    from phonenumbers import shortnumberinfo  # noqa: PLC0415 only on the way to an error

    regions = [country] if country else sorted(shortnumberinfo.SUPPORTED_SHORT_REGIONS)
    return any(shortnumberinfo.is_emergency_number(digits, region) for region in regions)


def _no_country(text: str, shown: str) -> NumberRefused:
    digits = re.sub(r"\D", "", text)
    if digits.startswith("00"):
        return NumberRefused(
            f"`{shown}` starts with 00 instead of +", code="P02", help=f"write: +{digits[2:]}   (or {_COUNTRY_HELP})"
        )
    return NumberRefused(f"`{shown}` has no country code", code="P02", help=_COUNTRY_HELP)


def _unreadable(error: Exception, shown: str) -> NumberRefused:
    """Say in our words why the library's parser gave up."""
    kinds = _library().NumberParseException
    reason = getattr(error, "error_type", None)
    if reason == kinds.INVALID_COUNTRY_CODE:
        return NumberRefused(f"`{shown}` starts with no country code that exists", code="P03", help=_CHECK_HELP)
    if reason in {kinds.TOO_SHORT_NSN, kinds.TOO_SHORT_AFTER_IDD}:
        return NumberRefused(f"`{shown}` is too short", code="P03", help=_CHECK_HELP)
    if reason == kinds.TOO_LONG:
        return NumberRefused(f"`{shown}` is too long", code="P03", help=_CHECK_HELP)
    return NumberRefused(f"`{shown}` is not a phone number", code="P03", help=_DIGITS_HELP)


def _refuse_unused(number: PhoneNumber, text: str, country: str | None, shown: str) -> NoReturn:
    """Say why a number that reads well can still be nobody's."""
    library = _library()
    remedy = _CHECK_HELP if "+" in text else "if it has its country code already, write + in front"
    reason = library.is_possible_number_with_reason(number)
    if reason == library.ValidationResult.TOO_LONG:
        raise NumberRefused(f"`{shown}` is too long", code="P03", help=remedy)
    if _is_short_number(re.sub(r"\D", "", text), country):
        raise NumberRefused(
            f"`{shown}` is a short number, which works in {country} alone", code="P03", help=_DIGITS_HELP
        )
    if reason in {library.ValidationResult.TOO_SHORT, library.ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        raise NumberRefused(f"`{shown}` is too short", code="P03", help=remedy)
    raise NumberRefused(f"`{shown}` is not a number in use", code="P03", help=remedy)


def _is_short_number(digits: str, country: str | None) -> bool:
    if country is None or len(digits) > _LONGEST_SHORT_NUMBER:
        return False
    from phonenumbers import shortnumberinfo  # noqa: PLC0415 only on the way to an error

    number = _library().PhoneNumber(
        country_code=_library().country_code_for_region(country), national_number=int(digits)
    )
    return bool(shortnumberinfo.is_possible_short_number_for_region(number, country))


@lru_cache(maxsize=65_536)
def _zones(e164: str) -> tuple[str, ...]:
    from phonenumbers import timezone  # noqa: PLC0415 its table costs 5 ms

    try:
        number = (_split(e164) if _CANONICAL.fullmatch(e164) else None) or _library().parse(e164, None)
    except _library().NumberParseException:
        return ()
    zones = timezone.time_zones_for_number(number)
    if timezone.UNKNOWN_TIMEZONE in zones and fictional_range(e164):
        # the library gives no zone to a number that it cannot name; its prefix still tells
        zones = timezone.time_zones_for_geographical_number(number)
    return tuple(sorted(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE))
