"""What a Revox account has besides calls: a user, voices, phone numbers; as much as clients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox import revox_records as records
from runner.sandbox.wire import Json, Refused, instant
from runner.sandbox.world import World

_VOICES: tuple[Mapping[str, Any], ...] = (
    {
        "id": "voice-ada",
        "name": "Ada",
        "description": "Calm and clear",
        "language": "en",
        "provider": "cartesia",
        "gender": "female",
        "accent": "american",
    },
    {
        "id": "voice-luc",
        "name": "Luc",
        "description": "Warm",
        "language": "fr",
        "provider": "elevenlabs",
        "gender": "male",
        "accent": None,
    },
)


class RevoxAccount:
    """One user of one organization, who owns one number."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = instant(world.clock.now())

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/auth-status", self._auth_status, methods=["GET"]),
            Route("/users/me", self._user, methods=["GET"]),
            Route("/voices", self._list_voices, methods=["GET"]),
            Route("/voices/{id}", self._get_voice, methods=["GET"]),
            Route("/phone-numbers", self._numbers, methods=["GET"]),
        ]

    async def _auth_status(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"authenticated": True})

    async def _user(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        user = {
            "id": "user_1",
            "organization_id": records.ORGANIZATION,
            "email": "sandbox@example.test",
            "first_name": "Sandbox",
            "last_name": None,
            "has_completed_onboarding": True,
            "organization_country": "US",
            "created_at": self._began,
            "updated_at": self._began,
        }
        return Json({"user": user})

    async def _list_voices(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"voices": list(_VOICES)})

    async def _get_voice(self, request: Request) -> Response:
        for voice in _VOICES:
            if voice["id"] == request.path_params["id"]:
                return Json({"voice": voice})
        raise Refused(404, {"error": "voice not found"})

    async def _numbers(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        number = {
            "id": "pn_1",
            "phone_number": records.DEFAULT_FROM,
            "label": "Default",
            "provider": "twilio",
            "source": "revox_provisioned",
            "type": "owned_number",
            "inbound_assistant": None,
            "inbound_sip_uri": None,
            "livekit_outbound_trunk_id": None,
            "created_by": None,
            "created_at": self._began,
        }
        return Json({"phone_numbers": [number]})
