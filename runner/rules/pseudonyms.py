"""Keyed pseudonyms of phone numbers and attempts: the same in one ledger, and a guess without that ledger's key.

A bare hash of a number protects nobody: all numbers there are can be hashed in minutes. An attempt's key
is such a hash, since it has to be the same on every machine. Keyed by a random secret of the ledger, a
pseudonym tells two people or attempts apart in a log, and only whoever holds the ledger can find out
whom it stands for.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Final

SHORT = 8
"""hex digits of a pseudonym in masked output: two of 10,000 people share one with a chance of 1 in 100"""
HIDDEN = "***"
"""stands for what is not shown"""
_LAST = 4
_FEW = 2
_TWO_DIGITS = frozenset(
    [
        "20",
        "27",
        "30",
        "31",
        "32",
        "33",
        "34",
        "36",
        "39",
        "40",
        "41",
        "43",
        "44",
        "45",
        "46",
        "47",
        "48",
        "49",
        "51",
        "52",
        "53",
        "54",
        "55",
        "56",
        "57",
        "58",
        "60",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "81",
        "82",
        "84",
        "86",
        "90",
        "91",
        "92",
        "93",
        "94",
        "95",
        "98",
    ]
)
_CONTEXT = b"outreach-phone\x00"
_OF_ATTEMPTS = b"outreach-attempt\x00"
_LOG_ID_LENGTH = 16
_WRITTEN = re.compile(r"(?:\+\d{0,3}\*{3}\d{0,4}|\*{3})?#([0-9a-f]{8})", re.ASCII)
_LOG_ID = re.compile(r"a[0-9a-f]{15}", re.ASCII)
_KEY = r"(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-f])"
_RANDOM = r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab]"
"""how UUIDs of versions 4 and 7 begin (RFC 9562): ids that providers give, which sentences have to keep"""
_MAY_BE_KEY = re.compile(rf"(?<![0-9a-f])(?!{_RANDOM}){_KEY}", re.ASCII | re.IGNORECASE)
_ATTEMPT = re.compile(rf"\b(attempt )({_KEY})", re.ASCII | re.IGNORECASE)
_TOLD_BY = 8
"""digits from which on the begin of a key is taken for it; others begin so with a chance of 1 in 4,000,000,000"""
_TOLD_BY_END = 12
"""digits from which on the end of a key is taken for it"""
_BETWEEN = re.compile(r"[-\s_:]")
"""what may stand between the digits of a key that is written in groups"""
_CUT = re.compile(
    r"(?<![\w#+-])(?!(?:ca)?a[0-9a-f]{15}(?![0-9a-f]))"
    rf"(?!{_RANDOM})(?:"
    r"[0-9a-f](?:-?[0-9a-f]){7,30}(?=-?(?:\u2026|\.{3}))"
    r"|(?=[0-9-]*[a-f]|\d{16})[0-9a-f](?:-?[0-9a-f]){7,30}(?=-?[\s`'\")\].]*\Z))",
    re.ASCII | re.IGNORECASE,
)
"""what may be left of a key: eight hex digits or more before a sign of cutting, or where the text ends

