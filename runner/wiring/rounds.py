"""Make a round of a campaign that repeats: its files read anew, held against what was applied, planned and written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from runner import __version__
from runner.errors import LedgerError
from runner.files.campaign import LoadedCampaign
from runner.files.project import load_project
from runner.files.templates_folder import read_templates
from runner.ledger.revisions import campaign_rules
from runner.ledger.store import Store
from runner.model.rounds import Recurring, round_name
from runner.planning.digest import rules_digest
from runner.planning.summary import rules_changed
from runner.wiring.applying import apply, examine, refuse_bad_rows, way_to_apply
from runner.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRounds:
    """Starts rounds from the files of a project."""

    workspace: Workspace
    """pointed at the accounts that the engine runs over"""
    windows_ignored: bool = False

    def start(self, campaign: Recurring, at: datetime, now: datetime) -> str:
        """Write the round that was due at `at` into the ledger and give its name; one that stands there stays as it is.

        Raises FilesWrong when files are wrong or a bad row stops the campaign, LedgerError when its rules are
        no longer those that were applied.
        """
        name = round_name(campaign.name, at)
        store = Store.open(self.workspace.ledger_path)
        try:
            in_force = store.one("campaign_in_force", name=name)
            if in_force is not None and in_force["complete"]:
                return name
            workspace = self._read_anew()
            (loaded,) = workspace.load([workspace.root / campaign.file])
            _refuse_other_rules(store, campaign, loaded, workspace)
            examined = examine(workspace.plan_round(loaded, at, now, windows_ignored=self.windows_ignored))
            refuse_bad_rows([examined])
            apply(workspace, examined, store)
        finally:
            store.close()
        return name

    def _read_anew(self) -> Workspace:
        """Give the project as its files are now; the ledger and the accounts stay those that the engine runs over."""
        known = self.workspace
        fresh = load_project(known.root, shown="outreach.yaml")
        loaded = replace(fresh, ledger_url=known.loaded.ledger_url)
        return replace(known, loaded=loaded, templates=read_templates(loaded.templates_dir))


def _refuse_other_rules(store: Store, campaign: Recurring, loaded: LoadedCampaign, workspace: Workspace) -> None:
    """Let nothing go out that nobody reviewed: of a round only the people are new."""
    if loaded.campaign.campaign != campaign.name:
        raise LedgerError(f"{campaign.file} holds another campaign now, `{loaded.campaign.campaign}`")
    if rules_digest(loaded.campaign, workspace.templates) == campaign.digest:
        return
    changed = rules_changed(loaded.campaign, campaign_rules(store, campaign.name))
    if changed:
        names = ", ".join(f"`{one.partition(': ')[2]}`" for one in changed)
        raise LedgerError(f"{names} of {campaign.file} changed since it was applied", help=way_to_apply(workspace))
    if campaign.tool_version != __version__:
        raise LedgerError(
            f"outreach {campaign.tool_version} applied it, and this is {__version__}", help=way_to_apply(workspace)
        )
    raise LedgerError(f"templates of {campaign.name} changed since it was applied", help=way_to_apply(workspace))
