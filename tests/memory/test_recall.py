import numpy as np
import pytest

from habitus.memory.recall import rank
from habitus.memory.store import Candidates


def candidates(rows: list[tuple[str, bool, float, float]], *, at: list[float] | None = None) -> Candidates:
    """Rows are (session, is the user's, cosine, bm25); session arms follow the user's best turn."""
    sessions = [row[0] for row in rows]
    best = {s: max([r[2] for r in rows if r[0] == s and r[1]], default=0.0) for s in sessions}
    words = {s: max([r[3] for r in rows if r[0] == s and r[1]], default=0.0) for s in sessions}
    return Candidates(
        turn_ids=[f"t{i}" for i in range(len(rows))],
        session_ids=sessions,
        index=np.arange(len(rows)),
        is_user=np.array([row[1] for row in rows], dtype=bool),
        at=np.array(at if at is not None else np.arange(len(rows)), dtype=float),
        arms={
            "cosine": np.array([row[2] for row in rows], dtype=np.float32),
            "bm25": np.array([row[3] for row in rows], dtype=np.float32),
            "session_cosine": np.array([best[s] for s in sessions], dtype=np.float32),
            "session_bm25": np.array([words[s] for s in sessions], dtype=np.float32),
        },
        complete=True,
    )


def test_a_session_is_as_good_as_its_best_turn() -> None:
    ranking = rank(candidates([("a", True, 0.1, 0.0), ("a", True, 0.9, 3.0), ("b", True, 0.5, 1.0)]))
    assert ranking.session_ids == ("a", "b")
    assert ranking.rows[0] == 1


def test_every_session_and_turn_is_ranked_once() -> None:
    ranking = rank(candidates([("a", True, 0.1, 0.0), ("b", False, 0.9, 3.0), ("a", False, 0.2, 1.0)]))
    assert sorted(ranking.session_ids) == ["a", "b"]
    assert sorted(ranking.rows.tolist()) == [0, 1, 2]
    assert np.all(np.diff(ranking.scores) <= 0)
    assert np.all(np.diff(ranking.session_scores) <= 0)


def test_the_users_words_stand_before_a_reply_that_repeats_them() -> None:
    ranking = rank(
        candidates(
            [("a", True, 0.6, 2.0), ("a", False, 0.65, 2.2), ("b", True, 0.0, 0.0), ("b", False, 0.0, 0.0)]
        )
    )
    assert ranking.rows[0] == 0


def test_what_only_the_assistant_said_is_found() -> None:
    ranking = rank(
        candidates(
            [("a", True, 0.3, 0.5), ("a", False, 0.0, 0.0), ("b", True, 0.3, 0.5), ("b", False, 0.8, 6.0)]
        )
    )
    assert ranking.session_ids[0] == "b"


def test_of_equals_the_newer_stands_first() -> None:
    ranking = rank(candidates([("old", True, 0.5, 1.0), ("new", True, 0.5, 1.0)], at=[10.0, 20.0]))
    assert ranking.session_ids == ("new", "old")
    assert ranking.rows.tolist() == [1, 0]


def test_nothing_gives_nothing() -> None:
    ranking = rank(candidates([]))
    assert ranking.session_ids == ()
    assert ranking.rows.shape == (0,)


def test_a_weight_for_an_unknown_arm_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown arms"):
        rank(candidates([("a", True, 0.5, 1.0)]), session_weights={"smell": 1.0})
