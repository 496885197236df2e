"""Answers to declared providers without a network: what they say, what lists prove, how webhooks are proved."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import InDoubt, NotSent, Rejected, SendError, Throttled, WebhookRefused
from runner.model.http_api import Ruling, Signature
from runner.model.outcome import Outcome
from runner.model.request import Request
from runner.providers.declared import DeclaredProvider
from runner.providers.declared_answers import at
from runner.providers.declared_signatures import is_signed
from tests.providers.declaring import MARK, api, provider
from tests.providers.support import KEY, Answer, MakeSent, asked

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


# ---- what comes back ----


@pytest.mark.parametrize("ruling", get_args(Ruling))
def test_no_ruling_makes_a_status_prove_more_than_it_can(answer: Answer, ruling: Ruling) -> None:
    """Every status from 100 to 599 is declared so, whatever the file's checks say."""
    errors = dict.fromkeys(range(100, 600), ruling)
    one = DeclaredProvider("acme", api().model_copy(update={"errors": errors}))
    usual = provider()
    for status in range(100, 600):
        reply = answer({"data": {"id": "x"}}, status=status)
        if 200 <= status < 300:
            assert one.read_receipt(reply) == usual.read_receipt(reply)
            continue
        with pytest.raises(SendError) as refused:
            one.read_receipt(reply)
        if ruling == "in_doubt" or status == 408 or status >= 500:
            assert isinstance(refused.value, InDoubt)
        assert not isinstance(refused.value, NotSent)


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.b", 1), ("l.0.id", "x"), ("l.1.id", None), ("l.x", None), ("a.b.c", None), ("s.0", None), ("n", None), (None, None)],
)  # fmt: skip
def test_paths_into_answers(path: Any, found: Any) -> None:
    assert at({"a": {"b": 1}, "l": [{"id": "x"}], "s": "text", "n": None}, path) == found


def test_the_id_of_either_channel_is_read_and_two_of_them_are_a_doubt(answer: Answer) -> None:
    text = {"path": "/texts", "id": "note.id", "remaining": "left"}
    one = provider(text=text)

    assert one.read_receipt(answer({"data": {"id": 17}})).provider_id == "17"
    receipt = one.read_receipt(answer({"note": {"id": "n1"}, "left": "0"}, status=201))
    assert (receipt.provider_id, receipt.remaining) == ("n1", 0)
    for body in ({"data": {"id": "a"}, "note": {"id": "b"}}, {"data": {"id": ["a"]}}, {}):
        with pytest.raises(InDoubt):
            one.read_receipt(answer(body))


POLL = {"path": "/calls/{{ id }}", "outcome": "status", "tag": "result", "ended_at": "ended", "opt_out": "dnc"}
WORDS = {"outcomes": {"Done": "answered", "3": "busy", "true": "voicemail"}, "live": "queued, ringing"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("done", Outcome.ANSWERED), ("DONE", Outcome.ANSWERED), (3, Outcome.BUSY), (True, Outcome.VOICEMAIL),
        ("Queued", None), ("ringing", None),
    ],
)  # fmt: skip
def test_words_of_a_poll(sent: MakeSent, answer: Answer, status: Any, outcome: Any) -> None:
    one = provider(poll=POLL, **WORDS)
    told = {"status": status, "result": "BOOKED", "ended": "2026-01-05T15:00:00Z", "dnc": True}
    seen = one.read_poll(sent(), answer(told))

    assert (seen.outcome, seen.tag, seen.provider_id, seen.opt_out) == (outcome, "BOOKED", "id_1", True)
    assert seen.ended_at == NOW


@pytest.mark.parametrize("status", ["paused", "", None, {}, ["done"]])
def test_words_that_are_not_declared_end_nothing(sent: MakeSent, answer: Answer, status: Any) -> None:
    with pytest.raises(InDoubt):
        provider(poll=POLL, **WORDS).read_poll(sent(), answer({"status": status}))


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_look_up_that_fails_proves_nothing(sent: MakeSent, answer: Answer, status: int) -> None:
    find = {"path": "/c?r={{ reference }}", "id": "id", "reference": "ref"}
    one = provider(poll=POLL, find=find, errors={"410": "invalid_number", "423": "throttled", "402": "pause"}, **WORDS)

    for read in (one.read_poll, one.read_find):
        with pytest.raises(InDoubt):
            read(sent(), answer({}, status=status))
        with pytest.raises(Throttled):
            read(sent(), answer({}, status=423))
        with pytest.raises(Rejected) as paused:
            read(sent(), answer({}, status=402))
        assert paused.value.pause


def test_a_poll_that_needs_no_id_asks_by_the_reference(sent: MakeSent) -> None:
    one = provider(poll={**POLL, "path": "/calls/{{ reference }}"}, headers={"X-Tenant": "7"}, **WORDS)

    assert one.poll_request(sent(provider_id="")) == Request(
        method="GET", path=f"/calls/{KEY}", headers={"X-Tenant": "7"}
    )
    assert provider(poll=POLL, **WORDS).poll_request(sent(provider_id="")) is None
    assert asked(provider(poll=POLL, **WORDS).poll_request(sent(provider_id="a/../b"))).path == "/calls/a%2F..%2Fb"


