"""Run proofs and write their figures down: `python -m tests.proofs [--small] [name ...]`.

Figures are kept in `docs/guarantees.json`, each with its machine, date and commit, and shown in
`docs/guarantees.md`. Proofs that are not named keep the figures that they have.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import tests.proofs
from tests.proofs.proof import Proof, Share

_ROOT = Path(__file__).resolve().parents[2]
FIGURES, PAGE = _ROOT / "docs" / "guarantees.json", _ROOT / "docs" / "guarantees.md"
_INTRODUCTION = """\
# Guarantees

What is promised, and the figures of the last time that it was proved. `make prove` runs all of it, for hours;
one proof alone is run by the command beside it. `make test` runs a small share of each on every change.

"""


def proofs() -> dict[str, Proof]:
    """Give all proofs by name, in the order of their modules."""
    found: dict[str, Proof] = {}
    for module in sorted(iter_modules(tests.proofs.__path__), key=lambda one: one.name):
        if module.name not in {"__main__", "proof"} and not module.name.startswith("test_"):
            found |= {one.name: one for one in getattr(import_module(f"tests.proofs.{module.name}"), "PROOFS", ())}
    return found


def page(figures: dict[str, dict[str, Any]], known: dict[str, Proof]) -> str:
    """Write the page that shows the figures, one section for each proof that has been run."""
    sections = []
    for name, proof in known.items():
        one = figures.get(name)
        if one is None:
            continue
        verdict = "held" if one["holds"] else "**did not hold**"
        sections.append(
            f"## {name}\n\n{proof.promise}\n\n- {verdict}: {one['said']}\n"
            f"- `{command_of(name)}`, {one['seconds']:,} s\n- {one['date']}, commit {one['commit']}, {one['machine']}\n"
        )
    return _INTRODUCTION + "\n".join(sections)


def command_of(name: str) -> str:
    """Give the command that proves one promise."""
    return f"make prove ONLY={name}"


def main() -> int:
    """Run what is named, or everything; 1 when a promise did not hold."""
    known = proofs()
    parser = argparse.ArgumentParser(prog="python -m tests.proofs")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(known))
    parser.add_argument("--small", action="store_true", help="a small share, and write nothing down")
    told = parser.parse_args()
    unknown = [name for name in told.names if name not in known]
    if unknown:
        parser.error(f"`{unknown[0]}` is no proof; there are {', '.join(known)}")
    held = [_prove(known[name], known, small=told.small) for name in told.names or known]
    return 0 if all(held) else 1


def _prove(proof: Proof, known: dict[str, Proof], *, small: bool) -> bool:
    began, commit = time.monotonic(), _commit()
    figure = proof.run(Share.SMALL if small else Share.FULL)
    seconds = round(time.monotonic() - began)
    print(f"{'held' if figure.holds else 'DID NOT HOLD'}  {proof.name}: {figure.said} ({seconds} s)", flush=True)
    if not small:
        figures = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
        figures[proof.name] = {
            "said": figure.said, "holds": figure.holds, "seconds": seconds, "commit": commit,
            "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": _machine(),
        }  # fmt: skip
        FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", "utf-8")
        PAGE.write_text(page(figures, known), "utf-8")
    return figure.holds


def _commit() -> str:
    """Name what is proved: the commit, and whether more than the figures of other proofs was changed since."""
    own = [f":(exclude,top){one.relative_to(_ROOT).as_posix()}" for one in (FIGURES, PAGE)]
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", *own)
    return f"{_git('describe', '--always') or 'unknown'}{'-dirty' if changed else ''}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
