"""Campaign files in: bytes read once, everything wrong reported at once, places kept for later errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runner.errors import Diagnostic, FilesWrong, Span, UsageWrong
from runner.files.checks import Checkable, check_campaign
from runner.files.document import Document, read_document
from runner.files.faults import Fault, diagnostic_of, nearest, place
from runner.files.law_checks import check_law
from runner.files.nodes import KeyPath, Node, position_in
from runner.files.notify_checks import check_hooks
from runner.files.number_checks import check_countries
from runner.files.paths import read_bytes, refuse_link_out, resolve_inside
from runner.files.plan_limits import within_plans
from runner.files.provider_checks import check_providers
from runner.files.validation import Checked, check_model
from runner.files.variant_checks import check_variants
from runner.files.window_checks import check_windows
from runner.model.campaign import Campaign
from runner.model.limits import Limits
from runner.model.project import Defaults, Project
from runner.ports import Provider


class TemplateFault(Protocol):
    """What the check of templates and expressions finds; lines and columns from 1 in the template's own text."""

    @property
    def path(self) -> tuple[str | int, ...]:
        """The key path in the canonical campaign."""
        ...

    @property
    def template(self) -> str:
        """Empty for the text at the path itself, else the name of a file in the templates folder."""
        ...

    @property
    def line(self) -> int:
        """The line."""
        ...

    @property
    def column(self) -> int:
        """The column."""
        ...

    @property
    def length(self) -> int:
        """How many characters are wrong."""
        ...

    @property
    def code(self) -> str:
        """A stable code."""
        ...

    @property
    def message(self) -> str:
        """A plain sentence."""
        ...

    @property
    def help(self) -> str:
        """What to write instead."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCampaign:
    """A campaign that is right, and where its parts stand."""

    campaign: Campaign
    """canonical, the project's defaults filled in"""
    path: Path
    document: Document
    sha256: str
    """of the file's bytes"""

    @property
    def root(self) -> Node:
        """The file as nodes."""
        if self.document.root is None:
            message = "a loaded campaign has nodes"
            raise AssertionError(message)
        return self.document.root

    def locate(self, path: KeyPath) -> Span:
        """Give the place of a key path of the canonical campaign: its nearest part that stands in the file."""
        return place(self.root, Fault(path=path, code="", message=""))

    def diagnostic(self, code: str, message: str, help: str, path: KeyPath) -> Diagnostic:
        """Build the diagnostic for a key path of the canonical campaign."""
        return diagnostic_of(self.document, self.root, Fault(path=path, code=code, message=message, help=help))


def load_campaign(
    path: Path, *, project: Project, providers: Mapping[str, Provider], shown: str = "", root: Path | None = None
) -> LoadedCampaign:
    """Read a campaign file; `shown` is its path as errors name it, `path` itself when empty.

    With the project's `root`, files that the campaign names must lie inside of it. Raises
    FilesWrong with every diagnostic of the file in file order, NotFound when there is no such
    file. Reads no other file and needs neither network nor credentials.
    """
    if root is not None:
        refuse_link_out(path, root, shown or str(path))
    document = read_document(read_bytes(path), shown or str(path))
    diagnostics = list(document.problems)
    checked = check_model(Campaign, document.root) if document.root else None
    if checked is not None:
        faults = [*checked.faults, *_rule_faults(checked, project, providers)]
        if root is not None and checked.value is not None:
            faults += _path_faults(checked.value, path, root)
        diagnostics += [diagnostic_of(document, checked.root, fault) for fault in faults]
    if diagnostics or checked is None or checked.value is None:
        raise FilesWrong(in_file_order(diagnostics))
    filled = with_caps(with_defaults(checked.value, project.defaults), project)
    campaign = within_plans(filled, project).canonical()
    return LoadedCampaign(campaign=campaign, path=path, document=document, sha256=document.sha256)


def with_defaults(campaign: Campaign, defaults: Defaults) -> Campaign:
    """Fill the keys that a campaign does not set from the project's defaults; limits are filled one by one."""
    found = {key: getattr(defaults, key) for key in ("windows", "retry", "timezone", "locale", "on")}
    update = {key: value for key, value in found.items() if value is not None and key not in campaign.model_fields_set}
    if defaults.limits is not None:
        own = {key: getattr(campaign.limits, key) for key in campaign.limits.model_fields_set}
        given = {key: getattr(defaults.limits, key) for key in defaults.limits.model_fields_set}
        update["limits"] = Limits().model_copy(update={**given, **own})
    return campaign.model_copy(update=update)


