"""The sample campaigns: their contacts are read as told, and every number rings nowhere."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from runner.errors import OutreachError
from runner.files.campaign import load_campaign
from runner.files.contacts import Row, columns_of, read_contacts
from runner.files.templates_folder import read_templates
from runner.model.campaign import Campaign
from runner.model.contact import Contact, DuplicateRow, RejectedRow
from runner.model.project import Project
from runner.model.request import Order, Request
from runner.planning.handover import Terms, handed_contact, options_of
from runner.providers.registry import all_providers
from runner.rules.check import check_templates
from runner.rules.fictional import fictional_range
from runner.rules.numbers import read_number
from runner.rules.policy import policy_of
from runner.rules.render import Renderer

ROOT = Path(__file__).parents[2]
CAMPAIGNS = sorted((ROOT / "campaigns").glob("*.yaml"))
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
MESSY: dict[str, Any] = runpy.run_path(str(ROOT / "tests" / "samples" / "make_messy_contacts.py"))


def load(path: Path) -> Campaign:
    return Campaign.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))).canonical()


def rows_of(name: str) -> list[Row]:
    campaign = load(ROOT / "campaigns" / f"{name}.yaml")
    return list(read_contacts(campaign.contacts, ROOT / "campaigns"))


@pytest.fixture(scope="module")
def messy() -> list[Row]:
    return rows_of("spring-recall")


def test_there_are_sample_campaigns() -> None:
    assert len(CAMPAIGNS) >= 9


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_a_sample_names_itself_and_its_schema(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schema.json\n")
    assert load(path).campaign == path.stem


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_every_number_of_a_sample_is_fictional(path: Path) -> None:
    campaign = load(path)
    senders = [agent.from_ for agent in campaign.agents.values() if agent.from_]
    called = [row.phone for row in read_contacts(campaign.contacts, path.parent) if isinstance(row, Contact)]

    assert called
    assert [phone for phone in (*senders, *called) if fictional_range(phone) is None] == []


@pytest.mark.parametrize("path", [one for one in CAMPAIGNS if one.stem != "spring-recall"], ids=lambda path: path.stem)
def test_a_clean_sample_has_no_bad_row(path: Path) -> None:
    assert all(isinstance(row, Contact) for row in rows_of(path.stem))


def test_the_shortest_sample_fits_into_fifteen_lines() -> None:
    assert len((ROOT / "campaigns" / "april-reminders.yaml").read_text().splitlines()) <= 15
    assert len(rows_of("april-reminders")) == 24


def test_the_visits_meet_the_do_not_call_file() -> None:
    found = {row.key: row.suppressed_by for row in rows_of("visit-reminders") if isinstance(row, Contact)}

    assert len(found) == 40
    assert {key: place for key, place in found.items() if place} == {
        "M-1014": "contacts/do-not-call.txt:5",
        "M-1025": "contacts/do-not-call.txt:4",
    }


def test_the_messy_file_comes_out_the_same_again() -> None:
    assert MESSY["TARGET"].read_bytes() == MESSY["make"]()


def test_every_kind_of_bad_row_is_counted(messy: list[Row]) -> None:
    rejected = Counter(row.code for row in messy if isinstance(row, RejectedRow))

    assert len(messy) == MESSY["ROWS"] == 1000
    assert rejected == MESSY["REJECTED"]
    assert sum(isinstance(row, DuplicateRow) for row in messy) == MESSY["DUPLICATE_NUMBER"]
    assert (
        sum(isinstance(row, Contact) for row in messy)
        == 1000 - sum(MESSY["REJECTED"].values()) - MESSY["DUPLICATE_NUMBER"]
    )


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        (r"there is no phone number", "MISSING_NUMBER"),
        (r"`.*` has no country code", "NO_COUNTRY"),
        (r"a spreadsheet turned this number into `.*` and lost digits", "EXPONENT"),
        (r"`.*` has letters in it", "LETTERS"),
        (r"`.*` is too short", "TOO_SHORT"),
        (r"`.*` has an extension, which nobody dials", "EXTENSION"),
        (r"`.*` is an emergency number", "EMERGENCY"),
        (r"`.*` is not a time zone.*", "UNKNOWN_ZONE"),
        (r"this row has (\d|10) cells where the header has 11", "SHORT_ROW"),
        (r"this row has 12 cells where the header has 11", "LONG_ROW"),
        (r"`P-\d+` names another number on line \d+", "DUPLICATE_KEY"),
        (r"`last_name` has a byte that is not in the file's encoding", "BAD_BYTE"),
        (r"a quote opens in this row and does not close", "TORN_QUOTE"),
    ],
)
def test_each_cause_is_told_as_often_as_it_was_made(messy: list[Row], sentence: str, kind: str) -> None:
    found = [row for row in messy if isinstance(row, RejectedRow) and re.fullmatch(sentence, row.reason)]

    assert len(found) == MESSY[kind]


def test_rows_that_only_templates_will_refuse_are_there(messy: list[Row]) -> None:
    people = [row for row in messy if isinstance(row, Contact)]

    assert sum("next_slot" not in row.values for row in people) == MESSY["EMPTY_SLOT"]
    assert sum(row.values.get("first_name") == "{{name}}" for row in people) == MESSY["BRACES"]


def test_a_row_is_known_by_its_line_in_the_messy_file(messy: list[Row]) -> None:
    lines = MESSY["TARGET"].read_bytes().split(b"\r\n")
    people = [row for row in messy if isinstance(row, Contact)]

    assert all(lines[row.row - 1].startswith(row.key.encode()) for row in people)
    assert any("\n" in str(row.values.get("note")) for row in people)


def test_the_patients_live_in_many_countries(messy: list[Row]) -> None:
    regions = {read_number(row.phone, None).region for row in messy if isinstance(row, Contact)}

    assert regions >= {"US", "CA", "GB", "AU", "FR", "DE", "IE", "SE", "JM", "BS", "BB", "DO", "TT", "PR", "BM"}


def test_the_messy_header_is_found_behind_its_mark() -> None:
    source = load(ROOT / "campaigns" / "spring-recall.yaml").contacts

    assert columns_of(source, ROOT / "campaigns") == MESSY["COLUMNS"]
    assert MESSY["TARGET"].read_bytes().startswith(b"\xef\xbb\xbf")


SEEDS: dict[str, tuple[str, dict[str, Any]]] = {
    "revmo-sales-followup": (
        "/v1/makecall/",
        {
            "agentId": "YOUR_AGENT_ID",
            "to": "+12025550143",
            "trigger": "sales_followup",
            "metadata": {"customer_name": "John Doe", "account_type": "premium"},
        },
    ),
    "revmo-appointment-text": (
        "/v1/startsms/",
        {
            "agentId": "YOUR_AGENT_ID",
            "to": "+12025550143",
            "trigger": "appointment_reminder",
            "metadata": {"customer_name": "John Doe", "appointment_time": "2025-02-22T15:00:00Z"},
            "override": "Hi John, just confirming your appointment tomorrow at 3 PM.",
            "no_agent": "true",
        },
    ),
    "revring-call": (
        "/calls",
        {
            "agentId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "toNumber": "+12025550143",
            "fromNumber": "+12025550100",
            "variables": {},
            "callerIdName": "Mercer Dental",
            "skipQueue": False,
        },
    ),
    "revox-campaign": (
        "/campaigns",
        {
            "assistant_id": "assistant_id",
            "contacts": [{"prompt_variables": {"foo": "string"}, "to_phone_number": "+12025550143"}],
            "name": "x",
        },
    ),
    "movoice-reminder": (
        "/call",
        {
            "agent_id": "agent_12345",
            "recipient_phone": "+12025550143",
            "variables": {"name": "Rahul", "amount_due": "₹2,500", "due_date": "April 25"},
        },
    ),
    "movoice-scheduled": (
        "/call",
        {
            "agent_id": "agent_12345",
            "recipient_phone": "+12025550144",
            "schedule_at": 1714000000,
            "variables": {"name": "Priya"},
        },
    ),
}
"""what the providers' own pages print, with numbers that ring nowhere"""


