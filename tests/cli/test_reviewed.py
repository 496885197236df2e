"""`--reviewed`: what is written is the plan that somebody read, or nothing at all."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.reviewed_project import OTHER, PEOPLE, PLAN, VISITS, Project
from tests.cli.running import Shell


@pytest.fixture
def project(tmp_path: Path, shell: Shell) -> Project:
    """Give a project whose campaign was never applied."""
    return Project(tmp_path, shell)


# ---- the plan that was reviewed ----


@pytest.mark.parametrize(
    "said", [Project.digest, Project.saved, lambda one: one.digest().upper().replace("SHA", "sha")]
)
def test_the_reviewed_plan_is_written_and_a_second_time_changes_nothing(
    project: Project, said: Callable[[Project], str]
) -> None:
    word = said(project)
    first = project("apply", "--reviewed", word, "--format", "json")
    before = project.ledger()
    second = project("apply", "--reviewed", word)

    (applied,) = json.loads(first.out)["applied"]
    assert (first.code, applied["created"], applied["digest"]) == (0, 2, project.digest())
    assert (second.code, second.out) == (0, "visits: nothing changes (revision 1 is in force)\n")
    assert project.ledger() == before


def test_a_plan_comes_by_standard_input_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(project(*PLAN).out))

    assert project("apply", "--reviewed", "-").out == "visits: 2 created (revision 1)\n"


def test_a_plan_comes_through_a_pipe_too(project: Project) -> None:
    text = project(*PLAN).out
    os.mkfifo(project.root / "pipe")
    writer = threading.Thread(target=(project.root / "pipe").write_text, args=(text,), daemon=True)
    writer.start()

    assert project("apply", "--reviewed", "pipe").code == 0
    writer.join(timeout=10)


def test_the_sums_alone_will_do(project: Project) -> None:
    """Whoever passes a plan on as an artifact need not pass on people's numbers."""
    project.write("sums.json", project(*PLAN).out.splitlines()[-1] + "\n\n")

    assert project("apply", "--reviewed", "sums.json").code == 0
    assert "+1202" not in (project.root / "sums.json").read_text()


@pytest.mark.parametrize("paths", [(), ("campaigns",), ("campaigns/visits.yaml", "campaigns/other.yaml")])
def test_several_campaigns_have_one_digest(project: Project, paths: tuple[str, ...]) -> None:
    project.write("campaigns/other.yaml", OTHER)
    digest = project.digest(*paths)
    shown = project("plan", *paths).out

    assert shown.splitlines()[-1] == f"digest of all 2: {digest}"
    assert project("apply", *reversed(paths), "--reviewed", digest).code == 0
    assert project("apply", "campaigns/visits.yaml", "--reviewed", digest).code == 4


# ---- another plan ----

