"""What must hold after each step, asked of the sandbox's truth and the ledger's rows alone, never of the product's rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runner.ledger.instants import from_micros
from runner.sandbox.world import Dial
from tests.rehearsal.stage import Stage, twice_dialled

Spans = tuple[tuple[time, time], ...]
"""local times of day between which attempts may start; an end of 00:00 is midnight"""

_KEY = re.compile(r"\b[0-9a-f]{32}\b")
_LIVE = ("claimed", "sending", "accepted", "in_doubt")
_OPEN = ("planned", *_LIVE)
_MOST_ON_THE_WAY = timedelta(seconds=3)
"""from the intent to the dial: the sender's own limit of 2 s and one way over the network"""


@dataclass
class Checker:
    """Looks at what has happened since it last looked, knowing what people had decided by then."""

    stage: Stage
    zones: dict[str, str]
    """each person's zone, by phone"""
    windows: dict[str, list[Spans]] = field(default_factory=dict)
    """by campaign: the windows in force, the newest last; an earlier one holds for one more look"""
    suppressed: set[str] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    """(campaign, phone) of people who were removed"""
    people: dict[str, set[str]] = field(default_factory=dict)
    """by campaign: everybody who ever was in it"""
    _event: int = 0
    _dial: int = 0
    _request: int = 0
    _halted: dict[str, str] = field(default_factory=dict)
    _intents: dict[str, list[datetime]] = field(default_factory=dict)
    _requests: Counter[str] = field(default_factory=Counter)

    def look(self) -> None:
        """Raise AssertionError for anything that must not be."""
        self._events()
        self._dials()
        self._rows()

    def _events(self) -> None:
        found = self.stage.rows(
            "SELECT e.id, e.at, e.kind, e.detail, a.key, a.phone, c.name AS campaign FROM events e"
            " LEFT JOIN attempts a ON a.id = e.attempt_id LEFT JOIN campaigns c ON c.id = a.campaign_id"
            " WHERE e.id > ? ORDER BY e.id", self._event,
        )  # fmt: skip
        for row in found:
            self._event = row["id"]
            if row["key"] is None:
                self._told(row["kind"], json.loads(row["detail"]).get("campaign", ""))
            elif row["kind"] == "sending":
                self._intent(row)

    def _told(self, kind: str, campaign: str) -> None:
        """Take in what became of a campaign: applied anew it is cancelled no more, but a pause stays."""
        if kind == "cancelled":
            self._halted[campaign] = kind
        elif kind == "paused":
            self._halted.setdefault(campaign, kind)
        elif kind == "resumed" or (kind == "applied" and self._halted.get(campaign) == "cancelled"):
            self._halted.pop(campaign, None)

    def _intent(self, row: Any) -> None:
        at, phone, campaign = from_micros(row["at"]), row["phone"], row["campaign"]
        assert phone not in self.suppressed, f"an intent for {phone} after the opt-out"
        assert (campaign, phone) not in self.gone, f"an intent for {phone}, who had left {campaign}"
        assert campaign not in self._halted, f"an intent of {campaign}, which is not active"
        local = at.astimezone(ZoneInfo(self.zones[phone])).time()
        allowed = any(is_within(local, spans) for spans in self.windows[campaign][-2:])
        assert allowed, f"an intent for {phone} at {local} local time, outside the windows"
        self._intents.setdefault(row["key"], []).append(at)

    def _dials(self) -> None:
        dials = self.stage.dials()
        assert not twice_dialled(dials), "an attempt was dialled twice"
        for dial in dials[self._dial :]:
            intents = [at for at in self._intents.get(dial.reference, ()) if at <= dial.at]
            assert intents, f"{dial.to} was dialled without an intent"
            assert dial.at - intents[-1] <= _MOST_ON_THE_WAY, f"{dial.to} was dialled long after the intent"
        self._dial = len(dials)
        requests = self.stage.world.requests.all()
        for request in requests[self._request :]:
            if request.method == "POST":
                keys = set(_KEY.findall(json.dumps([dict(request.headers), request.body])))
                self._requests.update(key for key in keys if key in self._intents)
        self._request = len(requests)
        for key, count in self._requests.items():
            assert count <= len(self._intents[key]), "more requests than intents of an attempt"

    def _rows(self) -> None:
        live = self.stage.rows(f"SELECT phone FROM attempts WHERE state IN {_LIVE} GROUP BY phone HAVING COUNT(*) > 1")
        assert not live, "two live attempts of one person"
        lost = self.stage.rows(
            "SELECT k.phone, k.state FROM contacts k WHERE k.state IN ('pending', 'calling', 'retry') AND NOT EXISTS"
            f" (SELECT 1 FROM attempts a WHERE a.contact_id = k.id AND a.state IN {_OPEN})"
        )
        assert not lost, f"nothing is left to do for {[tuple(row) for row in lost]}, who still wait"
        idle = self.stage.rows(
            "SELECT k.phone, k.state, a.state FROM attempts a JOIN contacts k ON k.id = a.contact_id"
            f" WHERE a.state IN {_OPEN} AND k.state IN ('completed', 'failed', 'suppressed')"
            " AND a.state = 'planned'"
        )
        assert not idle, f"an attempt of somebody who is through: {[tuple(row) for row in idle]}"
        without = self.stage.rows(
            "SELECT key FROM attempts WHERE state = 'accepted' AND COALESCE(provider_id, '') = ''"
        )
        assert not without, "accepted without a provider's id"
        for campaign, everybody in self.people.items():
            known = {
                row["phone"]
                for row in self.stage.rows(
                    "SELECT k.phone FROM contacts k JOIN campaigns c ON c.id = k.campaign_id WHERE c.name = ?", campaign
                )
            }
            assert known == everybody, f"the people of {campaign} are not those of its plans"

    def at_the_end(self) -> None:
        """Hold the outcomes against the truth, when nothing is under way any more."""
        truth = {dial.reference: dial for dial in self.stage.dials()}
        rows = self.stage.rows("SELECT key, phone, state, outcome, account, provider_id FROM attempts")
        for row in rows:
            assert row["state"] not in _LIVE, f"an attempt never ended: {tuple(row)}"
            dial = truth.get(row["key"])
            if dial is None:
                continue
            assert row["state"] in {"finished", "held"}, (
                f"{row['phone']} was dialled, and the ledger says {row['state']}"
            )
            if row["provider_id"]:
                assert row["provider_id"] == dial.id, f"the call of {row['phone']} is not its own"
            if row["state"] == "finished":
                said = f"{dial.outcome} at {dial.provider} became {row['outcome']}"
                assert row["outcome"] in told_as(dial), said
            else:  # no fault lasts for the day for which a provider is asked that can be asked
                assert row["account"] == "revmo", f"held at {row['account']}, which could have been asked"


def is_within(local: time, spans: Spans) -> bool:
    """Whether a local time of day lies in one of the spans."""
    return any(start <= local and (local < end or end == time()) for start, end in spans)


def told_as(dial: Dial) -> set[str]:
    """Give what may become of a dial's true outcome, in the words that its provider has for it."""
    truth = str(dial.outcome)
    told = _WORDS.get((dial.provider, truth)) or _WORDS.get(("", truth)) or truth
    # Revmo can be asked nothing: where its callback is lost, nobody knows.
    return {told, "unknown"} if dial.provider == "revmo" else {told}


_WORDS = {
    ("", "declined"): "busy",
    ("movoice", "voicemail"): "answered",
    ("revmo", "invalid_number"): "failed",
}
