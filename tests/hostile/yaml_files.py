"""The corpus of YAML files: refused with line and column in under 100 ms, or read as the text that stands there."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong
from runner.files.campaign import load_campaign
from runner.files.document import read_document
from runner.model.project import Project
from runner.providers.registry import all_providers
from tests.hostile.cases import Case, Verdict, cases, largest_mib, tell

CPU, MIB = 0.1, 256.0
"""seconds and MiB that refusing one file may take"""

_LONGEST = 1_000
"""characters of everything that is said about one fault"""


def verdicts() -> list[Verdict]:
    """Try every file in this process, warm."""
    read_document(b"a: b\n", "warm.yaml")
    _faults(b"campaign: a\n")
    return [_tried(one) for one in cases("yaml.txt")]


def _tried(case: Case) -> Verdict:
    expected, encoding = _expected(case)
    data = case.text.encode(encoding)
    spent = []
    for _ in range(3):  # a busy machine adds to some of them
        started = time.process_time()
        faults = _faults(data)
        spent.append(time.process_time() - started)
        if spent[-1] < CPU:
            break
    holds, said = _outcome(expected, data, faults)
    mib, cpu = largest_mib(), min(spent)
    return Verdict(what=case.what, holds=holds and cpu < CPU and mib < MIB, said=said, cpu=cpu, mib=mib)


def _expected(case: Case) -> tuple[str, str]:
    front, _, last = case.expected.rpartition(" ")
    return (front, last) if front and last.startswith(("utf", "latin")) else (case.expected, "utf-8")


def _faults(data: bytes) -> list[Diagnostic]:
    """Give what is wrong with a file as a campaign."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hostile.yaml"
        file.write_bytes(data)
        try:
            load_campaign(file, project=Project(), providers=all_providers({}), shown="hostile.yaml")
        except FilesWrong as wrong:
            return list(wrong.diagnostics)
    return []


def _outcome(expected: str, data: bytes, faults: list[Diagnostic]) -> tuple[bool, str]:
    document = read_document(data, "hostile.yaml")
    if expected.startswith("text "):
        read = document.root.plain() if document.root is not None else None
        return not document.problems and read == json.loads(expected.removeprefix("text ")), str(read)
    if expected == "huge":
        read = document.root.plain() if document.root is not None else {}
        return isinstance(read, dict) and all(isinstance(one, str) for one in read.values()), "kept as text"
    nothing = Diagnostic(code="", message="it was accepted")
    first = next((one for one in faults if one.code == expected), faults[0] if faults else nothing)
    place = first.span is not None and first.span.line >= 1 and first.span.column >= 1
    is_short = len(first.message) + len(first.help) < _LONGEST
    where = f"{first.file}:{first.span.line}:{first.span.column}" if first.span else "nowhere"
    return first.code == expected and place and is_short, f"{where}: {first.code} {first.message}"


if __name__ == "__main__":
    tell(verdicts())
