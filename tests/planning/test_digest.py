"""The digest: equal for equal plans on every machine and at every hour, and for no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.files.campaign import load_campaign
from runner.model.campaign import Campaign
from runner.model.plan import PlanStatus
from runner.model.project import Project
from runner.planning import digest as module
from runner.planning.digest import Digest, canonical_json, fingerprint
from runner.planning.known import KnownCampaign
from runner.providers.registry import all_providers
from tests.building import NOON, account, campaign, contact, draft, planned

PEOPLE = (contact(0), contact(1))
BASE: dict[str, Any] = {
    "agent": None,
    "agents": {"one": {"provider": "revox", "id": "asst_1"}, "two": {"provider": "revox", "id": "asst_2"}},
    "steps": [{"call": "one"}, {"call": "two", "when": "no_answer"}],
    "variables": {"a": "{{ contact.phone }}", "b": "two"},
}


def digest_of(
    of: Campaign | None = None, rows: Any = PEOPLE, *, now: Any = NOON, templates: Mapping[str, str] | None = None,
    pays: Any = None, known: KnownCampaign | None = None,
) -> str:  # fmt: skip
    made = draft(of or campaign(**BASE), *([pays] if pays else []), templates=templates, known=known)
    return planned(made, rows, now, templates)[1].digest


FIRST = digest_of()


def test_the_hour_does_not_count() -> None:
    assert {digest_of(now=NOON + timedelta(hours=hours)) for hours in (0, 1, 30, 900)} == {FIRST}


def reversed_maps(value: Any) -> Any:
    """Turn the order of all keys around."""
    if isinstance(value, dict):
        return {key: reversed_maps(value[key]) for key in reversed(value)}
    return [reversed_maps(one) for one in value] if isinstance(value, list) else value


def test_the_order_of_keys_does_not_count() -> None:
    assert digest_of(campaign(**reversed_maps(BASE))) == FIRST
    rows = [contact(0, values={"a": "1", "b": "2"})]
    turned = [contact(0, values={"b": "2", "a": "1"})]
    assert digest_of(rows=rows) == digest_of(rows=turned)


ONE_WAY = """\
campaign: x
purpose: research
agent: revox/asst_1
contacts: c.csv
windows: mon-fri 10:00-18:00
variables: {a: one, b: two}
"""
ANOTHER_WAY = """\
# a note
variables:
  b: 'two'
  a: "one"
windows:
  - {days: mon-fri, from: 10am, to: 6pm}

contacts: c.csv
agents: {agent: {provider: revox, id: asst_1}}
steps:
  - call: agent
purpose: research
campaign: x
"""


def test_the_formatting_of_the_file_does_not_count(tmp_path: Path) -> None:
    found = set()
    (tmp_path / "c.csv").write_text("phone\n+12025550143\n")
    for number, text in enumerate((ONE_WAY, ANOTHER_WAY)):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        loaded = load_campaign(path, project=Project(), providers=all_providers(), shown=path.name)
        found.add(digest_of(loaded.campaign))
    assert len(found) == 1


CHANGES: dict[str, Any] = {
    "a payload": lambda: digest_of(campaign(**BASE | {"variables": {"a": "other", "b": "two"}})),
    "how long a value may be": lambda: digest_of(
        campaign(**BASE | {"variables": {"a": "{{ contact.phone }}", "b": {"value": "two", "longest": 600}}})
    ),
    "a phone": lambda: digest_of(rows=(contact(0), contact(2))),
    "a key": lambda: digest_of(rows=(contact(0), replace(contact(1), key="customer-7"))),
    "a zone": lambda: digest_of(rows=(contact(0), replace(contact(1), timezone="Asia/Tokyo"))),
    "the order of people": lambda: digest_of(rows=PEOPLE[::-1]),
    "one person less": lambda: digest_of(rows=PEOPLE[:1]),
    "a template": lambda: digest_of(templates={"hello.txt": "Hello"}),
    "an account": lambda: digest_of(pays=account("revox", name="team")),
    "the windows": lambda: digest_of(campaign(**BASE | {"windows": "daily 00:00-23:00"})),
    "the retries": lambda: digest_of(campaign(**BASE | {"retry": "3 times"})),
    "an agent": lambda: digest_of(campaign(**BASE | {"agents": BASE["agents"] | {"two": "revox/asst_3"}})),
    "a suppression": lambda: digest_of(known=KnownCampaign(suppressions={PEOPLE[0].phone: "opted out"})),
    "a cell that a condition may ask for": lambda: digest_of(
        rows=(contact(0, values=dict(PEOPLE[0].values) | {"vip": "yes"}), contact(1))
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_counts(name: str) -> None:
    assert CHANGES[name]() != FIRST
    assert CHANGES[name]() == CHANGES[name]()


def test_where_the_api_answers_does_not_count_so_that_a_rehearsal_has_the_same_plan() -> None:
    assert digest_of(pays=account("revox", base_url="http://127.0.0.1:10")) == FIRST


def test_the_version_of_the_tool_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__version__", "99.0.0")
    assert digest_of() != FIRST


def test_a_cell_that_nothing_asks_for_does_not_count() -> None:
    plain = campaign()
    noted = (contact(0, values=dict(PEOPLE[0].values) | {"note": "tall"}), contact(1))
    assert digest_of(plain, noted) == digest_of(plain)


def test_the_digest_has_its_form() -> None:
    assert FIRST.startswith("sha256:")
    assert len(FIRST) == len("sha256:") + 64
    assert Digest(campaign(), {}).value() == Digest(campaign(), {}).value()


def test_a_length_that_is_written_out_is_the_one_that_counts_anyway() -> None:
    written = {"a": {"value": "{{ contact.phone }}", "longest": 500}, "b": {"value": "two", "longest": "500"}}
    assert digest_of(campaign(**BASE | {"variables": written})) == FIRST


def test_what_the_ledger_holds_of_the_same_plan_does_not_count() -> None:
    lines, _ = planned(draft(campaign(**BASE)), PEOPLE)
    kept, changed = Digest(campaign(**BASE), {}), Digest(campaign(**BASE), {})
    for line in lines:
        kept.add(line)
        changed.add(replace(line, status=PlanStatus.KEEP, reason="sent before this change", not_before=None))
    assert kept.value() == changed.value()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text("abcdef", min_size=1), json_values, max_size=5))
def test_a_fingerprint_is_blind_to_the_order_of_keys(payload: dict[str, Any]) -> None:
    turned = reversed_maps(payload)
    assert canonical_json(payload) == canonical_json(turned)
    assert fingerprint("POST", "/x", payload) == fingerprint("POST", "/x", turned)
    assert fingerprint("POST", "/x", payload) != fingerprint("POST", "/y", payload)
    assert fingerprint("POST", "/x", payload) != fingerprint("PUT", "/x", payload)
