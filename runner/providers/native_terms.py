"""What the providers' own campaigns have in common: refusals, planted names, zones."""

from __future__ import annotations

from collections.abc import Mapping

from runner.errors import InDoubt
from runner.model.handover import Handover
from runner.model.json import JsonObject
from runner.model.request import Finding, Reply
from runner.model.retry import Retry
from runner.ports import NativeCampaigns
from runner.providers.reading import count_of, first_id, text_of
from runner.providers.replies import accepted_document, error_code
from runner.providers.requests import files_wrong

Problem = tuple[str, str]
"""what a provider cannot express, and what to write instead"""

SINGLE = "delivery: single"
"""what to write when a provider's own campaigns cannot do it at all"""


def offered(campaigns: NativeCampaigns) -> NativeCampaigns | None:
    """Give a provider's campaigns under the type that the attribute has at providers without any, too."""
    return campaigns


def required(problem: Problem | None) -> None:
    """Raise FilesWrong for what a provider cannot express."""
    if problem is not None:
        raise files_wrong(problem[0], problem[1], "delivery")


def option_problem(
    handover: Handover, provider: str, allowed: tuple[str, ...], instead: Mapping[str, str]
) -> Problem | None:
    """Refuse a provider's option that its campaigns do not have; ``instead`` says what to write for some."""
    found = next((name for name, value in handover.options.items() if name not in allowed and value is not None), None)
    if found is None:
        return None
    return f"`{found}` is no option of {provider}'s own campaigns", f"write: {instead.get(found, SINGLE)}"


def own_rules_problem(handover: Handover, provider: str) -> Problem | None:
    """Refuse to leave the rules to a provider whose agents have none: it would call at any hour."""
    if not handover.own_rules:
        return None
    return (
        f"{provider}'s agents keep no hours and retries of their own, so that nobody would",
        f"write windows and retry in the campaign (or: {SINGLE})",
    )


def retry_feature_problem(retry: Retry, provider: str) -> Problem | None:
    """Refuse what no provider's own retries know: lists of waits, growing and drawn ones, limits by outcome, conditions."""
    if retry.attempts == 1 or not retry.on:
        return None
    found = next((name for name, is_used in _own_features(retry).items() if is_used), None)
    if found is None:
        return None
    return (
        f"`{found}` of retry cannot be told to {provider}, whose own campaigns make the tries",
        f"write: retry: 3 times, 2h apart   (or: {SINGLE})",
    )


def _own_features(retry: Retry) -> Mapping[str, bool]:
    """Give the parts of a retry that only the runner keeps, and whether they are used."""
    return {
        "after": len(retry.after) > 1,
        "on": any(rule.after is not None or rule.attempts is not None for rule in retry.on.values()),
        "backoff": retry.backoff is not None,
        "jitter": retry.jitter != "none",
        "best_hours": retry.best_hours != "any",
        "expires": retry.expires is not None,
        "stop_when": retry.stop_when is not None,
    }


def pace_problem(handover: Handover, provider: str) -> Problem | None:
    """Refuse a pace, for a provider whose campaigns take none."""
    if handover.per_second is None:
        return None
    return (
        f"`per_second: {handover.per_second:g}` cannot be told to {provider}: its campaigns only take a concurrency",
        f"remove `per_second` from limits (or: {SINGLE})",
    )


def zone_of_all(handover: Handover) -> str:
    """Give the one zone whose clock everybody follows; empty when people have several zones or one is not certain."""
    if handover.timezone != "contact":
        return handover.timezone
    zones = {person.timezone or "" for person in handover.people}
    return zones.pop() if len(zones) == 1 else ""


def outcomes_text(retry: Retry) -> str:
    """Write the outcomes that call for another try as a campaign file has them."""
    return ", ".join(outcome.value for outcome in retry.on) or "nothing"


def planted_key(name: str) -> str:
    """Give the key at the end of a campaign's name; empty when there is none."""
    key = name.rpartition(" ")[2]
    is_key = len(key) == 32 and all(digit in "0123456789abcdef" for digit in key)  # noqa: PLR2004 as attempt keys
    return key if is_key else ""


def find_named(provider: str, handover_name: str, campaigns: tuple[JsonObject, ...], *, more: bool) -> Finding:
    """Find the campaign whose name ends with the handover's key; raise InDoubt when several do, or without a key."""
    key = planted_key(handover_name)
    if not key:
        raise InDoubt(f"`{handover_name}` has no key in its name, so its namesakes cannot be told apart")
    same = [one for one in campaigns if planted_key(text_of(one.get("name"))) == key]
    if len(same) > 1:
        raise InDoubt(f"{provider} has {len(same)} campaigns with the same key")
    if not same:
        return Finding(more=more)
    found = first_id(same[0], "id")
    if not found:
        raise InDoubt(f"{provider} lists the campaign without its id")
    return Finding(provider_id=found)


def read_done(provider: str, reply: Reply, already: tuple[tuple[int, str], ...] = ()) -> bool:
    """Read the answer to a request that changes a campaign: False when it stood that way already.

    Raises Rejected, Throttled or InDoubt for every other answer that is not 2xx.
    """
    if (reply.status, error_code(reply)) in already:
        return False
    return accepted_document(provider, reply).get("success") is not False


def counted(counts: JsonObject, *names: str) -> int:
    """Add up the counts under these names; what is missing is 0."""
    return sum(count_of(counts.get(name)) or 0 for name in names)
