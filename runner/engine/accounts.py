"""The accounts that attempts are sent through, each with its provider."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from runner.errors import NotFound
from runner.model.project import POLL_LADDER, SETTLE_AFTER, Account
from runner.ports import LineCount, ManyPolls, NativeCampaigns, Provider


class Accounts:
    """Accounts and providers by account name."""

    def __init__(self, accounts: Mapping[str, Account], providers: Mapping[str, Provider]) -> None:
        self._accounts = dict(accounts)
        self._providers = dict(providers)

    def __contains__(self, name: object) -> bool:
        """Whether there is an account of that name."""
        return name in self._accounts

    def account(self, name: str) -> Account:
        """Give an account; raise NotFound when the project no longer has it."""
        try:
            return self._accounts[name]
        except KeyError:
            raise NotFound(f"account `{name}` is no longer in outreach.yaml") from None

    def provider(self, name: str) -> Provider:
        """Give the provider of an account."""
        self.account(name)
        return self._providers[name]

    def native(self, name: str) -> NativeCampaigns:
        """Give the campaigns of an account's provider; raise NotFound when the account or they are not there."""
        found = self.provider(name).native
        if found is None:
            raise NotFound(f"{self.account(name).provider} has no campaigns of its own")
        return found

    def many_polls(self, name: str) -> ManyPolls | None:
        """Give how an account's provider is asked about many at once; None where it is asked one by one."""
        found: ManyPolls | None = getattr(self._providers.get(name), "poll_many", None)
        return found

    def lines(self) -> dict[str, LineCount]:
        """Give how free lines are counted at the accounts that are to leave lines to others."""
        spared = [name for name, account in self._accounts.items() if account.spare_lines is not None]
        found = {name: getattr(self._providers[name], "lines", None) for name in spared}
        return {name: lines for name, lines in found.items() if lines is not None}

    def poll(self, name: str) -> tuple[timedelta, ...]:
        """Give when an account's outcomes are asked for; the usual times for one that the project no longer has."""
        return self._accounts[name].poll if name in self._accounts else POLL_LADDER

    def settle_after(self, name: str) -> timedelta:
        """Give how long a lost request is waited for; the usual time for an account that is no longer there."""
        return self._accounts[name].settle_after if name in self._accounts else SETTLE_AFTER

    def can_follow(self, name: str) -> bool:
        """Whether an outcome can ever be learnt: the provider can be asked, or its webhooks can be trusted."""
        return self.provider(name).capabilities.poll or bool(self.account(name).webhook_secret)
