"""Made-up memories in any number: what a search costs depends on how many there are, not on what they say.

Words are drawn by Zipf's law from a vocabulary of made-up ones, so that a query meets short and long
postings as in real text. Vectors are random and of length 1, as many as `units` would give a message: the
encoder would take hours for a million. The messages of a user alternate between the two roles, and ten make
a session.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from habitus.memory.index.units import units
from habitus.memory.records import Changes, Role, Turn
from habitus.memory.store import MemoryStore, Query
from habitus.retrievers.encoder import Vectors

START = datetime(2024, 1, 1, tzinfo=UTC)
SESSION_TURNS = 10
_VOCABULARY = 20_000
_SYLLABLES = "ba ce di fo gu ha ke li mo nu pa re si to vu wa ze".split()
_SENTENCES = 20_000
_VECTORS = 20_000
_COMMIT_TURNS = 2_000


class MadeUp:
    """Makes turns and queries, the same for a seed.

    Args:
        dim: length of a vector.
        seed: of everything.
    """

    def __init__(self, dim: int, seed: int = 0) -> None:
        self._chance = random.Random(seed)
        rng = np.random.default_rng(seed)
        self._words = [self._word(number) for number in range(_VOCABULARY)]
        self._shares = (1.0 / np.arange(3, _VOCABULARY + 3)).cumsum()
        lengths = rng.integers(6, 19, _SENTENCES)
        drawn = np.searchsorted(self._shares, rng.random(lengths.sum()) * self._shares[-1])
        self._sentences = [
            " ".join(self._words[word] for word in part).capitalize() + "."
            for part in np.split(drawn, np.cumsum(lengths)[:-1])
        ]
        vectors: Vectors = rng.standard_normal((_VECTORS, dim), dtype=np.float32)
        self._vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _word(self, number: int) -> str:
        word = ""
        while number or not word:
            number, syllable = divmod(number, len(_SYLLABLES))
            word += _SYLLABLES[syllable]
        return word

    def message(self, role: Role) -> str:
        """Make a message: one to four sentences of the user, two to seven of the assistant."""
        n = self._chance.randint(1, 4) if role == "user" else self._chance.randint(2, 7)
        return " ".join(self._chance.choices(self._sentences, k=n))

    def vectors(self, n: int) -> Vectors:
        rows = self._chance.choices(range(_VECTORS), k=n)
        return np.asarray(self._vectors[rows], dtype=np.float32)

    def query(self) -> Query:
        """Make a question of six words, common and rare."""
        places = [self._chance.randint(0, 10 ** self._chance.randint(2, 4)) for _ in range(6)]
        return Query(text=" ".join(self._words[place] for place in places), vector=self.vectors(1)[0])

    def changes(self, user_id: str, first: int, n: int) -> tuple[Changes, dict[str, Vectors]]:
        """Make the turns `first` and following of a user, and their vectors."""
        turns: list[Turn] = []
        vectors: dict[str, Vectors] = {}
        for number in range(first, first + n):
            session, index = divmod(number, SESSION_TURNS)
            role: Role = "user" if index % 2 == 0 else "assistant"
            turn = Turn(
                id=f"{session}:{index}",
                user_id=user_id,
                session_id=str(session),
                index=index,
                role=role,
                text=self.message(role),
                at=START + timedelta(hours=session, minutes=index),
            )
            turns.append(turn)
            vectors[turn.id] = self.vectors(len(units(role, turn.text)))
        ended = tuple(dict.fromkeys(turn.session_id for turn in turns))
        return Changes(turns=tuple(turns), ends_sessions=ended), vectors


def fill(
    store: MemoryStore,
    made_up: MadeUp,
    user_id: str,
    first: int,
    until: int,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Store the turns `first` up to `until` of a user."""
    for begin in range(first, until, _COMMIT_TURNS):
        n = min(_COMMIT_TURNS, until - begin)
        changes, vectors = made_up.changes(user_id, begin, n)
        store.commit(user_id, changes, vectors=vectors)
        if progress is not None:
            progress(n)
