"""`outreach init`: the project it writes validates, plans and rehearses at once, and nothing of the user's is touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from runner.cli.init import SCAFFOLD, project_files
from runner.cli.main import run
from runner.files.schema import schema_text
from runner.providers.registry import all_providers


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, and the working directory in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("OUTREACH_PROJECT", "OUTREACH_LEDGER", "MOVOICE_API_KEY", "REVMO_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    assert run(["init", "my-project"]) == 0

    monkeypatch.chdir(tmp_path / "my-project")
    return tmp_path / "my-project"


def test_says_what_it_wrote_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["init", "my project"]) == 0

    said = capsys.readouterr().out
    on_disk = {str(path.relative_to("my project")) for path in Path("my project").rglob("*") if path.is_file()}
    assert on_disk == set(project_files())
    assert on_disk <= {line.strip() for line in said.splitlines()}
    assert said.splitlines()[-3:] == [
        "  cd 'my project' && outreach validate",
        "  outreach plan",
        "  outreach --ledger sqlite:///.outreach/rehearsal.db run campaigns --sandbox",
    ]


def test_the_project_is_fine(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 campaign fine"
    assert run(["schema", "--check", str(project / "schema.json")]) == 0


def test_everybody_in_it_is_planned(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    assert run(["plan", "--format", "json", "--at", "2026-12-01T00:00:00Z"]) == 0

    *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert {key: last["summary"][key] for key in ("contacts", "create", "later", "skipped", "rejected")} == {
        "contacts": 6, "create": 6, "later": 6, "skipped": 0, "rejected": 0,
    }  # fmt: skip
    assert {line["timezone_source"] for line in lines} == {"column"}
    texts = [line["body"]["override"] for line in lines if line["channel"] == "text"]
    assert any(text.startswith("Hi Dayo, ") and "Wednesday, March 3 at 4:45 PM" in text for text in texts)


def test_it_can_be_rehearsed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ["--ledger", "sqlite:///.outreach/rehearsal.db"]

    assert run([*ledger, "run", "campaigns", "--sandbox", "--at", "2026-12-01T00:00:00Z"]) == 0

    assert "6 contacts = 6 finished + 0 skipped + 0 rejected" in capsys.readouterr().out
    assert run([*ledger, "status", "--format", "json"]) == 0
    (campaign,) = json.loads(capsys.readouterr().out)["campaigns"]
    assert (campaign["status"], campaign["row_stats"]["completed"]) == ("completed", 6)
    outcomes = {(one["step"], one["outcome"]) for one in campaign["outcomes"]}
    # A first look at the tool shows a retry and the second step, not only people who answer at once.
    assert {("call", "answered"), ("call", "no_answer"), ("text", "delivered")} <= outcomes
    assert (project / ".outreach/rehearsal.report.html").exists()


def test_refuses_a_folder_with_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _contents(project)

    assert run(["init", str(project)]) == 2

    said = capsys.readouterr().err
    assert said.startswith("error: `")
    assert "is not empty" in said
    assert f"outreach init {project} --force" in said
    assert _contents(project) == before


def test_takes_an_empty_folder_and_a_fresh_repository(tmp_path: Path) -> None:
    (tmp_path / "fresh/.git").mkdir(parents=True)

    assert run(["init", str(tmp_path / "fresh")]) == 0

    assert (tmp_path / "fresh/outreach.yaml").exists()


def test_force_adds_what_is_missing_and_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "outreach.yaml").write_text("# mine\n")
    (project / "schema.json").unlink()
    shutil.rmtree(project / ".vscode")
    capsys.readouterr()

    assert run(["init", ".", "--force"]) == 0

    said = capsys.readouterr().out
    assert (project / "outreach.yaml").read_text() == "# mine\n"
    assert (project / "schema.json").read_text() == schema_text(all_providers())
    assert said.startswith(".: 3 files written\n")
    assert run(["init", ".", "--force"]) == 0
    assert capsys.readouterr().out.startswith(".: nothing was missing\n")


def test_never_writes_through_a_link(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (project / "schema.json").unlink()
    (project / "schema.json").symlink_to(target)

    assert run(["init", ".", "--force"]) == 0

    assert not target.exists()


def test_a_file_where_a_folder_is_needed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "campaigns").write_text("")

    assert run(["init", str(tmp_path), "--force"]) == 2

    assert "and a folder is needed" in capsys.readouterr().err


def test_people_and_ledger_stay_out_of_git(project: Path) -> None:
    ignored = ["campaigns/contacts/first-campaign.csv", "campaigns/contacts/do-not-call.txt", ".outreach/ledger.db",
               "campaigns/x.reject.csv", ".env", "keys/revmo.key"]  # fmt: skip
    kept = ["campaigns/contacts/first-campaign.sample.csv", "campaigns/first-campaign.yaml", "schema.json",
            ".github/workflows/outreach.yml", ".vscode/settings.json"]  # fmt: skip
    _git(project, "init", "--quiet", ".")

    found = _git(project, "check-ignore", "--no-index", *ignored, *kept).split()

    assert sorted(found) == sorted(ignored)


def test_the_workflow_works_on_what_git_holds(project: Path, tmp_path: Path) -> None:
    checkout, summary = tmp_path / "checkout", tmp_path / "summary.md"
    _git(project, "init", "--quiet", ".")
    _git(project, "add", "--all")
    _git(project, "checkout-index", "--all", f"--prefix={checkout}/")
    assert not (checkout / "campaigns/contacts/first-campaign.csv").exists()
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    workflow = YAML(typ="safe", pure=True).load(checkout / ".github/workflows/outreach.yml")

    steps = [step for step in workflow["jobs"]["plan"]["steps"] if "run" in step and step["name"] != "Install"]
    for step in steps:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]],
            cwd=checkout, env=environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (step["name"], done.stdout, done.stderr)

    assert [step["name"] for step in steps] == ["Put in sample contacts", "Schema", "Validate", "Plan"]
    assert "6 contacts   +6 create" in summary.read_text()
    assert "+12025550143" not in summary.read_text()


def test_the_editor_finds_the_schemas(project: Path) -> None:
    settings = json.loads((project / ".vscode/settings.json").read_text())
    schema = json.loads((project / "schema.json").read_text())
    pointer = json.loads((project / ".vscode/outreach.schema.json").read_text())["$ref"]

    assert all((project / name).is_file() for name in settings["yaml.schemas"])
    assert pointer == "../schema.json#/$defs/Project"
    file = YAML(typ="safe", pure=True).load(project / "outreach.yaml")
    jsonschema.Draft202012Validator({"$ref": "#/$defs/Project", "$defs": schema["$defs"]}).validate(file)
    head = (project / "campaigns/first-campaign.yaml").read_text().splitlines()[0]
    reference = head.removeprefix("# yaml-language-server: $schema=")
    assert (project / "campaigns" / reference).resolve() == project / "schema.json"


def test_what_is_commented_out_in_outreach_yaml_is_right(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / "outreach.yaml").read_text()
    examples = [
        line.removeprefix("# ") for line in text.splitlines() if line.startswith(("#   ", "# accounts:", "# defaults:"))
    ]
    (project / "outreach.yaml").write_text("\n".join(examples) + "\n")

    assert run(["validate"]) == 0, capsys.readouterr().err
    assert len(examples) > 10


def test_every_file_of_the_scaffold_is_used() -> None:
    folder = Path(sys.modules["runner.cli.init"].__file__ or "").parent / "scaffold"

    assert {path.name for path in folder.iterdir()} == set(SCAFFOLD.values())


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numbers_of_people_are_stopped_before_a_commit() -> None:
    """What the project itself ships passes; a number that may be somebody's does not, wherever it stands."""
    files = project_files()
    (hook,) = [
        one for one in YAML(typ="safe").load(files[".pre-commit-config.yaml"])["repos"][0]["hooks"]
        if one["language"] == "pygrep"
    ]  # fmt: skip
    number, wanted, left_out = (re.compile(hook[key]) for key in ("entry", "files", "exclude"))
    looked_at = {name: text for name, text in files.items() if wanted.search(name) and not left_out.search(name)}

    assert {"campaigns/first-campaign.yaml", "README.md"} <= set(looked_at)
    assert [name for name, text in looked_at.items() if number.search(text)] == []
    for line in ("phone: '+999123456789'", "+999123456789,Ana", '{"phone": "+99912345678"}', "call +120255501439 now"):
        assert number.search(line), line
    for line in ("+12025550143", "+447700900123", "a+12345678901", "1+1=2", "2026-12-01T09:00:00+01:00"):
        assert not number.search(line), line
