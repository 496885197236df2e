"""RevRing's campaign dialer: who is called next, inside windows, pace, lines and tries."""

from __future__ import annotations

import heapq
import itertools
from datetime import datetime, timedelta

from runner.sandbox.call import Call
from runner.sandbox.lines import Lines
from runner.sandbox.revring_campaign import (
    CLOSED,
    WAITING,
    Campaign,
    CampaignStatus,
    Contact,
    ContactStatus,
    settle,
)
from runner.sandbox.revring_do_not_call import DoNotCall
from runner.sandbox.revring_records import uuid
from runner.sandbox.windows import first_opening
from runner.sandbox.world import Asked, World


class Dialer:
    """Places the calls of running campaigns; directly sent calls go ahead of them."""

    def __init__(self, world: World, lines: Lines, do_not_call: DoNotCall) -> None:
        self._world = world
        self._lines = lines
        self._do_not_call = do_not_call
        self._numbers = itertools.count()
        self.campaigns: dict[str, Campaign] = {}

    def forget(self) -> None:
        """Forget every campaign."""
        self.campaigns.clear()

    def start(self, campaign: Campaign) -> None:
        """Let a campaign run, for the first time or again."""
        campaign.status = CampaignStatus.RUNNING
        campaign.started_at = campaign.started_at or self._world.clock.now()
        self.requeue(campaign)

    def stop(self, campaign: Campaign, status: CampaignStatus) -> None:
        """Pause or cancel a campaign: running calls finish; a cancelled one calls nobody who waits."""
        campaign.status = status
        self._sleep(campaign)
        if status is CampaignStatus.CANCELED:
            for contact in campaign.contacts.values():
                if contact.status in WAITING:
                    contact.status, contact.next_at = ContactStatus.CANCELED, None

    def requeue(self, campaign: Campaign) -> None:
        """Order anew who waits, after contacts or settings have changed, and go on."""
        now = self._world.clock.now()
        campaign.queue = [
            (
                contact.next_at if contact.status is ContactStatus.RETRY_WAIT and contact.next_at else now,
                number,
                contact,
            )
            for number, contact in zip(self._numbers, campaign.contacts.values(), strict=False)
            if contact.status in WAITING
        ]
        heapq.heapify(campaign.queue)
        self._go_on(campaign)

    def go_on(self) -> None:
        """Let every running campaign call whom it may."""
        for campaign in list(self.campaigns.values()):
            self._go_on(campaign)

    def call_is_over(self, call: Call) -> None:
        """Settle the contact of a campaign's call."""
        campaign = self.campaigns.get(call.facts.get("campaign_id", ""))
        contact = campaign.contacts.get(call.to) if campaign else None
        if campaign is None or contact is None:
            return
        campaign.dialing -= 1
        campaign.updated_at = self._world.clock.now()
        settle(contact, call, campaign.settings, closed=campaign.status in CLOSED)
        if contact.status is ContactStatus.RETRY_WAIT and contact.next_at is not None:
            self._push(campaign, contact, contact.next_at)
        self._go_on(campaign)

    def _go_on(self, campaign: Campaign) -> None:
        self._sleep(campaign)
        while campaign.status is CampaignStatus.RUNNING:
            at = self._next_at(campaign)
            if at is None:
                return
            if at > self._world.clock.now():
                self._wake(campaign, at)
                return
            self._place(campaign, heapq.heappop(campaign.queue)[2])

    def _next_at(self, campaign: Campaign) -> datetime | None:
        """Give when the next call may be placed; None while only the end of another call can tell."""
        settings, now = campaign.settings, self._world.clock.now()
        if settings.start_at is not None and settings.start_at > now:
            return settings.start_at
        self._sift(campaign, now)
        if not campaign.queue:
            self._complete(campaign)
            return None
        if settings.max_concurrency is not None and campaign.dialing >= settings.max_concurrency:
            return None
        at = campaign.queue[0][0]
        if campaign.dialled_at is not None:
            at = max(at, campaign.dialled_at + timedelta(seconds=1 / settings.calls_per_second))
        return None if at <= now and self._lines.free == 0 else at

    def _sift(self, campaign: Campaign, now: datetime) -> None:
        """Take away from the head of the queue whoever may not be called now."""
        queue = campaign.queue
        while queue and (queue[0][0] <= now or queue[0][2].status not in WAITING):
            contact = queue[0][2]
            if contact.status in WAITING and contact.phone in self._do_not_call:
                contact.status, contact.outcome, contact.next_at = ContactStatus.SKIPPED, "do_not_call", None
            if contact.status not in WAITING:
                heapq.heappop(queue)
                continue
            opens_at = _opens_at(campaign, contact, now)
            if opens_at <= now:
                return
            heapq.heappop(queue)
            contact.next_at = opens_at
            self._push(campaign, contact, opens_at)

    def _place(self, campaign: Campaign, contact: Contact) -> None:
        contact.status, contact.next_at = ContactStatus.DIALING, None
        contact.attempts += 1
        campaign.dialing += 1
        campaign.dialled_at = campaign.updated_at = self._world.clock.now()
        contact.last_call = self._open(campaign, contact)
        self._world.launch(contact.last_call, lines=self._lines)

    def _open(self, campaign: Campaign, contact: Contact) -> Call:
        settings = campaign.settings
        asked = Asked(
            provider="revring",
            to=contact.phone,
            agent=settings.agent_id,
            reference="",
            body={
                "agentId": settings.agent_id,
                "toNumber": contact.phone,
                "fromNumber": settings.from_number,
                "variables": {**settings.default_variables, **contact.variables},
            },
        )
        call = self._world.open(asked, id=uuid(self._world.new_id("call")))
        call.facts["campaign_id"] = campaign.id
        return call

    def _complete(self, campaign: Campaign) -> None:
        if campaign.status is CampaignStatus.RUNNING and campaign.dialing == 0:
            campaign.status = CampaignStatus.COMPLETED
            campaign.completed_at = campaign.updated_at = self._world.clock.now()

    def _push(self, campaign: Campaign, contact: Contact, at: datetime) -> None:
        heapq.heappush(campaign.queue, (at, next(self._numbers), contact))

    def _wake(self, campaign: Campaign, at: datetime) -> None:
        # between two calls of its pace a campaign is under way; until its start, a window or a retry it is not
        now = self._world.clock.now()
        started = campaign.settings.start_at is None or campaign.settings.start_at <= now
        waits_for_pace = started and bool(campaign.queue) and campaign.queue[0][0] <= now
        campaign.wake = self._world.later(at, lambda: self._go_on(campaign), far=not waits_for_pace)

    def _sleep(self, campaign: Campaign) -> None:
        if campaign.wake is not None:
            self._world.never(campaign.wake)
            campaign.wake = None


def _opens_at(campaign: Campaign, contact: Contact, now: datetime) -> datetime:
    """Give when the window is open for a contact; always, without a window."""
    settings = campaign.settings
    if settings.window is None:
        return now
    opening = first_opening([settings.window], contact.zone or settings.zone, now)
    return now if opening is None else opening.at
