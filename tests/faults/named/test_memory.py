"""F8: an answer of 10 MB or one that unpacks to 200 MB costs the runner little memory, however often it comes."""

from __future__ import annotations

import asyncio
import gzip
import sys
import zlib

import pytest

from tests.providers.test_transport import listening, packed, saying

_MOST_KIB = 20 * 1024
_HUGE = 10 * 1024 * 1024


def _bomb() -> bytes:
    """Pack 200 MB of spaces, without having them all at once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(200)) + packer.flush()


@pytest.mark.fault("F8")
@pytest.mark.parametrize("answer", ["plain", "packed"])
async def test_f8_a_huge_answer_costs_little_memory(answer: str) -> None:
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _HUGE + b" " * _HUGE
    body = plain if answer == "plain" else packed(_bomb())
    async with listening(saying(body, keep=False)) as server:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.named.swallow", server.url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await asyncio.wait_for(child.communicate(), 60)
    grown = [int(line.split()[1]) for line in out.decode().splitlines()]

    assert child.returncode == 0
    assert len(grown) == 12, "each of them ends in doubt"
    assert max(grown) < _MOST_KIB


def test_the_bomb_is_one() -> None:
    assert len(_bomb()) < 1_000_000
    assert len(gzip.decompress(_bomb())) == 200_000_000