# ---- finding again ----


def finding(**more: Any) -> DeclaredProvider:
    return provider(find={"path": "/c?r={{ reference }}&p={{ page }}", "items": "data", "id": "id", **more})


BY_KEY = {"reference": "meta.ref"}
BY_NUMBER = {"phone": "to", "created_at": "at"}
MINE = {"id": "c1", "to": "12025550101", "at": "2026-01-05T15:00:02Z", "meta": {"ref": KEY}}
LATER = {**MINE, "id": "c2", "at": "2026-01-05T17:00:00Z", "meta": {"ref": "f" * 32}}
STRANGER = {**MINE, "id": "c3", "to": "+1 202 555 0199", "meta": {}}
UNMARKED = {**MINE, "id": "c4", "meta": None}


@pytest.mark.parametrize(
    ("find", "items", "found"),
    [
        (BY_KEY, [LATER, MINE], "c1"),
        (BY_KEY, [LATER], ""),
        (BY_KEY, [], ""),
        (BY_KEY, [UNMARKED], None),
        (BY_KEY | BY_NUMBER, [STRANGER, LATER], ""),
        (BY_KEY | BY_NUMBER, [STRANGER, MINE], "c1"),
        (BY_KEY | BY_NUMBER, [UNMARKED, STRANGER], "c4"),
        (BY_NUMBER, [MINE, STRANGER, LATER], "c1"),
        (BY_NUMBER, [STRANGER, LATER], ""),
        (BY_NUMBER, [MINE, UNMARKED], None),
        (BY_NUMBER, [{**MINE, "to": None}], None),
        (BY_NUMBER, [{**MINE, "at": "soon"}], None),
        (BY_NUMBER, [{**MINE, "id": None}], None),
    ],
)
def test_what_a_list_proves(sent: MakeSent, answer: Answer, find: Any, items: Any, found: Any) -> None:
    one = finding(**find, more="more")
    reply = answer({"data": items, "more": False})
    if found is None:
        with pytest.raises(InDoubt):
            one.read_find(sent(), reply)
    else:
        assert (one.read_find(sent(), reply).provider_id, one.read_find(sent(), reply).more) == (found, False)


@pytest.mark.parametrize("listing", [None, "text", {"id": "c1"}, 7])
def test_what_is_no_list_proves_nothing(sent: MakeSent, answer: Answer, listing: Any) -> None:
    with pytest.raises(InDoubt):
        finding(**BY_KEY).read_find(sent(), answer({"data": listing}))


@pytest.mark.parametrize(
    ("more", "answered", "goes_on"),
    [
        ({"more": "next"}, {"data": [LATER], "next": "/c?p=2"}, True),
        ({"more": "next"}, {"data": [LATER], "next": None}, False),
        ({"more": "page.more"}, {"data": [LATER], "page": {"more": True}}, True),
        ({}, {"data": [LATER]}, True),
        ({}, {"data": []}, False),
    ],
)
def test_pages(sent: MakeSent, answer: Answer, more: Any, answered: Any, goes_on: bool) -> None:
    one = finding(**BY_KEY, **more)

    assert one.read_find(sent(), answer(answered)).more is goes_on
    assert asked(one.find_request(sent(), 2)).path == f"/c?r={KEY}&p=2"


def test_an_answer_that_hides_whether_it_goes_on_proves_nothing(sent: MakeSent, answer: Answer) -> None:
    with pytest.raises(InDoubt):
        finding(**BY_KEY, more="next").read_find(sent(), answer({"data": []}))


def test_a_look_up_of_one_page_has_one_page_and_may_be_a_bare_list(sent: MakeSent, answer: Answer) -> None:
    find = {"method": "POST", "path": "/search", "body": {"ref": MARK, "to": "{{ phone }}"}, "id": "id"}
    one = provider(find={**find, "reference": "meta.ref"})
    request = asked(one.find_request(sent(provider_id=""), 0))

    assert (request.method, request.body) == ("POST", {"ref": KEY, "to": "+12025550101"})
    assert one.find_request(sent(), 1) is None
    assert one.read_find(sent(), answer([MINE])).provider_id == "c1"
    assert not one.read_find(sent(), answer([])).found
    for body in ({"data": [MINE]}, b"", b'[] , "x": 1', b"null"):
        with pytest.raises(InDoubt):
            one.read_find(sent(), answer(body))


# ---- proof of webhooks ----


BODY = b'{"id": "c1"}'
SECRET = "acme-signing-secret"


def digest(message: bytes, key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, message, "sha256").digest()


