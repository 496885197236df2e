"""Every error of outreach-runner, as one tree, and what each proves.

OutreachError                     exit 1 unless a subclass says otherwise
├── FilesWrong                    the files are wrong: one or many diagnostics
├── UsageWrong                    exit 2: the command was used wrongly
├── PlanStale                     exit 4: the plan is not the one that was reviewed: nothing of it is in force
├── NotFound                      a campaign, person or ledger that the command named does not exist
├── CredentialMissing             an account's credential reference leads nowhere
├── AddressRefused                a URL or an address that nothing may be sent to: provably nothing was
├── LedgerError                   the ledger cannot be used
│   ├── LedgerHeld                exit 6: another runner holds it
│   ├── LeaseLost                 exit 6: another runner has taken it over; this one sends nothing more
│   ├── PlanChanged               what a plan was made from changed while it was applied: it places nothing
│   ├── LedgerTooNew              a newer version of the tool wrote it
│   ├── LedgerCopied              a copy or an older state: nothing may be sent until it is reconciled
│   └── LedgerUnwritable          exit 7: a write failed: nothing may be sent
│       ├── LedgerFull            the disk is full
│       └── LedgerBusy            another process keeps it locked
├── ClockWrong                    exit 8: the machine's clock cannot be right: nothing may be sent
├── MoveRefused                   a state change that the table of moves does not allow
├── WebhookRefused                a webhook that is forged, too large or unreadable
├── NotifyFailed                  a notification was not taken, so far as anybody can tell
└── SendError                     a request to a provider did not end in a receipt
    ├── NotSent                   provably never reached the provider: same attempt, later
    │   └── TooLate               it was not sent in time, and nobody was asked to
    ├── Rejected                  the provider said no, provably not dialled
    ├── Throttled                 the provider said not now, provably not dialled
    └── InDoubt                   may have been placed: never sent again blindly
        └── Ambiguous           several requests could be the one that was asked for
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the same for every command."""

    OK = 0
    """fine"""
    WRONG = 1
    """something is wrong in the files, or a check failed"""
    USAGE = 2
    """the command was used wrongly"""
    CHANGES = 3
    """there are changes (only with ``--exit-code``)"""
    STALE = 4
    """the plan is not the one that was reviewed"""
    UNFINISHED = 5
    """ended with failed or held contacts"""
    LEDGER_HELD = 6
    """another runner holds the ledger"""
    UNWRITABLE = 7
    """the ledger cannot be written: its disk is full, its folder is gone or read-only, another process keeps it locked"""
    CLOCK_WRONG = 8
    """the machine's clock cannot be right"""
    STOPPED = 130
    """stopped by a signal"""


class Severity(StrEnum):
    """How much a diagnostic matters."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file: lines and columns from 1, columns in characters, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One cause, its place, a plain sentence and a line to paste."""

    code: str
    """stable code such as ``C10``; the letter names the room (Y yaml, C campaign, V variables, P contacts)"""
    message: str
    """lower-case sentence, the offending value in backticks"""
    help: str = ""
    """what to write instead; may be empty"""
    file: str = ""
    """path as the user named it"""
    span: Span | None = None
    """where; None when the whole file is meant"""
    path: str = ""
    """the key path, such as ``steps.0.retry``"""
    source: str = ""
    """the line itself, secrets masked; empty when there is none"""
    severity: Severity = Severity.ERROR
    same: tuple[int, ...] = ()
    """other lines with the same cause"""
    quotes_contacts: bool = False
    """whether rows of contacts are quoted, in which people's numbers stand: off a terminal they are masked"""


