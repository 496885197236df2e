"""`plan` and `validate` ask nobody and run nothing, whatever stands in the files of a pull request (S24)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hostile.cases import FOLDER, cases
from tests.hostile.projects import project
from tests.hostile.rows import HEADER, RULES
from tests.hostile.walled import REACHED_OUT

REPOSITORY = FOLDER.parents[1]


def walled(*words: str, folders: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Run a command in folders behind the wall."""
    return subprocess.run(
        [sys.executable, "-m", "tests.hostile.walled", *words, "--", *map(str, folders)],
        capture_output=True, text=True, timeout=120, check=False, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


@pytest.mark.parametrize("command", ["plan", "validate"])
def test_the_sample_campaigns_are_planned_behind_the_wall(command: str) -> None:
    done = walled(command, folders=[REPOSITORY])
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, f"{REPOSITORY.name}: exit 0")


def test_hostile_templates_and_rows_are_planned_behind_the_wall(tmp_path: Path) -> None:
    folders = [tmp_path / f"{at}" for at in range(len(cases("templates.txt")) + len(cases("rows.txt")))]
    for folder, case in zip(folders, [*cases("templates.txt"), *cases("rows.txt")], strict=True):
        if case.expected.startswith(("row ", "unsent", "harmless")):
            project(folder, RULES, {"campaigns/people.csv": f"{HEADER}{case.text}\n"})
        else:
            block = "\n".join(f"    {line}" for line in case.text.split("\n"))
            project(folder, RULES.replace("secret: TOP-SECRET", f"secret: |\n{block}"))
    done = walled("plan", folders=folders)

    ended = re.findall(r"^\d+: exit (\d)$", done.stderr, re.MULTILINE)
    assert done.returncode == 0, done.stderr[-500:]
    assert len(ended) == len(folders)
    assert set(ended) == {"0", "1"}, "a sentence for each, and no traceback"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.stdout), "nothing that a terminal obeys"


def test_a_repository_that_names_programs_has_none_of_them_run(tmp_path: Path) -> None:
    project(tmp_path)
    ran = tmp_path / "ran"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, timeout=20)
    subprocess.run(["git", "config", "core.fsmonitor", str(hook)], cwd=tmp_path, check=True, timeout=20)
    done = walled("plan", folders=[tmp_path])

    assert done.returncode == 0, done.stderr
    assert "git " in done.stdout, "it was asked for the commit"
    assert not ran.exists()


def test_a_repository_among_the_files_of_a_pull_request_has_none_of_its_programs_run(tmp_path: Path) -> None:
    """A folder that is laid out like the inside of a repository is one to git, with a configuration of its own."""
    project(tmp_path)
    ran = tmp_path / "ran"
    subprocess.run(["git", "init", "-q", "--bare", "made"], cwd=tmp_path, check=True, timeout=20)
    for name in ("HEAD", "objects", "refs"):
        (tmp_path / "made" / name).rename(tmp_path / name)
    (tmp_path / ".gitattributes").write_text("* filter=x\n")
    inside = ["git", "--git-dir=.", "--work-tree=.", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["add", "campaigns"], ["commit", "-qm", "a"]):
        subprocess.run([*inside, *words], cwd=tmp_path, check=True, timeout=20)
    (tmp_path / "config").write_text(
        f'[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n[filter "x"]\nclean = "touch {ran}; cat"\n'
    )
    (tmp_path / "campaigns" / "people.csv").write_text("phone,name\n+12025550143,Bob\n")
    done = walled("plan", folders=[tmp_path])

    assert done.returncode == 0, done.stderr
    assert "git " not in done.stdout, "it is nobody's commit"
    assert not ran.exists()


def test_the_wall_stops_what_reaches_out(tmp_path: Path) -> None:
    project(tmp_path)
    assert walled("run", "--sandbox", "--yes", folders=[tmp_path]).returncode == REACHED_OUT
