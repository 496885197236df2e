"""Declared providers without a network: what their templates give, what they can do, which options they take."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.errors import FilesWrong, InDoubt, UsageWrong, WebhookRefused
from runner.model.campaign import Agent
from runner.model.http_fields import base_url_problem, key_variable
from runner.model.project import Account
from runner.providers.registry import all_providers, provider_for
from tests.providers.declaring import MARK, api, calling, provider
from tests.providers.support import KEY, Answer, MakeOrder, MakeSent, body_of

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


# ---- what is sent ----


BODIES: list[tuple[Any, dict[str, Any], Any]] = [
    ({"to": "{{ phone }}"}, {}, {"to": "+12025550101"}),
    ({"to": "{{ phone | replace('+', '') }}"}, {}, {"to": "12025550101"}),
    ({"to": "tel:{{ phone }}"}, {}, {"to": "tel:+12025550101"}),
    ({"v": "{{ variables }}"}, {"variables": {"a": 1, "b": [True, None]}}, {"v": {"a": 1, "b": [True, None]}}),
    ({"v": "{{ variables.a }}"}, {"variables": {"a": 1.5}}, {"v": 1.5}),
    ({"v": "{{ variables.a }}"}, {"variables": {"a": False}}, {"v": False}),
    ({"v": "{{ variables.a }}"}, {"variables": {"a": 0}}, {"v": 0}),
    ({"v": "is {{ variables.a }}"}, {"variables": {"a": True}}, {"v": "is true"}),
    ({"v": "{{ variables }}", "w": "x"}, {}, {"w": "x"}),
    ({"v": "{{ variables.a }}", "w": "x"}, {"variables": {"b": 1}}, {"w": "x"}),
    ({"v": "a {{ variables.a }} b", "w": "x"}, {}, {"w": "x"}),
    ({"v": "{{ variables.a | upper }}", "w": "x"}, {}, {"w": "x"}),
    ({"v": "{{ variables.a | default('none') }}"}, {}, {"v": "none"}),
    ({"from": "{{ from }}"}, {"from_number": "+12025550190"}, {"from": "+12025550190"}),
    ({"from": "{{ from }}", "w": "x"}, {}, {"w": "x"}),
    ({"caller": {"number": "{{ from }}"}, "w": "x"}, {}, {"w": "x"}),
    ({"caller": {"number": "{{ from }}", "name": "us"}}, {}, {"caller": {"name": "us"}}),
    ({"to": ["{{ phone }}", "{{ from }}"]}, {}, {"to": ["+12025550101"]}),
    ({"cc": ["{{ from }}"], "w": "x"}, {}, {"w": "x"}),
    ({"empty": {}, "none": None, "list": []}, {}, {"empty": {}, "none": None, "list": []}),
    ({"n": "{{ 3 }}", "f": "{{ -0.5 }}", "y": "{{ true }}", "z": "{{ null }}"}, {}, {"n": 3, "f": -0.5, "y": True, "z": None}),
    ({"n": "3", "y": "true"}, {}, {"n": "3", "y": "true"}),
    ({"p": "{{ options.level }}"}, {"options": {"level": 4}}, {"p": 4}),
    ({"p": "{{ options.level }}"}, {}, {"p": 2}),
    ({"p": "{{ options.note }}", "w": "x"}, {}, {"w": "x"}),
    ({"p": "{{ options.note }}", "w": "x"}, {"options": {"note": None}}, {"w": "x"}),
    ({"p": "{{ options }}"}, {"options": {"note": "a"}}, {"p": {"level": 2, "note": "a"}}),
    ({"p": "{{ agent }} {{ campaign }} {{ channel }}"}, {}, {"p": "agent_1 renewals call"}),
    ({"meta": {"ref": MARK, "id": "x-{{ reference }}"}}, {}, {"meta": {"ref": KEY, "id": f"x-{KEY}"}}),
    ({"meta": {"ref": "{{reference}}"}}, {}, {"meta": {"ref": KEY}}),
    ({"refs": [MARK]}, {}, {"refs": [KEY]}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "changes", "sent"), BODIES)
def test_what_a_body_gives(order: MakeOrder, body: Any, changes: Any, sent: Any) -> None:
    rules = {"level": {"type": "integer", "default": "2"}, "note": {}}
    one = calling(body, options=rules)
    planned = one.build(order(**changes))

    stamped = one.stamp(planned, KEY, in_body=False)
    # As text, so that the order of keys and the difference between 0, false and "false" count.
    assert json.dumps(stamped.body) == json.dumps(sent)
    assert stamped.headers == {"Idempotency-Key": KEY}
    assert KEY not in json.dumps(planned.body)
    assert planned.headers == {}


def test_a_planned_request_is_the_same_for_every_key(order: MakeOrder) -> None:
    one = calling({"ref": MARK, "to": "{{ phone }}"}, path="/calls/{{ reference }}")
    planned = one.build(order())

    assert planned == one.build(order())
    assert (planned.path, body_of(planned)["ref"]) == ("/calls/%7B%7B%20reference%20%7D%7D", MARK)
    for key in (KEY, "f" * 32):
        stamped = one.stamp(planned, key, in_body=True)
        assert (stamped.path, body_of(stamped)["ref"]) == (f"/calls/{key}", key)


@pytest.mark.parametrize(
    ("header", "headers", "sent"),
    [
        (None, {}, {"Idempotency-Key": KEY}),
        ("X-Request-Id", {"X-Tenant": "7"}, {"X-Tenant": "7", "X-Request-Id": KEY}),
        ("none", {"X-Tenant": "7"}, {"X-Tenant": "7"}),
        ("none", {"X-Ref": "call {{ reference }}"}, {"X-Ref": f"call {KEY}"}),
    ],
)
def test_headers(order: MakeOrder, header: Any, headers: Any, sent: Any) -> None:
    named = {} if header is None else {"idempotency_header": header}
    one = provider(headers=headers, **named)

    assert one.stamp(one.build(order()), KEY, in_body=True).headers == sent


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ({}, {"Authorization": "Bearer k"}),
        ("X-Acme-Key", {"X-Acme-Key": "k"}),
        ("authorization", {"authorization": "Bearer k"}),
        ({"header": "X-Acme-Key", "scheme": "Token"}, {"X-Acme-Key": "Token k"}),
        ({"scheme": "Basic"}, {"Authorization": "Basic k"}),
    ],
)
def test_where_the_key_stands(auth: Any, sent: Any) -> None:
    assert provider(auth=auth).auth_headers("k") == sent


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_a_value_never_leaves_its_place_in_a_path(value: str) -> None:
    one = calling({}, path="/people/{{ variables.x }}/calls?to={{ variables.x }}&b=1")
    order = _order(variables={"x": value})
    url = urlsplit(f"https://api.acme.test{one.build(order).path}")

    _, people, inside, calls = url.path.split("/")
    assert (people, unquote(inside), calls) == ("people", value, "calls")
    assert inside not in {".", ".."}
    assert [unquote(part) for part in url.query.split("&")] == [f"to={value}", "b=1"]
    assert url.fragment == ""


def _order(**changes: Any) -> Any:
    from runner.model.request import Order  # noqa: PLC0415 beside the fixture, which Hypothesis cannot use

    return Order(campaign="renewals", channel="call", agent_id="agent_1", phone="+12025550101", **changes)


def test_a_path_that_lacks_a_value_is_refused(order: MakeOrder) -> None:
    with pytest.raises(FilesWrong, match="`from`"):
        calling({}, path="/lines/{{ from }}/calls").build(order())


def test_a_template_that_cannot_be_worked_out_is_refused(order: MakeOrder) -> None:
    with pytest.raises(FilesWrong, match="is not a number"):
        calling({"n": "{{ variables.n | int }}"}).build(order(variables={"n": "many"}))


def test_a_channel_that_is_not_declared(order: MakeOrder) -> None:
    one = provider()

    assert one.capabilities.channels == {"call"}
    with pytest.raises(UsageWrong, match="acme sends no texts"):
        one.build(order(channel="text"))
    with pytest.raises(UsageWrong, match="acme sends no texts"):
        one.options_model("text")


# ---- what it can do ----


def test_missing_blocks_are_missing_abilities(sent: MakeSent, answer: Answer) -> None:
    one = provider()

    assert (one.capabilities.poll, one.capabilities.find, one.capabilities.takes_from) == (False, "none", False)
    assert one.poll_request(sent()) is None
    assert one.find_request(sent(), 0) is None
    with pytest.raises(InDoubt):
        one.read_poll(sent(), answer({}))
    with pytest.raises(InDoubt):
        one.read_find(sent(), answer({}))
    with pytest.raises(WebhookRefused):
        one.read_webhook({}, b"{}")
    assert not one.verify_webhook({}, b"", "secret", NOW)


def test_what_is_declared_is_told() -> None:
    find = {"path": "/c?page={{ page }}", "id": "id", "phone": "to", "created_at": "at"}
    one = calling({"from": "{{ from }}"}, find=find, needs_from="true", poll={"path": "/c", "outcome": "s"})
    can = one.capabilities

    assert (can.poll, can.find, can.takes_from, can.needs_from) == (True, "number", True, True)
    assert one.agent_problem(Agent(provider="acme", id="two words")) is not None
    assert one.agent_problem(Agent(provider="acme", id="assistant-7")) is None


def test_the_registry_builds_it_from_the_account() -> None:
    account = Account(name="main", provider="acme", base_url="https://x.test", credential="env:K", api=api())

    assert provider_for(account).name == "acme"
    assert list(all_providers({"acme": api(), "revox": api()})) == ["revmo", "revring", "revox", "movoice", "acme"]
    assert type(all_providers({"revox": api()})["revox"]).__name__ == "Revox"


# ---- options ----


RULES = {
    "priority": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How soon it is dialled."},
    "ratio": {"type": "number", "maximum": "0.5"},
    "record": {"type": "boolean"},
    "voice": {"one_of": "low, high"},
    "copy": {"maximum": 3, "default": "no"},
}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"priority": "3"}, {"priority": 3}),
        ({"priority": 9}, {"priority": 9}),
        ({"ratio": "0.25"}, {"ratio": 0.25}),
        ({"ratio": "0"}, {"ratio": 0}),
        ({"record": "true"}, {"record": True}),
        ({"record": False}, {"record": False}),
        ({"voice": "high"}, {"voice": "high"}),
        ({"copy": "yes"}, {"copy": "yes"}),
        ({}, {}),
    ],
)
def test_options_are_read(given: Any, read: Any) -> None:
    model = calling({"o": "{{ options }}"}, options=RULES).options_model("call")
    found = model.model_validate(given).model_dump(exclude_unset=True, by_alias=True)

    assert json.dumps(found) == json.dumps(read)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"priority": "0"}, "`0` is too small"),
        ({"priority": "10"}, "`10` is too large"),
        ({"priority": "3.5"}, "`3.5` is not a whole number"),
        ({"priority": True}, "`true` is not a whole number"),
        ({"ratio": "1e3"}, "`1e3` is not a number"),
        ({"ratio": "nan"}, "`nan` is not a number"),
        ({"record": "maybe"}, "`maybe` is neither true nor false"),
        ({"voice": "mid"}, "`mid` is not one of its values"),
        ({"copy": "four"}, "`four` is too large"),
        ({"option_0": "3"}, "Extra inputs"),
        ({"volume": "3"}, "Extra inputs"),
    ],
)
def test_options_are_refused(given: Any, message: str) -> None:
    model = calling({"o": "{{ options }}"}, options=RULES).options_model("call")
    with pytest.raises(ValidationError) as refused:
        model.model_validate(given)

    assert message in refused.value.errors()[0]["msg"]


def test_options_belong_to_the_channels_whose_templates_use_them() -> None:
    text = {"path": "/texts", "body": {"v": "{{ options.voice | upper }}"}, "id": "id"}
    one = calling({"p": "{{ options.priority }}"}, options=RULES, text=text)

    call, note = (one.options_model(channel).model_json_schema(by_alias=True) for channel in ("call", "text"))
    assert list(call["properties"]) == ["priority"]
    assert call["properties"]["priority"]["description"] == "How soon it is dialled."
    assert list(note["properties"]) == ["voice"]
    assert all(field["description"] for field in note["properties"].values())
    assert call["description"] == "acme's own options for a call."


# ---- addresses ----


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://api.acme.test/v2", True), ("https://api.acme.test:8443", True), ("http://127.0.0.1:8700/x", True),
        ("http://localhost:1", True), ("http://[::1]:1", True), ("http://api.acme.test", False), ("ftp://a.test", False),
        ("http://127.0.0.1.acme.test", False), ("https://u:p@a.test", False), ("https://a.test?x=1", False),
        ("https://a.test#x", False), ("https://", False), ("a.test", False), ("https://a.test:x", False),
        ("https://a.test/\r\nX: 1", False), ("https://a.test/a b", False), ("http://localhost.acme.test", False),
    ],
)  # fmt: skip
def test_base_urls(url: str, fine: bool) -> None:
    assert (base_url_problem(url) is None) is fine


def test_usual_variables() -> None:
    assert key_variable("acme-voice") == "ACME_VOICE_API_KEY"
