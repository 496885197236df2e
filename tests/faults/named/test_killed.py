"""F1 to F3: the real command killed at each named point of a call's way, and run again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runner.ports.crash_points import CRASH_VARIABLE, CrashPoint
from tests.e2e.processes import AGENTS, dials, outreach, sandbox_process, start, status_of, write_project
from tests.e2e.test_crash import assert_one_dial_each

_P = CrashPoint
_BEFORE = ((_P.AFTER_CLAIM, "movoice"), (_P.BEFORE_INTENT, "revring"))
_BETWEEN = ((_P.AFTER_INTENT, "revox"), (_P.BEFORE_POST, "movoice"))
_AFTER = ((_P.AFTER_POST, "revring"), (_P.BEFORE_RESULT, "revox"), (_P.AFTER_RESULT, "movoice"))
_PEOPLE = 12


def killed(folder: Path, point: CrashPoint, provider: str) -> tuple[int, int, list[str]]:
    """Kill a run at the third visit of a point, look, and run again to the end.

    Gives the dials before the second run, all dials, and the kinds of events that name a doubt.
    """
    text = (
        f"campaign: people\npurpose: informational\nagent: {AGENTS[provider]}\ncontacts: contacts/people.csv\n"
        "limits: {concurrency: 3}\nretry: 2 times, 1s apart, on no_answer\n"
    )
    write_project(folder, [("people.yaml", text)], people=_PEOPLE)
    words = ("run", "campaigns", "--now", "--yes", "--sandbox")
    with sandbox_process(folder, "--seed", "3") as url:
        first = start(*words, url, cwd=folder, env={CRASH_VARIABLE: f"{point}:3"})
        assert first.wait(timeout=60) == -signal.SIGKILL, "it never came to the point"
        assert first.stdout is not None
        first.stdout.close()
        before = len(dials(url))
        second = outreach(*words, url, cwd=folder)
        placed = dials(url)
        (campaign,) = status_of(folder, contacts=True)
    assert second.returncode in (0, 5), second.stderr
    assert campaign["status"] == "completed"
    assert {person["state"] for person in campaign["contacts"]} <= {"completed", "failed"}
    assert_one_dial_each(placed, campaign)
    return before, len(placed), second.stderr.splitlines()


@pytest.mark.fault("F1")
@pytest.mark.parametrize(("point", "provider"), _BEFORE)
def test_f1_before_the_intent_nothing_was_sent(tmp_path: Path, point: CrashPoint, provider: str) -> None:
    before, placed, _ = killed(tmp_path, point, provider)

    assert placed >= _PEOPLE
    assert placed > before


@pytest.mark.fault("F2")
@pytest.mark.parametrize(("point", "provider"), _BETWEEN)
def test_f2_between_intent_and_request_it_is_looked_for_and_then_dialled(
    tmp_path: Path, point: CrashPoint, provider: str
) -> None:
    _, placed, said = killed(tmp_path, point, provider)

    assert placed >= _PEOPLE
    assert any("in doubt" in line for line in said), said


@pytest.mark.fault("F3")
@pytest.mark.parametrize(("point", "provider"), _AFTER)
def test_f3_after_the_request_it_is_found_and_never_sent_again(
    tmp_path: Path, point: CrashPoint, provider: str
) -> None:
    before, _, said = killed(tmp_path, point, provider)

    assert before >= 1
    if point is not CrashPoint.AFTER_RESULT:
        assert any("in doubt" in line for line in said), said
