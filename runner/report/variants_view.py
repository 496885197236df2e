"""Variants for people: who gets which in a plan, and how each did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runner.model.plan import VariantCount
from runner.model.variants import Share, VariantResult
from runner.report.words import count_of


def plan_sentences(counts: Sequence[VariantCount]) -> Iterator[str]:
    """Say how many people of a plan have which variant, one line for each campaign."""
    for campaign in dict.fromkeys(one.campaign for one in counts):
        own = [one for one in counts if one.campaign == campaign]
        people = sum(one.contacts for one in own)
        yield "variants: " + ", ".join(_counted(one, people) for one in own)


def _counted(one: VariantCount, people: int) -> str:
    share = f"{one.contacts / people:.0%}" if people else "0%"
    if not one.variant:
        return f"{one.contacts:,} without one ({share})"
    weight = f"weight {one.weight}" if one.weight is not None else "no longer in the file"
    return f"{one.variant} {one.contacts:,} ({share}, {weight})"


def print_variants(console: Console, campaign: str, results: Sequence[VariantResult]) -> None:
    """Print how the variants of a campaign did, each share with its interval of 95 %."""
    console.print()
    console.print(Text(f"{campaign}, by variant", style="bold"))
    has_goal = any(one.goal is not None for one in results)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("variant", "contacts", "tried", "reached", *(["goal"] if has_goal else [])):
        table.add_column(name, justify="left" if name == "variant" else "right", no_wrap=True)
    for one in results:
        goal = [share_text(one.goal)] if one.goal is not None else []
        table.add_row(one.variant or "none", f"{one.contacts:,}", f"{one.tried:,}", share_text(one.reached), *goal)
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    tried = sum(one.tried for one in results)
    console.print(Text(f"  of {count_of(tried, 'contact')} tried; in brackets where 95 of 100 such samples hold the true share", style="dim"))  # fmt: skip


def share_text(share: Share) -> str:
    """Write a share with its interval: `12 = 24 % (14-37 %)`; a dot where nobody was tried."""
    if share.value is None:
        return "·"
    return f"{share.count:,} = {share.value * 100:.1f} % ({share.low * 100:.1f}-{share.high * 100:.1f} %)"
