"""Rules over several keys: one broken and one right campaign for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.files.checks import CAMPAIGN_CHECKS
from runner.files.provider_checks import PROVIDER_CHECKS
from runner.files.window_checks import WINDOW_CHECKS
from runner.model.project import Project
from tests.files.fakes import AGENT, HEAD, wrong

RING = 'agents:\n  a: {provider: revring, id: x, from: "+12025550143"}\n'
TWO = "agents:\n  a: movoice/x\n  b: revmo/y\n"
PROJECT = Project.model_validate({
    "accounts": {
        "main": {"provider": "movoice", "credential": "env:A", "plan": "growth"},
        "east": {"provider": "revring", "credential": "env:B"},
        "west": {"provider": "revring", "credential": "env:C"},
    }
})  # fmt: skip

WRONG = [
    (HEAD, "C11", 1, "no agent is named", "add: agent:"),
    (HEAD + AGENT + "agents: {agent: movoice/other}\n", "C12", 4, "two different agents", "another name"),
    (HEAD + TWO, "C13", 4, "no step says who calls", "steps: [{call: a}]"),
    (HEAD + AGENT + "steps:\n  - after: 0s\n", "C03", 6, "neither call nor text", "call: agent"),
    (HEAD + "agent: revmo/x\nsteps:\n  - call: agent\n    text: agent\n", "C14", 7, "both call and text", "two steps"),
    (HEAD + TWO + "steps:\n  - call: aa\n", "C15", 8, "`aa` is not an agent", "did you mean `a`?"),
    (HEAD + TWO + "steps:\n  - call: zzz\n", "C15", 8, "`zzz` is not an agent", "the agents here: a, b"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    message: Hello\n", "C17", 7, "a call has no `message`", "text: agent"),
    (HEAD + AGENT + "steps:\n  - {call: agent, name: x}\n  - {call: agent, name: x}\n", "C18", 7, "named `x`", "x-2"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    when: previous.outcome == 'busy'\n", "C26", 7, "no step before", "`when`"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    when: no_answer, busy\n", "C26", 7, "no step before", "`when`"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    after: 1d\n", "C26", 7, "no step before", "schedule"),
    (HEAD.replace("contacts/april.csv", "{file: a.csv, inline: [{phone: x}]}") + AGENT, "C19", 3, "as well", "keep `file`"),
    (HEAD.replace("contacts/april.csv", "{country: GB}") + AGENT, "C19", 3, "no contacts", "file: contacts/people.csv"),
    (HEAD.replace("contacts/april.csv", "[]") + AGENT, "C19", 3, "no contacts", "file: contacts/people.csv"),
    (HEAD.replace("contacts/april.csv", "{file: a, encoding: utf-88}") + AGENT, "C10", 3, "`utf-88`", "`utf-8`"),
    (HEAD.replace("contacts/april.csv", "{file: a, encoding: rot13}") + AGENT, "C10", 3, "`rot13`", "write: utf-8"),
    (HEAD + AGENT + "windows: []\n", "C21", 5, "no window", "mon-fri 10:00-18:00"),
    (HEAD + AGENT + "windows: mon 10:00-10:00\n", "C21", 5, "at 10:00", "00:00-24:00"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    windows: []\n", "C21", 7, "no window", "mon-fri 10:00-18:00"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    windows: mon 9am-9am\n", "C21", 7, "at 09:00", "00:00-24:00"),
    (HEAD + AGENT + "windows:\n  - {from: 9am, to: 5pm, channel: text}\n", "C21", 5, "no window is for a call", "mon-fri"),
    (HEAD + AGENT + "windows: tomorrow 3pm-5pm\n", "C10", 5, "`tomorrow` is not a day", "mon-fri or daily"),
    (HEAD + AGENT + "windows: tomorrow at 3pm\n", "C10", 5, "`tomorrow at 3pm` is not a window", "mon-fri 09:00-18:00"),
    (HEAD + AGENT + "windows:\n  - {from: noon, to: 5pm}\n", "C10", 6, "`noon` is not a time of day", "17:00 or 6pm"),
    (HEAD + AGENT + "blackout: next friday\n", "C10", 5, "`next friday` is not a date", "2026-12-24..2027-01-02"),
    (HEAD + AGENT + "blackout: 2026-12-26..2026-12-24\n", "C10", 5, "ends before it begins", "2026-12-24..2027-01-02"),
    (HEAD + AGENT + "schedule: {start: tomorrow at 3pm}\n", "C10", 5, "`tomorrow at 3pm` is not a date and time", "2026-12-01T09:00:00Z"),
    (HEAD + AGENT + "schedule: {end: in 2 hours}\n", "C10", 5, "`in 2 hours` is not a date and time", "2026-12-01T09:00:00Z"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    until: tomorrow at 3pm\n", "C10", 7, "neither a span nor a date", "2026-12-01T18:00"),
    (HEAD + AGENT + "steps:\n  - call: agent\n  - {call: agent, after: tomorrow}\n", "C10", 7, "`tomorrow` is not a duration", "1d"),
    (HEAD + AGENT + "holidays: Germany\n", "C10", 5, "`Germany` is not a calendar", "DE-BY"),
    (HEAD + AGENT + "holidays: US, DE-BZ\n", "C36", 5, "`DE-BZ`", "did you mean `DE-HB`?"),
    (HEAD + AGENT + "holidays: QQ\n", "C36", 5, "`QQ`", "holidays: US"),
    (HEAD + AGENT + "zone_unknown: New York\n", "C10", 5, "`New York` is not a time zone", "`America/New_York`"),
    (HEAD + AGENT + "schedule: {start: 2026-12-02, end: 2026-12-01}\n", "C20", 5, "end before it starts", "later than"),
    (HEAD + AGENT + "schedule: {start: 2026-12-01T09:00, end: 2026-12-01T09:00}\n", "C20", 5, "end before", "later than"),
    (
        HEAD + AGENT + "schedule: {start: 2026-12-01T09:00, end: 2026-12-01T13:00Z, timezone: America/New_York}\n",
        "C20", 5, "end before", "later than",
    ),
    (HEAD + AGENT + "retry: {attempts: 2, on: [busy, opted_out]}\n", "C27", 5, "`opted_out`", "remove"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    retry: 2 times, 1h apart, on opted_out\n", "C27", 7, "`opted_out`", "remove"),
    (HEAD + AGENT + "retry:\n  after: [1h, 2h]\n  backoff: 2\n", "C33", 7, "`after` lists several", "remove `backoff`"),
    (HEAD + AGENT + "retry:\n  after: 1h\n  at_most: 2d\n", "C33", 7, "there is none", "add: backoff: 2"),
    (HEAD + AGENT + "retry:\n  attempts: 3\n  on:\n    busy:\n      attempts: 4\n", "C33", 9, "`4` tries", "attempts: 3"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    retry: {attempts: 2, on: {busy: 1h}, at_most: 2d}\n", "C33", 7, "`at_most`", "backoff"),
    (
        HEAD + "agent: revox/x\nsteps:\n  - call: agent\n    delivery: native\n    until: 2d\n    options: {line: one}\n",
        "C29", 8, "`until`", "delivery: single",
    ),
    (
        HEAD + "agent: revox/x\nretry:\n  expires: 2d\nsteps:\n  - {call: agent, delivery: native, options: {line: one}}\n",
        "C29", 6, "`expires`", "delivery: single",
    ),
    (HEAD + AGENT + "limits: {concurrency: 4}\n", "C29", 5, "`4` calls at once are more than movoice's plan `growth`", "concurrency: 3"),
    (HEAD + AGENT + "locale: en_UX\n", "C10", 5, "`en_UX` is not a locale", "de_DE"),
    (HEAD + "agent: movoic/x\n", "C10", 4, "`movoic` is not a provider", "did you mean `movoice`?"),
    (HEAD + "agent: sendgrid/x\n", "C10", 4, "`sendgrid` is not a provider", "providers: revring, movoice, revmo, revox"),
    (HEAD + "agent: movoice/a b\n", "C10", 4, "`a b` is not an agent's id", "without blanks"),
    (HEAD + "agent: {provider: revring, id: x, account: west}\n", "C22", 4, "revring needs the number", 'add: from: "+12025550143"'),
    (HEAD + 'agent: {provider: revmo, id: x, from: "+12025550143"}\n', "C22", 4, "revmo takes no `from`", "remove `from`"),
    (HEAD + "agent: {provider: movoice, id: x, account: mian}\n", "C24", 4, "`mian` is not an account", "did you mean `main`?"),
    (HEAD + "agent: {provider: movoice, id: x, account: zzz}\n", "C24", 4, "`zzz` is not an account", "outreach.yaml: main"),
    (HEAD + "agent: {provider: revmo, id: x, account: zzz}\n", "C24", 4, "`zzz` is not", "accounts: {zzz: {provider: revmo, credential: env:REVMO_API_KEY}}"),
    (HEAD + "agent: {provider: movoice, id: x, account: east}\n", "C24", 4, "`east` belongs to revring, not to movoice", "main"),
    (HEAD + RING, "C24", 5, "revring has several accounts", "account: east   (or west)"),
    (HEAD + TWO + "steps:\n  - text: a\n", "C16", 8, "movoice, which sends no texts", "use an agent of revring or revmo"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    delivery: native\n", "C25", 7, "no campaigns of its own", "single"),
    (HEAD + "agent: {provider: movoice, id: x, options: {skipQueu: true}}\n", "C06", 4, "`skipQueu` is not an option of movoice", "`skipQueue`"),
    (HEAD + "agent: {provider: movoice, id: x, options: {zzz: 1}}\n", "C06", 4, "`zzz`", "the options of movoice: callerIdName"),
    (HEAD + "agent: {provider: movoice, id: x, options: {skipQueue: maybe}}\n", "C06", 4, "`maybe` is neither true nor false", "true"),
    (HEAD + "agent: {provider: movoice, id: x, options: {speaker: agnt}}\n", "C06", 4, "`agnt` is not a value of `speaker`", "`agent`"),
    (HEAD + "agent: {provider: movoice, id: x, options: {pause: {ms: 99999}}}\n", "C06", 4, "`99999` is more than 15000", "15000 or less"),
    (HEAD + "agent: {provider: movoice, id: x, options: {pause: {ns: 1, ms: 1}}}\n", "C06", 4, "`ns` is not an option", "movoice"),
    (HEAD + AGENT + "steps:\n  - call: agent\n    options: {callerIdName: ABCDEFGHIJKLMNOP}\n", "C06", 7, "16 characters", "ABCDEFGHIJKLMNO"),
    (HEAD + "agent: revox/x\n", "C06", 1, "`line` is missing", "options: {line: ...}"),
    (HEAD + "agent: revox/x\nsteps:\n  - call: agent\n", "C06", 6, "`line` is missing", "options: {line: ...}"),
    (HEAD + "agents:\n  a: movoice/x\n  idle: {provider: revmo, id: y, options: {zzz: 1}}\nsteps:\n  - call: a\n", "C06", 6, "`zzz`", "revmo"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "words", "help"), WRONG)
def test_what_is_wrong_is_said_once(tmp_path: Path, text: str, code: str, line: int, words: str, help: str) -> None:
    (one,) = wrong(tmp_path, text, PROJECT)

    assert one.span is not None
    assert (one.code, one.span.line) == (code, line)
    assert words in one.message
    assert help in one.help


@pytest.mark.parametrize(
    "text",
    [
        HEAD + AGENT,
        HEAD + AGENT + "agents: {agent: movoice/agent_12345}\n",
        HEAD
        + TWO
        + "steps:\n  - call: a\n  - text: b\n    when: no_answer\n    after: 1d\n    message: Hello\n  - text: b\n",
        HEAD + AGENT + "steps:\n  - call: agent\n    when: contact.vip == 'yes'\n",
        HEAD + AGENT + "retry: {attempts: 3, after: 1h, backoff: 2, at_most: 2d, on: {busy: {attempts: 3}}}\n",
        HEAD + AGENT + "limits: {concurrency: 3}\n",
        HEAD + "agent: revmo/x\nlimits: {concurrency: 50}\n",
        HEAD + AGENT + "windows: [mon 22:00-06:00, sat 00:00-24:00]\n",
        HEAD + AGENT + "schedule: {start: 2026-12-01T09:00, end: 2026-12-01T15:00Z, timezone: America/New_York}\n",
        HEAD + AGENT + "schedule: {end: 2026-12-01}\nlocale: fr_CA\n",
        HEAD.replace("contacts/april.csv", "{file: a.csv, encoding: cp1252}") + AGENT,
        HEAD
        + "agent: {provider: revring, id: x, account: west, from: +12025550143, options: {callerIdName: Ann, prompt: short}}\n"
        "steps:\n  - call: agent\n  - text: agent\n    options: {connection: c}\n",
        HEAD + "agent: {provider: revox, id: x, options: {line: one}}\n",
        HEAD + "agent: revox/x\nsteps:\n  - call: agent\n    delivery: native\n    options: {line: one}\n",
    ],
)
def test_what_is_right_passes(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text, PROJECT) == []


def test_a_short_agent_that_needs_a_number_is_written_out(tmp_path: Path) -> None:
    (one,) = wrong(tmp_path, HEAD + "agent: revring/x\n")

    assert one.help == 'write: agent: {provider: revring, id: x, from: "+12025550143"}'


def test_options_of_the_other_channel_are_refused(tmp_path: Path) -> None:
    ring = "agent: {provider: revring, id: x, account: west, from: +12025550143, options: {prompt: short}}\n"

    (unused,) = wrong(tmp_path, HEAD + ring, PROJECT)
    (own,) = wrong(tmp_path, HEAD + "agent: revmo/x\nsteps:\n  - text: agent\n    options: {skipQueue: true}\n")

    assert (unused.code, own.code) == ("C06", "C06")
    assert (unused.path, own.path) == ("agent.options.prompt", "steps.0.options.skipQueue")


def test_an_agents_wrong_option_is_told_once_for_all_its_steps(tmp_path: Path) -> None:
    text = (
        HEAD
        + "agent: {provider: movoice, id: x, options: {zzz: 1}}\nsteps:\n  - call: agent\n  - call: agent\n  - call: agent\n"
    )

    assert [one.path for one in wrong(tmp_path, text)] == ["agent.options.zzz"]


def test_every_rule_is_in_a_table_and_tested() -> None:
    names = [check.__name__ for check in (*CAMPAIGN_CHECKS, *PROVIDER_CHECKS, *WINDOW_CHECKS)]

    assert len(names) == len(set(names)) == 28
    codes = {code for _, code, *_ in WRONG}
    assert {
        "C03",
        "C06",
        *(f"C{number}" for number in (10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 27, 29, 33, 36)),
    } == codes
