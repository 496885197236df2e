"""Read what there was with a person so far, in the transaction that decides on them."""

from __future__ import annotations

from datetime import datetime

from runner.model.attempt import Assignment
from runner.model.campaign import Step
from runner.model.dealings import Dealings
from runner.ports import Ledger
from runner.rules.caps import look_back
from runner.rules.policy import Policy


def dealings_with(ledger: Ledger, policy: Policy, step: Step, work: Assignment, now: datetime) -> Dealings:
    """Give what holds the person of an attempt back; past attempts are only read where something counts them."""
    attempt = work.attempt
    span = look_back(policy, step, attempt.where)
    past = ledger.past_attempts(attempt.phone, now - span, now) if span else ()
    return Dealings(past=past, left_alone_until=work.left_alone_until, left_alone_why=work.left_alone_why)
