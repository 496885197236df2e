"""What `run`, `serve`, `call` and `text` share: an engine that runs with a progress display until it is done."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
from rich.live import Live

from runner.cli import agent_changes
from runner.cli.following import how_outcomes_come, paying
from runner.cli.output import console, is_masked
from runner.cli.saying import say
from runner.cli.watching import watched
from runner.errors import ExitCode, LedgerHeld
from runner.files.campaign import LoadedCampaign
from runner.ledger.standing import resume_after_faults
from runner.ledger.store import Store
from runner.model.overview import CampaignOverview
from runner.model.plan import PlanSummary
from runner.model.rounds import family_of
from runner.report.half_applied import half_applied
from runner.report.page import report_page
from runner.report.results import Totals, print_report, status_table
from runner.report.rounds_view import without_old_rounds
from runner.report.words import count_of
from runner.rules.pseudonyms import UNKEYED
from runner.wiring import applying
from runner.wiring.agents import ReviewedAgent, refuse_drift
from runner.wiring.applying import Applied
from runner.wiring.rounds import FileRounds
from runner.wiring.running import DialCheck, Engine, Surroundings, engine, other_sandbox, own_sandbox, real_surroundings
from runner.wiring.telemetry import Post, observed, observers
from runner.wiring.workspace import Workspace

_REFRESH_SECONDS = 0.25
_LINE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run."""

    sandbox: str | None = None
    """None: real providers; `here`: a sandbox in this process; else a sandbox's URL"""
    seed: int = 0
    windows_ignored: bool = False
    at: datetime | None = None
    """where the clock of an in-process sandbox starts"""
    until_done: bool = True
    only: frozenset[str] | None = None
    """place these campaigns alone, whatever else the ledger holds"""
    listen: tuple[str, int] | None = None
    shows_agents: bool = True
    """say on the way what becomes of agents that campaigns define"""
    takeover: bool = False
    """wait for the ledger while another runner has it, instead of giving up"""
    post: Post | None = None
    """where metrics and health are served; None serves none"""
    trusts_clock: bool = False
    """believe the machine's clock although the ledger knows of later instants"""


