"""Where requests may go: which URLs and which addresses, before a name is resolved and after.

A key or a person's data must not reach a service inside the network that the runner stands in. Which
addresses are public is IANA's special-purpose registries (RFC 6890, as Python's `ipaddress` carries them),
narrowed by the forms that hide another address: IPv4 in IPv6, NAT64, 6to4, Teredo.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from runner.errors import AddressRefused

LOOPBACK_HELP: Final = "write a public https address, or add: allow_loopback: true"
_PUBLIC_HELP: Final = "write a public https address"
_GLOBAL_UNICAST: Final = ipaddress.ip_network("2000::/3")
_HIDING: Final = (
    (ipaddress.ip_network("2002::/16"), "a 6to4 address"),
    (ipaddress.ip_network("2001::/32"), "a Teredo address"),
    (ipaddress.ip_network("64:ff9b::/96"), "a NAT64 address"),
    (ipaddress.ip_network("64:ff9b:1::/48"), "a NAT64 address"),
    (ipaddress.ip_network("::/96"), "an IPv4 address written as IPv6"),
)
_RELAY: Final = ipaddress.ip_network("192.88.99.0/24")
_SHARED: Final = ipaddress.ip_network("100.64.0.0/10")
_METADATA: Final = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip
_INNER_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "onion", "home.arpa")
_LONGEST_NAME: Final = 253
_LONGEST_LABEL: Final = 63
_LAST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a URL leads, as far as it says so itself."""

    scheme: str
    host: str
    """lower case, without brackets; a name or an address in its one usual form"""
    port: int


def place_of(url: str, *, allow_loopback: bool = False) -> Place:
    """Read where a URL leads, without resolving anything; raise AddressRefused where nothing may be sent.

    It must be https and name a public host. With ``allow_loopback`` this machine is allowed too, by http
    or https, and nothing else that is not public.
    """
    parts = _parts_of(url)
    host = parts.hostname or ""
    port = _port_of(parts, url)
    address = _literal(host, url)
    if address is None:
        _check_name(host, url, allow_loopback=allow_loopback)
        here = _is_local_name(host)
    else:
        why = address_problem(str(address), allow_loopback=allow_loopback)
        if why:
            raise AddressRefused(f"`{url}` leads to {why}", help=_help_for(address))
        here = address.is_loopback
    if parts.scheme == "http" and not (here and allow_loopback):
        secure = f"https{url.removeprefix('http')}"
        raise AddressRefused(f"`{url}` is not https: what is sent could be read on its way", help=f"write: {secure}")
    return Place(scheme=parts.scheme, host=host, port=port)


def address_problem(address: str, *, allow_loopback: bool = False) -> str:
    """Say what an address is that nothing may be sent to, such as `a private address`; empty when it is fine."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return f"`{address}`, which is no address"
    if found.is_loopback:
        return "" if allow_loopback else "this machine"
    if found in _METADATA:
        return "a cloud's metadata service"
    if isinstance(found, ipaddress.IPv6Address):
        return _problem_of_v6(found)
    return _problem_of(found)


def _parts_of(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused(f"`{_shown(url)}` holds characters that no URL holds", help=_PUBLIC_HELP)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise AddressRefused(f"`{url}` is not a URL", help=_PUBLIC_HELP) from None
    if parts.scheme not in {"http", "https"}:
        raise AddressRefused(f"`{url}` is not an https URL", help=_PUBLIC_HELP)
    if "@" in parts.netloc:
        raise AddressRefused("a URL with a user or a password in it leads elsewhere than it seems", help=_PUBLIC_HELP)
    if not host:
        raise AddressRefused(f"`{url}` names no host", help=_PUBLIC_HELP)
    if "%" in parts.netloc:
        raise AddressRefused(f"`{url}` hides its host behind a percent sign", help=_PUBLIC_HELP)
    return parts


def _port_of(parts: SplitResult, url: str) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return 443 if parts.scheme == "https" else 80
    if not 0 < port <= _LAST_PORT:
        raise AddressRefused(f"`{url}` names no port from 1 to 65535", help=_PUBLIC_HELP)
    return port


def _literal(host: str, url: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Give the address that a host is; None for a name. Refuses what only some resolvers take for an address."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    last = host.rstrip(".").rpartition(".")[2]
    # `127.1`, `2130706433`, `0x7f000001` and `0177.0.0.1` are this machine to the resolver of the system.
    if ":" in host or last.isdigit() or last.startswith("0x"):
        raise AddressRefused(f"`{url}` writes an address in a form that hides it", help=_PUBLIC_HELP)
    return None


def _check_name(host: str, url: str, *, allow_loopback: bool) -> None:
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(_is_label(label) for label in labels):
        raise AddressRefused(f"`{url}` names no host", help=_PUBLIC_HELP)
    if _is_local_name(host) and allow_loopback:
        return
    if len(labels) == 1 or any(host.endswith(f".{inner}") for inner in _INNER_NAMES):
        help_line = LOOPBACK_HELP if _is_local_name(host) else _PUBLIC_HELP
        raise AddressRefused(f"`{url}` leads to a host inside a network, not a public one", help=help_line)


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return bool(plain) and plain.isalnum() and len(label) <= _LONGEST_LABEL and not label.startswith("-")


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _problem_of(found: ipaddress.IPv4Address) -> str:
    special = (
        (found.is_unspecified, "the address of no machine"),
        (found.is_link_local, "a link-local address"),
        (found in _SHARED, "an address inside a carrier's network"),
        (found.is_multicast, "a multicast address"),
        (found in _RELAY, "a 6to4 relay"),
        (found.is_private, "a private address"),
        (not found.is_global, "an address that is not public"),
    )
    return next((why for is_so, why in special if is_so), "")


def _problem_of_v6(found: ipaddress.IPv6Address) -> str:
    if found.scope_id is not None:
        return "an address of one network link"
    if found.ipv4_mapped is not None:
        return "an IPv4 address written as IPv6"
    if found.is_unspecified:
        return "the address of no machine"
    hidden = next((why for network, why in _HIDING if found in network), "")
    if hidden:
        return hidden
    special = (
        (found.is_link_local, "a link-local address"),
        (found.is_multicast, "a multicast address"),
        (found.is_site_local or found.is_private, "a private address"),
        (found not in _GLOBAL_UNICAST or not found.is_global, "an address that is not public"),
    )
    return next((why for is_so, why in special if is_so), "")


def _help_for(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return LOOPBACK_HELP if address.is_loopback else _PUBLIC_HELP


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)[:200]
