"""Options that benchmark commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from habitus.evals.harness.judged import JudgeOptions
    from habitus.memory.usage import Price

_PRICE = re.compile(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)")

Concurrency = Annotated[int, typer.Option("--concurrency", help="Samples at once.")]
ShardName = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only every N-th sample; the same command without it merges what all shards finished.",
        show_default="all",
    ),
]
EmbeddingCache = Annotated[
    Path | None,
    typer.Option(
        "--embedding-cache", help="Folder that keeps embeddings for the next run.", show_default="none"
    ),
]
AgentName = Annotated[
    str | None,
    typer.Option(
        "--agent",
        metavar="MODULE:FACTORY|preset:NAME",
        help="Your own agent: factory(folder, parts) makes an object with ingest and answer. Or a preset.",
        show_default="the --arm",
    ),
]
GeneratorName = Annotated[
    str | None,
    typer.Option(
        "--generator",
        help="Chat model under test: openai:MODEL, http://HOST:PORT/v1#MODEL, transformers:FOLDER.",
        show_default="the one without weights",
    ),
]
GeneratorWindow = Annotated[
    int | None,
    typer.Option("--generator-window", help="Tokens that it reads.", show_default="as it tells"),
]
GeneratorPrice = Annotated[
    str | None,
    typer.Option("--price", metavar="READ/WRITTEN", help="Its price, USD a million tokens, such as 2.5/10."),
]
JudgeName = Annotated[
    str | None,
    typer.Option("--judge", help="Chat model that judges replies, as --generator.", show_default="none"),
]
JudgeVotes = Annotated[int, typer.Option("--votes", help="Of the judge on each reply; odd.")]
JudgePrice = Annotated[
    str | None,
    typer.Option("--judge-price", metavar="READ/WRITTEN", help="Of the judge, USD a million tokens."),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        help="People's labels, or another run's judgements.jsonl: prints the judge's agreement (kappa).",
    ),
]
ModelTimeout = Annotated[float, typer.Option("--timeout", min=0.001, help="Seconds of one call of a model.")]
ModelRetries = Annotated[
    int, typer.Option("--retries", min=0, help="Further tries after an error of a server that may pass.")
]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How a chat model is called.

    Attributes:
        temperature: 0 for the same words each time, as far as the provider keeps to it; None leaves it to
            the provider.
        timeout_seconds: of one call.
        retries: further tries after an error that may pass.
    """

    temperature: float | None = 0.0
    timeout_seconds: float = 120.0
    retries: int = 5


def read_price(text: str | None, option: str) -> Price | None:
    """Read a price such as `2.5/10`: US dollars for a million tokens read, and written.

    Raises:
        UsageError: it is not one.
    """
    if text is None:
        return None
    from habitus.memory.usage import Price

    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} must be READ/WRITTEN, USD a million tokens, such as 2.5/10; got {text!r}")
    return Price(input_per_million=float(found[1]), output_per_million=float(found[2]))


def judge_options(
    name: str | None, votes: int, timeout: float, retries: int, price: str | None, labels: Path | None
) -> JudgeOptions | None:
    """Return the judge that the options ask for, None without `--judge`.

    Raises:
        UsageError: the votes are not odd, the price cannot be read, or there are labels without a judge.
    """
    if name is None:
        if labels is not None:
            raise UsageError("--labels are set beside a judge: give --judge")
        return None
    if votes < 1 or votes % 2 == 0:
        raise UsageError(f"--votes must be odd, got {votes}")
    from habitus.evals.harness.judged import JudgeOptions

    return JudgeOptions(
        name=name,
        votes=votes,
        timeout_seconds=timeout,
        retries=retries,
        price=read_price(price, "--judge-price"),
        labels=labels,
    )
