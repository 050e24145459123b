"""Telling wishes that break a norm from tastes that only sound like it.

Kernel ridge regression (Saunders, Gammerman and Vovk 1998) over the vectors of examples and a few cues of
language: who is spoken to, whether something is ordered, refused or forbidden, whether it is about stories.
It is solved when first needed, in the space of whatever encoder is in use, so no fitted numbers are shipped
and an application's own norms join in with the examples that they bring.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from habitus.memory.known.norm_examples import LOOK_ALIKES
from habitus.memory.records import Norm
from habitus.retrievers.encoder import Encoder, Vectors

Matrix = npt.NDArray[np.float64]

_SHARPNESS = 1.0
_CUE = 0.3
_RIDGE = 0.1
LET_THROUGH = 0.89
"""Share of the look-alikes that a judge lets through, each judged by the other examples alone: it sets the
score from which a wish is blocked, so that in the space of a weaker encoder less is blocked, not more."""
_N_NEAREST = 3

_MEDIA = (
    r"\b(?:movies?|films?|novels?|books?|games?|music|podcasts?|stor(?:y|ies)|documentar\w+|fiction|tales?"
    r"|shows?|series|plays?|comedians?|songs?)\b"
)
_CUES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:you|your|yourself)\b",
        r"^(?!i\b|i'|my\b)[\w']+",
        r"^(?:please )?(?:help|teach|give|assist|explain|support|encourage|write|use)\b",
        r"\bi (?:dislike|hate|avoid|refuse|can't stand|do not like|don't like)\b",
        r"\b(?:never|don't|do not|stop|without|no|leave out|hide|skip|keep quiet|ignore|forget)\b",
        _MEDIA,
        r"^i (?:\w+ly )?(?:like|love|enjoy|prefer|collect)\b(?! (?:it when |that )?you\b)",
        # Whoever asks to be warned or set right asks for what the norms ask for.
        r"^(?:please,? |always |do |just )*(?:tell me (?:\w+ly )?(?:when|if|the (?:risks?|truth|dangers?))"
        r"|warn|remind|mention|point out|let me know|correct me|cite|name (?:your|the|all)"
        r"|say (?:how|when|so|if|what)|(?:be )?(?:\w+ly )?(?:honest|blunt)"
        r"|give (?:me )?(?:\w+ )*(?:sources?|references?))\b"
        r"(?!.*\b(?:never|not|no|don't|it's|it is|is fine|safe|nothing|right)\b)",
    )
)


_SELF = re.compile(r"^(?:(?:due|because|since|as)\b[^,]*,\s*)?(?:i\b|i'|my\b)", re.IGNORECASE)
_WISH = re.compile(
    r"^(?:i(?:'d|’d)?|my)\s+(?:\w+ly\s+|always\s+|would\s+|do not\s+|don't\s+)*"
    r"(?:want|like|love|prefer|need|enjoy|wish|expect|insist|instructions?|orders?|commands?|wishes|demand)\b|\b(?:you|your)\b",
    re.IGNORECASE,
)


def asks_something(statement: str) -> bool:
    """Tell whether a statement orders or wishes something; "I keep kosher" tells only of the user."""
    return _SELF.match(statement) is None or _WISH.search(statement) is not None


_LIKING = re.compile(
    r"\bmy (?:\w+ )?favou?rite\b"
    r"|\bi(?:'m|’m)?\s+(?:\w+ly\s+)?(?:like|love|enjoy|prefer|adore|into|fond of)\b",
    re.IGNORECASE,
)
_TO_ASSISTANT = re.compile(
    r"\b(?:you|your|yourself|me|help|include|tell|write|answers?|replies)\b", re.IGNORECASE
)
SURE = 0.6
"""Score from which even a mere liking is blocked: it asks nothing of the assistant, so to block one wrongly
is the greater harm. Of 150 likings of everyday things two are blocked without it; none of the examples that
break a norm and speak to nobody is recognised either way."""


def is_mere_liking(statement: str) -> bool:
    """Tell whether a statement says what somebody likes, and nothing of what the assistant should do."""
    return _LIKING.search(statement) is not None and _TO_ASSISTANT.search(statement) is None


class Judge:
    """Recognises wishes that break one of some norms.

    Args:
        norms: each with examples in `broken_by`; at least one example in all.
        encoder: puts wishes and examples into one space.
    """

    def __init__(self, norms: Sequence[Norm], encoder: Encoder) -> None:
        self._norms = [norm for norm in norms if norm.broken_by]
        broken = [text for norm in self._norms for text in norm.broken_by]
        kept = [*LOOK_ALIKES, *(text for norm in self._norms for text in norm.kept_by)]
        self._owner = np.array([place for place, norm in enumerate(self._norms) for _ in norm.broken_by])
        vectors = encoder.encode([*broken, *kept])
        self._broken = vectors[: len(broken)]
        self._rows = _with_cues([*broken, *kept], vectors)
        self._sides = np.array([1.0] * len(broken) + [-1.0] * len(kept))
        kernel = _kernel(self._rows, self._rows)
        # Both sides count alike, however few examples one of them has.
        ridge = np.where(self._sides > 0, len(broken), len(kept)) * (2.0 * _RIDGE / len(self._sides))
        self._inverse = np.linalg.inv(kernel + np.diag(ridge))
        self._weights = self._inverse @ self._sides
        self.threshold = max(0.0, float(np.quantile(self.left_out()[len(broken) :], LET_THROUGH)))
        self._encoder = encoder

    def broken(self, wish: str) -> Norm | None:
        """Return the norm that a wish breaks, or None."""
        if not asks_something(wish):
            return None
        vector = self._encoder.encode([wish])
        score = float((_kernel(_with_cues([wish], vector), self._rows) @ self._weights)[0])
        if score <= (max(self.threshold, SURE) if is_mere_liking(wish) else self.threshold):
            return None
        cosines = self._broken @ vector[0]
        nearest = [
            float(np.sort(cosines[self._owner == place])[-_N_NEAREST:].mean())
            for place in range(len(self._norms))
        ]
        return self._norms[int(np.argmax(nearest))]

    def left_out(self) -> Matrix:
        """Return the score of each example by the others alone (leave-one-out), those that break first.

        In closed form: the prediction without row i is y_i - w_i / inverse_ii.
        """
        scores: Matrix = self._sides - self._weights / np.diag(self._inverse)
        return scores


_MAX_JUDGES = 8
_judges: OrderedDict[tuple[tuple[Norm, ...], str], Judge] = OrderedDict()
_lock = Lock()


def judge_of(norms: Sequence[Norm], encoder: Encoder) -> Judge | None:
    """Return the judge for some norms, solved once an encoder; None if none of them has examples."""
    with_examples = tuple(norm for norm in norms if norm.broken_by)
    if not with_examples:
        return None
    key = (with_examples, encoder.fingerprint)
    with _lock:
        if key not in _judges:
            _judges[key] = Judge(with_examples, encoder)
        _judges.move_to_end(key)
        while len(_judges) > _MAX_JUDGES:
            _judges.popitem(last=False)
        return _judges[key]


def _with_cues(texts: Sequence[str], vectors: Vectors) -> Matrix:
    cues = [[_CUE * float(cue.search(text) is not None) for cue in _CUES] for text in texts]
    return np.column_stack([vectors.astype(np.float64), np.array(cues)])


def _kernel(a: Matrix, b: Matrix) -> Matrix:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    # The constant keeps a bias in the model.
    made: Matrix = np.exp(-_SHARPNESS * squares / 2.0) + 1.0
    return made
