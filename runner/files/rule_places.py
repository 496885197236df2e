"""Find where the rules of a campaign stand: its own file, or the project's for what comes from there."""

from __future__ import annotations

from collections.abc import Iterator

from runner.files.campaign import LoadedCampaign
from runner.files.document import Document
from runner.files.faults import Fault, place
from runner.files.nodes import KeyPath, Node
from runner.model.project import Project
from runner.model.rule_places import RulePlaces

_DEEPEST = 5
_NO_RULES = frozenset({"inline", "variables", "options", "define", "message", "description"})
"""keys below which no rule stands"""
_DEFAULTS = ("windows", "retry", "timezone", "limits")


def rule_places(loaded: LoadedCampaign, shown: str, project: Project, document: Document | None) -> RulePlaces:
    """Give the place of every rule of a campaign that stands in a file.

    `shown` is the campaign's path as people write it; `document` is the project's `outreach.yaml`,
    None when there is none. Steps are called by their names, whether or not the file does.
    """
    found = _from_project(loaded, project, document) if document is not None and document.root is not None else {}
    shared_cool_down = found.get(("cool_down",))
    for path in _paths(loaded.root):
        where = _shown(shown, loaded.root, path)
        found.update(dict.fromkeys(_names(loaded, path), where))
    if shared_cool_down is not None:  # the longer one counts, and that is the project's
        found["cool_down",] = shared_cool_down
    return RulePlaces({".".join(str(part) for part in path): where for path, where in found.items()})


def _paths(node: Node, above: KeyPath = ()) -> Iterator[KeyPath]:
    if len(above) >= _DEEPEST:
        return
    keyed = node.items() if node.kind == "mapping" else enumerate(node.children)
    for key, child in keyed:
        if key in _NO_RULES:
            continue
        yield (*above, key)
        yield from _paths(child, (*above, key))


def _shown(file: str, root: Node, path: KeyPath) -> str:
    span = place(root, Fault(path=path, code="", message=""))
    return f"{file}:{span.line}:{span.column}"


def _names(loaded: LoadedCampaign, path: KeyPath) -> Iterator[KeyPath]:
    """Give what a path of the file is called in the canonical campaign; a rule of all steps is one of each."""
    first, rest, campaign = path[0], path[1:], loaded.campaign
    if first == "steps" and rest and isinstance(rest[0], int):
        if rest[0] < len(campaign.steps):
            yield ("steps", campaign.steps[rest[0]].label, *rest[1:])
        return
    if first == "agent":
        yield from [("agents", "agent", *rest), *([] if rest else [("agents",)])]
    yield path
    if first == "retry":
        steps = loaded.root.get("steps")
        for index, step in enumerate(campaign.steps):
            written = steps.step(index) if steps is not None else None
            if written is None or written.get("retry") is None:
                yield ("steps", step.label, *path)


def _from_project(loaded: LoadedCampaign, project: Project, document: Document) -> dict[KeyPath, str]:
    """Give the places of what `outreach.yaml` says for this campaign: limits, caps, and defaults that it does not set."""
    root = document.root
    if root is None:
        return {}
    found: dict[KeyPath, str] = {}
    for path in _paths(root):
        where = _shown(document.file, root, path)
        for name in _project_names(loaded, project, path):
            found.setdefault(name, where)
    return found


def _project_names(loaded: LoadedCampaign, project: Project, path: KeyPath) -> Iterator[KeyPath]:
    campaign = loaded.campaign
    match path:
        case ("accounts", *_):
            yield path
        case ("limits", *_):
            yield ("project", *path)
        case ("defaults", str() as key, *rest) if key in _DEFAULTS and loaded.root.get(key) is None:
            yield from _names(loaded, (key, *rest))
        case ("cool_down",) if campaign.cool_down == project.cool_down:
            yield path
        case ("caps",):
            yield from (("caps", index) for index, cap in enumerate(campaign.caps) if cap in project.caps)
        case ("caps", int() as index) if index < len(project.caps):
            cap = project.caps[index]
            yield from (("caps", at) for at, one in enumerate(campaign.caps) if one == cap)
        case _:
            return