@pytest.mark.parametrize(
    ("rule", "headers"),
    [
        ({"header": "X-Sig"}, {"x-sig": digest(BODY).hex()}),
        ({"header": "X-Sig"}, {"x-sig": digest(BODY).hex().upper()}),
        ({"header": "X-Sig", "prefix": "sha256="}, {"x-sig": "sha256=" + digest(BODY).hex()}),
        ({"header": "X-Sig", "encoding": "base64"}, {"x-sig": base64.b64encode(digest(BODY)).decode()}),
        (
            {"header": "X-Sig", "over": "timestamp.body", "timestamp": "X-At"},
            {"x-at": "1767625200", "x-sig": digest(b"1767625200." + BODY).hex()},
        ),
        (
            {"scheme": "standard"},
            {
                "webhook-id": "m1", "webhook-timestamp": "1767625200",
                "webhook-signature": "v1,AAAA v1," + base64.b64encode(digest(b"m1.1767625200." + BODY)).decode(),
            },
        ),
    ],
)  # fmt: skip
def test_signatures_that_hold(rule: Any, headers: Any) -> None:
    signed = Signature.model_validate(rule)
    secret = SECRET if rule.get("scheme") != "standard" else "whsec_" + base64.b64encode(SECRET.encode()).decode()
    assert int(NOW.timestamp()) == 1767625200

    assert is_signed(signed, headers, BODY, secret, NOW)
    assert is_signed(signed, headers, BODY, f"old {secret}", NOW)
    assert not is_signed(signed, headers, BODY + b" ", secret, NOW)
    assert not is_signed(signed, headers, BODY, "other-secret", NOW)
    assert not is_signed(signed, headers, BODY, "", NOW)
    assert not is_signed(signed, {}, BODY, secret, NOW)
    assert not is_signed(Signature(scheme="none"), headers, BODY, secret, NOW)
    timed = any("at" in name or "timestamp" in name for name in headers)
    assert is_signed(signed, headers, BODY, secret, NOW + timedelta(seconds=301)) is not timed
    assert is_signed(signed, headers, BODY, secret, NOW - timedelta(seconds=300))


@given(st.integers(min_value=0, max_value=255), st.binary(max_size=40))
def test_one_bit_more_or_less_and_it_does_not_hold(bit: int, body: bytes) -> None:
    right = digest(body)
    flipped = bytearray(right)
    flipped[bit // 8] ^= 1 << bit % 8
    rule = Signature(header="X-Sig")

    assert is_signed(rule, {"x-sig": right.hex()}, body, SECRET, NOW)
    assert not is_signed(rule, {"x-sig": flipped.hex()}, body, SECRET, NOW)


@given(st.dictionaries(st.sampled_from(["x-sig", "x-at"]), st.text(max_size=80)), st.binary(max_size=80))
def test_nonsense_is_never_proof_and_never_an_error(headers: dict[str, str], body: bytes) -> None:
    for rule in (
        Signature(header="X-Sig", encoding="base64"),
        Signature(header="X-Sig", over="timestamp.body", timestamp="X-At"),
        Signature(scheme="standard"),
    ):
        assert not is_signed(rule, headers, body, SECRET, NOW)


# ---- calling off, texts of people, trying a key ----


@pytest.mark.parametrize(("status", "done"), [(200, True), (204, True), (404, False), (409, False), (422, False)])
def test_calling_off(sent: MakeSent, answer: Answer, status: int, done: bool) -> None:
    one = provider(cancel={"method": "DELETE", "path": "/calls/{{ id }}"}, errors={"402": "pause"})

    assert one.cancel_request(sent()) == Request(method="DELETE", path="/calls/id_1")
    assert one.cancel_request(sent(provider_id="")) is None
    assert provider().cancel_request(sent()) is None
    assert one.read_cancel(answer(b"", status=status)) is done
    for unclear in (402, 429, 500):
        with pytest.raises(SendError):
            one.read_cancel(answer({}, status=unclear))


INBOUND = {"from": "msg.from", "body": "msg.text", "to": "msg.to", "id": "msg.id", "at": "msg.sent"}


def test_texts_of_people_are_read_where_they_are_declared() -> None:
    one = provider(inbound=INBOUND)
    body = b'{"msg": {"from": "12025550101", "text": "STOP", "to": "+12025550190", "id": 7, "sent": 1767625200}}'
    (text,) = one.read_inbound({}, body)

    assert (text.from_number, text.body, text.to_number, text.provider_id, text.at) == (
        "+12025550101", "STOP", "+12025550190", "7", NOW,
    )  # fmt: skip
    for other in (b"{}", b'{"msg": {"from": "", "text": "STOP"}}', b'{"msg": {"from": "12025550101", "text": null}}'):
        assert one.read_inbound({}, other) == ()
    with pytest.raises(WebhookRefused):
        one.read_inbound({}, b"[")
    (plain,) = provider().read_inbound({}, b'{"from": "+12025550101", "to": "", "body": "stop"}')
    assert (plain.from_number, plain.body) == ("+12025550101", "stop")


def test_a_key_is_tried_by_a_path_of_its_own(answer: Answer) -> None:
    one = provider(check="/me", headers={"X-Tenant": "7", "X-Ref": MARK})

    assert one.credential_check() == Request(method="GET", path="/me", headers={"X-Tenant": "7"})
    assert provider().credential_check() is None
    assert one.read_credential_check(answer({}))
    assert not one.read_credential_check(answer({}, status=401))
