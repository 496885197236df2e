"""Small providers for tests: the members that checks ask for and nothing else, so that a check that builds a request fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from pydantic import Field

from runner.errors import Diagnostic, FilesWrong
from runner.files.campaign import LoadedCampaign, load_campaign
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.project import Project
from runner.ports import Capabilities, Provider

HEAD = "campaign: april-reminders\npurpose: informational\ncontacts: contacts/april.csv\n"
AGENT = "agent: movoice/agent_12345\n"


class Pause(FilePart):
    """How long to wait."""

    ms: int = Field(ge=0, le=15000)
    """How many milliseconds."""


class CallOptions(FilePart):
    """Options of a call."""

    callerIdName: str | None = Field(default=None, min_length=1, max_length=15)  # noqa: N815 the provider's spelling
    """The name that people see."""
    skipQueue: bool | None = None  # noqa: N815 the provider's spelling
    """Whether not to queue."""
    speaker: Literal["agent", "user"] | None = None
    """Who speaks first."""
    pause: Pause | None = None
    """How long the agent waits."""


class TextOptions(FilePart):
    """Options of a text."""

    prompt: str | None = None
    """How the agent writes."""
    connection: str | None = None
    """Who sends."""


class StrictOptions(FilePart):
    """Options with one that must be given."""

    line: str
    """The line that calls."""


@dataclass(frozen=True)
class FakeProvider:
    name: str
    capabilities: Capabilities
    models: Mapping[Channel, type[FilePart]] = field(default_factory=lambda: {"call": CallOptions, "text": TextOptions})
    native: object | None = None

    def options_model(self, channel: Channel) -> type[FilePart]:
        return self.models[channel]

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        return (f"`{agent.id}` is not an agent's id", "write it without blanks") if " " in agent.id else None


def _fake(name: str, channels: set[Channel], *, needs_from: bool = False, takes_from: bool = True) -> FakeProvider:
    can = Capabilities(
        channels=frozenset(channels), poll=True, find="none", needs_from=needs_from, takes_from=takes_from
    )
    models: dict[Channel, type[FilePart]] = {"call": CallOptions, "text": TextOptions}
    return FakeProvider(name, can, {channel: models[channel] for channel in channels})


def fake_providers() -> dict[str, Provider]:
    """Both channels and a number, calls alone, both without a number, one with an option that must be given."""
    can = Capabilities(channels=frozenset({"call"}), poll=True, find="none")
    fakes = [
        _fake("revring", {"call", "text"}, needs_from=True),
        _fake("movoice", {"call"}),
        _fake("revmo", {"call", "text"}, takes_from=False),
        FakeProvider(
            "revox",
            Capabilities(channels=can.channels, poll=True, find="none"),
            {"call": StrictOptions},
            native=object(),
        ),
    ]
    return {fake.name: cast("Provider", fake) for fake in fakes}


def load(folder: Path, text: str, project: Project | None = None) -> LoadedCampaign:
    """Write a campaign file and load it."""
    path = folder / "campaign.yaml"
    path.write_text(text, encoding="utf-8")
    return load_campaign(path, project=project or Project(), providers=fake_providers(), shown="campaign.yaml")


def wrong(folder: Path, text: str, project: Project | None = None) -> list[Diagnostic]:
    """Give the diagnostics of a campaign file; none when it is right."""
    try:
        load(folder, text, project)
    except FilesWrong as error:
        return list(error.diagnostics)
    return []


def summary(diagnostics: list[Diagnostic]) -> list[tuple[str, int, int]]:
    """Give code, line and column of each diagnostic."""
    return [(one.code, one.span.line, one.span.column) for one in diagnostics if one.span]
