"""In the place of an `Indexer` where no index may be written."""

from __future__ import annotations

from pathlib import Path

from habitus.memory.storage.erasing import erase_tree
from habitus.memory.storage.reading import Size
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Progress


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
        """
        erase_tree(self._folder)

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
