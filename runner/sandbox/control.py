"""The sandbox's own routes under ``/_sandbox``: the truth, the requests, people, faults, webhook targets, time."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.errors import UsageWrong
from runner.sandbox.faults import read_fault
from runner.sandbox.requests_log import Seen
from runner.sandbox.settings import PROVIDERS, Target, check_script
from runner.sandbox.wire import Json, instant
from runner.sandbox.world import Dial, World


class Control:
    """What a test or a rehearsal asks of the sandbox itself; needs no key."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/dials", self._dials, methods=["GET"]),
            Route("/requests", self._requests, methods=["GET"]),
            Route("/clock", self._clock, methods=["GET"]),
            Route("/people", self._people, methods=["POST"]),
            Route("/webhooks", self._webhooks, methods=["POST"]),
            Route("/faults", self._faults, methods=["POST"]),
            Route("/reset", self._reset, methods=["POST"]),
        ]

    async def _dials(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json([_dial(dial) for dial in self._world.dials()])

    async def _requests(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json([_seen(seen) for seen in self._world.requests.all()])

    async def _clock(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        clock = self._world.clock
        return Json({"now": instant(clock.now()), "speed": clock.speed})

    async def _people(self, request: Request) -> Response:
        script = {}
        for phone, outcomes in (await _object(request)).items():
            if not isinstance(outcomes, list):
                raise UsageWrong(f"the script of `{phone}` is no list", help=f'write {{"{phone}": ["answered"]}}')
            script[phone] = tuple(map(str, outcomes))
            check_script(phone, script[phone])
        self._world.people.write_script(script)
        return Json({"people": len(script)})

    async def _webhooks(self, request: Request) -> Response:
        targets = {}
        for provider, target in (await _object(request)).items():
            if provider not in PROVIDERS:
                raise UsageWrong(f"there is no provider `{provider}`", help=f"write one of {', '.join(PROVIDERS)}")
            if not isinstance(target, dict) or not isinstance(target.get("url"), str):
                raise UsageWrong(f"the webhooks of `{provider}` have no url", help='write {"url": "http://127.0.0.1/"}')
            targets[provider] = Target(url=target["url"], secret=str(target.get("secret") or ""))
        self._world.webhooks.aim(targets)
        return Json({"webhooks": sorted(targets)})

    async def _faults(self, request: Request) -> Response:
        items = await _json(request)
        if not isinstance(items, list):
            raise UsageWrong("a plan of faults is a list", help='write [{"kind": "drop_after"}]')
        faults = tuple(map(read_fault, items))
        self._world.faults.plan(faults)
        return Json({"faults": len(faults)})

    async def _reset(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        self._world.reset()
        return Json({"reset": True})


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise UsageWrong("the body is no JSON") from None


async def _object(request: Request) -> dict[str, Any]:
    content = await _json(request)
    if not isinstance(content, dict):
        raise UsageWrong("the body is no JSON object", help='write {"name": ...}')
    return content


def _dial(dial: Dial) -> dict[str, Any]:
    return {
        "provider": dial.provider,
        "kind": dial.kind,
        "to": dial.to,
        "at": instant(dial.at),
        "reference": dial.reference,
        "id": dial.id,
        "outcome": dial.outcome,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        "at": instant(seen.at),
        "method": seen.method,
        "path": seen.path,
        "query": seen.query,
        "headers": dict(seen.headers),
        "body": seen.body,
        "fault": seen.fault,
        "status": seen.status,
    }
