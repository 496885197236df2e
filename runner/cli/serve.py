"""`outreach serve`: run for good, with a receiver for webhooks."""

from __future__ import annotations

import asyncio
import os

import click

from runner.cli.options import holding_options, workspace_of
from runner.cli.running import RunOptions, apply_and_run, surroundings_of
from runner.cli.saying import say, say_in_log
from runner.errors import ExitCode, UsageWrong
from runner.rules.scrub import SECRETS
from runner.schedule.clock import SystemClock
from runner.web.health import is_loopback
from runner.wiring.telemetry import TOKEN_VARIABLE, Post
from runner.wiring.workspace import Workspace

_LAST_PORT = 65_535


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="The port to listen on.")
@click.option("--expose", is_flag=True, help="Allow an address that other machines can reach.")
@click.option("--sandbox", metavar="URL", help="Place into the sandbox at URL.")
@click.option(
    "--metrics", metavar="[HOST:]PORT",
    help="Where /metrics, /healthz and /readyz answer, or `off`; 127.0.0.1 and the port after --port otherwise.",
)  # fmt: skip
@holding_options
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int,
    sandbox: str | None,
    metrics: str | None,
    *,
    expose: bool,
    takeover: bool,
    trusts_clock: bool,
) -> int:
    """Place what is due as it becomes due, and receive webhooks at /webhooks/ACCOUNT.

    New revisions that `outreach apply` writes are taken up within seconds; `outreach run PATH`,
    `call` and `text` leave the placing to it and watch. Webhooks of an account
    without `webhook_secret` are hints: the provider is asked before anything is settled. Ends on
    SIGINT or SIGTERM, after what is being sent is finished. Metrics and health answer at an address of
    their own, never at that of the webhooks.
    """
    if not expose and not is_loopback(host):
        raise UsageWrong(
            f"`{host}` can be reached by other machines", help="put a proxy with TLS before it, or add --expose"
        )
    workspace = workspace_of(ctx)
    options = RunOptions(
        sandbox=sandbox, until_done=False, listen=(host, port), takeover=takeover, trusts_clock=trusts_clock,
        post=_post(metrics, port, os.environ.get(TOKEN_VARIABLE, "")),
    )  # fmt: skip
    if (ctx.find_root().obj or {}).get("log_form") == "json":
        say_in_log()
    return asyncio.run(_serve(workspace, options))


async def _serve(workspace: Workspace, options: RunOptions) -> int:
    async with surroundings_of(workspace, options, SystemClock().now()) as surroundings:
        for name, account in surroundings.accounts.items():
            token = "/TOKEN" if account.webhook_secret and account.provider != "revring" else ""
            say(f"webhooks of {name}: {_address(options)}/webhooks/{name}{token}", "listening")
        ended = await apply_and_run(workspace, surroundings, options, lambda _pointed, _now: [])
    return ExitCode.OK if ended.code == ExitCode.STOPPED else ended.code


def _address(options: RunOptions) -> str:
    host, port = options.listen or ("127.0.0.1", 0)
    return f"http://{host}:{port}"


def _post(asked: str | None, port: int, token: str) -> Post | None:
    """Read where metrics and health are to be served; by themselves, on loopback beside the webhooks' port."""
    if token:
        SECRETS.add(token)
    if asked is None:
        return Post(host="127.0.0.1", port=port + 1 if 0 < port < _LAST_PORT else 0, token=token)
    if asked == "off":
        return None
    host, _, number = asked.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not number.isdecimal() or int(number) > _LAST_PORT:
        raise UsageWrong(f"`{asked}` is not an address", help="write: --metrics 9464, or --metrics 127.0.0.1:9464")
    if not token and not is_loopback(host):
        raise UsageWrong(
            f"`{host}` can be reached by other machines, and metrics are not for everybody",
            help=f"export {TOKEN_VARIABLE}=... and give it to Prometheus as bearer token",
        )
    return Post(host=host, port=int(number), token=token, is_asked_for=True)
