"""The canary's small share, and that the search finds what it looks for."""

from __future__ import annotations

import base64

import pytest

from tests.proofs import canary
from tests.proofs.canary import KEYS, NAME, NUMBER, Artefacts
from tests.proofs.canary_shapes import SHAPES
from tests.proofs.proof import Share


def test_no_key_and_nobody_where_they_may_not_stand() -> None:
    figure = canary.run(Share.SMALL)

    assert figure.holds, figure.said


@pytest.mark.parametrize("key", KEYS.values())
@pytest.mark.parametrize("where", ["plan.out", "ledger:x", "processes", "anything"])
def test_a_key_is_found_anywhere_and_in_any_spelling(key: str, where: str) -> None:
    for text in (f"Bearer {key}", base64.b64encode(f"me:{key}".encode()).decode(), key.encode().hex()):
        assert Artefacts({where: f"before {text} after".encode()}).with_key() == [where]
    assert Artefacts({where: b"before env:CANARY_KEY after"}).with_key() == []


@pytest.mark.parametrize("word", [NUMBER, NUMBER[1:], NAME, "policy-7731-canary"])
def test_a_person_is_found_where_nobody_may_stand(word: str) -> None:
    for where in ("crash", "run.err", "serve.err", "metrics", "processes", "status.out", "report:x.html"):
        assert Artefacts({where: f"before {word} after".encode()}).with_person() == [where]
    assert Artefacts({"export.out": word.encode()}).with_person() == []
    assert Artefacts({"plan.out": NUMBER.encode()}).with_person() == ["plan.out"]


@pytest.mark.parametrize(
    "where", ["run.err", "serve.err", "notification:0", "report:x.html", "plan.out", "why.out", "anything"]
)
def test_the_key_of_an_attempt_is_found_where_it_may_not_stand(where: str) -> None:
    key = "0123456789abcdef" * 2
    for said in (key, key.upper()):
        assert Artefacts({where: f"attempt {said}: accepted".encode()}, (key,)).with_attempt() == [where]
    assert Artefacts({where: b"attempt a4f6c2be19ad07d3: accepted"}, (key,)).with_attempt() == []
    assert Artefacts({"ledger:x": key.encode(), "export.out": key.encode()}, (key,)).with_attempt() == []
    assert Artefacts({"run.err": b""}, (key,)).without_attempt() == ["told", "export.out", "plan-json.out"]


def test_finding_nobody_anywhere_is_no_proof() -> None:
    nothing = [*canary._HOLDS_PERSON, *canary._QUOTES_ROW, *(name for name, *_ in canary._QUOTES_SHAPES)]
    assert Artefacts({"export.out": b"", "plan-json.out": b""}).without_person() == nothing


@pytest.mark.parametrize("where", canary._QUOTES_ROW)
def test_a_number_is_found_in_a_row_that_is_quoted_and_no_row_quoted_is_no_proof(where: str) -> None:
    masked = f"error[V10]: 601\n3 | +1******0177,{NAME},n\nerror[V02]: empty\n".encode()
    assert Artefacts({where: masked}).with_person() == []
    assert where not in Artefacts({where: masked}).without_person()
    assert Artefacts({where: masked.replace(b"+1******0177", NUMBER.encode())}).with_person() == [where]
    for word in (b"V10", b"V02"):
        assert where in Artefacts({where: masked.replace(word, b"P03")}).without_person()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_number_is_found_in_every_shape(shape: str) -> None:
    for where, said, rows in canary._QUOTES_SHAPES:
        assert Artefacts({where: f"{said}\n".encode() * rows}).with_person() == []
        assert Artefacts({where: f"{shape}{said}\n".encode()}).with_person() == [where]
        assert where not in Artefacts({where: f"{said}\n".encode() * rows}).without_person()
        assert where in Artefacts({where: f"{said}\n".encode() * (rows - 1)}).without_person()
