"""The entry point: which commands there are, what every one of them can be told, how errors are said."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import click

from runner import __version__
from runner.cli.output import print_error, print_error_record
from runner.cli.streams import crash_report, report_all_crashes, scrubbed_streams
from runner.errors import ExitCode, OutreachError
from runner.files.diagnostics import visible
from runner.rules.scrub import SECRETS
from runner.wiring import logs

COMMANDS = {
    "init": "Write a small working project into a new folder.",
    "validate": "Check campaign files, templates and contacts; needs no network and no keys.",
    "plan": "Show who would be contacted, when and with what; writes nothing.",
    "rules": "Say what the law asks for one number, and from which source.",
    "show": "Print a campaign in its one long form, defaults included.",
    "apply": "Write the plan into the ledger; nothing is placed yet.",
    "run": "Apply campaigns and place their calls and texts until everything has ended.",
    "serve": "Run for good: place what is due and receive webhooks.",
    "status": "Say where every campaign stands.",
    "why": "Say for one person what was done, why, and what comes next.",
    "export": "Write every attempt with all that came of it, as CSV or JSON.",
    "pause": "Place nothing more of a campaign until it is resumed.",
    "resume": "Go on with a campaign that is paused.",
    "cancel": "Call off everything of a campaign that was not sent, for good.",
    "suppress": "Keep the list of people who must not be contacted.",
    "resolve": "List what is held, and say what became of it.",
    "call": "Call one person, with everything a campaign gives.",
    "text": "Text one person, with everything a campaign gives.",
    "sandbox": "Serve the four providers' emulator for rehearsals.",
    "ledger": "Back the ledger up, put it back, and check that it is sound.",
    "purge": "Forget what was said to people, or everything of one person.",
    "doctor": "Check keys, clocks, ledger and webhooks by reading alone; it never dials.",
    "schema": "Print the JSON schema of campaign files.",
}
"""command -> what it does, in the order of a day's work; a command's code is only imported when it runs"""


class Commands(click.Group):
    """The commands, each in a module of its own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """Give the commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"runner.cli.{_module(cmd_name)}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; say which one was meant when there is none of that name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 only on the way to an error

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's signature
        """List the commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 files wrong, 2 wrong use, 3 changes (--exit-code), 4 not the reviewed plan, "
    "5 ended with failed or held contacts, 6 another runner holds the ledger, 7 the ledger cannot be written, "
    "8 the clock is wrong, 130 stopped. "
    'Shell completion: eval "$(_OUTREACH_COMPLETE=bash_source outreach)", or zsh_source, fish_source.',
)
@click.option(
    "--project", type=click.Path(file_okay=False, exists=True, path_type=Path), envvar="OUTREACH_PROJECT",
    help="The project's folder; the nearest one upwards from here otherwise.",
)  # fmt: skip
@click.option(
    "--ledger", metavar="URL", envvar="OUTREACH_LEDGER",
    help="The ledger, such as sqlite:///.outreach/ledger.db; what outreach.yaml says otherwise.",
)  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Say more on the way; the same as --log-level info.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]),
    help="How log lines are written to standard error: text on a terminal, json elsewhere.",
)  # fmt: skip
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]),
    help="From which level on log lines are written; warning otherwise. OUTREACH_LOG=json,info sets both.",
)  # fmt: skip
@click.option("--debug", is_flag=True, help="Print a traceback when something unexpected happens.")
@click.option("--show-pii", is_flag=True, help="Print people's numbers in full, also where nobody's terminal is.")
@click.version_option(__version__, prog_name="outreach")
@click.pass_context
def outreach(
    ctx: click.Context,
    project: Path | None,
    ledger: str | None,
    log_format: str | None,
    log_level: str | None,
    *,
    verbose: bool,
    debug: bool,
    show_pii: bool,
) -> None:
    """Terraform for AI phone calls and texts: campaigns as YAML, reviewed as a plan, placed at most once."""
    ctx.obj = {"project": project, "ledger": ledger, "debug": debug, "show_pii": show_pii}
    told = logs.chosen(os.environ.get(logs.VARIABLE, ""))
    level = log_level or ("info" if verbose else told.level)
    form = logs.set_up(logs.LogChoice(form=log_format or told.form, level=level), scrub=SECRETS.scrub)
    ctx.obj["log_form"] = form


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    report_all_crashes()
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command and give its exit code; every error is said in a sentence, and no secret is printed."""
    with scrubbed_streams():
        return _run(args)


def _run(args: list[str]) -> int:
    try:
        outcome = outreach.main(args, prog_name="outreach", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BaseException as error:  # noqa: BLE001 every end is said, and what is no Exception is raised again there
        if "--debug" in args and not isinstance(error, (OutreachError, click.ClickException, click.Abort)):
            click.echo(crash_report(error, with_words=sys.stderr.isatty()), err=True)
        return _say(error, as_json=_wants_json(args))
    return int(outcome) if isinstance(outcome, int) else ExitCode.OK


def _wants_json(args: list[str]) -> bool:
    """Whether a program reads standard output; told by the words themselves, since they may be what is wrong."""
    return "--format=json" in args or ("--format", "json") in pairwise(args)


def _say(error: BaseException, *, as_json: bool) -> int:
    """Say what ended a command, to people and, if one reads along, to a program; give the exit code."""
    if as_json:
        try:
            _say_to_program(error)
        except BrokenPipeError as gone:
            error = gone
    return _say_to_people(error)


def _say_to_program(error: BaseException) -> None:
    match error:
        case OutreachError():
            print_error_record(error, error.exit_code)
        case click.ClickException():
            print_error_record(OutreachError(error.format_message()), ExitCode.USAGE)
        case click.Abort() | BrokenPipeError():
            return
        case Exception():
            print_error_record(OutreachError(_unexpected(error)), ExitCode.WRONG)


def _say_to_people(error: BaseException) -> int:
    match error:
        case click.ClickException():
            error.show()
            return ExitCode.USAGE
        case click.Abort() | KeyboardInterrupt():
            click.echo("stopped", err=True)
            return ExitCode.STOPPED
        case OutreachError():
            print_error(error)
            return error.exit_code
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.OK
        case Exception():
            click.echo(f"error: {_unexpected(error)}", err=True)
            click.echo("  = help: run it again with --debug and report what it prints", err=True)
            return ExitCode.WRONG
    raise error


def _unexpected(error: Exception) -> str:
    """Name an unexpected error; its words, which may quote anybody, only on the operator's own terminal."""
    words = f": {visible(str(error))}" if sys.stderr.isatty() else ""
    return f"something unexpected happened: {type(error).__name__}{words}"


def _module(command: str) -> str:
    shared = {"call": "contact", "text": "contact", "pause": "control", "resume": "control", "cancel": "control"}
    return shared.get(command, command)
