"""The JSON Schema: right by its own rules, described everywhere, and of one mind with the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from runner.files.schema import campaign_schema, project_schema, schema_text
from runner.providers.registry import all_providers
from tests.files.fakes import AGENT, HEAD, fake_providers, wrong
from tests.files.test_campaign_files import LONG, SHORT

SCHEMA = campaign_schema(all_providers())
FAKE_SCHEMA = campaign_schema(fake_providers())
PROJECT_SCHEMA = project_schema()
RING = HEAD + 'agent: {provider: revring, id: x, from: "+12025550143", options: %s}\n'


def problems(schema: dict[str, Any], text: str) -> list[str]:
    data = YAML(typ="safe", pure=True).load(text)
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every property of a schema, wherever it stands."""
    if isinstance(schema, list):
        for at, one in enumerate(schema):
            yield from properties(one, f"{path}/{at}")
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict) and "/if" not in path:
            for name, one in value.items():
                yield f"{path}/{name}", one
        yield from properties(value, f"{path}/{key}")


@pytest.mark.parametrize("schema", [SCHEMA, FAKE_SCHEMA, PROJECT_SCHEMA])
def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("schema", [SCHEMA, PROJECT_SCHEMA])
def test_every_key_is_described(schema: dict[str, Any]) -> None:
    found = list(properties(schema))

    assert len(found) > 20
    assert [path for path, one in found if not str(one.get("description", "")).strip()] == []
    assert [name for name, one in schema["$defs"].items() if not one.get("description")] == []


@pytest.mark.parametrize("schema", [SCHEMA, PROJECT_SCHEMA])
def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    for name in {part.split('"')[0] for part in text.split('"#/$defs/')[1:]}:
        assert name in schema["$defs"]


def test_every_object_refuses_unknown_keys() -> None:
    open_ones = [
        name
        for name, one in SCHEMA["$defs"].items()
        if one.get("type") == "object" and one.get("additionalProperties") is not False and name != "Person"
    ]

    assert open_ones == []
    assert SCHEMA["additionalProperties"] is False


def test_scalars_have_choices_or_examples() -> None:
    own = {
        name: one
        for name, one in SCHEMA["$defs"].items()
        if not name.endswith("Options") and not name.startswith("Rev")
    }
    bare = [
        path
        for path, one in properties({**SCHEMA, "$defs": own})
        if not {
            "enum",
            "examples",
            "$ref",
            "anyOf",
            "items",
            "properties",
            "additionalProperties",
            "patternProperties",
            "default",
        }
        & set(one)
    ]

    assert bare == []