def with_caps(campaign: Campaign, project: Project) -> Campaign:
    """Add what holds for every campaign: the project's caps after the campaign's own, the longer cool-down."""
    if not project.caps and project.cool_down is None:
        return campaign
    spans = [one for one in (campaign.cool_down, project.cool_down) if one is not None]
    others = tuple(one for one in project.caps if one not in campaign.caps)
    return campaign.model_copy(update={"caps": (*campaign.caps, *others), "cool_down": max(spans, default=None)})


def template_diagnostics(
    loaded: LoadedCampaign,
    problems: Iterable[TemplateFault],
    template_paths: Mapping[str, str],
    template_texts: Mapping[str, str] | None = None,
) -> list[Diagnostic]:
    """Give the diagnostics of template and expression problems, in file order, one for each place and cause.

    `template_paths` gives the path that a template file is shown under, `template_texts` its text
    for the line to show.
    """
    texts = template_texts or {}
    found = [
        _in_template_file(problem, template_paths, texts.get(problem.template, ""))
        if problem.template
        else _in_campaign(loaded, problem)
        for problem in problems
    ]
    return in_file_order({(one.file, one.span, one.message): one for one in found}.values())


def in_file_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by file and place, whole-file diagnostics first."""

    def place_of(one: Diagnostic) -> tuple[str, int, int]:
        return (one.file, one.span.line, one.span.column) if one.span else (one.file, 0, 0)

    return sorted(diagnostics, key=place_of)


def _rule_faults(checked: Checked[Campaign], project: Project, providers: Mapping[str, Provider]) -> list[Fault]:
    """Check rules over several keys on what could be read; leave out echoes of what was reported already."""
    if checked.value is None:
        return []
    written = checked.value
    filled = with_defaults(written, project.defaults)
    this = Checkable(written=written, canonical=filled.canonical(), project=project, providers=providers)
    found = [
        *check_campaign(this),
        *check_windows(this),
        *check_law(this),
        *check_countries(this),
        *check_providers(this),
        *check_variants(this),
        *check_hooks(written.on, project.notify, checked.root, ("on",)),
    ]
    return [fault for fault in found if not _is_echo(checked.root, fault, checked.left_out)]


def _path_faults(campaign: Campaign, path: Path, root: Path) -> list[Fault]:
    """Say which of the files that a campaign names lie outside of the project."""
    source = campaign.contacts
    named: list[tuple[KeyPath, str]] = [(("contacts", "suppress", at), name) for at, name in enumerate(source.suppress)]
    if source.file is not None:
        named.append((("contacts", "file"), source.file))
    faults = []
    for key, name in named:
        try:
            resolve_inside(path, name, root)
        except UsageWrong as error:
            faults.append(Fault(path=key, code="C28", message=error.message, help=error.help))
    return faults


def _is_echo(root: Node, fault: Fault, left_out: Sequence[KeyPath]) -> bool:
    _, path = nearest(root, fault.path)
    if fault.code == "C11":
        known = {key for key, _ in root.items()} - {one[0] for one in left_out if len(one) == 1}
        return not known or any(one[:1] in {("agent",), ("agents",)} for one in left_out)
    ways = [way for way in (path, fault.path) if way]
    return any(one[: len(way)] == way or way[: len(one)] == one for one in left_out for way in ways)


def _in_campaign(loaded: LoadedCampaign, problem: TemplateFault) -> Diagnostic:
    node, path = nearest(loaded.root, problem.path)
    span = place(loaded.root, Fault(path=problem.path, code="", message=""))
    if node.kind == "scalar" and node.value is not None:
        span = position_in(node, problem.line, problem.column, max(1, problem.length))
    return loaded.document.diagnostic(problem.code, problem.message, problem.help, span, path)


def _in_template_file(problem: TemplateFault, paths: Mapping[str, str], text: str) -> Diagnostic:
    lines = text.split("\n")
    return Diagnostic(
        code=problem.code,
        message=problem.message,
        help=problem.help,
        file=paths.get(problem.template, problem.template),
        span=Span(problem.line, problem.column, problem.line, problem.column + max(1, problem.length)),
        path=".".join(str(step) for step in problem.path),
        source=lines[problem.line - 1] if 1 <= problem.line <= len(lines) else "",
    )
