"""Agents that leave the files: every plan names them, nothing deletes them, and what is gone there is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.agents_project import AGENTS, CAMPAIGN, Place
from tests.cli.agents_server import AgentsServer

WITHOUT = "  reminder: {provider: revox, id: asst_other}\n"


def left(place: Place, *words: str) -> list[tuple[Any, ...]]:
    """Give campaign, name and id of every agent that a plan calls left."""
    return [
        (one["campaign"], one["name"], one["id"]) for one in place.agents_in_plan(*words) if one["status"] == "left"
    ]


@pytest.mark.parametrize("provider", ["revox", "movoice"])
def test_it_is_listed_and_stays(place: Place, server: AgentsServer, provider: str) -> None:
    place.write(AGENTS[provider])
    place("apply")
    place.write(WITHOUT)
    written = len(server.writes())

    text = place("plan")
    assert f"· reminder at {provider}/{provider}_1 left: the files define it no longer, and it stays there" in text
    assert left(place) == left(place, "--online") == [("renewals", "reminder", f"{provider}_1")]
    place("apply")
    assert len(server.agents) == 1
    assert len(server.writes()) == written
    assert left(place) == [("renewals", "reminder", f"{provider}_1")]


def test_it_is_no_change_to_apply(place: Place) -> None:
    place("apply")
    place.write(WITHOUT)
    place("apply")

    assert place("plan", "--exit-code", code=0)


def test_once_it_is_gone_there_it_is_forgotten(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(WITHOUT)
    server.agents.clear()

    assert left(place) == [("renewals", "reminder", "revox_1")]
    assert left(place, "--online") == []
    assert place.remembered() == {"reminder": "revox_1"}
    place("apply")
    assert place.remembered() == {}
    assert left(place) == []


@pytest.mark.parametrize("trouble", ["no key", "wrong key"])
def test_while_nobody_says_whether_it_is_there_it_stays_listed(
    place: Place, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """A plan and an apply that define no agent need no key for one that is left."""
    place("apply")
    place.write(WITHOUT)
    if trouble == "no key":
        monkeypatch.delenv("AGENTS_TEST_KEY")
    else:
        monkeypatch.setenv("AGENTS_TEST_KEY", "wrong-key")

    assert left(place, "--online") == [("renewals", "reminder", "revox_1")]
    place("apply")
    assert place.remembered() == {"reminder": "revox_1"}


def test_one_whose_create_request_was_lost_is_named_too(place: Place, server: AgentsServer) -> None:
    server.faults, server.lists_late = ["drop_after"], True
    place("apply", code=1)
    place.write(WITHOUT)

    assert "nobody knows whether it was ever created" in place("plan")
    place("apply")
    assert place.remembered() == {"reminder": ""}, "it may still appear"
    server.show_all()
    assert left(place, "--online") == [("renewals", "reminder", None)]


def test_one_that_is_named_by_its_id_now_is_not_left(place: Place) -> None:
    place("apply")
    place.write("  reminder: {provider: revox, id: revox_1}\n")

    assert left(place) == []


def test_a_renamed_agent_leaves_the_old_one_behind(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("  reminder:", "  caller:"))

    assert left(place) == [("renewals", "reminder", "revox_1")]
    place("apply")
    assert len(server.agents) == 2


def test_a_campaign_without_a_file_is_told_by_a_plan_of_everything_alone(place: Place) -> None:
    other = CAMPAIGN.replace("campaign: renewals", "campaign: other").replace("0143", "0144")
    file = place.root / "campaigns/other.yaml"
    file.write_text(other + AGENTS["revox"])
    place("apply")
    file.unlink()

    assert [(campaign, name) for campaign, name, _ in left(place)] == [("other", "reminder")]
    assert left(place, "campaigns/renewals.yaml") == []


def test_an_account_that_is_gone_from_the_project_is_no_obstacle(place: Place) -> None:
    project = place.root / "outreach.yaml"
    project.write_text(project.read_text().replace("  revox:", "  voice:"))
    place("apply")
    project.write_text(project.read_text().replace("  voice:", "  revox:"))
    place.write(WITHOUT)

    assert left(place, "--online") == [("renewals", "reminder", "revox_1")]
    place("apply")
