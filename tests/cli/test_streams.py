"""What reaches standard output and error: no secret, no control characters of strangers, no values in tracebacks."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import unicodedata
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli import main
from runner.cli.output import console, print_error
from runner.cli.streams import crash_report, report_crash, scrubbed_streams
from runner.errors import OutreachError
from runner.files.diagnostics import visible
from runner.rules.scrub import SECRETS
from runner.wiring.logs import JsonLines, TextLines
from tests.cli.running import Shell

KEY = "sk_canary_streams_0123456789"
_MARKS = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
foreign = st.text(st.one_of(st.characters(max_codepoint=0x9F), st.sampled_from(_MARKS)), max_size=40)


@pytest.fixture(autouse=True)
def _known() -> None:
    SECRETS.add(KEY)


def moves_nothing(text: str) -> bool:
    return not any(
        unicodedata.category(char) in {"Cc", "Zl", "Zp"} or char in _MARKS for char in text.replace("\n", "")
    )


def test_every_way_to_print_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with scrubbed_streams():
        print(f"a {KEY}")  # noqa: T201 what libraries do
        click.echo(f"b {KEY}")
        click.echo(f"c {KEY}", err=True)
        console().print(f"d {KEY}")
        sys.stdout.writelines([f"e {KEY}\n"])
        print_error(OutreachError(f"f {KEY}", help=KEY))
        logging.StreamHandler(sys.stderr).emit(logging.makeLogRecord({"msg": f"g {KEY}", "levelno": 40}))

    assert out.getvalue().split() == ["a", "***", "b", "***", "d", "***", "e", "***"]
    assert KEY not in err.getvalue()
    assert err.getvalue().count("***") == 4


@given(foreign)
def test_no_text_of_strangers_moves_the_terminal(text: str) -> None:
    """Errors, logs in both forms and crash reports, with every character that moves, hides or reorders."""
    record = logging.makeLogRecord({"msg": "provider said %s", "args": (text,), "levelname": "WARNING"})
    try:
        raise OutreachError(text)  # noqa: TRY301 a traceback is wanted
    except OutreachError as error:
        report = crash_report(error, with_words=True)

    assert moves_nothing(visible(text).replace("\n", "\\n"))
    assert "\n" not in TextLines().format(record)
    assert moves_nothing(TextLines().format(record))
    assert JsonLines().format(record).isascii()
    assert moves_nothing(report)


@given(foreign)
def test_errors_are_one_line_that_moves_nothing(text: str) -> None:
    said = io.StringIO()
    before, sys.stderr = sys.stderr, said
    try:
        print_error(OutreachError(text or "x", help=text))
    finally:
        sys.stderr = before

    assert moves_nothing(said.getvalue())
    assert said.getvalue().count("\n") <= 2


def test_a_crash_names_code_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(person: str) -> None:
        raise ValueError(f"cannot read {person}")

    try:
        try:
            fail("Canary Person")
        except ValueError as first:
            raise RuntimeError(KEY) from first
    except RuntimeError as error:
        report_crash(type(error), error, error.__traceback__)

    printed = capsys.readouterr().err
    assert "ValueError\nwhich led to\n" in printed
    assert "tests/cli/test_streams.py:" in printed
    assert "fail" in printed
    assert "Canary" not in printed
    assert KEY not in printed


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_an_unexpected_error_quotes_nobody(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, debug: tuple[str, ...]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(f"Canary Person {KEY}")

    monkeypatch.setattr("runner.cli.status.workspace_of", fail)
    done = shell(*debug, "status", cwd=tmp_path)

    assert done.code == 1
    assert "something unexpected happened: ValueError\n" in done.err
    assert ("main.py" in done.err) is bool(debug)
    assert "Canary" not in done.out + done.err
    assert KEY not in done.out + done.err


def test_the_streams_are_given_back() -> None:
    before = sys.stdout, sys.stderr
    main.run(["--version"])
    assert (sys.stdout, sys.stderr) == before


def test_bytes_are_scrubbed_where_a_terminal_takes_no_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Click encodes by itself there, and writes below the text stream."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    with scrubbed_streams():
        click.echo(f"é {KEY}")
        click.echo(f"b {KEY}".encode())

    assert raw.getvalue().decode().split() == ["é", "***", "b", "***"]


_PERSON = "Canarina Featherstone +12025550177"
_THREAD = "t = threading.Thread(target=fail); t.start(); t.join()"
_OBJECT = "class Fails:\n    __del__ = fail\nFails()"
_TASK = "async def main():\n    asyncio.create_task(fails()); await asyncio.sleep(0); gc.collect()\nasyncio.run(main())"
_CALLBACK = "async def main():\n    asyncio.get_running_loop().call_soon(fail, PERSON); await asyncio.sleep(0.01)\nasyncio.run(main())"


@pytest.mark.parametrize("code", [_THREAD, _OBJECT, _TASK, _CALLBACK], ids=["thread", "object", "task", "callback"])
def test_what_fails_aside_is_said_without_its_words(code: str) -> None:
    begin = (
        f"import asyncio, gc, sys, threading\nfrom runner.cli.streams import report_all_crashes\n"
        f"from runner.wiring import logs\nreport_all_crashes()\nlogs.set_up(logs.LogChoice())\nPERSON = {_PERSON!r}\n"
        "def fail(*_):\n    raise ValueError(PERSON)\nasync def fails():\n    fail()\n"
    )
    done = subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=False, timeout=60)

    assert "ValueError" in done.stderr, "it is said what happened"
    assert "fail" in done.stderr, "and where"
    assert not [word for word in _PERSON.split() if word in done.stderr], done.stderr
