"""Which plan was reviewed: a digest, or the file that `outreach plan --format json` wrote."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from runner.errors import UsageWrong

STANDARD_INPUT = "-"
LONGEST_LINE = 16 * 2**20
"""characters; the line of one person is some thousands, and something without end is no plan"""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BARE = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"sha256:.*|[0-9a-f]+")
_WRITE_ONE = "write one: outreach plan --format json > plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedPlan:
    """What is known of a plan that was reviewed."""

    digest: str
    """`sha256:` and 64 hex digits, over all its campaigns"""
    file: str = ""
    """the file that says so, as errors name it; empty for a digest by itself"""
    digests: Mapping[str, str] = field(default_factory=dict)
    """the digest of each campaign by its name; empty where only the whole is known"""
    tool_version: str = ""
    """which outreach made it; empty where nobody said"""


def reviewed_plan(said: str) -> ReviewedPlan:
    """Read which plan was reviewed: its digest, the path of its JSON, or `-` for its JSON on standard input.

    Of JSON only the last line is looked at, the sums: a file that holds it alone will do. A word of hex
    digits alone is a digest, not a file. Raises UsageWrong, with the file, when that is no plan's.
    """
    word = said.strip().lower()
    if not word:
        raise UsageWrong("`--reviewed` is empty", help="give it what `outreach plan` says: sha256: and 64 hex digits")
    if _DIGEST.fullmatch(word):
        return ReviewedPlan(digest=word)
    if _BARE.fullmatch(word):
        raise UsageWrong(f"`{said}` does not say which kind of digest it is", help=f"write: --reviewed sha256:{word}")
    if _PART.fullmatch(word):
        raise UsageWrong(
            f"`{said}` is not a whole digest", help="write all of what `outreach plan` says: sha256: and 64 hex digits"
        )
    shown = "standard input" if said == STANDARD_INPUT else f"`{said}`"
    return _of_sums(_sums(_last_line(said, shown), shown), shown)


def _last_line(said: str, shown: str) -> str:
    """Give the last line of a file that is not blank."""
    last = ""
    try:
        with nullcontext(sys.stdin) if said == STANDARD_INPUT else Path(said).open(encoding="utf-8") as stream:
            while line := _next_line(stream, shown):
                last = line if line.strip() else last
    except UnicodeDecodeError as error:
        raise _foreign(shown, "it is not UTF-8 text") from error
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise UsageWrong(f"the reviewed plan {shown} cannot be read: {reason}", help=_WRITE_ONE) from error
    return last


def _next_line(stream: IO[str], shown: str) -> str:
    line = stream.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise _foreign(shown, "it has a line without end")
    return line


def _sums(line: str, shown: str) -> Mapping[str, Any]:
    """Give the sums that a plan ends with."""
    if not line:
        raise _foreign(shown, "it is empty")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _foreign(shown, "its last line is not JSON") from error
    if isinstance(found, dict) and "error" in found:
        raise _foreign(shown, "it ends with an error, since that plan failed")
    sums = found.get("summary") if isinstance(found, dict) else None
    if not isinstance(sums, dict):
        raise _foreign(shown, "its last line has no `summary`; it is cut off, or of one person alone")
    return sums


def _of_sums(sums: Mapping[str, Any], shown: str) -> ReviewedPlan:
    digest = sums.get("digest")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _foreign(shown, "its `summary` has no `digest`")
    listed, made_by = sums.get("digests"), sums.get("tool_version")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    pairs = [(one.get("campaign"), one.get("digest")) for one in entries]
    return ReviewedPlan(
        digest=digest,
        file=shown,
        digests={name: own for name, own in pairs if isinstance(name, str) and isinstance(own, str)},
        tool_version=made_by if isinstance(made_by, str) else "",
    )


def _foreign(shown: str, why: str) -> UsageWrong:
    return UsageWrong(f"{shown} is no plan of `outreach plan --format json`: {why}", help=_WRITE_ONE)
