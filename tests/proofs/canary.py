"""A canary key and a canary person go through everything, and every artefact is searched for them.

The keys of all attempts are looked for, too: they are hashes of people's numbers, which whoever reads a log could
find by trying.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from runner.rules.scrub import Scrubber
from tests.e2e.processes import REPOSITORY, sandbox_process
from tests.engine.receiving import SECRET, receiver
from tests.proofs.canary_shapes import SHAPES, write_shapes
from tests.proofs.proof import Figure, Proof, Share

KEYS = {
    "env": "sk_canary_env_5f2c81d09e47ab",
    "file": "sk_canary_file_77c0d1f3a2b9e6",
    "cmd": "sk_canary_cmd_1b8e4d6f90a3c7",
    "webhook": "whsec_canary_2d4f6a8c0e1b3d5f",
}
NUMBER, NAME, VARIABLE = "+12025550177", "Canarina Featherstone", "policy-7731-canary"
OTHER = "+442079460177"
"""of somebody in whose row a cell is empty"""
PERSON = (NUMBER, NUMBER[1:], NUMBER[2:], NAME, NAME.split(maxsplit=1)[0], VARIABLE)
_NUMBERS = (*PERSON[:3], OTHER, OTHER[1:], OTHER[3:], "202/555/0177")

_PROJECT = """\
notify:
  crm: {{webhook: "{hook}", secret: env:CANARY_NOTIFY, allow_loopback: true}}
accounts:
  movoice: {{provider: movoice, base_url: "{url}/movoice/v1", credential: env:CANARY_KEY, webhook_secret: env:CANARY_HOOK, {more}}}
  revox: {{provider: revox, base_url: "{url}/revox/api", credential: "file:keys/revox.key", {more}}}
  revring: {{provider: revring, base_url: "{url}/revring/v1", credential: "cmd:cat keys/revring.txt", {more}}}
"""
_MORE = "allow_loopback: true, poll: [0.3s, 0.5s, 1s, 2s, 4s], settle_after: 0.5s"
_CAMPAIGN = """\
campaign: {name}
purpose: transactional
agent: {agent}
windows: daily 00:00-24:00
timezone: America/New_York
retry: never
contacts: contacts/people.csv
variables: {{name: "{{{{ contact.name }}}}", policy: "{{{{ contact.policy }}}}"}}
on: {{outcome: crm, held: crm, paused: crm, finished: crm}}
"""
_AGENTS = {
    "first": "movoice/agent_12345",
    "second": "revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
    "third": '{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}',
}
_LONG = """\
campaign: long
purpose: transactional
agent: movoice/agent_12345
windows: daily 00:00-24:00
timezone: America/New_York
contacts: ../campaigns/contacts/long.csv
variables: {name: "{{ contact.name }}", note: "{{ contact.note }}"}
"""
"""a campaign whose every row is bad: one note is too long, the other empty"""
_CRASH = """\
import sys
from runner.cli import main
from runner.rules.scrub import SECRETS
def fail(*_):
    person, key = {person!r}, open("keys/revox.key").read().strip()
    SECRETS.add(key)
    raise ValueError(f"cannot place {{person}} with {{key}}")
import runner.cli.status
runner.cli.status.workspace_of = fail
if "--outside" in sys.argv:
    from runner.cli.streams import report_crash
    sys.excepthook = report_crash
    fail()
sys.exit(main.run(["--debug", "status"]))
"""
_NO_PERSON = (
    "validate", "doctor", "status", "errors", "crash", "crash-outside", "metrics", "health", "processes", "serve.err",
    "run.err", "run.out", "plan.err", "why.err", "export.err", "report", "notification",
)  # fmt: skip
"""artefacts in which nobody's number, name or variables may stand"""
_QUOTES_ROW = (
    "bad-rows-validate.err",
    "bad-rows-github.out",
    "bad-rows-github.err",
    "bad-rows-plan.err",
    "bad-rows-apply.err",
)
"""errors that quote rows of contacts, whose numbers are masked"""
_QUOTES_SHAPES = (("bad-rows-shapes.err", f",{NAME}", len(SHAPES)), ("bad-rows-lines.err", f'"name":"{NAME}"', 1))
"""errors that quote the number in every shape, what each quoted row holds, and how many there are"""
_NO_NUMBER = ("plan.out", "why.out", "bad-rows")
"""text for people off a terminal: the number is masked, and what is said to them is what was asked for"""
_MAY_HOLD_ATTEMPT_KEYS = ("ledger:", "export.out", "plan-json.out", "shown.out")
"""the ledger, and what asks for everything in it; providers get the keys, too, and are no artefact of ours"""
_HOLDS_ATTEMPT_KEYS = ("export.out", "plan-json.out")
_HOLDS_PERSON = ("plan-json.out", "export.out", "shown.out")
"""where people are documented to stand; that they are found there shows that the search finds"""


