"""What every system is given: messages of many users with their vectors, and questions with their gold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from habitus.evals.longmemeval.files import Sample, SampleReader
from habitus.memory.index.units import units
from habitus.memory.records import Role
from habitus.memory.retrieval.question import read_question
from habitus.retrievers.encoder import Encoder, Vectors


@dataclass(frozen=True, kw_only=True)
class Item:
    """A message to remember; `session` is not the official id, which would give the evidence away."""

    user: str
    session: str
    index: int
    role: Role
    text: str
    at: str

    @property
    def id(self) -> str:
        return f"{self.user}:{self.session}:{self.index}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question, and the sessions of its user that hold the evidence."""

    user: str
    text: str
    at: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """Users one after the other, and the questions to them."""

    items: tuple[Item, ...]
    questions: tuple[Asked, ...]


class Known:
    """An encoder that looks up: what is timed is then the system, not the encoder.

    Args:
        texts: all that will be asked for.
        vectors: of them, shape `(n_texts, dim)`.

    Attributes:
        live: encodes in its place while it is set, so that encoding belongs to what is timed.
    """

    fingerprint = "known"

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        self.live: Encoder | None = None
        self._rows = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors

    @property
    def dim(self) -> int:
        return int(self._vectors.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.live is not None:
            return self.live.encode(texts)
        found: Vectors = self._vectors[[self._rows[text] for text in texts]]
        return found


def read(data: Path, n_questions: int) -> Corpus:
    """Take answerable questions, evenly from the whole file, each with its history as a user of its own."""
    with SampleReader(data) as reader:
        samples = [sample for sample in reader if not sample.is_abstention]
    chosen = samples[:: max(1, len(samples) // n_questions)][:n_questions]
    users = [f"user{number}" for number in range(len(chosen))]
    items = [item for user, sample in zip(users, chosen, strict=True) for item in _items(user, sample)]
    return Corpus(tuple(items), tuple(map(_asked, users, chosen)))


def _items(user: str, sample: Sample) -> list[Item]:
    return [
        Item(
            user=user,
            session=f"s{place}",
            index=index,
            role=turn.role,
            text=turn.text,
            at=session.at.isoformat(),
        )
        for place, session in enumerate(sample.sessions)
        for index, turn in enumerate(session.turns)
        # The file holds a few messages without a word.
        if turn.text.strip()
    ]


def _asked(user: str, sample: Sample) -> Asked:
    evidence = [
        f"s{place}" for place, one in enumerate(sample.sessions) if one.id in sample.evidence_session_ids
    ]
    return Asked(user=user, text=sample.question, at=sample.at.isoformat(), evidence=tuple(evidence))


def of_size(corpus: Corpus, n_memories: int) -> Corpus:
    """Return a corpus of about so many memories.

    Fewer than there are: the first of the first user, to whom all questions go. More: the users again
    under other names, to whom nobody talks.
    """
    items = list(corpus.items)
    if n_memories < len(items) // 2:
        one = tuple(item for item in items if item.user == items[0].user)[:n_memories]
        asked = (Asked(user=one[0].user, text=q.text, at=q.at, evidence=()) for q in corpus.questions)
        return Corpus(one, tuple(asked))
    n_copies = round(n_memories / len(items))
    copies = (
        Item(**{**asdict(item), "user": f"{item.user}-{copy}"})
        for copy in range(1, n_copies)
        for item in items
    )
    return Corpus((*items, *copies), corpus.questions)


def encode(corpus: Corpus, encoder: Encoder) -> tuple[list[str], Vectors]:
    """Encode messages and questions whole, for the peers, and in units, for Habitus."""
    texts: dict[str, None] = {}
    for item in corpus.items:
        texts |= dict.fromkeys([item.text, *units(item.role, item.text)])
    for question in corpus.questions:
        read_as = read_question(question.text, datetime.fromisoformat(question.at))
        texts |= dict.fromkeys([question.text, read_as.meaning])
    return list(texts), encoder.encode(list(texts))


def save(folder: Path, corpus: Corpus, texts: Sequence[str], vectors: Vectors) -> None:
    """Write everything a system under test needs."""
    content = {
        "items": [asdict(item) for item in corpus.items],
        "questions": [asdict(question) for question in corpus.questions],
        "texts": list(texts),
    }
    (folder / "corpus.json").write_text(json.dumps(content), encoding="utf-8")
    np.save(folder / "vectors.npy", vectors)


def load(folder: Path) -> tuple[Corpus, Known]:
    """Read what `save` wrote."""
    content = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    questions = (Asked(**{**one, "evidence": tuple(one["evidence"])}) for one in content["questions"])
    corpus = Corpus(tuple(Item(**one) for one in content["items"]), tuple(questions))
    return corpus, Known(content["texts"], np.load(folder / "vectors.npy", allow_pickle=False))
