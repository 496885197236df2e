"""Projects: where they start, what `outreach.yaml` says, which campaigns they hold, what lies outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import FilesWrong, UsageWrong
from runner.files.campaign import load_campaign
from runner.files.diagnostics import as_json, as_text
from runner.files.project import find_campaigns, find_project, load_project, resolve_inside
from runner.model.project import Project
from tests.files.fakes import AGENT, HEAD, fake_providers


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")


def test_a_project_starts_at_its_file_before_its_campaigns(tmp_path: Path) -> None:
    make(tmp_path, "outreach.yaml", "team/campaigns/a.yaml", "team/other/x.txt")

    assert find_project(tmp_path / "team/campaigns") == tmp_path
    assert find_project(tmp_path / "team/campaigns/a.yaml") == tmp_path
    assert find_project(tmp_path) == tmp_path


def test_without_a_file_the_campaigns_folder_marks_it(tmp_path: Path) -> None:
    make(tmp_path, "team/campaigns/deep/a.yaml", "alone/x.txt")

    assert find_project(tmp_path / "team/campaigns/deep") == tmp_path / "team"
    assert find_project(tmp_path / "alone") == tmp_path / "alone"


def test_a_project_without_a_file_has_defaults(tmp_path: Path) -> None:
    loaded = load_project(tmp_path)

    assert loaded.project.accounts == {}
    assert loaded.ledger_url == f"sqlite:///{tmp_path}/.outreach/ledger.db"
    assert loaded.templates_dir == tmp_path / "templates"


def test_a_project_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "outreach.yaml").write_text(
        "ledger: sqlite:///data/ledger.db\ntemplates: words\naccounts:\n"
        "  main: {provider: revox, generation: D, credential: env:REVOX_API_KEY, poll: '90s,5m'}\n"
        "defaults:\n  windows: mon-fri 9am-5pm\n  limits: {concurrency: 3}\n",
        encoding="utf-8",
    )

    loaded = load_project(tmp_path)

    assert loaded.ledger_url == f"sqlite:///{tmp_path}/data/ledger.db"
    assert loaded.templates_dir == tmp_path / "words"
    assert [span.total_seconds() for span in loaded.project.accounts["main"].poll] == [90, 300]
    assert loaded.project.defaults.limits is not None
    assert loaded.project.defaults.limits.concurrency == 3


@pytest.mark.parametrize("text", ["", "# nothing yet\n\n"])
def test_an_empty_project_file_is_fine(tmp_path: Path, text: str) -> None:
    (tmp_path / "outreach.yaml").write_text(text, encoding="utf-8")

    assert load_project(tmp_path).project.accounts == {}


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite:////var/lib/outreach.db", "sqlite:////var/lib/outreach.db"),
        ("'sqlite:///:memory:'", "sqlite:///:memory:"),
        ("postgresql://localhost/outreach", "postgresql://localhost/outreach"),
    ],
)
def test_other_ledgers_stay_as_written(tmp_path: Path, written: str, url: str) -> None:
    (tmp_path / "outreach.yaml").write_text(f"ledger: {written}\n", encoding="utf-8")

    assert load_project(tmp_path).ledger_url == url


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "help"),
    [
        ("acounts: {}\n", "C01", 1, 1, "did you mean `accounts`?"),
        ("accounts: {a: {provder: revox}}\n", "C01", 1, 16, "did you mean `provider`?"),
        ("accounts: {a: {provider: revoxx}}\n", "C04", 1, 26, "did you mean `revox`?"),
        ("accounts: {a: {base_url: x}}\n", "C02", 1, 15, "add: provider:"),
        ("notify: {a: {webhook: 'https://h.example/x?token=sk-1', secret: env:S}}\n", "S01", 1, 23, "write: webhook: env:"),
        ("accounts: {a: {provider: revox, base_url: 'https://h.example/?key=sk-1'}}\n", "S02", 1, 62, "write: base_url:"),
        ("accounts: {a: {provider: revox, credential: sk-live-12345678}}\n", "S01", 1, 45, "credential: env:REVOX_API_KEY"),
        ("accounts: {a: {provider: revring, webhook_secret: whsec_12345678}}\n", "S01", 1, 51, "webhook_secret: env:REVRING_WEBHOOK_SECRET"),
        ("accounts: {a: {provider: revox, settle_after: soon}}\n", "C10", 1, 47, "write: 90s"),
        ("accounts: {a: {provider: revox, api_key: abcdef123}}\n", "C01", 1, 33, "did you mean `credential`?"),
        ("defaults: {retry: 3x}\n", "C10", 1, 19, "3 times, 2h apart"),
        ("defaults: {windows: [mon 9, tue 9am-5pm]}\n", "C10", 1, 22, "mon-fri 09:00-18:00"),
        ("ledger: mysql://localhost/x\n", "C10", 1, 9, "sqlite:///.outreach/ledger.db"),
        ("templates: ../words\n", "C28", 1, 12, "move the file into the project"),
        ("a: {{ x }}\n", "Y02", 1, 4, 'a: "{{ x }}"'),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_project_file(
    tmp_path: Path, text: str, code: str, line: int, column: int, help: str
) -> None:
    (tmp_path / "outreach.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(FilesWrong) as caught:
        load_project(tmp_path, shown="outreach.yaml")

    first = next(one for one in caught.value.diagnostics if one.code == code)
    assert first.span is not None
    assert (first.file, first.span.line, first.span.column) == ("outreach.yaml", line, column)
    assert help in first.help
    shown = as_text(caught.value.diagnostics) + as_json(caught.value.diagnostics)
    assert not any(secret in shown for secret in ("sk-live", "whsec_1", "abcdef123", "sk-1"))


def test_campaigns_are_found_in_files_and_folders(tmp_path: Path) -> None:
    make(tmp_path, "c/b.yaml", "c/a.yml", "c/.hidden.yaml", "c/notes.txt", "c/deep/d.yaml", "outreach.yaml", "z.yaml")

    assert [path.name for path in find_campaigns([tmp_path / "c"])] == ["a.yml", "b.yaml"]
    assert [path.name for path in find_campaigns([tmp_path])] == ["z.yaml"]
    twice = find_campaigns([tmp_path / "c/b.yaml", tmp_path / "c", tmp_path / "c/deep/../b.yaml"])
    assert [path.name for path in twice] == ["b.yaml", "a.yml"]
    assert find_campaigns([tmp_path / "c/deep/../deep"]) == [tmp_path / "c/deep/../deep/d.yaml"]


def test_a_missing_path_is_a_clear_mistake(tmp_path: Path) -> None:
    make(tmp_path, "campaigns/april.yaml")

    with pytest.raises(UsageWrong, match="there is no file or folder") as near:
        find_campaigns([tmp_path / "campaigns/aprl.yaml"])
    with pytest.raises(UsageWrong) as far:
        find_campaigns([tmp_path / "nowhere/at/all"])

    assert "april.yaml" in near.value.help
    assert near.value.exit_code == 2
    assert far.value.help


@pytest.mark.parametrize("name", ["people.csv", "../contacts/people.csv", "./a/../people.csv", "sub/x.csv"])
def test_paths_inside_are_relative_to_the_file_that_names_them(tmp_path: Path, name: str) -> None:
    base = tmp_path / "campaigns/a.yaml"

    assert resolve_inside(base, name, tmp_path) == Path(os.path.normpath(tmp_path / "campaigns" / name))


@pytest.mark.parametrize(
    "name", ["../../secret", "/etc/passwd", "a/../../../x", "", "  ", "a\x00b", "../..", "//etc/passwd"]
)
def test_paths_outside_are_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "project"
    (root / "campaigns").mkdir(parents=True)

    with pytest.raises(UsageWrong):
        resolve_inside(root / "campaigns/a.yaml", name, root)


def test_absolute_paths_inside_are_fine(tmp_path: Path) -> None:
    assert resolve_inside(tmp_path / "a.yaml", str(tmp_path / "x.csv"), tmp_path) == tmp_path / "x.csv"


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    make(root, "campaigns/a.yaml", "data/x.csv")
    make(outside, "x.csv")
    (root / "campaigns/out").symlink_to(outside)
    (root / "campaigns/out.csv").symlink_to(outside / "x.csv")
    (root / "campaigns/in").symlink_to(root / "data")
    (root / "campaigns/loop").symlink_to(root / "campaigns/loop")

    for name in ("out/x.csv", "out.csv"):
        with pytest.raises(UsageWrong, match="leads out of the project"):
            resolve_inside(root / "campaigns/a.yaml", name, root)
    with pytest.raises(UsageWrong):
        resolve_inside(root / "campaigns/a.yaml", "loop", root)
    assert resolve_inside(root / "campaigns/a.yaml", "in/x.csv", root) == root / "data/x.csv"


def test_files_that_a_campaign_names_stay_inside(tmp_path: Path) -> None:
    root = tmp_path / "project"
    path = root / "campaigns/a.yaml"
    make(root, "campaigns/a.yaml")
    source = "{file: ../../people.csv, suppress: [stop.csv, /etc/hosts]}"
    path.write_text(HEAD.replace("contacts/april.csv", source) + AGENT, encoding="utf-8")

    with pytest.raises(FilesWrong) as caught:
        load_campaign(path, project=Project(), providers=fake_providers(), root=root)

    found = [(one.code, one.span.column, one.message) for one in caught.value.diagnostics if one.span]
    assert found == [
        ("C28", 18, "`../../people.csv` leads out of the project `project`"),
        ("C28", 57, "`/etc/hosts` leads out of the project `project`"),
    ]


@given(
    st.lists(st.sampled_from(["..", ".", "a", "b.csv", "/", "", "~", "C:\\x", "\\\\host\\share"]), max_size=8).map(
        "/".join
    )
)
def test_no_name_leads_out(name: str) -> None:
    root = Path("/nonexistent/project")
    try:
        found = resolve_inside(root / "campaigns/a.yaml", name, root)
    except UsageWrong:
        return
    assert found.is_relative_to(root)
