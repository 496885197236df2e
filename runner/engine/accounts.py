"""The accounts that attempts are sent through, each with its provider."""

from __future__ import annotations

from collections.abc import Mapping

from runner.errors import NotFound
from runner.model.project import Account
from runner.ports import Provider


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

    def can_follow(self, name: str) -> bool:
        """Whether an outcome can ever be learnt: the provider can be asked, or its webhooks can be trusted."""
        return self.provider(name).capabilities.poll or bool(self.account(name).webhook_secret)
