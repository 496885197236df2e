"""A project of campaigns whose plans are reviewed, and the commands run in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.running import Done, Shell

VISITS = """\
campaign: visits
purpose: transactional
agents:
  caller: movoice/agent_1
  texter: revmo/QUdFTlQtMDAwMQ==
countries: US
contacts: people.csv
steps:
  - call: caller
  - text: texter
    after: 1d
    message: {template: hello.txt}
"""
PEOPLE = "phone,name,timezone\n+12025550143,Ana,America/New_York\n+12025550144,Bo,America/New_York\n"
OTHER = """\
campaign: other
purpose: transactional
agent: movoice/agent_1
contacts: [{phone: "+12025550147", timezone: America/New_York}]
"""
PLAN = ("plan", "--format", "json")


class Project:
    """A project of one or two campaigns, and the commands run in it."""

    def __init__(self, root: Path, shell: Shell) -> None:
        self.root = root
        self._shell = shell
        (root / "templates").mkdir()
        (root / "campaigns").mkdir()
        self.write("campaigns/visits.yaml", VISITS)
        self.write("campaigns/people.csv", PEOPLE)
        self.write("templates/hello.txt", "Hello {{ contact.name }}.")

    def __call__(self, *words: str) -> Done:
        """Run one command."""
        return self._shell(*words, cwd=self.root)

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / file).write_text(text, encoding="utf-8")

    def sums(self, *paths: str) -> dict[str, Any]:
        """Give the sums of a plan."""
        sums: dict[str, Any] = self(*PLAN, *paths).lines()[-1]["summary"]
        return sums

    def digest(self, *paths: str) -> str:
        """Give the digest of a plan."""
        return str(self.sums(*paths)["digest"])

    def saved(self, *paths: str) -> str:
        """Write a plan to a file, as a shell does, and name it."""
        self.write("plan.json", self(*PLAN, *paths).out)
        return "plan.json"

    def ledger(self) -> dict[str, bytes]:
        """Give all that lies where the ledger does; nothing when there is none."""
        folder = self.root / ".outreach"
        return {file.name: file.read_bytes() for file in sorted(folder.iterdir())} if folder.exists() else {}
