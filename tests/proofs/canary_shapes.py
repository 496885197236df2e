"""Rows that hold the canary's number in every shape that people, spreadsheets and programs give to numbers."""

from __future__ import annotations

from pathlib import Path

SHAPES = (
    "tel:2025550177", "12025550177x", "+12025550177x12", "2025550177ext3", "2025550177: call", "note:2025550177",
    "wa.me/12025550177", "202/555/0177", "-2025550177", "id_12025550177",
)  # fmt: skip
_CAMPAIGN = """\
campaign: shaped
purpose: transactional
agent: movoice/agent_12345
windows: daily 00:00-24:00
timezone: America/New_York
contacts: ../campaigns/contacts/{file}
variables:
{variables}
"""


def write_shapes(folder: Path, number: str, name: str) -> None:
    """Write `drafts/shapes.yaml` and `drafts/lines.yaml`, whose every row is bad for a cause of its own and so quoted.

    Each row of the first has one shape beside a cell that is missing; the one of the second, JSON, has the bare number.
    """
    columns = [f"s{at}" for at in range(len(SHAPES))]
    rows = [
        ",".join((f"+120255501{at + 10}", shape, *("" if one == f"s{at}" else "y" for one in columns), name))
        for at, shape in enumerate(SHAPES)
    ]
    table = [",".join(("phone", "other", *columns, "name")), *rows]
    line = f'{{"phone":{number.removeprefix("+")},"name":"{name}","note":""}}'
    _write(folder, "shapes.csv", table, columns)
    _write(folder, "lines.jsonl", [line], ["note"])


def _write(folder: Path, file: str, lines: list[str], columns: list[str]) -> None:
    (folder / "campaigns" / "contacts" / file).write_text("\n".join(lines) + "\n")
    variables = "\n".join(f'  {one}: "{{{{ contact.{one} }}}}"' for one in columns)
    draft = folder / "drafts" / f"{Path(file).stem}.yaml"
    draft.write_text(_CAMPAIGN.format(file=file, variables=variables))
