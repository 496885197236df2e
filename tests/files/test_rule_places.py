"""Where rules stand: in the campaign's own file, in outreach.yaml, or in none because a default counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.model.rule_places import RulePlaces
from runner.wiring.places import lasting_places
from runner.wiring.workspace import open_workspace

PROJECT = """\
accounts:
  main: {provider: revring, limits: {concurrency: 3}}
defaults:
  windows: mon-fri 09:00-17:00
  timezone: America/New_York
limits: {per_minute: 30}
caps: 1 per day, 3 per 7d
cool_down: 7d
"""
CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: {provider: revring, id: agent-1, from: "+12025550100", account: main, limits: {concurrency: 2}}
contacts:
  inline:
    - {phone: "+12025550143", caps: mine}
timezone: Europe/London
retry:
  attempts: 3
  expires: 2d
caps:
  - {attempts: 5, per: 30d}
steps:
  - call: agent
    until: 1d
  - call: agent
    name: again
    retry: 2 times
compliance:
  overrides:
    - {row: us-fed-ai-voice, reason: people agreed in writing}
"""
OWN, SHARED = "campaigns/visits.yaml", "outreach.yaml"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> RulePlaces:
    root = tmp_path_factory.mktemp("project")
    (root / "campaigns").mkdir()
    (root / SHARED).write_text(PROJECT, encoding="utf-8")
    (root / OWN).write_text(CAMPAIGN, encoding="utf-8")
    return _places(root)


def _places(root: Path) -> RulePlaces:
    workspace = open_workspace(root)
    (loaded,) = workspace.load([root / OWN])
    return lasting_places(workspace, loaded)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("timezone", f"{OWN}:7:11"),
        ("steps.call.until", f"{OWN}:15:12"),
        ("steps.call.retry", f"{OWN}:8:1"),
        ("steps.call.retry.expires", f"{OWN}:10:12"),
        ("steps.again.retry.expires", f"{OWN}:18:12"),
        ("steps.again.until", f"{OWN}:16:5"),
        ("caps.0", f"{OWN}:12:5"),
        ("caps.1", f"{SHARED}:7:7"),
        ("caps.2", f"{SHARED}:7:7"),
        ("cool_down", f"{SHARED}:8:12"),
        ("windows", f"{SHARED}:4:12"),
        ("agents.agent.limits", f"{OWN}:3:86"),
        ("agents", f"{OWN}:3:8"),
        ("accounts.main.limits", f"{SHARED}:2:37"),
        ("accounts.main.from_limits", f"{SHARED}:2:9"),
        ("project.limits", f"{SHARED}:6:9"),
        ("compliance.overrides.0", f"{OWN}:21:7"),
        ("limits", ""),
        ("number_types", ""),
        ("us-fed-ai-voice", ""),
        ("", ""),
    ],
)
def test_a_rule_is_found_where_it_was_written(places: RulePlaces, source: str, place: str) -> None:
    assert places.of(source) == place


def test_people_are_no_rules(places: RulePlaces) -> None:
    assert not [path for path in places.by_path if "inline" in path]


def test_what_the_campaign_says_itself_wins_over_the_project(tmp_path: Path) -> None:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / SHARED).write_text(PROJECT, encoding="utf-8")
    own = CAMPAIGN + "windows: daily 10:00-12:00\ncool_down: 9d\n"
    (tmp_path / OWN).write_text(own, encoding="utf-8")
    found = _places(tmp_path)
    assert (found.of("windows"), found.of("cool_down")) == (f"{OWN}:22:10", f"{OWN}:23:12")


def test_a_shorter_cool_down_of_the_campaign_is_not_what_counts(tmp_path: Path) -> None:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / SHARED).write_text(PROJECT, encoding="utf-8")
    (tmp_path / OWN).write_text(CAMPAIGN + "cool_down: 2d\n", encoding="utf-8")
    assert _places(tmp_path).of("cool_down") == f"{SHARED}:8:12"


def test_without_a_project_file_there_are_the_campaigns_own_places(tmp_path: Path) -> None:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / OWN).write_text(CAMPAIGN.replace("account: main, ", ""), encoding="utf-8")
    found = _places(tmp_path)
    assert (found.of("timezone"), found.of("windows"), found.of("caps.0")) == (f"{OWN}:7:11", "", f"{OWN}:12:5")


def test_a_file_outside_the_project_leaves_no_places(tmp_path: Path) -> None:
    (tmp_path / "project" / "campaigns").mkdir(parents=True)
    elsewhere = tmp_path / "visits.yaml"
    elsewhere.write_text(CAMPAIGN.replace("account: main, ", ""), encoding="utf-8")
    workspace = open_workspace(tmp_path / "project")
    (loaded,) = workspace.load([elsewhere])
    assert lasting_places(workspace, loaded).by_path == {}
