"""Numbers in files: countries that are none, types that nobody reaches, rows whose number no campaign may call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.files.contacts import read_contacts
from runner.model.campaign import ContactSource
from runner.model.contact import Contact, RejectedRow
from tests.cli.running import Shell

CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: {provider: revring, id: agent-1, from: "+12025550100"}
contacts: [{phone: "+12025550143"}]
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("line", "message", "help_line"),
    [
        ("countries: UK", "`UK` is not a country", "write: GB"),
        ("countries: [US, XX]", "`XX` is not a country", "write two letters: US, CA"),
        ("countries: US, us", "`US` stands there twice", "write it once"),
        ("countries: America", "`America` is not a country code", "write two letters: GB"),
        ("number_types: mobile, pager", "`pager` is not a type of number that can be reached", "write some of: mobile"),
        ("number_types: []", "`number_types` names none, so nobody could be reached", "write some of: mobile"),
    ],
)
def test_what_is_no_country_or_type_is_an_error_with_its_line(
    line: str, message: str, help_line: str, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "visits.yaml").write_text(CAMPAIGN + line + "\n", encoding="utf-8")
    done = shell("validate", "visits.yaml", cwd=tmp_path)
    assert done.code == 1
    assert message in done.err
    assert "--> visits.yaml:5:" in done.err
    assert f"= help: {help_line}" in done.err


def test_short_and_long_forms_are_the_same(shell: Shell, tmp_path: Path) -> None:
    short, long = (
        "countries: us, Ca\nnumber_types: mobile, voip\n",
        "countries: [US, CA]\nnumber_types: [mobile, voip]\n",
    )
    shown = []
    for text in (short, long):
        (tmp_path / "visits.yaml").write_text(CAMPAIGN + text, encoding="utf-8")
        done = shell("show", "visits.yaml", "--format", "json", cwd=tmp_path)
        shown.append(json.loads(done.out))
    assert shown[0] == shown[1]
    assert (shown[0]["countries"], shown[0]["number_types"]) == (["US", "CA"], ["mobile", "voip"])


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+449098790123", "is a premium-rate number"),
        ("+443069990123", "is a company's number for all its lines (UAN)"),
        ("+15005550123", "is a personal number, which is forwarded at a price of its own"),
        ("+870770000000", "belongs to no country, as those of satellite phones and of international services do"),
    ],
)
def test_a_number_that_nobody_may_call_is_a_bad_row(number: str, reason: str) -> None:
    (row,) = read_contacts(ContactSource(inline=({"phone": number},)), Path("nowhere"))
    assert isinstance(row, RejectedRow)
    assert (row.code, row.column, row.reason) == ("P08", "phone", f"`{number}` {reason}")


def test_a_number_that_a_setting_allows_is_a_person_with_its_country_and_type() -> None:
    (row,) = read_contacts(ContactSource(inline=({"phone": "+18005550147"},)), Path("nowhere"))
    assert isinstance(row, Contact)
    assert (row.region, row.number_type) == ("US", "toll_free")


@pytest.mark.parametrize("number", ["+447700900123", "+18005550147"])
def test_one_number_named_by_hand_needs_no_country_or_type(number: str, shell: Shell, tmp_path: Path) -> None:
    words = ("--agent", "revring/agent-1", "--from", "+12025550100", "--purpose", "transactional", "--timezone", "UTC")
    done = shell("call", number, *words, "--dry-run", cwd=tmp_path)
    assert (done.code, "number_types" in done.out, "countries" in done.out) == (0, False, False)


def test_not_even_by_hand_is_a_number_called_that_costs_by_the_minute(shell: Shell, tmp_path: Path) -> None:
    words = ("--agent", "revring/agent-1", "--from", "+12025550100", "--purpose", "transactional", "--timezone", "UTC")
    done = shell("call", "+449098790123", *words, "--dry-run", cwd=tmp_path)
    assert done.code != 0
    assert "premium-rate" in done.err + done.out
