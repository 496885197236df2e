"""Sends requests over the network, once each; the only file that knows the HTTP library."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import Any, Literal

import httpx

from runner import __version__
from runner.errors import AddressRefused, InDoubt, NotSent, OutreachError, Rejected
from runner.model.fields import is_slow
from runner.model.json import JsonObject
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.providers.addresses import guarded_transport
from runner.providers.registry import provider_for
from runner.providers.replies import MAX_ANSWER, MAX_BODY

Reached = Literal["not_sent", "in_doubt"]

ERRORS: tuple[tuple[type[Exception], Reached], ...] = (
    (httpx.ConnectError, "not_sent"),
    (httpx.ConnectTimeout, "not_sent"),
    (httpx.PoolTimeout, "not_sent"),
    (httpx.UnsupportedProtocol, "not_sent"),
    (httpx.LocalProtocolError, "not_sent"),
    (httpx.ProxyError, "not_sent"),
    (httpx.InvalidURL, "not_sent"),
    (httpx.ReadTimeout, "in_doubt"),
    (httpx.WriteTimeout, "in_doubt"),
    (httpx.ReadError, "in_doubt"),
    (httpx.WriteError, "in_doubt"),
    (httpx.CloseError, "in_doubt"),
    (httpx.RemoteProtocolError, "in_doubt"),
    (httpx.DecodingError, "in_doubt"),
    (httpx.TooManyRedirects, "in_doubt"),
    (httpx.HTTPStatusError, "in_doubt"),
    (httpx.StreamError, "in_doubt"),
    (httpx.CookieConflict, "in_doubt"),
    (httpx.HTTPError, "in_doubt"),
)
"""what each error of the library proves, the first that fits; TLS failures are ConnectErrors"""

_ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_LAST_PORT = 65_535
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for what, in seconds."""

    connect: float = 5.0
    write: float = 5.0
    read: float = 30.0
    """for the next bytes of the answer"""
    pool: float = 5.0
    whole: float = 90.0
    """for everything together, so that an answer which drips in cannot hold a worker for ever"""


