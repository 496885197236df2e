"""The proof of opt-outs: one that is durable before an intent keeps the call from being placed, in every interleaving."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator

from tests.faults.opt_outs import Moment, Way, interleaved, template
from tests.proofs.proof import Figure, Proof, Share

_FULL = int(os.environ.get("OUTREACH_INTERLEAVINGS", "10000"))
_SMALL = 240
_SPANS = (0, 1, 2, 3, 5, 8, 13, 21, 34)
"""for how many statements of the engine another process's transaction stays open"""


def prove(share: Share) -> Figure:
    """Try every single statement as the moment of an opt-out, then moments drawn from a seed."""
    count = _FULL if share is Share.FULL else _SMALL
    with template() as path, asyncio.Runner() as runner:
        untouched = runner.run(interleaved(path, None))
        moments = _moments(untouched.statements, count)
        tried = [(moment, runner.run(interleaved(path, moment))) for moment in moments]
    wrong = [f"{moment}: {one}" for moment, one in tried if not one.is_sound]
    ways = Counter(moment.way for moment, _ in tried)
    before = Counter(one.before for _, one in tried)
    said = (
        f"{len(tried):,} interleavings over {untouched.statements} statements"
        f" ({', '.join(f'{ways[way]:,} by {way}' for way in Way)}), {before[0]:,} of them before the first of"
        f" {untouched.dials} intents and {sum(before.values()) - before[0]:,} between them:"
        f" {sum(one.after for _, one in tried)} dials after its commit, {len(wrong)} unsound"
    )
    several = all(ways[way] for way in Way) and len(before) > 1
    holds = not wrong and untouched.dials > 1 and several
    return Figure(said="; ".join([said, *wrong[:3]]), holds=holds)


def _moments(statements: int, count: int) -> Iterator[Moment]:
    """Give each statement in turn for each way and each span, thinned out to the count, then moments by chance."""
    every = [Moment(way=way, begins=at, commits=at) for way in (Way.WEBHOOK, Way.TEXT) for at in range(statements)]
    every += [Moment(way=Way.ELSEWHERE, begins=at, commits=at + span) for at in range(statements) for span in _SPANS]
    chance = random.Random(7)
    if len(every) > count:
        every = chance.sample(every, count)
    yield from every
    for _ in range(count - len(every)):
        begins = chance.randrange(statements)
        way = chance.choice((Way.ELSEWHERE, Way.ELSEWHERE, Way.WEBHOOK, Way.TEXT))
        yield Moment(way=way, begins=begins, commits=begins + chance.randrange(60))


PROOFS = (
    Proof(
        name="opt-out",
        promise="An opt-out that is committed before an intent, by whichever way it comes and between whichever two"
        " statements, keeps that call and all later ones from being placed.",
        run=prove,
    ),
)