CHANGES = {
    "a row": ("campaigns/people.csv", PEOPLE.replace("0144", "0145")),
    "a cell that is said": ("campaigns/people.csv", PEOPLE.replace("Bo", "Eve")),
    "one more row": ("campaigns/people.csv", PEOPLE + "+12025550146,Cy,America/New_York\n"),
    "a template": ("templates/hello.txt", "Send money, {{ contact.name }}."),
    "the campaign": ("campaigns/visits.yaml", VISITS.replace("agent_1", "agent_2")),
    "a window": ("campaigns/visits.yaml", VISITS + "windows: daily 00:00-24:00\n"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_applied", [False, True])
@pytest.mark.parametrize("form", [Project.digest, Project.saved])
def test_another_plan_is_refused_and_nothing_is_written(
    project: Project, change: str, form: Callable[[Project], str], *, is_applied: bool
) -> None:
    reviewed, digest = form(project), project.digest()
    if is_applied:
        assert project("apply").code == 0
    before = project.ledger()
    project.write(*CHANGES[change])
    done = project("apply", "--reviewed", reviewed)

    assert (done.code, done.out) == (4, "")
    assert "this is not the plan that was reviewed, so nothing was written: reviewed" in done.err
    assert f" {digest}, now {project.digest()}" in done.err
    assert ("(`plan.json`)" in done.err) == ("another plan now: visits" in done.err) == (form is Project.saved)
    assert done.err.endswith("= help: review it anew: outreach plan\n")
    assert project.ledger() == before
    assert bool(before) == is_applied


def test_a_file_tells_which_campaigns_differ(project: Project) -> None:
    project.write("campaigns/other.yaml", OTHER)
    saved = project.saved()
    project.write("campaigns/other.yaml", OTHER.replace("0147", "0148"))

    assert project("apply", "--reviewed", saved).err.split("; ")[1:] == [
        "another plan now: other\n  = help: review it anew: outreach plan\n"
    ]

    project.write("campaigns/other.yaml", OTHER.replace("campaign: other", "campaign: another"))
    done = project("apply", "campaigns", "--reviewed", saved)

    assert done.err.split("; ")[1:] == [
        "reviewed, and not among these: other",
        "nobody reviewed another\n  = help: review it anew: outreach plan campaigns\n",
    ]
    assert project.ledger() == {}


def test_a_file_of_another_version_says_so(project: Project) -> None:
    summary = project.sums() | {"tool_version": "0.0.9", "digest": f"sha256:{'0' * 64}"}
    project.write("plan.json", json.dumps({"summary": summary}))

    assert "; outreach 0.0.9 made it, and this is " in project("apply", "--reviewed", "plan.json").err


@pytest.mark.parametrize("form", [Project.digest, Project.saved])
def test_who_opts_out_in_between_makes_it_another_plan_of_the_same_files(
    project: Project, form: Callable[[Project], str]
) -> None:
    reviewed = form(project)
    assert project("apply").code == 0
    assert project("suppress", "add", "+12025550144", "--reason", "asked").code == 0
    done = project("apply", "--reviewed", reviewed)

    assert done.code == 4
    assert "the files are the same, and the ledger is not" in done.err
    assert project("apply", "--reviewed", form(project)).code == 0


def test_the_command_to_review_anew_is_for_the_same_ledger(project: Project) -> None:
    ledger = "sqlite:///other place.db"
    done = project("--ledger", ledger, "apply", "campaigns", "--reviewed", f"sha256:{'0' * 64}")

    assert done.err.endswith(f"= help: review it anew: outreach --ledger '{ledger}' plan campaigns\n")


def test_a_program_reads_why(project: Project) -> None:
    error = project("apply", "--reviewed", f"sha256:{'0' * 64}", "--format", "json").lines()[-1]["error"]

    assert (error["exit_code"], error["help"]) == (4, "review it anew: outreach plan")


# ---- what is no plan ----

FOREIGN = {
    "empty": (b"\n", "it is empty"),
    "campaign": (VISITS.encode(), "its last line is not JSON"),
    "cut off": (b'{"campaign": "visits", "step": "call"}\n', "its last line has no `summary`"),
    "a list": (b"[]\n", "its last line has no `summary`"),
    "an error": (b'{"error": {"message": "no"}}\n', "it ends with an error, since that plan failed"),
    "no digest": (b'{"summary": {"digest": "sha256:1", "digests": 5}}\n', "its `summary` has no `digest`"),
    "not text": (b"\xff\xfe\x00", "it is not UTF-8 text"),
    "deep": (b"[" * 200_000, "its last line is not JSON"),
    "without end": (b"x" * (17 * 2**20), "it has a line without end"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_plan_is_named_with_what_to_write(project: Project, name: str) -> None:
    text, why = FOREIGN[name]
    (project.root / "found.json").write_bytes(text)
    done = project("apply", "--reviewed", "found.json")

    assert (done.code, project.ledger()) == (2, {})
    assert f"error: `found.json` is no plan of `outreach plan --format json`: {why}" in done.err
    assert done.err.endswith("= help: write one: outreach plan --format json > plan.json\n")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("plan.json", "the reviewed plan `plan.json` cannot be read: no such file or directory"),
        ("campaigns", "the reviewed plan `campaigns` cannot be read: is a directory"),
        ("sha256:12ab", "`sha256:12ab` is not a whole digest"),
        ("0" * 64, f"help: write: --reviewed sha256:{'0' * 64}"),
        ("9A0364b9", "`9A0364b9` is not a whole digest"),
        ("", "`--reviewed` is empty"),
        (" \n", "`--reviewed` is empty"),
    ],
)
def test_what_cannot_be_read_is_named(project: Project, word: str, said: str) -> None:
    done = project("apply", "--reviewed", word)

    assert (done.code, project.ledger()) == (2, {})
    assert said in done.err


# ---- which digests there are ----


def test_the_plan_of_one_campaign_alone_is_told_apart(project: Project) -> None:
    project.write("campaigns/other.yaml", OTHER)
    for reviewed in (project.digest("campaigns/other.yaml"), project.saved("campaigns/other.yaml")):
        done = project("apply", "campaigns", "--reviewed", reviewed)

        assert (done.code, project.ledger()) == (4, {})
        assert "; that is the plan of other alone, so name its path: campaigns/other.yaml\n" in done.err
    assert project("apply", "campaigns/other.yaml", "--reviewed", reviewed).code == 0


@pytest.mark.parametrize("is_required", [False, True])
def test_what_a_reviewer_read_is_what_the_next_job_applies(project: Project, *, is_required: bool) -> None:
    """The steps of the documentation: one run of `plan`, whose text holds the digest."""
    for campaigns in (1, 2):
        if campaigns == 2:
            project.write("campaigns/other.yaml", OTHER)
        project.write("outreach.yaml", "review: required\n" * is_required)
        read = project("plan", "campaigns").out
        digest = re.findall("sha256:[0-9a-f]*", read)[-1]

        assert digest == project.digest("campaigns")
        assert project("apply", "campaigns", "--reviewed", digest, "--yes").code == 0


# What of outreach.yaml makes a plan another one; docs/security.md names both kinds.
COUNTED = {
    "windows of every campaign": "defaults: {windows: daily 09:00-10:00}",
    "caps": "caps: 1 per day",
    "cool_down": "cool_down: 2d",
    "an account of another name": "accounts: {revmo: {provider: revmo, credential: env:A}, a: {provider: movoice}}",
    "templates": "templates: words",
}
NOT_COUNTED = {
    "limits": "limits: {per_minute: 1}",
    "notify": "notify: {me: {apprise: env:HOOK, personal: true}}",
    "base_url": "accounts: {movoice: {provider: movoice, base_url: 'https://calls.example.com'}}",
    "credential": "accounts: {movoice: {provider: movoice, credential: 'cmd:keys movoice'}}",
    "settle_after": "accounts: {movoice: {provider: movoice, settle_after: 1h}}",
    "limits of an account": "accounts: {movoice: {provider: movoice, limits: {per_minute: 1}}}",
    "ledger": "ledger: sqlite:///other.db",
}


@pytest.mark.parametrize("name", [*COUNTED, *NOT_COUNTED])
def test_which_parts_of_the_project_a_digest_counts(project: Project, name: str) -> None:
    (project.root / "words").mkdir()
    project.write("words/hello.txt", "Send money, {{ contact.name }}.")
    before = project.digest()
    project.write("outreach.yaml", f"{(COUNTED | NOT_COUNTED)[name]}\n")

    assert (project.digest() != before) == (name in COUNTED)


# ---- `review: required` ----


def test_a_project_can_require_it(project: Project) -> None:
    project.write("outreach.yaml", "review: required\n")
    done = project("apply", "campaigns", "--yes")

    assert (done.code, done.out, project.ledger()) == (2, "", {})
    assert "`apply` needs --reviewed with the digest of the plan that was reviewed" in done.err
    assert done.err.endswith("= help: review the plan and take its digest: outreach plan campaigns\n")
    assert project(*done.err.rpartition(": outreach ")[2].split()).code == 0


def test_a_plan_then_ends_with_the_command_that_applies_it(project: Project) -> None:
    project.write("outreach.yaml", "review: required\n")
    shown = project("plan", "campaigns").out.splitlines()[-1]

    assert shown == f"apply this very plan: outreach apply campaigns --reviewed {project.digest()}"
    assert project(*shown.partition("outreach ")[2].split()).out == "visits: 2 created (revision 1)\n"


def test_no_command_is_shown_for_a_plan_that_bad_rows_stop(project: Project) -> None:
    project.write("outreach.yaml", "review: required\n")
    project.write("campaigns/people.csv", PEOPLE + "0161 496 0000,No country,\n")

    assert "apply this very plan" not in project("plan").out
    done = project("apply", "--reviewed", project.digest())
    assert (done.code, project.ledger()) == (1, {})


def test_a_run_that_applies_asks_for_it_and_a_rehearsal_does_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOVOICE_API_KEY", "REVMO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    project.write("outreach.yaml", "review: required\n")
    digest = project.digest()
    refused = project("run", "campaigns", "--yes")
    stale = project("run", "campaigns", "--yes", "--reviewed", f"sha256:{'0' * 64}")
    keyless = project("run", "campaigns", "--yes", "--reviewed", digest)

    assert (refused.code, stale.code) == (2, 4)
    assert "`run` needs --reviewed" in refused.err
    assert "so nothing was written" in stale.err
    assert "_API_KEY` is not set" in keyless.err, "the plan was the reviewed one, so keys came next"

    place = ("--ledger", "sqlite:///rehearsal.db", "run", "campaigns", "--sandbox", "--seed", "1", "--yes")
    assert "visits: 2 created (revision 1)" in project(*place).out
    assert project(*place, "--reviewed", digest).code in {0, 5}
    assert project(*place, "--reviewed", f"sha256:{'0' * 64}").code == 4


def test_a_stale_run_leaves_no_ledger_behind(project: Project) -> None:
    assert project("run", "campaigns", "--reviewed", f"sha256:{'0' * 64}").code == 4
    assert project.ledger() == {}


def test_a_run_of_what_was_applied_before_has_nothing_to_review(project: Project) -> None:
    done = project("run", "--reviewed", f"sha256:{'0' * 64}")

    assert (done.code, "without a PATH nothing is applied" in done.err) == (2, True)
