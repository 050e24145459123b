"""The score of one question: its result against its gold, in each convention.

Views of a question, each with the `n` of the questions it applies to:

- `session.all`: sessions, every question with evidence sessions, abstentions included (500 in the
  full S file; what most products publish).
- `session.answerable`: the same without abstentions (470).
- `session.official`: as the official code counts: without abstentions and without questions to which
  the user said no evidence (419), and only sessions in which the user gives evidence are relevant.
- `turn.answerable`: turns of both roles, evidence of both roles, without abstentions.
- `turn.official`: the ranking of the user's turns alone, evidence of the user alone.
- `context.answerable`, `context.user_turns`: whether all evidence turns, or all those of the user, were
  packed into the context; `all_evidence_uncut` counts a turn only if all its words were.
- `context.counting`: the same for questions after a number or sum of things told in several sessions: they
  cannot be answered from the best few.
- `context.short_answers`: answers of at most five words; whether the words of the answer stand in the
  packed context, in what is packed of the evidence turns and, to compare, in the evidence turns
  themselves (it may stand in other turns too).
- `context@N.*`: the same four at another budget of N tokens, where the run asks for it.
- `updates.answerable`: questions after knowledge that was updated, with evidence of the user on two days at
  least; whether the best ranked turn of the latest day stands above all earlier evidence.
- `reply.short_answers`: the same answers; whether the reply contains them.
- `judged.all`, `judged.answerable`, `judged.abstention`: replies as a judge sees them; accuracy. Replies
  without a verdict are in none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from habitus.agent.prompting.budgets import Cut
from habitus.evals.harness import records
from habitus.evals.longmemeval.files import Sample
from habitus.evals.metrics import (
    containment,
    covered,
    longmemeval_ndcg,
    normalize_answer,
    recall_all,
    recall_any,
    reciprocal_rank,
)
from habitus.evals.reports.runlog import Finished

RECALL_KS = (1, 3, 5, 10)
NDCG_KS = (5, 10)
SHORT_ANSWER_WORDS = 5
CONTEXT = "context"
UPDATES = "knowledge-update"
SEVERAL_SESSIONS = "multi-session"
_COUNTS = re.compile(r"\b(?:how (?:many|much)|number of|total|altogether|combined)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Score(records.Score):
    """How one question went; the views are described at the top of this module."""

    recalled: bool = True
    routes: tuple[str, ...]
    context_tokens: int
    cut: tuple[Cut, ...] = ()
    latency_ms: Mapping[str, float]


def score(sample: Sample, result: Finished) -> Score:
    """Compare one result with its gold."""
    views: dict[str, dict[str, float]] = {}
    if result.recalled:
        _add_recall(views, sample, result)
    if result.hypothesis is not None and not sample.is_abstention and _has_short_answer(sample):
        views["reply.short_answers"] = {"containment": containment(result.hypothesis, sample.answer)}
    return Score(
        question_id=sample.id,
        question_type=sample.type,
        recalled=result.recalled,
        routes=result.routes,
        context_tokens=result.context_tokens,
        cut=result.cut,
        latency_ms=result.latency_ms,
        views=views,
    )


def _add_recall(views: dict[str, dict[str, float]], sample: Sample, result: Finished) -> None:
    sessions, turns = result.ranked_session_ids, result.ranked_turn_ids
    _add_ranking(views, "session.all", sessions, sample.evidence_session_ids)
    if not sample.is_abstention:
        evidence, said = sample.evidence_turn_ids(), sample.evidence_turn_ids(user_only=True)
        users = sample.user_turn_ids()
        _add_ranking(views, "session.answerable", sessions, sample.evidence_session_ids)
        _add_ranking(views, "session.official", sessions, sample.user_evidence_session_ids())
        _add_ranking(views, "turn.answerable", turns, evidence)
        _add_ranking(views, "turn.official", [turn for turn in turns if turn in users], said)
        if sample.type == UPDATES:
            _add_updates(views, turns, *sample.evidence_by_age())
        for level, packed in _contexts(result).items():
            _add_context(views, level, packed, sample)


def _add_updates(
    views: dict[str, dict[str, float]],
    ranked: Sequence[str],
    newest: Collection[str],
    older: Collection[str],
) -> None:
    if newest and older:
        found = next((turn for turn in ranked if turn in newest or turn in older), None)
        views["updates.answerable"] = {"newest_first": float(found in newest)}


def _contexts(result: Finished) -> dict[str, dict[str, str]]:
    """Return, by level of views, the words packed of each turn."""
    contexts = {CONTEXT: dict(zip(result.context_turn_ids, result.context_texts, strict=True))}
    for budget, context in (result.other_contexts or {}).items():
        contexts[f"{CONTEXT}@{budget}"] = dict(zip(context.turn_ids, context.texts, strict=True))
    return contexts


def _add_context(
    views: dict[str, dict[str, float]], level: str, packed: Mapping[str, str], sample: Sample
) -> None:
    evidence = sample.evidence_turn_ids()
    originals = sample.texts_of(evidence)
    _add_coverage(views, f"{level}.answerable", packed, originals, evidence)
    _add_coverage(views, f"{level}.user_turns", packed, originals, sample.evidence_turn_ids(user_only=True))
    if sample.type == SEVERAL_SESSIONS and _COUNTS.search(sample.question):
        _add_coverage(views, f"{level}.counting", packed, originals, evidence)
    if _has_short_answer(sample):
        kept = [text for turn, text in packed.items() if turn in originals]
        views[f"{level}.short_answers"] = {
            "answer_in_context": containment("\n".join(packed.values()), sample.answer),
            "answer_in_packed_evidence": containment("\n".join(kept), sample.answer),
            "answer_in_evidence": containment("\n".join(originals.values()), sample.answer),
        }


def _has_short_answer(sample: Sample) -> bool:
    return 0 < len(normalize_answer(sample.answer).split()) <= SHORT_ANSWER_WORDS


def _add_ranking(
    views: dict[str, dict[str, float]], view: str, ranked: Sequence[str], relevant: Collection[str]
) -> None:
    if relevant:
        views[view] = {
            **{f"recall_any@{k}": recall_any(ranked, relevant, k) for k in RECALL_KS},
            **{f"recall_all@{k}": recall_all(ranked, relevant, k) for k in RECALL_KS},
            **{f"ndcg@{k}": longmemeval_ndcg(ranked, relevant, k) for k in NDCG_KS},
            "r@1": recall_any(ranked, relevant, 1),
            "mrr": reciprocal_rank(ranked, relevant),
        }


def _add_coverage(
    views: dict[str, dict[str, float]],
    view: str,
    packed: Mapping[str, str],
    originals: Mapping[str, str],
    relevant: Collection[str],
) -> None:
    if relevant:
        uncut = [turn for turn in relevant if _same_words(packed.get(turn, ""), originals[turn])]
        views[view] = {
            "all_evidence_in_context": covered(packed, relevant),
            "all_evidence_uncut": covered(uncut, relevant),
        }


def _same_words(text: str, other: str) -> bool:
    return text.split() == other.split()
