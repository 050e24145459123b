"""LongMemEval's questions as prompts, and replies against their gold.

Each question is a fresh user; the prompt is the one that `Agent.chat` would give its generator. What counts:

- `contained`: answers of at most five words (SQuAD's normalisation); whether the words of the answer stand in
  the reply, in their order. The days that a reply names are not looked at unless the answer names a month: a
  "20" is not answered by "On 20 May 2023".
- `numbers alike`: the same with number words and digits taken for each other.
- `declined`: the reply says that the conversations do not tell.
- words of a reply: a reply that quotes everything would contain everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from habitus.evals.evaluated import USER_ID
from habitus.evals.longmemeval.files import Sample
from habitus.evals.longmemeval.retrieval import Aliases, ask_at
from habitus.evals.longmemeval.scoring import SHORT_ANSWER_WORDS
from habitus.evals.metrics import containment, normalize_answer
from habitus.evals.reports.tables import OVERALL
from habitus.evals.running import open_agent

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from habitus.retrievers.encoder import Encoder

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = re.compile(rf"\b\d{{1,2}} (?:{_MONTH}) \d{{4}}\b")
_NAMES_MONTH = re.compile(rf"\b(?:{_MONTH})\b", re.IGNORECASE)
_TYPOGRAPHIC = re.compile("[“”„‘’…–—]")
"""Punctuation beyond ASCII, which SQuAD's rule does not know: a quotation's first word is a word."""
_DIGITS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question and the prompt for it.

    Attributes:
        messages: what the generator reads.
        evidence: the words of the turns that hold the answer, for the fit alone.
    """

    id: str
    type: str
    is_abstention: bool
    question: str
    answer: str
    messages: Sequence[BaseMessage]
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A reply against its gold.

    Attributes:
        contained, numbers_alike: None where the answer is long, or there is none.
    """

    question_id: str
    question_type: str
    abstention: bool
    question: str
    answer: str
    reply: str
    declined: bool
    n_words: int
    contained: float | None
    numbers_alike: float | None


def ask(sample: Sample, encoder: Encoder, scratch: Path) -> Asked:
    """Bring a history into a fresh agent and return the prompt for its question."""
    aliases = Aliases(sample.sessions)
    with TemporaryDirectory(dir=scratch) as folder, open_agent(Path(folder), encoder, 2_000) as agent:
        agent.ingest(USER_ID, aliases.conversations)
        prepared = agent.prepare(USER_ID, sample.question, at=ask_at(sample))
    return Asked(
        id=sample.id,
        type=sample.type,
        is_abstention=sample.is_abstention,
        question=sample.question,
        answer=sample.answer,
        messages=prepared.messages,
        evidence=tuple(sample.texts_of(sample.evidence_turn_ids()).values()),
    )


def judge(asked: Asked | Sample, reply: str) -> Answered:
    """Compare a reply with its gold."""
    from habitus.agent.generators.extractive import UNKNOWN

    short = 0 < len(normalize_answer(asked.answer).split()) <= SHORT_ANSWER_WORDS
    counts = short and not asked.is_abstention
    gold = _TYPOGRAPHIC.sub(" ", asked.answer)
    looked_at = _TYPOGRAPHIC.sub(" ", reply if _NAMES_MONTH.search(asked.answer) else _DAY.sub("", reply))
    return Answered(
        question_id=asked.id,
        question_type=asked.type,
        abstention=asked.is_abstention,
        question=asked.question,
        answer=asked.answer,
        reply=reply,
        declined=UNKNOWN in reply,
        n_words=len(reply.split()),
        contained=containment(looked_at, gold) if counts else None,
        numbers_alike=containment(_digits(looked_at), _digits(gold)) if counts else None,
    )


def _digits(text: str) -> str:
    return re.sub(r"[A-Za-z]+", lambda found: _DIGITS.get(found[0].lower(), found[0]), text)


def summarise(answers: Sequence[Answered]) -> dict[str, dict[str, Any]]:
    """Return figures by question type, over all answerable questions, and over those without an answer."""
    groups: dict[str, list[Answered]] = defaultdict(list)
    for one in answers:
        groups["abstention" if one.abstention else one.question_type].append(one)
        if not one.abstention:
            groups[OVERALL].append(one)
    return {name: _figures(groups[name]) for name in sorted(groups, key=lambda n: (n != OVERALL, n))}


def _figures(group: Sequence[Answered]) -> dict[str, Any]:
    short = [one for one in group if one.contained is not None]
    words = sorted(one.n_words for one in group)
    return {
        "n": len(group),
        "declined": sum(one.declined for one in group) / len(group),
        "n_short": len(short),
        "contained": sum(one.contained or 0.0 for one in short) / len(short) if short else None,
        "numbers_alike": sum(one.numbers_alike or 0.0 for one in short) / len(short) if short else None,
        "mean_words": sum(words) / len(words),
        "max_words": words[-1],
    }
