"""The documents tell the truth: links, commands, keys, campaigns and examples are held against the real thing."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from runpy import run_path
from typing import Any, get_args

import click
import httpx
import pytest
from ruamel.yaml import YAML

from runner.cli.main import COMMANDS, outreach, run
from runner.errors import ExitCode
from runner.model.campaign import Campaign
from runner.model.notification import EVENTS, AboutAttempt, Kind, Notification
from runner.rules.filters import filters_for
from runner.rules.notify import message_of
from runner.rules.templates import TemplateSet
from runner.sandbox.clock import WallClock
from runner.sandbox.fault_plans import read_plan_file
from runner.sandbox.faults import FaultKind
from runner.sandbox.server import running
from runner.sandbox.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "runner/cli/scaffold/project-readme.md"])
TEXTS = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in PAGES}
BY_PAGE = pytest.mark.parametrize("page", TEXTS)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_CODE = re.compile(r"`([^`\n]+)`")
_KEYS = re.compile(r"<!-- keys: ([\w ]+) -->\n((?:\|.*\n)+)")
_AT = "2026-12-01T09:00:00Z"


# ---- links ----


@BY_PAGE
def test_links_lead_somewhere(page: str) -> None:
    for target in _LINK.findall(_without_fences(TEXTS[page])):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file.read_text("utf-8")), target


def _anchors(text: str) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", _without_fences(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _without_fences(text: str) -> str:
    return _FENCE.sub("", text)


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in _LINK.findall(_without_fences(TEXTS[page])):
            file = ((ROOT / page).parent / target.partition("#")[0]).resolve()
            waiting += [name for name in TEXTS if (ROOT / name) == file]

    assert {name for name in TEXTS if not name.startswith("runner/")} == seen


# ---- commands ----


def test_every_command_is_in_the_readme_and_in_the_reference() -> None:
    for page in ("README.md", "docs/reference.md"):
        assert [name for name in COMMANDS if f"`outreach {name}`" not in TEXTS[page]] == []


@BY_PAGE
def test_every_command_line_can_be_typed(page: str) -> None:
    for line in _typed_lines(TEXTS[page]):
        _parse(line)


@BY_PAGE
def test_every_command_line_in_running_text_is_right(page: str) -> None:
    for line in _mentioned_lines(TEXTS[page]):
        # Running text may leave out who or what the command is about.
        with suppress(click.MissingParameter, click.exceptions.NoArgsIsHelpError):
            _parse(line)


def test_command_lines_are_found_and_wrong_ones_refused() -> None:
    assert len({line for text in TEXTS.values() for line in _typed_lines(text)}) > 10
    assert len({line for text in TEXTS.values() for line in _mentioned_lines(text)}) > 15
    for wrong in ("outreach plan --contcat x", "outreach paln", "outreach init", "outreach run --seed many"):
        with pytest.raises(click.UsageError):
            _parse(wrong)


def _typed_lines(text: str) -> Iterator[str]:
    """Give every command line in a block of code; the lines of usage in the reference name no real words."""
    blocks = [body for kind, body in _FENCE.findall(text) if kind == ""]
    blocks.append("\n".join(line[4:] for line in _without_fences(text).splitlines() if line.startswith("    ")))
    yield from _outreach_words(line for block in blocks for line in block.splitlines())


def _mentioned_lines(text: str) -> Iterator[str]:
    """Give every command line that stands as code in running text."""
    yield from _outreach_words(_INLINE_CODE.findall(_without_fences(text)))


def _outreach_words(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        for part in re.split(r"&&|;|\|", line.partition(" #")[0]):
            words = part.strip().removeprefix("$ ")
            if words.startswith("outreach ") and not re.search(r"\[[A-Z]|\.\.\.", words):
                yield words


def _parse(line: str) -> None:
    """Parse a command line as the tool would, and run nothing; raise UsageError."""
    words = shlex.split(line)[1:]
    try:
        group = outreach.make_context("outreach", words)
        name, command, rest = outreach.resolve_command(group, [*group._protected_args, *group.args])
        assert command is not None
        command.make_context(name, rest, parent=group)
    except click.exceptions.Exit as ended:
        assert ended.exit_code == 0


# ---- files ----


def test_the_readme_shows_the_sample_campaign() -> None:
    fences = [body for kind, body in _FENCE.findall(TEXTS["README.md"]) if kind == "yaml"]

    assert fences[0] == (ROOT / "campaigns/april-reminders.yaml").read_text("utf-8")
    assert len(fences[0].splitlines()) <= 15


def test_every_top_level_key_is_in_the_guide() -> None:
    keys = [field.alias or name for name, field in Campaign.model_fields.items()]

    assert [
        key for key in keys if not re.search(rf"(`|^){key}(`|:)", TEXTS["docs/campaign-file.md"], re.MULTILINE)
    ] == []


def _campaigns() -> list[tuple[str, str]]:
    found = [(name, body) for name, text in TEXTS.items() for kind, body in _FENCE.findall(text) if kind == "yaml"]
    return [
        (f"{name}:{number}", body)
        for number, (name, body) in enumerate(found)
        if re.search(r"^campaign:", body, re.MULTILINE)
    ]


@pytest.mark.parametrize(("place", "text"), _campaigns(), ids=[place for place, _ in _campaigns()])
def test_whole_campaigns_are_fine(place: str, text: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "campaigns/example.yaml").write_text(text, "utf-8")

    assert run(["validate", "campaigns/example.yaml"]) == 0, capsys.readouterr().err
    assert place


def test_parts_of_campaigns_are_fine_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The guide shows keys one by one; put together they are a campaign, and its project file is one."""
    fences = [body for kind, body in _FENCE.findall(TEXTS["docs/campaign-file.md"]) if kind == "yaml"]
    parts = [body for body in fences if not body.startswith(("campaign:", "ledger:"))]
    (project / "outreach.yaml").write_text(next(body for body in fences if body.startswith("ledger:")), "utf-8")
    head = "campaign: together\npurpose: informational\nsteps: [{call: caller}]\n"
    (project / "campaigns/example.yaml").write_text(head + "".join(parts), "utf-8")

    assert run(["validate", "campaigns/example.yaml"]) == 0, capsys.readouterr().err
    assert len(parts) == 7