@dataclass(slots=True)
class Artefacts:
    """What was left behind, by name."""

    texts: dict[str, bytes] = field(default_factory=dict)
    attempts: tuple[str, ...] = ()
    """the keys of all attempts in the ledger"""

    def with_key(self) -> list[str]:
        """Give the artefacts that hold one of the keys, in whatever spelling."""
        known = Scrubber()
        for key in KEYS.values():
            known.add(key)
        return sorted(name for name, raw in self.texts.items() if known.finds(raw.decode("utf-8", "replace")))

    def with_person(self) -> list[str]:
        """Give the artefacts that hold the person and must not."""
        wanted = dict.fromkeys(self._named(_NO_PERSON), PERSON) | dict.fromkeys(self._named(_NO_NUMBER), _NUMBERS)
        return sorted(
            name for name, words in wanted.items() if any(word.encode() in self.texts[name] for word in words)
        )

    def with_attempt(self) -> list[str]:
        """Give the artefacts that hold an attempt's key and must not."""
        searched = (name for name in self.texts if not name.startswith(_MAY_HOLD_ATTEMPT_KEYS))
        return sorted(name for name in searched if self._holds_attempt(name))

    def without_attempt(self) -> list[str]:
        """Give what should hold a key of an attempt and does not, and what there should be and is not."""
        missing = [] if self._named(("notification",)) and b'"accepted"' in self.texts.get("run.err", b"") else ["told"]
        return missing + [name for name in _HOLDS_ATTEMPT_KEYS if not self._holds_attempt(name)]

    def without_person(self) -> list[str]:
        """Give what should hold the person and does not: then the search, or the run, was for nothing."""
        missing = [name for name in _HOLDS_PERSON if NUMBER.encode() not in self.texts.get(name, b"")]
        missing += [name for name in _QUOTES_ROW if not self._quotes_rows(name)]
        return missing + [
            name for name, said, rows in _QUOTES_SHAPES if self.texts.get(name, b"").count(said.encode()) < rows
        ]

    def _quotes_rows(self, name: str) -> bool:
        """Whether errors name both bad rows, for what is wrong with their values; annotations have no line of the file."""
        text = self.texts.get(name, b"")
        is_quoted = name.endswith(".out") or f",{NAME}".encode() in text
        return is_quoted and b"V10" in text and b"V02" in text

    def _holds_attempt(self, name: str) -> bool:
        text = self.texts.get(name, b"").lower()
        return any(key.encode() in text for key in self.attempts)

    def _named(self, beginnings: tuple[str, ...]) -> list[str]:
        return [name for name in self.texts if name.startswith(beginnings)]


def collect(share: Share = Share.FULL) -> Artefacts:
    """Run everything in a folder of its own, and take in what is left; the small share starts fewer processes."""
    found = Artefacts()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with receiver() as got, sandbox_process(folder, "--seed", "11") as url:
            _write_project(folder, url, got.url)
            _post(
                url,
                "faults",
                {"faults": [{"kind": "status", "status": 500, "share": 0.05}, {"kind": "drop_after", "share": 0.05}]},
            )
            with _processes_watched(found):
                _commands(folder, found)
                if share is Share.FULL:
                    _served(folder, url, found)
                    _looked_at(folder, found)
                _kept(found, "export", folder, "export", "first")
                _crashed(folder, found)
            for number, (headers, body) in enumerate(got.raw):
                found.texts[f"notification:{number}"] = f"{headers}".encode() + body
        found.attempts = _keys_of(folder / ".outreach" / "ledger.db")
        for path in folder.rglob("*"):
            if path.is_file() and "keys" not in path.parts and "contacts" not in path.parts:
                kind = "report" if path.suffix == ".html" else "ledger" if "ledger" in path.name else "file"
                found.texts[f"{kind}:{path.relative_to(folder)}"] = path.read_bytes()
    return found


