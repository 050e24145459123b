"""Which sentences bear on a question, and whether they are enough to answer it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from habitus.agent.generators.extractive.asked import Asked
from habitus.agent.generators.extractive.evidence import Said
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.telling import asks_memory, asks_of_user, tells_of_another
from habitus.memory.retrieval.timing import nearness
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze
from habitus.retrievers.encoder import Encoder

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers.

    Attributes:
        weights: of a sentence's cosine to the question, coverage of its words, further coverage by the
            message, form, being a question itself, and nearness to the days asked about.
        enough: of the four signs of `Evidence.signs`.
        bias: added to them; above 0 in all the evidence holds an answer.
    """

    weights: tuple[float, ...]
    enough: tuple[float, ...]
    bias: float


FITTED = Calibration(
    weights=(5.66, 3.82, 2.43, 3.83, -1.45, 2.6), enough=(-10.127, 3.453, 0.091, -1.937), bias=-2.402
)
"""Fitted on the development half of LongMemEval (MIT licence) by `habitus eval answers --refit`.

`weights` are the coefficients of a logistic choice model (McFadden 1974) between the user's sentences of a
prompt, over the questions whose short answer stands word for word in one of them. `enough` and `bias` are a
logistic regression between these questions as they are and the same without their evidence, or with one
word exchanged for a neighbour in meaning that nobody has said. The benchmark's own unanswerable questions
take no part in the fit."""
_SOFT_FROM, _SOFT_TO = 0.5, 0.9
"""Cosines of two single words below and above which they are strangers and the same."""
_INFLECTED_FROM = 0.7
"""The lower one where a violin must not pass for a guitar, but "bought" may for "buy"."""
_N_LOOKED_AT = 12
"""Sentences whose single words are compared with those of the question."""
_N_PROBED = 5
"""Best sentences that are asked whether the question fits better without a word."""
UPDATE_MARGIN = 2.5
UPDATE_COSINE = 0.5
"""How far behind the best, and how near to it in meaning, a sentence may be to tell the same anew."""


@dataclass(frozen=True)
class Found:
    """A sentence of the evidence with how well it answers a question.

    Attributes:
        said: the sentence.
        score: higher is better; comparable within one question.
        covered: share of the question's content that it holds, words that tell more counting more, 0..1.
        cosine: to the question.
        has_form: it holds something of the form asked for.
        place: its row in the evidence.
    """

    said: Said
    score: float
    covered: float
    cosine: float
    has_form: bool
    place: int


REPLACED = 1.5
"""What a sentence of a message that something later took the place of is ranked down by, unless an earlier
state is asked for: enough for the newer one where both fit, not for a sentence that does not fit."""


TELLS_NOTHING = 6.0
"""What an earlier question to memory is ranked down by and, where users ask of themselves, a sentence that
tells of one of their people: more than the words and the form it may share with the question are worth."""


