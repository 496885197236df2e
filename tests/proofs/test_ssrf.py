"""The corpus of URLs, as the proof runs it."""

from __future__ import annotations

import pytest

from tests.proofs import ssrf
from tests.proofs.proof import Share


def test_no_url_of_the_corpus_is_let_through() -> None:
    figure = ssrf.run(Share.SMALL)

    assert figure.holds, figure.said


def test_the_proof_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.providers.addresses.address_problem", lambda *_, **__: "")

    assert not ssrf.run(Share.SMALL).holds
