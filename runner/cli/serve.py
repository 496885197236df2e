"""`outreach serve`: run for good, with a receiver for webhooks."""

from __future__ import annotations

import asyncio
import ipaddress

import click

from runner.cli.options import holding_options, workspace_of
from runner.cli.running import RunOptions, apply_and_run, surroundings_of
from runner.errors import ExitCode, UsageWrong
from runner.schedule.clock import SystemClock
from runner.wiring.workspace import Workspace


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="The port to listen on.")
@click.option("--expose", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--sandbox", metavar="URL", help="Place into the sandbox at URL.")
@holding_options
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int,
    sandbox: str | None,
    *,
    expose: bool,
    takeover: bool,
    trusts_clock: bool,
) -> int:
    """Place what is due as it becomes due, and receive webhooks at /webhooks/ACCOUNT.

    New revisions that `outreach apply` writes are taken up within seconds; `outreach run PATH`,
    `call` and `text` leave the placing to it and watch. Webhooks of an account
    without `webhook_secret` are hints: the provider is asked before anything is settled. Ends on
    SIGINT or SIGTERM, after what is being sent is finished.
    """
    if not expose and not _is_loopback(host):
        raise UsageWrong(
            f"`{host}` can be reached by other machines", help="put a proxy with TLS before it, or add --expose"
        )
    workspace = workspace_of(ctx)
    options = RunOptions(
        sandbox=sandbox, until_done=False, listen=(host, port), takeover=takeover, trusts_clock=trusts_clock
    )  # fmt: skip
    return asyncio.run(_serve(workspace, options))


async def _serve(workspace: Workspace, options: RunOptions) -> int:
    async with surroundings_of(workspace, options, SystemClock().now()) as surroundings:
        for name, account in surroundings.accounts.items():
            token = "/TOKEN" if account.webhook_secret and account.provider != "revring" else ""
            click.echo(f"webhooks of {name}: {_address(options)}/webhooks/{name}{token}", err=True)
        ended = await apply_and_run(workspace, surroundings, options, lambda _pointed, _now: [])
    return ExitCode.OK if ended.code == ExitCode.STOPPED else ended.code


def _address(options: RunOptions) -> str:
    host, port = options.listen or ("127.0.0.1", 0)
    return f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