def run(share: Share) -> Figure:
    """Run everything once, and search."""
    found = collect(share)
    keys, people, missed = found.with_key(), found.with_person(), found.without_person()
    attempts, unfound = found.with_attempt(), found.without_attempt()
    size = sum(map(len, found.texts.values())) / 1e6
    said = (
        f"{len(found.texts)} artefacts, {size:.1f} MB: {len(keys)} with one of {len(KEYS)} keys, {len(people)} with the "
        f"person where nobody may stand, {len(missed)} of {len(_HOLDS_PERSON) + len(_QUOTES_ROW) + len(_QUOTES_SHAPES)} places of people without; "
        f"{len(attempts)} with the key of one of {len(found.attempts)} attempts"
    )
    wrong = [*keys, *people, *missed, *attempts, *unfound]
    if wrong:
        said += f" ({', '.join(wrong)})"
    return Figure(said=said, holds=not wrong)


def _keys_of(ledger: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(ledger)) as connection:
        return tuple(row[0] for row in connection.execute("SELECT key FROM attempts"))


def _write_project(folder: Path, url: str, hook: str) -> None:
    (folder / "campaigns" / "contacts").mkdir(parents=True)
    (folder / "keys").mkdir()
    (folder / "keys" / "revox.key").write_text(KEYS["file"] + "\n")
    (folder / "keys" / "revox.key").chmod(0o600)
    (folder / "keys" / "revring.txt").write_text(KEYS["cmd"] + "\n")
    (folder / "outreach.yaml").write_text(_PROJECT.format(url=url, hook=hook, more=_MORE))
    rows = [f"{NUMBER},{NAME},{VARIABLE}", *(f"+120255501{at:02},Person {at},p-{at}" for at in range(10, 20))]
    (folder / "campaigns" / "contacts" / "people.csv").write_text("phone,name,policy\n" + "\n".join(rows) + "\n")
    long = [f"{NUMBER},{NAME},{'n' * 501}", f"{OTHER},{NAME},"]
    (folder / "campaigns" / "contacts" / "long.csv").write_text("phone,name,note\n" + "\n".join(long) + "\n")
    (folder / "drafts").mkdir()
    (folder / "drafts" / "long.yaml").write_text(_LONG)
    write_shapes(folder, NUMBER, NAME)
    for name, agent in _AGENTS.items():
        (folder / "campaigns" / f"{name}.yaml").write_text(_CAMPAIGN.format(name=name, agent=agent))


def _commands(folder: Path, found: Artefacts) -> None:
    """What is done before anything is placed, and everything placed."""
    _kept(found, "validate", folder, "validate")
    _kept(found, "plan", folder, "plan")
    _kept(found, "plan-json", folder, "plan", "--format", "json")
    _kept(found, "bad-rows-validate", folder, "validate", "drafts/long.yaml")
    _kept(found, "bad-rows-github", folder, "validate", "drafts/long.yaml", "--format", "github")
    _kept(found, "bad-rows-plan", folder, "plan", "drafts/long.yaml")
    _kept(found, "bad-rows-apply", folder, "apply", "drafts/long.yaml", "--yes")
    for name in ("shapes", "lines"):
        _kept(found, f"bad-rows-{name}", folder, "validate", f"drafts/{name}.yaml")
        _kept(found, f"bad-rows-{name}-github", folder, "validate", f"drafts/{name}.yaml", "--format", "github")
    _kept(found, "shown", folder, "--show-pii", "plan", "--contact", NUMBER)
    _kept(found, "run", folder, "--log-level", "debug", "run", "campaigns", "--yes")


