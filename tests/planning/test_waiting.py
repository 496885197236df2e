"""What there was with a person puts off the first attempt of a plan, and the plan says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.ledger.revisions import known_campaign
from runner.ledger.store import Store
from runner.model.dealings import Dealings, PastAttempt
from runner.model.plan import PlanStatus
from runner.planning.known import KnownCampaign
from runner.planning.waiting import look_back_of
from runner.rules.policy import policy_of
from tests.building import NOON, apply, campaign, contact, draft, phone, planned

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AN_HOUR_AGO = PastAttempt(campaign="other", purpose="", channel="call", started_at=NOON - HOUR, outcome="answered")


def line_of(known: KnownCampaign, **rules: Any) -> tuple[Any, str, str]:
    (line,) = planned(draft(campaign(**rules), known=known), [contact(0)])[0]
    assert line.status is PlanStatus.CREATE
    return line.not_before, line.waits, line.source


@pytest.mark.parametrize(
    ("rules", "with_them", "expected"),
    [
        ({"caps": "1 per 24h"}, Dealings(past=(AN_HOUR_AGO,)), (NOON + 23 * HOUR, "at most 1 per 1d", "caps.0")),
        ({"caps": "2 per 24h"}, Dealings(past=(AN_HOUR_AGO,)), (NOON, "", "")),
        ({}, Dealings(past=(AN_HOUR_AGO,)), (NOON, "", "")),
        (
            {"cool_down": "2d"}, Dealings(past=(AN_HOUR_AGO,)),
            (NOON + 47 * HOUR, "a cool-down of 2d after a conversation", "cool_down"),
        ),
        (
            {"caps": "1 per 2h", "windows": "daily 10:00-12:30"}, Dealings(past=(AN_HOUR_AGO,)),
            (NOON + 22 * HOUR, "at most 1 per 2h", "caps.0"),
        ),
        (
            {}, Dealings(left_alone_until=NOON + DAY, left_alone_why="on holiday"),
            (NOON + DAY, "left alone until 2026-01-06 17:00 UTC: on holiday", ""),
        ),
    ],
)  # fmt: skip
def test_the_first_instant_heeds_it(rules: dict[str, Any], with_them: Dealings, expected: tuple[Any, str, str]) -> None:
    assert line_of(KnownCampaign(dealings={phone(0): with_them}), **rules) == expected
    assert line_of(KnownCampaign(dealings={phone(1): with_them}), **rules) == (NOON, "", "")


def test_the_ledger_tells_it(tmp_path: Any) -> None:
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(campaign="other"), [contact(0)])
    store._connection.execute(
        "UPDATE attempts SET state = 'finished', outcome = 'no_answer', provider_id = 'x', sent_at = due_at, ended_at = due_at"
    )
    store.suppress(phone(1), "on holiday", "by hand", NOON, until=NOON + DAY)
    store.suppress(phone(2), "was on holiday", "by hand", NOON - DAY, until=NOON)
    store.suppress(phone(3), "opted out", "by hand", NOON)
    rules = campaign(caps="1 per 24h")
    known = known_campaign(store, "renewals", NOON, look_back_of(policy_of(rules)))
    lines = planned(draft(rules, known=known), [contact(number) for number in range(4)])[0]
    assert [(line.not_before, line.waits) for line in lines] == [
        (NOON + DAY, "at most 1 per 1d"),
        (NOON + DAY, "left alone until 2026-01-06 17:00 UTC: on holiday"),
        (NOON, ""),
        (None, ""),
    ]
    assert lines[3].reason == "must not be contacted: opted out (by hand)"
    store.close()
