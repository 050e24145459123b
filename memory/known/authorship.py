"""How a user writes, in a few sentences: measures of their messages, and the words that are theirs.

Yazan et al. (2025) tell a model such features of an author, and show documents of others as a contrast. No
other user's words are read here: the contrast is the assistant's replies in the same conversations, by log
odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from habitus.memory.known.manner import own_words
from habitus.memory.records import Turn
from habitus.memory.store import MemoryStore
from habitus.retrievers.passages import sentences

N_SESSIONS = 20
"""The latest ones are looked at."""
MIN_MESSAGES = 5
N_WORDS = 12
N_PRIOR = 50
"""Words of prior, shared out as in both texts together: of few texts little can be told."""
SURE = 1.64
"""The z from which a word is the user's rather than the assistant's."""
OFTEN = 0.2
"""Share of messages from which a mark is named."""

_WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)*")
_MARKS = {
    "an exclamation mark": re.compile(r"!"),
    "emoji": re.compile("[\U0001f300-\U0001faff☀-➿]"),
    "dots (...)": re.compile(r"\.{3,}|…"),
    "a greeting or thanks": re.compile(r"\b(?:hi|hello|hey|dear|thanks|thank\s+you|cheers)\b", re.IGNORECASE),
    "no capital at the beginning": re.compile(r"\A\W*[a-z]"),
}


def latest_turns(store: MemoryStore, user_id: str) -> list[Turn]:
    """Return the turns of a user's latest sessions, oldest first, both roles."""
    sessions = store.sessions(user_id)[-N_SESSIONS:]
    return [turn for one in sessions for turn in store.turns(user_id, session_id=one.id)]


def writing_of(turns: Sequence[Turn]) -> list[str]:
    """Return how a user writes, one sentence each; empty where too little is known.

    Args:
        turns: of one user, both roles.
    """
    own = [text for turn in turns if (text := own_words(turn))]
    if len(own) < MIN_MESSAGES:
        return []
    words = median(len(text.split()) for text in own)
    per_sentence = median(len(one.split()) for text in own for one in sentences(text))
    said = [f"The user writes some {words:g} words a message, {per_sentence:g} a sentence."]
    marks = {name: sum(bool(mark.search(text)) for text in own) / len(own) for name, mark in _MARKS.items()}
    said += [f"In {share:.0%} of the messages: {name}." for name, share in marks.items() if share >= OFTEN]
    typical = own_vocabulary(own, [turn.text for turn in turns if turn.role == "assistant"])
    if typical:
        said.append(f"Words that are theirs rather than the assistant's: {', '.join(typical)}.")
    return said


def own_vocabulary(own: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the words that tell an author's texts from others', the surest first.

    Args:
        own: the author's texts.
        others: texts of somebody else on the same subjects.
    """
    mine, theirs = _counted(own), _counted(others)
    n_mine, n_theirs = mine.total(), theirs.total()
    z: dict[str, float] = {}
    for word, n in mine.items():
        if n < 2:
            continue
        prior = N_PRIOR * (n + theirs[word]) / (n_mine + n_theirs)
        a, b = n + prior, theirs[word] + prior
        odds = math.log(a / (n_mine + N_PRIOR - a)) - math.log(b / (n_theirs + N_PRIOR - b))
        z[word] = odds / math.sqrt(1.0 / a + 1.0 / b)
    sure = sorted((word for word, value in z.items() if value >= SURE), key=lambda word: (-z[word], word))
    return sure[:N_WORDS]


def _counted(texts: Sequence[str]) -> Counter[str]:
    return Counter(word.lower() for text in texts for word in _WORD.findall(text))