class OutreachError(Exception):
    """Anything that outreach reports in a sentence instead of a traceback."""

    exit_code: ExitCode = ExitCode.WRONG

    def __init__(self, message: str, *, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class FilesWrong(OutreachError):
    """One or many files are wrong; carries every diagnostic, in file order."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0].message if self.diagnostics else "the files are wrong"
        super().__init__(first)


class UsageWrong(OutreachError):
    """The command was used wrongly."""

    exit_code = ExitCode.USAGE


class PlanStale(OutreachError):
    """The plan is not the one that was reviewed, so nothing of it is in force."""

    exit_code = ExitCode.STALE


class NotFound(OutreachError):
    """What the command named does not exist."""


class CredentialMissing(OutreachError):
    """A credential reference leads nowhere; carries the reference, never a value."""


class AddressRefused(OutreachError):
    """A URL or an address that nothing may be sent to, such as a private one; provably nothing was sent."""


class LedgerError(OutreachError):
    """The ledger cannot be used."""


class PlanChanged(LedgerError):
    """What a plan was made from changed while it was applied: what was begun places nothing until it is applied again."""


class LedgerHeld(LedgerError):
    """Another runner holds the ledger; with ``serves`` it is one that places everything, for good."""

    exit_code = ExitCode.LEDGER_HELD

    def __init__(self, message: str, *, help: str = "", serves: bool = False) -> None:
        super().__init__(message, help=help)
        self.serves = serves


class LeaseLost(LedgerError):
    """Another runner has taken the ledger over, so this one may write and send nothing more."""

    exit_code = ExitCode.LEDGER_HELD


class LedgerTooNew(LedgerError):
    """A newer version of the tool wrote this ledger."""


class LedgerCopied(LedgerError):
    """A copy, or an older state of the ledger: nothing may be sent from it until it is reconciled."""


class LedgerUnwritable(LedgerError):
    """A write failed, so no request may leave."""

    exit_code = ExitCode.UNWRITABLE


class LedgerFull(LedgerUnwritable):
    """There is no room for what was to be written."""


class LedgerBusy(LedgerUnwritable):
    """Another process keeps the ledger locked; nothing was written, and it may be tried again."""


class ClockWrong(OutreachError):
    """The machine's clock cannot be right, and windows are kept by it."""

    exit_code = ExitCode.CLOCK_WRONG


class MoveRefused(OutreachError):
    """A state change that the table of moves does not allow."""


class WebhookRefused(OutreachError):
    """A webhook that is forged, too large or unreadable."""

    def __init__(self, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


class NotifyFailed(OutreachError):
    """A notification was not taken, so far as anybody can tell; `retry_after` in seconds when the receiver said when.

    With ``is_final`` no other try can do better.
    """

    def __init__(
        self, message: str, *, help: str = "", retry_after: float | None = None, is_final: bool = False
    ) -> None:
        super().__init__(message, help=help)
        self.retry_after = retry_after
        self.is_final = is_final


class SendError(OutreachError):
    """A request to a provider did not end in a receipt."""


class NotSent(SendError):
    """The request provably never reached the provider."""


class TooLate(NotSent):
    """The request was kept back: too much time had passed since its intent, or the lease was not sure any more."""


class Rejected(SendError):
    """The provider said no; ``pause`` asks to stop the whole account (bad key, no money).

    ``outcome`` is the word of our vocabulary that the refusal stands for.
    """

    outcome: str = "failed"

    def __init__(self, message: str, *, pause: bool = False, help: str = "") -> None:
        super().__init__(message, help=help)
        self.pause = pause


class WrongGeneration(Rejected):
    """The answer to a new campaign shows another generation of the API than the account pins.

    The account is to pause. ``native_id`` is the campaign that was made all the same; with
    ``is_dialling`` its people are being called already, so that nobody of it may be planned again.
    """

    def __init__(self, message: str, *, help: str, native_id: str, is_dialling: bool) -> None:
        super().__init__(message, pause=True, help=help)
        self.native_id = native_id
        self.is_dialling = is_dialling


class Throttled(SendError):
    """The provider said not now; ``retry_after`` in seconds when it said when.

    ``is_busy`` when all lines are in use: that is no fault, however often it is said.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, is_busy: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_busy = is_busy


class InDoubt(SendError):
    """The request may have been placed and nothing proves it either way."""


class Ambiguous(InDoubt):
    """Several requests could be the one that was asked for."""
