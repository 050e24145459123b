"""Forgetting a subject: it is named in words, and stands in records and in parts of messages."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

from habitus.memory.known.facts import matching_facts
from habitus.memory.known.preferences import matching
from habitus.memory.records import Correction, Feedback
from habitus.memory.storage.cutting import mentions, without
from habitus.memory.storage.forgetting import words as words_of
from habitus.memory.store import Forgotten, MemoryStore
from habitus.retrievers.analysis import analyze

_FRAME = frozenset(
    analyze(
        "i i'm i've i'd my me mine we our us you your he she it they a an the and or but not no don't "
        "doesn't that this what when where who is am are was were be been do does did have has had can "
        "could will would to of in on at for with from by about as so very really too please ever never "
        "always like love hate enjoy prefer dislike want need avoid said told mentioned say tell know "
        "remember forget everything anything all fact preference memory information stuff thing"
    )
)
"""Stems that frame a statement and name no subject."""


def forget_about(store: MemoryStore, user_id: str, words: str) -> Forgotten:
    """Delete for good the records that the words speak of, and every clause that mentions their subject.

    Args:
        store: where from.
        user_id: whose memory.
        words: what is to be forgotten, in the user's words: `I work as a nurse`, `my old address`.
    """
    preferences = matching(store.preferences(user_id), words, encoder=store.encoder)
    facts = matching_facts(store.facts(user_id), words, encoder=store.encoder)
    named = [words, *(p.target for p in preferences), *(f.value for f in facts)]
    subjects = [stems for text in named if (stems := set(analyze(text)) - _FRAME)]
    left: dict[str, str] = {}
    for said in store.turns(user_id):
        if said.meta and mentions(json.dumps(said.meta, ensure_ascii=False), subjects):
            left[said.id] = ""  # what stands beside a message cannot be cut into
        elif mentions(said.text, subjects):
            left[said.id] = without(said.text, subjects)
    return store.forget(
        user_id,
        turn_ids=[turn_id for turn_id, text in left.items() if not text],
        preference_ids=[p.id for p in preferences],
        fact_ids=[f.id for f in facts],
        correction_ids=[c.id for c in store.corrections(user_id) if _says(c, subjects)],
        feedback_ids=[f.id for f in store.feedback(user_id) if _says(f, subjects)],
        rewrites={turn_id: text for turn_id, text in left.items() if text},
    )


def _says(record: Correction | Feedback, subjects: Sequence[Set[str]]) -> bool:
    return any(mentions(text, subjects) for text in words_of(record))
