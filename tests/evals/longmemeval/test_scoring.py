"""One question's result against its gold, in each convention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from habitus.evals.longmemeval.files import Sample
from habitus.evals.longmemeval.scoring import score
from habitus.evals.reports.runlog import Finished, PackedContext


def result(**changes: Any) -> Finished:
    fields: dict[str, Any] = {
        "question_id": "q1",
        "question_type": "single-session-user",
        "routes": ("extraction",),
        "ranked_session_ids": ("middle", "answer_1", "late"),
        "ranked_turn_ids": ("answer_1_2", "middle_1", "answer_1_3", "late_1"),
        "context_turn_ids": ("answer_1_2",),
        "context_texts": ("What does Ann drink?",),
        "context_tokens": 9,
        "latency_ms": {"recall": 2.0},
    }
    return Finished(**{**fields, **changes})


def test_sessions_are_scored_in_three_conventions(sample: Callable[..., Sample]) -> None:
    views = score(sample(), result()).views
    for convention in ("all", "answerable", "official"):
        found = views[f"session.{convention}"]
        assert (found["recall_any@1"], found["r@1"], found["recall_all@3"]) == (0.0, 0.0, 1.0)
        assert (found["ndcg@5"], found["mrr"]) == (1.0, 0.5)


def test_turns_are_scored_with_and_without_those_of_the_assistant(sample: Callable[..., Sample]) -> None:
    views = score(sample(), result()).views
    assert views["turn.answerable"]["mrr"] == pytest.approx(1 / 3)
    assert views["turn.official"]["mrr"] == pytest.approx(1 / 2)


def test_an_abstention_counts_only_where_all_questions_do(sample: Callable[..., Sample]) -> None:
    assert set(score(sample(question_id="q1_abs"), result(hypothesis="green tea")).views) == {"session.all"}


def test_a_question_without_evidence_of_the_user_is_not_in_the_official_figures(
    sample: Callable[..., Sample],
) -> None:
    asked = sample()
    sessions = tuple(
        replace(
            session,
            turns=tuple(replace(turn, has_answer=turn.role == "assistant") for turn in session.turns),
        )
        for session in asked.sessions
    )
    views = score(replace(asked, sessions=sessions), result()).views
    assert {view for view in views if "official" in view or "user" in view} == set()
    assert {"session.all", "session.answerable", "turn.answerable", "context.answerable"} < set(views)
    assert views["turn.answerable"]["r@1"] == 1.0
    assert views["context.answerable"]["all_evidence_in_context"] == 1.0


@pytest.mark.parametrize(("context", "expected"), [(("answer_1_2",), 0.0), (("late_1", "answer_1_3"), 1.0)])
def test_context_must_hold_every_evidence_turn(
    context: tuple[str, ...], expected: float, sample: Callable[..., Sample]
) -> None:
    texts = ("green",) * len(context)
    views = score(sample(), result(context_turn_ids=context, context_texts=texts)).views
    assert views["context.answerable"]["all_evidence_in_context"] == expected
    assert views["context.user_turns"]["all_evidence_in_context"] == expected


@pytest.mark.parametrize(
    ("text", "uncut", "holds_answer"),
    [("Ann does drink\n green tea", 1.0, 1.0), ("… green tea", 0.0, 1.0), ("Ann does drink …", 0.0, 0.0)],
)
def test_a_turn_that_was_cut_is_told_from_one_packed_in_full(
    text: str, uncut: float, holds_answer: float, sample: Callable[..., Sample]
) -> None:
    packed = result(context_turn_ids=("answer_1_3",), context_texts=(text,))
    views = score(sample(), packed).views
    assert views["context.answerable"] == {"all_evidence_in_context": 1.0, "all_evidence_uncut": uncut}
    assert views["context.short_answers"] == {
        "answer_in_context": holds_answer,
        "answer_in_packed_evidence": holds_answer,
        "answer_in_evidence": 1.0,
    }


def test_an_answer_in_another_turn_is_not_in_the_packed_evidence(sample: Callable[..., Sample]) -> None:
    packed = result(context_turn_ids=("late_1", "answer_1_3"), context_texts=("Green tea.", "Ann does …"))
    found = score(sample(), packed).views["context.short_answers"]
    assert (found["answer_in_context"], found["answer_in_packed_evidence"]) == (1.0, 0.0)


def test_other_budgets_are_scored_under_their_own_level(sample: Callable[..., Sample]) -> None:
    small = PackedContext(turn_ids=("late_1",), texts=("Rain",), n_tokens=1)
    packed = result(
        context_turn_ids=("answer_1_3",), context_texts=("Ann does drink",), other_contexts={50: small}
    )
    views = score(sample(), packed).views
    assert views["context.answerable"]["all_evidence_in_context"] == 1.0
    assert views["context@50.answerable"]["all_evidence_in_context"] == 0.0
    assert views["context@50.user_turns"]["all_evidence_in_context"] == 0.0
    assert views["context@50.short_answers"]["answer_in_packed_evidence"] == 0.0


@pytest.mark.parametrize(
    ("answer", "reply", "expected"),
    [
        ("green tea", "It is Green Tea!", 1.0),
        (5, "It is 15.", 0.0),
        ("one two three four five six", "one two three four five six", None),
        ("green tea", None, None),
        ("?", "?", None),
    ],
)
def test_containment_is_of_short_answers_only(
    answer: Any, reply: str | None, expected: float | None, sample: Callable[..., Sample]
) -> None:
    views = score(sample(answer=answer), result(hypothesis=reply)).views
    assert views.get("reply.short_answers", {}).get("containment") == expected


def test_of_updated_knowledge_the_newest_evidence_is_to_stand_first(sample: Callable[..., Sample]) -> None:
    asked = replace(sample(), type="knowledge-update")
    evidence = next(one for one in asked.sessions if one.id in asked.evidence_session_ids)
    later = replace(evidence, id="later", at=evidence.at + timedelta(days=3))
    updated = replace(
        asked,
        sessions=(*asked.sessions, later),
        evidence_session_ids=asked.evidence_session_ids | {"later"},
    )
    newest, older = updated.evidence_by_age()
    assert newest == {"later_3"}
    assert older == {"answer_1_3"}
    right = score(updated, result(ranked_turn_ids=("middle_1", "later_3", "answer_1_3"))).views
    wrong = score(updated, result(ranked_turn_ids=("answer_1_3", "later_3"))).views
    assert right["updates.answerable"] == {"newest_first": 1.0}
    assert wrong["updates.answerable"] == {"newest_first": 0.0}
    assert "updates.answerable" not in score(asked, result()).views
    assert "updates.answerable" not in score(replace(updated, type="multi-session"), result()).views


@pytest.mark.parametrize(
    ("question_type", "question", "counted"),
    [
        ("multi-session", "How many kinds of tea did Ann buy?", True),
        ("multi-session", "What is the total that Ann spent on tea?", True),
        ("multi-session", "What does Ann drink?", False),
        ("knowledge-update", "How many kinds of tea does Ann have?", False),
    ],
)
def test_counting_over_several_sessions_is_scored_by_itself(
    sample: Callable[..., Sample], question_type: str, question: str, counted: bool
) -> None:
    asked = replace(sample(), type=question_type, question=question)
    views = score(asked, result(context_turn_ids=("answer_1_2", "answer_1_3"), context_texts=("", ""))).views
    assert ("context.counting" in views) == counted
    if counted:
        assert views["context.counting"] == views["context.answerable"]
