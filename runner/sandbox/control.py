"""The sandbox's own routes under ``/_sandbox``: the truth, requests, people, faults, webhooks, time, what people send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.errors import UsageWrong
from runner.sandbox.fault_plans import read_plan, read_share
from runner.sandbox.filled_in import filled_in, variables_of
from runner.sandbox.requests_log import Seen
from runner.sandbox.settings import PROVIDERS, Mischief, Target, check_script
from runner.sandbox.wire import Json, Refused, instant, is_phone, is_text, is_whole
from runner.sandbox.world import Dial, Landing, World

_SHARES = ("duplicated", "reordered", "late", "lost", "early")


class TakesTexts(Protocol):
    """A face to which people can write."""

    def receive_text(self, *, sender: str, to: str, agent: str, text: str) -> bool:
        """Tell the text by webhook, and say whether anybody listens."""
        ...


class TellsEvents(Protocol):
    """A face that tells more about a call than its start and end."""

    def tell_event(self, event: str, *, call_id: str, facts: Mapping[str, Any]) -> bool:
        """Tell an event of a call by webhook, and say whether anybody listens; raise Refused for what it lacks."""
        ...


class Control:
    """What a test or a rehearsal asks of the sandbox itself; needs no key."""

    def __init__(self, world: World, *, writes: TakesTexts, tells: TellsEvents) -> None:
        self._world = world
        self._writes = writes
        self._tells = tells

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/dials", self._dials, methods=["GET"]),
            Route("/said", self._said, methods=["POST"]),
            Route("/requests", self._requests, methods=["GET"]),
            Route("/clock", self._clock, methods=["GET"]),
            Route("/people", self._people, methods=["POST"]),
            Route("/webhooks", self._webhooks, methods=["POST"]),
            Route("/faults", self._faults, methods=["POST"]),
            Route("/faults", self._struck, methods=["GET"]),
            Route("/inbound", self._inbound, methods=["POST"]),
            Route("/events", self._event, methods=["POST"]),
            Route("/landing/{provider}", self._land, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/landings", self._landings, methods=["GET"]),
            Route("/reset", self._reset, methods=["POST"]),
        ]

    async def _dials(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json([_dial(dial) for dial in self._world.dials()])

    async def _said(self, request: Request) -> Response:
        prompt = (await _object(request)).get("prompt")
        if not isinstance(prompt, str):
            raise UsageWrong("the words to fill in are missing", help='write {"prompt": "Say hello to {{name}}."}')
        calls = [call for provider in PROVIDERS for call in self._world.calls(provider)]
        return Json(
            [
                {"provider": call.provider, "to": call.to, "said": filled_in(prompt, variables_of(call))}
                for call in calls
            ]
        )

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
        asked = await _object(request)
        mischief = _mischief(asked.pop("options", None))
        targets = {}
        for provider, target in asked.items():
            if provider not in PROVIDERS:
                raise UsageWrong(f"there is no provider `{provider}`", help=f"write one of {', '.join(PROVIDERS)}")
            if not isinstance(target, dict) or not isinstance(target.get("url"), str):
                raise UsageWrong(f"the webhooks of `{provider}` have no url", help='write {"url": "http://127.0.0.1/"}')
            targets[provider] = Target(url=target["url"], secret=str(target.get("secret") or ""))
        if targets or mischief is None:
            self._world.webhooks.aim(targets)
        if mischief is not None:
            self._world.webhooks.upset(mischief)
        return Json({"webhooks": sorted(targets)})

    async def _faults(self, request: Request) -> Response:
        plan = read_plan(await _json(request))
        self._world.faults.plan(plan.faults, seed=plan.seed)
        return Json({"faults": len(plan.faults)})

    async def _struck(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        struck = self._world.faults.struck()
        return Json([{"kind": fault.kind, "provider": fault.provider, "struck": count} for fault, count in struck])

    async def _inbound(self, request: Request) -> Response:
        asked = await _object(request)
        if asked.get("provider", "revring") != "revring":
            raise UsageWrong(f"nobody can write to `{asked['provider']}`", help='write "provider": "revring"')
        for name in ("from", "to"):
            if not is_phone(asked.get(name)):
                raise UsageWrong(f"`{asked.get(name)}` is no phone number", help=f'write "{name}": "+12025550101"')
        if not is_text(asked.get("body"), 1, 1_600):
            raise UsageWrong("a text has no body", help='write "body": "STOP"')
        agent = str(asked.get("agentId") or "")
        told = self._writes.receive_text(sender=asked["from"], to=asked["to"], agent=agent, text=asked["body"])
        return Json({"told": told})

    async def _event(self, request: Request) -> Response:
        asked = await _object(request)
        if asked.get("provider", "movoice") != "movoice":
            raise UsageWrong(f"`{asked['provider']}` tells no such events", help='write "provider": "movoice"')
        facts = {name: value for name, value in asked.items() if name not in ("provider", "event", "call_id")}
        try:
            told = self._tells.tell_event(str(asked.get("event")), call_id=str(asked.get("call_id")), facts=facts)
        except Refused as refused:
            raise UsageWrong(str(refused.body.get("error")), help='write "event", "call_id"') from refused
        return Json({"told": told})

    async def _land(self, request: Request) -> Response:
        has_body = bool(await request.body())
        provider = request.path_params["provider"]
        self._world.landings.append(
            Landing(at=self._world.clock.now(), method=request.method, provider=provider, has_body=has_body)
        )
        return Json({"landed": len(self._world.landings)})

    async def _landings(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json(
            [
                {"at": instant(one.at), "method": one.method, "provider": one.provider, "has_body": one.has_body}
                for one in self._world.landings
            ]
        )

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


def _mischief(options: object) -> Mischief | None:
    """Read what is to go wrong with webhooks; None when nothing is said about it."""
    if options is None:
        return None
    if not isinstance(options, dict):
        raise UsageWrong("the options of webhooks are an object", help='write {"lost": 0.1}')
    known = (*_SHARES, "late_seconds")
    for name in options:
        if name not in known:
            raise UsageWrong(f"webhooks have no option `{name}`", help=f"write one of {', '.join(known)}")
    late = options.get("late_seconds", 30)
    if not is_whole(late, 0) and not isinstance(late, float):
        raise UsageWrong(f"`{late}` seconds are no delay of webhooks", help="write 0 to 604800")
    shares = {name: read_share(options[name]) for name in _SHARES if name in options}
    return Mischief(**shares, late_seconds=float(late))


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
