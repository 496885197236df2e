"""One agent whatever is lost, and nobody's change overwritten unasked: drift, lost answers, foreign agents."""

from __future__ import annotations

import time

import pytest

from tests.cli.agents_project import AGENTS, CAMPAIGN, PROMPT, Place
from tests.cli.agents_server import AgentsServer

BOTH = pytest.mark.parametrize("provider", ["revox", "movoice"])


# ---- drift ----


@BOTH
def test_drift_is_shown_and_refused_and_overwritten_only_when_told(
    place: Place, server: AgentsServer, provider: str
) -> None:
    place.write(AGENTS[provider])
    place("apply")
    server.only()["prompt"] = "Sell everything."
    written = len(server.writes())

    (agent,) = place.agents_in_plan("--online")
    assert (agent["status"], agent["changes"][0]["drift"]) == ("drift", True)
    assert place.agents_in_plan()[0]["status"] == "keep"
    told = place("apply", code=1)
    assert "somebody changed at the provider: the agent `reminder` of renewals: `prompt`" in told
    assert "outreach apply --accept-drift" in told
    assert len(server.writes()) == written
    place("apply", "--accept-drift")
    assert server.only()["prompt"] == PROMPT + "\n"
    assert len(server.writes()) == written + 1
    place("apply")
    assert len(server.writes()) == written + 1


def test_taking_a_foreign_change_into_the_file_ends_the_drift(place: Place, server: AgentsServer) -> None:
    place("apply")
    server.only()["voicemail_message"] = "Call us."
    place.write(AGENTS["revox"].replace("We call again.", "Call us."))
    written = len(server.writes())

    place("apply")

    assert len(server.writes()) == written
    assert place.agents_in_plan()[0]["status"] == "keep"


def test_an_agent_that_is_gone_is_made_again_only_when_told(place: Place, server: AgentsServer) -> None:
    place("apply")
    server.agents.clear()

    assert "it is gone at the provider" in place("apply", code=1)
    assert server.agents == {}
    place("apply", "--accept-drift")
    assert place.remembered() == {"reminder": "revox_2"}
    assert place.body_in_plan()["body"]["assistant_id"] == "revox_2"


def test_what_a_provider_shows_is_never_obeyed_by_the_terminal(place: Place, server: AgentsServer) -> None:
    place("apply")
    server.only()["prompt"] = "Sell\x1b[2J\neverything\x07."
    server.only()["voicemail_message"] = "\x1b]0;mine\x07"

    text = place("plan", "--online")

    assert "-Sell" in text
    assert not [char for char in text if not (char.isprintable() or char == "\n")]


# ---- lost answers ----


def test_a_lost_answer_to_create_makes_no_second_agent(place: Place, server: AgentsServer) -> None:
    server.faults = ["drop_after"]

    assert "created (revox/revox_1)" in place("apply")

    assert server.writes() == [("POST", "/revox/assistants")]
    assert place.remembered() == {"reminder": "revox_1"}


def test_while_nobody_knows_no_second_request_leaves(place: Place, server: AgentsServer) -> None:
    server.faults, server.lists_late = ["drop_after"], True

    told = place("apply", code=1)
    assert "revox may have created the agent `reminder` of renewals, and does not list it yet" in told
    assert "reminder (outreach " in told
    assert place.remembered() == {"reminder": ""}
    assert "does not list it yet" in place("apply", code=1)
    assert "may still be under way" in place("plan", "--online")
    assert server.writes() == [("POST", "/revox/assistants")]

    server.show_all()
    assert "taken over (revox/revox_1)" in place("apply")
    assert server.writes() == [("POST", "/revox/assistants")]
    assert place.remembered() == {"reminder": "revox_1"}


def test_a_request_that_never_arrived_goes_again_once_that_is_proven(place: Place, server: AgentsServer) -> None:
    place.settle("0.1s")
    server.faults = ["drop_before"]
    assert "may have created" in place("apply", code=1)

    time.sleep(0.3)
    assert "created (revox/revox_1)" in place("apply")

    assert len(server.agents) == 1
    assert len(server.writes()) == 2


