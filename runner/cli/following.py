"""Say how outcomes come to a runner that receives no webhooks: it asks, and some providers cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from runner.engine.accounts import Accounts
from runner.model.move import CampaignInForce


def paying(in_force: Iterable[CampaignInForce], only: frozenset[str] | None) -> set[str]:
    """Give the accounts that campaigns in force pay with, those in `only` if given."""
    return {name for one in in_force if only is None or one.name in only for name in json.loads(one.accounts)}


def how_outcomes_come(names: Iterable[str], accounts: Accounts) -> Iterator[str]:
    """Say for these accounts what it means that nobody receives their webhooks; nothing for none."""
    known = sorted(name for name in names if name in accounts)
    asked = [name for name in known if accounts.provider(name).capabilities.poll]
    if asked:
        yield f"no webhooks are received here: {_list(asked)} will be asked how calls and texts ended"
    for name in known:
        if name not in asked and accounts.can_follow(name):
            hours = accounts.poll(name)[-1].total_seconds() / 3600
            yield (
                f"account {name} tells how calls end by webhook alone, and none is received here: "
                f"each counts as unknown after {hours:g} h"
            )
            yield "  = help: outreach serve receives them, and then run this beside it"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
