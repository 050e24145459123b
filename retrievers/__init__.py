"""Ranking of texts: encoders, vector and word indexes, fusion. Knows nothing of users or language models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from habitus.retrievers.exports import lazy_exports

if TYPE_CHECKING:
    from habitus.retrievers.analysis import analyze
    from habitus.retrievers.encoder import Encoder, HashingEncoder
    from habitus.retrievers.errors import EncoderError, MissingExtraError, RetrieverError
    from habitus.retrievers.fusion import standardise, weighted_sum
    from habitus.retrievers.passages import sentences

__all__ = [
    "Encoder",
    "EncoderError",
    "HashingEncoder",
    "MissingExtraError",
    "RetrieverError",
    "analyze",
    "sentences",
    "standardise",
    "weighted_sum",
]

_HOMES = {
    "habitus.retrievers.analysis": ("analyze",),
    "habitus.retrievers.encoder": (
        "Encoder",
        "HashingEncoder",
    ),
    "habitus.retrievers.errors": (
        "EncoderError",
        "MissingExtraError",
        "RetrieverError",
    ),
    "habitus.retrievers.fusion": (
        "standardise",
        "weighted_sum",
    ),
    "habitus.retrievers.passages": ("sentences",),
}
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
