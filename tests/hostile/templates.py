"""The corpus of templates, each in a campaign of its own: refused with file and line, or stopped while it is rendered."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path

from tests.hostile.cases import FOLDER, Case, Verdict, cases, largest_mib, tell
from tests.hostile.projects import CAMPAIGN, faults, project, reasons

CPU, MIB = 2.0, 256.0
"""seconds and MiB that one template may take"""

_ROW = f"phone,name,long,digits\n+12025550143,{'a' * 50},{'a' * 8000},{'9' * 6000}\n"
_LINES = CAMPAIGN.replace("agent: movoice/agent_1", "agents: {a: {provider: revring, id: x, from: '+12025550100'}}")
_TREE = {f"templates/tree{n}": f"{{% include 'tree{n + 1}' %}}" * 2 for n in range(1, 40)} | {"templates/tree40": "x"}
_PLACE = re.compile(r"(campaigns/hostile\.yaml|templates/\S+):\d+:\d+")


def verdicts() -> list[Verdict]:
    """Try every template in this process, then an ordinary one."""
    found = [_tried(one) for one in cases("templates.txt")]
    ordinary = Case(what="an ordinary one, afterwards", expected="fine", text="Dear {{ contact.name | title }}")
    return [*found, _tried(ordinary)]


def _tried(case: Case) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        block = "\n".join(f"      {line}" for line in case.text.split("\n"))
        message = f"steps:\n- text: a\n  message: |\n{block}\n"
        project(root, _LINES + message, {"campaigns/people.csv": _ROW, **_TREE})
        shutil.copytree(FOLDER / "included", root / "templates", dirs_exist_ok=True)
        started = time.process_time()
        holds, said = _outcome(case, root)
        cpu = time.process_time() - started
    mib = largest_mib()
    return Verdict(what=case.what, holds=holds and cpu < CPU and mib < MIB, said=said, cpu=cpu, mib=mib)


def _outcome(case: Case, root: Path) -> tuple[bool, str]:
    """Say whether what became of a template is what is expected, and what the product said."""
    wrong = faults(root)
    if wrong:
        first = wrong[0]
        line = first.span.line if first.span is not None else 0
        said = f"{first.file}:{line}: {first.code} {first.message}"
        in_file = case.expected.startswith("file ")
        place = "templates/" if in_file else "campaigns/hostile.yaml"
        is_clear = place in first.file and line > 0 and 0 < len(first.message) < 300
        return is_clear and case.expected.split()[-1] == first.code, said
    (reason,) = reasons(root)
    if case.expected == "fine":
        return reason == "", reason
    return case.expected == "row" and _PLACE.search(reason) is not None, reason or "it was accepted"


if __name__ == "__main__":
    tell(verdicts())
