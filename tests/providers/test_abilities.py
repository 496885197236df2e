"""What some providers can do besides: calling off, checking a key, asking for many, free lines, lists of numbers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.errors import FilesWrong, InDoubt, Rejected, SendError, Throttled, UsageWrong
from runner.model.outcome import Outcome
from runner.ports import ListedNumbers
from runner.providers import revox_reports, revring_account
from runner.providers.movoice import Movoice, MovoiceApp
from runner.providers.revmo import Revmo
from runner.providers.revox import Revox, RevoxD
from runner.providers.revox_do_not_call import RevoxDoNotCall
from runner.providers.revox_reports import Export
from runner.providers.revring import Revring, RevringSeed
from runner.providers.revring_account import RevringBatch, RevringLines, Signing
from runner.providers.revring_do_not_call import RevringDoNotCall
from tests.providers.support import Answer, Example, MakeOrder, MakeSent, asked, body_of

CALL_ID = "a3c18021-192f-465e-87b5-5af428f29e81"
NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
NUMBERS = RevringDoNotCall()


@pytest.mark.parametrize(
    ("provider", "changes", "path"),
    [
        (Revring(), {}, "/calls/a%2Fb/cancel"),
        (Revring(), {"channel": "text"}, None),
        (Revox(), {}, "/call/a%2Fb/cancel"),
        (RevoxD(), {}, "/call/a%2Fb/cancel"),
        (Movoice(), {}, None),
        (Revmo(), {}, None),
        (Revmo(), {"channel": "text"}, None),
    ],
)
def test_calling_off(sent: MakeSent, provider: Any, changes: Any, path: Any) -> None:
    request = provider.cancel_request(sent(provider_id="a/b", **changes))

    assert (request and request.path) == path
    assert request is None or (request.method, request.body) == ("POST", None)
    assert provider.cancel_request(sent(provider_id="", **changes)) is None


def test_hanging_up(sent: MakeSent) -> None:
    assert asked(Revring().end_request(sent())).path == "/calls/id_1/end"
    assert Revring().end_request(sent(channel="text")) is None


@pytest.mark.parametrize(
    ("provider", "name", "status", "done"),
    [
        (Revring(), "revring.call.cancel.response.200", 200, True),
        (Revring(), "revring.call.cancel.response.400", 400, False),
        (Revring(), "revring.call.end.response.202", 202, True),
        (Revring(), "revring.call.end.response.409", 409, False),
        (Revring(), "revring.call.create.response.404", 404, False),
        (Revox(), "revox.call.cancel.response", 200, True),
        (Revox(), "revox.campaign.cancel.response", 200, True),
        (Revox(), "revox.error", 404, False),
    ],
)
def test_whether_it_was_called_off(
    example: Example, answer: Answer, provider: Any, name: str, status: int, done: bool
) -> None:
    assert provider.read_cancel(answer(example(name), status=status)) is done


@pytest.mark.parametrize(
    ("provider", "status", "error"),
    [
        *((provider, 500, InDoubt) for provider in (Revring(), Revox(), Movoice(), Revmo())),
        (Revring(), 401, Rejected),
        (Revox(), 429, Throttled),
        (Movoice(), 200, InDoubt),
        (Revmo(), 200, InDoubt),
    ],
)
def test_answers_about_calling_off_that_say_nothing(answer: Answer, provider: Any, status: int, error: Any) -> None:
    with pytest.raises(error):
        provider.read_cancel(answer({}, status=status))


def test_a_denial_is_no_success(answer: Answer) -> None:
    assert not Revox().read_cancel(answer({"success": False}))


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        (Revring(), "/analytics/active"), (RevringSeed(), "/analytics/active"), (Revox(), "/auth-status"),
        (RevoxD(), "/auth-status"), (Movoice(), "/calls?limit=1"), (MovoiceApp(), "/calls?page=1&per_page=1"), (Revmo(), None),
    ],
)  # fmt: skip
def test_checking_a_key_reads_as_little_as_can_be(provider: Any, path: Any) -> None:
    request = provider.credential_check()

    assert (request and request.path) == path
    assert request is None or (request.method, request.body) == ("GET", None)


@pytest.mark.parametrize(
    ("provider", "status", "body", "taken"),
    [
        (Revring(), 200, {"data": {"activeCalls": 0}}, True),
        (Movoice(), 200, {"calls": []}, True),
        (Revox(), 200, {"authenticated": True}, True),
        (Revox(), 200, {"authenticated": False}, False),
        (Revox(), 200, {}, False),
        *((provider, status, {}, False) for provider in (Revring(), Movoice(), Revox()) for status in (401, 403)),
    ],
)
def test_whether_a_key_is_taken(answer: Answer, provider: Any, status: int, body: Any, taken: bool) -> None:
    assert provider.read_credential_check(answer(body, status=status)) is taken


@pytest.mark.parametrize("provider", [Revring(), Movoice(), Revox(), Revmo()])
@pytest.mark.parametrize("status", [402, 404, 429, 500, 302])
def test_checks_that_say_nothing_about_the_key(answer: Answer, provider: Any, status: int) -> None:
    with pytest.raises(SendError):
        provider.read_credential_check(answer({}, status=status))


def test_many_calls_at_once(example: Example, answer: Answer) -> None:
    wanted = example("revring.call.batch_get.request")
    request = RevringBatch(minimal=True).request([*wanted["ids"], wanted["ids"][0]])

    assert (request.method, request.path) == ("POST", "/calls/batch-get")
    assert request.body == wanted
    assert body_of(RevringBatch().request(["a"])) == {"ids": ["a"], "minimal": False}
    seen = RevringBatch().read(answer(example("revring.call.batch_get.response")))
    assert set(seen) == {CALL_ID}
    assert (seen[CALL_ID].outcome, seen[CALL_ID].provider_id) == (Outcome.ANSWERED, CALL_ID)
    with pytest.raises(InDoubt):
        RevringBatch().read(answer({"data": None}))
    for ids in ([], [str(number) for number in range(101)]):
        with pytest.raises(ValueError, match="1 to 100"):
            RevringBatch().request(ids)


def test_free_lines(example: Example, answer: Answer) -> None:
    assert RevringLines().request() == Revring().credential_check()
    assert RevringLines().read(answer(example("revring.analytics.active.response"))) == 6
    for body in ({}, {"data": {"concurrency": {"active": 1, "limit": 2}}}):
        with pytest.raises(InDoubt):
            RevringLines().read(answer(body))


def test_whether_webhooks_are_signed(example: Example, answer: Answer) -> None:
    body = example("revring.webhook.signing_secret.response")

    assert (revring_account.signing_request().method, revring_account.signing_request().path) == (
        "GET", "/webhooks/signing-secret",
    )  # fmt: skip
    seen = revring_account.read_signing(answer(body, status=201))
    assert seen == Signing(is_on=True, last4="0000")
    assert body["data"]["secret"] not in repr(seen)
    with pytest.raises(InDoubt):
        revring_account.read_signing(answer({"data": {}}))


def test_numbers_that_must_not_be_called(example: Example, answer: Answer) -> None:
    number = "+12025550103"
    request = NUMBERS.add_request([number], "asked not to be called")

    assert Revring().do_not_call == NUMBERS
    assert RevringSeed().do_not_call is None
    assert (request.method, request.path, request.body) == ("POST", "/do-not-call", example("revring.dnc.add.request"))
    NUMBERS.read_added(answer(example("revring.dnc.add.response.201"), status=201))
    with pytest.raises(InDoubt):
        NUMBERS.read_added(answer({"data": {}}, status=201))
    listed = NUMBERS.read_list(answer(example("revring.dnc.list.response")), 0)
    assert (listed.numbers, listed.more) == ((number,), False)
    removal = NUMBERS.remove_request(number)
    assert (removal.method, removal.path) == ("DELETE", "/do-not-call/%2B12025550103")
    assert NUMBERS.read_removed(answer({"data": {}}))
    assert NUMBERS.read_removed(answer(b"", status=204))
    assert not NUMBERS.read_removed(answer({"error": "not_found"}, status=404))


@pytest.mark.parametrize(
    ("count", "total", "page", "more"),
    [(500, 501, 0, True), (1, 501, 1, False), (500, 500, 0, False), (500, None, 0, True), (499, None, 0, False)],
)
def test_pages_of_the_list(answer: Answer, count: int, total: Any, page: int, more: bool) -> None:
    numbers = [{"e164": f"+1202555{number:04}"} for number in range(count)]
    listed = NUMBERS.read_list(answer({"data": numbers, "total": total}), page)

    assert (len(listed.numbers), listed.more) == (count, more)
    assert parse_qs(urlsplit(NUMBERS.list_request(page).path).query) == {"page": [str(page + 1)], "pageSize": ["500"]}


def test_whom_revox_must_not_call(example: Example, answer: Answer) -> None:
    body = example("revox.phone_history.response")
    listing = RevoxDoNotCall()
    assert listing.list_request(0).path == "/calls/phone-history"
    assert listing.read_list(answer(body), 0).numbers == ()

    body["phone_history"]["+12025550103"] = {"do_not_contact": True}
    body["phone_history"]["+12025550104"] = {"do_not_contact": "true"}
    body["phone_history"]["anonymous"] = {"do_not_contact": True}
    assert listing.read_list(answer(body), 0) == ListedNumbers(numbers=("+12025550103",), more=False)
    assert listing.read_list(answer({"error": "not found"}, status=404), 0).numbers == ()
    for trouble in (answer({"phone_history": []}), answer({}), answer({}, status=500), answer({}, status=401)):
        with pytest.raises(SendError):
            listing.read_list(trouble, 0)
    with pytest.raises(UsageWrong):
        listing.add_request(["+12025550103"], "asked")


def test_an_export(example: Example, answer: Answer) -> None:
    request = revox_reports.export_request(["camp_0001"])

    assert (request.method, request.path) == ("POST", "/call/export")
    assert request.body == example("revox.call.export.request")
    seen = revox_reports.read_export(answer(example("revox.call.export.response")))
    assert seen == Export(csv="id,phone_number\natt_1,+12025550101\n", filename="calls.csv")
    with pytest.raises(InDoubt):
        revox_reports.read_export(answer({"filename": "calls.csv"}))


def test_dials_as_generation_a_lists_them(example: Example, answer: Answer) -> None:
    (seen,) = revox_reports.read_attempts(answer(example("revox.call.list.response.gen_A")))

    assert revox_reports.attempts_request(0).path == "/call?page=1&page_size=100"
    assert (seen.provider_id, seen.outcome, seen.structured, seen.calls) == (
        "att_1", Outcome.ANSWERED, {"confirmed": True}, 1,
    )  # fmt: skip
    with pytest.raises(InDoubt):
        revox_reports.read_attempts(answer({}))


BODY = b'{"event_type":"call.completed","call_id":"call_998877"}'
DIGEST = hmac.new(b"s3cret", BODY, hashlib.sha256).digest()


@pytest.mark.parametrize("provider", [Movoice(), MovoiceApp()])
@pytest.mark.parametrize("prefix", ["", "sha256="])
@pytest.mark.parametrize(
    "text", [DIGEST.hex(), DIGEST.hex().upper(), base64.b64encode(DIGEST).decode()], ids=["hex", "HEX", "base64"]
)
def test_every_usual_way_of_writing_a_signature(provider: Any, prefix: str, text: str) -> None:
    headers = {"x-movoice-signature": prefix + text}

    assert provider.verify_webhook(headers, BODY, "s3cret", NOW)
    assert provider.verify_webhook(headers, BODY, "new s3cret", NOW)
    assert not provider.verify_webhook(headers, BODY, "", NOW)
    assert not provider.verify_webhook(headers, BODY, "other", NOW)
    assert not provider.verify_webhook(headers, BODY + b" ", "s3cret", NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "", "sha256=", "x", "é" * 64, "0" * 64, "=" * 44, DIGEST.hex()[:-1], DIGEST.hex()[:-1] + "g",
        "sha1=" + DIGEST.hex(), base64.b64encode(DIGEST).decode()[:-4], base64.b64encode(DIGEST + b"x").decode(),
    ],
)  # fmt: skip
def test_forged_signatures(signature: str) -> None:
    assert not Movoice().verify_webhook({"x-movoice-signature": signature}, BODY, "s3cret", NOW)


def test_every_bit_of_a_signature_counts() -> None:
    for bit in range(256):
        forged = (int.from_bytes(DIGEST, "big") ^ 1 << bit).to_bytes(32, "big").hex()
        assert not Movoice().verify_webhook({"x-movoice-signature": forged}, BODY, "s3cret", NOW)


def test_lists_of_the_other_host(sent: MakeSent, answer: Answer) -> None:
    url = urlsplit(asked(MovoiceApp().find_request(sent(), 1)).path)
    calls = [{"call_id": "c", "created_at": 1767625201, "recipient_phone": "+12025550101"}]

    assert parse_qs(url.query) == {
        "agent_id": ["agent_1"], "from": ["1767625140"], "to": ["1767626100"], "page": ["2"], "per_page": ["20"],
    }  # fmt: skip
    assert MovoiceApp().read_find(sent(), answer({"data": {"calls": calls}})).provider_id == "c"
    other = [{**calls[0], "recipient_phone": "+12025550102"}] * 20
    assert MovoiceApp().read_find(sent(), answer({"data": other})).more
    assert not MovoiceApp().read_find(sent(), answer({"data": other[:19]})).more


def test_what_an_action_was_told(example: Example) -> None:
    (seen,) = Movoice().read_webhook({}, json.dumps(example("movoice.webhook.action_triggered")).encode())

    assert (seen.outcome, seen.words["action_name"]) == (None, "book_appointment")
    assert seen.structured == {"date": "2026-01-09", "time": "14:00", "patient_name": "Ana"}


@pytest.mark.parametrize("provider", [Revmo(), Revring(), Revox(), RevoxD(), Movoice()])
def test_nobody_goes_into_a_campaign_alone(order: MakeOrder, provider: Any) -> None:
    with pytest.raises(FilesWrong) as wrong:
        provider.build(order(delivery="native", from_number="+12025550190"))

    assert "delivery: single" in wrong.value.diagnostics[0].help


@pytest.mark.parametrize("options", [{"voicemailStrategy": "agent"}, {"defaultVariables": {"a": 1}}])
def test_options_of_revrings_campaigns_belong_to_them(order: MakeOrder, options: Any) -> None:
    with pytest.raises(FilesWrong):
        Revring().build(order(from_number="+12025550190", options=options))


def test_an_older_revox_is_told_to_call_now(example: Example, order: MakeOrder) -> None:
    wanted = example("revox.call.create.request.gen_old")
    options = {name: wanted[name] for name in ("force_now", "concurrency", "scheduled_at")}

    assert body_of(Revox().build(order(agent_id=wanted["assistant_id"], options=options))) == wanted


def test_a_text_that_continues_a_conversation(example: Example, order: MakeOrder) -> None:
    wanted = example("revring.message.send.request.generated")
    options = {"messages": wanted["messages"], "smsPrompt": wanted["smsPrompt"]}
    request = Revring().build(order(channel="text", agent_id=wanted["agentId"], options=options))

    assert json.dumps(request.body) == json.dumps(wanted)
