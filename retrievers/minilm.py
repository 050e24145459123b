"""The default encoder: all-MiniLM-L6-v2 and its kin, fast on a CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from habitus.retrievers.bert import BertModel, well_formed
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.weights import find_model

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from habitus.retrievers.onnx_bert import OnnxBert
    from habitus.retrievers.torch_bert import TorchBert

_BATCH_TOKENS = 512
_BULK_BATCH_TOKENS = 2048
_BULK_TOKENS = 8192
"""A call with so many tokens is bulk work: enough to be worth torch, whose import takes seconds."""
_WINDOW = 4096
"""Texts whose tokens are held in memory at once."""


def minilm(source: str | Path | None = None, *, bfloat16: bool | None = None) -> MiniLM:
    """Find all-MiniLM-L6-v2, or another BERT sentence encoder with mean pooling, and return it.

    Args:
        source: a model folder, or an id on the Hugging Face hub; all-MiniLM-L6-v2 unless given,
            looked for as `find_model` says.
        bfloat16: see `MiniLM`.

    Raises:
        EncoderError: nothing was found, the files are damaged, or the model is of another kind
            (`SentenceTransformerEncoder` runs those).
    """
    return MiniLM(BertModel.open(find_model(source)), bfloat16=bfloat16)


class MiniLM:
    """A BERT sentence encoder with mean pooling. Safe to call from several threads.

    Texts longer than the model's maximum (256 tokens for all-MiniLM-L6-v2) are cut. Runs in ONNX
    Runtime in float32; calls of some hundred texts may run in torch in bfloat16, nearly twice as
    fast. A text's vectors from the two differ by less than 1e-4 in cosine, and share a fingerprint.
    Networks are loaded when first needed, torch only for such a call. They hold threads: a process
    that forks must make its encoder after the fork.

    Args:
        model: an opened model folder.
        bfloat16: whether large calls use bfloat16; unless given, where the CPU computes it natively.
            False makes the vector of a text independent of what else is in the call (to 1e-6).
    """

    def __init__(self, model: BertModel, *, bfloat16: bool | None = None) -> None:
        self._model = model
        self._bfloat16 = bfloat16
        self._loading = Lock()
        self._tokenizer: Tokenizer | None = None
        self._onnx: OnnxBert | None = None
        self._torch: TorchBert | None = None

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
        tokens = self._tokens(texts)
        lengths = np.array([len(ids) for ids in tokens])
        if lengths.sum() >= _BULK_TOKENS and (network := self._bulk_network()) is not None:
            cut = list(batches(lengths, _BULK_BATCH_TOKENS))
            # Long batches first, so that no thread is left with one at the end.
            cut.reverse()
            found = network.run([[tokens[text] for text in batch] for batch in cut])
            vectors[np.concatenate(cut)] = np.concatenate(found)
            return
        for batch in batches(lengths, _BATCH_TOKENS):
            ids = np.zeros((len(batch), lengths[batch[-1]]), dtype=np.int64)
            for row, text in zip(ids, batch, strict=True):
                row[: lengths[text]] = tokens[text]
            vectors[batch] = self._network().run(ids, lengths[batch])

    def _tokens(self, texts: list[str]) -> list[npt.NDArray[np.int64]]:
        with self._loading:
            tokenizer = self._tokenizer = self._tokenizer or self._model.tokenizer()
        cleaned = [well_formed(text) for text in texts]
        if self._model.lowercase:
            cleaned = [text.lower() for text in cleaned]
        return [np.array(encoding.ids, dtype=np.int64) for encoding in tokenizer.encode_batch_fast(cleaned)]

    def _network(self) -> OnnxBert:
        from habitus.retrievers.onnx_bert import OnnxBert

        with self._loading:
            self._onnx = self._onnx or OnnxBert(self._model)
            return self._onnx

    def _bulk_network(self) -> TorchBert | None:
        if self._bfloat16 is False:
            return None
        from habitus.retrievers.torch_bert import TorchBert, supported

        with self._loading:
            if self._bfloat16 is None:
                self._bfloat16 = supported()
            if self._bfloat16 and self._torch is None:
                self._torch = TorchBert(self._model)
            return self._torch


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
