"""What notifications say, how they are signed, when they are tried again."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from runner.errors import NotifyFailed
from runner.model.notification import AboutAttempt, Kind, Notification
from runner.rules.notify import (
    LADDER,
    LONGEST_PAUSE,
    MOST_ASKED,
    after_failure,
    event_problem,
    message_id,
    message_of,
    pause_after,
    secret_bytes,
    signed_headers,
)

NOW = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
PHONE = "+12025550143"
KEY = "0123456789abcdef" * 2


def attempt(reason: str, tag: str = "") -> AboutAttempt:
    return AboutAttempt(
        key=KEY, log_id="a" * 16, contact_key="ann@example.com", phone=PHONE, step="call", number=1, channel="call",
        provider="movoice", account="movoice", sent_at=NOW, ended_at=NOW, outcome="answered", tag=tag,
        summary="Ann comes", reason=reason,
    )  # fmt: skip


def told(kind: Kind = Kind.ATTEMPT_ENDED, tries: int = 0, reason: str = "") -> Notification:
    about = attempt(reason) if kind.value.startswith("attempt") else None
    return Notification(
        id=1, message_id="msg_1", kind=kind, at=NOW, target="crm", campaign="weekly@2026-01-05T17:00Z", tries=tries,
        attempt=about, reason=reason,
    )  # fmt: skip


def test_the_published_vector_is_signed_so() -> None:
    body = b'{"id":"c1","status":"COMPLETED"}'
    headers = signed_headers("msg_1", datetime.fromtimestamp(1_700_000_000, UTC), body, [b"test"])

    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": "v1,FW+XW1L8IazhLGsVTrh9mx1+Ntx031yIe8xQNkeNSI4=",
    }


@given(st.lists(st.binary(min_size=24, max_size=64), min_size=1, max_size=4, unique=True), st.text(max_size=200))
def test_each_secret_proves_the_body(secrets: list[bytes], text: str) -> None:
    now, body = datetime.now(UTC), json.dumps({"text": text}).encode()  # noqa: TID251 the library's own clock
    headers = signed_headers("msg_1", now, body, secrets)

    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"text": text}


@given(st.binary(min_size=24, max_size=64))
def test_secrets_are_read_as_they_are_made(raw: bytes) -> None:
    assert secret_bytes("whsec_" + base64.b64encode(raw).decode()) == raw


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "x" * 40 + "!", base64.b64encode(bytes(23)).decode()])
def test_other_secrets_are_refused_unquoted(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as refused:
        secret_bytes(secret)

    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.TEST])
def test_without_personal_nothing_tells_who_it_was(kind: Kind) -> None:
    words = f"the provider cannot reach {PHONE} or (202) 555-0143 before 2026-01-05, reference {KEY}"
    message = message_of(told(kind, reason=words), personal=False)
    said = json.dumps(message.body, ensure_ascii=False) + message.text

    for part in (PHONE, "2025550143", "555-0143", "ann@example.com", "Ann comes", KEY):
        assert part not in said
    assert not kind.value.startswith("attempt") or message.body["data"]["attempt"] == "a" * 16  # type: ignore[index, call-overload]
    assert message.body["data"]["campaign"] == "weekly"  # type: ignore[index, call-overload]
    assert message.body["data"]["round"] == "weekly@2026-01-05T17:00Z"  # type: ignore[index, call-overload]
    assert kind is Kind.CAMPAIGN_FINISHED or "before 2026-01-05" in json.dumps(message.body)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"CALLBACK {PHONE} {KEY}", f"CALLBACK *** {'a' * 16}"), (f"ref{KEY.upper()}", f"ref{'a' * 16}"),
        (f"call_{'ab' * 16}", "call_***"), (f"the key {KEY[:21]}", f"the key {'a' * 16}"), ("BOOKED", "BOOKED"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Kind.ATTEMPT_ENDED, Kind.ATTEMPT_TAGGED, Kind.ATTEMPT_HELD])
def test_a_providers_words_tell_nobody_who_it_was(kind: Kind, words: str, shown: str) -> None:
    told_of = replace(told(kind), attempt=attempt(words, tag=words))
    message = message_of(told_of, personal=False)
    data = message.body["data"]

    assert isinstance(data, dict)
    assert (data["tag"], data["reason"]) == (shown, shown)
    assert message.text.endswith(f"waits for a person: {shown}" if kind is Kind.ATTEMPT_HELD else f"answered ({shown})")
    personal = message_of(told_of, personal=True).body["data"]
    assert isinstance(personal, dict)
    assert (personal["tag"], personal["reason"]) == (words, words)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('{"to":2025550197}', '{"to":***}'), ("tel:2025550177 busy", "tel:*** busy"),
        ("12025550194x is busy", "***x is busy"), ("+12025550194x12", "***x12"), ("2025550194ext3", "***ext3"),
        ("2025550194: busy", "***: busy"), ("note:2025550194", "note:***"), ("wa.me/12025550194", "wa.me/***"),
        ("202/555/0144 is busy", "*** is busy"), ("-2025550194", "-***"), ("id_12025550194", "id_***"),
        ("2026-12-01 2025550194", "2026-12-01 ***"),
        ("call 3c90c3cc-0d44-4b50-8888-8dd25736052a", "call 3c90c3cc-0d44-4b50-8888-8dd25736052a"),
        ("not before 2026-12-01T16:00:00+01:00", "not before 2026-12-01T16:00:00+01:00"),
        ("1,234,567 are ahead, error 503, 12.50 a call", "1,234,567 are ahead, error 503, 12.50 a call"),
    ],
)  # fmt: skip
def test_a_number_in_a_providers_words_is_hidden_whatever_stands_around_it(words: str, shown: str) -> None:
    data = message_of(told(Kind.ATTEMPT_HELD, reason=words), personal=False).body["data"]

    assert isinstance(data, dict)
    assert data["reason"] == shown


def test_with_personal_the_key_stands_beside_what_the_log_says() -> None:
    data = message_of(told(reason=f"reference {KEY}"), personal=True).body["data"]

    assert isinstance(data, dict)
    assert (data["attempt"], data["key"], data["contact"]) == ("a" * 16, KEY, "ann@example.com")
    assert data["reason"] == f"reference {KEY}"


def test_tries_go_up_the_ladder_and_end() -> None:
    failure = NotifyFailed("it answered 500")
    found = [after_failure(told(tries=tries), failure, NOW) for tries in range(len(LADDER) + 1)]

    assert [one.again_at - NOW for one in found[:-1] if one.again_at] == list(LADDER)
    assert (found[-1].is_dead, found[-1].again_at) == (True, None)


def test_a_receiver_may_ask_to_wait_within_reason() -> None:
    asked = NotifyFailed("it answered 429", retry_after=600)
    forever = NotifyFailed("it answered 503", retry_after=1e9)

    assert after_failure(told(), asked, NOW).again_at == NOW + timedelta(minutes=10)
    assert after_failure(told(), forever, NOW).again_at == NOW + MOST_ASKED
    assert after_failure(told(), NotifyFailed("gone", is_final=True), NOW).is_dead
    assert pause_after(1, asked) == timedelta(minutes=10)
    assert [pause_after(count, NotifyFailed("no")) for count in (1, 2, 10_000)] == [
        timedelta(seconds=1), timedelta(seconds=2), LONGEST_PAUSE,
    ]  # fmt: skip


def test_ids_tell_ledgers_and_happenings_apart() -> None:
    one = ("ledger", "campaign", "attempt.ended", "key", 7)
    others = {message_id(*(*one[:at], f"{one[at]}x", *one[at + 1 :])) for at in range(4)}  # type: ignore[arg-type]

    assert message_id(*one) == message_id(*one)
    assert len({message_id(*one), message_id(*one[:4], 8), *others}) == 6


@pytest.mark.parametrize("word", ["answered", "outcome", "tag", "tag BOOKED", "finished", "doubt_budget", "held"])
def test_what_happens_can_be_named(word: str) -> None:
    assert event_problem(word) is None


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("finish", "did you mean `finished`?"),
        ("doubt_budgets", "did you mean `doubt_budget`?"),
        ("BOOKED", "write: tag BOOKED"),
        ("tag ", "did you mean `tag`?"),
        ("zebra", "an outcome, or one of: outcome, tag, finished, paused, doubt_budget, held, tag BOOKED"),
    ],
)
def test_what_does_not_happen_is_named(word: str, advice: str) -> None:
    assert event_problem(word) == (f"`{word}` is nothing that happens", advice)
