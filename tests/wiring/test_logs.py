"""Log lines: one JSON object each, their ids with them, nothing of people or secrets in them."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageWrong
from runner.model.attempt import Attempt, AttemptState
from runner.model.handed_over import HandoverRecord, HandoverState
from runner.ports.telemetry import about, named, telling_apart
from runner.rules.pseudonyms import Pseudonyms
from runner.wiring.logs import JsonLines, LogChoice, TextLines, chosen, set_up
from tests.e2e.processes import REPOSITORY, fictional_number, outreach, write_project

NASTY = "a\x1b[31m\r\nb\x00\x7f\x9b\u2028\u202e\u2066\ufeff é"


def attempt(key: str) -> Attempt:
    return Attempt(
        id=1, key=key, campaign="april", contact_id=1, contact_key="c", phone="+12025550143", zones=(), step="call",
        number=1, channel="call", provider="revring", account="main", state=AttemptState.SENDING,
        due_at=datetime(2026, 4, 6, tzinfo=UTC),
    )  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _levels_restored() -> Iterator[None]:
    root = logging.getLogger()
    before = [(one, one.level) for one in (root, logging.getLogger("runner"), logging.getLogger("outreach"))]
    handlers = list(root.handlers)
    yield
    root.handlers[:] = handlers
    for logger, level in before:
        logger.setLevel(level)


def record(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    return logging.getLogger("runner.somewhere").makeRecord(
        "runner.somewhere", logging.WARNING, "here.py", 1, message, args, None, extra=extra
    )


def test_a_line_is_one_json_object_with_the_ids_that_are_bound_and_its_own() -> None:
    ours = Pseudonyms(bytes(range(32)))
    log_id = ours.log_id("ab" * 16)
    with telling_apart(ours), about(attempt("ab" * 16)):
        line = json.loads(
            JsonLines().format(record("attempt %s: accepted", "ab" * 16, **named("accepted", provider_id="call_1")))
        )

    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "warning", "event": "accepted", "message": f"attempt {log_id}: accepted", "campaign": "april",
        "attempt": log_id, "account": "main", "provider": "revring", "provider_id": "call_1",
        "phone": ours.shown("+12025550143"),
    }  # fmt: skip


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
@pytest.mark.parametrize("key", [b"", bytes(range(32))])
def test_no_key_of_an_attempt_is_written_whoever_repeats_it(lines: logging.Formatter, key: bytes) -> None:
    raw = "0123456789abcdef" * 2
    with telling_apart(Pseudonyms(key)), about(replace(attempt(raw), provider_id=raw if key else "call_1")):
        own = named("accepted", provider_id=raw) if key else named("accepted")
        line = lines.format(record("attempt %s: revring answered 409: `%s`", raw, raw.upper(), **own))

    assert raw not in line.lower()
    assert line.count(Pseudonyms(key).log_id(raw) or "attempt ***") >= 1


@pytest.mark.parametrize("key", [b"", bytes(range(32))])
@pytest.mark.parametrize("text", ["call_{}", "{}_1", "ref{}", "CA{}"])
@pytest.mark.parametrize("spelled", [str, str.upper, lambda raw: str(uuid.UUID(raw)), lambda raw: raw[:20]])
def test_a_key_inside_of_an_id_or_a_word_is_not_written(key: bytes, text: str, spelled: Callable[[str], str]) -> None:
    raw = "0123456789abcdef" * 2
    given, own = text.format(spelled(raw)), attempt(raw)
    shown = text.format(Pseudonyms(key).log_id(raw) or "***")
    with telling_apart(Pseudonyms(key)):
        with about(own):
            line = json.loads(JsonLines().format(record("it said %s", given, **named("accepted", provider_id=given))))
        outside = json.loads(JsonLines().format(record("x", **named("ended", replace(own, provider_id=given)))))

    assert (line["message"], line["provider_id"], outside["provider_id"]) == (f"it said {shown}", shown, shown)


@pytest.mark.parametrize("text", ["{}", "batch_{}", "{}@noon", "ref{}"])
def test_a_handovers_key_inside_of_its_id_is_not_written(text: str) -> None:
    at, key = datetime(2026, 4, 6, tzinfo=UTC), "0123456789abcdef" * 2
    handed = HandoverRecord(
        id=7, key=key, campaign="april", step="call", account="main", agent_id="a", name="april", people=1,
        state=HandoverState.CREATED, concurrency=1, sent_at=at, changed_at=at, native_id=text.format(key.upper()),
    )  # fmt: skip
    with telling_apart(Pseudonyms(bytes(range(32)))), about(handed):
        line = json.loads(JsonLines().format(record("made %s", text.format(key), **named("handover_made", handed))))

    assert (line["provider_id"], line["message"]) == (text.format("***"), f"made {text.format('***')}")


def test_a_providers_id_that_is_no_key_is_kept() -> None:
    with telling_apart(Pseudonyms(bytes(range(32)))), about(replace(attempt("ab" * 16), provider_id="cd" * 16)):
        assert json.loads(JsonLines().format(record("x")))["provider_id"] == "cd" * 16


def test_a_handover_has_its_number_and_not_its_key() -> None:
    at = datetime(2026, 4, 6, tzinfo=UTC)
    handed = HandoverRecord(
        id=7, key="cd" * 16, campaign="april", step="call", account="main", agent_id="a", name=f"april {'cd' * 16}",
        state=HandoverState.SENDING, people=1, concurrency=1, sent_at=at, changed_at=at,
    )  # fmt: skip
    line = JsonLines().format(record("x", **named("handover_failed", handed)))

    assert json.loads(line)["handover"] == "7"
    assert "cd" * 16 not in line


def test_where_a_ledger_is_at_hand_people_are_told_apart() -> None:
    ours = Pseudonyms(bytes(range(32)))
    with telling_apart(ours), about(attempt("ab" * 16)):
        line = json.loads(JsonLines().format(record("the provider said: +12025550143 or 202-555-0143")))

    shown = f"+1***0143#{ours.short('+12025550143')}"
    assert (line["phone"], line["message"]) == (shown, f"the provider said: {shown} or ***0143")
    with about(attempt("ab" * 16)):
        assert json.loads(JsonLines().format(record("x")))["phone"] == "+1***0143"


def test_what_was_bound_is_bound_no_longer() -> None:
    with about(campaign="april"):
        pass

    assert "campaign" not in json.loads(JsonLines().format(record("x")))


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_foreign_text_moves_nothing_on_a_terminal_and_breaks_no_line(lines: logging.Formatter) -> None:
    line = lines.format(record("said: %s", NASTY, **named("x", account=NASTY)))

    assert not [char for char in line if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}]


@given(st.text())
def test_no_text_whatever_breaks_a_line(text: str) -> None:
    in_json, in_text = JsonLines().format(record("%s", text)), TextLines().format(record("%s", text))

    assert in_json.isascii()
    assert in_json.isprintable()
    assert not [char for char in in_text if unicodedata.category(char) in {"Cc", "Zl", "Zp"}]
    json.loads(in_json)


@pytest.mark.parametrize("lines", [JsonLines(lambda text: text.replace("k-1234567890", "***")), TextLines()])
def test_numbers_are_masked_and_secrets_scrubbed(lines: logging.Formatter) -> None:
    line = lines.format(record("the provider said: +12025550143 and 202-555-0143, k-1234567890"))

    assert "5550143" not in line
    assert "555-0143" not in line
    if isinstance(lines, JsonLines):
        assert "k-1234567890" not in line


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_the_words_of_an_exception_are_left_out_and_where_it_came_from_is_kept(lines: logging.Formatter) -> None:
    try:
        int("Ada Lovelace, +12025550143")
    except ValueError as error:
        one = record("unexpected failure")
        one.exc_info = (ValueError, error, error.__traceback__)

    line = lines.format(one)

    assert "Ada" not in line
    assert "ValueError" in line
    assert "wiring/test_logs.py:" in line


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("", LogChoice()),
        ("json", LogChoice(form="json")),
        ("debug", LogChoice(level="debug")),
        ("json,info", LogChoice(form="json", level="info")),
        ("ERROR TEXT", LogChoice(form="text", level="error")),
    ],
)
def test_the_variable_is_a_form_a_level_or_both(variable: str, expected: LogChoice) -> None:
    assert chosen(variable) == expected


def test_another_word_in_the_variable_is_refused() -> None:
    with pytest.raises(UsageWrong, match="`loud` in OUTREACH_LOG is neither"):
        chosen("json,loud")


@pytest.mark.parametrize(
    ("stream", "form", "expected"),
    [
        (Terminal(), "", "text"),
        (io.StringIO(), "", "json"),
        (Terminal(), "json", "json"),
        (io.StringIO(), "text", "text"),
    ],
)
def test_the_form_is_text_on_a_terminal_and_json_elsewhere(stream: io.StringIO, form: str, expected: str) -> None:
    assert set_up(LogChoice(form=form), stream=stream) == expected

    logging.getLogger("runner.x").warning("hello")
    assert stream.getvalue().startswith("{" if expected == "json" else "WARNING: hello")


def test_a_level_is_ours_and_libraries_say_warnings_alone() -> None:
    stream = io.StringIO()
    set_up(LogChoice(level="debug"), stream=stream)

    logging.getLogger("runner.x").debug("ours")
    logging.getLogger("httpcore.http11").debug("Authorization: Bearer k")

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["ours"]


def test_setting_up_twice_writes_each_line_once() -> None:
    stream = io.StringIO()
    set_up(LogChoice(), stream=stream)
    set_up(LogChoice(), stream=stream)

    logging.getLogger("runner.x").warning("once")

    assert len(stream.getvalue().splitlines()) == 1


def unnamed(path: Path) -> list[int]:
    """Give the lines of a file on which something is logged without the name of an event."""
    calls = [one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)]
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    logged = [
        one
        for one in calls
        if isinstance(one.func, ast.Attribute)
        and one.func.attr in levels
        and isinstance(one.func.value, ast.Name)
        and one.func.value.id == "log"
    ]
    return [one.lineno for one in logged if "extra" not in {keyword.arg for keyword in one.keywords}]


ROOMS = [
    path
    for room in ("engine", "web", "wiring", "providers", "ledger", "cli")
    for path in sorted((REPOSITORY / "runner" / room).glob("*.py"))
]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_line_of_the_log_has_a_name(path: Path) -> None:
    assert not unnamed(path), "give it `extra=named(...)` of runner.ports.telemetry"


def test_a_line_without_a_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("log.warning('a')\nlog.info('b', extra=named('b'))\nmath.log(3)\n")

    assert unnamed(path) == [1]


CAMPAIGN = """\
campaign: april
purpose: informational
agent: movoice/agent_1
contacts: contacts/people.csv
timezone: America/New_York
windows: daily 00:00-24:00
variables:
  first_name: "{{ contact.name }}"
