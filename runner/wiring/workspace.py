"""A project opened: its files read and checked, its campaigns ready to be planned."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import reset_tzpath

from runner.errors import Diagnostic, FilesWrong, NotFound, Severity, UsageWrong
from runner.files.campaign import LoadedCampaign, load_campaign, template_diagnostics
from runner.files.contacts import columns_of
from runner.files.faults import nearest
from runner.files.law_table import law_table
from runner.files.nodes import position_in
from runner.files.paths import refuse_link_out
from runner.files.project import LoadedProject, find_campaigns, find_project, load_project, resolve_inside
from runner.files.templates_folder import read_templates
from runner.files.zone_columns import unread_zone_column, zone_column_line
from runner.ledger.agents import AgentRow, campaigns_with_agents, known_agents
from runner.ledger.revisions import known_campaign
from runner.ledger.sqlite import database_path
from runner.ledger.store import Store
from runner.model.agent_definition import NOT_APPLIED
from runner.model.campaign import Agent, Campaign, ContactSource, Step
from runner.model.channel import Channel
from runner.model.project import Account, resolve_account
from runner.model.rounds import round_name
from runner.planning.handover import options_of
from runner.planning.known import KnownCampaign
from runner.planning.plan import Draft
from runner.planning.rounds import rounds_summary
from runner.planning.routes import Route
from runner.planning.waiting import look_back_of
from runner.providers.credentials import resolve, resolve_secrets
from runner.providers.registry import all_providers, provider_for
from runner.rules.check import check_templates
from runner.rules.expressions import Expression
from runner.rules.faults import RenderFailed
from runner.rules.law import CampaignLaw
from runner.rules.placeholders import check_definitions, unused_variables
from runner.rules.policy import policy_of
from runner.rules.recurrence import recurrence_of
from runner.rules.render import Renderer
from runner.rules.variants import as_backup, varied
from runner.wiring.accounts import project_accounts
from runner.wiring.law_checks import consent_problems
from runner.wiring.native_checks import native_problems
from runner.wiring.planned import Planned
from runner.wiring.planned import shown_path as _shown

_GIT_RUNS_NOTHING = (
    "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit",
)  # fmt: skip
"""a repository is asked about, and none of the programs that it may name are run"""

KnownAgents = Mapping[tuple[str, str], AgentRow]
"""what the ledger holds of a campaign's agents, by account and name"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A project and what it was opened with."""

    loaded: LoadedProject
    templates: Mapping[str, str]
    accounts: Mapping[str, Account]
    environ: Mapping[str, str]

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.loaded.root

    @property
    def ledger_path(self) -> Path:
        """Where the ledger lies; raises FilesWrong for a place in the project that is a link out of it."""
        path = database_path(self.loaded.ledger_url)
        refuse_link_out(path, self.root, self.loaded.ledger_url)
        return path

    def credential(self, reference: str) -> str:
        """Resolve a credential reference; raise CredentialMissing."""
        return resolve(reference, self.environ, self.root)

    def webhook_secret(self, reference: str) -> str:
        """Resolve a reference to the secrets that prove webhooks, one blank between several; raise CredentialMissing."""
        return resolve_secrets(reference, self.environ, self.root)

    def pointed_at(self, accounts: Mapping[str, Account]) -> Workspace:
        """Give the same project with other accounts, such as a sandbox's."""
        return replace(self, accounts=accounts)

    def load(self, paths: Sequence[Path], *, need_contacts: bool = True) -> list[LoadedCampaign]:
        """Read and check campaign files, templates included; raise FilesWrong with all that is wrong in any of them.

        Without `need_contacts`, contacts that are not there are no fault, and columns are not checked.
        """
        loaded: list[LoadedCampaign] = []
        problems: list[Diagnostic] = []
        files = find_campaigns(paths or [self.root / "campaigns"])
        if not files:
            raise UsageWrong("there is no campaign file here", help="name one: outreach plan campaigns/april.yaml")
        for path in files:
            try:
                project = self.loaded.project
                one = load_campaign(
                    path,
                    project=project,
                    providers=all_providers(project.providers),
                    shown=_shown(path),
                    root=self.root,
                )
                problems += self._template_problems(one, need_contacts=need_contacts)
                problems += native_problems(one, self.agent_account)
                loaded.append(one)
            except FilesWrong as wrong:
                problems += wrong.diagnostics
        problems += _same_names(loaded)
        if problems:
            raise FilesWrong(problems)
        return loaded

    def plan(
        self,
        loaded: LoadedCampaign,
        now: datetime,
        *,
        windows_ignored: bool = False,
        known: KnownCampaign | None = None,
    ) -> Planned:
        """Ready a campaign for planning against what the ledger holds; one that repeats, its next round."""
        campaign = loaded.campaign
        draft = self._draft(loaded, campaign.campaign, now, known=known, windows_ignored=windows_ignored)
        planned = self._planned(loaded, draft, now)
        recurrence = recurrence_of(campaign)
        if recurrence is None:
            return planned
        rounds = rounds_summary(campaign, recurrence, now, in_force=draft.known.digest, sources=self.templates)
        at = rounds.next_at[0] if rounds.next_at else now
        people = KnownCampaign(suppressions=draft.known.suppressions, dealings=draft.known.dealings)
        preview = self._draft(
            loaded, round_name(campaign.campaign, at), now, known=known, windows_ignored=windows_ignored
        )
        return replace(planned, at=at, preview=replace(preview, known=people), rounds=rounds)

    def plan_round(
        self, loaded: LoadedCampaign, at: datetime, now: datetime, *, windows_ignored: bool = False
    ) -> Planned:
        """Ready the round of a campaign that was due at `at`: a campaign of its own, with the contacts of now."""
        name = round_name(loaded.campaign.campaign, at)
        draft = self._draft(loaded, name, now, known=None, windows_ignored=windows_ignored)
        return replace(self._planned(loaded, draft, now), at=at)

    def _planned(self, loaded: LoadedCampaign, draft: Draft, now: datetime) -> Planned:
        law = CampaignLaw(law_table(), loaded.campaign.compliance)
        return Planned(loaded, draft, self.templates, self._source(loaded), _inline_lines(loaded), now, law)

    def _draft(
        self, loaded: LoadedCampaign, name: str, now: datetime, *, known: KnownCampaign | None, windows_ignored: bool
    ) -> Draft:
        """Ready a campaign, or a round of it by that one's name, for planning."""
        campaign = loaded.campaign
        law = CampaignLaw(law_table(), campaign.compliance)
        policy = policy_of(campaign.model_copy(update={"campaign": name}), windows_ignored=windows_ignored, law=law)
        agents = {} if known is not None else self.known_agents(campaign.campaign)
        return Draft(
            policy=policy,
            routes=tuple(self._routes(campaign, campaign.steps, agents)),
            variants={
                one: tuple(self._routes(campaign, varied(campaign, one, self._server(campaign)), agents))
                for one in campaign.variants
            },
            renderer=Renderer(campaign, self.templates),
            where=Expression.compile(campaign.contacts.where) if campaign.contacts.where else None,
            known=known or self.known(name, now, look_back_of(policy)),
            place=lambda error: self._place(loaded, error),
        )

    def known(self, campaign: str, now: datetime, look_back: timedelta = timedelta(0)) -> KnownCampaign:
        """Read what the ledger holds of a campaign, and so far back what there was with people; writes nothing.

        Gives nothing when there is no ledger yet.
        """
        if not self.ledger_path.exists():
            return KnownCampaign()
        store = Store.open_read_only(self.ledger_path)
        try:
            with store.reading():
                return known_campaign(store, campaign, now, look_back)
        finally:
            store.close()

    def known_agents(self, campaign: str) -> dict[tuple[str, str], AgentRow]:
        """Read by account and name what the ledger holds of the agents that a campaign defines. Writes nothing."""
        if not self.ledger_path.exists():
            return {}
        store = Store.open_read_only(self.ledger_path)
        try:
            with store.reading():
                return known_agents(store, campaign)
        finally:
            store.close()

    def campaigns_with_agents(self) -> list[str]:
        """Name every campaign that the ledger holds agents of. Writes nothing."""
        if not self.ledger_path.exists():
            return []
        store = Store.open_read_only(self.ledger_path)
        try:
            return campaigns_with_agents(store)
        finally:
            store.close()

    def agent_account(self, agent: Agent) -> Account:
        """Give the account that an agent of a loaded campaign belongs to."""
        return self._account(agent.provider, agent.account)

    def warnings(self, loaded: LoadedCampaign) -> list[Diagnostic]:
        """Give what a campaign could do better: variables that no defined agent says, zones that nobody reads."""
        found = template_diagnostics(loaded, unused_variables(loaded.campaign, self.templates), {})
        found += self._zone_column(loaded)
        return [replace(one, severity=Severity.WARNING) for one in found]

    def columns(self, loaded: LoadedCampaign) -> tuple[str, ...]:
        """Give the columns of a campaign's contacts; raise FilesWrong when they cannot be read."""
        return columns_of(self._source(loaded), loaded.path.parent)

    def _zone_column(self, loaded: LoadedCampaign) -> list[Diagnostic]:
        source = loaded.campaign.contacts
        try:
            name = unread_zone_column(source, self.columns(loaded))
        except FilesWrong:  # contacts need not be there, or are told about elsewhere
            return []
        if not name:
            return []
        message = f"the column `{name}` is not read as the zone, so the number alone says when it is day there"
        if loaded.campaign.timezone != "contact":
            message = f"the column `{name}` is not read as the zone, so everybody is taken to be in {loaded.campaign.timezone}"
        return [loaded.diagnostic("P16", message, zone_column_line(source, name), ("contacts",))]

    def _place(self, loaded: LoadedCampaign, error: RenderFailed) -> str:
        """Say where a template failed: its line in the campaign, and the template file's own line if it stands in one."""
        node, _ = nearest(loaded.root, error.path)
        in_text = node.kind == "scalar" and node.value is not None and not error.template
        span = position_in(node, error.line, error.column, max(1, error.length)) if in_text else node.span
        campaign = f"{_shown(loaded.path)}:{span.line}:{span.column}"
        if not error.template:
            return campaign
        template = _shown(self.loaded.templates_dir / error.template)
        return f"{template}:{error.line}:{error.column}, used at {campaign}"

    def _template_problems(self, loaded: LoadedCampaign, *, need_contacts: bool) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        columns: frozenset[str] | None = None
        try:
            columns = frozenset(self.columns(loaded))
        except FilesWrong as wrong:
            found += [
                replace(one, file=_shown(Path(one.file or loaded.path))) for one in wrong.diagnostics if need_contacts
            ]
        found += consent_problems(loaded, columns)
        shown = {name: _shown(self.loaded.templates_dir / name) for name in self.templates}
        problems = [
            *check_templates(loaded.campaign, columns, self.templates),
            *check_definitions(loaded.campaign, self.templates),
        ]
        return found + template_diagnostics(loaded, problems, shown, self.templates)

    def _server(self, campaign: Campaign) -> Callable[[str, Channel], bool]:
        """Give what says whether an agent can call, or text."""

        def serves(agent: str, channel: Channel) -> bool:
            provider = provider_for(self.agent_account(campaign.agents[agent]))
            return channel in provider.capabilities.channels

        return serves

    def _routes(self, campaign: Campaign, steps: Sequence[Step], agents: KnownAgents) -> Iterator[Route]:
        """Give the routes of steps, each with those of its backups."""
        for index, step in enumerate(steps):
            backups = (as_backup(step, name, campaign.agents) for name in step.backups)
            taking_over = tuple(self._route(campaign, index, one, agents) for one in backups)
            yield replace(self._route(campaign, index, step, agents), backups=taking_over)

    def _route(self, campaign: Campaign, index: int, step: Step, agents: KnownAgents) -> Route:
        agent = campaign.agents[step.agent]
        account = self._account(agent.provider, agent.account)
        if not agent.id:
            row = agents.get((account.name, step.agent))
            agent = agent.model_copy(update={"id": (row.applied.provider_id if row else "") or NOT_APPLIED})
        provider = provider_for(account)
        options = options_of(provider.options_model(step.channel), agent, step)
        return Route(step=step, index=index, agent=agent, account=account, provider=provider, options=options)

    def _account(self, provider: str, name: str) -> Account:
        resolved = resolve_account(self.loaded.project, provider, name)
        if resolved is None:
            message = "a loaded campaign names accounts that exist"
            raise AssertionError(message)
        if resolved.name not in self.accounts:
            raise NotFound(
                f"the sandbox does not play `{provider}`, which outreach.yaml declares",
                help="look at its requests with: outreach plan --format json",
            )
        return self.accounts[resolved.name]

    def _source(self, loaded: LoadedCampaign) -> ContactSource:
        """Give the contact source with its files as absolute paths inside the project."""
        source, file = loaded.campaign.contacts, loaded.path
        update: dict[str, object] = {}
        if source.file:
            update["file"] = str(resolve_inside(file, source.file, self.root))
        if source.suppress:
            update["suppress"] = tuple(str(resolve_inside(file, name, self.root)) for name in source.suppress)
        return source.model_copy(update=update)


