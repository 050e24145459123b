"""Options that benchmark commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
