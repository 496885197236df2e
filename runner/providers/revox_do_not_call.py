"""Whom Revox must not contact, read out of its phone history; it can be read there and not written."""

# ruff: noqa: ARG002 every list takes what the port hands over, also what only others need

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import InDoubt, UsageWrong
from runner.model.request import Reply, Request
from runner.ports import ListedNumbers
from runner.providers.reading import child
from runner.providers.replies import answered_document

_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
_NO_HISTORY = frozenset({404, 405})
"""answers of older servers, which keep none"""


@dataclass(frozen=True, slots=True)
class RevoxDoNotCall:
    """The people of one organization whom Revox marks as not to be contacted, whichever campaign found that out."""

    most_numbers = 0

    def list_request(self, page: int) -> Request:
        """Build `GET /calls/phone-history`, which tells in one answer every number that the organization ever called."""
        return Request(method="GET", path="/calls/phone-history")

    def read_list(self, reply: Reply, page: int) -> ListedNumbers:
        """Read who is marked, nobody where a server keeps no history; raise a SendError when the answer does not say."""
        if reply.status in _NO_HISTORY:
            return ListedNumbers(numbers=(), more=False)
        history = answered_document("revox", reply).get("phone_history")
        if not isinstance(history, dict):
            raise InDoubt("revox answered without its phone history")
        marked = (number for number, seen in history.items() if child(seen, "do_not_contact") is True)
        return ListedNumbers(numbers=tuple(number for number in marked if _E164.fullmatch(number)), more=False)

    def add_request(self, numbers: Sequence[str], reason: str) -> Request:
        """Raise UsageWrong: nothing can be added."""
        raise UsageWrong("revox's phone history cannot be written", help="mark people in revox's own dashboard")

    def read_added(self, reply: Reply) -> None:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("revox's phone history cannot be written")
