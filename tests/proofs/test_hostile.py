"""The proof by hostile input says what it found, and sees a case that gets through."""

from __future__ import annotations

import pytest

from tests.hostile import webhooks
from tests.hostile.cases import Verdict
from tests.proofs import hostile
from tests.proofs.proof import Share


def _one(*, holds: bool) -> list[Verdict]:
    return [Verdict(what="a thing", holds=holds, said="", cpu=0.01, mib=50)]


@pytest.mark.parametrize("holds", [True, False])
def test_one_case_that_gets_through_breaks_the_promise(monkeypatch: pytest.MonkeyPatch, *, holds: bool) -> None:
    """The corpora themselves are run by tests/hostile/test_corpora.py."""
    monkeypatch.setattr(hostile, "told_by", lambda module: _one(holds=holds or not module.endswith("rows")))
    monkeypatch.setattr(webhooks, "verdicts", lambda: _one(holds=True))
    monkeypatch.setattr(hostile, "corpus", list)
    monkeypatch.setattr(hostile, "PROMISED", {})
    figure = hostile.prove(Share.SMALL)

    assert figure.holds is holds
    assert ("not so: CSV rows: a thing" in figure.said) is not holds


def test_a_corpus_that_shrank_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "told_by", lambda _: _one(holds=True) * 60)
    monkeypatch.setattr(webhooks, "verdicts", lambda: _one(holds=True) * 60)
    monkeypatch.setattr(hostile, "corpus", list)
    figure = hostile.prove(Share.SMALL)

    assert not figure.holds
    assert figure.said.endswith("not so: fewer than 40 URLs")
