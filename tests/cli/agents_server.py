"""A stand-in for the agents' endpoints of Revox and Movoice, over a real socket: keeps agents, loses answers on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal["drop_before", "drop_after"] | int
"""lose the request, lose the answer, or answer with that status and do nothing"""


class AgentsServer:
    """What lives at the provider, and what it was asked."""

    def __init__(self) -> None:
        self.agents: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, dict[str, Any] | None]] = []
        self.faults: list[Fault] = []
        """for the next requests that change something, in order"""
        self.lists_late = False
        """lists hold no agent that was made since this was set"""
        self.strips = False
        """stores prompts without their outer blanks, as a provider may"""
        self.url = ""
        self._unlisted: set[str] = set()
        self._made = 0

    def writes(self) -> list[tuple[str, str]]:
        """Give method and path of every request that asked for a change."""
        return [(method, path) for method, path, _ in self.asked if method != "GET"]

    def only(self) -> dict[str, Any]:
        """Give the one agent that lives here."""
        (agent,) = self.agents.values()
        return agent

    def show_all(self) -> None:
        """Let lists catch up."""
        self.lists_late = False
        self._unlisted.clear()

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any] | None:
        """Do what is asked and give status and body; None loses the answer."""
        self.asked.append((method, path, body))
        fault = self.faults.pop(0) if self.faults and method != "GET" else None
        if fault == "drop_before":
            return None
        if isinstance(fault, int):
            return fault, {"error": "refused", "message": "as the test wants it"}
        done = self._do(method, urlsplit(path).path, body or {})
        return None if fault == "drop_after" else done

    def _do(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        provider, _, agent_id = (*path.removeprefix("/").split("/", 2), "")[:3]
        if self.strips and isinstance(body.get("prompt"), str):
            body = {**body, "prompt": body["prompt"].strip()}
        if method == "POST":
            return 200, self._enveloped(provider, self.make(provider, body))
        if not agent_id:
            return 200, self._listed(provider)
        if agent_id not in self.agents:
            return 404, {"error": "not found"}
        if method == "PATCH":
            self.agents[agent_id] |= body
        return 200, self._enveloped(provider, self.agents[agent_id])

    def make(self, provider: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make an agent, as a request or a person at the provider's own page does."""
        self._made += 1
        agent_id = f"{provider}_{self._made}"
        self.agents[agent_id] = {"id": agent_id, **body}
        if self.lists_late:
            self._unlisted.add(agent_id)
        return self.agents[agent_id]

    def _listed(self, provider: str) -> Any:
        shown = [one for key, one in self.agents.items() if key.startswith(provider) and key not in self._unlisted]
        return {"assistants": shown} if provider == "revox" else {"data": shown, "total": len(shown), "page": 1}

    def _enveloped(self, provider: str, agent: dict[str, Any]) -> Any:
        return {"assistant": agent} if provider == "revox" else {"data": agent}


@contextmanager
def agents_server() -> Iterator[AgentsServer]:
    """Serve on 127.0.0.1 while the block runs."""
    state = AgentsServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers.get("Authorization") != "Bearer test-key":
                done: tuple[int, Any] | None = (401, {"error": "unauthorized"})
            else:
                done = state.answer(self.command, self.path, body)
            if done is None:
                self.close_connection = True
                return
            status, answer = done
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 the library's names

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the state keeps what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join(5)
