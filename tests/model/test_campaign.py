"""The canonical form: one for each campaign, reached once, and read back as it was written."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.model.campaign import Campaign
from runner.model.outcome import Outcome
from runner.model.project import AccountEntry, Project, resolve_account
from runner.model.retry import Retry
from tests.building import campaign

names = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
spans = st.timedeltas(timedelta(0), timedelta(days=366))
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
zones = st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])
clock = st.integers(0, 1440).map(lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}")
days = st.sampled_from(["mon-fri", "daily", "sat", ["sun", "mon"]])
retries = st.one_of(
    st.sampled_from(["never", "3 times, 2h apart", "twice on busy"]),
    st.fixed_dictionaries(
        {"attempts": st.integers(1, 9), "after": spans, "on": st.lists(st.sampled_from(list(Outcome)), max_size=3)}
    ),
)
windows = st.one_of(
    st.sampled_from(["mon-fri 10:00-18:00", "daily 9am-5pm; sat 22:00-02:00"]),
    st.lists(st.fixed_dictionaries({"days": days, "from": clock, "to": clock}), min_size=1, max_size=3),
)
variables = st.dictionaries(
    names,
    texts
    | st.fixed_dictionaries(
        {"value": texts, "type": st.sampled_from(["text", "number"]), "longest": st.integers(1, 8192)}
    ),
)
options = st.dictionaries(names, st.integers() | texts | st.booleans(), max_size=2)


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Any]:
    """Give a campaign as a file could hold it."""
    agents = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    agent = st.fixed_dictionaries(
        {"provider": st.just("revox"), "id": st.just("asst_1"), "options": options}, optional={"from": st.just("+12025550190")}
    )  # fmt: skip
    step = st.fixed_dictionaries(
        {"call": st.sampled_from(agents)},
        optional={
            "after": spans, "when": st.sampled_from(["no_answer, busy", "contact.vip == 'yes'"]), "retry": retries,
            "variables": variables, "options": options,
        },
    )  # fmt: skip
    whole = {
        "campaign": names, "purpose": st.sampled_from(["marketing", "research"]),
        "contacts": st.sampled_from(["c.csv", [{"phone": "+12025550143"}], {"file": "c.csv", "suppress": ["d.txt"]}]),
        "agents": st.fixed_dictionaries({one: st.just("revox/asst_1") | agent for one in agents}),
        "steps": st.lists(step, min_size=1, max_size=4),
    }  # fmt: skip
    more = {
        "description": texts, "timezone": zones | st.just("contact"), "windows": windows, "retry": retries,
        "variables": variables, "locale": st.just("de_DE"),
        "schedule": st.fixed_dictionaries({}, optional={"start": st.just("2026-01-01"), "end": st.just("2026-12-01T09:00Z"), "timezone": zones}),
        "limits": st.fixed_dictionaries(
            {}, optional={"concurrency": st.integers(1, 99), "per_second": st.floats(0.01, 99), "spacing": spans}
        ),
    }  # fmt: skip
    return draw(st.fixed_dictionaries(whole, optional=more))


@given(campaigns())
@settings(max_examples=120, deadline=None)
def test_the_canonical_form_is_reached_once_and_read_back(written: dict[str, Any]) -> None:
    one = Campaign.model_validate(written).canonical()
    assert one.canonical() == one
    assert Campaign.model_validate(one.model_dump()) == one
    assert Campaign.model_validate(one.model_dump(mode="json")) == one
    assert Campaign.model_validate_json(one.model_dump_json(exclude_none=True)) == one
    assert json.loads(one.model_dump_json()) == one.model_dump(mode="json")
    assert all(step.name and step.retry for step in one.steps)
    assert len({step.label for step in one.steps}) == len(one.steps)
    assert (one.agent, one.retry) == (None, None)


def test_the_shortest_campaign_and_its_long_form_are_one() -> None:
    long = {
        "campaign": "renewals", "purpose": "informational", "timezone": "America/New_York",
        "agents": {"agent": {"provider": "movoice", "id": "agent_1", "account": "default", "options": {}}},
        "contacts": {"file": "people.csv"},
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}],
        "steps": [{"call": "agent", "name": "call", "retry": {"attempts": 1}}],
    }  # fmt: skip
    assert Campaign.model_validate(long).canonical() == campaign()


@pytest.mark.parametrize(
    ("steps", "labels"),
    [
        ([{"call": "a"}, {"call": "a"}, {"text": "a"}, {"call": "a"}], ["call", "call-2", "text", "call-3"]),
        ([{"call": "a"}, {"call": "a", "name": "call"}], ["call-2", "call"]),
        ([{"call": "a", "name": "call-2"}, {"call": "a"}, {"call": "a"}], ["call-2", "call", "call-3"]),
    ],
)
def test_steps_get_names_that_differ(steps: list[dict[str, str]], labels: list[str]) -> None:
    found = campaign(agent=None, agents={"a": "revmo/agent_1"}, steps=steps)
    assert [step.label for step in found.steps] == labels
    assert found.step_named(labels[0]) is found.steps[0]
    with pytest.raises(KeyError):
        found.step_named("absent")


def test_a_step_s_own_retry_wins() -> None:
    found = campaign(retry="3 times", steps=[{"call": "agent"}, {"call": "agent", "retry": "never"}])
    assert [step.retry and step.retry.attempts for step in found.steps] == [3, 1]
    assert campaign().steps[0].retry == Retry(attempts=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"retry": "0 times"}, {"retry": {"attempts": 0}}, {"limits": {"concurrency": 0}}, {"limits": {"per_second": 0}},
        {"windows": "never"}, {"timezone": "Mars/Base"}, {"schedule": {"start": "soon"}}, {"campaign": "two words"},
        {"purpose": "fun"}, {"unknown": 1}, {"windows": [{"days": [], "from": "1:00", "to": "2:00"}]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        campaign(**wrong)


def test_an_account_is_asked_for_at_least_once() -> None:
    with pytest.raises(ValidationError, match="poll"):
        AccountEntry.model_validate({"provider": "revox", "poll": []})


def test_the_only_account_of_a_provider_is_its_default() -> None:
    one = Project.model_validate({"accounts": {"team": {"provider": "revox", "base_url": "http://x/"}}})
    found = resolve_account(one, "revox", "default")
    assert found is not None
    assert (found.name, found.base_url, found.credential) == ("team", "http://x", "env:REVOX_API_KEY")
    assert resolve_account(one, "movoice", "team") is None
    usual = resolve_account(one, "movoice", "default")
    assert usual is not None
    assert (usual.name, usual.base_url) == ("movoice", "https://api.movoice.ai/v1")
    two = Project.model_validate({"accounts": {"a": {"provider": "revox"}, "b": {"provider": "revox"}}})
    assert resolve_account(two, "revox", "default") is None
