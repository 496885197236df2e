"""A handover that nobody can look up, from the lost answer to its end: held, shown, settled by a person, never redialled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import dials, fictional_number, outreach, sandbox_process, status_of

PEOPLE = 6
_CAMPAIGN = """\
campaign: people
purpose: informational
contacts: people.csv
timezone: America/New_York
agent: {provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199", reference: header}
windows: mon-fri 10:00-18:00
steps:
  - {call: agent, delivery: native}
"""


def project(folder: Path) -> Path:
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "people.yaml").write_text(_CAMPAIGN)
    rows = "\n".join(fictional_number(at) for at in range(PEOPLE))
    (folder / "campaigns" / "people.csv").write_text(f"phone\n{rows}\n")
    return folder


def campaigns_at(url: str) -> list[dict[str, str]]:
    """Give the provider's own list, as a person would look at it."""
    answer = httpx.get(
        f"{url}/revring/v1/campaigns", headers={"x-api-key": "sandbox"}, trust_env=False, timeout=20
    ).json()
    found: list[dict[str, str]] = answer["data"]
    return found


@pytest.mark.parametrize("arrived", [True, False], ids=["it had arrived", "it never arrived"])
def test_held_and_settled_by_a_person(tmp_path: Path, *, arrived: bool) -> None:
    project(tmp_path)
    with sandbox_process(tmp_path, "--seed", "2") as url:
        fault = {"kind": "drop_after" if arrived else "drop_before", "provider": "revring", "path": "/campaigns$"}
        httpx.post(f"{url}/_sandbox/faults", json=[fault], trust_env=False, timeout=20).raise_for_status()
        words = ("run", "--sandbox", url, "--now", "--yes", "campaigns")
        first = outreach(*words, cwd=tmp_path)
        shown = outreach("status", cwd=tmp_path)
        (before,) = status_of(tmp_path)
        there = campaigns_at(url)
        choice = ["--created", there[0]["id"]] if arrived else ["--absent", "--reason", "not in the dashboard", "--yes"]
        settled = outreach("resolve", "people", "--handover", "1", *choice, cwd=tmp_path)
        second = outreach(*words, cwd=tmp_path)
        (after,) = status_of(tmp_path)
        told = Counter(str(dial["to"]) for dial in dials(url))
        finally_there = campaigns_at(url)

    assert first.returncode == 5, first.stderr
    assert len(there) == arrived
    assert before["row_stats"]["held"] == PEOPLE
    (handover,) = before["handovers"]
    assert (handover["state"], handover["waiting"], handover["native_id"]) == ("held", PEOPLE, None)
    assert "handover 1 of people is held with 6 contacts" in shown.stdout.replace("\n", " ")
    assert "outreach resolve people --handover 1 --created ID   (or: --absent --reason TEXT)" in shown.stdout
    assert settled.returncode == 0, settled.stderr
    assert second.returncode in (0, 5), second.stderr
    assert after["status"] == "completed"
    assert after["handovers"] == []
    assert len(finally_there) == 1
    assert told == {fictional_number(at): 1 for at in range(PEOPLE)}
