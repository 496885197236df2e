"""Campaign files in: both forms load, every cause is reported once at its place, secrets stay hidden."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import FilesWrong, NotFound, Span
from runner.files.campaign import load_campaign, template_diagnostics
from runner.files.diagnostics import as_json, as_text
from runner.model.outcome import Outcome
from runner.model.project import Project
from tests.files.fakes import AGENT, HEAD, fake_providers, load, summary, wrong

SHORT = """\
campaign: april-reminders
purpose: informational
agent: movoice/agent_12345
contacts: contacts/april.csv
windows: mon-fri 10:00-18:00
retry: 3 times, 2h apart, on no_answer, busy, voicemail
variables:
  name: "{{ contact.name | title }}"
  amount_due: "{{ contact.amount_due }}"
"""
LONG = """\
campaign: april-reminders
purpose: informational
agents:
  reminder: {provider: movoice, id: agent_12345, account: default}
contacts: {file: contacts/april.csv, columns: {phone: phone, timezone: tz, key: customer_id}, where: "amount_due > 0",
  suppress: [contacts/do-not-call.csv], on_bad_row: stop}
windows:
  - {days: mon-fri, from: 10:00, to: "18:00"}
steps:
  - call: reminder
    retry: {attempts: 3, after: 2h, on: [no_answer, busy, voicemail]}
