"""BERT with mean pooling in torch, bfloat16: for bulk work on CPUs that multiply bfloat16 natively."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from threading import Barrier
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from habitus.retrievers.bert import BertModel, Tensors, n_threads
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

_CACHED_PRIMITIVES = "32"
"""torch keeps a compiled kernel and its scratch memory for each of the last 1,024 shapes it met, and batches
of texts seldom have a shape twice: left alone, that grows to 3 GB. Keeping 32 costs no speed here."""

_SHORT = 128
"""Up to so many tokens a softmax in float32 is faster than torch's in bfloat16."""


def supported() -> bool:
    """Tell whether bfloat16 is fast here: this CPU multiplies it natively, and torch makes use of it."""
    import torch

    # Without avx512_bf16 or AMX oneDNN emulates bfloat16, slower than float32.
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(native and runnable())


def runnable() -> bool:
    """Tell whether `TorchBert` works here at all, fast or not."""
    import torch

    built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built and torch.ops.mkldnn._is_mkldnn_bf16_supported())


class TorchBert:
    """Runs texts without padding through a BERT encoder, batches side by side on all cores.

    Weights and the inputs of products are bfloat16; sums, normalisations and residuals are float32.
    Against float32 the vectors of all-MiniLM-L6-v2 differ by less than 1e-4 in cosine (measured: 4e-5).

    Args:
        model: which weights.

    Raises:
        EncoderError: this build of torch does not compute bfloat16 on this CPU.
    """

    def __init__(self, model: BertModel) -> None:
        if not runnable():
            raise EncoderError("torch does not compute bfloat16 on this CPU; leave `bfloat16` unset or False")
        # Read when the first product is computed; whoever has set them knows better.
        os.environ.setdefault("LRU_CACHE_CAPACITY", _CACHED_PRIMITIVES)
        os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _CACHED_PRIMITIVES)
        tensors = model.tensors()
        self._embeddings = _Embeddings(tensors, model.epsilon)
        self._layers = [_Layer(tensors, model, layer) for layer in range(model.n_layers)]
        self._pool = _single_threaded_pool(n_threads())

    def run(self, batches: Sequence[Sequence[npt.NDArray[np.int64]]]) -> list[Vectors]:
        """Encode batches.

        Args:
            batches: of each text the token ids, texts of equal length next to each other.

        Returns:
            For each batch vectors of shape `(len(batch), dim)`, each of length 1.
        """
        return list(self._pool.map(self._run, batches))

    def _run(self, texts: Sequence[npt.NDArray[np.int64]]) -> Vectors:
        import torch
        from torch.nn.functional import normalize

        runs = [(len(list(same)), length) for length, same in groupby(len(text) for text in texts)]
        with torch.inference_mode():
            ids = torch.from_numpy(np.concatenate(texts))
            positions = torch.from_numpy(np.concatenate([np.arange(len(text)) for text in texts]))
            x = self._embeddings(ids, positions)
            for layer in self._layers:
                x = layer(x, runs)
            parts = x.split_with_sizes([count * length for count, length in runs])
            means = [part.view(*run, -1).mean(1) for part, run in zip(parts, runs, strict=True)]
            vectors: Vectors = normalize(torch.cat(means)).numpy()
            return vectors


def _single_threaded_pool(size: int) -> ThreadPoolExecutor:
    # Threads that each run a whole batch beat torch's own, which meet at a barrier after every
    # operation. OpenMP keeps the number of threads per calling thread, torch keeps a second one for
    # threads to come: set in a worker, then put back from here, it changes nothing for the host.
    import torch

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(
        size, thread_name_prefix="bert", initializer=torch.set_num_threads, initargs=(1,)
    )
    everyone = Barrier(size)
    for started in [pool.submit(everyone.wait) for _ in range(size)]:
        started.result()
    torch.set_num_threads(before)
    return pool


