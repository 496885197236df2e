"""Two applies at once, applies that break off: one plan is in force, whole, and whoever lost is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.errors import LedgerFull
from runner.ledger import revisions
from runner.model.plan import PlanLine
from runner.planning.summary import Tally
from runner.wiring.planned import Planned
from tests.cli.running import Shell

PHONES = tuple(f"+120255501{number}" for number in range(41, 47))
NEW = "+12025550150"


def write(folder: Path, *phones: str, campaign: str = "one", more: str = "") -> None:
    """Write a campaign with these people."""
    (folder / "campaigns").mkdir(exist_ok=True)
    people = ", ".join(f'{{phone: "{phone}"}}' for phone in phones)
    (folder / "campaigns" / f"{campaign}.yaml").write_text(
        f"campaign: {campaign}\npurpose: informational\ntimezone: America/New_York\nwindows: daily 00:00-24:00\n"
        f"agent: movoice/agent_1\ncontacts: [{people}]\n{more}"
    )


def stand(shell: Shell, folder: Path, campaign: str = "one") -> tuple[str, int, dict[str, str]]:
    """Give a campaign's status, its revision, and where each person stands."""
    found = json.loads(shell("status", campaign, "--contacts", "--format", "json", cwd=folder).out)["campaigns"][0]
    return found["status"], found["revision"], {one["phone"]: one["state"] for one in found["contacts"]}


def after_line(
    monkeypatch: pytest.MonkeyPatch, count: int, change: Callable[[], object], campaign: str = "one"
) -> None:
    """Have something happen once, as soon as so many lines of a campaign were made, each its own transaction."""
    own_lines, is_due = Planned.own_lines, [True]

    def lines(planned: Planned) -> tuple[Iterator[PlanLine], Tally]:
        found, tally = own_lines(planned)
        return (interrupted(found) if planned.name == campaign else found), tally

    def interrupted(found: Iterator[PlanLine]) -> Iterator[PlanLine]:
        for number, line in enumerate(found):
            if number == count and is_due and is_due.pop():
                change()
            yield line
        if is_due and is_due.pop():
            change()

    monkeypatch.setattr(Planned, "own_lines", lines)
    monkeypatch.setattr(revisions, "CHUNK", 1)