"""


def test_the_short_form_loads(tmp_path: Path) -> None:
    loaded = load(tmp_path, SHORT)
    campaign = loaded.campaign

    assert loaded.sha256 == hashlib.sha256(SHORT.encode()).hexdigest()
    assert campaign.agents["agent"].id == "agent_12345"
    (step,) = campaign.steps
    assert (step.call, step.label) == ("agent", "call")
    assert step.retry is not None
    assert (step.retry.attempts, step.retry.after) == (3, (timedelta(hours=2),))
    assert tuple(step.retry.on) == (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL)
    assert campaign.variables["name"].value == "{{ contact.name | title }}"


def test_the_long_form_loads_and_says_the_same(tmp_path: Path) -> None:
    short, long = load(tmp_path, SHORT).campaign, load(tmp_path, LONG).campaign

    assert long.windows == short.windows
    assert long.steps[0].retry == short.steps[0].retry
    assert long.windows[0].from_ == 600
    assert long.contacts.columns.key == "customer_id"


def test_scalars_reach_the_campaign_as_written(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        "campaign: 2026\npurpose: informational\nagent: {provider: movoice, id: 0161, from: +1 202 555 0143}\n"
        "contacts:\n  - {phone: +12025550143, amount: 2.50, ok: no, at: 10:30, none: ~, empty: }\n",
    ).campaign

    assert loaded.campaign == "2026"
    assert (loaded.agents["agent"].id, loaded.agents["agent"].from_) == ("0161", "+12025550143")
    assert loaded.contacts.inline == (
        {"phone": "+12025550143", "amount": "2.50", "ok": "no", "at": "10:30", "none": "~", "empty": None},
    )


def test_the_projects_defaults_fill_what_is_not_set(tmp_path: Path) -> None:
    project = Project.model_validate({
        "defaults": {
            "windows": "sat 10:00-12:00",
            "retry": "twice, 1d apart",
            "limits": {"concurrency": "3", "per_second": "0.5"},
            "timezone": "Europe/London",
            "locale": "en_GB",
        }
    })  # fmt: skip

    bare = load(tmp_path, HEAD + AGENT, project).campaign
    own = load(
        tmp_path, HEAD + AGENT + "windows: mon 9:00-10:00\nretry: never\nlimits: {concurrency: 7}\n", project
    ).campaign

    assert bare.windows[0].days == ("sat",)
    assert bare.steps[0].retry is not None
    assert bare.steps[0].retry.attempts == 2
    assert (bare.timezone, bare.locale, bare.limits.concurrency) == ("Europe/London", "en_GB", 3)
    assert own.windows[0].days == ("mon",)
    assert own.steps[0].retry is not None
    assert own.steps[0].retry.attempts == 1
    assert (own.limits.concurrency, own.limits.per_second) == (7, 0.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("campain: a\npurpose: informational\nagent: movoice/a\ncontacts: a.csv\n", [("C01", 1, 1)]),
        ("campaign: a\nagent: movoice/a\n", [("C02", 1, 1), ("C02", 1, 1)]),
        (HEAD + "agnt: movoice:a\n", [("C01", 4, 1), ("C10", 4, 7)]),
        (HEAD + AGENT + "window: mon-fri 9-18\n", [("C01", 5, 1), ("C10", 5, 9)]),
        (HEAD + AGENT + "windows: [mon 9, tue 9am-5pm, foo]\n", [("C10", 5, 11), ("C10", 5, 31)]),
        (HEAD + AGENT + "windows:\n  - {days: mo, from_: 9am}\n", [("C10", 6, 12), ("C02", 6, 5), ("C01", 6, 16)]),
        (
            HEAD + AGENT + "retry: {attempts: x, on: [busyy, no_anser], afer: 1h}\n",
            [("C05", 5, 19), ("C10", 5, 27), ("C10", 5, 34), ("C01", 5, 45)],
        ),
        (HEAD + AGENT + "limits: {concurrency: 0, per_second: 0}\n", [("C05", 5, 23), ("C05", 5, 38)]),
        (HEAD + AGENT + "limits: [a]\n", [("C05", 5, 9)]),
        (HEAD + AGENT + "steps: call\n", [("C05", 5, 8)]),
        (HEAD + AGENT + "steps: [call, {call: agent}]\n", [("C05", 5, 9)]),
        (
            HEAD + AGENT + "variables: {a: {valu: x}, b: [1], c: {value: y, type: txt}}\n",
            [("C01", 5, 17), ("C05", 5, 30), ("C04", 5, 55)],
        ),
        (
            HEAD + AGENT + "variables: {a: {value: x, longest: 0}, b: {value: x, longest: 9000}, c: {longest: 5}}\n",
            [("C05", 5, 36), ("C05", 5, 63), ("C02", 5, 73)],
        ),
        (HEAD + AGENT + "steps:\n  - cal: agent\n    after: soon\n", [("C03", 6, 5), ("C10", 7, 12)]),
        (HEAD + AGENT + "steps:\n  - agent: agent\n", [("C03", 6, 5)]),
        (HEAD + "agent: revmo/a\nsteps:\n  - text: agent\n    message: {templat: a}\n", [("C01", 7, 15)]),
        (HEAD + "agent: revmo/a\nsteps:\n  - text: agent\n    message: [a]\n", [("C05", 7, 14)]),
        (HEAD + AGENT + "windows:\n  mon-fri: 9am-5pm\n", [("C01", 6, 3)]),
        (HEAD + AGENT + "steps:\n  - wait: 1d\n", [("C03", 6, 5)]),
        (HEAD.replace("informational", "[informational]") + AGENT, [("C05", 2, 10)]),
        ("title: x\nbody: y\n", [("C01", 1, 1), ("C01", 2, 1)]),
        (HEAD + AGENT + "a: 1\na: 2\nlimits: {x: 1}\n", [("C01", 5, 1), ("Y01", 6, 1), ("C01", 7, 10)]),
    ],
)
def test_each_cause_is_reported_once_at_its_place(
    tmp_path: Path, text: str, expected: list[tuple[str, int, int]]
) -> None:
    assert sorted(summary(wrong(tmp_path, text))) == sorted(expected)


@pytest.mark.parametrize(
    ("key", "help"),
    [
        ("contcts: a.csv", "did you mean `contacts`?"),
        ("attempts: 3", "this key belongs one level down, under `retry`"),
        ("windows: {from: 9am, to: 5pm, locale: de_DE}", "this key belongs one level up"),
        ("hours: mon 9am-5pm", "did you mean `windows`?"),
        ("steps: [{sms: agent}]", "did you mean `text`?"),
        (
            "api_key: abcdef0123",
            "keys belong to outreach.yaml: accounts: {main: {provider: movoice, credential: env:MOVOICE_API_KEY}}",
        ),
    ],
)
def test_an_unknown_key_is_given_its_right_name_or_place(tmp_path: Path, key: str, help: str) -> None:
    head = HEAD if not key.startswith("contcts") else HEAD.replace("contacts: contacts/april.csv\n", "")

    assert help in [one.help for one in wrong(tmp_path, head + AGENT + key + "\n")]


def test_unknown_keys_of_free_maps_are_fine(tmp_path: Path) -> None:
    text = HEAD.replace("contacts/april.csv", "[{phone: +12025550143, anything: x, from_: y}]") + AGENT

    assert wrong(tmp_path, text) == []


def test_wrong_and_right_parts_are_checked_together(tmp_path: Path) -> None:
    text = HEAD.replace("informational", "informatonal") + (
        "colour: blue\nagents:\n  a: {provider: revring, id: x, from: '+12025550143', options: {callerIdName: ABCDEFGHIJKLMNOP}}\n"
        "steps:\n  - call: b\n"
    )

    assert [one.code for one in wrong(tmp_path, text)] == ["C04", "C01", "C06", "C15"]


def test_a_secret_is_nowhere_in_what_is_reported(tmp_path: Path) -> None:
    secret = "sk-live-4f9d2c77aa"
    text = (
        HEAD
        + AGENT
        + f"api_key: {secret}\nlimits: {{token: {secret}, concurrency: x}}\ncredential: {{{{ {secret} }}\npassword: [1, {secret}\n"
    )
    found = wrong(tmp_path, text)

    assert found
    assert secret not in as_text(found[:1])
    ok = wrong(tmp_path, HEAD + AGENT + f"api_key: {secret}\nlimits: {{token: {secret}, concurrency: x}}\n")
    assert len(ok) == 3
    assert secret not in as_text(ok) + as_json(ok)
    assert "************" in as_text(ok)


def test_diagnostics_come_in_file_order(tmp_path: Path) -> None:
    found = wrong(tmp_path, HEAD + "zzz: 1\nagent: movoiice/x\nlimits: {concurrency: x}\nlocale: xx_XX\naaa: 2\n")

    lines = [one.span.line for one in found if one.span]
    assert lines == sorted(lines)
    assert len(lines) == 5


def test_files_that_cannot_be_read_have_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(NotFound, match="`"):
            load_campaign(path, project=Project(), providers=fake_providers())


def test_the_path_is_shown_as_given(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(FilesWrong) as caught:
        load_campaign(path, project=Project(), providers=fake_providers())

    assert {one.file for one in caught.value.diagnostics} == {str(path)}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("campaign",), (1, 11)),
        (("agents", "agent", "id"), (3, 8)),
        (("contacts", "file"), (4, 11)),
        (("windows", 0, "from"), (5, 10)),
        (("retry", "attempts"), (6, 8)),
        (("variables", "name", "value"), (8, 9)),
        (("variables", "none"), (7, 1)),
        (("steps", 0, "call"), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_paths_of_the_canonical_campaign_are_located_in_the_short_form(
    tmp_path: Path, path: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    span = load(tmp_path, SHORT).locate(path)

    assert (span.line, span.column) == place


@dataclass(frozen=True)
class Problem:
    path: tuple[str | int, ...]
    template: str = ""
    line: int = 1
    column: int = 1
    length: int = 1
    code: str = "V01"
    message: str = "`{{ dte }}` is in no column"
    help: str = "did you mean `date`?"


def test_template_problems_point_into_the_file(tmp_path: Path) -> None:
    text = HEAD + (
        "agent: revmo/a\nvariables:\n  a: \"{{ dte }}\"\n  b: {value: '{{ dte }}'}\nsteps:\n"
        "  - text: agent\n    message: |\n      Hello,\n\n        your visit is on {{ dte }}.\n"
        "  - text: agent\n    when: [no_answer]\n    message: {template: b.txt}\n"
    )
    loaded = load(tmp_path, text)
    problems = [
        Problem(("variables", "a", "value"), column=4, length=3),
        Problem(("variables", "b", "value"), column=4, length=3),
        Problem(("steps", 0, "message"), line=3, column=23, length=3),
        Problem(("steps", 1, "when"), length=8),
        Problem(("steps", 1, "message", "template"), "b.txt", line=2, column=4, length=3),
    ]

    found = template_diagnostics(loaded, problems, {"b.txt": "templates/b.txt"}, {"b.txt": "one\n{{ dte }}\n"})

    assert [(one.file, one.span) for one in found] == [
        ("campaign.yaml", Span(6, 10, 6, 13)),
        ("campaign.yaml", Span(7, 18, 7, 21)),
        ("campaign.yaml", Span(13, 29, 13, 32)),
        ("campaign.yaml", Span(15, 11, 15, 22)),
        ("templates/b.txt", Span(2, 4, 2, 7)),
    ]
    assert [one.source for one in found][2::2] == ["        your visit is on {{ dte }}.".rjust(33), "{{ dte }}"]


def test_loading_needs_neither_network_nor_scheduler_nor_terminal() -> None:
    code = (
        "import sys; import runner.files.campaign, runner.files.project, runner.files.diagnostics, runner.files.schema; "
        "print([name for name in ('httpx', 'apscheduler', 'starlette', 'rich', 'babel') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
