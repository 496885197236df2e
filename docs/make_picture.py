"""Write docs/demo.svg, a picture of the real thing: `python docs/make_picture.py`.

Runs `outreach plan` and `outreach run --sandbox` over a copy of the samples, by the same code as the
commands, and records what they print.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from runner.cli import plan, running
from runner.cli.main import run

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "demo.svg"

CAMPAIGN = "campaigns/april-reminders.yaml"
COMMANDS = (
    (f"outreach plan {CAMPAIGN}", ["plan", CAMPAIGN, "--at", "2026-12-01T09:00:00Z"]),
    (
        f"outreach run {CAMPAIGN} --sandbox",
        ["run", CAMPAIGN, "--sandbox", "--seed", "7", "--at", "2026-12-01T09:00:00Z"],
    ),
)
"""what stands after the prompt, and the words that it is run with"""

WIDTH = 108
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def picture() -> str:
    """Give the picture: no font and nothing else is loaded from elsewhere."""
    console = recorded()
    return console.export_svg(
        title="outreach", theme=MONOKAI, code_format=_without_web_fonts(CONSOLE_SVG_FORMAT), unique_id="outreach"
    ).replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")


def recorded() -> Console:
    """Run the commands and give a console that holds what they printed."""
    console = Console(
        file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor", width=WIDTH,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    with _samples(), contextlib.redirect_stdout(_Recorder(console)), contextlib.redirect_stderr(io.StringIO()):  # noqa: SIM117 one line would be too long
        with patch.object(plan, "console", lambda: console), patch.object(running, "console", lambda **_: console):
            for shown, words in COMMANDS:
                console.print(Text.assemble(("$ ", "bold green"), (shown, "bold")))
                code = run(words)
                if code not in {0, 5}:
                    message = f"outreach {words[0]} ended with {code}"
                    raise RuntimeError(message)
    return console


class _Recorder(io.TextIOBase):
    """Standard output as a part of the console's record."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        """Take in what a command echoes."""
        if not isinstance(text, str):
            # click asks by trying whether a stream takes bytes
            raise TypeError(text)
        self._console.out(text, end="", highlight=False)
        return len(text)


@contextlib.contextmanager
def _samples() -> Iterator[None]:
    """Stand in a copy of the samples, so that no ledger is left behind."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("campaigns", "templates"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _without_web_fonts(format: str) -> str:
    return re.sub(r"@font-face \{\{.*?\}\}\s*", "", format, flags=re.DOTALL)


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
