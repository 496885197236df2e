"""Apply plans: look at every row first, then write, and refuse when the files changed in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from runner import __version__
from runner.engine.rounds import NOT_STARTED
from runner.errors import FilesWrong, LedgerError, OutreachError, PlanChanged
from runner.files.rejects import write_rejects
from runner.files.row_faults import row_diagnostics
from runner.ledger.revisions import NewRevision, Recorded, complete, write
from runner.ledger.standing import cancel_by_hand
from runner.ledger.store import Store
from runner.model.agent_definition import NOT_APPLIED
from runner.model.contact import RejectedRow
from runner.model.fields import FilePart
from runner.model.plan import PlanLine, PlanStatus, PlanSummary
from runner.model.project import Account
from runner.model.rounds import family_of, is_round
from runner.wiring.operator import operator
from runner.wiring.places import lasting_places
from runner.wiring.planned import Planned
from runner.wiring.workspace import Workspace, git_commit, tzdata_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A plan whose every line was looked at."""

    planned: Planned
    summary: PlanSummary
    rejected: tuple[RejectedRow, ...]
    """every bad row, in the order of the file"""

    @property
    def stops(self) -> bool:
        """Whether bad rows keep this plan from being applied."""
        return bool(self.rejected) and not self.planned.skips_bad_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying one campaign's plan did."""

    campaign: str
    summary: PlanSummary
    recorded: Recorded
    reject_file: Path | None
    """where the bad rows were written; None when there are none"""


def examine(planned: Planned, see: Callable[[PlanLine], None] | None = None) -> Examined:
    """Go through a whole plan, letting `see` see each line."""
    lines, tally = planned.lines()
    unusable = []
    for line in lines:
        if line.rejected and line.contact_key:
            unusable.append(_bad_row(line))
        if see is not None:
            see(line)
    rejected = sorted([*planned.rejected, *unusable], key=lambda row: row.row)
    return Examined(planned=planned, summary=tally.summary(), rejected=tuple(rejected))


def _bad_row(line: PlanLine) -> RejectedRow:
    """Give the bad row behind a line: who it names was found, and the values that are said to them cannot be made."""
    if line.fault is None:
        return RejectedRow(row=line.row, column="", reason=line.reason, code="V02")
    fault = line.fault
    return RejectedRow(row=line.row, column=fault.column, reason=line.reason, code=fault.code, fault=fault)


def examined_again(workspace: Workspace, examined: Examined) -> Examined:
    """Plan and examine a campaign once more, as of the same instant: its agents have got their ids."""
    planned = examined.planned
    ignored = planned.draft.policy.windows_ignored
    return examine(workspace.plan(planned.loaded, planned.now, windows_ignored=ignored))


def refuse_bad_rows(examined: Sequence[Examined]) -> None:
    """Raise FilesWrong with every bad row of the campaigns that do not skip them."""
    problems = [
        problem
        for one in examined
        if one.stops
        for problem in row_diagnostics(one.rejected, one.planned.source, one.planned.shown_contacts)
    ]
    if problems:
        raise FilesWrong(problems)


def way_to_apply(workspace: Workspace) -> str:
    """Give the command that leads to an apply: a plan where one has to be reviewed, since it says what to paste."""
    return "outreach plan" if workspace.loaded.project.review == "required" else "outreach apply"


def apply(workspace: Workspace, examined: Examined, store: Store) -> Applied:
    """Write one examined plan into the ledger: `apply_all` of it alone."""
    (applied,) = apply_all(workspace, [examined], store)
    return applied


