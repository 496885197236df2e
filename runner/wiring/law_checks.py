"""Say at `validate` and `plan` what of a campaign's `compliance` its contacts cannot keep."""

from __future__ import annotations

from collections.abc import Iterator

from runner.errors import Diagnostic
from runner.files.campaign import LoadedCampaign
from runner.files.keys import did_you_mean


def consent_problems(loaded: LoadedCampaign, columns: frozenset[str] | None) -> Iterator[Diagnostic]:
    """Refuse a consent column that the contacts do not have; nothing is said where their columns are not known."""
    name = loaded.campaign.compliance.consent_column
    if name is None or columns is None or name in columns:
        return
    advice = did_you_mean(name, columns) or f"the columns are: {', '.join(sorted(columns))}"
    message = f"the contacts have no column `{name}`"
    yield loaded.diagnostic("C34", message, advice, ("compliance", "consent_column"))