ACCEPTED = [
    SHORT,
    LONG,
    HEAD + AGENT,
    HEAD.replace("april-reminders", "2026") + "agent: {provider: movoice, id: 161, from: +12025550143}\n",
    HEAD.replace("contacts/april.csv", "[{phone: +12025550143, name: Ann, due: 2.50, vip: true}]") + AGENT,
    HEAD.replace("contacts/april.csv", "{inline: [{phone: '+12025550143'}], country: US}") + AGENT,
    HEAD + AGENT + "windows: mon-fri 9am-6pm; sat 10:00-14:00\n",
    HEAD + AGENT + "windows: {days: daily, from: 9am, to: 17:00}\n",
    HEAD + AGENT + "windows: [mon 9:00-10:00, {days: [tue, wed], from: 9am, to: 5pm}]\n",
    HEAD + AGENT + "retry: never\n",
    HEAD + AGENT + "retry: {attempts: '3', after: 1d, on: 'no_answer, busy'}\n",
    HEAD + AGENT + "retry: {attempts: 4, after: [30m, 2h, 1d], on: {busy: 10m, no_answer: [1h, 2h], voicemail: }}\n",
    HEAD
    + AGENT
    + "retry: {attempts: 4, on: {busy: {after: 10m, attempts: 2}}, backoff: 2, at_most: 1d, jitter: full}\n",
    HEAD + AGENT + "retry: {attempts: 2, call_twice_in_a_row: true, best_hours: spread, expires: 3d}\n",
    HEAD + AGENT + "retry: {attempts: 2, stop_when: tag == 'REFUSED'}\ndone_when: answered, replied\n",
    HEAD + AGENT + "callback: {tag: LATER, at: when, times: 2}\nsteps: [{call: agent, until: 2d}]\n",
    HEAD + AGENT + "steps: [{call: agent, until: 2026-12-01T18:00}]\n",
    HEAD + AGENT + "limits: {concurrency: 3, per_second: 0.5, spacing: 5s}\n",
    HEAD + AGENT + "limits: {concurrency: '3', per_second: '0.5'}\n",
    HEAD + AGENT + "variables: {a: 1, b: true, c: {value: 2.50, type: number}, d: '{{ contact.name }}'}\n",
    HEAD + AGENT + "variables: {a: {value: x, longest: 1}, b: {value: x, type: json, longest: '8192'}}\n",
    HEAD + AGENT + "schedule: {start: 2026-12-01T09:00, end: '2026-12-24', timezone: Europe/London}\n",
    HEAD
    + "agent: revmo/x\nsteps:\n  - call: agent\n  - {text: agent, when: [no_answer, busy], message: Hello, after: 1d, retry: twice}\n"
    "  - {text: agent, when: 'no_answer, busy', message: {template: a.txt}, name: last}\n",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_loads_is_accepted(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text) == []
    assert problems(FAKE_SCHEMA, text) == []
    assert problems(SCHEMA, text) == []


REFUSED = [
    HEAD,
    AGENT,
    HEAD + AGENT + "colour: blue\n",
    HEAD.replace("informational", "informatonal") + AGENT,
    HEAD.replace("april-reminders", "'no name!'") + AGENT,
    HEAD + "agent: movoice:x\n",
    HEAD + "agent: {provider: sendgrid, id: x}\n",
    HEAD + "agent: {provider: movoice, id: x, colour: blue}\n",
    HEAD + "agents: {'no name!': movoice/x}\n",
    HEAD + "agents: {a: {provider: movoice}}\nsteps: [{call: a}]\n",
    HEAD.replace("contacts/april.csv", "{file: a.csv, inline: [{phone: x}]}") + AGENT,
    HEAD.replace("contacts/april.csv", "{file: a.csv, countri: GB}") + AGENT,
    HEAD.replace("contacts/april.csv", "{file: a.csv, columns: {fone: x}}") + AGENT,
    HEAD.replace("contacts/april.csv", "{file: a.csv, on_bad_row: ignore}") + AGENT,
    HEAD + AGENT + "windows: whenever\n",
    HEAD + AGENT + "windows: {from: 9am}\n",
    HEAD + AGENT + "windows: [{from: 9am, to: 5pm, zone: x}]\n",
    HEAD + AGENT + "retry: 3x\n",
    HEAD + AGENT + "retry: {attempts: 0}\n",
    HEAD + AGENT + "retry: {attempts: many}\n",
    HEAD + AGENT + "retry: {after: soon}\n",
    HEAD + AGENT + "retry: {on: [no_anser]}\n",
    HEAD + AGENT + "retry: {tries: 3}\n",
    HEAD + AGENT + "retry: {after: []}\n",
    HEAD + AGENT + "retry: {after: [2h, soon]}\n",
    HEAD + AGENT + "retry: {on: {no_anser: 2h}}\n",
    HEAD + AGENT + "retry: {on: {busy: {after: 2h, times: 3}}}\n",
    HEAD + AGENT + "retry: {on: {busy: soon}}\n",
    HEAD + AGENT + "retry: {backoff: 0.5}\n",
    HEAD + AGENT + "retry: {jitter: half}\n",
    HEAD + AGENT + "retry: {best_hours: mornings}\n",
    HEAD + AGENT + "callback: {times: -1}\n",
    HEAD + AGENT + "variables: {a: {valu: x}}\n",
    HEAD + AGENT + "variables: {a: {value: x, type: txt}}\n",
    HEAD + AGENT + "variables: {a: {value: x, longest: 0}}\n",
    HEAD + AGENT + "variables: {a: {value: x, longest: 8193}}\n",
    HEAD + AGENT + "variables: {a: {value: x, longest: much}}\n",
    HEAD + AGENT + "variables: {a: {longest: 20}}\n",
    HEAD + AGENT + "schedule: {begin: 2026-12-01}\n",
    HEAD + AGENT + "limits: {per_minuet: 3}\n",
    HEAD + AGENT + "steps: [{cal: agent}]\n",
    HEAD + AGENT + "steps: [{call: agent, message: Hello}]\n",
    HEAD + "agent: revmo/x\nsteps: [{call: agent, text: agent}]\n",
    HEAD + "agent: revmo/x\nsteps: [{text: agent, message: {file: a.txt}}]\n",
    RING % "{callerIdName: ABCDEFGHIJKLMNOP}",
    RING % "{skipQueu: true}",
    HEAD + "agent: {provider: movoice, id: x, options: {prompt: y}}\n",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_loader_refuses_is_refused(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text)
    assert problems(FAKE_SCHEMA, text)


@pytest.mark.parametrize(
    ("options", "fine"),
    [
        ("{callerIdName: Ann}", True),
        ("{callerIdName: ABCDEFGHIJKLMNOP}", False),
        ("{skipQueue: true}", True),
        ("{skipQueue: 7}", False),
        ("{initial_silence_timeout: 3}", False),
    ],
)
def test_options_follow_the_agents_provider(options: str, fine: bool) -> None:
    assert (problems(SCHEMA, RING % options) == []) is fine


def test_the_projects_schema_stands_in_the_campaigns() -> None:
    text = "ledger: sqlite:///x.db\naccounts: {a: {provider: revox, credential: env:A, poll: '90s,5m'}}\ndefaults: {windows: mon-fri 9am-5pm, retry: never}\n"
    inside = {"$ref": "#/$defs/Project", "$defs": SCHEMA["$defs"]}

    for schema in (PROJECT_SCHEMA, inside):
        assert problems(schema, text) == []
        assert problems(schema, "acounts: {}\n")
        assert problems(schema, "accounts: {a: {provider: revox, credential: sk-live-123}}\n")
        assert problems(schema, "accounts: {a: {provider: revox, colour: blue}}\n")
        assert problems(schema, "defaults: {retry: 3x}\n")


def test_the_text_is_stable() -> None:
    text = schema_text(all_providers())

    assert text == schema_text(all_providers())
    assert text.endswith("}\n")
    assert json.loads(text) == SCHEMA
    assert "PT2H" not in json.dumps([one.get("default") for _, one in properties(SCHEMA)])
