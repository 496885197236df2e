"""`outreach sandbox`: the emulator of the four providers as a server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from runner.errors import ExitCode, UsageWrong
from runner.sandbox.clock import WallClock
from runner.sandbox.fault_plans import FaultPlan, read_plan_file
from runner.sandbox.options import read_mischief, read_shares, with_switches
from runner.sandbox.server import serve_forever
from runner.sandbox.settings import PROVIDERS, RevoxSwitches, Settings
from runner.wiring.running import REAL_RING, REAL_TALK

_REAL_ANALYSIS = 5.0
"""seconds that Revox takes over an answered call"""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--seed", type=int, default=0, show_default=True, help="What people do: the same seed, the same people.")
@click.option(
    "--speed", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="How fast its clock runs."
)
@click.option("--api-key", multiple=True, metavar="KEY", help="Accept only these keys; any key otherwise.")
@click.option(
    "--revox-generation", type=click.Choice(["A", "D"]), default="A", show_default=True,
    help="A dials when a campaign is created, D when it is launched.",
)  # fmt: skip
@click.option("--realistic", is_flag=True, help="Let people ring and talk as long as real ones do.")
@click.option(
    "--faults", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Let go wrong what a YAML file lists.",
)  # fmt: skip
@click.option(
    "--fault", multiple=True, metavar="KIND=SHARE",
    help="Let this go wrong with a share of the requests, dealt out by the seed: drop_after=0.05.",
)  # fmt: skip
@click.option(
    "--webhook-fault", multiple=True, metavar="KIND=SHARE",
    help="Let webhooks be duplicated, reordered, late, lost or early: lost=0.1.",
)  # fmt: skip
@click.option("--switch", multiple=True, metavar="PROVIDER.NAME=VALUE", help="Correct an assumption: revmo.slash=301.")
def sandbox(
    *,
    port: int,
    host: str,
    seed: int,
    speed: float,
    api_key: tuple[str, ...],
    revox_generation: str,
    realistic: bool,
    faults: Path | None,
    fault: tuple[str, ...],
    webhook_fault: tuple[str, ...],
    switch: tuple[str, ...],
) -> int:
    """Serve Revmo, RevRing, Revox and Movoice on this machine; nobody's phone ever rings.

    The faces are at /revmo, /revring, /revox and /movoice; GET /_sandbox/dials tells the truth about
    every call and text that was placed, POST /_sandbox/reset forgets it.
    """
    plan = read_plan_file(faults) if faults else FaultPlan(faults=())
    if plan.seed is not None and fault:
        raise UsageWrong("a file of faults with a seed leaves no room for --fault", help="write them into the file")
    settings = Settings(
        seed=seed,
        api_keys=api_key,
        revox=RevoxSwitches(generation="D" if revox_generation == "D" else "A"),
        faults=(*plan.faults, *read_shares(fault)),
        faults_seed=plan.seed,
        mischief=read_mischief(webhook_fault),
    )
    if realistic:
        settings = replace(
            settings,
            ring_seconds=REAL_RING,
            talk_seconds=REAL_TALK,
            webhook_retry_scale=1.0,
            revox=replace(settings.revox, post_processing_seconds=_REAL_ANALYSIS),
        )
    settings = with_switches(settings, switch)

    def announce(url: str) -> None:
        click.echo(f"sandbox at {url}   (faces: {', '.join(f'/{name}' for name in PROVIDERS)})")
        click.echo(f"point a run at it: outreach run campaigns --sandbox {url}")

    asyncio.run(serve_forever(settings, WallClock(speed), host, port, announce))
    return ExitCode.OK
