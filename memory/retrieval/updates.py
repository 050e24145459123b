"""Which statements of the user a later one replaces: the same attribute with another value.

Without a model, from what such pairs share: they are near in meaning, both tell a state and no single event,
and they differ in a value (a number of the same things, a day of the week), or the later one says that
something changed. What is found is shown as earlier and never left out, for the older value may be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from habitus.memory.index.products import all_dots, dots
from habitus.memory.index.remembering import remembered
from habitus.memory.records import Fact, Preference
from habitus.memory.retrieval.recall import Ranking
from habitus.memory.retrieval.reranking import Said
from habitus.memory.store import Candidates
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze
from habitus.retrievers.encoder import Vectors

NEAR = 0.5
"""Cosine of two statements from which they may be of one attribute."""

NEAR_WITHOUT_NUMBER = 0.65
"""The same where a day of the week or a word of change speaks for it, and no number."""

NEAR_OF_TIME = 0.6
"""The same for numbers of days or hours, which all kinds of things have, unless a name is shared."""

_UNITS = frozenset(analyze("minute hour day week month year am pm times"))

_APART = timedelta(hours=1)
"""Of one conversation, a later statement adds to an earlier one more often than it replaces it."""

_NUMBERS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split(),
    )
}
_NUMBER_SEEN = re.compile(rf"\d|(?<![^\W\d_])(?:{'|'.join(_NUMBERS)})(?![^\W\d_])", re.IGNORECASE)
_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;:] )(?!I\b)[A-Z][\w]+")
"""Capitals within a sentence."""
_WORD = re.compile(
    r"\d{1,2}:\d\d|\$?\d[\d,]*(?:\.\d+)?(?:(?:st|nd|rd|th)\b|%|(?![^\W_]))|\d\w+|[^\W\d_]+(?:['’-][^\W\d_]+)*"
)
_STATE = re.compile(
    r"\b(?:now|currently|so far|at the moment|these days|lately|nowadays|already|in total|usually|always|"
    r"every|(?:i|we)['’](?:ve|m|re)|my (?:\w+ ){1,4}is|(?:i|we) (?:\w+ly )?(?:have|am|are|own|keep|live|work|"
    r"lead|use|go|take|need|play|run|eat|drink|prefer|like|love|want|plan))\b",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:no longer|not any ?more|switched (?:from|to|over)|changed (?:from|to|my)|moved (?:from|to|back)|"
    r"upgraded|replaced|increased|decreased|reduced|cut back)\b",
    re.IGNORECASE,
)
_NUMERAL = re.compile(r"\$?\d[\d,.:]*(?:st|nd|rd|th|%)?")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)$")
_HEAD_WORDS = 3


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence in which the user states something.

    Attributes:
        turn_id: of its message.
        at: when it was said.
        text: its words.
        vector: shape `(dim,)`, length 1.
    """

    turn_id: str
    at: datetime
    text: str
    vector: Vectors


def superseded(records: Iterable[Preference] | Iterable[Fact]) -> dict[str, str]:
    """Return the same for what the store of preferences and facts knows to be superseded.

    Args:
        records: in all states; one that supersedes another names it.
    """
    by_id = {record.id: record for record in records}
    found: dict[str, str] = {}
    for record in by_id.values():
        old = by_id.get(record.supersedes or "")
        if old is None or old.status != "superseded" or not record.evidence:
            continue
        still = {one.turn_id for one in record.evidence}
        found |= {
            one.turn_id: record.evidence[-1].turn_id for one in old.evidence if one.turn_id not in still
        }
    return found


def newer_first(ranking: Ranking, replacing: Mapping[str, str]) -> Ranking:
    """Rank a message that replaces another right above it, if it stands below.

    Args:
        ranking: of turns.
        replacing: by the id of an earlier message, that of the one which replaces it.
    """
    if not replacing:
        return ranking
    named = {*replacing, *replacing.values()}
    rows = [row for row, turn_id in enumerate(ranking.turn_ids) if turn_id in named]
    places = np.flatnonzero(np.isin(ranking.rows, rows)).tolist()
    place = {ranking.turn_ids[ranking.rows[place]]: place for place in places}
    scores = ranking.scores.copy()
    moved = False
    for old, new in replacing.items():
        if old in place and new in place and place[old] < place[new]:
            scores[place[new]] = max(scores[place[new]], scores[place[old]] + _STEP)
            moved = True
    if not moved:
        return ranking
    order = np.argsort(-scores, kind="stable")
    return replace(ranking, rows=ranking.rows[order], scores=scores[order])


_STEP = 1e-6
_N_RESTATED = 6
_NEAR_RESTATED = 0.6
_NEAR_QUESTION = 0.3
_NEARLY_AS_GOOD = 1.0
"""Restated is what one of the best six turns says in a statement so near to that of another in meaning, if
both come so near to the question and the scores of the turns differ by no more than this."""


