"""Any sentence-transformers model as an encoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from habitus.retrievers.bert import well_formed
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import EncoderError
from habitus.retrievers.weights import MINILM, download, find_model, model_id, sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_WEIGHTS = frozenset({".safetensors"})
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl"})
"""Weights that are Python pickles: whoever made the file could have any code run. They are neither fetched
nor read, nor is a model of which they are a part."""
_SETTINGS = frozenset({".json", ".txt", ".model"})
_OTHER_RUNTIMES = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.ot", "*.msgpack"]
_OTHER_RUNTIMES += [f"*{suffix}" for suffix in _PICKLED]


class SentenceTransformerEncoder:
    """Runs a sentence-transformers model. Safe to call from several threads, which take turns.

    Slower than `minilm` for the models that both can run. The files are looked up at once, the model
    is loaded (seconds) when `dim` or `encode` first needs it.

    Args:
        source: a model folder, or an id on the Hugging Face hub.
        device: as torch names it (`cpu`, `cuda:1`); the library's choice unless given.
        max_tokens: longer texts are cut; the model's own maximum unless given.
        batch_size: texts encoded at once.

    Raises:
        EncoderError: the model cannot be found, or its folder holds no weights.
    """

    def __init__(
        self,
        source: str | Path = MINILM,
        *,
        device: str | None = None,
        max_tokens: int | None = None,
        batch_size: int = 32,
    ) -> None:
        if max_tokens is not None and max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {max_tokens!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size!r}")
        self._folder = _find(source)
        self._device = device
        self._max_tokens = max_tokens
        self._batch_size = batch_size
        self._fingerprint = _fingerprint(self._folder, max_tokens)
        self._lock = Lock()
        self._model: SentenceTransformer | None = None
        self._dim: int | None = None

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dim(self) -> int:
        dim = self._dim
        if dim is None:
            dim = self._dim = int(self._encode([""]).shape[1])
        return dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return self._encode([well_formed(text) for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        # The lock also guards the tokenizer, which sentence-transformers reconfigures in every call.
        with self._lock:
            if self._model is None:
                self._model = self._load()
            vectors = self._model.encode(
                texts, batch_size=self._batch_size, show_progress_bar=False, normalize_embeddings=True
            )
        return np.asarray(vectors, dtype=np.float32)

    def _load(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(
            str(self._folder), device=self._device, model_kwargs={"use_safetensors": True}
        )
        if self._max_tokens is not None:
            model.max_seq_length = self._max_tokens
        return model


def _find(source: str | Path) -> Path:
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    name = model_id(source)
    return find_model(name) if name == MINILM else download(name, ignore=_OTHER_RUNTIMES)


def _fingerprint(folder: Path, max_tokens: int | None) -> str:
    files = sorted(path for path in folder.rglob("*") if path.suffix in _WEIGHTS | _SETTINGS)
    files = [path for path in files if not {"onnx", "openvino"} & set(path.relative_to(folder).parts)]
    if not any(path.suffix in _WEIGHTS for path in files):
        raise EncoderError(f"no weights (*.safetensors) in {str(folder)!r}; pickled ones are not read")
    # A module of the model may have weights of its own, beside its own settings.
    for path in sorted(one for one in folder.rglob("*") if one.suffix in _PICKLED):
        if not any(one.suffix in _WEIGHTS for one in path.parent.iterdir()):
            raise EncoderError(
                f"{str(path)!r} holds pickled weights, which can run code when they are read; save the model"
                " again as safetensors: SentenceTransformer(...).save(folder, safe_serialization=True)"
            )
    named = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    digest = hashlib.blake2b(json.dumps([named, max_tokens]).encode(), digest_size=16).hexdigest()
    return f"sentence-transformers-{digest}"
