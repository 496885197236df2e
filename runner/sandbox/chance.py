"""Chance that can be repeated: numbers that depend on nothing but what they are drawn for."""

from __future__ import annotations

from hashlib import blake2b


def draw(*parts: object) -> float:
    """Give a number from 0 up to 1 that depends on nothing but the parts."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    # 53 bits are what a float holds exactly, so that the result stays below 1
    return (int.from_bytes(digest) >> 11) / (1 << 53)
