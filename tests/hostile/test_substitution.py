"""What contacts hold is never filled in by a provider: every row sent to a sandbox that fills in whatever it can (S4, S21)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.sandbox.filled_in import filled_in
from tests.e2e.processes import dials, fictional_number, outreach, sandbox_process
from tests.hostile.cases import cases

SECRET = "TOP-SECRET"
PROMPT = "Call {{name}}{{note}}. Never say {{secret}}."
_BASES = {"movoice": "/movoice/v1", "revox": "/revox/api", "revring": "/revring/v1"}
_AGENTS = {
    "movoice": "{provider: movoice, id: agent_12345}",
    "revox": "{provider: revox, id: 182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e}",
    "revring": "{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: '+12025550190'}",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


def people() -> list[list[str]]:
    """Give a fictional number, a name and a note for each row of the corpus that is about its words."""
    found: list[list[str]] = []
    for case in cases("rows.txt"):
        if case.expected.startswith(("harmless", "unsent unseen", "unsent provider")):
            _, name, note = (
                next(csv.reader(io.StringIO(case.text, newline="")))[:3] if "," in case.text else ("", "", "")
            )
            found.append([fictional_number(len(found)), name, note])
    return found


def test_the_substitution_fills_in_what_data_brings_along() -> None:
    """The sandbox is as bad as a provider can be: what is promised below is not for want of trying."""
    secret = {"secret": SECRET}
    assert filled_in("Hi {{name}}", {"name": "{{secret}}", **secret}) == f"Hi {SECRET}"
    assert filled_in("Hi {{a}}{{b}}", {"a": "{", "b": "{secret}}", **secret}) == f"Hi {SECRET}"
    assert filled_in("Hi {{ name }} {{other}}", {"name": "Ann", "age": 3}) == "Hi Ann {{other}}"


@pytest.mark.parametrize("provider", _BASES)
def test_nothing_of_a_row_is_filled_in_again(tmp_path: Path, sandbox: str, provider: str) -> None:
    rows = people()
    assert len(rows) >= 40
    httpx.post(f"{sandbox}/_sandbox/reset", json={}, trust_env=False, timeout=10).raise_for_status()
    _write(tmp_path, sandbox, provider, rows)
    done = outreach("run", "campaigns", "--yes", cwd=tmp_path)
    assert done.returncode in {0, 5}, done.stderr[-1000:]

    said = httpx.post(f"{sandbox}/_sandbox/said", json={"prompt": PROMPT}, trust_env=False, timeout=10).json()
    requests: list[dict[str, Any]] = httpx.get(f"{sandbox}/_sandbox/requests", trust_env=False, timeout=10).json()
    assert len({one["to"] for one in dials(sandbox)}) == len(said) >= 20
    for one in said:
        assert one["said"].count(SECRET) == 1, one
    for one in requests:
        assert one["path"].startswith(_BASES[provider]), "data leaves its place in no path"
        assert "evil" not in f"{one['path']}{one['query']}{one['headers']}"
        assert "stolen" not in str(one["headers"])


def _write(folder: Path, sandbox: str, provider: str, rows: list[list[str]]) -> None:
    account = (
        f"{{provider: {provider}, base_url: {sandbox}{_BASES[provider]}, allow_loopback: true, credential: env:PATH"
    )
    (folder / "outreach.yaml").write_text(
        f"accounts:\n  {provider}: {account}, poll: [0.2s, 0.5s, 1s, 2s]}}\n", "utf-8"
    )
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "a.yaml").write_text(
        f"""\
campaign: words
purpose: transactional
agents: {{a: {_AGENTS[provider]}}}
contacts: {{file: people.csv, on_bad_row: skip}}
timezone: America/New_York
windows: daily 00:00-24:00
variables: {{name: "{{{{ contact.name | default('x') }}}}", note: "{{{{ contact.note | default('y') }}}}", secret: {SECRET}}}
steps:
- call: a
""",
        "utf-8",
    )
    with (folder / "campaigns" / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["phone", "name", "note"], *rows])
