"""The proof by hostile input: every corpus of tests/hostile against the product, each case refused or harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import starmap

from tests.hostile import webhooks
from tests.hostile.cases import Verdict, told_by
from tests.hostile.urls import corpus, refusal_of
from tests.proofs.proof import Figure, Proof, Share

PROMISED: Mapping[str, int] = {
    "templates": 60, "YAML files": 40, "paths": 40, "URLs": 40, "CSV rows": 60, "webhooks": 30,
}  # fmt: skip
"""how many cases each corpus has at least"""


def prove(share: Share) -> Figure:
    """Try every corpus."""
    corpora: dict[str, Callable[[], list[Verdict]]] = {
        "templates": lambda: told_by("tests.hostile.templates"),
        "YAML files": lambda: told_by("tests.hostile.yaml_files"),
        "paths": lambda: told_by("tests.hostile.paths"),
        "URLs": _urls,
        "CSV rows": lambda: told_by("tests.hostile.rows"),
        "webhooks": webhooks.verdicts,
    }
    found = {name: tried() for name, tried in corpora.items()}
    every = [one for verdicts in found.values() for one in verdicts]
    wrong = [f"{name}: {one.what}" for name, verdicts in found.items() for one in verdicts if not one.holds]
    wrong += [f"fewer than {least} {name}" for name, least in PROMISED.items() if len(_of(found[name])) < least]
    slowest = {name: max(one.cpu for one in found[name]) for name in ("templates", "YAML files")}
    said = (
        f"{', '.join(starmap(_part, found.items()))} refused or harmless as expected; at most"
        f" {slowest['templates'] * 1000:,.0f} ms of CPU for a template and {slowest['YAML files'] * 1000:,.0f} ms for a"
        f" YAML file, {max(one.mib for one in every):,.0f} MiB in any process, and the runner alive after each"
    )
    return Figure(said=said if not wrong else f"{said}; not so: {'; '.join(wrong)}", holds=not wrong)


def _of(verdicts: list[Verdict]) -> list[Verdict]:
    """Leave out what is tried after a corpus to see whether all is well."""
    return [one for one in verdicts if not one.what.endswith("afterwards")]


def _part(name: str, verdicts: list[Verdict]) -> str:
    verdicts = _of(verdicts)
    held = sum(one.holds for one in verdicts)
    return f"{held} {name}" if held == len(verdicts) else f"{held} of {len(verdicts)} {name}"


def _urls() -> list[Verdict]:
    refused = [(one, refusal_of(one)) for one in corpus()]
    return [
        Verdict(what=f"{one.url} {one.what}", holds=bool(said.by_sender), said=said.by_sender) for one, said in refused
    ]


PROOFS = (
    Proof(
        name="hostile",
        promise="Hostile templates, YAML files, paths, URLs, rows and webhooks are refused with a clear message or come"
        " out harmless, within bounded time and memory.",
        run=prove,
    ),
)
