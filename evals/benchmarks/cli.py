"""The commands `habitus eval personamem`, `perltqa`, `beam`, `lamp` and `longlamp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.benchmarks.run import BenchmarkOptions, run_benchmark
from habitus.evals.harness.options import EmbeddingCache, GeneratorName, ModelOptions, ShardName
from habitus.evals.harness.shards import Shard
from habitus.evals.running import UsageError, cached_encoder

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.evals.benchmarks.cases import Case, Source
    from habitus.retrievers.encoder import Encoder

Out = Annotated[Path, typer.Option(help="Folder for run.jsonl, scores.jsonl and report.json.")]
Limit = Annotated[int | None, typer.Option(help="Only the first N questions.", show_default="all")]


def personamem(
    questions: Annotated[Path, typer.Option(help="questions_32k.csv, _128k or _1M.")],
    contexts: Annotated[Path, typer.Option(help="shared_contexts_*.jsonl of the same size.")],
    out: Out,
    limit: Limit = None,
    embedding_cache: EmbeddingCache = None,
    shard: ShardName = None,
) -> None:
    """Run PersonaMem's multiple choice without a model: which option do the learnt preferences reward?"""

    def read() -> tuple[Source, Sequence[Case]]:
        from habitus.evals.benchmarks.personamem import SOURCE, read_personamem

        return SOURCE, read_personamem(questions, contexts, limit)

    _run("personamem", (questions, contexts), out, read, limit, shard, embedding_cache)


def perltqa(
    memories: Annotated[Path, typer.Option(help="perltmem_en_v2.json.")],
    questions: Annotated[Path, typer.Option(help="perltqa_en_v2.json.")],
    out: Out,
    limit: Limit = None,
    embedding_cache: EmbeddingCache = None,
    shard: ShardName = None,
) -> None:
    """Run PerLTQA's retrieval: is the memory that a question refers to among the first?"""

    def read() -> tuple[Source, Sequence[Case]]:
        from habitus.evals.benchmarks.perltqa import SOURCE, read_perltqa

        return SOURCE, read_perltqa(memories, questions, limit)

    _run("perltqa", (questions, memories), out, read, limit, shard, embedding_cache)


def beam(
    chat: Annotated[
        list[Path], typer.Option(help="Folder of a conversation, chats/100K/1; may be repeated.")
    ],
    out: Out,
    limit: Limit = None,
    embedding_cache: EmbeddingCache = None,
    shard: ShardName = None,
) -> None:
    """Run BEAM's retrieval: are the messages that a probing question rests on among the first?"""

    def read() -> tuple[Source, Sequence[Case]]:
        from habitus.evals.benchmarks.beam import SOURCE, read_beam

        return SOURCE, read_beam(chat, limit)

    files = tuple(path for one in chat for path in (one / "chat.json",))
    _run("beam", files, out, read, limit, shard, embedding_cache)


def lamp(
    task: Annotated[int, typer.Option(help="1 to 7.")],
    questions: Annotated[Path, typer.Option(help="The split's *_questions.json.")],
    outputs: Annotated[Path, typer.Option(help="Its *_outputs.json.")],
    out: Out,
    limit: Limit = None,
    generator: GeneratorName = None,
    embedding_cache: EmbeddingCache = None,
    shard: ShardName = None,
) -> None:
    """Run LaMP (Salemi et al., ACL 2024): accuracy and F1, MAE and RMSE, or ROUGE-1 and ROUGE-L."""

    def read() -> tuple[Source, Sequence[Case]]:
        from habitus.evals.benchmarks.lamp import SOURCE, lamp_cases, read_lamp

        return SOURCE, lamp_cases(task, read_lamp(task, questions, outputs), limit)

    _run("lamp", (questions, outputs), out, read, limit, shard, embedding_cache, generator, task=task)


def longlamp(
    task: Annotated[str, typer.Option(help="abstract_generation, product_review or topic_writing.")],
    data: Annotated[Path, typer.Option(help="A split, .jsonl or .json.")],
    out: Out,
    limit: Limit = None,
    generator: GeneratorName = None,
    embedding_cache: EmbeddingCache = None,
    shard: ShardName = None,
) -> None:
    """Run LongLaMP (Kumar et al., 2024): ROUGE-1, ROUGE-L and METEOR of long texts."""

    def read() -> tuple[Source, Sequence[Case]]:
        from habitus.evals.benchmarks.longlamp import SOURCE, read_longlamp

        return SOURCE, read_longlamp(task, data, limit)

    _run("longlamp", (data,), out, read, limit, shard, embedding_cache, generator, task=task)


def add_benchmarks(app: typer.Typer) -> None:
    """Add the commands to a group."""
    for command in (personamem, perltqa, beam, lamp, longlamp):
        app.command(command.__name__)(command)


def _run(
    name: str,
    files: tuple[Path, ...],
    out: Path,
    read: Callable[[], tuple[Source, Sequence[Case]]],
    limit: int | None,
    shard: str | None,
    embedding_cache: Path | None,
    generator: str | None = None,
    **settings: Any,
) -> None:
    from habitus.evals.cli import user_errors

    def prepare() -> tuple[Encoder, BaseChatModel | None]:
        from habitus.evals.harness.models import chat_model

        model = chat_model(generator, ModelOptions()) if generator else None
        return cached_encoder(embedding_cache), model

    with user_errors():
        if not files:
            raise UsageError("give at least one --chat")
        options = BenchmarkOptions(
            name=name,
            files=files,
            out=out,
            settings={**settings, **({"generator": generator} if generator else {})},
            limit=limit,
            shard=Shard.parse(shard),
        )
        code = run_benchmark(options, read, prepare)
    raise typer.Exit(code)