def surroundings_of(
    workspace: Workspace, options: RunOptions, now: datetime
) -> AbstractAsyncContextManager[Surroundings]:
    """Choose what the engine runs in."""
    if options.sandbox is None:
        targets = workspace.loaded.project.notify
        return real_surroundings(workspace.accounts, workspace.credential, workspace.webhook_secret, targets)
    if options.sandbox == "here":
        return own_sandbox(workspace.accounts, seed=options.seed, start=options.at or now)
    return other_sandbox(workspace.accounts, options.sandbox.rstrip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    applied: Sequence[Applied]
    overview: Sequence[CampaignOverview]
    dials: DialCheck | None
    """what the sandbox placed; None with real providers"""


async def apply_and_run(
    workspace: Workspace,
    surroundings: Surroundings,
    options: RunOptions,
    plan: Callable[[Workspace, datetime], list[applying.Examined]],
    loaded: Sequence[LoadedCampaign] = (),
) -> Ended:
    """Apply what `plan` gives and run until done or stopped; the agents that `loaded` defines are made so first.

    Where `outreach serve` runs on the ledger, it places what is applied here, and is watched to its end.
    """
    workspace = workspace.pointed_at(surroundings.accounts)
    try:
        return await _placed_here(workspace, surroundings, options, plan, loaded)
    except LedgerHeld as held:
        if not held.serves or options.only is None or options.sandbox is not None:
            raise
    return await _left_to_serve(workspace, surroundings, options, plan, loaded)


def report(workspace: Workspace, ended: Ended, now: datetime) -> None:
    """Print the report of a run, write the page, and say where page and ledger lie."""
    applied, overview = ended.applied, ended.overview
    plain = [one for one in applied if not one.summary.rounds]
    totals = totals_of([one.summary for one in plain], [one.campaign for one in plain], overview)
    shown = [one for one in overview if not applied or family_of(one.campaign) in {done.campaign for done in applied}]
    print_report(console(), shown, totals, masked=is_masked())
    page = workspace.ledger_path.with_suffix(".report.html")
    page.write_text(report_page(shown, totals, now), encoding="utf-8")
    page.chmod(0o600)
    if ended.dials is not None and (ended.dials.dials or ended.dials.handed_dials):
        click.echo(_dials_line(ended.dials))
    click.echo(f"\nreport  {_relative(page)}\nledger  {_relative(workspace.ledger_path)}")


def _dials_line(check: DialCheck) -> str:
    """Say what the sandbox's own list of dials proves."""
    if check.twice:
        return f"the sandbox placed {check.twice:,} of {check.attempts:,} attempts too often"
    sentence = f"the sandbox placed {check.dials:,} calls and texts for {check.attempts:,} attempts: one each"
    if not check.handed_dials:
        return sentence
    people = f"{check.handed_people:,} {'person' if check.handed_people == 1 else 'people'}"
    own = f"{count_of(check.handed_dials, 'call')} of providers' own campaigns for {people}, as often as they told us"
    return f"{sentence}; and {own}" if check.dials else f"the sandbox placed {own}"


def totals_of(
    summaries: Sequence[PlanSummary], names: Sequence[str], overview: Sequence[CampaignOverview]
) -> Totals | None:
    """Account for every row of what was applied; None when nothing was."""
    if not summaries:
        return None
    stats = [one.row_stats for one in overview if one.campaign in set(names)]
    finished = sum(one[state] for one in stats for state in ("completed", "failed", "suppressed"))
    still_open = sum(one[state] for one in stats for state in ("pending", "calling", "retry"))
    return Totals(
        contacts=sum(one.contacts for one in summaries),
        finished=finished,
        held=sum(one["held"] for one in stats),
        still_open=still_open,
        skipped=sum(one.skipped for one in summaries),
        rejected=sum(one.rejected for one in summaries),
    )


async def _placed_here(
    workspace: Workspace,
    surroundings: Surroundings,
    options: RunOptions,
    plan: Callable[[Workspace, datetime], list[applying.Examined]],
    loaded: Sequence[LoadedCampaign],
) -> Ended:
    """Apply, and place it with an engine of our own; raise LedgerHeld when another process has one."""
    by = observers(surroundings.accounts, surroundings.clock, os.environ, measures=options.post is not None)
    surroundings = replace(surroundings, telemetry=by.telemetry)
    async with (
        engine(
            workspace.ledger_path,
            surroundings,
            windows_ignored=options.windows_ignored,
            listen=options.listen,
            only=options.only,
            starter=FileRounds(workspace=workspace, windows_ignored=options.windows_ignored),
            serves=not options.until_done,
            limits=workspace.loaded.project.limits,
            takeover=options.takeover,
            trusts_clock=options.trusts_clock,
        ) as running,
        observed(running, workspace.ledger_path, by, options.post) as post,
    ):
        if post:
            say(f"metrics: {post}/metrics")
        agents = await _reviewed(workspace, loaded, surroundings, options, running.clock.now())
        examined = plan(workspace, running.clock.now())
        applying.refuse_bad_rows(examined)
        applied = await _apply(workspace, examined, agents, surroundings, options, running.clock.now())
        if options.windows_ignored:
            await running.pull_forward()
            await running.begin_rounds()
        if not running.receiver_url:
            await _say_how_outcomes_come(running, options.only)
        stopped = await _run(running, options)
        overview = [
            one for one in await running.overview() if options.only is None or family_of(one.campaign) in options.only
        ]
        dials = await running.check_dials() if running.sandbox_url else None
        _say_what_was_withheld(await running.withhold_notifications() if running.sandbox_url else {})
    return _ended(workspace, applied, overview, dials, stopped=stopped)


async def _left_to_serve(
    workspace: Workspace,
    surroundings: Surroundings,
    options: RunOptions,
    plan: Callable[[Workspace, datetime], list[applying.Examined]],
    loaded: Sequence[LoadedCampaign],
) -> Ended:
    """Apply, let the process that serves the ledger place it, and watch until it has."""
    now = surroundings.clock.now()
    agents = await _reviewed(workspace, loaded, surroundings, options, now)
    examined = plan(workspace, now)
    applying.refuse_bad_rows(examined)
    applied = await _apply(workspace, examined, agents, surroundings, options, now)
    say("outreach serve runs on this ledger and places it; Ctrl-C ends the watching, not the placing")
    overview = await watched(workspace.ledger_path, options.only or frozenset(), surroundings.clock)
    return _ended(workspace, applied, overview, None, stopped=False)


def _ended(
    workspace: Workspace,
    applied: Sequence[Applied],
    overview: Sequence[CampaignOverview],
    dials: DialCheck | None,
    *,
    stopped: bool,
) -> Ended:
    """Sum up, and name what waits for a person."""
    # How rounds of weeks ago ended is no news of this run.
    overview, _ = without_old_rounds(overview)
    _say_what_is_paused(overview, stopped=stopped)
    for line in half_applied(overview, applying.way_to_apply(workspace)):
        say(line)
    for one in overview:
        if one.row_stats["held"]:
            say(f"{one.campaign}: {one.row_stats['held']:,} held: outreach resolve {one.campaign} says where to look")
    return Ended(code=_exit_code(overview, stopped=stopped), applied=applied, overview=overview, dials=dials)


async def _say_how_outcomes_come(running: Engine, only: frozenset[str] | None) -> None:
    names = await running.journal.run(lambda ledger: paying(ledger.campaigns_in_force(), only))
    for sentence in how_outcomes_come(names, running.accounts):
        say(sentence)


async def _reviewed(
    workspace: Workspace,
    loaded: Sequence[LoadedCampaign],
    surroundings: Surroundings,
    options: RunOptions,
    now: datetime,
) -> list[ReviewedAgent]:
    """Look at the agents that campaigns define, say what becomes of them, and refuse to overwrite foreign changes."""
    agents = await agent_changes.live(workspace, loaded, surroundings.credential, now)
    if options.shows_agents:
        agent_changes.show([one.change for one in agents if one.change.writes], online=True)
    # A sandbox forgets its agents when it ends, and nobody relies on them.
    refuse_drift(agents, accept=bool(surroundings.sandbox_url))
    return agents


async def _apply(
    workspace: Workspace,
    examined: Sequence[applying.Examined],
    agents: Sequence[ReviewedAgent],
    surroundings: Surroundings,
    options: RunOptions,
    now: datetime,
) -> list[Applied]:
    store = Store.open(workspace.ledger_path)
    try:
        store.belong_to("sandbox" if surroundings.sandbox_url else "real")
        await agent_changes.make_so(agents, store, surroundings.credential, now)
        examined = agent_changes.with_their_ids(workspace, examined, agents)
        with surroundings.telemetry.span("apply", campaigns=len(examined)):
            # The time of a sandbox may fly while the plan is written; rounds of that moment are to be had.
            clock = None if surroundings.sandbox_url else surroundings.clock.now
            applied = applying.apply_all(workspace, examined, store, clock)
        # Whoever runs again has mended the account, or will be told once more; a pause by hand only a person ends.
        resume_after_faults(store, now, options.only)
    finally:
        store.close()
    return applied


async def _run(running: Engine, options: RunOptions) -> bool:
    """Run until done or told to stop; whether it was told."""
    with _signals(running) as told:
        async with _progress(running):
            await running.run(until_done=options.until_done)
    return told.is_set()


@contextmanager
def _signals(running: Engine) -> Iterator[asyncio.Event]:
    """Let the first SIGINT or SIGTERM drain, and a second one end the process at once."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        if told.is_set():
            os._exit(ExitCode.STOPPED)
        told.set()
        running.dispatcher.stop()
        say("stopping: nothing new is started, what is being sent is finished")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield told
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _progress(running: Engine) -> AsyncIterator[None]:
    """Show where everything stands while the engine runs: live on a terminal, a line now and then elsewhere."""
    on_terminal = sys.stderr.isatty()
    live = Live(console=console(error=True), transient=True, auto_refresh=False) if on_terminal else None
    with live or nullcontext():
        task = asyncio.create_task(_show(running, live))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _show(running: Engine, live: Live | None) -> None:
    while True:
        await asyncio.sleep(_REFRESH_SECONDS if live else _LINE_SECONDS)
        overview = await running.overview()
        if live is not None:
            table = status_table(overview, live.console.width)
            table.title, table.title_justify = f"{running.clock.now():%a %d %b %H:%M:%S} UTC", "left"
            live.update(table, refresh=True)
        else:
            say(_progress_line(running, overview))


def _progress_line(running: Engine, overview: Sequence[CampaignOverview]) -> str:
    sums = {
        state: sum(one.row_stats[state] for one in overview)
        for state in ("total", "pending", "calling", "retry", "completed", "failed", "held")
    }
    counts = " · ".join(f"{state} {count:,}" for state, count in sums.items() if count or state == "total")
    return f"{running.clock.now():%a %d %b %H:%M} UTC  {counts}"


def _say_what_is_paused(overview: Sequence[CampaignOverview], *, stopped: bool) -> None:
    """Name the campaigns that were left where they are, and how each goes on."""
    paused = [one for one in overview if one.status == "paused"]
    if not paused or stopped:
        return
    said = "; ".join(f"{one.campaign} ({one.reason})" for one in paused)
    click.echo(f"paused, and left so: {UNKEYED.without_keys(said) if is_masked() else said}", err=True)
    click.echo(f"  = help: outreach resume {paused[0].campaign}", err=True)


def _exit_code(overview: Sequence[CampaignOverview], *, stopped: bool) -> int:
    if stopped:
        return ExitCode.STOPPED
    unfinished = any(
        one.row_stats["failed"] or one.row_stats["held"] or one.held_of_left or one.status in {"paused", "draft"}
        for one in overview
    )
    return ExitCode.UNFINISHED if unfinished else ExitCode.OK


def _say_what_was_withheld(counts: Mapping[str, int]) -> None:
    if counts:
        whom = ", ".join(f"{target} {count:,}" for target, count in counts.items())
        say(f"{count_of(sum(counts.values()), 'notification')} withheld, since this was the sandbox: {whom}")


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
