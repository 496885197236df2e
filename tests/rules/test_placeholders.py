"""What a defined agent says, held against what the campaign sends: every fault at its character."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.agent_definition import Prompt
from runner.rules.check import TemplateProblem
from runner.rules.placeholders import SPOKEN, check_definitions, prompt_text, unused_variables
from tests.building import campaign

SENT = {"first_name": "{{ contact.name }}"}


def defined(define: dict[str, Any] | None, provider: str = "revox", **changes: Any) -> Any:
    agent = {"provider": provider, "define": define} if define else {"provider": provider, "id": "x"}
    return campaign(**{"agent": None, "agents": {"a": agent}, "variables": SENT, **changes})


def at(problem: TemplateProblem) -> tuple[str, str, int, int, int]:
    return (problem.code, ".".join(map(str, problem.path)), problem.line, problem.column, problem.length)


@pytest.mark.parametrize(
    "prompt",
    ["Hi {{first_name}}", "Hi {{ first_name }}!", "No names here.", "{ {first_name} }", "{{first_name}}{{first_name}}"],
)
def test_what_is_sent_may_be_said(prompt: str) -> None:
    assert check_definitions(defined({"prompt": prompt}), {}) == []


def test_what_is_never_sent_is_an_error_at_its_character() -> None:
    (problem,) = check_definitions(defined({"prompt": "Hi {{first_name}},\nyour {{ clinic }} calls."}), {})

    assert at(problem) == ("V10", "agents.a.define.prompt.text", 2, 9, 6)
    assert problem.message == "the agent says `{{clinic}}`, and the campaign never sends `clinic`"
    assert problem.help == 'add: variables: {clinic: "{{ contact.clinic }}"}'


def test_a_slip_of_the_pen_is_named() -> None:
    (problem,) = check_definitions(defined({"prompt": "Hi {{first_nmae}}"}), {})

    assert problem.help == "did you mean `first_name`?"


@pytest.mark.parametrize("inside", ["first_name | upper", "contact.name()", "", "#if first_name", "first name"])
def test_more_than_a_name_is_an_error(inside: str) -> None:
    (problem,) = check_definitions(defined({"prompt": f"Hi {{{{{inside}}}}}"}), {})

    assert problem.code == "V10"
    assert "fills in names alone" in problem.message


@pytest.mark.parametrize("field", SPOKEN)
def test_every_spoken_field_is_read(field: str) -> None:
    (problem,) = check_definitions(defined({"prompt": "x", field: "Hi {{clinic}}"}), {})

    assert at(problem) == ("V10", f"agents.a.define.{field}", 1, 6, 6)


def test_every_step_must_send_what_its_agent_says() -> None:
    steps: list[dict[str, Any]] = [{"call": "a", "variables": {"clinic": "Main"}}, {"call": "a", "name": "again"}]
    (problem,) = check_definitions(defined({"prompt": "{{clinic}} {{first_name}}"}, steps=steps), {})

    assert "the step `again` never sends `clinic`" in problem.message
    steps[1]["variables"] = {"clinic": "Main"}
    assert check_definitions(defined({"prompt": "{{clinic}} {{first_name}}"}, steps=steps), {}) == []


def test_an_agent_that_no_step_uses_is_not_judged() -> None:
    agents = {"a": {"provider": "revox", "define": {"prompt": "{{clinic}}"}}, "b": {"provider": "revox", "id": "x"}}

    assert check_definitions(campaign(agent=None, agents=agents, steps=[{"call": "b"}]), {}) == []


def test_a_prompt_in_a_file_is_read_there() -> None:
    of = defined({"prompt": {"template": "agents/a.md"}})

    (problem,) = check_definitions(of, {"agents/a.md": "Hi\n {{clinic}}"})

    assert at(problem) == ("V10", "agents.a.define.prompt.template", 2, 4, 6)
    assert problem.template == "agents/a.md"
    assert prompt_text(Prompt(template="agents/a.md"), {"agents/a.md": "words"}) == "words"


def test_a_file_that_is_not_there_is_told() -> None:
    of = defined({"prompt": {"template": "agents/remindr.md"}})

    (problem,) = check_definitions(of, {"agents/reminder.md": "Hi"})

    assert (problem.code, problem.template) == ("V05", "")
    assert problem.help == "did you mean `agents/reminder.md`?"


@pytest.mark.parametrize(
    ("provider", "prompt", "fine"),
    [
        ("movoice", "Too short", False),
        ("movoice", "Long enough", True),
        ("revox", "Hi", True),
        ("revox", " \n ", False),
    ],
)
def test_a_prompt_is_long_enough_for_its_provider(provider: str, prompt: str, fine: bool) -> None:
    of = defined({"prompt": prompt, "first_sentence": "Hello"}, provider)

    assert [one.code for one in check_definitions(of, {})] == ([] if fine else ["C40"])


# ---- variables that nobody says ----


def test_what_is_sent_and_never_said_is_told() -> None:
    of = defined({"prompt": "Hello"})

    (problem,) = unused_variables(of, {})

    assert at(problem) == ("V11", "variables.first_name.value", 1, 1, len(SENT["first_name"]))
    assert problem.message == "`first_name` is sent, and no agent says `{{first_name}}`"


@pytest.mark.parametrize(
    "define",
    [
        {"prompt": "Hi {{first_name}}"},
        {"prompt": "x", "first_sentence": "Hi {{ first_name }}"},
        {"prompt": "x", "faq_items": [{"question": "Who am I?", "answer": "{{first_name}}"}]},
        {"prompt": {"template": "a.md"}},
        None,
    ],
)
def test_what_is_said_anywhere_is_used(define: dict[str, Any] | None) -> None:
    assert unused_variables(defined(define), {"a.md": "{{first_name}}"}) == []


def test_a_variable_of_one_step_is_held_against_its_own_agent() -> None:
    agents = {
        "a": {"provider": "revox", "define": {"prompt": "{{first_name}}"}},
        "b": {"provider": "revox", "define": {"prompt": "{{first_name}}"}},
    }
    steps = [{"call": "a", "variables": {"clinic": "Main"}}, {"call": "b"}]

    (problem,) = unused_variables(campaign(agent=None, agents=agents, variables=SENT, steps=steps), {})

    assert problem.path == ("steps", 0, "variables", "clinic", "value")


@given(st.text(alphabet="{} \nabc|", max_size=40))
def test_no_prompt_breaks_the_check(prompt: str) -> None:
    for problem in check_definitions(defined({"prompt": prompt or "x"}), {}):
        lines = (prompt or "x").split("\n")
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