@pytest.mark.parametrize("path", CAMPAIGNS, ids=lambda path: path.stem)
def test_a_sample_is_right_as_a_whole(path: Path) -> None:
    campaign = load_campaign(path, project=Project(), providers=all_providers()).campaign
    columns = frozenset(columns_of(campaign.contacts, path.parent))

    assert check_templates(campaign, columns, read_templates(ROOT / "templates")) == []


@pytest.mark.parametrize("name", SEEDS)
def test_a_sample_sends_what_the_provider_prints(name: str) -> None:
    path = ROOT / "campaigns" / f"{name}.yaml"
    campaign = load_campaign(path, project=Project(), providers=all_providers()).campaign
    (row,) = [one for one in read_contacts(campaign.contacts, path.parent) if isinstance(one, Contact)]

    request = _request(campaign, row)

    assert (request.method, request.path) == ("POST", SEEDS[name][0])
    assert json.dumps(request.body) == json.dumps(SEEDS[name][1])


def _request(campaign: Campaign, row: Contact) -> Request:
    """Build what the first step sends to a person, the attempt's key planted."""
    step = campaign.steps[0]
    agent = campaign.agents[step.agent]
    provider = all_providers()[agent.provider]
    rendered = Renderer(campaign, read_templates(ROOT / "templates")).render(step, row, NOW)
    if step.delivery == "native":
        assert provider.native is not None
        options = options_of(provider.options_model(step.channel), agent, step)
        terms = Terms(policy=policy_of(campaign), step=step, agent=agent, agent_id=agent.id, options=options)
        return provider.native.create(terms.handover("", [handed_contact(row.phone, (), rendered.variables)], NOW))
    order = Order(
        campaign=campaign.campaign,
        channel=step.channel,
        agent_id=agent.id,
        phone=row.phone,
        from_number=agent.from_ or "",
        variables=rendered.variables,
        message=rendered.message,
        options={**agent.options, **step.options},
    )
    return provider.stamp(provider.build(order), "key", in_body=agent.reference == "metadata")


