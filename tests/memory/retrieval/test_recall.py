from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from habitus.memory.retrieval.question import Question, read_question
from habitus.memory.retrieval.recall import Ranking, known_at, without
from habitus.memory.retrieval.recall import rank as rank_for
from habitus.memory.store import Candidates, Layout

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
PLAIN = Question(meaning="?", words="?")


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


def rank(found: Candidates, question: Question = PLAIN) -> Ranking:
    return rank_for(found, question)


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


def test_what_the_assistant_said_is_found_when_it_is_asked_for() -> None:
    rows = [("a", True, 0.35, 0.6), ("a", False, 0.0, 0.0), ("b", True, 0.3, 0.5), ("b", False, 0.8, 6.0)]
    rows += [("c", True, 0.0, 0.0), ("c", False, 0.0, 0.0)]
    asked = read_question("Which café did you recommend? You told me last time.", NOON)
    assert rank(candidates(rows)).session_ids[0] == "a"
    assert rank(candidates(rows), asked).session_ids[0] == "b"
    assert rank(candidates(rows), asked).ranked_turn_ids[0] == "t3"


def test_a_session_on_the_day_that_the_question_names_is_ranked_up() -> None:
    day = 86_400.0
    now = NOON.timestamp()
    rows = [("far", True, 0.5, 1.0), ("near", True, 0.45, 1.0), ("other", True, 0.1, 0.0)]
    found = candidates(rows, at=[now - 40 * day, now - 14 * day, now - 3 * day])
    assert rank(found).session_ids[0] == "far"
    assert rank(found, read_question("What did I buy two weeks ago?", NOON)).session_ids[0] == "near"


def test_of_the_best_few_an_arm_counts_as_much_however_much_it_differs_among_them() -> None:
    rows = [("meant", True, 0.6, 1.0), ("worded", True, 0.59, 2.0), ("other", True, 0.58, 1.0)]
    far = [*rows, ("unlike", True, 0.0, 0.0)]
    for some in (rows, far):
        best = rank(replace(candidates(some), complete=False))
        assert best.session_ids[:2] == ("worded", "meant")
        apart = best.session_scores[0] - best.session_scores[1]
        assert apart == pytest.approx(0.18 - 7.4 * 0.01, abs=1e-6)


def test_of_the_best_few_a_reply_is_found_whose_question_is_not_among_them() -> None:
    rows = [("a", True, 0.35, 1.0), ("b", False, 0.3, 20.0), ("c", True, 0.2, 0.0)]
    found = replace(candidates(rows), complete=False)
    asked = read_question("Which café did you recommend? You told me last time.", NOON)
    assert rank(found).session_ids[0] == "a"
    assert rank(found, asked).session_ids[0] == "b"


def test_of_equals_the_newer_stands_first() -> None:
    ranking = rank(candidates([("old", True, 0.5, 1.0), ("new", True, 0.5, 1.0)], at=[10.0, 20.0]))
    assert ranking.session_ids == ("new", "old")
    assert ranking.rows.tolist() == [1, 0]


def test_what_was_said_later_is_not_known() -> None:
    now, day = NOON.timestamp(), 86_400.0
    found = candidates([("old", True, 0.1, 0.0), ("new", True, 0.9, 1.0)], at=[now - day, now + 2 * day])
    known = known_at(found, NOON)
    assert known.session_ids == ["old"]
    assert known.arms["cosine"].shape == known.at.shape == (1,)
    assert known_at(found, NOON + timedelta(days=9)) is found


def test_nothing_gives_nothing() -> None:
    ranking = rank(candidates([]))
    assert ranking.session_ids == ()
    assert ranking.rows.shape == (0,)


def test_ranking_the_turns_of_the_best_sessions_alone_leaves_their_order() -> None:
    rng = np.random.default_rng(1)
    found = candidates([(f"s{n % 9}", n % 3 > 0, *rng.random(2)) for n in range(60)])
    whole, part = rank(found), rank_for(found, PLAIN, n_sessions=4)
    assert part.session_ids == whole.session_ids
    best = set(whole.session_ids[:4])
    assert list(part.ranked_turn_ids) == [
        turn_id for turn_id in whole.ranked_turn_ids if found.session_ids[int(turn_id[1:])] in best
    ]


@pytest.mark.parametrize("has_layout", [False, True])
def test_turns_are_left_out_wherever_they_stand(has_layout: bool) -> None:
    found = candidates([("ab"[n % 2], True, n / 9, 0.0) for n in range(6)])
    if has_layout:
        # As of a store that has grown since: what it knows of later turns does not count.
        rows = {f"t{n}": n for n in range(9)}
        sessions = np.array([0, 1, 0, 1, 0, 1])
        found = replace(found, layout=Layout(rows=rows, session_ids=["a", "b", "c"], sessions=sessions))
    assert found.rows_of({"t3", "t1", "t7", "gone"}) == [("t1", 1), ("t3", 3)]
    for part in (found, without(found, {"t1", "t5"}), without(found, {"t4", "t5"}), without(found, {"t5"})):
        names, group = part.grouping
        assert [names[place] for place in group] == part.session_ids
    assert without(found, {"t1", "t2", "t3", "t4", "t5"}).grouping[0] == ("a",)
    assert without(found, {"t4", "t5", "gone"}).turn_ids == ["t0", "t1", "t2", "t3"]
    assert without(found, {"t1", "t5"}).turn_ids == ["t0", "t2", "t3", "t4"]
    assert without(found, {"t4", "t5"}).arms["cosine"].tolist() == found.arms["cosine"][:4].tolist()
    assert without(found, set(found.turn_ids)).turn_ids == []
    assert without(found, ()) is found