def test_project_files_in_other_pages_are_fine(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fences = [body for kind, body in _FENCE.findall(TEXTS["docs/providers.md"]) if kind == "yaml"]

    for body in fences:
        (project / "outreach.yaml").write_text(body, "utf-8")
        assert run(["validate", "campaigns/april-reminders.yaml"]) == 0, capsys.readouterr().err
    assert fences


def test_the_page_on_notifications_is_right(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fences = [body for kind, body in _FENCE.findall(TEXTS["docs/notifications.md"]) if kind in {"yaml", "json"}]
    targets, hooks, message = fences
    (project / "outreach.yaml").write_text(targets, "utf-8")
    head = "campaign: told\npurpose: informational\nagent: movoice/agent_1\ncontacts: [{phone: '+12025550143'}]\n"
    (project / "campaigns/example.yaml").write_text(head + hooks, "utf-8")

    assert run(["validate", "campaigns/example.yaml"]) == 0, capsys.readouterr().err
    sent_at, ended_at = datetime(2026, 12, 1, 17, 2, 1, tzinfo=UTC), datetime(2026, 12, 1, 17, 3, 21, 123456, UTC)
    attempt = AboutAttempt(
        key="0123456789abcdef" * 2, contact_key="7", phone="+12025550143", step="call", number=1, channel="call",
        provider="movoice", account="movoice", outcome="answered", tag="BOOKED", summary="she will come", reason="",
        sent_at=sent_at, ended_at=ended_at, masked_phone="+1***0143#4ad121e7", log_id="a4f6c2be19ad07d3",
    )  # fmt: skip
    told = Notification(
        id=1,
        message_id="msg_1",
        kind=Kind.ATTEMPT_ENDED,
        at=ended_at,
        target="crm",
        campaign="renewals",
        attempt=attempt,
    )
    assert message_of(told, personal=False).body == json.loads(message)
    assert [kind.value for kind in Kind if f"`{kind.value}`" not in TEXTS["docs/notifications.md"]] == []
    assert [event for event in EVENTS if f"`{event}`" not in TEXTS["docs/notifications.md"]] == []


@BY_PAGE
def test_json_and_yaml_can_be_read(page: str) -> None:
    for kind, body in _FENCE.findall(TEXTS[page]):
        if kind == "json":
            json.loads(body)
        elif kind == "yaml":
            assert YAML(typ="safe", pure=True).load(body)


def test_faults_of_the_sandbox_page_are_taken(tmp_path: Path) -> None:
    (faults,) = [body for kind, body in _FENCE.findall(TEXTS["docs/sandbox.md"]) if kind == "yaml"]
    (tmp_path / "faults.yaml").write_text(faults, "utf-8")
    plan = read_plan_file(tmp_path / "faults.yaml")

    assert (plan.seed, len(plan.faults)) == (3, 3)
    assert set(get_args(FaultKind)) == set(re.findall(r"^\| `(\w+)` \|", TEXTS["docs/sandbox.md"], re.MULTILINE))


def test_filters_give_what_the_guide_says() -> None:
    rows = re.findall(r"^\| `(\{[{%].*[}%]\})` \| (.*) \|$", TEXTS["docs/campaign-file.md"], re.MULTILINE)
    templates = TemplateSet({}, "en_US")
    shown = set()
    for written, expected in rows:
        source = written.replace("\\|", "|")
        shown |= set(re.findall(r"\|\s*(\w+)", source))

        assert templates.compile(source).render({"contact": {}}) == expected, source

    assert set(filters_for("en_US")) == shown


# ---- made pages ----


def test_the_reference_is_current() -> None:
    made = run_path(str(ROOT / "docs/make_reference.py"))["reference"]()

    assert TEXTS["docs/reference.md"] == made, "python docs/make_reference.py"


def test_the_picture_shows_what_is_printed_today(tmp_path: Path) -> None:
    module = run_path(str(ROOT / "docs/make_picture.py"))
    picture = (ROOT / "docs/demo.svg").read_text("utf-8").replace("&#160;", " ")

    printed = module["recorded"]().export_text()

    # The digest and tzdata's version change with each release, and no picture need.
    told = [
        line.strip().removeprefix("$ ")
        for line in printed.splitlines()
        if line.strip() and not re.search("digest|tzdata", line)
    ]
    missing = [
        line for line in told if not all(word in picture for word in re.split(r"\s{2,}", line.replace("'", "&#x27;")))
    ]
    assert missing == [], "python docs/make_picture.py"
    assert any("24 contacts = 23 finished + 1 held + 0 skipped + 0 rejected" in line for line in told)
    assert set(re.findall(r"https?://[^\s\"<>]+", picture)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }


# ---- machine formats ----


def test_exit_codes_are_documented() -> None:
    for page in ("README.md", "docs/machine-formats.md"):
        codes = re.findall(r"^\| (\d+) \|", TEXTS[page], re.MULTILINE)

        assert [int(code) for code in codes] == [code.value for code in ExitCode]


def test_every_key_that_plan_prints_is_documented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "campaigns", "--at", _AT, "--format", "json"]) == 0

    *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    # Nobody has a backup or a variant here; tests/cli/test_variants.py holds those keys against the same page.
    documented = {path for path in _documented("plan line", "[].") if ".backups[]" not in path} | {"[].backups"}
    assert _paths(lines, free=("headers", "body")) == documented
    # Nothing repeats here; tests/cli/test_rounds.py holds what stands inside `rounds` against the same page.
    documented = {path for path in _documented("plan summary") if ".rounds[]" not in path and ".variants[]" not in path}
    documented |= {"summary.rounds", "summary.variants"}
    assert _paths(last) == documented


