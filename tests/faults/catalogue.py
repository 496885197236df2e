"""The fault matrix: what can go wrong, and what is expected then. Tests say by `@pytest.mark.fault("F5")` which they show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Named(NamedTuple):
    """One fault."""

    fault: str
    expected: str


FAULTS: Mapping[str, Named] = {
    "F1": Named("killed before the intent is written", "the attempt is untouched, and dialled once by the next runner"),
    "F2": Named("killed between the intent and the request", "in doubt, looked up, proved absent, dialled once"),
    "F3": Named(
        "killed after the request, before its answer is written", "in doubt, found, followed; never sent again"
    ),
    "F4": Named("killed at random, again and again", "nobody dialled twice for one attempt, nobody lost"),
    "F5": Named("the answer never comes, and the call was placed", "in doubt; one request"),
    "F6": Named("the connection is closed after the request took effect", "in doubt; one request"),
    "F7": Named("500, with effect and without", "in doubt; one request, a second one only once proved absent"),
    "F8": Named("a 200 that says nothing: bad JSON, no id, 10 MB, a packed bomb", "in doubt; the answer is cut off"),
    "F9": Named("a redirect", "not followed, the campaign pauses"),
    "F10": Named("429 with every kind of Retry-After", "waits as told, an hour at most, and asks the windows again"),
    "F11": Named(
        "an outage of minutes and of hours", "few requests while it lasts, one call to see whether it is over"
    ),
    "F12": Named("answers take half a minute", "never more calls at once than the limit"),
    "F13": Named("one webhook a hundred times at once", "one change, each of them answered 2xx"),
    "F14": Named("webhooks in any order", "the same end"),
    "F15": Named("a webhook before the answer to our request", "waits, and settles the attempt once it is known"),
    "F16": Named("webhooks never come", "asked for on a ladder of times, then `unknown`"),
    "F17": Named("a webhook that contradicts what is known", "the first outcome stays, the conflict is written down"),
    "F18": Named("forged and replayed webhooks, and another account's", "refused or ignored, counted, no change"),
    "F19": Named("a webhook about a call that nobody knows", "taken in, kept apart, bounded"),
    "F20": Named("the disk is full at the intent", "no request, and an exit code that says so"),
    "F21": Named("the disk is full when the answer is written", "in doubt, never sent again"),
    "F22": Named("another process holds the database", "waited for, and no request without an intent"),
    "F23": Named("two runners on one ledger", "one of them is turned away"),
    "F24": Named("stopped between intent and request, and continued later", "a late request does not leave"),
    "F25": Named("SIGTERM under load", "claims nothing more, finishes what is under way, exits"),
    "F26": Named("a second SIGTERM", "exits at once; what was under way is in doubt"),
    "F27": Named("the clock jumps while it runs", "nothing leaves until the windows were asked again"),
    "F28": Named("the clock is wrong at the start", "refuses to run"),
    "F29": Named(
        "changed clocks: hours that are missing, repeated or odd", "windows as a walk over the minutes has them"
    ),
    "F30": Named("24:00, leap seconds, days that never were", "refused or clamped, and no crash"),
    "F31": Named("zone data changes after the plan", "the new rule counts when it is sent"),
    "F32": Named(
        "the campaign file is edited while it runs", "what was applied goes on; the edit is a difference of the plan"
    ),
    "F33": Named("a broken file is saved while it runs", "what was applied goes on; validating fails"),
    "F34": Named("a contact is removed while it is queued", "not called once that is applied"),
    "F35": Named("an opt-out between claim and request", "not called"),
    "F36": Named("torn, mis-encoded and mixed-up contact files", "row and column named, nothing lost without a word"),
    "F37": Named("one number in two campaigns", "one at a time, and caps over both"),
    "F38": Named("the ledger was copied, or is a backup", "does not run until that is reconciled"),
    "F40": Named("the provider redials by itself", "its calls count"),
    "F41": Named("the provider's queue outlives the window", "called off when the window shuts"),
    "F42": Named("the power is cut", "an intent is on the disk before its request leaves"),
    "F43": Named("one row of many cannot be rendered", "that row is rejected at the plan, nothing of it is sent"),
    "F44": Named("nobody hears webhooks for hours", "outcomes are asked for"),
}
"""F39, the failover of a PostgreSQL server, waits for that ledger"""


def table() -> str:
    """Draw the matrix for people."""
    rows = [f"| {name} | {one.fault} | {one.expected} |" for name, one in FAULTS.items()]
    return "\n".join(["| | what goes wrong | what comes of it |", "|---|---|---|", *rows])
