"""The report as one HTML page: no script, nothing loaded from elsewhere, everything escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from runner import __version__
from runner.model.overview import CampaignOverview
from runner.report.results import Totals, outcome_counts, tag_counts, totals_line


def report_page(campaigns: Sequence[CampaignOverview], totals: Totals | None, now: datetime) -> str:
    """Write the page; sums alone, no number and no name of a person."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            campaigns=campaigns,
            columns=list(campaigns[0].row_stats) if campaigns else [],
            charts=[
                ("Calls, by outcome", outcome_counts(campaigns, "call")),
                ("Texts, by outcome", outcome_counts(campaigns, "text")),
                ("Results that the agents set", tag_counts(campaigns)),
            ],
            totals_line=totals_line(totals) if totals is not None else "",
            made_at=f"{now:%Y-%m-%d %H:%M} UTC",
            version=__version__,
        )
    )


@cache
def _environment() -> Environment:
    # Apart from the environment of messages: a page is HTML and escapes everything.
    return Environment(loader=PackageLoader("runner.report", "pages"), autoescape=True, undefined=StrictUndefined)
