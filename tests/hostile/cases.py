"""Corpora as files: cases with what is expected of each, long texts written short, verdicts counted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_REPEATED = re.compile(r"⟦(?P<text>[^⟦⟧]*)×(?P<times>\d+)⟧")
_CHARACTER = re.compile(r"⟦U\+(?P<code>[0-9A-F]{4,6})⟧")
_HEAD = re.compile(r"^=== (?P<expected>.*?) \| (?P<what>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One hostile thing."""

    what: str
    """what it does, in a few words"""
    expected: str
    """what must become of it"""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one case."""

    what: str
    holds: bool
    said: str
    """the product's own words, or what is wrong"""
    cpu: float = 0.0
    """seconds of this process"""
    mib: float = 0.0
    """the largest that the process was, up to then"""


def cases(name: str) -> list[Case]:
    """Read a corpus: `=== expected | what it does`, and the text below.

    `⟦text×9⟧` stands for nine times the text, in which `§` is the number of the time, and `\\n` a new
    line; `⟦U+0000⟧` for a character that no file should hold.
    """
    whole = (FOLDER / name).read_text("utf-8")
    heads = list(_HEAD.finditer(whole))
    ends = [*(one.start() for one in heads[1:]), len(whole)]
    return [
        Case(what=head["what"], expected=head["expected"], text=unfolded(whole[head.end() + 1 : end].rstrip("\n")))
        for head, end in zip(heads, ends, strict=True)
    ]


def unfolded(text: str) -> str:
    """Give a text with what is written short written out."""
    while _REPEATED.search(text):
        text = _REPEATED.sub(lambda one: _times(one["text"].replace("\\n", "\n"), int(one["times"])), text)
    return _CHARACTER.sub(lambda one: chr(int(one["code"], 16)), text)


def _times(text: str, times: int) -> str:
    return "".join(text.replace("§", str(number)) for number in range(times)) if "§" in text else text * times


def largest_mib() -> float:
    """Give the most memory that this process ever held, in MiB."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def tell(verdicts: Sequence[Verdict]) -> None:
    """Hand verdicts to the process that started this one."""
    for one in verdicts:
        sys.stdout.write(json.dumps(asdict(one)) + "\n")


def told_by(module: str, seconds: float = 120) -> list[Verdict]:
    """Run a module as a process of its own and take in its verdicts; a process that dies is a verdict as well."""
    done = subprocess.run(
        [sys.executable, "-m", module], capture_output=True, text=True, timeout=seconds, check=False,
        cwd=FOLDER.parents[1],
    )  # fmt: skip
    found = [Verdict(**json.loads(line)) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        found.append(Verdict(what="the process itself", holds=False, said=done.stderr[-2000:]))
    return found