def test_the_messy_rows_that_templates_refuse_are_those_that_were_made(messy: list[Row]) -> None:
    campaign = load(ROOT / "campaigns" / "spring-recall.yaml")
    renderer = Renderer(campaign, {})
    refused = Counter(_refusal(renderer, campaign, row) for row in messy if isinstance(row, Contact))

    assert refused == {
        "": 935 - MESSY["EMPTY_SLOT"] - MESSY["BRACES"],
        "`next_slot` is empty in this row": MESSY["EMPTY_SLOT"],
        "`contact.first_name` carries `{{`, which the provider would fill in": MESSY["BRACES"],
    }


def _refusal(renderer: Renderer, campaign: Campaign, row: Contact) -> str:
    try:
        renderer.render(campaign.steps[0], row, NOW)
    except OutreachError as failed:
        return failed.message
    return ""


def test_a_visit_is_written_out_in_a_text() -> None:
    campaign = load(ROOT / "campaigns" / "visit-reminders.yaml")
    renderer = Renderer(campaign, read_templates(ROOT / "templates"))
    rows = [row for row in rows_of("visit-reminders") if isinstance(row, Contact)]

    assert renderer.render(campaign.steps[1], rows[0], NOW).message == (
        "Hi Ada, we could not reach you by phone. Mercer Dental expects you on Wednesday, December 9 at 4:45 PM"
        " with Dr. Okafor. Your share: $25.00.\n"
        "Questions? (202) 555-0100. Reply STOP to end texts."
    )
