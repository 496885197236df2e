"""The providers by name and generation; the only list of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.errors import NotFound
from runner.model.http_api import HttpApi
from runner.model.project import PROVIDER_NAMES, Account
from runner.ports import Provider
from runner.providers.declared import DeclaredProvider
from runner.providers.movoice import Movoice, MovoiceApp
from runner.providers.revmo import Revmo
from runner.providers.revox import Revox, RevoxD
from runner.providers.revring import Revring, RevringSeed


def registry_of(providers: Iterable[tuple[Provider, tuple[str, ...]]]) -> Mapping[tuple[str, str], Provider]:
    """Index providers by name and generation; raise ValueError when two claim the same place."""
    index: dict[tuple[str, str], Provider] = {}
    for provider, generations in providers:
        for generation in generations:
            if _look_up(index, provider.name, generation) is not None:
                message = f"{provider.name} `{generation}` is registered twice"
                raise ValueError(message)
            index[provider.name, generation] = provider
    return index


def _look_up(index: Mapping[tuple[str, str], Provider], name: str, generation: str) -> Provider | None:
    """Find a provider by name and generation, upper and lower case alike."""
    wanted = (name, generation.lower())
    return next((found for (own, spelt), found in index.items() if (own, spelt.lower()) == wanted), None)


KNOWN = registry_of(
    (
        (Revmo(), ("",)),
        (Revring(), ("", "current")),
        (RevringSeed(), ("seed",)),
        (Revox(), ("", "A")),
        (RevoxD(), ("D",)),
        (Movoice(), ("", "api")),
        (MovoiceApp(), ("app",)),
    )
)
"""every built-in provider; the generation with the empty name is what an account gets that names none"""


def provider_for(account: Account) -> Provider:
    """Give the provider of an account, in its generation or as declared; raise NotFound for one that is not known."""
    found = _look_up(KNOWN, account.provider, account.generation)
    if found is not None:
        return found.for_account(account) if isinstance(found, (Movoice, Revmo)) else found
    if account.api is not None and not account.generation:
        return DeclaredProvider(account.provider, account.api)
    if account.provider not in PROVIDER_NAMES and account.api is None:
        raise NotFound(f"`{account.provider}` is not a provider", help=f"one of: {', '.join(PROVIDER_NAMES)}")
    known = [generation for name, generation in KNOWN if name == account.provider and generation]
    help_line = f"one of: {', '.join(known)}" if known else "leave `generation` out: there is only one"
    raise NotFound(f"`{account.generation}` is not a generation of {account.provider}", help=help_line)


def all_providers(declared: Mapping[str, HttpApi] | None = None) -> dict[str, Provider]:
    """Give each provider in its default generation, by name; the declared ones after the built-in ones."""
    built_in: dict[str, Provider] = {name: one for (name, generation), one in KNOWN.items() if not generation}
    own = {name: DeclaredProvider(name, api) for name, api in (declared or {}).items() if name not in built_in}
    return {**built_in, **own}
