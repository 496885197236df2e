"""What each error of the HTTP library proves, and what cannot be written at all."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from runner.errors import InDoubt, NotSent
from runner.providers.transport import ERRORS, encoded, reached, translated

SECRET = "sk_canary_0123456789"


@pytest.mark.parametrize("body", [{"n": float("nan")}, {"n": {1, 2}}, {"n": "\ud800"}])
def test_bodies_that_json_cannot_hold(body: Any) -> None:
    with pytest.raises(NotSent):
        encoded(body)


def test_a_frozen_body_is_written_too() -> None:
    assert encoded(MappingProxyType({"a": MappingProxyType({"b": (1, 2)})})) == b'{"a":{"b":[1,2]}}'


def every_error() -> list[type[Exception]]:
    return [
        value
        for _, value in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(value, Exception)
    ]  # fmt: skip


NOT_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.InvalidURL,
}


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_library_is_in_the_table(kind: Any) -> None:
    error = kind.__new__(kind)
    proof = "not_sent" if kind in NOT_SENT else "in_doubt"

    assert reached(error) == proof
    assert isinstance(translated("revox", error), NotSent if kind in NOT_SENT else InDoubt)


def test_the_table_holds_the_whole_tree() -> None:
    tree = {httpx.HTTPError, httpx.StreamError}
    grown = set(tree)
    while grown:
        grown = {
            child for kind in grown for child in kind.__subclasses__() if child.__module__.startswith("httpx")
        } - tree
        tree |= grown

    assert tree <= set(every_error())
    assert {kind for kind, proof in ERRORS if proof == "not_sent"} == NOT_SENT


def test_an_error_from_elsewhere_is_a_doubt() -> None:
    assert reached(RuntimeError("x")) is None
    assert isinstance(translated("revox", RuntimeError(SECRET)), InDoubt)
    assert SECRET not in str(translated("revox", RuntimeError(SECRET)))
