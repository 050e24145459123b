"""How far texts written for several users differ as the users do, and pairwise preference.

All users of a document asked for a text of their own: `wanted` is what each wrote or chose, `written`
what the system gave. A metric that looks at accuracy alone cannot tell a system that serves everyone the
same good text from one that knows its users.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Distance = Callable[[str, str], float]
"""0 for equal texts, at most 1; such as one minus ROUGE-L, or Jensen-Shannon's."""
Pick = Literal["a", "b", "tie"]

_SMOOTHING = 1e-5
_EPSILON = 1e-7


@dataclass(frozen=True, slots=True)
class DocumentDistances:
    """Distances, in [0, 1], between the texts of n users to one document.

    Attributes:
        wanted: shape `(n, n)`, between what the users wanted.
        written: shape `(n, n)`, between what the system wrote for them.
        wanted_to_document: shape `(n,)`.
        written_to_document: shape `(n,)`.
        written_to_wanted: shape `(n,)`, how far the system is from each user; 0 is perfect.
    """

    wanted: Vector
    written: Vector
    wanted_to_document: Vector
    written_to_document: Vector
    written_to_wanted: Vector


def measure_document(
    document: str, wanted: Sequence[str], written: Sequence[str], distance: Distance
) -> DocumentDistances:
    """Compute all distances of one document.

    Args:
        document: the text that all users had.
        wanted: what each user wanted.
        written: what the system wrote for the same users, in the same order.
        distance: of two texts; the metrics below are named after it.

    Raises:
        ValueError: there are fewer than two users, not as many texts of one kind as of the other, or
            a distance that is not in [0, 1].
    """
    if len(wanted) < 2 or len(wanted) != len(written):
        raise ValueError(
            f"personalisation shows between two users at least, got {len(wanted)} wanted and "
            f"{len(written)} written texts"
        )
    found = DocumentDistances(
        wanted=np.array([[distance(one, other) for other in wanted] for one in wanted]),
        written=np.array([[distance(one, other) for other in written] for one in written]),
        wanted_to_document=np.array([distance(text, document) for text in wanted]),
        written_to_document=np.array([distance(text, document) for text in written]),
        written_to_wanted=np.array([distance(*pair) for pair in zip(written, wanted, strict=True)]),
    )
    for values in (found.wanted, found.written, found.wanted_to_document, found.written_to_document):
        if values.min() < 0.0 or values.max() > 1.0:
            raise ValueError("a distance is not in [0, 1]; scale it")
    return found


def degress(documents: Sequence[DocumentDistances]) -> float:
    """Return DEGRESS, the degree of responsiveness. Higher is better; 0..1.

    For each document and user i: the weight of user j is softmax_j(d(i, j) / d(i, document)), X the
    weighted distance between what i and j wanted, Y that between what was written for them.
    DEGRESS is the mean of min(X, Y) / max(X, Y) over j, then i, then documents. It says nothing of
    accuracy: texts that differ as much as the users do, about something else, reach 1.

    Source: Vansh et al., Accuracy is not enough (Findings of EMNLP 2023), and Dasgupta et al., PerSEval
    (TMLR 2024), whose code adds 1e-5 to both sides of the ratio; so does this. No rounding in between.

    Raises:
        ValueError: there are no documents.
    """
    _check(documents)
    return float(np.mean([_responsiveness(document).mean() for document in documents]))


def egises(documents: Sequence[DocumentDistances]) -> float:
    """Return EGISES = 1 - DEGRESS: insensitivity to who is asking. LOWER is better; 0..1.

    Source: Vansh et al., Findings of EMNLP 2023.

    Raises:
        ValueError: there are no documents.
    """
    return 1.0 - degress(documents)


def p_accuracy(accuracy: float, egises_value: float, *, alpha: float = 0.5, beta: float = 1.0) -> float:
    """Return an accuracy lowered by lack of personalisation. Higher is better; at most `accuracy`.

    accuracy - alpha * sigmoid(beta * EGISES), with sigmoid(x) = 1 / (1 + exp(-x)). The idea, a penalty of
    at most `alpha` whose steepness is `beta`, is that of Vansh et al. (Findings of EMNLP 2023). This
    closed form is our reading, NOT VERIFIED: the authors' code (KDM-LAB/EGISES-EMNLP23 and
    T-Atlas/Perseval-TMLR) computes EGISES, accuracy and PerSEval, but no P-Accuracy. Since sigmoid(0) = 1/2,
    even perfect personalisation costs alpha / 2: compare values of one alpha and beta only.

    Args:
        accuracy: any accuracy in [0, 1], higher is better.
        egises_value: in [0, 1].
        alpha: the greatest penalty, in [0, 1].
        beta: above 0.

    Raises:
        ValueError: an argument is out of its range.
    """
    for name, value in {"accuracy": accuracy, "egises_value": egises_value, "alpha": alpha}.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} must lie in [0, 1], got {value!r}")
    if beta <= 0.0:
        raise ValueError(f"beta must be above 0, got {beta!r}")
    return accuracy - alpha / (1.0 + float(np.exp(-beta * egises_value)))


