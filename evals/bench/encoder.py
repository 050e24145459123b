"""The fast encoder against sentence-transformers' default: speed and equality, on this machine, now.

Both encode the same texts in turn, round by round, so that other work on the machine meets both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from habitus.evals.bench.texts import made_up, turns_of
from habitus.retrievers.bert import BertModel
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.minilm import MiniLM
from habitus.retrievers.weights import find_model

if TYPE_CHECKING:
    from rich.console import Console

WORDS = (20, 60, 150)
_WARM_UP = 8

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two encoders on the same texts.

    Attributes:
        name: what was encoded.
        n_texts: texts of a round.
        reference_seconds: of every round, sentence-transformers.
        seconds: of every round, ours.
        max_difference: largest 1 - cosine between the two vectors of a text.
    """

    name: str
    n_texts: int
    reference_seconds: tuple[float, ...]
    seconds: tuple[float, ...]
    max_difference: float

    @property
    def reference_rate(self) -> float:
        """Texts per second of sentence-transformers, median over rounds."""
        return self.n_texts / median(self.reference_seconds)

    @property
    def rate(self) -> float:
        """Texts per second of ours, median over rounds."""
        return self.n_texts / median(self.seconds)

    @property
    def ratio(self) -> float:
        """How many times faster ours is: the median of the rounds' ratios."""
        pairs = zip(self.reference_seconds, self.seconds, strict=True)
        return median(reference / ours for reference, ours in pairs)


@dataclass(frozen=True, kw_only=True)
class EncoderReport:
    """What `run` measured.

    Attributes:
        fingerprint: of our encoder.
        bulk: one comparison per length of text, all texts in one call.
        single: one text a call.
    """

    fingerprint: str
    bulk: tuple[Comparison, ...]
    single: Comparison

    @property
    def max_difference(self) -> float:
        """Largest 1 - cosine over everything that was encoded."""
        return max(comparison.max_difference for comparison in (*self.bulk, self.single))


def run(
    source: str | Path | None = None,
    *,
    words: Sequence[int] = WORDS,
    n_words: int = 12_000,
    n_single: int = 50,
    rounds: int = 3,
    data: Path | None = None,
    seed: int = 0,
    bfloat16: bool | None = None,
) -> EncoderReport:
    """Compare `MiniLM` with `SentenceTransformer(...).encode(texts)` on the CPU.

    Args:
        source: the model, as for `minilm`.
        words: lengths of texts to measure.
        n_words: about how many words a round encodes of each length.
        n_single: texts of 20 words that are encoded one by one.
        rounds: measurements of each; the two take turns and take turns in going first.
        data: a LongMemEval-format file whose turns are used; made-up texts unless given.
        seed: of the texts.
        bfloat16: as for `MiniLM`.

    Raises:
        EncoderError: the model cannot be found or is of another kind.
        ValueError: `data` is of another format or holds too few turns of a length.
    """
    for name, value in (("n_words", n_words), ("n_single", n_single), ("rounds", rounds), *_named(words)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value!r}")
    folder = find_model(source)
    ours = MiniLM(BertModel.open(folder), bfloat16=bfloat16)
    reference = _sentence_transformers(folder)

    def texts_of(n_texts: int, length: int) -> list[str]:
        return turns_of(data, n_texts, length, seed) if data else made_up(n_texts, length, seed)

    bulk = [
        _compare(
            f"{length} words", texts_of(max(1, n_words // length), length), reference, ours.encode, rounds
        )
        for length in words
    ]
    single = _compare(
        "one by one, 20 words",
        texts_of(n_single, 20),
        _one_by_one(reference),
        _one_by_one(ours.encode),
        rounds,
    )
    return EncoderReport(fingerprint=ours.fingerprint, bulk=tuple(bulk), single=single)


def show(report: EncoderReport, console: Console) -> None:
    """Print a report as a table."""
    from rich.table import Table

    table = Table("texts", "n", "sentence-transformers", "habitus", "ratio", "max 1 - cosine")
    for row in (*report.bulk, report.single):
        rates = [f"{row.reference_rate:.0f}/s", f"{row.rate:.0f}/s"]
        if row is report.single:
            rates = [f"{1000 / row.reference_rate:.1f} ms", f"{1000 / row.rate:.1f} ms"]
        table.add_row(row.name, str(row.n_texts), *rates, f"{row.ratio:.1f}x", f"{row.max_difference:.1e}")
    console.print(table)
    console.print(
        f"encoder {report.fingerprint}; ratios are medians over {len(report.single.seconds)} rounds"
    )


def encoder(
    model: Annotated[str | None, typer.Option(help="Model folder or hub id.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="LongMemEval-format file to take turns from.", exists=True, dir_okay=False),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of each length.")] = 3,
    n_words: Annotated[int, typer.Option(min=1, help="Words encoded per round and length.")] = 12_000,
    seed: Annotated[int, typer.Option(help="Of the texts.")] = 0,
    bfloat16: Annotated[
        bool | None, typer.Option(help="Allow bfloat16 in bulk; unset: where the CPU has it.")
    ] = None,
) -> None:
    """Compare the fast encoder with sentence-transformers: texts per second, and equality."""
    from rich.console import Console

    report = run(model, rounds=rounds, n_words=n_words, data=data, seed=seed, bfloat16=bfloat16)
    show(report, Console())


def _named(words: Sequence[int]) -> list[tuple[str, int]]:
    return [("words", length) for length in words]


def _sentence_transformers(folder: Path) -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"use_safetensors": True})

    def encode(texts: Sequence[str]) -> Vectors:
        vectors: Any = model.encode(list(texts))
        return np.asarray(vectors, dtype=np.float32)

    return encode


def _one_by_one(encode: Encode) -> Encode:
    return lambda texts: np.concatenate([encode([text]) for text in texts])


def _compare(name: str, texts: list[str], reference: Encode, ours: Encode, rounds: int) -> Comparison:
    expected, _ = _timed(reference, texts[:_WARM_UP])
    # A full call, so that whatever loads at the first large one is loaded before the clock runs.
    found, _ = _timed(ours, texts)
    times: dict[Encode, list[float]] = {reference: [], ours: []}
    for round_ in range(rounds):
        for encode in (reference, ours) if round_ % 2 == 0 else (ours, reference):
            vectors, seconds = _timed(encode, texts)
            times[encode].append(seconds)
            if encode is reference:
                expected = vectors
    return Comparison(
        name=name,
        n_texts=len(texts),
        reference_seconds=tuple(times[reference]),
        seconds=tuple(times[ours]),
        max_difference=_max_difference(expected, found),
    )


def _timed(encode: Encode, texts: Sequence[str]) -> tuple[Vectors, float]:
    start = perf_counter()
    vectors = encode(texts)
    return vectors, perf_counter() - start


def _max_difference(expected: Vectors, found: Vectors) -> float:
    a, b = expected.astype(np.float64), found.astype(np.float64)
    cosines = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return float(max(0.0, (1.0 - cosines).max()))
