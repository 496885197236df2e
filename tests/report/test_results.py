"""What is said of campaigns and handovers for people: off a terminal without the keys from which numbers could be guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from runner.model.overview import AccountStanding, AttemptOverview, CampaignOverview, ContactOverview, HandoverOverview
from runner.report.results import account_lines, handover_lines, print_contacts, print_status
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


@pytest.mark.parametrize(("native_id", "shown"), [(f"batch_{KEY}", "ID"), ("camp_7", "camp_7"), ("", "ID")])
def test_a_campaigns_id_that_holds_the_key_is_not_in_the_command_to_paste(native_id: str, shown: str) -> None:
    held = HandoverOverview(
        id=3, campaign="april", step="call", account="main", state="held", name="april", native_id=native_id, people=1,
        waiting=1, told="running", reason="", sent_at=NOON,
    )  # fmt: skip

    assert f"--created {shown} " in handover_lines([held], masked=True)[1].plain
    assert f"--created {native_id or 'ID'} " in handover_lines([held], masked=False)[1].plain


def test_a_part_of_a_key_in_a_tag_is_not_shown_either() -> None:
    out = StringIO()
    attempt = AttemptOverview(
        key=KEY, log_id=OURS.log_id(KEY), step="call", number=1, channel="call", state="held", outcome="",
        tag=f"ref{KEY[:20]}", reason=f"used: call_{KEY.upper()}", due_at=NOON, sent_at=NOON, ended_at=None,
        provider_id="",
    )  # fmt: skip
    person = ContactOverview(key="7", phone="+12025550143", row=2, state="held", attempts=(attempt,))
    print_contacts(Console(file=out, width=400), "april", [person], masked=True, pseudonyms=OURS)

    assert KEY[:8] not in out.getvalue()
    assert out.getvalue().count(OURS.log_id(KEY)) == 2
