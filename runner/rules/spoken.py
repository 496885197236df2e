"""Numbers, money and phone numbers in templates: written in the campaign's locale, or to be spoken."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from runner.rules.moments import plain_blanks
from runner.rules.refusal import FilterRefused, decimal_of, shown, text_of

_DIGIT_LIMIT = 64
_GROUP = 3
_SINGLE_GROUP = 4
_CHUNKS = re.compile(r"[^\W_]+")


class Numbers:
    """The filters for numbers and money of one locale."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def money(self, value: Any, currency: str) -> str:
        """Write an amount in a currency: 1250.5 is $1,250.50 in en_US and 1.250,50 $ in de_DE."""
        from babel.numbers import format_currency  # noqa: PLC0415 costs time that most commands save

        return plain_blanks(format_currency(decimal_of(value), _currency(currency), locale=self._locale))

    def number(self, value: Any) -> str:
        """Write a number with the locale's marks: ``"1250.5" | number`` is 1,250.5 in en_US."""
        from babel.numbers import format_decimal  # noqa: PLC0415 costs time that most commands save

        return plain_blanks(format_decimal(decimal_of(value), locale=self._locale, decimal_quantization=False))

    def spoken_number(self, value: Any) -> str:
        """Say a number: ``"42" | spoken_number`` is forty-two."""
        return self._words(_whole(decimal_of(value)), to="cardinal")

    def ordinal(self, value: Any) -> str:
        """Write a whole number as a place: ``"3" | ordinal`` is 3rd."""
        number = decimal_of(value)
        if number != number.to_integral_value() or number < 1:
            raise FilterRefused(f"{shown(value)} is not a place in a row", "write a whole number above zero")
        return self._words(int(number), to="ordinal_num")

    def spoken_money(self, value: Any, currency: str) -> str:
        """Say an amount in a currency: 12.50 is twelve dollars and fifty cents."""
        amount = decimal_of(value).quantize(Decimal("0.01"))
        said = self._words(amount, to="currency", currency=_currency(currency), separator="\x1f")
        large, _, small = said.partition("\x1f")
        if amount == amount.to_integral_value() or not small:
            return large.strip()
        return f"{large.strip()}{' and ' if self._locale.startswith('en') else ', '}{small.strip()}"

    def _words(self, number: int | Decimal, **wanted: Any) -> str:
        from num2words import CONVERTER_CLASSES, num2words  # noqa: PLC0415 costs time that most commands save

        language = next(
            (name for name in (self._locale, self._locale.partition("_")[0]) if name in CONVERTER_CLASSES), ""
        )
        if not language:
            raise FilterRefused(
                f"numbers cannot be spoken in `{self._locale}`", "write them with digits: {{ value | number }}"
            )
        try:
            return str(num2words(number, lang=language, **wanted))
        except (NotImplementedError, OverflowError, TypeError, ValueError, LookupError, AttributeError):
            what = shown(wanted.get("currency", number))
            raise FilterRefused(
                f"{what} cannot be spoken in `{self._locale}`", "write it with digits instead"
            ) from None


class Phones:
    """The filters for phone numbers; the country stands in the number."""

    def phone(self, value: Any, form: str = "international") -> str:
        """Write a number: ``phone`` is +1 202-555-0143, ``phone("national")`` is (202) 555-0143."""
        import phonenumbers  # noqa: PLC0415 costs time that most commands save

        forms = {
            "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            "national": phonenumbers.PhoneNumberFormat.NATIONAL,
            "e164": phonenumbers.PhoneNumberFormat.E164,
        }
        if form not in forms:
            raise FilterRefused(f"{shown(form)} is not a form of phone numbers", "write: phone('national')")
        text = text_of(value).strip()
        try:
            return plain_blanks(phonenumbers.format_number(phonenumbers.parse(text), forms[form]))
        except phonenumbers.NumberParseException:
            advice = "start with + and the country code, for example +12025550143"
            raise FilterRefused(f"{shown(value)} is not a phone number", advice) from None

    def spoken_phone(self, value: Any) -> str:
        """Say a number in groups of digits: ``2 0 2, 5 5 5, 0 1 4 3``."""
        return ", ".join(" ".join(group) for group in _CHUNKS.findall(self.phone(value, "national")))


def spoken_digits(value: Any) -> str:
    """Say each digit, in groups to breathe: ``"4711" | spoken_digits`` is 4 7 1 1, of 1234567 it is 1 2 3, 4 5 6 7."""
    chunks = _CHUNKS.findall(text_of(value))
    if not chunks or sum(map(len, chunks)) > _DIGIT_LIMIT:
        raise FilterRefused(f"{shown(value)} cannot be read digit by digit", "give digits or letters, at most 64")
    return ", ".join(" ".join(group) for chunk in chunks for group in _groups(chunk))


def _groups(chunk: str) -> list[str]:
    if len(chunk) <= _SINGLE_GROUP:
        return [chunk]
    starts = list(range(0, len(chunk), _GROUP))
    if len(chunk) - starts[-1] == 1:
        starts.pop()
    return [chunk[start:end] for start, end in zip(starts, [*starts[1:], len(chunk)], strict=True)]


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _currency(code: Any) -> str:
    from babel.numbers import list_currencies  # noqa: PLC0415 costs time that most commands save

    if str(code) not in list_currencies():
        raise FilterRefused(f"{shown(code)} is not a currency", "write three letters: USD")
    return str(code)
