"""A project whose accounts lie at the stand-in for agents' endpoints, and the commands run in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.ledger.agents import known_agents
from runner.ledger.store import Store
from tests.cli.agents_server import AgentsServer
from tests.cli.running import Shell

PROMPT = "You call {{first_name}} about a visit."
AGENTS = {
    "revox": f"""\
  reminder:
    provider: revox
    define:
      prompt: |
        {PROMPT}
      first_sentence: "Hello {{{{first_name}}}}"
      voice: cartesia/voice-1
      voicemail_message: We call again.
""",
    "movoice": f"""\
  reminder:
    provider: movoice
    define:
      prompt: |
        {PROMPT}
      first_sentence: "Hello {{{{first_name}}}}"
      voice: elevenlabs/rachel
""",
}
CAMPAIGN = """\
campaign: renewals
purpose: informational
contacts: [{phone: "+12025550143", name: Ann, timezone: America/New_York}]
variables: {first_name: "{{ contact.name }}"}
agents:
"""


class Place:
    """A project whose accounts lie at the stand-in."""

    def __init__(self, root: Path, server: AgentsServer, shell: Shell) -> None:
        self.root = root
        self.server = server
        self._shell = shell
        (root / "campaigns").mkdir()
        self.settle("1h")

    def settle(self, after: str) -> None:
        """Write outreach.yaml, with so long a wait for lost requests."""
        accounts = "".join(
            f"  {name}: {{provider: {name}, base_url: {self.server.url}/{name}, allow_loopback: true, settle_after: {after}, "
            "credential: env:AGENTS_TEST_KEY}\n"
            for name in ("revox", "movoice")
        )
        (self.root / "outreach.yaml").write_text(f"accounts:\n{accounts}")

    def write(self, agents: str, head: str = CAMPAIGN) -> None:
        """Write the campaign with these agents."""
        (self.root / "campaigns/renewals.yaml").write_text(head + agents)

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run one command that must end with this code; give what it printed."""
        done = self._shell(*words, cwd=self.root)
        assert done.code == code, (done.code, done.out, done.err)
        return done.out + done.err

    def agents_in_plan(self, *words: str) -> list[dict[str, Any]]:
        """Give the agents that `plan --format json` prints."""
        lines = [json.loads(line) for line in self("plan", "--format", "json", *words).splitlines()]
        return [line["agent"] for line in lines if "agent" in line]

    def body_in_plan(self) -> dict[str, Any]:
        """Give the first contact's line that `plan --format json` prints."""
        lines = [json.loads(line) for line in self("plan", "--format", "json").splitlines()]
        return next(line for line in lines if "contact" in line)

    def remembered(self, path: str = ".outreach/ledger.db") -> dict[str, str]:
        """Give the ids that a ledger holds by agent."""
        store = Store.open_read_only(self.root / path)
        try:
            return {name: row.applied.provider_id for (_, name), row in known_agents(store, "renewals").items()}
        finally:
            store.close()

    def contacts(self) -> int:
        """Count the people in the ledger."""
        store = Store.open_read_only(self.root / ".outreach/ledger.db")
        try:
            return int(store._connection.execute("SELECT count(*) FROM contacts").fetchone()[0])
        finally:
            store.close()
