"""People's names as they are written: `o'neill` is O'Neill, `anna van der berg` is Anna van der Berg."""

from __future__ import annotations

import re

from runner.rules.refusal import FilterRefused, shown, text_of

_PARTICLES = frozenset({
    "af", "al", "av", "bin", "binti", "da", "das", "de", "degli", "dei", "del", "della", "den", "der", "di", "dos",
    "du", "el", "ibn", "la", "las", "le", "los", "ten", "ter", "van", "von", "vom", "zu", "zum", "zur",
})  # fmt: skip
_NUMERALS = {"ii": "II", "iii": "III", "iv": "IV"}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam", "herr", "frau", "mme", "m"})
_WORD = re.compile(r"\S+")
_PIECE = re.compile(r"[^-.]+")
_APOSTROPHES = "'\u2019"
_ELIDED = re.compile(rf"([^{_APOSTROPHES}]{{1,2}})([{_APOSTROPHES}])(.{{2,}})", re.DOTALL)


def title(value: object) -> str:
    """Write a name with its capitals; what is already mixed, such as DeShawn, stays as it is."""
    text = text_of(value)
    words = _WORD.findall(text)
    lower_at = _particle_places(words)
    numbered = iter(range(len(words)))

    def write(match: re.Match[str]) -> str:
        at = next(numbered)
        word = match[0]
        if at in lower_at:
            return word.lower()
        if at and at == len(words) - 1 and word.lower() in _NUMERALS:
            return _NUMERALS[word.lower()]
        return _PIECE.sub(lambda piece: _capitalised(piece[0]), word)

    return _WORD.sub(write, text)


def first_name(value: object) -> str:
    """Give the first name of a full name, with its capitals: of `Smith, anna` and of `Dr. anna smith` it is Anna."""
    text = text_of(value).strip()
    family, comma, given = text.partition(",")
    words = (given if comma and given.strip() else family).split()
    while len(words) > 1 and words[0].rstrip(".").lower() in _TITLES:
        words = words[1:]
    if not words:
        raise FilterRefused(f"{shown(value)} has no first name", "give another: {{ contact.name | default('there') }}")
    return title(words[0])


def _particle_places(words: list[str]) -> frozenset[int]:
    """Find the words that stay small: particles before a name, at the front only if two of them or the rest say so."""
    places = {
        at for at, word in enumerate(words[:-1]) if word.lower() in _PARTICLES and (word.islower() or _shouted(words))
    }
    front_stays = len(words) > 1 and words[0].islower() and (1 in places or _is_mixed(words[1:]))
    if 0 in places and not front_stays:
        places.discard(0)
    return frozenset(places)


def _shouted(words: list[str]) -> bool:
    return all(word.isupper() for word in words)


def _is_mixed(words: list[str]) -> bool:
    return any(word[:1].isupper() and not word.isupper() for word in words)


def _capitalised(piece: str) -> str:
    if not _plain_letters(piece):
        return piece
    if not piece.islower() and not piece.isupper() and not _caps_lock(piece):
        return piece[:1].upper() + piece[1:]
    elided = _ELIDED.fullmatch(piece)
    if elided:
        return _capitalised(elided[1]) + elided[2] + _capitalised(elided[3])
    small = piece.lower()
    if small.startswith("mc") and len(small) > 3:  # noqa: PLR2004 `Mc` and a name of two letters
        return "Mc" + small[2].upper() + small[3:]
    return small[:1].upper() + small[1:]


def _caps_lock(piece: str) -> bool:
    return len(piece) > 1 and piece[0].islower() and piece[1:].isupper()


def _plain_letters(piece: str) -> bool:
    """Whether each letter changes case alone; ligatures such as `ŉ` are left as they are."""
    return all(
        len(letter.upper()) == len(letter.lower()) == 1 and letter.upper().lower() == letter.lower() for letter in piece
    )
