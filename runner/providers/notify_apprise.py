"""Notifications to chat and mail by way of apprise, an extra: imported when first needed, run in threads of its own."""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from runner.errors import NotifyFailed
from runner.model.notification import Message

INSTALL: Final = "pip install 'outreach-runner[notify]'"
_SECONDS: Final = 15.0
_MOST_THREADS: Final = 8
"""a service that hangs keeps its thread: so many may hang, and then nothing is begun"""
_TITLE: Final = "outreach"


class Chat:
    """Sends text through apprise. `secret` follows a reference to an apprise URL, or raises NotifyFailed."""

    def __init__(self, secret: Callable[[str], Awaitable[str]]) -> None:
        self._secret = secret
        self._threads = 0

    async def post(self, reference: str, message: Message) -> None:
        """Send one line of text; raise NotifyFailed. It never waits longer than 15 s, whatever the service does."""
        url = await self._secret(reference)

        def work() -> None:
            # The import alone takes a second, so it stays off the event loop too.
            service = apprise().Apprise()
            if not service.add(url):
                raise NotifyFailed(f"`{reference}` holds no apprise URL", help="https://appriseit.com lists them")
            if not service.notify(body=message.text, title=_TITLE, body_format="text"):
                raise NotifyFailed("the service did not take it")

        if self._threads >= _MOST_THREADS:
            raise NotifyFailed("too many earlier notifications hang")
        try:
            async with asyncio.timeout(_SECONDS):
                await self._in_a_thread(work)
        except TimeoutError:
            raise NotifyFailed(f"the service did not answer in {_SECONDS:g} s") from None

    async def _in_a_thread(self, work: Callable[[], None]) -> None:
        """Do work in a daemon thread: one that hangs must not keep the process from ending."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._threads += 1

        def settle(error: NotifyFailed | None) -> None:
            self._threads -= 1
            if done.cancelled():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(None)

        def run() -> None:
            error = None
            try:
                work()
            except NotifyFailed as failed:
                error = failed
            except Exception as raised:  # noqa: BLE001 handed to the one who waits
                error = NotifyFailed(f"it could not be sent ({type(raised).__name__})")
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(settle, error)

        threading.Thread(target=run, name="apprise", daemon=True).start()
        await done


def apprise() -> Any:
    """Give the library; raise NotifyFailed with what to install when it is not there."""
    try:
        library = importlib.import_module("apprise")
    except ImportError:
        raise NotifyFailed("chat and mail need apprise, which is not installed", help=INSTALL) from None
    # Its own messages may name URLs, which hold keys.
    logging.getLogger("apprise").disabled = True
    return library