class HttpTransport:
    """Implements the port `Transport` over HTTP/1.1.

    Takes ``credentials``, which gives the key for a reference (or raises CredentialMissing), and
    ``auth``, which gives for an account the function that puts a key into headers; ``network`` carries
    requests in place of real connections; ``may_leave`` is asked once a connection stands, right before the
    first byte of a request that is no look-up and again before its body, and raises a NotSent when it must
    not leave any more.
    Asks for no proxy, follows no redirect, keeps no cookie, never tries again.
    """

    def __init__(
        self,
        credentials: Callable[[str], str],
        auth: Callable[[Account], Callable[[str], Mapping[str, str]]] | None = None,
        *,
        timeouts: Timeouts | None = None,
        network: httpx.AsyncBaseTransport | None = None,
        may_leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._credentials = credentials
        self._may_leave = may_leave
        self._auth = auth or (lambda account: provider_for(account).auth_headers)
        self._timeouts = timeouts or Timeouts()
        tls = httpx.create_ssl_context(trust_env=False) if network is None else None
        # A connection that idled may be closed by the other side just when a dial request is on its
        # way, and nobody can tell whether it arrived: every POST gets a connection of its own.
        self._fresh, self._kept = (
            {own: _client(self._timeouts, tls, keep, network, allow_loopback=own) for own in (False, True)}
            for keep in (0, 20)
        )

    async def send(self, account: Account, request: Request) -> Reply:
        """Send one request, once; give whatever answer came, whatever its status.

        Raises NotSent when it provably never arrived and InDoubt when it may have. Raises Rejected
        with ``pause`` when the account has no usable key or generation: nothing was sent, nothing else will be.
        """
        is_look_up = request.method == "GET" or request.reads
        client = (self._kept if is_look_up else self._fresh)[account.allow_loopback]
        prepared = self._prepare(client, account, request, await self._key_headers(account))
        if not is_look_up:
            prepared.extensions["trace"] = self._ask_last
        try:
            async with asyncio.timeout(self._timeouts.whole):
                return await _exchange(client, prepared, MAX_ANSWER if is_look_up else MAX_BODY)
        except TimeoutError:
            raise InDoubt(f"{account.provider} did not finish its answer in {self._timeouts.whole:g} s") from None
        except Exception as error:  # noqa: BLE001 whatever it was, the request may have left
            raise translated(account.provider, error) from None

    async def aclose(self) -> None:
        """Close every connection; nothing can be sent afterwards."""
        for client in (*self._fresh.values(), *self._kept.values()):
            await client.aclose()

    async def _ask_last(self, event: str, _: object) -> None:
        """Ask whether a request may still leave: the key, the name and the connection may have taken seconds.

        Other tasks run between headers and body, and a process may be stopped in any of them. A provider
        acts on no request whose body never comes, but what has begun to leave is in doubt all the same.
        """
        if event.endswith(".send_request_headers.started"):
            self._may_leave()
        elif event.endswith(".send_request_body.started"):
            try:
                self._may_leave()
            except NotSent as late:
                raise InDoubt(f"{late.message}; its headers had left, its body did not") from None

    async def _key_headers(self, account: Account) -> Mapping[str, str]:
        """Give the headers that carry an account's key; raise Rejected with ``pause`` when there is none."""
        reference = account.credential
        try:
            if is_slow(reference):
                return self._auth(account)(await asyncio.to_thread(self._credentials, reference))
            return self._auth(account)(self._credentials(reference))
        except OutreachError as unusable:
            raise Rejected(unusable.message, pause=True, help=unusable.help) from None

    def _prepare(
        self, client: httpx.AsyncClient, account: Account, request: Request, key: Mapping[str, str]
    ) -> httpx.Request:
        """Build the library's request; nothing has left while this runs."""
        headers = {**request.headers, **key}
        content = None if request.body is None else encoded(request.body)
        try:
            prepared = client.build_request(
                request.method,
                _url(account.base_url + request.path),
                content=content,
                headers=headers if content is None else {**_JSON, **headers},
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            # The library's own words may quote a header, so only the kind of error is told.
            raise NotSent(f"the request to {account.provider} cannot be written ({_kind(error)})") from None
        if (prepared.url.port or 0) > _LAST_PORT:
            raise NotSent(f"`{prepared.url.port}` is not a port", help="correct base_url in outreach.yaml")
        if _origin(prepared.url) != _origin_of(account.base_url):
            raise Rejected("the request would take the key to another host than the account's", pause=True)
        return prepared


def encoded(body: JsonObject) -> bytes:
    """Write a body as compact UTF-8 JSON, letters as they are; raise NotSent for what JSON cannot hold."""
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain)
        return text.encode()
    except (ValueError, TypeError) as error:
        raise NotSent(f"the request cannot be written as JSON ({_kind(error)})") from None


def reached(error: Exception) -> Reached | None:
    """Say what an error of the HTTP library proves; None for an error that is not of the library."""
    return next((proof for kind, proof in ERRORS if isinstance(error, kind)), None)


def translated(provider: str, error: Exception) -> Exception:
    """Give our error for one of the library: NotSent or InDoubt; Rejected with ``pause`` for a forbidden address.

    The library's own words are left out, since they may quote a header with the key.
    """
    if isinstance(error, (NotSent, InDoubt)):
        return error
    if isinstance(error, AddressRefused):
        return Rejected(f"{provider} was not called: {error.message}", pause=True, help=error.help)
    if reached(error) == "not_sent":
        return NotSent(f"{provider} was not reached ({_kind(error)})")
    return InDoubt(f"the request to {provider} may have arrived ({_kind(error)})")


class _NoCookies(CookieJar):
    """Takes no cookie out of an answer and puts none into a request."""

    def extract_cookies(self, *_: object) -> None:
        """Leave them where they are."""


def _client(
    timeouts: Timeouts, tls: Any, keep_alive: int, network: httpx.AsyncBaseTransport | None, *, allow_loopback: bool
) -> httpx.AsyncClient:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"outreach-runner/{__version__}",
    }
    if not keep_alive:
        headers["Connection"] = "close"
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=keep_alive, keepalive_expiry=2.0)
    return httpx.AsyncClient(
        transport=network or guarded_transport(allow_loopback=allow_loopback, tls=tls, limits=limits),
        trust_env=False,
        follow_redirects=False,
        headers=headers,
        cookies=_NoCookies(),
        timeout=httpx.Timeout(connect=timeouts.connect, write=timeouts.write, read=timeouts.read, pool=timeouts.pool),
    )


async def _exchange(client: httpx.AsyncClient, request: httpx.Request, limit: int) -> Reply:
    """Send and read the answer; stop at ``limit`` bytes, whatever is still to come."""
    response = await client.send(request, stream=True)
    try:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > limit:
                raise InDoubt(f"the answer {response.status_code} is larger than {limit // MAX_BODY} MiB")
            chunks.append(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=headers, body=_plain_body(headers, b"".join(chunks), limit))
    finally:
        await response.aclose()


def _plain_body(headers: Mapping[str, str], raw: bytes, limit: int) -> bytes:
    """Unpack an answer that came packed although none was asked for, at most ``limit`` bytes of it.

    What cannot be unpacked stays as it is: the status may still prove something.
    """
    window = _ENCODINGS.get(headers.get("content-encoding", "").strip().lower())
    if window is None:
        return raw
    unpacker = zlib.decompressobj(window)
    try:
        body = unpacker.decompress(raw, limit)
    except zlib.error:
        return raw
    if unpacker.unconsumed_tail:
        raise InDoubt(f"the unpacked answer is larger than {limit // MAX_BODY} MiB")
    return body


def _plain(value: Any) -> Any:
    """Give a frozen map or list as one that JSON knows."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def _kind(error: Exception) -> str:
    """Name the kind of an error in words: `ReadTimeout` is `read timeout`."""
    name = type(error).__name__
    return "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()


@lru_cache(maxsize=256)
def _origin_of(base_url: str) -> tuple[str, str, int | None]:
    return _origin(httpx.URL(base_url))


@lru_cache(maxsize=256)
def _url(text: str) -> httpx.URL:
    """Take an address apart; that to which requests are posted is one for each account."""
    return httpx.URL(text)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Give what a key is bound to: scheme, host and port."""
    return url.scheme, url.host, url.port
