"""Checks where an `outreach.yaml` sends keys and people's data: https and public, or this machine where it says so."""

from __future__ import annotations

from collections.abc import Iterator

from runner.errors import AddressRefused
from runner.files.faults import Fault
from runner.model.project import Project
from runner.rules.addresses import place_of


def address_faults(project: Project) -> Iterator[Fault]:
    """Give what is wrong with the base URLs of accounts and of declared providers; resolves no name."""
    for name, entry in project.accounts.items():
        if entry.base_url:
            yield from _fault(("accounts", name, "base_url"), entry.base_url, allow_loopback=entry.allow_loopback)
    for name, api in project.providers.items():
        users = [one for one in project.accounts.values() if one.provider == name and not one.base_url]
        allowed = any(one.allow_loopback for one in users)
        advice = f"add: accounts: {{{name}: {{provider: {name}, allow_loopback: true}}}}"
        yield from _fault(("providers", name, "base_url"), api.base_url, allow_loopback=allowed, advice=advice)


def _fault(path: tuple[str, ...], url: str, *, allow_loopback: bool, advice: str = "") -> Iterator[Fault]:
    if "?" in url or "#" in url:
        # What stands there may be a key, so the sentence does not repeat it.
        message = "a base_url ends with its path: no `?` and no `#`"
        yield Fault(path=path, code="S02", message=message, help="write: base_url: https://api.acme.example/v1")
        return
    try:
        place_of(url, allow_loopback=allow_loopback)
    except AddressRefused as refused:
        wants_setting = "allow_loopback" in refused.help
        yield Fault(
            path=path, code="S02", message=refused.message, help=advice if advice and wants_setting else refused.help
        )
