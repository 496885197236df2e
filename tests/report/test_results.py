"""What is said of campaigns and handovers for people: off a terminal without the keys from which numbers could be guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from runner.model.overview import AccountStanding, AttemptOverview, CampaignOverview, ContactOverview, HandoverOverview
from runner.report.results import account_lines, print_contacts, print_status
from runner.rules.pseudonyms import Pseudonyms

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = "0123456789abcdef" * 2
OURS = Pseudonyms(bytes(range(32)))
REPEATED = f"account main: revring answered 409: `{KEY} was used`"


@pytest.mark.parametrize("masked", [True, False])
def test_no_key_that_a_provider_repeats_leaves_the_terminal(*, masked: bool) -> None:
    out = StringIO()
    console = Console(file=out, width=400)
    handed = HandoverOverview(
        id=3, campaign="april", step="call", account="main", state="held", name=f"april {KEY}", native_id="", people=1,
        waiting=1, told="running", reason=REPEATED, sent_at=NOON,
    )  # fmt: skip
    paused = CampaignOverview(
        campaign="april", status="paused", reason=REPEATED, revision=1, digest="", row_stats={"total": 1}, outcomes=(),
        tags=(), attempts=1, sent=1, placed=0, first_sent=NOON, last_sent=NOON, handovers=(handed,),
    )  # fmt: skip
    attempt = AttemptOverview(
        key=KEY, log_id=OURS.log_id(KEY), step="call", number=1, channel="call", state="held", outcome="", tag="",
        reason=REPEATED, due_at=NOON, sent_at=NOON, ended_at=None, provider_id="",
    )  # fmt: skip
    person = ContactOverview(key="7", phone="+12025550143", row=2, state="held", attempts=(attempt,))
    ill = AccountStanding(account="main", state="open", reason=REPEATED, since=NOON, until=NOON)

    print_status(console, [paused], masked=masked)
    print_contacts(console, "april", [person], masked=masked, pseudonyms=OURS)
    for line in account_lines([ill], masked=masked):
        console.print(line)

    said = out.getvalue()
    if masked:
        assert KEY not in said
        assert said.count("`*** was used`") == 3
        assert f"`{OURS.log_id(KEY)} was used`" in said
        assert "look for `april ***` (in full: outreach --show-pii status) at main" in said
    else:
        assert said.count(KEY) == 5
        assert f"look for `april {KEY}` at main" in said
