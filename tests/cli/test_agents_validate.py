"""`outreach validate` and agents as code: what the agent says against what the campaign sends, at its character."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Done, Shell

CAMPAIGN = """\
campaign: renewals
purpose: informational
contacts: [{phone: "+12025550143", name: Ann, clinic: Main, timezone: America/New_York}]
variables:
  first_name: "{{ contact.name }}"
agents:
  reminder:
    provider: revox
    define:
      prompt: |
        You call {{first_name}}.
        Say that {{clinic}} calls.
      first_sentence: "Hello {{ first_name }}"
"""
SENT = CAMPAIGN.replace("agents:", '  clinic: "{{ contact.clinic }}"\nagents:')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    return tmp_path


def validated(shell: Shell, project: Path, text: str, *words: str) -> Done:
    (project / "campaigns/renewals.yaml").write_text(text)
    return shell("validate", *words, cwd=project)


def diagnostics(done: Done) -> list[dict[str, Any]]:
    found = json.loads(done.out)
    return list(found if isinstance(found, list) else found["diagnostics"])


def test_what_the_agent_says_and_nobody_sends_is_an_error_inside_the_block(shell: Shell, project: Path) -> None:
    done = validated(shell, project, CAMPAIGN)

    assert done.code == 1
    assert done.err == (
        "error[V10]: the agent says `{{clinic}}`, and the campaign never sends `clinic`\n"
        "  --> campaigns/renewals.yaml:12:20\n"
        "   |\n"
        "12 |         Say that {{clinic}} calls.\n"
        "   |                    ^^^^^^\n"
        '   = help: add: variables: {clinic: "{{ contact.clinic }}"}\n'
        "1 error\n"
    )


def test_what_is_sent_and_never_said_is_a_warning(shell: Shell, project: Path) -> None:
    done = validated(shell, project, SENT.replace("        Say that {{clinic}} calls.\n", ""))

    assert done.code == 0
    assert "warning[V11]: `clinic` is sent, and no agent says `{{clinic}}`" in done.err
    assert "campaigns/renewals.yaml:6:12" in done.err
    assert "1 campaign fine" in done.out


def test_what_is_sent_and_said_is_fine(shell: Shell, project: Path) -> None:
    done = validated(shell, project, SENT)

    assert (done.code, done.err) == (0, "")


def test_a_prompt_in_a_file_is_faulted_in_that_file(shell: Shell, project: Path) -> None:
    (project / "templates/agents").mkdir(parents=True)
    (project / "templates/agents/reminder.md").write_text("Hi {{first_name}},\n{{clnic}} calls.\n")
    head, _, _ = SENT.partition("      prompt")

    done = validated(shell, project, head + "      prompt: {template: agents/reminder.md}\n", "--format", "json")

    (first, *_) = diagnostics(done)
    assert done.code == 1
    assert first["file"] == "templates/agents/reminder.md"
    assert first["range"]["start"]["line"] == 2
    assert first["help"] == "did you mean `clinic`?"


def test_nothing_of_the_prompt_is_rendered_by_us(shell: Shell, project: Path) -> None:
    # `contact` and filters are ours, and would be rendered in `variables`; in a prompt they are the provider's business.
    done = validated(shell, project, SENT.replace("{{clinic}}", "{{ contact.clinic | upper }}"))

    assert done.code == 1
    assert "`{{contact.clinic | upper}}` is more than a name, and the provider fills in names alone" in done.err


def test_show_prints_a_definition_that_loads_again(shell: Shell, project: Path) -> None:
    validated(shell, project, SENT)
    printed = shell("show", "campaigns/renewals.yaml", cwd=project)
    assert printed.code == 0

    again = validated(shell, project, printed.out)

    assert (again.code, again.err) == (0, "")
    assert shell("show", "campaigns/renewals.yaml", cwd=project).out == printed.out