def _served(folder: Path, url: str, found: Artefacts) -> None:
    """Serve with webhooks while somebody forges some, and scrape it."""
    port, watched = _free_port(), _free_port()
    _post(url, "webhooks", {"movoice": {"url": f"http://127.0.0.1:{port}/webhooks/movoice/{KEYS['webhook']}"}})
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "--log-level", "debug", "serve", "--port", str(port), "--metrics", str(watched)],
        cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        _kept(found, "call", folder, "call", "+12025550178", "--agent", "movoice/agent_12345", "--purpose",
              "transactional", "--windows", "daily 00:00-24:00", "--yes")  # fmt: skip
        for token in (KEYS["webhook"], "wrong"):
            body = f'{{"event_type": "call.completed", "call_id": "nobody", "to": "{NUMBER}", "name": "{NAME}"}}'
            address = f"http://127.0.0.1:{port}/webhooks/movoice/{token}"
            answer = httpx.post(address, content=body, trust_env=False, timeout=10)
            found.texts[f"health:webhook-{answer.status_code}"] = f"{answer.headers}{answer.text}".encode()
        for path in ("metrics", "healthz", "readyz"):
            answer = httpx.get(f"http://127.0.0.1:{watched}/{path}", trust_env=False, timeout=10)
            kind = "metrics" if path == "metrics" else f"health:{path}"
            found.texts[kind] = f"{answer.headers}{answer.text}".encode()
    finally:
        process.terminate()
        out, err = process.communicate(timeout=30)
    found.texts["serve.err"] = err
    found.texts["serve.out"] = out


def _looked_at(folder: Path, found: Artefacts) -> None:
    """What people ask for later, and what goes wrong."""
    _kept(found, "status", folder, "status")
    _kept(found, "status-people", folder, "status", "first", "--contacts")
    _kept(found, "why", folder, "why", NUMBER)
    _kept(found, "doctor", folder, "doctor")
    _kept(found, "errors-key", folder, "run", "campaigns", "--yes", CANARY_KEY="")
    (folder / "keys" / "revox.key").chmod(0o644)
    _kept(found, "errors-file", folder, "run", "campaigns", "--yes")
    (folder / "keys" / "revox.key").chmod(0o600)
    _kept(found, "errors-name", folder, "--project", str(folder), "status", "nobody")


def _crashed(folder: Path, found: Artefacts) -> None:
    """End by an exception that quotes key and person, inside a command and outside of any."""
    for name, words in (("crash", []), ("crash-outside", ["--outside"])):
        code = _CRASH.format(person=f"{NAME} {NUMBER} {VARIABLE}")
        script = folder / "keys" / "crash.py"
        script.write_text(code)
        done = subprocess.run(
            [sys.executable, str(script), *words], cwd=folder, env=_environment(), capture_output=True, check=False,
            timeout=60,
        )  # fmt: skip
        found.texts[name] = done.stdout + done.stderr


def _kept(found: Artefacts, name: str, folder: Path, *words: str, **changed: str) -> None:
    """Run one command and keep what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words], cwd=folder, env=_environment() | changed, capture_output=True,
        check=False, timeout=120,
    )  # fmt: skip
    found.texts[f"{name}.out"], found.texts[f"{name}.err"] = done.stdout, done.stderr


@contextmanager
def _processes_watched(found: Artefacts) -> Iterator[None]:
    """Keep the command lines of all processes meanwhile, but those in which we ourselves name the person."""
    over, seen = threading.Event(), set[bytes]()

    def watch() -> None:
        while not over.wait(0.03):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    asked = (b"--contact", b"\0why\0")
    found.texts["processes"] = b"\n".join(one for one in seen if not any(word in one for word in asked))


def _environment() -> dict[str, str]:
    keys: Mapping[str, str] = {
        "CANARY_KEY": KEYS["env"], "CANARY_HOOK": KEYS["webhook"], "CANARY_NOTIFY": SECRET,
    }  # fmt: skip
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", **keys}


def _post(url: str, what: str, body: object) -> None:
    httpx.post(f"{url}/_sandbox/{what}", json=body, trust_env=False, timeout=10).raise_for_status()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, trust_env=False, timeout=1)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("serve does not answer")


PROOFS = (
    Proof(
        name="canary",
        promise="A key stands nowhere but where it is kept, and a person nowhere but where people are documented to stand. "
        "An attempt's key, from which a person could be guessed, leaves only to providers and in what is asked for whole.",
        run=run,
    ),
)
