"""A sandbox that does not answer about itself is said in a sentence, whenever that happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import NotFound
from runner.model.project import Project
from runner.sandbox.clock import WallClock
from runner.sandbox.faults import Fault
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.wiring.accounts import project_accounts
from runner.wiring.running import engine, other_sandbox


async def test_where_webhooks_go_cannot_be_told(tmp_path: Path) -> None:
    async with (
        running(Settings(), WallClock()) as sandbox,
        other_sandbox(project_accounts(Project()), sandbox.url) as it,
    ):
        sandbox.world.faults.plan((Fault(kind="refuse"),))
        with pytest.raises(NotFound, match="does not answer"):
            async with engine(tmp_path / "ledger.db", it):
                pass


async def test_the_dials_cannot_be_asked_for(tmp_path: Path) -> None:
    async with (
        running(Settings(), WallClock()) as sandbox,
        other_sandbox(project_accounts(Project()), sandbox.url) as it,
        engine(tmp_path / "ledger.db", it) as parts,
    ):
        sandbox.world.faults.plan((Fault(kind="refuse"),))
        with pytest.raises(NotFound, match="does not answer"):
            await parts.check_dials()