def test_every_key_that_validate_prints_is_documented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "campaigns/wrong.yaml").write_text("campaign: wrong\npurpos: research\ncontacts: contacts/april.csv\n")

    assert run(["validate", "campaigns", "--format", "json"]) == 1

    assert _paths(json.loads(capsys.readouterr().out)) == _documented("diagnostics")


def test_every_key_of_an_error_is_documented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "campaigns/wrong.yaml").write_text("campaign: wrong\npurpos: research\ncontacts: contacts/april.csv\n")

    assert run(["plan", "campaigns", "--format", "json"]) == 1

    assert _paths(json.loads(capsys.readouterr().out)) == _documented("error")


def test_every_key_that_apply_and_status_print_is_documented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["campaigns/visit-reminders.yaml", "campaigns/april-reminders.yaml"]
    assert run(["run", *words, "--sandbox", "--seed", "7", "--at", _AT, "--format", "json"]) in {0, 5}
    ended = json.loads(capsys.readouterr().out)
    assert run(["status", "--contacts", "--format", "json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert run(["apply", *words, "--format", "json"]) == 0
    applied = json.loads(capsys.readouterr().out)

    # Nobody is handed over here; tests/cli/test_resolve.py holds what stands inside `handovers` against the same page.
    documented = {path for path in _documented("status") if ".handovers[]" not in path} | {"campaigns[].handovers"}
    documented = {path for path in documented if ".rounds." not in path} | {"campaigns[].rounds"}
    # Nobody asks for variants here; tests/cli/test_variants.py does.
    documented = {path for path in documented if ".variants[]" not in path}
    # No account is ill here; tests/cli/test_status_accounts.py holds what stands inside `accounts` against the page.
    documented = {path for path in documented if not path.startswith("accounts[]")} | {"accounts"}
    # Somebody whose zone nobody knows is held and has no attempt: an empty list is a path of its own.
    assert _paths(status, free=("tags",)) == documented | {"campaigns[].contacts[].attempts"}
    assert _paths(ended, free=("tags",)) == {path for path in documented if ".contacts[]" not in path}
    assert _paths(applied) == _documented("apply")


def test_every_key_that_dials_has_is_documented() -> None:
    async def dial() -> list[dict[str, Any]]:
        async with (
            running(Settings(), WallClock()) as sandbox,
            httpx.AsyncClient(trust_env=False, timeout=10) as client,
        ):
            body = {"agent_id": "agent_12345", "recipient_phone": "+12025550143"}
            headers = {"Authorization": "Bearer any", "Idempotency-Key": "0" * 32}
            (await client.post(f"{sandbox.url}/movoice/v1/call", json=body, headers=headers)).raise_for_status()
            dials: list[dict[str, Any]] = (await client.get(f"{sandbox.url}/_sandbox/dials")).json()
            return dials

    dials = asyncio.run(dial())

    assert _paths(dials) == _documented("dials")
    assert dials[0]["reference"] == "0" * 32


def _documented(table: str, prefix: str = "") -> set[str]:
    """Give the keys in the first column of a table of the page, `.*` left off."""
    tables = dict(_KEYS.findall(TEXTS["docs/machine-formats.md"]))
    keys = re.findall(r"^\| `([^`]+)` \|", tables[table], re.MULTILINE)
    assert len(keys) == len(set(keys))
    return {prefix + key.removesuffix(".*") for key in keys}


def _paths(value: Any, at: str = "", free: tuple[str, ...] = ()) -> set[str]:
    """Give the path of every leaf; what lies below a free key is not ours."""
    if isinstance(value, dict) and at.rpartition(".")[2] not in free:
        inner = [_paths(item, f"{at}.{key}" if at else key, free) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        inner = [_paths(item, f"{at}[]", free) for item in value]
    else:
        return {at}
    found = set().union(*inner)
    # A value that is sometimes null and sometimes a map is told by the map's keys.
    return {path for path in found if not any(other.startswith(f"{path}.") for other in found)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the samples to stand in, with contacts that the examples name."""
    for name in ("campaigns", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    columns = {
        "phone": "+12025550143", "mobile": "+12025550144", "name": "Anna Lee", "tz": "America/New_York", "customer_id": "1",
        "amount_due": "120.00", "visit_at": "2026-12-03T10:30", "clinic": "Mercer Dental", "doctor": "Dr. Okafor", "fee": "25",
        "history": "two crowns",
    }  # fmt: skip
    people = tmp_path / "campaigns/contacts/people.csv"
    people.write_text("\n".join([",".join(columns), ",".join(columns.values())]) + "\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
