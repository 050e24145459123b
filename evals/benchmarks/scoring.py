"""What a case scores: ranks of its evidence, the option, or the reply against its gold."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from habitus.evals.benchmarks.cases import Case, Kind
from habitus.evals.benchmarks.solving import Solved
from habitus.evals.harness.records import Score
from habitus.evals.metrics.ranking import covered, recall, recall_all, recall_any, reciprocal_rank

KS = (1, 5, 10, 20)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def score(case: Case, solved: Solved) -> Score:
    """Score one case; views are `<level>.<convention>` as in every report."""
    return Score(question_id=case.id, question_type=case.type, views=_SCORERS[case.kind](case, solved))


def _retrieval(case: Case, solved: Solved) -> dict[str, dict[str, float]]:
    sessions = {turn.rpartition(":")[0] for turn in case.evidence}
    return {
        "session.all": _ranks(solved.ranked_session_ids, sessions),
        "turn.all": _ranks(solved.ranked_turn_ids, case.evidence),
        "context.all": {"all_evidence_in_context": covered(solved.context_turn_ids, case.evidence)},
    }


def _ranks(ranked: Sequence[str], relevant: Collection[str]) -> dict[str, float]:
    """MRR counts no rank beyond those kept."""
    return {
        **{f"recall_any@{k}": recall_any(ranked, relevant, k) for k in KS},
        **{f"recall_all@{k}": recall_all(ranked, relevant, k) for k in KS},
        **{f"recall@{k}": recall(ranked, relevant, k) for k in KS},
        "mrr": reciprocal_rank(ranked, relevant),
    }


def _choice(case: Case, solved: Solved) -> dict[str, dict[str, float]]:
    """Options that share the best reward share the point."""
    best = max(solved.preferred)
    winners = [place for place, one in enumerate(solved.preferred) if one == best]
    return {"choice.all": {"accuracy": (case.right in winners) / len(winners)}}


def _classification(case: Case, solved: Solved) -> dict[str, dict[str, float]]:
    return {"reply.all": {"accuracy": float(normal(solved.hypothesis) == normal(case.gold))}}


def _rating(case: Case, solved: Solved) -> dict[str, dict[str, float]]:
    """A reply without a number is as far off as a rating can be, 4 of 1 to 5."""
    found = _NUMBER.search(solved.hypothesis or "")
    gold = float(case.gold or "nan")
    error = abs(float(found[0]) - gold) if found else 4.0
    return {
        "reply.all": {"absolute_error": error, "squared_error": error**2, "has_number": float(bool(found))}
    }


def _generation(case: Case, solved: Solved) -> dict[str, dict[str, float]]:
    from habitus.evals.metrics.texts import meteor, rouge

    reply, gold = solved.hypothesis or "", case.gold or ""
    return {"reply.all": {**rouge(reply, gold), "meteor": meteor(reply, gold)}}


def normal(text: str | None) -> str:
    """Return a label as compared: lower case, without punctuation except brackets."""
    return " ".join(re.sub(r"[^\w\[\] ]", " ", (text or "").lower()).split())


_SCORERS: Mapping[Kind, Callable[[Case, Solved], dict[str, dict[str, float]]]] = {
    "retrieval": _retrieval,
    "choice": _choice,
    "classification": _classification,
    "rating": _rating,
    "generation": _generation,
}
