"""The table of moves, move by move, and the key that never changes."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import MoveRefused
from runner.model.attempt import ENDED, LIVE, MOVES, AttemptState, attempt_key, check_move
from runner.model.move import OPEN_CONTACTS, ContactState, Move
from tests.building import NOON

S = AttemptState
ALLOWED = {
    (old, new)
    for old, news in {
        S.PLANNED: "claimed held cancelled suppressed expired superseded",
        S.CLAIMED: "sending planned in_doubt cancelled suppressed expired superseded",
        S.SENDING: "accepted finished planned in_doubt",
        S.ACCEPTED: "finished",
        S.IN_DOUBT: "accepted planned held finished",
        S.HELD: "accepted planned finished in_doubt",
        S.SUPERSEDED: "planned",
    }.items()
    for new in map(S, news.split())
}
ASKED_AGAIN = {(S.ACCEPTED, S.ACCEPTED), (S.IN_DOUBT, S.IN_DOUBT)}


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_only_what_the_table_names_is_allowed(old: S, new: S) -> None:
    assert (new in MOVES[old]) == ((old, new) in ALLOWED)
    if (old, new) in ALLOWED:
        check_move(old, new)
        assert Move(attempt_id=1, old=old, new=new, at=NOON).ends == (new in ENDED)
        return
    with pytest.raises(MoveRefused, match=f"cannot go from {old} to {new}"):
        check_move(old, new)
    if (old, new) in ASKED_AGAIN:
        assert Move(attempt_id=1, old=old, new=new, at=NOON).new is new
        return
    with pytest.raises(MoveRefused):
        Move(attempt_id=1, old=old, new=new, at=NOON)


def test_every_state_leads_to_an_end_and_from_an_end_nothing_is_sent() -> None:
    def reach(state: S, seen: frozenset[S] = frozenset()) -> frozenset[S]:
        for new in MOVES[state] - seen:
            seen = reach(new, seen | {new})
        return seen

    assert all(reach(state) & ENDED for state in S if state not in ENDED)
    assert all(S.SENDING not in MOVES[state] for state in S if state is not S.CLAIMED), "one way to a request"
    assert set(MOVES) == set(S)
    assert not LIVE & ENDED
    assert S.HELD not in LIVE | ENDED
    assert {ContactState.HELD, ContactState.REMOVED}.isdisjoint(OPEN_CONTACTS)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("renewals", "+12025550143", "call", 1), "b4ac3a2b45f54b4633b0e11791be0acb"),
        (("renewals", "+12025550143", "call", 2), "4727ec6ae9d007979a8777b8b7d9c4bc"),
        (("april-reminders", "customer-7", "text-2", 1), "f9a0a400df18095af56a5a5070c915bd"),
        (("x", "Zoë ✓", "call", 10), "6826a64f2c2ea3e5d336b1613615fbc6"),
    ],
)
def test_a_key_is_the_same_in_every_release(parts: tuple[str, str, str, int], key: str) -> None:
    assert attempt_key(*parts) == key


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)
people = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
attempts = st.tuples(names, people | people.map(lambda text: f"a\x1f{text}\x1f1"), names, st.integers(1, 99))


@given(attempts, attempts)
def test_two_attempts_never_share_a_key(one: tuple[str, str, str, int], other: tuple[str, str, str, int]) -> None:
    assert (attempt_key(*one) == attempt_key(*other)) == (one == other)
    assert len(attempt_key(*one)) == 32
