"""A BERT sentence encoder as it lies on disk: what its files say, its tokenizer, its tensors."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import EncoderError
from habitus.retrievers.weights import WEIGHTS, sha256

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Tensors = Mapping[str, Vectors]

_MAX_THREADS = 16
_EXPECTED = {
    "model_type": ("bert", "bert"),
    "hidden_act": ("gelu", "gelu"),
    "position_embedding_type": ("absolute", "absolute"),
    "is_decoder": (False, False),
}
"""Configuration key to (the value supported, the value meant where the key is absent)."""


@dataclass(frozen=True, kw_only=True)
class BertModel:
    """A BERT encoder with mean pooling.

    Attributes:
        folder: holds `model.safetensors`, `config.json` and `tokenizer.json`.
        n_layers: transformer layers.
        n_heads: attention heads of a layer.
        dim: length of a hidden state and of a vector.
        epsilon: added to the variance by layer normalisation.
        max_tokens: longer texts are cut to so many tokens, the two special ones included.
        lowercase: whether texts are lower-cased before they reach the tokenizer.
        fingerprint: names the vector space; the same for equal models in different places.
    """

    folder: Path
    n_layers: int
    n_heads: int
    dim: int
    epsilon: float
    max_tokens: int
    lowercase: bool
    fingerprint: str

    @classmethod
    def open(cls, folder: Path) -> BertModel:
        """Read a model's files, not yet its tensors.

        Raises:
            EncoderError: a file is missing or unreadable, or the model is not a BERT with mean pooling.
        """
        config = _read(folder / "config.json")
        for key, (supported, default) in _EXPECTED.items():
            if (value := config.get(key, default)) != supported:
                raise _unsupported(folder, f"{key} is {value!r}, supported is {supported!r}")
        _check_modules(folder)
        sentence = _read(folder / "sentence_bert_config.json", {})
        about: dict[str, Any] = {
            "n_layers": _number(folder, config, "num_hidden_layers"),
            "n_heads": _number(folder, config, "num_attention_heads"),
            "dim": _number(folder, config, "hidden_size"),
            "epsilon": float(config.get("layer_norm_eps", 1e-12)),
            "max_tokens": _max_tokens(folder, config, sentence),
            "lowercase": bool(sentence.get("do_lower_case", False)),
        }
        return cls(folder=folder, fingerprint=_fingerprint(folder, about), **about)

    def tokenizer(self) -> Tokenizer:
        """Load the tokenizer, set to cut at `max_tokens` and to pad nothing."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.enable_truncation(self.max_tokens)
        tokenizer.no_padding()
        return tokenizer

    def tensors(self) -> Tensors:
        """Read the weights as float32.

        Raises:
            EncoderError: the file is damaged, lacks a tensor, or holds a type that numpy does not know.
        """
        from safetensors import SafetensorError, safe_open

        path = self.folder / WEIGHTS
        try:
            with safe_open(path, framework="numpy") as file:
                return {name: _float32(file.get_tensor(name)) for name in self._names(set(file.keys()))}
        except (SafetensorError, TypeError) as error:
            raise EncoderError(f"cannot read the weights in {str(path)!r}: {error}") from error

    def _names(self, present: set[str]) -> list[str]:
        parts = ["attention.self.query", "attention.self.key", "attention.self.value"]
        parts += ["attention.output.dense", "attention.output.LayerNorm"]
        parts += ["intermediate.dense", "output.dense", "output.LayerNorm"]
        modules = ["embeddings.LayerNorm"]
        modules += [f"encoder.layer.{layer}.{part}" for layer in range(self.n_layers) for part in parts]
        names = [f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")]
        names += [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]
        if missing := sorted(set(names) - present):
            raise _unsupported(self.folder, f"{WEIGHTS} lacks {missing[0]!r} and {len(missing) - 1} more")
        return names


def n_threads() -> int:
    """Return how many threads to compute with: the cores this process may use, 16 at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, _MAX_THREADS)


def well_formed(text: str) -> str:
    """Replace halves of surrogate pairs, as cut strings and JSON bring them: they are not UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _float32(tensor: np.ndarray[Any, Any]) -> Vectors:
    return np.ascontiguousarray(tensor, dtype=np.float32)


def _read(path: Path, default: Any = None) -> Any:
    if default is not None and not path.is_file():
        return default
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EncoderError(f"cannot read {str(path)!r}: {error}") from error


def _number(folder: Path, config: dict[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < 1:
        raise _unsupported(folder, f"{key} is {value!r}, expected a whole number of at least 1")
    return value


def _max_tokens(folder: Path, config: dict[str, Any], sentence: dict[str, Any]) -> int:
    # The rule of sentence-transformers: what the model says, else what tokenizer and positions allow.
    positions = _number(folder, config, "max_position_embeddings")
    if sentence.get("max_seq_length") is not None:
        return min(_number(folder, sentence, "max_seq_length"), positions)
    tokenizer = _read(folder / "tokenizer_config.json", {})
    return min(int(tokenizer.get("model_max_length", positions)), positions)


def _check_modules(folder: Path) -> None:
    modules = _read(folder / "modules.json", [])
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    if kinds not in ([], ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise _unsupported(folder, f"its modules are {kinds!r}")
    for module in modules[1:2]:
        pooling = _read(folder / module["path"] / "config.json")
        modes = {key for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True}
        mode = pooling.get("pooling_mode", sorted(modes))
        if mode not in ("mean", ["mean"], ["pooling_mode_mean_tokens"]):
            raise _unsupported(folder, f"its pooling is {mode!r}, supported is the mean of the tokens")
    prompt = _read(folder / "config_sentence_transformers.json", {}).get("default_prompt_name")
    if prompt is not None:
        raise _unsupported(folder, f"it puts the prompt {prompt!r} before every text")


def _unsupported(folder: Path, why: str) -> EncoderError:
    return EncoderError(
        f"the fast encoder does not support the model in {str(folder)!r}: {why}; "
        f"use SentenceTransformerEncoder"
    )


def _fingerprint(folder: Path, about: dict[str, Any]) -> str:
    tokenizer = _read(folder / "tokenizer.json")
    tokenizer.pop("truncation", None)
    tokenizer.pop("padding", None)
    try:
        weights = sha256(folder / WEIGHTS)
    except OSError as error:
        raise EncoderError(f"no {WEIGHTS} in {str(folder)!r}: {error}") from error
    named = json.dumps({"weights": weights, "tokenizer": tokenizer, **about}, sort_keys=True)
    return f"bert-mean-{about['dim']}-{hashlib.blake2b(named.encode(), digest_size=16).hexdigest()}"
