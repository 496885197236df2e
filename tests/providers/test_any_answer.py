"""No answer whatever makes the readers of native campaigns and of other abilities stumble."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import SendError
from runner.model.request import Reply
from runner.providers import revox_reports, revring_account
from runner.providers.movoice import Movoice
from runner.providers.movoice_native import MovoiceBatches
from runner.providers.reading import fields_of
from runner.providers.replies import MAX_ANSWER, MAX_BODY, accepted_document, answered_document
from runner.providers.revox import Revox
from runner.providers.revox_do_not_call import RevoxDoNotCall
from runner.providers.revox_native import RevoxCampaigns
from runner.providers.revring import Revring
from runner.providers.revring_account import RevringBatch, RevringLines
from runner.providers.revring_do_not_call import RevringDoNotCall
from runner.providers.revring_native import RevringCampaigns
from tests.providers.support import KEY

NATIVES: list[Any] = [RevringCampaigns(), RevoxCampaigns("A"), RevoxCampaigns("D"), MovoiceBatches()]
NUMBERS = RevringDoNotCall()
WORDS = st.sampled_from(
    [
        "running",
        "completed",
        "skipped",
        "failed",
        "dialing",
        "do_not_call",
        "human",
        f"renewals {KEY}",
        "+12025550101",
        "1767625000",
    ]
)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "data", "call", "calls", "campaign", "campaigns", "rows", "status", "outcome", "name", "row_stats", "total",
             "not_launched", "progress", "contacts", "toNumber", "phone_number", "recipient_phone", "attempts", "calls_count",
             "lastCallId", "page", "page_size", "offset", "batch_id", "created_at", "is_cancelled", "success", "concurrency",
             "active", "limit", "available", "enabled", "last4", "e164", "added", "csv", "phone_history", "authenticated"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=14,
).map(lambda value: json.dumps(value).encode())  # fmt: skip

READERS: dict[str, Callable[[Reply], Any]] = {
    **{
        f"{number} {name}": read
        for number, native in enumerate(NATIVES)
        for name, read in {
            "created": native.read_created,
            "status": native.read_status,
            "rows": native.read_rows,
            "find": lambda reply, native=native: native.read_find(f"renewals {KEY}", reply),
            "done": native.read_done,
        }.items()
    },
    "lines": RevringLines().read,
    "batch": RevringBatch().read,
    "signing": revring_account.read_signing,
    "numbers": lambda reply: NUMBERS.read_list(reply, 0),
    "added": NUMBERS.read_added,
    "removed": NUMBERS.read_removed,
    "history": lambda reply: RevoxDoNotCall().read_list(reply, 0),
    "export": revox_reports.read_export,
    "attempts": revox_reports.read_attempts,
    **{f"{one.name} cancel": one.read_cancel for one in (Revring(), Revox(), Movoice())},
    **{f"{one.name} key": one.read_credential_check for one in (Revring(), Revox(), Movoice())},
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@given(status=st.sampled_from([200, 201, 204, 400, 404, 409, 500]), body=BODIES)
def test_it_is_read_or_a_send_error(reader: str, status: int, body: bytes) -> None:
    try:
        READERS[reader](Reply(status=status, headers={}, body=body))
    except SendError:
        return
    assert status < 300 or reader.endswith(("done", "cancel", "removed", "history"))


@pytest.mark.parametrize("native", NATIVES, ids=lambda native: type(native).__name__)
@given(body=BODIES)
def test_rows_name_people_and_never_count_below_zero(native: Any, body: bytes) -> None:
    try:
        page = native.read_rows(Reply(status=200, headers={}, body=body))
    except SendError:
        return
    for row in page.rows:
        assert row.phone
        assert row.calls >= 0
        assert row.ended is None or row.ended.is_final


def test_a_look_up_may_be_longer_than_the_answer_to_a_dial() -> None:
    long = Reply(status=200, headers={}, body=b'{"a":"' + b"x" * MAX_BODY + b'"}')
    with pytest.raises(SendError, match="1 MiB"):
        accepted_document("revox", long)
    assert len(str(answered_document("revox", long)["a"])) == MAX_BODY
    with pytest.raises(SendError, match="16 MiB"):
        answered_document("revox", Reply(status=200, headers={}, body=b" " * (MAX_ANSWER + 1)))


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"a": 1, "b": None, "c": "", "d": False, "e": 0, "f": []}, {"a": 1, "d": False, "e": 0, "f": []}),
        ({"": 1, "n\x00": "x\x00y"}, {"n\ufffd": "x\ufffdy"}),
        ({"a": {"b": ["\ud800", float("inf")]}}, {"a": {"b": ["?", None]}}),
        (["a"], {}),
        ("a", {}),
        (None, {}),
    ],
)
def test_fields(value: Any, fields: Any) -> None:
    assert fields_of(value) == fields


@given(BODIES)
def test_fields_can_be_written_down_again(body: bytes) -> None:
    fields = fields_of(json.loads(body))

    assert fields_of(json.loads(json.dumps(fields, allow_nan=False))) == fields
