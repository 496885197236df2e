"""The people of the sandbox: who answers, how long it rings, and what is said; a pure function of the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runner.sandbox.chance import draw
from runner.sandbox.settings import CALL_OUTCOMES, TEXT_OUTCOMES, Settings

Kind = Literal["call", "text"]

CONNECTED = frozenset({"answered", "voicemail"})
"""outcomes of calls that were picked up, by a person or a machine"""

_PICKS_UP_SOONER = 0.6
_RINGS_OUT_FROM = 0.8
_REJECTS_WITHIN = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One utterance."""

    speaker: Literal["agent", "person"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was said in an answered call, and what the agent made of it."""

    tag: Literal["BOOKED", "REFUSED", "CALLBACK"]
    sentiment: Literal["positive", "neutral", "negative"]
    summary: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How one dial goes, known from the start; seconds of the sandbox's clock."""

    outcome: str
    ring_seconds: float
    talk_seconds: float = 0.0
    conversation: Conversation | None = None
    draw: float = 0.0
    """0 up to 1, for choices that only one provider has"""

    @property
    def connects(self) -> bool:
        """Whether the call is picked up."""
        return self.outcome in CONNECTED


class People:
    """Who was dialled how often, and what happens at the next dial."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._script = dict(settings.script)
        self._dials: Counter[tuple[Kind, str]] = Counter()

    def dial(self, kind: Kind, phone: str) -> Fate:
        """Dial a person once more and give what happens."""
        before = self._dials[kind, phone]
        self._dials[kind, phone] += 1
        return fate_of(self._settings, kind, phone, before, script=self._script.get(phone, ()))

    def write_script(self, script: Mapping[str, tuple[str, ...]]) -> None:
        """Let named people follow a script from their first dial on, counted from now."""
        self._script.update(script)
        for phone in script:
            self._dials.pop(("call", phone), None)
            self._dials.pop(("text", phone), None)


def fate_of(settings: Settings, kind: Kind, phone: str, before: int, *, script: tuple[str, ...] = ()) -> Fate:
    """Give how a dial goes, from the seed, the phone and how often this person was dialled in this way before.

    A number that nobody has stays so; every other outcome may differ at a later dial.
    """
    lines = _lines_for(kind, script)
    if lines:
        outcome = lines[min(before, len(lines) - 1)]
    elif kind == "text":
        outcome = "delivered" if _draw(settings, phone, before, "arrives") < settings.delivered_share else "failed"
    else:
        outcome = _call_outcome(settings, phone, before)
    return Fate(
        outcome=outcome,
        ring_seconds=_ring(settings, phone, before, outcome),
        talk_seconds=_talk(settings, phone, before) if outcome in CONNECTED else 0.0,
        conversation=_conversation(settings, phone, before) if outcome == "answered" else None,
        draw=_draw(settings, phone, before, "choice"),
    )


def _draw(settings: Settings, phone: str, before: int, what: str) -> float:
    return draw(settings.seed, phone, before, what)


def _lines_for(kind: Kind, script: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the outcomes of a script that can happen to this kind of dial; ``failed`` alone fits both."""
    if kind == "call":
        return tuple(word for word in script if word in CALL_OUTCOMES)
    speaks_of_calls = any(word not in TEXT_OUTCOMES for word in script)
    known = ("delivered",) if speaks_of_calls else TEXT_OUTCOMES
    return tuple(word for word in script if word in known)


def _call_outcome(settings: Settings, phone: str, before: int) -> str:
    weights = dict(settings.odds)
    total = sum(weights.values())
    nobody = weights.pop("invalid_number", 0.0)
    rest = total - nobody
    if draw(settings.seed, phone, "exists") * total < nobody or rest <= 0:
        return "invalid_number"
    point = _draw(settings, phone, before, "outcome") * rest
    for outcome, weight in weights.items():
        point -= weight
        if point < 0:
            return outcome
    return max(weights, key=lambda outcome: weights[outcome])


def _ring(settings: Settings, phone: str, before: int, outcome: str) -> float:
    """Busy and refused calls end soon, nobody's phone rings longest."""
    shortest, longest = settings.ring_seconds
    share = _draw(settings, phone, before, "ring")
    if outcome == "no_answer":
        share = _RINGS_OUT_FROM + share * (1 - _RINGS_OUT_FROM)
    elif outcome in CONNECTED:
        share *= _PICKS_UP_SOONER
    else:
        share *= _REJECTS_WITHIN
    return shortest + share * (longest - shortest)


def _talk(settings: Settings, phone: str, before: int) -> float:
    shortest, longest = settings.talk_seconds
    return shortest + _draw(settings, phone, before, "talk") * (longest - shortest)


def _conversation(settings: Settings, phone: str, before: int) -> Conversation:
    point = _draw(settings, phone, before, "conversation") * len(_CONVERSATIONS)
    return _CONVERSATIONS[int(point)]


def _said(*texts: str) -> tuple[Turn, ...]:
    return tuple(Turn(speaker="person" if at % 2 else "agent", text=text) for at, text in enumerate(texts))


_CONVERSATIONS: tuple[Conversation, ...] = (
    Conversation(
        tag="BOOKED",
        sentiment="positive",
        summary="Agreed to the appointment.",
        turns=_said("Hello, I am calling about your appointment.", "Yes, that time works.", "Thank you, see you then."),
    ),
    Conversation(
        tag="BOOKED",
        sentiment="neutral",
        summary="Moved the appointment to the afternoon.",
        turns=_said("Hello, does the morning suit you?", "The afternoon would be better.", "Booked for three o'clock."),
    ),
    Conversation(
        tag="CALLBACK",
        sentiment="neutral",
        summary="Asked to be called another time.",
        turns=_said("Hello, is this a good moment?", "Not now, please call later.", "Of course, goodbye."),
    ),
    Conversation(
        tag="REFUSED",
        sentiment="negative",
        summary="Was not interested.",
        turns=_said("Hello, may I tell you about our offer?", "No, thank you.", "I understand, goodbye."),
    ),
)