def restated(
    ranking: Ranking, candidates: Candidates, said: Mapping[str, Said], vector: Vectors
) -> dict[str, str]:
    """Return what a later message says much the same of, among the best: of the two the newer is wanted.

    Too little to call the earlier one replaced, for people also tell of like events; so only the order
    follows it, in which the newest evidence of LongMemEval's questions after updates stands above the older
    in 28 of 35 questions, with `replaced` alone in 23, with neither in 17.

    Args:
        ranking: of the candidates.
        candidates: turns.
        said: messages by turn id.
        vector: of the question, shape `(dim,)`, length 1.
    """
    best: list[tuple[int, float, Vectors]] = []
    for row, score in zip(ranking.rows[:_N_RESTATED].tolist(), ranking.scores.tolist(), strict=False):
        message = said.get(candidates.turn_ids[row])
        places = [place for place, _ in message.statements] if message else []
        if message and places:
            vectors = message.vectors[places]
            nearness = dots(vectors, vector)
            nearest = int(np.argmax(nearness))
            if nearness[nearest] >= _NEAR_QUESTION:
                best.append((row, score, vectors[nearest]))
    found: dict[str, str] = {}
    for place, (old, above, one) in enumerate(best):
        for new, below, other in best[place + 1 :]:
            later = candidates.at[new] - candidates.at[old] >= _APART.total_seconds()
            elsewhere = candidates.session_ids[new] != candidates.session_ids[old]
            if later and elsewhere and above - below <= _NEARLY_AS_GOOD and one @ other >= _NEAR_RESTATED:
                found[candidates.turn_ids[old]] = candidates.turn_ids[new]
    return found


def replaced(statements: Sequence[Statement]) -> dict[str, str]:
    """Return, by the id of an earlier message, that of the latest one which replaces what it states.

    Args:
        statements: of one user, in any order.
    """
    stating = [one for one in statements if glance(one.text).is_state]
    ordered = sorted(stating, key=lambda one: (one.at, one.turn_id))
    if len(ordered) < 2:
        return {}
    vectors = np.stack([one.vector for one in ordered])
    near = all_dots(vectors, vectors)
    pairs = np.triu(near >= NEAR, k=1) & _comparable([glance(one.text) for one in ordered], near)
    # Few statements are left, and reading what one tells takes longer than all the rest.
    told = lru_cache(maxsize=None)(lambda place: _Told.of(ordered[place].text))
    found: dict[str, str] = {}
    for old, new in np.argwhere(pairs).tolist():
        before, after = ordered[old], ordered[new]
        if after.at - before.at >= _APART and _replaces(told(old), told(new), float(near[old, new])):
            found[before.turn_id] = after.turn_id
    return found


class Glance(NamedTuple):
    """What is seen of a statement at a glance.

    Attributes:
        is_state: whether it tells a state, and no single event; only such replace one another.
        has_number, has_weekday, has_change: whether it names one.
    """

    is_state: bool
    has_number: bool
    has_weekday: bool
    has_change: bool


def _seen(text: str) -> Glance:
    if not _STATE.search(text):
        return Glance(False, False, False, False)
    return Glance(True, *(bool(cue.search(text)) for cue in (_NUMBER_SEEN, _WEEKDAY, _CHANGE)))


glance = remembered(_seen, n=16_384)


def _comparable(states: Sequence[Glance], near: Vectors) -> npt.NDArray[np.bool_]:
    """Return which pairs of states may replace one another at a glance, shape `(n, n)`, old by new.

    Left out is only what `_replaces` refuses: both name a number, or being nearer in meaning both a day of
    the week, or the later one a change.
    """
    _, numbers, weekdays, changes = np.array(states, dtype=np.bool_).T
    nearer = np.outer(weekdays, weekdays) | changes
    seen = np.outer(numbers, numbers) | ((near >= NEAR_WITHOUT_NUMBER) & nearer)
    return np.asarray(seen)


@dataclass(frozen=True)
class _Told:
    """What a statement tells: numbers by what they count, weekdays, names, and what it is about."""

    numbers: dict[str, str]
    weekdays: frozenset[str]
    names: frozenset[str]
    about: frozenset[str]
    is_change: bool

    @classmethod
    def of(cls, text: str) -> _Told:
        words = [word.replace("’", "'").casefold() for word in _WORD.findall(text)]
        stems = frozenset(analyze(text)) - FUNCTION_STEMS - _NUMBERS.keys()
        return cls(
            numbers=_counted(words),
            weekdays=frozenset(found.casefold().rstrip("s") for found in _WEEKDAY.findall(text)),
            names=frozenset(name.casefold() for name in _NAME.findall(text) if not _WEEKDAY.fullmatch(name)),
            about=frozenset(stem for stem in stems if not stem[0].isdigit()),
            is_change=bool(_CHANGE.search(text)),
        )


def _counted(words: Sequence[str]) -> dict[str, str]:
    """Return each number by the stem of the next word that names something."""
    found: dict[str, str] = {}
    for place, word in enumerate(words):
        number = _ORDINAL.sub("", word) if _NUMERAL.fullmatch(word) else str(_NUMBERS.get(word, ""))
        if not number:
            continue
        for after in words[place + 1 : place + 1 + _HEAD_WORDS]:
            head = analyze(after)
            if head and not FUNCTION_STEMS.issuperset(head) and not head[0][0].isdigit():
                found.setdefault(head[0], number)
                break
    return found


def _replaces(old: _Told, new: _Told, near: float) -> bool:
    if len(old.about & new.about) < 2:
        return False
    # Where the user tells of a change, a name is the value; elsewhere it tells what the value is of.
    if not new.is_change and 2 * len(old.names & new.names) < min(len(old.names), len(new.names)):
        return False
    alike = near >= NEAR_OF_TIME or bool(old.names & new.names)
    same = [
        head
        for head in old.numbers.keys() & new.numbers.keys()
        if _one_kind(old.numbers[head], new.numbers[head]) and (alike or head not in _UNITS)
    ]
    if any(old.numbers[head] != new.numbers[head] for head in same):
        return True
    if near < NEAR_WITHOUT_NUMBER or same:
        return False
    if old.weekdays and new.weekdays:
        return not old.weekdays & new.weekdays
    return new.is_change


def _one_kind(number: str, other: str) -> bool:
    return number.startswith("$") == other.startswith("$") and (":" in number) == (":" in other)
