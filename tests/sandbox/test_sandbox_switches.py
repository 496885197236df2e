"""The page about the sandbox lists every switch, as the code has it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from runner.sandbox import switches
from tests.cli.running import REPOSITORY


def told() -> Iterator[tuple[str, str, str]]:
    """Give each switch, its default and what is said of it, from the source."""
    for node in ast.parse(inspect.getsource(switches)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        made = getattr(switches, node.name)()
        for field, text in zip(node.body[1::2], node.body[2::2], strict=True):
            assert isinstance(field, ast.AnnAssign), "a switch says what it is for"
            assert isinstance(field.target, ast.Name)
            assert isinstance(text, ast.Expr)
            assert isinstance(text.value, ast.Constant)
            said = str(text.value.value).split("\n\n")[0].replace("``", "`").removesuffix(".")
            value = getattr(made, field.target.id)
            yield f"{node.name.removesuffix('Switches').lower()}.{field.target.id}", shown(value), said


def shown(value: object) -> str:
    """Write a value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def table() -> str:
    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {said} |" for name, default, said in told()]
    return "\n".join(["| switch | default | |", "|---|---|---|", *rows]) + "\n"


def test_the_page_lists_every_switch() -> None:
    assert table() in (REPOSITORY / "docs/sandbox.md").read_text("utf-8")
