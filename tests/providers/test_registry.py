"""The registry: every provider once, generations told apart, unknown names refused with the known ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runner.errors import NotFound
from runner.model.attempt import attempt_key
from runner.model.campaign import Agent
from runner.model.project import PROVIDER_NAMES, Account
from runner.providers import registry
from runner.providers.registry import KNOWN, all_providers, provider_for, registry_of
from runner.providers.revmo import Revmo
from tests.providers.support import MakeOrder, MakeSent


def account(provider: Any = "revox", generation: str = "") -> Account:
    return Account(
        name="main", provider=provider, base_url="https://api.example.test", credential="env:KEY", generation=generation
    )


def test_every_provider_is_there() -> None:
    providers = all_providers()

    assert tuple(providers) == PROVIDER_NAMES
    assert all(name == provider.name for name, provider in providers.items())


@pytest.mark.parametrize(
    ("provider", "generation", "named"),
    [
        ("revmo", "", "Revmo"),
        ("revring", "", "Revring"),
        ("revring", "seed", "RevringSeed"),
        ("revox", "", "Revox"),
        ("revox", "A", "Revox"),
        ("revox", "a", "Revox"),
        ("revox", "D", "RevoxD"),
        ("movoice", "", "Movoice"),
    ],
)
def test_generations(provider: Any, generation: Any, named: Any) -> None:
    assert type(provider_for(account(provider, generation))).__name__ == named


@pytest.mark.parametrize(
    ("provider", "generation", "help"),
    [
        ("revox", "B", "one of: A, D"),
        ("movoice", "2", "one of: api, app"),
        ("dialer", "", "one of: revmo, revring, revox, movoice"),
    ],
)
def test_what_is_not_known(provider: Any, generation: Any, help: Any) -> None:
    with pytest.raises(NotFound) as missing:
        provider_for(account(provider, generation))

    assert help in missing.value.help


def test_a_place_is_given_once() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        registry_of(((Revmo(), ("",)), (Revmo(), ("",))))


@pytest.mark.parametrize("provider", KNOWN.values(), ids=lambda provider: type(provider).__name__)
def test_every_option_says_what_it_is_and_unknown_ones_are_refused(provider: Any) -> None:
    for channel in provider.capabilities.channels:
        model = provider.options_model(channel)
        schema = model.model_json_schema()
        for part in (schema, *schema.get("$defs", {}).values()):
            assert part["description"]
            assert all(field.get("description") for field in part["properties"].values())
        assert model.model_validate({}).model_dump(exclude_unset=True) == {}
        with pytest.raises(ValidationError):
            model.model_validate({"no_such_option": 1})


@pytest.mark.parametrize("provider", KNOWN.values(), ids=lambda provider: type(provider).__name__)
def test_every_provider_plants_the_key_without_changing_the_plan(provider: Any, order: MakeOrder) -> None:
    key = attempt_key("renewals", "+12025550101", "call", 1)
    for channel in provider.capabilities.channels:
        request = provider.build(order(channel=channel, from_number="+12025550190", variables={"name": "Ana"}))
        for in_body in (True, False):
            stamped = provider.stamp(request, key, in_body=in_body)
            assert stamped.headers["Idempotency-Key"] == key
            assert (stamped.method, stamped.path) == (request.method, request.path)
            assert "headers" not in request.body
            assert request.headers == {}


@pytest.mark.parametrize("provider", KNOWN.values(), ids=lambda provider: type(provider).__name__)
def test_what_is_said_about_look_ups_is_true(provider: Any, sent: MakeSent) -> None:
    can = provider.capabilities

    assert (provider.poll_request(sent()) is not None) is can.poll
    assert (provider.find_request(sent(), 0) is not None) is (can.find != "none")
    assert can.poll or not can.confirm


@pytest.mark.parametrize("provider", KNOWN.values(), ids=lambda provider: type(provider).__name__)
def test_ids_with_blanks(provider: Any) -> None:
    assert provider.agent_problem(Agent(provider=provider.name, id="agent_12345")) is None
    problem = provider.agent_problem(Agent(provider=provider.name, id="my agent"))
    assert problem is not None
    assert "`my agent`" in problem[0]


def test_only_the_transport_knows_the_http_library_and_nothing_reads_the_clock() -> None:
    for path in Path(registry.__file__).parent.glob("*.py"):
        source = path.read_text()
        assert ("import httpx" in source) is (path.name in {"transport.py", "addresses.py", "notify_webhook.py"})
        assert not any(word in source for word in ("datetime.now", "time.time", "import random", "import sqlite3"))
