"""Settings of Movoice's accounts: the plan, which caps calls at once, and how webhooks are signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import FilesWrong
from runner.files.campaign import load_campaign
from runner.files.project import load_project
from runner.model.project import Project, resolve_account
from runner.providers.registry import all_providers
from tests.files.fakes import AGENT, HEAD

RING = "agents:\n  agent: movoice/agent_12345\n  other: revmo/x\nsteps: [{call: agent}, {text: other, message: Hi}]\n"


@pytest.mark.parametrize(
    ("plan", "defaults", "text", "concurrency"),
    [
        (None, {}, AGENT, 10),
        ("starter", {}, AGENT, 1),
        ("growth", {}, AGENT, 3),
        ("business", {}, AGENT, 10),
        ("enterprise", {}, AGENT, 10),
        ("growth", {}, AGENT + "limits: {concurrency: 2}\n", 2),
        ("growth", {}, AGENT + "limits: {per_second: 2}\n", 3),
        ("growth", {"limits": {"concurrency": 20}}, AGENT, 3),
        ("growth", {"limits": {"concurrency": 2}}, AGENT, 2),
        ("growth", {}, RING, 3),
        ("growth", {}, "agent: revmo/x\n", 10),
    ],
)
def test_calls_at_once_are_at_most_the_plan_s(
    tmp_path: Path, plan: Any, defaults: Any, text: str, concurrency: int
) -> None:
    accounts = {"main": {"provider": "movoice"} | ({"plan": plan} if plan else {})}
    file = tmp_path / "april.yaml"
    file.write_text(HEAD + text)
    project = Project.model_validate({"accounts": accounts, "defaults": defaults})
    loaded = load_campaign(file, project=project, providers=all_providers())

    assert loaded.campaign.limits.concurrency == concurrency


@pytest.mark.parametrize(
    ("entry", "words", "help"),
    [
        ("{provider: revox, plan: growth}", "`plan` is a setting of movoice's accounts", "remove `plan`"),
        ("{provider: revox, webhook_signature: {header: X-A}}", "`webhook_signature` is a setting", "remove"),
        ("{provider: movoice, plan: gold}", "`gold`", "starter"),
        ("{provider: movoice, webhook_signature: {over: timestamp.body}}", "belong together", "X-Movoice-Timestamp"),
        ("{provider: movoice, webhook_signature: {encoding: hexx}}", "`hexx`", "`hex`"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, entry: str, words: str, help: str) -> None:
    (tmp_path / "outreach.yaml").write_text(f"accounts:\n  main: {entry}\n")
    with pytest.raises(FilesWrong) as found:
        load_project(tmp_path, shown="outreach.yaml")

    (one,) = found.value.diagnostics
    assert words in one.message
    assert help in one.help
    assert one.span is not None
    assert one.span.line == 2


def test_the_account_has_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "outreach.yaml").write_text(
        "accounts: {main: {provider: movoice, plan: business, webhook_signature: {prefix: 'v1='}}}\n"
    )
    account = resolve_account(load_project(tmp_path).project, "movoice", "main")

    assert account is not None
    assert account.webhook_signature is not None
    assert (account.plan, account.webhook_signature.prefix) == ("business", "v1=")
