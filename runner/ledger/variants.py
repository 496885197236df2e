"""Read how the variants of a campaign did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from sqlite3 import Row
from typing import Any

from runner.ledger.store import Store
from runner.model.outcome import REACHED
from runner.model.variants import Share, VariantResult
from runner.rules.expressions import Expression, ExpressionFailed, StepResult, when_values
from runner.rules.variants import wilson


def variant_results(store: Store, campaign: str) -> tuple[VariantResult, ...]:
    """Give the results of each variant of a campaign, those in its file first and in their order.

    Empty for a campaign without variants. Whether the goal is reached is asked of everything that
    is known by now, so a tag that came late counts.
    """
    found = store.one("campaign_in_force", name=campaign)
    if found is None or store.one("has_variants") is None:
        return ()
    contacts = {row["variant"]: row["count"] for row in store.all("variant_contacts", campaign_id=found["id"])}
    policy = json.loads(found["policy"])
    named = [*policy.get("variants", {}), *sorted(name for name in contacts if name not in policy.get("variants", {}))]
    if not any(named):
        return ()
    goal = Expression.compile(policy["done_when"]) if policy.get("done_when") else None
    tried, reached, done = Counter[str](), Counter[str](), Counter[str]()
    for variant, tries in _people(store, found["id"]):
        tried[variant] += 1
        reached[variant] += any(row["outcome"] in REACHED for row in tries)
        done[variant] += goal is not None and _is_done(goal, tries)
    return tuple(
        VariantResult(
            variant=name, contacts=contacts.get(name, 0), tried=tried[name], reached=_share(reached[name], tried[name]),
            goal=_share(done[name], tried[name]) if goal is not None else None,
        )
        for name in named
    )  # fmt: skip


def _people(store: Store, campaign_id: int) -> Iterator[tuple[str, list[Row]]]:
    """Give the variant and the finished attempts of everybody who was tried."""
    rows = store.all("variant_tries", campaign_id=campaign_id)
    for _, group in groupby(rows, key=lambda row: row["contact_id"]):
        tries = list(group)
        yield tries[0]["variant"], tries


def _is_done(goal: Expression, tries: Sequence[Row]) -> bool:
    """Whether one of somebody's attempts reached the goal; one that cannot be decided did not."""
    cells, results = json.loads(tries[0]["cells"]), dict[str, StepResult]()
    for row in tries:
        results.pop(row["step"], None)
        results[row["step"]] = StepResult(outcome=row["outcome"], tag=row["tag"])
        values: dict[str, Any] = when_values(results, cells, row["variant"])
        try:
            if goal.evaluate({**values, "outcome": row["outcome"], "tag": row["tag"]}):
                return True
        except ExpressionFailed:
            continue
    return False


def _share(count: int, of: int) -> Share:
    interval = wilson(count, of)
    return Share(count=count, of=of, low=interval.low, high=interval.high)