What ends a text is none if it may be a date or a phone number, which have fewer than 16 digits and no letter; nor is
what logs call an attempt, also behind the `CA` of calls' ids.
"""


def pseudonym_in(text: str) -> str:
    """Give the eight hex digits of a person written as `+1***0143#1a2b3c4d` or `#1a2b3c4d`; empty for any other text."""
    found = _WRITTEN.fullmatch(text.strip())
    return found[1] if found else ""


def without_key(text: str, key: str, shown: str) -> str:
    """Put `shown` where a text has this key, in any case, in groups or not, inside of a longer word or not.

    Its first eight digits or more are taken for it as well, and its last twelve or more: somebody may have cut the
    text. No key is in no text.
    """
    plain = _BETWEEN.sub("", text.lower())
    ends = (key[:_TOLD_BY].lower(), key[-_TOLD_BY_END:].lower())
    if not key or not any(one in plain for one in ends):
        return text
    for pattern in _spelled(key):
        text = re.sub(pattern, lambda _: shown, text, flags=re.IGNORECASE)
    return text


def plain_key(text: str) -> str:
    """Give a key, or what logs call somebody, as the ledger writes it: in small letters, a key without dashes."""
    plain = text.strip().lower()
    return plain.replace("-", "") if re.fullmatch(_KEY, plain, re.ASCII) else plain


def is_log_id(text: str) -> bool:
    """Whether a text has the form in which logs name an attempt: `a` and 15 hex digits."""
    return _LOG_ID.fullmatch(text) is not None


def _spelled(key: str) -> tuple[str, str]:
    """Give the patterns of a key with what may stand between its digits: whole or cut behind, then cut in front."""
    first, rest = key[:_TOLD_BY], key[_TOLD_BY:]
    between = f"{_BETWEEN.pattern}?"
    begin = between.join(map(re.escape, first))
    begin += "".join(f"(?:{between}{re.escape(one)}" for one in rest) + ")?" * len(rest)
    lead, last = key[:-_TOLD_BY_END], key[-_TOLD_BY_END:]
    end = "(?:" * len(lead) + "".join(f"{re.escape(one)}{between})?" for one in lead)
    return begin, f"{end}{between.join(map(re.escape, last))}"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms of one ledger, by its secret key of 32 random bytes."""

    key: bytes = field(repr=False)

    def of(self, phone: str) -> str:
        """Give the pseudonym of a number in E.164, HMAC-SHA256 as 64 hex digits."""
        return hmac.digest(self.key, _CONTEXT + phone.encode(), "sha256").hex()

    def short(self, phone: str) -> str:
        """Give the first eight hex digits of a number's pseudonym, for people's eyes."""
        return self.of(phone)[:SHORT]

    def shown(self, phone: str) -> str:
        """Write a number masked, with what tells it apart: `+1***0143#1a2b3c4d`; nothing for no number.

        Without a key nothing can tell it apart: a hash that anybody can work out would give the number away.
        """
        if not phone:
            return ""
        return f"{masked(phone)}#{self.short(phone)}" if self.key else masked(phone)

    def log_id(self, attempt_key: str) -> str:
        """Give what logs, traces and notifications call an attempt, by the attempt's key: `a1b2c3d4e5f60718`.

        It is `a` and 15 hex digits of an HMAC-SHA256; the letter keeps every program from taking it for a number. Of
        300,000 attempts two share one with a chance of 1 in 25 million. Empty without a key of the ledger, and for no
        attempt.
        """
        if not self.key or not attempt_key:
            return ""
        return f"a{hmac.digest(self.key, _OF_ATTEMPTS + attempt_key.encode(), 'sha256').hex()}"[:_LOG_ID_LENGTH]

    def attempts_named(self, text: str) -> str:
        """Write the attempts that a text calls so, by `attempt` and the key, as logs do; `***` without a ledger's key."""
        return _ATTEMPT.sub(lambda found: found[1] + self.shown_attempt(plain_key(found[2])), text)

    def shown_attempt(self, key: str) -> str:
        """Write an attempt as logs do, `a1b2c3d4e5f60718`, and as `***` without a key of the ledger."""
        return self.log_id(key) or HIDDEN

    def without_keys(self, text: str, *known: str) -> str:
        """Write these keys of attempts as logs do wherever they stand in a text, and what else may be a key as `***`.

        A provider may repeat the key in what it says, or another attempt's, and the text may be cut within it. What
        else has 32 hex digits, or has eight or more where a text is cut or ends, cannot be told from that, so no name
        is made up for it: nobody could be found by it.
        """
        for key in known:
            text = without_key(text, key, self.shown_attempt(key))
        return _CUT.sub(HIDDEN, _MAY_BE_KEY.sub(HIDDEN, self.attempts_named(text)))


UNKEYED: Final = Pseudonyms(b"")
"""where no ledger is at hand"""


def masked(phone: str) -> str:
    """Hide all of a number in E.164 but its country code and its last four digits: `+1***0143`.

    Of a number that has fewer than eight digits after its country code two are shown, and nothing of
    one that has fewer than eight in all.
    """
    digits = phone.removeprefix("+")
    if len(digits) < 2 * _LAST:
        return HIDDEN
    code = country_code(digits)
    return f"+{code}{HIDDEN}{digits[len(digits) - shown_at_the_end(digits, code) :]}"


def masked_national(digits: str) -> str:
    """Hide all of a number without country code but its last four digits: `***0143`; all of a short one."""
    return f"{HIDDEN}{digits[len(digits) - shown_at_the_end(digits, '') :]}"


def shown_at_the_end(digits: str, code: str) -> int:
    """Give how many digits at the end of a masked number are shown; `code` is empty where it has no country code."""
    rest = len(digits) - len(code)
    if rest >= 2 * _LAST:
        return _LAST
    return _FEW if code and len(digits) >= 2 * _LAST else 0


def country_code(digits: str) -> str:
    """Give the country code of a number: of one digit, of the two that E.164 gives whole countries, else of three."""
    if digits[:1] in {"1", "7"}:
        return digits[:1]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]
