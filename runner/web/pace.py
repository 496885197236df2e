"""How many webhooks that prove nothing one source may send: a bucket for each, refilled as time passes."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache

PER_SECOND = 50.0
"""how many unproven webhooks a source may send each second, over time"""

AT_ONCE = 100.0
"""how many it may send at once after a while of silence"""

MOST_SOURCES = 10_000
"""how many sources are remembered; of more, the one that was silent longest is forgotten"""

_IPV6_PREFIX = 64


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePace:
    """Tells sources apart by their address; instants are seconds of one monotonic clock.

    Only what proves nothing is counted, so a provider whose webhooks carry a proof may send as many as it likes.
    """

    per_second: float = PER_SECOND
    at_once: float = AT_ONCE
    most_sources: int = MOST_SOURCES
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def wait(self, address: str, now: float) -> float:
        """Give the seconds after which a source is listened to again; 0 when it is now."""
        bucket = self._buckets.get(_source_of(address))
        if bucket is None:
            return 0.0
        self._refill(bucket, now)
        return max(0.0, (1.0 - bucket.left) / self.per_second)

    def count(self, address: str, now: float) -> None:
        """Count one webhook that proved nothing."""
        source = _source_of(address)
        bucket = self._buckets.setdefault(source, _Bucket(self.at_once, now))
        self._refill(bucket, now)
        # What was under way when the bucket ran dry is forgiven: a source never owes more than one.
        bucket.left = max(0.0, bucket.left - 1.0)
        self._buckets.move_to_end(source)
        if len(self._buckets) > self.most_sources:
            self._buckets.popitem(last=False)

    def _refill(self, bucket: _Bucket, now: float) -> None:
        bucket.left = min(self.at_once, bucket.left + max(0.0, now - bucket.at) * self.per_second)
        bucket.at = now


@lru_cache(maxsize=1024)
def _source_of(address: str) -> str:
    """Give what counts as one source: an IPv4 address, the network of an IPv6 address, any other word itself."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:  # noqa: PLR2004 the protocol's own number
        return address
    mapped = known.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.ip_network((int(known), _IPV6_PREFIX), strict=False).network_address)
