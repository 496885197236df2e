"""A receiver of webhooks on loopback, which answers as it is told and proves what it gets by another library."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


@dataclass
class Receiver:
    """What a receiver got, oldest first."""

    url: str
    answers: Callable[[int], int] = lambda _: 204
    """gives the status for the n-th request, from 0; negative seconds make it hang"""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def taken(self) -> list[str]:
        """The ids of what it said yes to."""
        return [one for one, status in zip(self.ids, self.answered, strict=False) if status < 300]

    def verified(self, secret: str = SECRET) -> list[Any]:
        """Verify everything with the reference library; it raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.raw]


@contextmanager
def receiver(answers: Callable[[int], int] = lambda _: 204, port: int = 0) -> Iterator[Receiver]:
    """Serve a receiver on loopback."""
    got: Receiver

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with got.lock:
                count = len(got.ids)
                got.bodies.append(json.loads(body))
                got.ids.append(self.headers.get("webhook-id", ""))
                got.raw.append(({name.lower(): value for name, value in self.headers.items()}, body))
                got.at_once += 1
                got.most_at_once = max(got.most_at_once, got.at_once)
            status = got.answers(count)
            if status < 0:
                got.ended.wait(-status)
                status = 504
            with got.lock:
                got.at_once -= 1
                got.answered.append(status)
            self.send_response(status)
            self.send_header("content-length", "0")
            if status == 302:
                self.send_header("location", got.url + "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    got = Receiver(url=f"http://127.0.0.1:{server.server_port}", answers=answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield got
    finally:
        got.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that another thread or process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