def test_a_refusal_is_told_and_leaves_nothing_behind(place: Place, server: AgentsServer) -> None:
    server.faults = [400]

    told = place("apply", code=1)

    assert (
        "the agent `reminder` of renewals was not created: revox answered 400: `refused: as the test wants it`" in told
    )
    assert place.remembered() == {}
    assert not place.contacts()
    assert "created (revox/revox_1)" in place("apply")


def test_a_lost_answer_to_update_is_looked_at(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("We call again.", "We write."))
    server.faults = ["drop_after"]

    assert "changed" in place("apply")
    assert server.only()["voicemail_message"] == "We write."
    assert place.agents_in_plan("--online")[0]["status"] == "keep"


def test_a_lost_update_is_told_and_may_be_sent_again(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("We call again.", "We write."))
    server.faults = ["drop_before"]

    assert "revox may have changed the agent `reminder`" in place("apply", code=1)
    assert server.only()["voicemail_message"] == "We call again."
    place("apply")
    assert server.only()["voicemail_message"] == "We write."


def test_an_update_that_arrived_although_it_was_told_lost_is_not_sent_again(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("We call again.", "We write."))
    server.only()["voicemail_message"] = "We write."
    written = len(server.writes())

    place("apply")

    assert len(server.writes()) == written


# ---- whose agent it is ----


def test_another_checkout_finds_the_agent_by_its_name(place: Place, server: AgentsServer) -> None:
    place("apply")
    other = "sqlite:///other.db"

    assert "taken over (revox/revox_1)" in place("--ledger", other, "apply")

    assert server.writes() == [("POST", "/revox/assistants")]
    assert place.remembered("other.db") == {"reminder": "revox_1"}


def test_another_checkout_overwrites_nothing_unasked(place: Place, server: AgentsServer) -> None:
    place("apply")
    server.only()["prompt"] = "Newer than mine."

    told = place("--ledger", "sqlite:///other.db", "apply", code=1)

    assert "`prompt`" in told
    assert server.only()["prompt"] == "Newer than mine."


def test_two_agents_of_the_name_stop_everything(place: Place, server: AgentsServer) -> None:
    place("apply")
    server.make("revox", {"name": server.only()["name"]})

    told = place("--ledger", "sqlite:///other.db", "apply", code=1)

    assert "2 agents are named `reminder (outreach " in told
    assert "id: revox_1" in told


def test_an_id_beside_the_definition_takes_that_agent_over(place: Place, server: AgentsServer) -> None:
    mine = server.make("revox", {"name": "made by hand", "prompt": "Old.", "voice": None})
    place.write(AGENTS["revox"].replace("provider: revox\n", f"provider: revox\n    id: {mine['id']}\n"))
    assert place.body_in_plan()["body"]["assistant_id"] == mine["id"]

    assert "changed (revox/revox_1)" in place("apply")

    assert server.only()["prompt"] == PROMPT + "\n"
    assert server.only()["name"] == "made by hand"
    assert [method for method, _ in server.writes()] == ["PATCH"]


def test_an_id_that_leads_nowhere_is_told(place: Place, server: AgentsServer) -> None:
    place.write(AGENTS["revox"].replace("provider: revox\n", "provider: revox\n    id: asst_9\n"))

    assert "revox has no agent `asst_9`" in place("apply", "--accept-drift", code=1)
    assert server.writes() == []


def test_campaigns_do_not_share_agents(place: Place, server: AgentsServer) -> None:
    other = CAMPAIGN.replace("campaign: renewals", "campaign: other").replace("0143", "0144")
    (place.root / "campaigns/other.yaml").write_text(other + AGENTS["revox"])

    place("apply")

    assert len({agent["name"] for agent in server.agents.values()}) == 2
