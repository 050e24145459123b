"""A check of a store finds rows that do not belong together, and names them without anybody's words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from habitus.memory.records import Changes, Preference, Turn
from habitus.memory.storage.relational import RelationalStore

MakeTurns = Callable[..., tuple[Turn, ...]]


@pytest.fixture
def filled(store: RelationalStore, make_turns: MakeTurns) -> RelationalStore:
    turns = make_turns("ann", "s", "I love xylophones.", "Noted.", "And figs.")
    at = turns[0].at
    liked = Preference(
        id="p",
        user_id="ann",
        statement="xylophones",
        topic="music",
        target="x",
        stance="like",
        valid_from=at,
        learnt_at=at,
    )
    store.commit("ann", Changes(turns=turns, preferences=(liked,), unread=("s.0",)))
    store.commit("bob", Changes(turns=make_turns("bob", "s", "Hello.")))
    return store


def test_a_whole_store_is_found_whole(filled: RelationalStore) -> None:
    filled.forget("ann", turn_ids=["s.2"], rewrites={"s.0": "I love music."})
    steps: list[tuple[int, int]] = []
    found = filled.verify(lambda done, total: steps.append((done, total)))
    assert (found.n_users, found.n_turns, found.problems) == (2, 3, ())
    assert steps == [(1, 2), (2, 2)]


def test_a_user_who_is_deleted_meanwhile_is_left_out(filled: RelationalStore) -> None:
    def delete_the_other(done: int, total: int) -> None:
        if done == 1:
            filled.delete_user("bob")

    found = filled.verify(delete_the_other)
    assert (found.n_users, found.n_turns, found.problems) == (1, 3, ())


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE users SET n_turns = 7 WHERE user_id = ?", "7 messages are noted, 3 are stored"),
        ("UPDATE users SET n_own_terms = 1 WHERE user_id = ?", "1 terms of the user"),
        ("UPDATE sessions SET n_turns = 1 WHERE user_id = ?", "session 's' does not agree"),
        ("UPDATE turns SET id = 'lost' WHERE user_id = ? AND id = 's.0'", "1 rows of unread"),
        ("UPDATE preferences SET document = '{}' WHERE user_id = ?", "errors in preferences"),
        (
            "UPDATE preferences SET vectors = substr(vectors, 1, 8) WHERE user_id = ?",
            "vectors of 1 preferences",
        ),
    ],
)
def test_what_does_not_hold_together_is_named(filled: RelationalStore, damage: str, told: str) -> None:
    with filled._change("ann") as connection:
        connection.execute(damage, ("ann",))
    problems = filled.verify().problems
    assert any(told in problem and "'ann'" in problem for problem in problems), problems
    assert "xylophone" not in "".join(problems)
    assert "bob" not in "".join(problems)
