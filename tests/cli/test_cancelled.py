"""A cancelled campaign that is applied again: who was called off stays so and the plan says it; who left and returns comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Shell

_ONE, _TWO, _THREE = "+12025550141", "+12025550142", "+12025550143"
WAYS = {
    "single": "agent: movoice/agent_1\n",
    "native": 'agent: {provider: revring, id: agent_1, from: "+12025550199"}\nsteps:\n  - {call: agent, delivery: native}\n',
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Give the rules of a campaign, sent one by one or handed over."""
    return WAYS[str(request.param)]


def write(folder: Path, way: str, *phones: str) -> None:
    """Write the campaign with these people."""
    (folder / "campaigns").mkdir(exist_ok=True)
    people = ", ".join(f'{{phone: "{phone}"}}' for phone in phones)
    (folder / "campaigns" / "people.yaml").write_text(
        "campaign: people\npurpose: informational\ntimezone: America/New_York\nwindows: daily 00:00-24:00\n"
        f"contacts: [{people}]\n{way}"
    )


def people_of(shell: Shell, folder: Path) -> tuple[str, dict[str, str]]:
    """Give the campaign's status, and where each person stands."""
    (found,) = json.loads(shell("status", "--contacts", "--format", "json", cwd=folder).out)["campaigns"]
    return found["status"], {one["phone"]: one["state"] for one in found["contacts"]}


def plan_of(shell: Shell, folder: Path) -> dict[str, dict[str, Any]]:
    done = shell("plan", "--format", "json", cwd=folder)
    lines = [line for line in done.lines() if "contact" in line]
    return {line["contact"]["phone"]: line for line in lines}


def test_whoever_was_called_off_stays_so_and_the_plan_says_it(shell: Shell, tmp_path: Path, way: str) -> None:
    write(tmp_path, way, _ONE, _TWO)
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert shell("cancel", "people", "--yes", cwd=tmp_path).code == 0
    again = shell("apply", "--yes", cwd=tmp_path)
    assert again.out == "people: nothing changes (revision 1 is in force), and it stays cancelled\n"
    assert people_of(shell, tmp_path)[0] == "cancelled"

    write(tmp_path, way, _ONE, _TWO, _THREE)
    plan = plan_of(shell, tmp_path)
    assert {phone: (line["status"], line["not_before"] is None) for phone, line in plan.items()} == {
        _ONE: ("keep", True), _TWO: ("keep", True), _THREE: ("create", False),
    }  # fmt: skip
    assert plan[_ONE]["reason"] == "called off for good when the campaign was cancelled"

    done = shell("apply", "--yes", cwd=tmp_path)
    assert done.out == (
        "people: 1 created (revision 2); it was cancelled, and is back for whoever was not called off then\n"
    )
    assert people_of(shell, tmp_path) == ("running", {_ONE: "failed", _TWO: "failed", _THREE: "pending"})
    assert "is cancelled" not in shell("status", cwd=tmp_path).out


def test_whoever_was_called_off_is_contacted_by_no_run(shell: Shell, tmp_path: Path, way: str) -> None:
    write(tmp_path, way, _ONE, _TWO)
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert shell("cancel", "people", "--yes", cwd=tmp_path).code == 0
    write(tmp_path, way, _ONE, _TWO, _THREE)
    done = shell("run", "campaigns", "--sandbox", "--yes", cwd=tmp_path)

    assert done.code in (0, 5), done.err
    (found,) = json.loads(shell("status", "--contacts", "--format", "json", cwd=tmp_path).out)["campaigns"]
    sent = {one["phone"]: [attempt["sent_at"] for attempt in one["attempts"]] for one in found["contacts"]}
    assert sent[_ONE] == sent[_TWO] == [None]
    assert sent[_THREE][0] is not None


def test_whoever_left_the_files_and_returns_is_planned_again(shell: Shell, tmp_path: Path, way: str) -> None:
    """Nobody decided anything about them: what a newer revision had replaced is planned once more."""
    for phones in ((_ONE, _TWO), (_ONE,), (_ONE, _TWO)):
        write(tmp_path, way, *phones)
        assert shell("apply", "--yes", cwd=tmp_path).code == 0

    assert people_of(shell, tmp_path) == ("running", {_ONE: "pending", _TWO: "pending"})