class Evidence:
    """The sentences of a prompt, encoded once, to be searched for several things.

    Args:
        said: the sentences, in the order of the prompt.
        encoder: compares meanings.
        calibration: how signs are weighed.
    """

    def __init__(self, said: Sequence[Said], encoder: Encoder, calibration: Calibration = FITTED) -> None:
        self._weights = np.array(calibration.weights)
        self._enough, self._bias = np.array(calibration.enough), calibration.bias
        self.said = list(said)
        self._encoder = encoder
        self._vectors = encoder.encode([one.text for one in said]) if said else np.zeros((0, encoder.dim))
        self._stems = [frozenset(analyze(one.text)) for one in said]
        self._messages: dict[int, set[str]] = {}
        for one, stems in zip(said, self._stems, strict=True):
            self._messages.setdefault(one.message, set()).update(stems)
        self._df = Counter(stem for stems in self._messages.values() for stem in stems)

    def weight(self, stem: str) -> float:
        """Return how much a word tells: high where few messages hold it."""
        n = len(self._messages)
        return math.log(1.0 + (n - self._df[stem] + 0.5) / (self._df[stem] + 0.5))

    def message_of(self, found: Found) -> frozenset[str]:
        """Return the stems of the message that a sentence stands in."""
        return frozenset(self._messages[found.said.message])

    def found(self, asked: Asked) -> list[Found]:
        """Return every sentence, best first; on equal terms the newest."""
        if not self.said:
            return []
        features = self.features(asked)
        scores = features @ self._weights
        if not asked.earlier:
            scores = scores - REPLACED * np.array([one.replaced for one in self.said], dtype=np.float64)
        scores = scores - TELLS_NOTHING * self._telling_nothing(asked)
        found = [
            Found(one, float(score), float(row[1]), float(row[0]), bool(row[3]), place)
            for place, (one, score, row) in enumerate(zip(self.said, scores, features, strict=True))
        ]
        return sorted(found, key=lambda one: (-one.score, -_ordinal(one.said)))

    def _telling_nothing(self, asked: Asked) -> Matrix:
        """Return 1 for the sentences that tell nothing of the user, 0 for the others, shape `(n,)`."""
        of_user = asks_of_user(asked.text)
        return np.array([self._tells_nothing(one, of_user) for one in self.said], dtype=np.float64)

    def _tells_nothing(self, one: Said, of_user: bool) -> bool:
        return one.by_user and (asks_memory(one.text) or (of_user and tells_of_another(one.text)))

    def bears(self, one: Found, asked: Asked) -> bool:
        """Tell whether a sentence can answer: it holds a word of the question, and tells of whom it asks."""
        return one.covered > 0.0 and not self._tells_nothing(one.said, asks_of_user(asked.text))

    def versions(self, found: Sequence[Found], asked: Asked) -> list[Found]:
        """Return the best sentence and those that tell the same at other times, the state asked for first.

        That is the newest, unless the question asks for an earlier one.
        """
        best = found[0]
        near = self._vectors @ self._vectors[best.place]
        same = [
            one
            for one in found
            if one.score >= best.score - UPDATE_MARGIN
            and near[one.place] >= UPDATE_COSINE
            and one.has_form >= best.has_form
        ]
        forth = -1 if asked.earlier else 1
        return sorted(same, key=lambda one: (-forth * _ordinal(one.said), -one.score))

    def confidence(self, asked: Asked, found: Sequence[Found]) -> float:
        """Return how sure it is that the evidence holds an answer: log-odds, above 0 is enough.

        What speaks against it: the question fits the evidence better without one of its words (asked of a
        violin where the evidence tells of a guitar), words of it that nobody has said, and names or numbers
        among these.
        """
        return float(self.signs(asked, found) @ self._enough + self._bias) if found else -math.inf

    def signs(self, asked: Asked, found: Sequence[Found]) -> Matrix:
        """Return what `confidence` weighs: shape `(4,)`."""
        wanted = _wanted(asked.words)
        weights = {stem: self.weight(stem) for stem in wanted}
        spoken = set(self._df)
        unsaid_name = any(not set(analyze(name)) <= spoken for name in asked.names)
        return np.array(
            [
                self._gain_without_a_word(asked, found),
                self._covered_at_all(wanted, weights, found),
                found[0].score,
                float(unsaid_name),
            ]
        )

    def _gain_without_a_word(self, asked: Asked, found: Sequence[Found]) -> float:
        """Return how much nearer the evidence comes when a word is left out that its best message lacks."""
        held = self._messages[found[0].said.message] | FUNCTION_STEMS
        foreign = [word for word in asked.words if not set(analyze(word)) <= held]
        if not foreign:
            return 0.0
        without = [re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "", asked.meaning) for word in foreign]
        texts = [asked.meaning, *(" ".join(text.split()) for text in without)]
        cosines = self._encoder.encode(texts) @ self._vectors[[one.place for one in found[:_N_PROBED]]].T
        return float((cosines[1:] - cosines[0]).max())

    def features(self, asked: Asked) -> Matrix:
        """Return a row for each sentence; the columns are those of `Calibration.weights`."""
        vector = self._encoder.encode([asked.meaning])[0]
        cosines = self._vectors @ vector
        wanted = _wanted(asked.words)
        weights = {stem: self.weight(stem) for stem in wanted}
        exact = np.array([_share(stems & wanted.keys(), weights) for stems in self._stems])
        first = np.argsort(-(cosines + exact), kind="stable")[:_N_LOOKED_AT]
        soft = exact.copy()
        for place in first.tolist():
            soft[place] = self._softly_covered(place, wanted, weights)
        rest = np.array([_share(self._messages[one.message] & wanted.keys(), weights) for one in self.said])
        form = np.array([float(asked.stands_in(one.text)) for one in self.said])
        question = np.array([float(one.text.endswith("?")) for one in self.said])
        return np.column_stack(
            [cosines, soft, np.maximum(rest - soft, 0.0), form, question, self._near(asked)]
        ).astype(np.float64)

    def _near(self, asked: Asked) -> Matrix:
        days = [one.day for one in self.said]
        if not asked.spans:
            return np.zeros(len(days))
        at = [
            datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() if day else 0.0 for day in days
        ]
        return nearness(asked.spans, np.array(at))

    def _covered_at_all(
        self, wanted: dict[str, str], weights: dict[str, float], found: Sequence[Found]
    ) -> float:
        """Return the share of the wanted words said anywhere, or nearly said in the best sentences."""
        near = " ".join(one.said.text for one in found[:_N_PROBED])
        return self._with_synonyms(set(self._df), near, wanted, weights, _INFLECTED_FROM)

    def _softly_covered(self, place: int, wanted: dict[str, str], weights: dict[str, float]) -> float:
        """Return the share of the wanted words that a sentence holds, near synonyms in part."""
        return self._with_synonyms(self._stems[place], self.said[place].text, wanted, weights)

    def _with_synonyms(
        self,
        said: set[str] | frozenset[str],
        text: str,
        wanted: dict[str, str],
        weights: dict[str, float],
        strangers: float = _SOFT_FROM,
    ) -> float:
        total = sum(weights.values())
        if not total:
            return 0.0
        missing = [stem for stem in wanted if stem not in said]
        held = total - sum(weights[stem] for stem in missing)
        spoken = sorted(_wanted(text.split()).values())
        if missing and spoken:
            asked_for = vectors_of([wanted[stem] for stem in missing], self._encoder)
            nearest = (asked_for @ vectors_of(spoken, self._encoder).T).max(axis=1)
            part = np.clip((nearest - strangers) / (_SOFT_TO - strangers), 0.0, 1.0)
            held += sum(weights[stem] * float(one) for stem, one in zip(missing, part, strict=True))
        return held / total


def _wanted(words: Sequence[str]) -> dict[str, str]:
    """Return content words by stem, as first written, in lower case."""
    found: dict[str, str] = {}
    for word in words:
        for stem in analyze(word):
            if stem not in FUNCTION_STEMS:
                found.setdefault(stem, word.strip(".,;:!?\"'()*“”").lower())
    return found


def _share(held: set[str] | frozenset[str], weights: dict[str, float]) -> float:
    total = sum(weights.values())
    return sum(weights[stem] for stem in held) / total if total else 0.0


def _ordinal(said: Said) -> int:
    return said.day.toordinal() if said.day else 0
