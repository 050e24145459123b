"""The default encoder: all-MiniLM-L6-v2 and its kin, fast on a CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from habitus.retrievers.bert import BertModel
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.weights import find_model

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from habitus.retrievers.onnx_bert import OnnxBert

_BATCH_TOKENS = 512
_WINDOW = 4096
"""Texts whose tokens are held in memory at once."""


def minilm(source: str | Path | None = None) -> MiniLM:
    """Find all-MiniLM-L6-v2, or another BERT sentence encoder with mean pooling, and return it.

    Args:
        source: a model folder, or an id on the Hugging Face hub; all-MiniLM-L6-v2 unless given,
            looked for as `find_model` says.

    Raises:
        EncoderError: nothing was found, the files are damaged, or the model is of another kind
            (`SentenceTransformerEncoder` runs those).
    """
    return MiniLM(BertModel.open(find_model(source)))


class MiniLM:
    """A BERT sentence encoder with mean pooling. Safe to call from several threads.

    Texts longer than the model's maximum (256 tokens for all-MiniLM-L6-v2) are cut. The network is
    loaded at the first call of `encode` that has a text.

    Args:
        model: an opened model folder.
    """

    def __init__(self, model: BertModel) -> None:
        self._model = model
        self._loading = Lock()
        self._loaded: tuple[Tokenizer, OnnxBert] | None = None

    @property
    def fingerprint(self) -> str:
        return self._model.fingerprint

    @property
    def dim(self) -> int:
        return self._model.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        places: dict[str, int] = {}
        rows = [places.setdefault(text, len(places)) for text in texts]
        unique = list(places)
        vectors = np.empty((len(unique), self.dim), dtype=np.float32)
        for start in range(0, len(unique), _WINDOW):
            end = start + _WINDOW
            self._encode(unique[start:end], vectors[start:end])
        return vectors[rows]

    def _encode(self, texts: list[str], vectors: Vectors) -> None:
        tokenizer, network = self._load()
        tokens = [np.array(encoding.ids) for encoding in tokenizer.encode_batch_fast(self._clean(texts))]
        lengths = np.array([len(ids) for ids in tokens])
        for batch in batches(lengths, _BATCH_TOKENS):
            ids = np.zeros((len(batch), lengths[batch[-1]]), dtype=np.int64)
            for row, text in zip(ids, batch, strict=True):
                row[: lengths[text]] = tokens[text]
            vectors[batch] = network.run(ids, lengths[batch])

    def _clean(self, texts: list[str]) -> list[str]:
        # Halves of surrogate pairs, as cut strings and JSON bring them, are not UTF-8.
        cleaned = [
            text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for text in texts
        ]
        return [text.lower() for text in cleaned] if self._model.lowercase else cleaned

    def _load(self) -> tuple[Tokenizer, OnnxBert]:
        from habitus.retrievers.onnx_bert import OnnxBert

        with self._loading:
            if self._loaded is None:
                self._loaded = self._model.tokenizer(), OnnxBert(self._model)
            return self._loaded


def batches(lengths: npt.NDArray[np.int64], budget: int) -> Iterator[npt.NDArray[np.int64]]:
    """Cut texts into batches of similar length.

    Args:
        lengths: shape `(n,)`, tokens of each text.
        budget: most tokens in a batch, padding included; a longer text is a batch of its own.

    Yields:
        Indices into `lengths`, the longest text last.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * lengths[order[end]] > budget:
            yield order[start:end]
            start = end
