"""The second look at the best sessions: statements count, and the rest go by what was found first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from habitus.memory.index.units import units
from habitus.memory.retrieval.question import Question, read_question
from habitus.memory.retrieval.recall import Ranking, rank
from habitus.memory.retrieval.reranking import (
    MAX_TALK,
    SESSIONS_READ,
    TURNS_READ,
    Said,
    is_statement,
    rerank,
    to_read,
)
from habitus.memory.store import Candidates
from habitus.retrievers.encoder import Vectors

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
PLAIN = Question(meaning="?", words="?")
ASKED = np.array([1.0, 0.0, 0.0], dtype=np.float32)


def towards(cosine: float, *, side: int = 1) -> Vectors:
    """A vector of length 1 so near to the question; `side` tells apart what is equally near."""
    vector = np.zeros(3, dtype=np.float32)
    vector[0], vector[side] = cosine, (1.0 - cosine**2) ** 0.5
    return vector


def found(
    said: list[tuple[str, str, Vectors]], *, by_user: bool = True
) -> tuple[Candidates, dict[str, Said]]:
    """Messages as (session, text, vector of each sentence), oldest first, one message a day."""
    cosine = np.array([float(vector @ ASKED) for _, _, vector in said], dtype=np.float32)
    sessions = [session for session, _, _ in said]
    best = {name: max(c for s, c in zip(sessions, cosine, strict=True) if s == name) for name in sessions}
    by_session = np.array([best[name] for name in sessions], dtype=np.float32)
    candidates = Candidates(
        turn_ids=[f"t{n}" for n in range(len(said))],
        session_ids=sessions,
        index=np.zeros(len(said), dtype=np.int64),
        is_user=np.full(len(said), by_user),
        at=np.array([(NOON - timedelta(days=90 - n)).timestamp() for n in range(len(said))]),
        arms={
            "cosine": cosine,
            "bm25": np.zeros(len(said), dtype=np.float32),
            "session_cosine": by_session,
            "session_bm25": np.zeros(len(said), dtype=np.float32),
        },
        complete=True,
    )
    texts = {
        f"t{n}": Said(text=text, vectors=np.stack([vector] * len(units("user", text))))
        for n, (_, text, vector) in enumerate(said)
    }
    return candidates, texts


def again(said: list[tuple[str, str, Vectors]], question: Question = PLAIN) -> tuple[Ranking, Ranking]:
    candidates, texts = found(said)
    ranking = rank(candidates, question)
    return ranking, rerank(candidates, ranking, question, ASKED, texts)


FAR = [(f"far{n}", "I saw a film on some evening.", towards(0.0, side=2)) for n in range(6)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("I moved to Turin.", True),
        ("We’ve moved to Turin.", True),
        ("Which shop in Turin would I like?", False),
        ("The shops of Turin open late.", False),
        ("Item 5 is in stock.", False),
    ],
)
def test_a_statement_is_in_the_first_person_and_asks_nothing(sentence: str, expected: bool) -> None:
    assert is_statement(sentence) is expected


def test_what_the_user_stated_stands_before_what_the_user_asked() -> None:
    said = [
        ("asked", "Where can one get a certificate in baking?", towards(0.62)),
        ("told", "I completed a certificate in baking.", towards(0.58)),
        *FAR,
    ]
    before, after = again(said)
    assert before.session_ids[0] == "asked"
    assert after.session_ids[0] == "told"
    assert after.ranked_turn_ids[0] == "t1"


def test_a_pasted_document_states_nothing_of_the_user() -> None:
    letter = " ".join(["I have completed a certificate in baking."] * (MAX_TALK + 1))
    told = ("told", "I completed a certificate in baking.", towards(0.58))
    _, after = again([("letter", letter, towards(0.62)), told, *FAR])
    assert after.session_ids[0] == "told"
    _, short = again([("letter", "I have completed a certificate.", towards(0.62)), told, *FAR])
    assert short.session_ids[0] == "letter"


def test_an_event_with_its_time_answers_a_question_after_when() -> None:
    said = [
        ("plan", "I like the run for charity.", towards(0.60)),
        ("event", "I finished the run for charity today.", towards(0.58)),
        *FAR,
    ]
    assert again(said)[1].session_ids[0] == "plan"
    when = read_question("How many days ago was the run for charity?", NOON)
    assert again(said, when)[1].session_ids[0] == "event"


def test_what_is_like_the_first_finds_moves_up_but_never_to_the_first_place() -> None:
    # "like" and "unlike" are equally near to the question; "like" says much the same as the first two.
    said = [
        ("first", "I bought a red model kit.", towards(0.8)),
        ("second", "I bought a blue model kit.", towards(0.7)),
        ("unlike", "I wrote about a kit of tools.", towards(0.42, side=2)),
        ("like", "I bought a grey model kit.", towards(0.40)),
        *FAR,
    ]
    before, after = again(said)
    assert before.session_ids[:4] == ("first", "second", "unlike", "like")
    assert after.session_ids[:4] == ("first", "second", "like", "unlike")


def test_every_session_and_turn_stays_ranked_once() -> None:
    said = [(f"s{n}", "I was there.", towards(0.9 - n / 100)) for n in range(SESSIONS_READ + 20)]
    before, after = again(said)
    assert sorted(after.session_ids) == sorted(before.session_ids)
    assert after.session_ids[SESSIONS_READ:] == before.session_ids[SESSIONS_READ:]
    assert np.all(np.diff(after.session_scores) <= 0)
    assert sorted(after.rows.tolist()) == sorted(before.rows.tolist())


def test_a_bounded_number_of_the_users_messages_is_read() -> None:
    said = [(f"s{n % 60}", "I was there.", towards(0.9 - n / 1_000)) for n in range(600)]
    candidates, _ = found(said)
    ids = to_read(candidates, rank(candidates, PLAIN))
    assert len(ids) == len(set(ids)) == SESSIONS_READ * TURNS_READ
    replies, _ = found(said, by_user=False)
    assert to_read(replies, rank(replies, PLAIN)) == []


def test_where_nothing_was_stated_the_first_ranking_stands() -> None:
    said = [("a", "Where is it?", towards(0.5)), ("b", "What is it?", towards(0.4))]
    before, after = again(said)
    assert (after.session_ids, after.ranked_turn_ids) == (before.session_ids, before.ranked_turn_ids)
    assert after.scores.tolist() == before.scores.tolist()
    candidates, texts = found([])
    nothing = rank(candidates, PLAIN)
    assert rerank(candidates, nothing, PLAIN, ASKED, texts).session_ids == nothing.session_ids


def test_a_message_that_was_deleted_meanwhile_is_passed_over() -> None:
    candidates, texts = found([("a", "I moved.", towards(0.5)), ("b", "I stayed.", towards(0.4)), *FAR])
    ranking = rank(candidates, PLAIN)
    del texts["t0"]
    assert sorted(rerank(candidates, ranking, PLAIN, ASKED, texts).session_ids) == sorted(ranking.session_ids)
