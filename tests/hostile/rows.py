"""The corpus of rows: refused as a row, sent to nobody, or sent as the text that it is, and text in every export."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import time
import unicodedata
from pathlib import Path

from runner.files.rejects import write_rejects
from runner.model.plan import PlanLine
from runner.report.export import for_spreadsheets
from runner.wiring.applying import examine
from runner.wiring.workspace import open_workspace
from tests.hostile.cases import Case, Verdict, cases, largest_mib, tell
from tests.hostile.projects import CAMPAIGN, NOON, project

CPU, MIB = 2.0, 256.0

RULES = CAMPAIGN.replace("agent: movoice/agent_1", "agents: {a: {provider: revring, id: x, from: '+12025550100'}}") + (
    "variables:\n  name: '{{ contact.name }}'\n  note: '{{ contact.note | default(\"none\") }}'\n  secret: TOP-SECRET\n"
    "steps:\n- call: a\n"
)
HEADER = "phone,name,note\n"
_MARK = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def verdicts() -> list[Verdict]:
    """Try every row in this process, each in a list of its own."""
    return [_tried(one) for one in cases("rows.txt")]


def reopened(cells: list[str]) -> list[str]:
    """Give cells as a CSV reader finds them in an export."""
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow([for_spreadsheets(one) for one in cells])
    (row,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    return row


def is_text(cell: str) -> bool:
    """Whether a spreadsheet takes a cell for text, and a terminal obeys nothing in it."""
    seen = all(unicodedata.category(one) not in {"Cc", "Cs"} or one in "\t\n" for one in cell)
    return seen and not _FORMULA.match(cell.lstrip("\u200b\ufeff"))


def _tried(case: Case) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        project(root, RULES, {"campaigns/people.csv": f"{HEADER}{case.text}\n+12025550199,Last,fine\n"})
        started = time.process_time()
        holds, said = _outcome(case, root)
        cpu = time.process_time() - started
    mib = largest_mib()
    return Verdict(what=case.what, holds=holds and cpu < CPU and mib < MIB, said=said, cpu=cpu, mib=mib)


def _outcome(case: Case, root: Path) -> tuple[bool, str]:
    workspace = open_workspace(root)
    (loaded,) = workspace.load([])
    planned = workspace.plan(loaded, NOON)
    lines: list[PlanLine] = []
    examined = examine(planned, lines.append)
    last = [one for one in lines if one.phone == "+12025550199" and one.payload and not one.reason]
    if len(last) != 1:
        return False, "the row behind it is lost"
    mine = [one for one in lines if one.phone != "+12025550199"]
    bad = [one for one in examined.rejected if one.row <= case.text.count("\n") + 2 and not one.code.startswith("V")]
    kind, _, words = case.expected.partition(" ")
    if kind == "row":
        write_rejects(root / "rejects.csv", ("phone", "name", "note"), bad)
        said = "; ".join(f"{planned.shown_contacts}:{one.row}: {one.code} {one.reason}" for one in bad)
        is_short = all(len(one.reason) < 400 for one in bad)
        return bool(bad) and bad[0].code == words and is_short and not any(one.payload for one in mine), said
    if bad or len(mine) != 1:
        return False, "; ".join(one.reason for one in bad) or f"{len(mine)} lines"
    (line,) = mine
    if kind == "unsent":
        return words in line.reason and not line.payload, line.reason or "it is sent"
    cells = next(csv.reader(io.StringIO(case.text, newline="")))
    exported = all(is_text(one) for one in reopened([*cells, line.phone]))
    words_sent = json.dumps(line.payload, ensure_ascii=False)
    return bool(line.payload) and exported and not line.reason and _sound(line), line.reason or words_sent[:300]


def _sound(line: PlanLine) -> bool:
    """Whether the variables that are sent carry no marks and no controls, and only the values' own places."""
    variables = (line.payload or {}).get("variables")
    if not isinstance(variables, dict) or set(variables) != {"name", "note", "secret"}:
        return False
    texts = [str(one) for one in variables.values()]
    return all(not _MARK.search(one) and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", one) for one in texts)


if __name__ == "__main__":
    tell(verdicts())
