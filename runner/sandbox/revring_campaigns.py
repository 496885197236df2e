"""RevRing's native campaigns: made, changed, filled with contacts, started, paused, cancelled, exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revring_campaign_checks as reading
from runner.sandbox import revring_campaign_records as records
from runner.sandbox import revring_checks as checks
from runner.sandbox.revring_campaign import CLOSED, Campaign, CampaignSettings, CampaignStatus, Contact, ContactStatus
from runner.sandbox.revring_dialer import Dialer
from runner.sandbox.revring_lists import page_of
from runner.sandbox.sheet import to_csv
from runner.sandbox.windows import zone_named
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import World

_STATUSES = frozenset(CampaignStatus)
_CONTACT_STATUSES = frozenset(ContactStatus)
_MAY_START = frozenset({CampaignStatus.DRAFT, CampaignStatus.PAUSED})
_MAY_CANCEL = frozenset({CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.PAUSED})
_MAY_GO = frozenset({CampaignStatus.DRAFT, *CLOSED})


class RevringCampaigns:
    """The campaigns of one organization; the dialer holds them."""

    def __init__(self, world: World, dialer: Dialer) -> None:
        self._world = world
        self._dialer = dialer

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/campaigns", self._create, methods=["POST"]),
            Route("/campaigns", self._list, methods=["GET"]),
            Route("/campaigns/{id}", self._get, methods=["GET"]),
            Route("/campaigns/{id}", self._change, methods=["PATCH"]),
            Route("/campaigns/{id}", self._remove, methods=["DELETE"]),
            Route("/campaigns/{id}/contacts", self._add, methods=["POST"]),
            Route("/campaigns/{id}/contacts", self._contacts, methods=["GET"]),
            Route("/campaigns/{id}/start", self._start, methods=["POST"]),
            Route("/campaigns/{id}/pause", self._pause, methods=["POST"]),
            Route("/campaigns/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/campaigns/{id}/export", self._export, methods=["GET"]),
        ]

    async def _create(self, request: Request) -> Response:
        body = await reading.read_campaign(request)
        agents = self._world.settings.revring.agents
        if agents and body["agentId"] not in agents:
            raise Refused(404, {"error": "agent_not_found"})
        contacts = body.get("contacts", [])
        if body.get("start") and not contacts:
            raise Refused(400, {"error": "no_contacts"})
        now = self._world.clock.now()
        campaign = Campaign(
            id=f"cmp_{self._world.new_id('campaign')[:12]}",
            settings=self._settings(body),
            created_at=now,
            updated_at=now,
        )
        self._dialer.campaigns[campaign.id] = campaign
        added = self._fill(campaign, contacts)
        if body.get("start"):
            self._dialer.start(campaign)
        counts = {"contactsAdded": added, "duplicatesSkipped": len(contacts) - added}
        return Json({"data": records.campaign_record(campaign) | counts}, 201)

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        wanted = checks.words(query, "status", _STATUSES)
        campaigns = [one for one in reversed(self._dialer.campaigns.values()) if not wanted or one.status in wanted]
        return page_of(query, campaigns, records.campaign_record)

    async def _get(self, request: Request) -> Response:
        return self._answer(self._known(request))

    async def _change(self, request: Request) -> Response:
        campaign = self._known(request)
        changes = await reading.read_changes(request)
        self._refuse_closed(campaign)
        campaign.settings = self._settings({**campaign.settings.asked, **changes})
        self._dialer.requeue(campaign)
        return self._changed(campaign)

    async def _remove(self, request: Request) -> Response:
        campaign = self._known(request)
        if campaign.status not in _MAY_GO:
            raise Refused(409, {"error": "campaign_active", "message": "Cancel the campaign before deleting it"})
        del self._dialer.campaigns[campaign.id]
        return Json({"data": {"id": campaign.id, "deleted": True}})

    async def _add(self, request: Request) -> Response:
        campaign = self._known(request)
        contacts = await reading.read_contacts(request)
        self._refuse_closed(campaign)
        added = self._fill(campaign, contacts)
        campaign.updated_at = self._world.clock.now()
        self._dialer.requeue(campaign)
        return Json({"data": {"contactsAdded": added, "duplicatesSkipped": len(contacts) - added}}, 201)

    async def _contacts(self, request: Request) -> Response:
        query = request.query_params
        statuses = checks.words(query, "status", _CONTACT_STATUSES)
        outcomes = checks.words(query, "outcome", records.CONTACT_OUTCOMES)
        found = [
            contact
            for contact in self._known(request).contacts.values()
            if (not statuses or contact.status in statuses) and (not outcomes or contact.outcome in outcomes)
        ]
        return page_of(query, found, records.contact_record, usual=100, largest=500)

    async def _start(self, request: Request) -> Response:
        campaign = self._known(request)
        if campaign.status not in _MAY_START:
            raise _cannot("started")
        if not campaign.contacts:
            raise Refused(400, {"error": "no_contacts"})
        self._dialer.start(campaign)
        return self._changed(campaign)

    async def _pause(self, request: Request) -> Response:
        campaign = self._known(request)
        if campaign.status is not CampaignStatus.RUNNING:
            raise _cannot("paused")
        self._dialer.stop(campaign, CampaignStatus.PAUSED)
        return self._changed(campaign)

    async def _cancel(self, request: Request) -> Response:
        campaign = self._known(request)
        if campaign.status not in _MAY_CANCEL:
            raise _cannot("canceled")
        self._dialer.stop(campaign, CampaignStatus.CANCELED)
        return self._changed(campaign)

    async def _export(self, request: Request) -> Response:
        contacts = self._known(request).contacts.values()
        rows = [records.exported_row(contact) for contact in contacts]
        return Response(to_csv(records.export_columns(rows), rows), media_type="text/csv")

    def _fill(self, campaign: Campaign, contacts: Iterable[Mapping[str, Any]]) -> int:
        """Add those whose number is new, and give how many they are."""
        before = len(campaign.contacts)
        for contact in contacts:
            phone, zone = contact["toNumber"], contact.get("timezone")
            if phone not in campaign.contacts:
                campaign.contacts[phone] = Contact(
                    id=f"cc_{self._world.new_id('contact')[:12]}",
                    phone=phone,
                    variables=contact.get("variables") or {},
                    zone_name=zone,
                    zone=zone_named(zone),
                )
        return len(campaign.contacts) - before

    def _settings(self, asked: Mapping[str, Any]) -> CampaignSettings:
        return reading.settings_of(asked, default_attempts=self._world.settings.revring.default_attempts)

    def _changed(self, campaign: Campaign) -> Response:
        campaign.updated_at = self._world.clock.now()
        return self._answer(campaign)

    def _answer(self, campaign: Campaign) -> Response:
        return Json({"data": records.campaign_record(campaign)})

    def _refuse_closed(self, campaign: Campaign) -> None:
        if campaign.status in CLOSED:
            raise Refused(409, {"error": "campaign_closed", "message": f"Campaign is {campaign.status}"})

    def _known(self, request: Request) -> Campaign:
        campaign = self._dialer.campaigns.get(request.path_params["id"])
        if campaign is None:
            raise Refused(404, {"error": "not_found"})
        return campaign


def _cannot(what: str) -> Refused:
    message = f"Campaign cannot be {what} from its current status"
    return Refused(409, {"error": "invalid_transition", "message": message})
