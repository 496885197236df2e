"""Which entry of a provider's list is the request that is in doubt; the same rule for every provider."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.errors import Ambiguous
from runner.model.request import Finding, Sent

BEFORE = timedelta(seconds=60)
"""how far the provider's clock may be behind ours"""
AFTER = timedelta(minutes=15)
"""how late a request may be listed after it left"""
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry of a provider's list that goes to the same number, by the same agent."""

    provider_id: str
    reference: str = ""
    """the attempt's key that the entry carries; empty when it carries none"""
    created_at: datetime | None = None
    """when the provider made it; None when it does not say"""


def settle_on(sent: Sent, candidates: Iterable[Candidate], *, more: bool) -> Finding:
    """Find the request among the candidates of one page.

    An entry that carries the key is it. Else it is the only entry without a key that was made
    between a minute before and a quarter of an hour after the request left and is not known to be
    another attempt's. Raise Ambiguous when several could be it, or when one has no date or no id:
    then nothing is proved either way.
    """
    entries = tuple(candidates)
    for entry in entries:
        if entry.reference == sent.key and entry.provider_id:
            return Finding(provider_id=entry.provider_id)
    open_entries = [
        entry
        for entry in entries
        if not entry.reference and entry.provider_id not in sent.taken and in_time(sent, entry.created_at)
    ]
    if not open_entries:
        return Finding(more=more)
    only = open_entries[0]
    if len(open_entries) > 1 or only.created_at is None or not only.provider_id:
        raise Ambiguous(f"{len(open_entries)} requests to the same number cannot be told apart")
    return Finding(provider_id=only.provider_id)


def opens_at(sent: Sent) -> datetime:
    """Give the earliest instant at which the request may be listed."""
    return sent.sent_at - BEFORE


def closes_at(sent: Sent) -> datetime:
    """Give the latest instant at which the request may be listed."""
    return (sent.sent_by or sent.sent_at) + AFTER


def in_time(sent: Sent, created_at: datetime | None) -> bool:
    """Whether an entry may be the request by its date alone; an entry without one may."""
    return created_at is None or opens_at(sent) <= created_at <= closes_at(sent)
