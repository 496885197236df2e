"""Where a provider that documents no form of its status callbacks has what, said for one account."""

from __future__ import annotations

from runner.model.http_api import Details, InboundShape
from runner.model.http_fields import AnswerPath
from runner.model.outcome import Outcome


class CallbackShape(Details):
    """Where the status callbacks of one account say what."""

    id: AnswerPath
    """Where it has the id of the call or thread."""
    reference: AnswerPath | None = "metadata.attempt_id"
    """Where it shows the attempt's key, which every request carries as `metadata.attempt_id`."""
    outcomes: dict[str, Outcome] = {}
    """Its words and what each means here, besides the obvious ones such as `completed`; any other word ends nothing."""
    inbound: InboundShape | None = None
    """What a webhook about a person's own text looks like; `from`, `to` and `body` at its top when absent."""
