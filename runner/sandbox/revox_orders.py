"""Revox's call orders: each is tried by Revox itself until somebody is reached or the tries are used up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runner.sandbox import revox_webhooks
from runner.sandbox.call import Call, Stage
from runner.sandbox.lines import Lines
from runner.sandbox.revox_order import Order
from runner.sandbox.revox_retries import DEFAULT_RETRIES, read_plan
from runner.sandbox.world import Asked, World


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a request wants of an order."""

    phone: str
    assistant_id: str
    reference: str
    body: Mapping[str, Any]
    assistant: Mapping[str, Any] | None = None
    """the assistant's record; None when nothing is known of it"""
    is_stored: bool = False
    """the assistant stands in Revox's own list"""
    campaign_id: str = ""
    campaign_name: str = ""
    lines: Lines | None = None
    scheduled_at: datetime | None = None


class Orders:
    """The orders of one organization."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revox
        self._orders: dict[str, Order] = {}
        self._keyed: dict[str, Lines] = {}

    def forget(self) -> None:
        """Forget every order."""
        self._orders.clear()
        self._keyed.clear()

    def all(self) -> list[Order]:
        """Give every order, oldest first."""
        return list(self._orders.values())

    def get(self, id: str) -> Order | None:
        """Give an order by its id; None when there is none."""
        return self._orders.get(id)

    def open(self, new: NewOrder) -> Order:
        """Write down an order that nobody launched yet."""
        limit = (new.assistant or {}).get("max_call_duration_secs")
        asked = Asked(
            provider="revox",
            to=new.phone,
            agent=new.assistant_id,
            reference=new.reference,
            body=new.body,
            talk_limit=limit,
        )
        call = self._world.open(asked, id=f"call_{self._world.new_id('call')[:20]}")
        order = Order(
            call=call,
            assistant=new.assistant,
            campaign_id=new.campaign_id,
            campaign_name=new.campaign_name,
            lines=new.lines or self._lines_of(new.body.get("concurrency")),
            scheduled_at=new.scheduled_at,
            ignores_windows=new.body.get("skip_calling_window") is True or new.body.get("force_now") is True,
        )
        self._orders[call.id] = order
        own = new.body.get("call_retry_config") or (new.assistant or {}).get("call_retry_config")
        self.plan(order, own or (DEFAULT_RETRIES if new.is_stored else None))
        return order

    def plan(self, order: Order, config: Mapping[str, Any] | None) -> None:
        """Give an order its retry loop, None for one call at once; one that waits for its time waits anew."""
        order.config = config
        order.plan = read_plan(config, order.call.to) if config and self._switches.own_retries else None
        if order.call.stage is Stage.SCHEDULED:
            self._world.hold(order.call)
            self.launch(order, order.wanted_at)

    def lines(self, limit: int | None) -> Lines:
        """Give lines whose calls keep to their windows also when they had to wait for one."""
        return Lines(self._world.dial, limit, may_dial=self._may_dial)

    def launch(self, order: Order, at: datetime | None) -> None:
        """Dial at an instant, now with None, or as soon after as a window is open and a line is free."""
        now = self._world.clock.now()
        order.wanted_at = at
        start = max(now, at or now)
        if order.plan is not None and not order.ignores_windows:
            start = order.plan.opens_at(start)
        self._world.launch(order.call, at=start if start > now else None, lines=order.lines)

    def cancel(self, order: Order) -> bool:
        """End an order for good; say whether there was anything to end."""
        call = order.call
        if call.is_over or call.stage is Stage.ANALYSING:
            return False
        order.is_final = True
        if call.is_live:
            self._world.hang_up(call)
        else:
            self._world.cancel(call)
        return True

    def abort(self, order: Order) -> None:
        """Let an order's running call finish and nothing follow."""
        order.is_final = True
        if not order.call.is_over and not order.call.is_live and order.call.stage is not Stage.ANALYSING:
            self._world.cancel(order.call)

    def pause(self, order: Order) -> bool:
        """Stop an order's loop, its running call finishes; say whether there is a loop to stop."""
        never_launched = order.call.stage is Stage.HELD and not order.is_paused
        if order.call.is_over or never_launched:
            return False
        order.is_paused = True
        if order.call.stage in {Stage.SCHEDULED, Stage.QUEUED}:
            self._world.hold(order.call)
        return True

    def resume(self, order: Order) -> bool:
        """Go on with an order's loop; say whether it is not over."""
        was_paused, order.is_paused = order.is_paused, False
        if was_paused and order.call.stage is Stage.HELD:
            self.launch(order, order.wanted_at)
        return not order.call.is_over

    def tell(self, call: Call) -> None:
        """Take in what happened to an order's call."""
        order = self._orders.get(call.id)
        if order is None or call.stage is not Stage.ENDED or call.last is None:
            return
        again_at = order.plan.next_try_at(call.attempts) if order.plan and not order.is_final else None
        if again_at is not None:
            self._try_again(order, again_at)
        elif call.last.outcome == "answered" and not call.last.hung_up and self._switches.post_processing_seconds:
            call.stage = Stage.ANALYSING
            at = (call.ended_at or call.updated_at) + timedelta(seconds=self._switches.post_processing_seconds)
            call.next_entry = self._world.later(at, lambda: self._complete(order, at), far=False)
        else:
            self._post(order)

    def _try_again(self, order: Order, at: datetime) -> None:
        if self._switches.webhook_per_attempt:
            self._post(order)
        if order.is_paused:
            order.wanted_at = at
            order.call.stage = Stage.HELD
        else:
            self.launch(order, at)

    def _complete(self, order: Order, at: datetime) -> None:
        order.call.stage = Stage.ENDED
        order.call.next_entry = None
        order.call.updated_at = at
        self._post(order)

    def _post(self, order: Order) -> None:
        """Send the webhook of an order; one that was cancelled before anybody was dialled has none."""
        nested = self._switches.webhook == "nested"
        body = revox_webhooks.nested_webhook(order) if nested else revox_webhooks.flat_webhook(order)
        call = order.call
        call.delivery = self._world.webhooks.post("revox", body, after=call.delivery)

    def _may_dial(self, call: Call) -> bool:
        order = self._orders[call.id]
        now = self._world.clock.now()
        if order.plan is None or order.ignores_windows or order.plan.opens_at(now) <= now:
            return True
        self.launch(order, now)
        return False

    def _lines_of(self, concurrency: Mapping[str, Any] | None) -> Lines | None:
        if not concurrency:
            return None
        limit = concurrency.get("max", self._switches.key_limit)
        lines = self._keyed.setdefault(concurrency["key"], self.lines(limit))
        lines.allow(limit)
        return lines
