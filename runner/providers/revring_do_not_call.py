"""RevRing's do-not-call list: `GET` and `POST /do-not-call`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import InDoubt
from runner.model.request import Reply, Request
from runner.ports import ListedNumbers
from runner.providers.reading import child, count_of, objects_of, text_of
from runner.providers.replies import accepted_document, answered_document, is_done
from runner.providers.requests import segment, with_query

PAGE_SIZE = 500
"""the documented largest page"""

_UNLISTED = frozenset({404})
_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RevringDoNotCall:
    """The list of one organization; a number that it has already is added again without harm."""

    most_numbers = 10_000

    def list_request(self, page: int) -> Request:
        """Build the request for a page of the list, pages from 0."""
        return Request(method="GET", path=with_query("/do-not-call", {"page": page + 1, "pageSize": PAGE_SIZE}))

    def read_list(self, reply: Reply, page: int) -> ListedNumbers:
        """Read a page; what is no E.164 number is left out. Raises a SendError when the answer says nothing."""
        document = answered_document("revring", reply)
        if not isinstance(document.get("data"), list):
            raise InDoubt("revring answered its do-not-call list without data")
        records = objects_of(document["data"])
        numbers = (text_of(record.get("e164"), 20) for record in records)
        total = count_of(document.get("total"))
        return ListedNumbers(
            numbers=tuple(number for number in numbers if _E164.fullmatch(number)),
            more=len(records) >= PAGE_SIZE if total is None else bool(records) and (page + 1) * PAGE_SIZE < total,
        )

    def add_request(self, numbers: Sequence[str], reason: str) -> Request:
        """Build the request that adds at most 10,000 numbers."""
        return Request(method="POST", path="/do-not-call", body={"numbers": list(numbers), "reason": reason})

    def read_added(self, reply: Reply) -> None:
        """Read the answer to adding; raise a SendError unless the list has the numbers now."""
        if count_of(child(accepted_document("revring", reply), "data", "added")) is None:
            raise InDoubt("revring did not say how many numbers it added")

    def remove_request(self, number: str) -> Request:
        """Build `DELETE /do-not-call/{number}`."""
        return Request(method="DELETE", path=f"/do-not-call/{segment(number)}")

    def read_removed(self, reply: Reply) -> bool:
        """Whether the number stood on the list and is off it now; raise a SendError when the answer says nothing."""
        return is_done("revring", reply, _UNLISTED)
