"""Decide whether a text asks to be left alone: opt-out words by language, and sentences that say it clearly.

English words follow the list of 47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel and
unsubscribe revoke consent by themselves. They count in every country, the others where their language is spoken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from runner.rules.stop_phrases import COUNTRIES, LANGUAGES, Spoken

MOST_CHARACTERS = 1_000
"""how much of a text is read; a text message has at most 1,600 characters, and an opt-out stands at its start"""

OPT_OUT_TAGS = frozenset({
    "dnc", "do not call", "do not call again", "do not contact", "do not text", "donotcall", "donotcontact", "opt out",
    "opted out", "optout", "optedout", "remove from list", "stop calling", "unsubscribe", "unsubscribed",
})  # fmt: skip
"""results that an agent may set for a person who asked to be left alone, as plain words"""

_LONGEST_PHRASE = 8
"""how many words a phrase of the tables has at most"""
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[.!?;,:\n\r…。！？，、،؟।]+")
_APOSTROPHE = re.compile(r"[’'`´ʼ]")
_LETTERS = {"ł": "l", "ø": "o", "æ": "ae", "đ": "d", "ı": "i"}
"""letters that stand for others without being put together from them"""

_UNWRITTEN = frozenset({"Mn", "Mc", "Me", "Cf"})
"""categories of characters that are no letters of their own"""

Tokens = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speech:
    """The tables of one or several languages, as words to compare."""

    whole: frozenset[Tokens]
    strong: frozenset[Tokens]
    clear: frozenset[Tokens]
    glued: tuple[str, ...]
    polite: frozenset[str]
    asking: frozenset[str]
    limits: frozenset[str]


def languages_of(region: str, *locales: str) -> frozenset[str]:
    """Give the languages in which a person may opt out: those of the country, of the campaigns' locales, and English.

    `region` is a country's two letters; of an unknown one every language is heard. A locale is such as `fr_CA`.
    """
    spoken = COUNTRIES.get(region.upper(), tuple(LANGUAGES))
    written = (re.split(r"[_-]", locale)[0].lower() for locale in locales)
    return frozenset({"en", *spoken, *(language for language in written if language in LANGUAGES)})


def is_opt_out(text: str, languages: Iterable[str]) -> bool:
    """Whether a text asks not to be contacted any more.

    It does when the whole of it is an opt-out word, whatever its case, punctuation and politeness
    (`Stop!!`, `please cancel`), or when one of its sentences says so clearly (`please stop texting
    me`). A word inside another sentence says nothing: `at the bus stop` is no opt-out. Never raises.
    """
    speech = _speech(frozenset(LANGUAGES).intersection(languages))
    head = text[:MOST_CHARACTERS]
    said = _unspelled(_tokens(head))
    if _repeats(said, speech.whole) or _repeats(_trimmed(said, speech.polite), speech.whole):
        return True
    return any(_says_clearly(_tokens(sentence), speech) for sentence in _SENTENCE.split(head))


def is_opt_out_tag(tag: str) -> bool:
    """Whether the result that an agent set says that the person asked to be left alone: `DO_NOT_CALL`, `opt-out`."""
    return " ".join(_tokens(tag[:MOST_CHARACTERS])) in OPT_OUT_TAGS


@cache
def _speech(languages: frozenset[str]) -> _Speech:
    """Put the tables of several languages together; the words of one may stand beside those of another."""
    spoken = [LANGUAGES[language] for language in sorted(languages)]
    return _Speech(
        whole=_all(spoken, "weak") | _all(spoken, "strong"),
        strong=_all(spoken, "strong"),
        clear=_all(spoken, "clear"),
        glued=tuple(phrase[0] for phrase in _all(spoken, "glued")),
        polite=_words(spoken, "polite"),
        asking=_words(spoken, "asking"),
        limits=_words(spoken, "limits"),
    )


def _all(spoken: Iterable[Spoken], kind: str) -> frozenset[Tokens]:
    return frozenset(_tokens(phrase) for one in spoken for phrase in getattr(one, kind))


def _words(spoken: Iterable[Spoken], kind: str) -> frozenset[str]:
    return frozenset(word for phrase in _all(spoken, kind) for word in phrase)


def _says_clearly(tokens: Tokens, speech: _Speech) -> bool:
    """Whether one sentence is a strong word, or opens with a clear phrase that nothing behind it narrows."""
    if tokens and tokens[0].startswith(speech.glued):
        return True
    for start in range(len(tokens)):
        rest = tokens[start:]
        if _repeats(_trimmed(rest, speech.polite), speech.strong):
            return True
        if any(rest[: len(one)] == one and not _is_narrowed(rest[len(one) :], speech) for one in speech.clear):
            return True
        if rest[0] not in speech.polite and rest[0] not in speech.asking:
            return False
    return False


def _is_narrowed(behind: Tokens, speech: _Speech) -> bool:
    """Whether what stands behind a phrase narrows it: `stop calling me at work`, `if I do not answer`."""
    rest = _trimmed(behind, speech.polite)
    return bool(rest) and rest[0] in speech.limits


def _repeats(tokens: Tokens, phrases: frozenset[Tokens]) -> bool:
    """Whether the words are one phrase, or the same phrase several times: `STOP STOP STOP`."""
    return any(
        len(tokens) % size == 0 and tokens[:size] in phrases and tokens == tokens[:size] * (len(tokens) // size)
        for size in range(1, min(len(tokens), _LONGEST_PHRASE) + 1)
    )


def _trimmed(tokens: Tokens, polite: frozenset[str]) -> Tokens:
    start, end = 0, len(tokens)
    while start < end and tokens[start] in polite:
        start += 1
    while end > start and tokens[end - 1] in polite:
        end -= 1
    return tokens[start:end]


def _tokens(text: str) -> Tokens:
    """Give the words: lower case, without accents, an apostrophe dropped as people drop it (`dont`).

    Vowel signs and what cannot be seen are dropped with the accents: they would cut a word in two.
    """
    plain = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", text)).casefold()
    seen = (char for char in plain if unicodedata.category(char) not in _UNWRITTEN)
    return tuple(_WORD.findall("".join(_LETTERS.get(char, char) for char in seen)))


def _unspelled(tokens: Tokens) -> Tokens:
    """Put a word together that is spelled letter by letter: `S.T.O.P`."""
    return ("".join(tokens),) if len(tokens) > 1 and all(len(one) == 1 for one in tokens) else tokens
