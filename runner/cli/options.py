"""The options that several commands share, and what they are turned into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec

import click

from runner.errors import UsageWrong
from runner.rules.numbers import NumberRefused, read_number
from runner.wiring.workspace import Workspace, open_workspace

P = ParamSpec("P")

paths_argument = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")


class InstantType(click.ParamType[datetime]):
    """An instant with its offset, such as 2026-12-01T09:00:00Z."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read an instant; refuse one without an offset: nobody knows whose clock it is on."""
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is not an instant; write: 2026-12-01T09:00:00Z", param, ctx)
        if at.tzinfo is None:
            full = f"{value}T09:00:00" if len(value) <= len("2026-12-01") else value
            self.fail(f"`{value}` has no offset; write: {full}Z, or {full}-05:00", param, ctx)
        return at.astimezone(UTC)


at_option = click.option(
    "--at", type=InstantType(), help="Plan as of this instant, such as 2026-12-01T09:00:00Z; now otherwise."
)


def workspace_of(ctx: click.Context) -> Workspace:
    """Open the project that the command is run in."""
    found = ctx.find_root().obj or {}
    workspace = open_workspace(found.get("project") or Path.cwd())
    if not found.get("ledger"):
        return workspace
    return replace(workspace, loaded=replace(workspace.loaded, ledger_url=_ledger_url(found["ledger"])))


def _ledger_url(url: str) -> str:
    """Make the path of a URL given on the command line absolute, from where the user stands."""
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        raise UsageWrong(f"`{url}` is not a ledger", help="write: --ledger sqlite:///.outreach/ledger.db")
    return prefix + str(Path(url.removeprefix(prefix)).expanduser().absolute())


def as_number(text: str) -> str:
    """Give a number in the form that the ledger keeps; anything else, such as a contact's key, as it is."""
    try:
        return read_number(text, None).e164
    except NumberRefused:
        return text


def holding_options(command: Callable[P, int]) -> Callable[P, int]:
    """Let a command that runs be told how to take the ledger."""
    takeover = click.option(
        "--takeover", is_flag=True, help="Wait while another runner has the ledger, then take it over."
    )
    trusts_clock = click.option(
        "--trust-clock", "trusts_clock", is_flag=True,
        help="Run although the ledger knows of times later than now: the clock is right, and was wrong before.",
    )  # fmt: skip
    return takeover(trusts_clock(command))