def open_workspace(start: Path, environ: Mapping[str, str] | None = None) -> Workspace:
    """Open the project that a folder belongs to; raise FilesWrong when its own file is wrong."""
    # The tzdata package alone says what a zone is, so that every machine gives the same plan.
    reset_tzpath(to=[])
    root = find_project(start)
    loaded = load_project(root, shown=_shown(root / "outreach.yaml"))
    return Workspace(
        loaded=loaded,
        templates=read_templates(loaded.templates_dir),
        accounts=project_accounts(loaded.project),
        environ=os.environ if environ is None else environ,
    )


def combined_digest(digests: Iterable[tuple[str, str]]) -> str:
    """Give one digest for several campaigns' plans; that of a single one is its own."""
    found = list(digests)
    if len(found) == 1:
        return found[0][1]
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(found))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def git_commit(root: Path) -> str:
    """Give the short commit of a project, `+` after it when files differ from it; empty outside git."""
    commit = _git(root, "rev-parse", "--short", "HEAD")
    if not commit:
        return ""
    return commit + (
        "+" if _git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all") else ""
    )


def tzdata_version() -> str:
    """Give the version of the zone data that windows are computed with."""
    from importlib.metadata import version  # noqa: PLC0415 costs time, and only headings need it

    return version("tzdata")


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 fixed words
            ["git", *_GIT_RUNS_NOTHING, "-C", str(root), *words],  # noqa: S607 the user's own git
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _same_names(loaded: Sequence[LoadedCampaign]) -> Iterator[Diagnostic]:
    """Two files must not be one campaign: the name is part of every attempt's key."""
    first: dict[str, LoadedCampaign] = {}
    for one in loaded:
        name = one.campaign.campaign
        if name in first:
            message = f"the campaign `{name}` stands in two files"
            yield one.diagnostic("C20", message, f"first in {_shown(first[name].path)}; rename one", ("campaign",))
        first.setdefault(name, one)


def _inline_lines(loaded: LoadedCampaign) -> tuple[int, ...]:
    people = loaded.campaign.contacts.inline or ()
    return tuple(loaded.locate(("contacts", "inline", index)).line for index in range(len(people)))
