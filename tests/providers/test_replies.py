"""What each HTTP answer proves, and that no answer whatever makes a provider stumble."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InDoubt, Rejected, SendError, Throttled, WebhookRefused
from runner.model.request import Receipt, Reply, Sent
from runner.providers.registry import KNOWN
from runner.providers.replies import (
    MAX_BODY,
    OptedOut,
    accepted_document,
    answered_document,
    clipped,
    decode_object,
    retry_after,
    said,
)

PROVIDERS = list(KNOWN.values())
REJECTED = {400, 404, 405, 413, 415, 422}
PAUSING = {401, 402, 403, *range(300, 400)} - {303}
SENT = Sent(
    key="0123456789abcdef0123456789abcdef",
    channel="call",
    phone="+12025550101",
    agent_id="agent_1",
    campaign="renewals",
    sent_at=datetime(2026, 1, 5, 15, tzinfo=UTC),
    provider_id="id_1",
)


def reply(status: int, body: bytes = b"{}", **headers: str) -> Reply:
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


@given(st.integers(0, 260), st.sampled_from(["{}", "ref{}", "key_{}", "{}."]), st.booleans())
def test_no_part_of_a_key_is_left_where_a_sentence_is_cut(before: int, text: str, dashed: bool) -> None:
    key = str(uuid.UUID(SENT.key)) if dashed else SENT.key
    message = "x" * before + text.format(key)
    kept = clipped(message)

    assert message.startswith(kept)
    assert len(kept) <= 200
    assert key in kept or not any(f"{key[:left]}" == kept[-left:] for left in range(2, len(key)))
    assert len(message) <= 200 or key in kept or len(kept) >= min(before, 200)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "y" * 195 + " " + SENT.key}, "y" * 195),
        ({"error": "y" * 195 + SENT.key, "message": "no"}, f"{'y' * 195}: no"),
        ({"message": f"{'y' * 160} {SENT.key} and more and more"}, f"{'y' * 160} {SENT.key} and mo"),
        ({"message": "y" * 300}, "y" * 200),
    ],
)  # fmt: skip
def test_what_a_provider_says_is_cut_between_words_that_may_be_keys(body: dict[str, str], words: str) -> None:
    assert said(reply(400, json.dumps(body).encode())) == f": `{words}`"


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status(status: int) -> None:
    if 200 <= status < 300:
        assert accepted_document("revox", reply(status, b'{"id": 1}')) == {"id": 1}
        return
    with pytest.raises(SendError) as raised:
        accepted_document("revox", reply(status))
    error = raised.value
    assert str(status) in error.message
    if status in REJECTED:
        assert isinstance(error, Rejected)
        assert not error.pause
    elif status in PAUSING:
        assert isinstance(error, Rejected)
        assert error.pause
        assert error.help
    elif status == 429:
        assert isinstance(error, Throttled)
    else:
        assert isinstance(error, InDoubt)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422, 500])
def test_a_look_up_that_fails_proves_nothing(status: int) -> None:
    with pytest.raises(InDoubt):
        answered_document("revox", reply(status))


def test_a_look_up_of_a_refused_account_says_so() -> None:
    with pytest.raises(Rejected) as raised:
        answered_document("revox", reply(401))
    assert raised.value.pause
    with pytest.raises(Throttled):
        answered_document("revox", reply(429))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30),
        ({"retry-after": " 30 "}, 30),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": "86400"}, 3600),
        ({"retry-after": "9" * 400}, 3600),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "\u0663\u0660"}, None),
        ({"retry-after": "Mon, 05 Jan 2026 15:01:00 GMT"}, None),
        ({"retry-after": "Mon, 05 Jan 2026 15:01:00 GMT", "date": "Mon, 05 Jan 2026 15:00:00 GMT"}, 60),
        ({"retry-after": "Mon, 05 Jan 2026 14:00:00 GMT", "date": "Mon, 05 Jan 2026 15:00:00 GMT"}, 0),
        ({"retry-after": "Tue, 06 Jan 2026 15:00:00 GMT", "date": "Mon, 05 Jan 2026 15:00:00 GMT"}, 3600),
        ({"retry-after": "Mon, 05 Jan 2026 15:01:00 GMT", "date": "garbage"}, None),
        ({"retry-after": "Mon, 99 Jan 2026 15:01:00 GMT", "date": "Mon, 05 Jan 2026 15:00:00 GMT"}, None),
    ],
)
@pytest.mark.fault("F10")
def test_retry_after(headers: Any, seconds: Any) -> None:
    assert retry_after(headers) == seconds


@given(st.text(max_size=60), st.text(max_size=60))
@pytest.mark.fault("F10")
def test_retry_after_of_anything(value: Any, date: Any) -> None:
    seconds = retry_after({"retry-after": value, "date": date})

    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>",
        b"[]",
        b'"id"',
        b"null",
        b'{"id":',
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b"\xff\xfe{}",
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "' + b"x" * MAX_BODY + b'"}',
    ],
    ids=lambda body: f"{body[:12]!r}",
)
def test_an_accepted_request_with_an_unreadable_answer_is_in_doubt(body: Any) -> None:
    with pytest.raises(InDoubt):
        accepted_document("revox", reply(201, body))


@pytest.mark.parametrize("depth", [1, 31, 32])
def test_json_that_is_deep_enough(depth: Any) -> None:
    body = b'{"a":' * depth + b"1" + b"}" * depth

    assert decode_object(body) == json.loads(body)


def test_the_providers_own_words_stand_in_the_error_on_one_line() -> None:
    body = json.dumps({"error": "invalid_body", "message": "line\n`two`\x1b[31m"}).encode()
    with pytest.raises(Rejected) as raised:
        accepted_document("revring", reply(400, body))

    assert raised.value.message == "revring answered 400: `invalid_body: line  two  [31m`"


ERROR_BODIES = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "data", "call", "calls", "campaign", "campaigns", "rows", "error", "status", "result", "call_id", "external_id",
                 "metadata", "event", "event_type", "to_phone_number", "toNumber", "recipient_phone", "createdAt", "created_at",
                 "call_order_id", "call_attempts", "last_call_attempt", "hangupCause", "errorMessage", "transcript", "duration", "total"]
            ),
            inner,
            max_size=6,
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: type(provider).__name__)
@given(status=st.integers(100, 599), body=ERROR_BODIES)
def test_any_answer_ends_in_a_receipt_or_a_send_error(provider: Any, status: int, body: Any) -> None:
    try:
        receipt = provider.read_receipt(reply(status, body))
    except SendError:
        return
    assert isinstance(receipt, Receipt)
    assert 200 <= status < 300
    assert receipt.provider_id


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: type(provider).__name__)
@given(status=st.sampled_from([200, 200, 200, 404, 500]), body=ERROR_BODIES, channel=st.sampled_from(["call", "text"]))
def test_any_answer_to_a_look_up_is_read_or_a_send_error(provider: Any, status: int, body: Any, channel: Any) -> None:
    sent = Sent(**{name: getattr(SENT, name) for name in Sent.__slots__} | {"channel": channel})
    for read in (provider.read_poll, provider.read_find):
        try:
            seen = read(sent, reply(status, body))
        except SendError:
            continue
        assert status == 200
        assert seen is not None


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: type(provider).__name__)
@given(body=ERROR_BODIES)
def test_any_webhook_is_read_or_refused(provider: Any, body: Any) -> None:
    try:
        seen = provider.read_webhook({}, body)
    except WebhookRefused:
        return
    assert all(one.provider_id or one.reference for one in seen)


def test_a_webhook_that_is_too_large() -> None:
    for provider in PROVIDERS:
        with pytest.raises(WebhookRefused) as refused:
            provider.read_webhook({}, b" " * (MAX_BODY + 1))
        assert refused.value.status == 413


@given(body=ERROR_BODIES)
def test_whatever_a_webhook_says_can_be_stored(body: Any) -> None:
    for provider in PROVIDERS:
        try:
            seen = provider.read_webhook({}, body)
        except WebhookRefused:
            continue
        for one in seen:
            for text in (one.provider_id, one.reference, one.tag, one.summary, one.transcript, *one.words.values()):
                assert "\x00" not in text
                text.encode("utf-8")


def test_opted_out_is_a_rejection_that_names_its_outcome() -> None:
    assert issubclass(OptedOut, Rejected)
    assert OptedOut.outcome == "opted_out"
