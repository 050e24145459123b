"""The rows about what is taken from the user's words: statements, filler, mentions in passing, choices."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from habitus.evals.longmemeval.files import HaystackSession
from habitus.evals.prefeval.files import ChoiceItem, Item, OptionsItem, PersonaItem
from habitus.evals.prefeval.judgements import filler_verdicts, span_of
from habitus.evals.prefeval.scores import Row, Scored, Target, counted
from habitus.memory.extraction import extract
from habitus.memory.known.preferences import PENDING_BELOW, is_positive, merge
from habitus.memory.learning.reward import rewards
from habitus.memory.records import Preference, Turn
from habitus.retrievers.encoder import Encoder
from habitus.retrievers.passages import sentences

START = datetime(2025, 3, 3, 9, tzinfo=UTC)
_CONTEXT_TURNS = 4
_NEGATIVE = re.compile(
    r"\b(?:avoid\w*|dislike\w*|hate|despise|detest|loathe|aversion\w*|averse|can't|cannot|can\s+not|never|not"
    r"|don't|doesn't|won't|refuse|allerg\w+|intoleran\w+|sensitiv\w+|fear|afraid|phobia|against|no|without"
    r"|uncomfortable|bothered|lack|objection|stay\s+away|tedious|boring|hard\s+to|ineffective)\b",
    re.IGNORECASE,
)
_POSITIVE = re.compile(
    r"\b(?:prefer\w*|like|love|enjoy\w*|need|only|exclusively|require\w*|fan|passionate|advocate|value"
    r"|prioriti[sz]e|appreciate|favou?r|drawn|learn\s+best|interested|follow)\b",
    re.IGNORECASE,
)


def explicit_row(items: Sequence[Item], encoder: Encoder) -> Row:
    """Measure whether a stated preference becomes an active record with the right stance.

    The stance is checked where the words of the statement speak of one side only: a record must be of
    that side.
    """
    scored, left_out = [], []
    for item in items:
        found = active(_turns([("user", item.preference)]), encoder)
        values = {"recall": float(bool(found))}
        side = _side(item.preference)
        if side is None:
            left_out.append(
                "stance not judged: the statement speaks of both sides, or of none by these words"
            )
        elif found:
            values["right_stance"] = float(any(is_positive(p.stance) is side for p in found))
        scored.append(Scored(item.topic, values))
    return Row(
        name="explicit",
        title="a stated preference becomes a record",
        scored=scored,
        targets={"recall": Target(0.99), "right_stance": Target(0.99)},
        excluded=counted(left_out),
    )


def _side(statement: str) -> bool | None:
    statement = statement.replace("’", "'")
    negative, positive = _NEGATIVE.search(statement), _POSITIVE.search(statement)
    return None if (negative is None) == (positive is None) else positive is not None


def filler_row(sessions: Sequence[HaystackSession], *, seed: int = 0) -> Row:
    """Count what becomes an active preference in ordinary sessions, and how much of it was judged wrong.

    Precision and false ones rest on the verdicts of `habitus.evals.prefeval.judgements`; what was never
    judged counts as false, and is listed first.
    """
    verdicts = filler_verdicts()
    scored: list[Scored] = []
    listed: list[list[str]] = []
    n_blank = 0
    for session in sessions:
        turns = _turns([(turn.role, turn.text) for turn in session.turns])
        n_blank += len(session.turns) - len(turns)
        for place, turn in enumerate(turns):
            if turn.role != "user":
                continue
            found = [p for p in _learnt(turn, turns[:place]) if p.confidence >= PENDING_BELOW]
            verdict = [verdicts.get(span_of(p), "unjudged") for p in found]
            n_false = sum(one != "right" for one in verdict)
            rates = {"per_1000_turns": 1_000.0 * len(found), "false_per_1000": 1_000.0 * n_false}
            scored.append(Scored("turns", rates))
            scored += [Scored("preferences", {"precision": float(one == "right")}) for one in verdict]
            listed += [
                [one, p.stance, p.target, p.statement, p.evidence[0].quote]
                for one, p in zip(verdict, found, strict=True)
            ]
    random.Random(seed).shuffle(listed)
    listed.sort(key=lambda line: line[0] != "unjudged")
    n_unjudged = sum(line[0] == "unjudged" for line in listed)
    return Row(
        name="filler",
        title="preferences taken from ordinary turns of the user",
        scored=scored,
        targets={"false_per_1000": Target(5.0, "at most"), "precision": Target(0.95)},
        excluded={"blank turns": n_blank}
        | ({"unjudged preferences (taken as false)": n_unjudged} if n_unjudged else {}),
        notes="Judged by hand: habitus/evals/prefeval/judged/filler_preferences.jsonl.",
        listed=[["verdict", "stance", "target", "statement", "quote"], *listed],
    )


def persona_row(items: Sequence[PersonaItem], encoder: Encoder) -> Row:
    """Measure whether the turn that mentions the preference in passing yields an active record.

    The turn is the one with the sentence nearest to the preference as the file words it.
    """
    scored = []
    for item in items:
        turns = _turns(item.turns)
        found = active(turns, encoder)
        told = [(turn.id, piece) for turn in turns if turn.role == "user" for piece in sentences(turn.text)]
        gold = encoder.encode([item.preference])[0]
        nearest = told[int(np.argmax(encoder.encode([piece for _, piece in told]) @ gold))][0]
        from_it = any(evidence.turn_id == nearest for p in found for evidence in p.evidence)
        scored.append(Scored(item.topic, {"recall": float(from_it), "n_records": float(len(found))}))
    return Row(
        name="persona_driven",
        title="a preference mentioned in passing is found",
        scored=scored,
        targets={"recall": Target(0.95)},
    )


def choice_row(items: Sequence[ChoiceItem], encoder: Encoder) -> Row:
    """Measure whether a choice becomes an implicit record, and how near it comes to its gold preference.

    R@k: the rank of the gold preference among those of its topic, by the cosine of the statement of the
    first record that the choice yields; `raw` takes the user's words instead. Conversations without a
    record count as missed.
    """
    golds = {topic: [one for one in items if one.topic == topic] for topic in {one.topic for one in items}}
    matrices = {topic: encoder.encode([one.preference for one in of]) for topic, of in golds.items()}
    scored = []
    for item in items:
        turns = _turns([("user", item.query), ("assistant", item.offered), ("user", item.selection)])
        shown = [p for p in _learnt(turns[-1], turns[:-1]) if p.source == "choice"]
        place = golds[item.topic].index(item)
        values = {"recall": float(bool(shown))}
        texts = {"record": shown[0].statement if shown else None, "raw": item.selection}
        for name, text in texts.items():
            rank = None if text is None else _rank(matrices[item.topic] @ encoder.encode([text])[0], place)
            values |= {f"{name}_R@{k}": float(rank is not None and rank < k) for k in (1, 5)}
        scored.append(Scored(item.topic, values))
    return Row(
        name="choice_based",
        title="a choice becomes an implicit preference",
        scored=scored,
        targets={"recall": Target(0.95), "record_R@1": Target(0.42), "record_R@5": Target(0.80)},
        notes="raw: the user's words as they are, the baseline.",
    )


def options_row(items: Sequence[OptionsItem], encoder: Encoder) -> Row:
    """Measure how often the reward puts the right answer first; ties share the point."""
    scored, left_out = [], []
    for item in items:
        known = active(_turns([("user", item.preference)]), encoder)
        if not known:
            left_out.append("no preference was taken from the statement: counted as wrong")
        found = rewards(known, item.options, encoder=encoder, request=item.question)
        similar = encoder.encode(list(item.options)) @ encoder.encode([item.preference])[0]
        values = {
            "accuracy": _first_is_best([one.score for one in found]) if known else 0.0,
            "similarity": _first_is_best(similar.tolist()),
        }
        scored.append(Scored(item.topic, values))
    return Row(
        name="multiple_choice",
        title="the reward picks the answer that honours the preference",
        scored=scored,
        targets={"accuracy": Target(0.60)},
        excluded=counted(left_out),
        notes="similarity: the answer nearest to the preference, the baseline; chance is .25.",
    )


def active(turns: Sequence[Turn], encoder: Encoder) -> list[Preference]:
    """Return the preferences that some turns leave in memory: merged, and sure enough to be active."""
    known: dict[str, Preference] = {}
    for place, turn in enumerate(turns):
        told = _learnt(turn, turns[:place])
        known |= {p.id: p for p in merge(list(known.values()), told, encoder=encoder, at=turn.at)}
    return [p for p in known.values() if p.status == "active"]


def _learnt(turn: Turn, before: Sequence[Turn]) -> tuple[Preference, ...]:
    return extract(turn, context=before[-_CONTEXT_TURNS:]).preferences


def _turns(told: Sequence[tuple[str, str]]) -> list[Turn]:
    return list(_made(told))


def _made(told: Sequence[tuple[str, str]]) -> Iterator[Turn]:
    kept = [(role, text.replace("\x00", " ")) for role, text in told if text.strip()]
    for index, (role, text) in enumerate(kept):
        at = START + timedelta(seconds=index)
        fields = {"id": f"t{index}", "user_id": "user", "session_id": "s", "index": index}
        yield Turn.model_validate({**fields, "role": role, "text": text, "at": at})


def _rank(scores: np.ndarray, place: int) -> int:
    return int((scores > scores[place]).sum())


def _first_is_best(scores: Sequence[float]) -> float:
    best = max(scores)
    return float(scores[0] == best) / sum(score == best for score in scores)
