"""In the place of an `Indexer` where no index may be written."""

from __future__ import annotations

from pathlib import Path

from habitus.memory.index.shards import Shard
from habitus.memory.storage.erasing import erase_tree
from habitus.memory.storage.reading import Size
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Progress


def erase_indexes(folder: Path, chroma_url: str | None = None) -> None:
    """Erase the shards in a folder, and what a Chroma server keeps of them.

    Args:
        folder: where the shards are.
        chroma_url: the server, for shards that do not note theirs.

    Raises:
        StoreFullError: something cannot be erased.
        StoreUnreachableError: the server does not answer, or is not known.
    """
    for place in sorted(folder.glob("[0-9][0-9]")):
        Shard(place, chroma_url).destroy(overwrite=True)
    erase_tree(folder)


class Unindexed:
    """Sees to it that a folder holds no index: vectors and words would lie there in the open.

    Args:
        database: the truth, in which everything is searched.
        folder: where shards would be.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def start(self, *, is_new: bool) -> None:
        """Erase what an earlier store of the folder left.

        Raises:
            StoreFullError: it cannot be erased.
            StoreUnreachableError: vectors of it are on a Chroma server that does not answer.
        """
        erase_indexes(self._folder)

    def notify(self, n_turns: int, size: Size) -> None:
        """Nothing waits to be indexed."""

    def drop_stale(self) -> None:
        """There is nothing to drop."""

    def drain(self, progress: Progress | None = None) -> None:
        """Tell that all turns are found.

        Raises:
            StoreClosedError: the store was closed.
        """
        with self._database.read() as connection:
            (n_turns,) = connection.execute("SELECT count(*) FROM turns").fetchone()
        if progress:
            progress(n_turns, n_turns)

    def reindex(self, progress: Progress | None = None) -> None:
        """Do the same: there is nothing to build."""
        self.drain(progress)

    def close(self) -> None:
        """Nothing was opened."""
