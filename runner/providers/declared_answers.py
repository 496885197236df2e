"""Reads answers, lists and webhooks of a declared provider by the paths of its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runner.errors import InDoubt
from runner.model.http_api import Details, FindRequest, HttpApi, InboundShape
from runner.model.json import Json
from runner.model.outcome import InboundText, Observation, Outcome
from runner.model.request import Finding, Sent
from runner.providers.inbound import MOST_CHARACTERS
from runner.providers.lookups import Candidate, settle_on
from runner.providers.reading import MAX_WORDS, fields_of, id_of, instant_of, link_of, number_of, text_of, transcript_of


def at(document: Json, path: str | None) -> Json:
    """Give what stands under a dotted path, whose numbers index lists; None where it leads nowhere."""
    if path is None:
        return None
    value = document
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, Sequence) and not isinstance(value, str) and part.isascii() and part.isdecimal():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            return None
    return value


def observation(
    outcomes: Mapping[str, Outcome], where: Details, document: Json, *, provider_id: str = "", reference: str = ""
) -> Observation:
    """Read how a call or text stands; a word that `outcomes` does not explain ends nothing."""
    word = text_of(at(document, where.outcome), MAX_WORDS)
    return Observation(
        provider_id=provider_id,
        reference=reference,
        outcome=_outcome(outcomes, word),
        tag=text_of(at(document, where.tag), 100),
        summary=text_of(at(document, where.summary)),
        sentiment=text_of(at(document, where.sentiment), 100),
        duration_seconds=number_of(at(document, where.duration)),
        recording_url=link_of(at(document, where.recording)),
        transcript=transcript_of(at(document, where.transcript)),
        ended_at=instant_of(at(document, where.ended_at)),
        words={"outcome": word} if word else {},
        structured=fields_of(at(document, where.structured)),
        hangup_cause=text_of(at(document, where.hangup_cause), MAX_WORDS),
        opt_out=at(document, where.opt_out) is True,
    )


def is_live(api: HttpApi, word: str) -> bool:
    """Whether a word is declared as one for a call or text that goes on; upper and lower case alike."""
    return word.casefold() in {one.casefold() for one in api.live}


def inbound(provider: str, shape: InboundShape, document: Json) -> tuple[InboundText, ...]:
    """Read a text that a person sent; none when the webhook names no number or has no words."""
    number = _digits(text_of(at(document, shape.from_), 40))
    words = at(document, shape.body)
    if not number or not isinstance(words, str):
        return ()
    text = InboundText(
        provider=provider,
        from_number=f"+{number}",
        to_number=text_of(at(document, shape.to), 40).strip(),
        body=text_of(words, MOST_CHARACTERS),
        provider_id=id_of(at(document, shape.id)),
        at=instant_of(at(document, shape.at)),
    )
    return (text,)


def found(provider: str, find: FindRequest, sent: Sent, document: Json, *, pages: bool) -> Finding:
    """Find the request in doubt among one page of items; raise InDoubt when the list cannot prove anything."""
    listing = at(document, find.items) if find.items else document
    if isinstance(listing, str) or not isinstance(listing, Sequence):
        raise InDoubt(f"{provider} answered a look-up without a list")
    more = _has_more(provider, find.more, document) if find.more else pages and bool(listing)
    if more and not pages:
        raise InDoubt(f"{provider} lists more than can be asked for")
    return settle_on(sent, list(_candidates(provider, find, sent, listing)), more=more)


def _has_more(provider: str, path: str, document: Json) -> bool:
    """Whether the answer says that there is another page: true, or the address of one."""
    above, _, key = path.rpartition(".")
    parent = at(document, above) if above else document
    if not isinstance(parent, Mapping) or key not in parent:
        raise InDoubt(f"{provider} does not say whether there is another page")
    return bool(parent[key])


def _candidates(provider: str, find: FindRequest, sent: Sent, listing: Sequence[Json]) -> Iterator[Candidate]:
    """Give the items that could be the request: those to another number are left out, whatever else they say."""
    for item in listing:
        reference = id_of(at(item, find.reference))
        number = _digits(text_of(at(item, find.phone), 100))
        if find.phone and not number and not reference:
            raise InDoubt(f"{provider} lists an item without its number")
        if find.phone and number and number != _digits(sent.phone) and reference != sent.key:
            continue
        yield Candidate(
            provider_id=id_of(at(item, find.id)),
            reference=reference,
            created_at=instant_of(at(item, find.created_at)),
        )


def _outcome(outcomes: Mapping[str, Outcome], word: str) -> Outcome | None:
    by_word = {one.casefold(): outcome for one, outcome in outcomes.items()}
    return by_word.get(word.casefold())


def _digits(text: str) -> str:
    """Leave the digits of a number, since some lists drop its plus sign."""
    return "".join(char for char in text if char.isascii() and char.isdecimal())