@pytest.mark.parametrize("count", [0, 3, 100])
def test_of_two_applies_the_one_that_began_later_is_in_force(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    write(tmp_path, PHONES[0])
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    write(tmp_path, *PHONES)

    def meanwhile() -> None:
        write(tmp_path, PHONES[0], NEW)
        assert shell("apply", "--yes", cwd=tmp_path).code == 0
        write(tmp_path, *PHONES)

    after_line(monkeypatch, count, meanwhile)
    done = shell("apply", "--yes", cwd=tmp_path)

    assert (done.code, done.out) == (1, "")
    assert "error: another apply of one began meanwhile\n" in done.err
    assert "= help: look at it, and apply again: outreach plan" in done.err
    status, revision, people = stand(shell, tmp_path)
    assert (status in {"scheduled", "running"}, revision) == (True, 3)
    assert {phone for phone, state in people.items() if state == "pending"} == {PHONES[0], NEW}

    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    pending = {phone for phone, state in stand(shell, tmp_path)[2].items() if state == "pending"}
    assert pending == set(PHONES), "whoever applies again has a plan that knows what the other one did"


def test_a_plan_made_before_another_apply_writes_nothing(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would leave the people in place that it does not know of."""
    from runner.wiring import applying  # noqa: PLC0415 beside its use

    write(tmp_path, PHONES[0])
    refuse = applying.refuse_bad_rows

    def meanwhile(examined: list[applying.Examined]) -> None:
        monkeypatch.undo()
        monkeypatch.chdir(tmp_path)
        write(tmp_path, NEW)
        assert shell("apply", "--yes", cwd=tmp_path).code == 0
        write(tmp_path, PHONES[0])
        refuse(examined)

    monkeypatch.setattr(applying, "refuse_bad_rows", meanwhile)
    done = shell("apply", "--yes", cwd=tmp_path)

    assert (done.code, "another apply of one began meanwhile" in done.err) == (1, True)
    assert stand(shell, tmp_path)[1:] == (1, {NEW: "pending"})


def test_a_plan_in_force_that_another_apply_replaces_is_not_said_to_be_in_force(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first campaign does not change; when the second one was written, the first has got another plan."""
    write(tmp_path, PHONES[0])
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    write(tmp_path, PHONES[1], campaign="two")

    def meanwhile() -> None:
        write(tmp_path, PHONES[0], NEW)
        assert shell("apply", "campaigns/one.yaml", "--yes", cwd=tmp_path).code == 0
        write(tmp_path, PHONES[0])

    after_line(monkeypatch, 100, meanwhile, campaign="two")
    done = shell("apply", "--yes", cwd=tmp_path)

    assert (done.code, done.out) == (1, "")
    assert "another apply of one began meanwhile" in done.err
    assert stand(shell, tmp_path, "two")[0] == "draft", "all are put in force together, or none"
    assert stand(shell, tmp_path)[2] == {PHONES[0]: "pending", NEW: "pending"}


def _why(shell: Shell, folder: Path) -> str:
    return str(json.loads(shell("status", "one", "--format", "json", cwd=folder).out)["campaigns"][0]["reason"] or "")


def _die() -> None:
    raise SystemExit(137)


def test_an_apply_that_breaks_off_leaves_a_cancelled_campaign_cancelled(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, PHONES[0])
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert shell("cancel", "one", "--reason", "they moved", "--yes", cwd=tmp_path).code == 0
    before = stand(shell, tmp_path)[0], _why(shell, tmp_path)
    write(tmp_path, PHONES[0], NEW)
    after_line(monkeypatch, 1, _die)
    with pytest.raises(SystemExit):
        shell("apply", "--yes", cwd=tmp_path)

    assert (stand(shell, tmp_path)[0], _why(shell, tmp_path)) == before
    assert (before[0], "they moved" in before[1]) == ("cancelled", True)

    done = shell("apply", "--yes", cwd=tmp_path)
    assert "it was cancelled, and is back for whoever was not called off then" in done.out
    status, _, people = stand(shell, tmp_path)
    assert (status != "cancelled", _why(shell, tmp_path)) == (True, "")
    assert people == {PHONES[0]: "failed", NEW: "pending"}


def test_a_campaign_that_is_cancelled_while_it_is_applied_stays_so(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, PHONES[0])
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    write(tmp_path, PHONES[0], NEW)
    after_line(monkeypatch, 1, lambda: shell("cancel", "one", "--yes", cwd=tmp_path))
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert stand(shell, tmp_path)[0] == "cancelled"


AT_REST = "one and two place nothing until they are applied again"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (LedgerFull("the ledger cannot be written: the disk is full"), 7, f"the disk is full, so {AT_REST}\n"),
        (KeyboardInterrupt(), 130, f"{AT_REST}\n\nstopped\n"),
        (RuntimeError("a fault of ours"), 1, f"{AT_REST}\nerror: something unexpected happened"),
    ],
)
def test_whatever_ends_an_apply_says_which_campaigns_stand_still(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    write(tmp_path, PHONES[0])
    write(tmp_path, PHONES[1], campaign="two")

    def fail() -> None:
        raise error

    after_line(monkeypatch, 100, fail, campaign="two")
    done = shell("apply", "--yes", cwd=tmp_path)

    assert (done.code, said in done.err) == (code, True), done.err
    assert [stand(shell, tmp_path, name)[0] for name in ("one", "two")] == ["draft", "draft"]
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert "draft" not in {stand(shell, tmp_path, name)[0] for name in ("one", "two")}


def _with_file(folder: Path, text: str, more: str = "") -> Path:
    """Have the second campaign read its people from a file."""
    write(folder, PHONES[1], campaign="two")
    rules = folder / "campaigns" / "two.yaml"
    contacts = f"contacts: {{file: two.csv{more}}}"
    rules.write_text(rules.read_text().replace(f'contacts: [{{phone: "{PHONES[1]}"}}]', contacts))
    people = folder / "campaigns" / "two.csv"
    people.write_text(text)
    return people


@pytest.mark.parametrize("is_reviewed", [False, True])
def test_a_file_that_is_gone_while_it_is_applied_makes_another_plan(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_reviewed: bool
) -> None:
    write(tmp_path, PHONES[0])
    people = _with_file(tmp_path, f"phone\n{PHONES[1]}\n")
    plan = shell("plan", "--format", "json", cwd=tmp_path).lines()[-1]["summary"]
    review = ("--reviewed", plan["digest"]) if is_reviewed else ()
    after_line(monkeypatch, 100, people.unlink, campaign="one")
    done = shell("apply", "--yes", *review, cwd=tmp_path)

    assert (done.code, "the files of two changed while they were applied" in done.err) == (
        4 if is_reviewed else 1,
        True,
    )
    assert f"so {AT_REST}" in done.err


def test_a_reject_file_that_cannot_be_written_leaves_nothing_in_force(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, PHONES[0])
    _with_file(tmp_path, f"phone\n{PHONES[1]}\nnobody\n", ", on_bad_row: skip")
    in_the_way = tmp_path / ".outreach/two.reject.csv"
    in_the_way.mkdir(parents=True)
    done = shell("apply", "--yes", cwd=tmp_path)

    assert (done.code, done.out) == (1, "")
    assert f"error: the bad rows of two cannot be written to `{in_the_way}`: " in done.err
    assert "no campaign was applied yet" in shell("status", cwd=tmp_path).out

    in_the_way.rmdir()
    assert shell("apply", "--yes", cwd=tmp_path).code == 0
    assert "nobody" in in_the_way.read_text()


def test_a_campaign_applied_half_is_said_to_stand_still(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, PHONES[0])
    after_line(monkeypatch, 1, _die)
    with pytest.raises(SystemExit):
        shell("apply", "--yes", cwd=tmp_path)
    stands_still = "one was applied half, and places nothing: outreach apply\n"

    assert stands_still in shell("status", cwd=tmp_path).out
    done = shell("run", "--sandbox", cwd=tmp_path)
    assert (done.code, stands_still in done.err) == (5, True)
    assert shell("resume", "one", cwd=tmp_path).out == stands_still

    done = shell("run", "campaigns", "--sandbox", "--yes", cwd=tmp_path)
    assert (done.code, "applied half" in done.out + done.err) == (0, False)
    assert "applied half" not in shell("status", cwd=tmp_path).out
    assert shell("resume", "one", cwd=tmp_path).out == "one is not paused\n"
