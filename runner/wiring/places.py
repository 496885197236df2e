"""Where the rules of an open project's campaigns stand: for people who read, and for the ledger."""

from __future__ import annotations

from runner.files.campaign import LoadedCampaign
from runner.files.document import Document, read_document
from runner.files.paths import read_bytes
from runner.files.project import PROJECT_FILE
from runner.files.rule_places import rule_places
from runner.model.rule_places import RulePlaces
from runner.wiring.workspace import Workspace


def shown_places(workspace: Workspace, loaded: LoadedCampaign) -> RulePlaces:
    """Give the places of a campaign's rules with its path as the user wrote it."""
    return rule_places(loaded, loaded.document.file, workspace.loaded.project, _project_document(workspace))


def lasting_places(workspace: Workspace, loaded: LoadedCampaign) -> RulePlaces:
    """Give the places with paths from the project's folder; none for a file that is not kept in it."""
    path = loaded.path.resolve()
    if not path.is_relative_to(workspace.root):
        return RulePlaces()
    shown = path.relative_to(workspace.root).as_posix()
    return rule_places(loaded, shown, workspace.loaded.project, _project_document(workspace))


def _project_document(workspace: Workspace) -> Document | None:
    file = workspace.root / PROJECT_FILE
    return read_document(read_bytes(file), PROJECT_FILE) if file.exists() else None