def perseval(documents: Sequence[DocumentDistances]) -> float:
    """Return PerSEval: responsiveness, discounted where the texts miss the users. Higher is better; 0..1.

    The mean over users and documents of DEGRESS(i) * EDP(i). With d the distance of a user's text from
    what they wanted, d_min and d_mean over the document's users and
    s(a, x) = 1 / (1 + 10^a exp(-10 x)): ADP = s(4, d_min / (1 - d_min)) is the penalty for a document missed
    altogether, ACP = s(4, (d - d_min) / (d_mean - d_min)) that for serving one user worse than others,
    EDP = 1 - s(3, ADP + ACP).

    Source: Dasgupta et al., PerSEval (TMLR 2024), with the constants of their code.

    Raises:
        ValueError: there are no documents.
    """
    _check(documents)
    return float(np.mean([(_responsiveness(found) * _effective(found)).mean() for found in documents]))


def win_rate(verdicts: Sequence[tuple[Pick, Pick]]) -> float:
    """Return the share of pairs that `a` wins, order swapped. Higher is better for a; 0..1, .5 is even.

    Each pair was judged twice, the second time in the other order; both picks name the system, not the
    place. A win counts only if both agree; everything else, disagreement included, is a tie, one half.

    Source: Zheng et al., Judging LLM-as-a-Judge (NeurIPS 2023), the conservative rule of section 3.4.

    Raises:
        ValueError: there are no verdicts.
    """
    if not verdicts:
        raise ValueError("no verdicts, so no win rate")
    return sum(1.0 if pair == ("a", "a") else 0.0 if pair == ("b", "b") else 0.5 for pair in verdicts) / len(
        verdicts
    )


def order_consistency(verdicts: Sequence[tuple[Pick, Pick]]) -> float:
    """Return the share of pairs judged alike in both orders. Higher is better; 0..1.

    Raises:
        ValueError: there are no verdicts.
    """
    if not verdicts:
        raise ValueError("no verdicts, so no consistency")
    return sum(one == other for one, other in verdicts) / len(verdicts)


def rating(ratings: Sequence[float], *, lowest: float = 1.0, highest: float = 5.0) -> float:
    """Return the mean rating, brought to 0..1: mean of (r - lowest) / (highest - lowest). Higher is better.

    Ratings of a judge (`habitus.evals.judges.ratings`) or of people. Values of two scales or judges cannot be
    compared; a judge's ratings cluster, so a win rate tells systems apart better.

    Source: Liu et al., G-Eval (EMNLP 2023), where a model rates on a scale.

    Raises:
        ValueError: there are no ratings, or one is off the scale.
    """
    if not ratings or lowest >= highest:
        raise ValueError("no ratings" if not ratings else f"no scale from {lowest!r} to {highest!r}")
    if min(ratings) < lowest or max(ratings) > highest:
        raise ValueError(f"a rating is off the scale {lowest:g}..{highest:g}")
    return (float(np.mean(np.asarray(ratings, dtype=np.float64))) - lowest) / (highest - lowest)


def alignment_accuracy(chosen: Sequence[float], rejected: Sequence[float]) -> float:
    """Return the share of pairs in which what the user chose is scored higher. Higher is better; 0..1.

    An equal score counts one half. Chance is .5.

    Args:
        chosen: score, by a reward or a generator's likelihood, of what each user chose.
        rejected: of what they turned down, in the same order.

    Raises:
        ValueError: there are no pairs, or not as many of one as of the other.
    """
    if not chosen or len(chosen) != len(rejected):
        raise ValueError(f"expected as many in both and at least one, got {len(chosen)} and {len(rejected)}")
    return float(np.mean((np.sign(np.subtract(chosen, rejected)) + 1.0) / 2.0))


def _responsiveness(found: DocumentDistances) -> Vector:
    """Return DEGRESS of every user of one document, shape `(n,)`."""
    wanted = _weighted(found.wanted, found.wanted_to_document)
    written = _weighted(found.written, found.written_to_document)
    ratios = (np.minimum(wanted, written) + _SMOOTHING) / (np.maximum(wanted, written) + _SMOOTHING)
    others: Vector = ratios.mean(axis=1)
    return others


def _weighted(pairs: Vector, to_document: Vector) -> Vector:
    """Return the weighted distances to the other users, shape `(n, n - 1)`."""
    n = len(pairs)
    others = pairs[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    # A text equal to its document has no scale of its own; the authors' code then weighs all users alike.
    scale = to_document[:, None]
    relative = np.divide(others, scale, out=np.zeros_like(others), where=scale > 0.0)
    exponentials = np.exp(relative - relative.max(axis=1, keepdims=True))
    weighted: Vector = exponentials / exponentials.sum(axis=1, keepdims=True) * others
    return weighted


def _effective(found: DocumentDistances) -> Vector:
    missed = found.written_to_wanted
    least, mean = missed.min(), missed.mean()
    drop = _steep(4, np.asarray(least / (1.0 - least + _EPSILON)))
    uneven = _steep(4, (missed - least) / (mean - least + _EPSILON))
    effective: Vector = 1.0 - _steep(3, drop + uneven)
    return effective


def _steep(shift: int, x: Vector) -> Vector:
    curve: Vector = 1.0 / (1.0 + 10.0**shift * np.exp(-10.0 * x))
    return curve


def _check(documents: Sequence[DocumentDistances]) -> None:
    if not documents:
        raise ValueError("no documents, so nothing to measure")
