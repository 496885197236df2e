"""Providers declared in `outreach.yaml`: what is wrong with them is said with its place, what is right loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from runner.errors import Diagnostic, FilesWrong
from runner.files.campaign import load_campaign
from runner.files.declared_checks import CHECKS
from runner.files.diagnostics import as_json, as_text
from runner.files.project import load_project
from runner.files.schema import campaign_schema, project_schema
from runner.model.project import Project, resolve_account
from runner.providers.registry import all_providers
from tests.providers.acme import DECLARATION

ACME = DECLARATION.format(url="https://api.acme.test/v2")
SMALL = """\
providers:
  acme:
    base_url: https://api.acme.test
    call: {path: /calls, body: {to: "{{ phone }}", ref: "{{ reference }}"}, id: id}
"""
HEAD = "campaign: visits\npurpose: informational\ncontacts: contacts/people.csv\n"


def project(folder: Path, text: str) -> Project:
    (folder / "outreach.yaml").write_text(text, encoding="utf-8")
    return load_project(folder, shown="outreach.yaml").project


def wrong(folder: Path, text: str) -> list[Diagnostic]:
    """Give the diagnostics of a project file; none when it is right."""
    try:
        project(folder, text)
    except FilesWrong as error:
        return list(error.diagnostics)
    return []


def test_a_whole_declaration_loads(tmp_path: Path) -> None:
    loaded = project(tmp_path, ACME)

    assert sorted(loaded.providers["acme"].placing) == ["call", "text"]
    account = resolve_account(loaded, "acme", "default")
    assert account is not None
    assert (account.base_url, account.credential) == ("https://api.acme.test/v2", "env:ACME_API_KEY")
    assert account.api == loaded.providers["acme"]


def test_accounts_of_it_are_accounts(tmp_path: Path) -> None:
    text = (
        SMALL
        + "accounts:\n  two: {provider: acme, base_url: 'http://127.0.0.1:8700/x/', allow_loopback: true, credential: env:TWO}\n"
    )
    account = resolve_account(project(tmp_path, text), "acme", "two")

    assert account is not None
    assert (account.provider, account.base_url, account.credential) == ("acme", "http://127.0.0.1:8700/x", "env:TWO")


def below(line: str) -> str:
    """Give the small declaration with one more line, the fifth."""
    return f"{SMALL}    {line}\n"


POLL = 'poll: {path: "/c/{{ id }}", outcome: s}\n    outcomes: {done: answered}'


@pytest.mark.parametrize(
    ("text", "code", "place", "message", "help"),
    [
        (SMALL.replace("acme:", "revox:"), "C30", (2, 3), "`revox` is built in", "my-revox"),
        (SMALL.replace("acme:", "Acme:"), "C30", (2, 3), "`Acme` cannot name a provider", "small letters"),
        (SMALL.replace("https", "http"), "C10", (3, 15), "the key would travel unprotected", "https://api.acme.test"),
        (SMALL.replace("https://", ""), "C10", (3, 15), "`api.acme.test` is not a URL", "https://"),
        (SMALL.replace("call:", "calls:"), "C01", (4, 5), "unknown key `calls`", "did you mean `call`?"),
        (SMALL.replace("path:", "url:"), "C01", (4, 12), "unknown key `url`", "did you mean `path`?"),
        (SMALL.replace(", id: id", ""), "C02", (4, 11), "`id` is missing", "add: id: data.call.id"),
        (SMALL.replace("id: id", "id: a..b"), "C10", (4, 81), "`a..b` is not a path into an answer", "data.calls.0.id"),
        (SMALL.replace("/calls", "calls"), "C30", (4, 18), "a path starts with one slash", "path: /calls"),
        (SMALL.replace("/calls", "//calls"), "C30", (4, 18), "a path starts with one slash", "path: /calls"),
        (SMALL.replace("/calls", '"/a b"'), "C30", (4, 18), "`/a b` cannot stand in a URL", "/calls/{{ id }}"),
        (SMALL.replace("/calls", '"/a#b"'), "C30", (4, 18), "`/a#b` cannot stand in a URL", "/calls/{{ id }}"),
        (SMALL.replace("/calls", "/../calls"), "C30", (4, 18), "`/../calls` cannot stand in a URL", "/calls/{{ id }}"),
        (SMALL.replace("phone", "fone"), "V01", (4, 41), "`fone` is not known here", "did you mean `phone`?"),
        (SMALL.replace("phone", "message"), "V01", (4, 41), "`message` is not known here", "what can stand here: phone"),
        (SMALL.replace("phone", "phone.digits"), "V01", (4, 41), "`phone.digits` is not known here", "{{ phone }}"),
        (SMALL.replace("phone", "phone | uper"), "V04", (4, 49), "there is no filter `uper`", "upper"),
        (SMALL.replace("phone", "options.level"), "V01", (4, 49), "`level` is not among the `options`", "{level: {type: text}}"),
        (SMALL.replace("{{ phone }}", "{% if phone %}"), "V03", (4, 38), "`{%` cannot stand here", "{{ phone }}"),
        (SMALL.replace("{{ phone }}", "{{ phone"), "V03", (4, 38), "`{{` has no other half", "{{ phone }}"),
        (SMALL.replace("reference", "reference | upper"), "C30", (4, 61), "`reference` cannot be changed", "{{ reference }}"),
        (below("headers: {X-A: '{{ phone }}'}"), "V01", (5, 24), "`phone` is not known here", "what can stand here: reference"),
        (below("headers: {Authorization: x}"), "C30", (5, 15), "`Authorization` is the header of `auth`", "remove it"),
        (below("headers: {Idempotency-Key: x}"), "C30", (5, 15), "is the header of `idempotency_header`", "remove it"),
        (below("headers: {Host: x}"), "C30", (5, 15), "`Host` is set by the transport", "remove it"),
        (below('headers: {X-A: "b\\r\\nX-B: c"}'), "C30", (5, 15), "cannot stand in a header", "one line"),
        (below("headers: {X-Api-Key: sk_live_12345678}"), "S01", (5, 26), "this looks like the key itself", "auth: X-Api-Key"),
        (below("headers: {a b: c}"), "C10", (5, 15), "`a b` is not the name of a header", "X-Acme-Key"),
        (below("idempotency_header: Authorization"), "C30", (5, 25), "`Authorization` is the header of `auth`", "another"),
        (below("auth: {header: X-A, prefix: Bearer}"), "C01", (5, 25), "unknown key `prefix`", "scheme"),
        (below("auth: a b"), "C10", (5, 11), "`a b` is not the name of a header", "X-Acme-Key"),
        (below(POLL.replace("id }}", "idd }}")), "V01", (5, 25), "`idd` is not known here", "did you mean `id`?"),
        (below("poll: {path: /c, outcome: s}"), "C30", (5, 5), "`poll` reads an outcome", "outcomes: {done: answered}"),
        (below("outcomes: {done: answerd}"), "C04", (5, 22), "`answerd` is not a value of `done`", "answered"),
        (below(POLL + "\n    live: [x, Done]"), "C30", (7, 15), "`Done` is among the `outcomes` too", "one of them"),
        (below("errors: {409: accepted}"), "C04", (5, 19), "`accepted` is not a value of `409`", "rejected"),
        (below("errors: {200: rejected}"), "C10", (5, 14), "`200` is not a status of an error", "400 to 599"),
        (below("errors: {504: throttled}"), "C31", (5, 14), "`504` may come after somebody was dialled", "remove it"),
        (below("errors: {500: rejected}"), "C31", (5, 14), "`500` may come after somebody was dialled", "remove it"),
        (below("options: {level: {type: integer}}"), "C30", (5, 15), "no template uses the option `level`", "options.level"),
        (SMALL.replace("phone", "options.level") + "    options: {level: {typ: text}}\n", "C01", (5, 23), "unknown key `typ`", "did you mean `type`?"),
        (below("options: {a b: {}}"), "C10", (5, 15), "`a b` is not the name of an option", "a letter first"),
        (
            SMALL.replace("phone", "options.level") + "    options: {level: {type: integer, maximum: 9, default: 12}}\n",
            "C30", (5, 59), "`12` is too large", "at most 9",
        ),
        (below('find: {path: "/c?to={{ phone }}", id: id, reference: ref}'), "C31", (5, 18), "sees one page", "{{ page }}"),
        (below('find: {path: "/c?r={{ reference }}", id: id}'), "C31", (5, 5), "nothing tells the items of the list apart", "reference"),
        (below('find: {path: "/c?p={{ page }}", id: id, phone: to}'), "C31", (5, 5), "nothing tells the items", "created_at"),
        (
            below('find: {path: "/c?r={{ reference }}", id: id, reference: r, more: m}'),
            "C31", (5, 70), "`more` pages cannot be asked for", "{{ page }}",
        ),
        (
            SMALL.replace(', ref: "{{ reference }}"', "")
            + '    find: {path: "/c?r={{ reference }}", id: id, reference: ref}\n',
            "C31", (4, 5), "`find` looks for a reference that `call` does not carry", "{{ reference }}",
        ),
        (below(f"{POLL}\n    webhook: {{outcome: s}}"), "C30", (7, 5), "a webhook must name its call", "id: call.id"),
        (
            below(f"{POLL}\n    webhook: {{outcome: s, id: i, signature: hmac-sha256}}"),
            "C30", (7, 34), "`signature` does not say which header", "X-Acme-Signature",
        ),
        (
            below(f"{POLL}\n    webhook: {{outcome: s, id: i, signature: {{header: S, timestamp: T}}}}"),
            "C30", (7, 34), "`timestamp` and `over: timestamp.body` belong together", "over: timestamp.body",
        ),
        (below(f"{POLL}\n    webhook: {{outcome: s, id: i, signature: hmac}}"), "C04", (7, 45), "`hmac` is not a value", "standard"),
        (below("check: me"), "C30", (5, 12), "a path starts with one slash", "path: /calls"),
        (below("cancel: {path: '/c/{{ page }}'}"), "V01", (5, 27), "`page` is not known here", "did you mean"),
        ("providers:\n  acme: {base_url: https://a.test}\n", "C30", (2, 3), "`acme` neither calls nor texts", "add: call:"),
        (SMALL + "accounts: {a: {provider: acmee}}\n", "C04", (5, 26), "`acmee` is not a value", "did you mean `acme`?"),
        (
            SMALL + "accounts: {a: {provider: acme, base_url: http://a.test}}\n",
            "C10", (5, 42), "the key would travel unprotected", "https://a.test",
        ),
        (SMALL + "accounts: {a: {provider: acme, generation: B}}\n", "C30", (5, 32), "`acme` has no generations", "remove"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_declaration(
    tmp_path: Path, text: str, code: str, place: tuple[int, int], message: str, help: str
) -> None:
    found = wrong(tmp_path, text)

    (only,) = found
    assert only.span is not None
    assert (only.code, only.span.line, only.span.column) == (code, *place), as_text(found)
    assert message in only.message
    assert help in only.help
    assert "sk_live" not in as_text(found) + as_json(found)


def test_everything_wrong_is_told_in_one_go(tmp_path: Path) -> None:
    text = SMALL.replace("https", "http").replace("phone", "fone").replace("id: id", "id: .")
    text += "    errors: {409: accepted, 502: pause}\naccounts: {a: {provider: acme}}\n"

    assert [one.code for one in wrong(tmp_path, text)] == ["C10", "V01", "C10", "C04", "C31"]


def test_every_rule_is_in_the_table() -> None:
    names = [check.__name__ for check in CHECKS]

    assert len(names) == len(set(names)) == 11


# ---- campaigns ----


def campaign(folder: Path, agent: str) -> list[Diagnostic]:
    loaded = project(folder, ACME)
    path = folder / "campaign.yaml"
    path.write_text(HEAD + agent, encoding="utf-8")
    try:
        load_campaign(path, project=loaded, providers=all_providers(loaded.providers), shown="campaign.yaml")
    except FilesWrong as error:
        return list(error.diagnostics)
    return []


@pytest.mark.parametrize(
    "agent",
    [
        "agent: acme/assistant-7\n",
        'agent: {provider: acme, id: assistant-7, from: "+12025550190", options: {priority: 3}}\n',
        "agents: {a: {provider: acme, id: x}}\nsteps: [{call: a, options: {priority: 9}}, {text: a, message: Hello}]\n",
    ],
)
def test_campaigns_that_use_it(tmp_path: Path, agent: str) -> None:
    assert campaign(tmp_path, agent) == []


@pytest.mark.parametrize(
    ("agent", "code", "message", "help"),
    [
        ("agent: acmee/assistant-7\n", "C10", "`acmee` is not a provider", "did you mean `acme`?"),
        ("agent: acme/two words\n", "C10", "`two words` is not an agent's id", "assistant-7"),
        ("agent: {provider: acme, id: x, account: main}\n", "C24", "`main` is not an account of acme", "env:ACME_API_KEY"),
        ("agent: {provider: acme, id: x, reference: header}\n", "C25", "said by its declaration", "remove"),
        ("agent: {provider: acme, id: x, options: {priority: 10}}\n", "C06", "`10` is too large", "at most 9"),
        ("agent: {provider: acme, id: x, options: {priority: soon}}\n", "C06", "`soon` is not a whole", "digits"),
        ("agent: {provider: acme, id: x, options: {prioriti: 1}}\n", "C06", "is not an option of acme", "priority"),
        ("agent: acme/x\nsteps: [{call: agent, delivery: native}]\n", "C25", "no campaigns of its own", "single"),
        ("agents: {a: acme/x}\nsteps: [{text: a, options: {priority: 3}}]\n", "C06", "is not an option of acme", "none"),
    ],
)  # fmt: skip
def test_campaigns_that_use_it_wrongly(tmp_path: Path, agent: str, code: str, message: str, help: str) -> None:
    (only,) = campaign(tmp_path, agent)

    assert only.code == code
    assert message in only.message
    assert help in only.help


# ---- schema ----


def test_the_schema_of_project_files_knows_declarations() -> None:
    def problems(text: str) -> list[str]:
        data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))
        return [error.message for error in Draft202012Validator(project_schema()).iter_errors(data)]

    assert problems(ACME) == []
    assert problems(ACME + "accounts: {a: {provider: acme}}\n") == []
    assert problems(below("auth: X-Acme-Key\n    live: queued, ringing")) == []
    for wrong_text in (
        SMALL.replace("call:", "calls:"),
        SMALL.replace(", id: id", ""),
        below("outcomes: {done: answerd}"),
        below("errors: {409: accepted}"),
        below("errors: {200: rejected}"),
        below("options: {a: {type: whole}}"),
    ):
        assert problems(wrong_text), wrong_text


def test_the_schema_of_campaigns_knows_the_declared_names_and_options(tmp_path: Path) -> None:
    schema = campaign_schema(all_providers(project(tmp_path, ACME).providers))

    def problems(text: str) -> list[str]:
        return [one.message for one in Draft202012Validator(schema).iter_errors(YAML(typ="safe", pure=True).load(text))]

    Draft202012Validator.check_schema(schema)
    assert problems(HEAD + "agent: {provider: acme, id: x, options: {priority: 3}}\n") == []
    assert problems(HEAD + "agent: {provider: acme, id: x, options: {priority: 12}}\n")
    assert problems(HEAD + "agent: {provider: acme, id: x, options: {prio: 3}}\n")
    assert problems(HEAD + "agent: {provider: acmee, id: x}\n")