"""


def test_a_whole_campaign_at_debug_level_names_nobody(tmp_path: Path) -> None:
    write_project(tmp_path, [("april.yaml", CAMPAIGN)], people=12)

    done = outreach(
        "--log-level", "debug", "run", "campaigns", "--sandbox", "--now", cwd=tmp_path, timeout=120
    )  # fmt: skip

    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    accepted = [line for line in lines if line["event"] == "accepted"]
    ended = [line for line in lines if line["event"] == "ended"]
    assert len(accepted) >= 12, done.stderr
    assert len(ended) >= 12
    assert len({line["phone"] for line in (*accepted, *ended)}) == 12, "one person is one in every line"
    for line in (*accepted, *ended):
        assert {"ts", "level", "message", "campaign", "attempt", "account", "provider", "phone"} <= set(line), line
        assert re.fullmatch("a[0-9a-f]{15}", line["attempt"])
        assert re.fullmatch(r"\+1\*\*\*01\d\d#[0-9a-f]{8}", line["phone"]), line
    assert not re.search("[0-9a-f]{32}", done.stderr)
    exported = outreach("export", "--format", "json", cwd=tmp_path)
    known = {json.loads(line)["attempt"]["log_id"] for line in exported.stdout.splitlines()}
    assert {line["attempt"] for line in (*accepted, *ended)} <= known
    assert "Person" not in done.stderr
    for index in range(12):
        number = fictional_number(index)
        assert number not in done.stderr
        assert number[-7:] not in done.stderr
