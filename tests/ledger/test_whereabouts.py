"""What the ledger knows of where people are: the clock that windows follow, and the person's own."""

from __future__ import annotations

from runner.ledger.store import Store
from tests.building import NEW_YORK, account, apply, campaign, contact

LOS_ANGELES = "America/Los_Angeles"
CALIFORNIAN = "+12135550143"


def test_the_ledger_knows_the_own_clock_of_somebody_under_the_campaigns(store: Store) -> None:
    people = (contact(0, phone=CALIFORNIAN, key="a"), contact(1, timezone=LOS_ANGELES))
    apply(store, campaign(timezone=NEW_YORK, countries="US"), people, account("movoice"))

    found = [work.attempt.where for work in store.assignments([1, 2])]
    assert [(one.zones, one.own_zones) for one in found] == [((NEW_YORK,), (LOS_ANGELES,)), ((LOS_ANGELES,), ())]