class _Linear:
    """A product with a weight that oneDNN has packed for this CPU."""

    def __init__(self, weight: Vectors, bias: Vectors) -> None:
        import torch

        packed = torch.from_numpy(weight).to(torch.bfloat16)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(packed)
        self._bias = torch.from_numpy(bias).to(torch.bfloat16)

    def __call__(self, x: Tensor, activation: str = "none") -> Tensor:
        import torch

        x = x.to(torch.bfloat16)
        # The last argument picks the variant of GELU; "none" is the exact one, by erf.
        result: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, activation, [], "none"
        )
        return result


class _Norm:
    """Layer normalisation, in float32."""

    def __init__(self, tensors: Tensors, module: str, epsilon: float) -> None:
        import torch

        self._scale = torch.from_numpy(tensors[f"{module}.weight"])
        self._shift = torch.from_numpy(tensors[f"{module}.bias"])
        self._epsilon = epsilon

    def __call__(self, x: Tensor) -> Tensor:
        from torch.nn.functional import layer_norm

        return layer_norm(x, self._scale.shape, self._scale, self._shift, self._epsilon)


class _Embeddings:
    def __init__(self, tensors: Tensors, epsilon: float) -> None:
        import torch

        kind = tensors["embeddings.token_type_embeddings.weight"][0]
        self._words = torch.from_numpy(tensors["embeddings.word_embeddings.weight"])
        self._positions = torch.from_numpy(tensors["embeddings.position_embeddings.weight"] + kind)
        self._norm = _Norm(tensors, "embeddings.LayerNorm", epsilon)

    def __call__(self, ids: Tensor, positions: Tensor) -> Tensor:
        return self._norm(self._words[ids] + self._positions[positions])


class _Layer:
    """One transformer layer over texts laid end to end, shape `(n_tokens, dim)`."""

    def __init__(self, tensors: Tensors, model: BertModel, layer: int) -> None:
        self._n_heads = model.n_heads
        at = f"encoder.layer.{layer}"
        self._qkv = self._joined(tensors, f"{at}.attention.self", model.dim // model.n_heads)
        self._mixed = self._linear(tensors, f"{at}.attention.output.dense")
        self._inner = self._linear(tensors, f"{at}.intermediate.dense")
        self._outer = self._linear(tensors, f"{at}.output.dense")
        self._mixed_norm = _Norm(tensors, f"{at}.attention.output.LayerNorm", model.epsilon)
        self._outer_norm = _Norm(tensors, f"{at}.output.LayerNorm", model.epsilon)

    def __call__(self, x: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
        x = self._mixed_norm(x + self._mixed(self._attention(self._qkv(x), runs)))
        return self._outer_norm(x + self._outer(self._inner(x, "gelu")))

    def _attention(self, qkv: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
        """Mix tokens within each text; `runs` holds (texts, tokens of each) of neighbours of one length."""
        import torch

        width = qkv.shape[1] // 3
        mixed = torch.empty((len(qkv), width), dtype=qkv.dtype)
        start = 0
        for n_texts, length in runs:
            here = slice(start, start := start + n_texts * length)
            heads = qkv[here].view(n_texts, length, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            query, key, value = heads.reshape(3, n_texts * self._n_heads, length, -1)
            weights = _softmax(torch.bmm(query, key.transpose(1, 2)))
            result = torch.bmm(weights, value).view(n_texts, self._n_heads, length, -1).transpose(1, 2)
            mixed[here].view(n_texts, length, self._n_heads, -1).copy_(result)
        return mixed

    def _linear(self, tensors: Tensors, module: str) -> _Linear:
        return _Linear(tensors[f"{module}.weight"], tensors[f"{module}.bias"])

    def _joined(self, tensors: Tensors, module: str, head_width: int) -> _Linear:
        def joined(kind: str) -> Vectors:
            # Scaling the query's weights spares scaling every score.
            query = tensors[f"{module}.query.{kind}"] * np.float32(head_width**-0.5)
            return np.concatenate([query, *(tensors[f"{module}.{part}.{kind}"] for part in ("key", "value"))])

        return _Linear(joined("weight"), joined("bias"))


def _softmax(scores: Tensor) -> Tensor:
    if scores.shape[-1] <= _SHORT:
        return scores.float().softmax(-1).to(scores.dtype)
    return scores.softmax(-1)
