"""Rules of variants and backups: one broken and one right campaign for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.model.project import Project
from tests.files.fakes import HEAD, wrong

AGENTS = (
    "agents:\n"
    "  a: {provider: movoice, id: x, account: main}\n"
    "  b: {provider: movoice, id: y, account: spare}\n"
    "  c: {provider: movoice, id: z, account: main}\n"
    "  d: revmo/t\n"
    "  e: {provider: revox, id: asst_1, options: {line: one}}\n"
)
START = HEAD + AGENTS
PROJECT = Project.model_validate({
    "accounts": {
        "main": {"provider": "movoice", "credential": "env:A"},
        "spare": {"provider": "movoice", "credential": "env:B"},
    }
})  # fmt: skip
STEPS = "steps:\n  - call: a\n"


@pytest.mark.parametrize(
    ("text", "code", "words", "help"),
    [
        (START + "steps:\n  - call: [a, bb]\n", "C15", "`bb` is not an agent", "did you mean `b`?"),
        (START + "steps:\n  - call: [a, a]\n", "C38", "`a` stands here twice", "remove one"),
        (START + "steps:\n  - {call: a, backups: b, name: x}\n  - call: [a, b, b]\n", "C38", "`b` stands here twice", "remove one"),
        (START + "steps:\n  - call: [a, c]\n", "C38", "`c` uses the account `main`, as `a` does", "another account"),
        (START + "steps:\n  - call: []\n", "C10", "names no agent", "call: agent-name"),
        (START + "steps:\n  - {call: [a, b], backups: c}\n", "C10", "so does `backups`", "keep one"),
        (START + "steps:\n  - {text: d, backups: a, message: Hello}\n", "C16", "sends no texts", "remove `a`"),
        (START + STEPS + "variants: {v: 0, w: 0}\n", "C38", "nobody gets one", "variants: {a: 1, b: 1}"),
        (START + "steps:\n  - {call: a, name: variant}\nvariants: {v: 1}\n", "C38", "person's variant", "another name"),
        (START + STEPS + "variants: {v: 1, w: {agent: bb}}\n", "C15", "`bb` is not an agent", "did you mean `b`?"),
        (START + "steps:\n  - {text: d, message: Hi}\nvariants: {w: {agent: a}}\n", "C38", "can do none of the steps", "that can"),
        (START + STEPS + "variants: {w: {options: {zzz: 1}}}\n", "C06", "zzz", ""),
        (START + STEPS + "variants: {w: {wait: 1}}\n", "C01", "wait", ""),
        (START + STEPS + "variants: {w: -1}\n", "C05", "`-1`", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once(tmp_path: Path, text: str, code: str, words: str, help: str) -> None:
    """One sentence at a place of the file, with what to write."""
    found = wrong(tmp_path, text, PROJECT)

    assert [one.code for one in found] == [code], [one.message for one in found]
    assert found[0].span is not None
    assert words in found[0].message
    assert help in found[0].help


@pytest.mark.parametrize(
    "text",
    [
        START + "steps:\n  - call: [a, b]\n",
        START + "steps:\n  - {call: a, backups: b, options: {skipQueue: true}}\n",
        START + "steps:\n  - {call: a, options: {skipQueue: true}, backups: [e]}\n",
        START + STEPS + "variants: {v: 2, w: 1}\n",
        START + STEPS + "variants: {v: 2, w: {agent: b, variables: {tone: warm}}}\n",
        START + "steps:\n  - {call: a, options: {skipQueue: true}}\nvariants: {v: {agent: e}}\n",
        START + "steps:\n  - {call: a, name: variant}\n",
    ],
)
def test_what_is_right_passes(tmp_path: Path, text: str) -> None:
    """Nothing is said of a campaign that is right; options of a step are for agents of its own provider."""
    assert wrong(tmp_path, text, PROJECT) == []
