"""`outreach sandbox`: the emulator of the four providers as a server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import click

from runner.errors import ExitCode
from runner.sandbox.clock import WallClock
from runner.sandbox.server import serve_forever
from runner.sandbox.settings import PROVIDERS, RevoxSwitches, Settings
from runner.wiring.running import REAL_RING, REAL_TALK


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
def sandbox(
    *, port: int, host: str, seed: int, speed: float, api_key: tuple[str, ...], revox_generation: str, realistic: bool
) -> int:
    """Serve Revmo, RevRing, Revox and Movoice on this machine; nobody's phone ever rings.

    The faces are at /revmo, /revring, /revox and /movoice; GET /_sandbox/dials tells the truth about
    every call and text that was placed, POST /_sandbox/reset forgets it.
    """
    settings = Settings(
        seed=seed,
        api_keys=api_key,
        revox=RevoxSwitches(generation="D" if revox_generation == "D" else "A"),
    )
    if realistic:
        settings = replace(settings, ring_seconds=REAL_RING, talk_seconds=REAL_TALK, webhook_retry_scale=1.0)

    def announce(url: str) -> None:
        click.echo(f"sandbox at {url}   (faces: {', '.join(f'/{name}' for name in PROVIDERS)})")
        click.echo(f"point a run at it: outreach run campaigns --sandbox {url}")

    asyncio.run(serve_forever(settings, WallClock(speed), host, port, announce))
    return ExitCode.OK