def apply_all(
    workspace: Workspace, examined: Sequence[Examined], store: Store, clock: Callable[[], datetime] | None = None
) -> list[Applied]:
    """Write examined plans into the ledger and put them in force together; one that is in force writes nothing.

    `clock` says when writing begins and when the plans come in force; without one, both are as of the plans' instants.
    Raises LedgerError, before anything is written, when an agent that a campaign defines has no id yet or
    the file of its bad rows cannot be written, and PlanChanged when a file changed, or is gone, since it was
    examined. Whatever raises, and wherever a crash comes: none of the plans is in force then, and campaigns
    that were begun place nothing until they are applied again. The error's message names them; what is no
    error of ours has a note that does.
    """
    for one in examined:
        _refuse_missing_agents(workspace, one.planned)
    places = [json.dumps(dict(lasting_places(workspace, one.planned.loaded).by_path)) for one in examined]
    reject_files = [_write_rejects(workspace, one) if one.rejected else None for one in examined]
    with _naming_those_at_rest(store, examined):
        written = [_write(workspace, one, store, clock() if clock else one.planned.now) for one in examined]
        with store.transaction():
            for each, where in zip(written, places, strict=True):
                _put_in_force(workspace, each, where, store, clock() if clock else each.planned.now)
    return [
        Applied(campaign=one.planned.name, summary=one.summary, recorded=each.recorded, reject_file=file)
        for one, each, file in zip(examined, written, reject_files, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A plan whose every line stands in the ledger, and which is not in force yet."""

    planned: Planned
    new: NewRevision
    recorded: Recorded


def _write(workspace: Workspace, examined: Examined, store: Store, at: datetime) -> _Written:
    planned = examined.planned
    new = NewRevision(
        campaign=planned.name,
        digest=examined.summary.digest,
        # A round is kept under its own name with the rules as the file has them.
        policy=planned.loaded.campaign.model_dump_json(exclude_none=True),
        accounts=json.dumps({route.account.name: _facts(route.account) for route in planned.draft.every_route()}),
        git_commit=git_commit(workspace.root),
        applied_by=operator(),
        applied_at=at,
        tool_version=__version__,
        tzdata=tzdata_version(),
        follows=planned.draft.known.revision,
        removes=examined.summary.counts.get(PlanStatus.REMOVE, 0) > 0,
    )
    lines, tally = planned.own_lines()
    try:
        recorded = write(store, new, lines, lambda: tally.summary().digest)
    except FilesWrong as wrong:
        # They were right when they were examined. What quotes rows may name people, and the sentence goes anywhere;
        # P10 speaks of the file alone.
        codes = {one.code for one in wrong.diagnostics if one.code != "P10"}
        quotes = any(one.quotes_contacts for one in wrong.diagnostics) or any(code.startswith("P") for code in codes)
        what = "" if quotes else f": {wrong.message}"
        message = f"the files of {planned.name} changed while they were applied{what}"
        raise PlanChanged(message, help="mend them, and apply again") from wrong
    return _Written(planned=planned, new=new, recorded=recorded)


def _put_in_force(workspace: Workspace, written: _Written, places: str, store: Store, at: datetime) -> None:
    planned, recorded = written.planned, written.recorded
    complete(store, written.new, recorded, at)
    if recorded.is_new:
        store.change("put_places", revision_id=recorded.revision, places=places)
    if is_round(planned.name):
        _follow_family(store, planned.name, at)
    if planned.rounds is None:
        if recorded.was_cancelled:
            store.rounds.forget(planned.name)
        return  # what a campaign that repeats no more made due, the runner accounts for, and forgets it then
    path = planned.loaded.path.resolve()
    file = path.relative_to(workspace.root) if path.is_relative_to(workspace.root) else path
    store.rounds.put(planned.name, str(file), anew=recorded.was_cancelled)
    _resume_rounds(store, planned)


@contextmanager
def _naming_those_at_rest(store: Store, examined: Sequence[Examined]) -> Iterator[None]:
    """Have whatever ends the writing say which campaigns place nothing now."""
    try:
        yield
    except BaseException as error:
        names = _at_rest(store, examined)
        if names and isinstance(error, OutreachError):
            error.message = f"{error.message}, so {_still(names)} applied again"
        elif names:
            error.add_note(f"{_still(names)} applied again")
        raise


def _at_rest(store: Store, examined: Sequence[Examined]) -> list[str]:
    """Give those campaigns that were begun and not written to their end; none when the ledger cannot be read."""
    names = [one.planned.name for one in examined]
    try:
        rows = [store.one("campaign_in_force", name=name) for name in names]
    except LedgerError:
        return []
    return [name for name, row in zip(names, rows, strict=True) if row is not None and not row["complete"]]


def _still(names: Sequence[str]) -> str:
    """Say that campaigns place nothing, up to the moment that the sentence goes on with."""
    *others, last = names
    return (
        f"{', '.join(others)} and {last} place nothing until they are"
        if others
        else f"{last} places nothing until it is"
    )


def _follow_family(store: Store, name: str, at: datetime) -> None:
    """Cancel or pause a round whose campaign was cancelled or paused while the round was written."""
    row = store.one("campaign_standing", name=family_of(name))
    if row is not None and row["state"] == "cancelled":
        cancel_by_hand(store, name, "", at)
    elif row is not None and row["state"] == "paused":
        store.pause(name, row["reason"], at)


def _resume_rounds(store: Store, planned: Planned) -> None:
    """End the pause of a campaign whose last round its files, or what was applied, did not let begin."""
    row = store.one("campaign_standing", name=planned.name)
    if row is not None and row["state"] == "paused" and row["reason"].startswith(NOT_STARTED):
        store.resume(planned.name, planned.now)


def _refuse_missing_agents(workspace: Workspace, planned: Planned) -> None:
    """Let no request into the ledger that names an agent which nobody has created."""
    missing = next((route.step.agent for route in planned.draft.every_route() if route.agent.id == NOT_APPLIED), None)
    if missing is not None:
        raise LedgerError(
            f"the agent `{missing}` of {planned.name} has not been created yet",
            help=f"apply creates it: {way_to_apply(workspace)}",
        )


def _write_rejects(workspace: Workspace, examined: Examined) -> Path:
    path = workspace.ledger_path.parent / f"{examined.planned.name}.reject.csv"
    try:
        write_rejects(path, workspace.columns(examined.planned.loaded), examined.rejected)
    except OSError as error:
        raise LedgerError(
            f"the bad rows of {examined.planned.name} cannot be written to `{path}`: {error.strerror or error}",
            help="see that this file can be written, then apply again; nothing was applied",
        ) from error
    return path


def _facts(account: Account) -> dict[str, Any]:
    """Give an account as JSON: references to credentials, never credentials."""
    facts = asdict(account)
    facts["poll"] = [span.total_seconds() for span in account.poll]
    facts["settle_after"] = account.settle_after / timedelta(seconds=1)
    for name in ("limits", "from_limits", "webhook_signature", "plan"):
        facts[name] = _plain(facts[name])
    del facts["api"]
    if account.api is not None:
        facts["api"] = account.api.model_dump(mode="json", exclude_unset=True)
    return facts


def _plain(value: Any) -> Any:
    """Give a part of a file as JSON holds it; anything else as it is."""
    return value.model_dump(mode="json", exclude_unset=True) if isinstance(value, FilePart) else value
