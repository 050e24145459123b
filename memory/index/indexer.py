"""Bringing the derived indexes up to the truth, and rid of what was deleted from it.

The outbox holds what the indexes do not have yet; its rows are deleted only after the indexes have
written theirs, and writing a turn twice changes nothing, so a crash neither loses nor doubles. The
only way to delete for good is to remove a shard's folder and to fill it again: neither Chroma nor
tantivy lets one compact its files.

By itself it indexes only users who are half-way to what is searched in memory, or beyond: indexing
takes the processor away from replies (a turn took 390 ms instead of 30 while 10,000 messages were
indexed), and nobody searches the indexes for the others. Their turns wait in the outbox until `drain`,
or until they are many.
"""

from __future__ import annotations

import logging
import operator
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from habitus.memory.errors import StoreClosedError
from habitus.memory.index import outbox
from habitus.memory.index.outbox import large_users
from habitus.memory.index.shards import Indexed, Shard
from habitus.memory.storage.reading import Bounds, Size, select_in
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Progress
from habitus.retrievers.errors import IndexCorruptError, IndexDiedError

logger = logging.getLogger(__name__)

INDEX_AFTER = 256
_BATCH = 256
_BATCH_BESIDE_OTHERS = 64
_LET_OTHERS_IN_SECONDS = 0.001


class Indexer:
    """Applies the outbox, in one background thread that starts when there is enough to do.

    Args:
        database: the truth.
        folder: where the shards are.
        dim: length of a vector.
        in_memory: users beyond these bounds are searched through the indexes.
        index_after: how many turns of large users must wait before the thread starts on them.
        chroma_url: a Chroma server that keeps the vectors; by default the folder does.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        dim: int,
        *,
        in_memory: Bounds,
        index_after: int = INDEX_AFTER,
        chroma_url: str | None = None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._dim = dim
        self._indexed = in_memory.halves
        self._index_after = index_after
        self._shards = [Shard(folder / f"{number:02d}", chroma_url) for number in range(outbox.N_SHARDS)]
        self._work = threading.RLock()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._n_waiting = 0
        self._checked: set[int] = set()
        self._plausible: set[int] = set()
        self._rebuilt: set[int] = set()
        self._died: set[int] = set()
        self.failure: Exception | None = None

    def start(self, *, is_new: bool) -> None:
        """Finish what a crash interrupted, and begin to catch up.

        Args:
            is_new: True when the database has just been made, so any index belongs to another.
        """
        if is_new and self._folder.exists():
            for shard in self._shards:
                shard.destroy()
            shutil.rmtree(self._folder)
        self.drop_stale()
        self._wake_for(self._n_of_large_users())

    def _n_of_large_users(self) -> int:
        sql = "SELECT count(*) FROM outbox WHERE user_id = ?"
        with self._database.read() as connection:
            users = large_users(connection, self._indexed)
            return sum(connection.execute(sql, (user_id,)).fetchone()[0] for user_id, _ in users)

    def notify(self, n_turns: int, size: Size) -> None:
        """Tell that turns of a user, who now has so many, were put into the outbox."""
        if self._indexed.is_exceeded_by(size):
            self._wake_for(n_turns)

    def _wake_for(self, n_turns: int) -> None:
        with self._wake:
            self._n_waiting += n_turns
            if self._n_waiting < self._index_after or self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="habitus-indexer", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._n_waiting >= self._index_after or self._closed)
                if self._closed:
                    return
            try:
                self._catch_up()
            except StoreClosedError:
                return
            except Exception as error:  # must not end the thread; raised again by flush or close
                self.failure = error
                logger.error("indexing failed (%s); search still sees every turn, flush() tries again", error)

    def _catch_up(self) -> None:
        """Apply what waits of large users, leaving half of the time to others."""
        with self._wake:
            self._n_waiting = 0
        with self._database.read() as connection:
            users = large_users(connection, self._indexed)
        for user in users:
            begin = time.perf_counter()
            while self._step(_BATCH_BESIDE_OTHERS, user):
                time.sleep(time.perf_counter() - begin)
                begin = time.perf_counter()
        self.failure = None

    def drain(self, progress: Progress | None = None) -> None:
        """Apply the whole outbox.

        Raises:
            IndexCorruptError: a shard failed again after it was rebuilt.
        """
        with self._wake:
            self._n_waiting = 0
        done, total = 0, self._n_pending() if progress else 0
        while n_applied := self._step(_BATCH):
            done += n_applied
            if progress:
                progress(min(done, total), total)
            # Without this pause a search or a deletion would hardly ever get the locks.
            time.sleep(_LET_OTHERS_IN_SECONDS)
        self.failure = None

    def _n_pending(self) -> int:
        with self._database.read() as connection:
            return int(connection.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def _step(self, n: int, user: tuple[str, int] | None = None) -> int:
        """Apply up to `n` turns, of a user in a shard or of the first shard with some; return how many."""
        with self._work:
            self._check_open()
            with self._database.read() as connection:
                # One shard after the other: each takes a process as long as it is open.
                first = "SELECT shard, shard FROM outbox ORDER BY shard LIMIT 1"
                row = user or connection.execute(first).fetchone()
                if row is None:
                    return 0
                value, number = row
                added, removed = self._next_batch(connection, "user_id" if user else "shard", value, n)
            try:
                self._shards[number].apply(added, removed)
                self._acknowledge(number, added, removed)
                self._check(number)
            except IndexCorruptError as error:
                self.rebuild(number, error)
            if user is None and len(added) + len(removed) < n:
                self._close_unless_searched(number)
            return len(added) + len(removed)

    def _close_unless_searched(self, number: int) -> None:
        with self._database.read() as connection:
            searched = {shard for _, shard in large_users(connection, self._indexed)}
        if number not in searched:
            self._shards[number].close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the store was closed while its indexes were catching up")

    def _next_batch(
        self, connection: sqlite3.Connection, column: str, value: int | str, n: int
    ) -> tuple[list[Indexed], list[int]]:
        sql = f"SELECT seq, removed FROM outbox WHERE {column} = ? ORDER BY seq LIMIT ?"
        rows = connection.execute(sql, (value, n)).fetchall()
        sql = (
            "SELECT t.seq, t.user_id, t.text, f.vectors FROM turns t JOIN features f USING (seq)"
            " WHERE t.seq IN ({})"
        )
        added = [
            Indexed(seq, user_id, text, np.frombuffer(blob, dtype=np.float32).reshape(-1, self._dim))
            for seq, user_id, text, blob in select_in(
                connection, sql, [], [seq for seq, removed in rows if not removed]
            )
        ]
        return added, [seq for seq, removed in rows if removed]

    def _acknowledge(self, number: int, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        with self._database.write() as connection:
            # A turn may have been removed since it was read: its row then says so and must stay.
            connection.executemany(
                "DELETE FROM outbox WHERE seq = ? AND shard = ? AND removed = ?",
                [(turn.seq, number, 0) for turn in added] + [(seq, number, 1) for seq in removed],
            )

    def _check(self, number: int, *, is_searched: bool = False) -> None:
        """Compare the shard's sizes with the truth, once.

        As long as turns wait for it, it may already hold some of them, so that only too few are an error;
        and that is looked at only before it is searched.
        """
        if number in self._checked or (is_searched and number in self._plausible):
            return
        with self._database.read() as connection:
            n_waiting, *expected = _expected_sizes(connection, number)
        if n_waiting and not is_searched:
            return
        found = self._shards[number].sizes()
        is_whole = all(map(operator.ge, found, expected)) if n_waiting else list(found) == expected
        if not is_whole:
            raise IndexCorruptError(
                f"shard {number} holds {found} turns and passages where there should be {tuple(expected)}"
            )
        (self._plausible if n_waiting else self._checked).add(number)
        self._rebuilt.discard(number)

    def ready(self, number: int) -> Shard:
        """Return a shard for searching, rebuilt first if it does not hold what it should."""
        if number in self._checked or number in self._plausible:
            return self._shards[number]
        with self._work:
            self._check_open()
            try:
                self._check(number, is_searched=True)
            except IndexCorruptError as error:
                self.rebuild(number, error)
            return self._shards[number]

    def rebuild(self, number: int, error: IndexCorruptError) -> None:
        """Throw a damaged shard away and put its turns into the outbox.

        One whose process died is opened anew, the first time, and looked at like after any crash.

        Raises:
            IndexCorruptError: that was done before, and the shard has not been whole since.
        """
        with self._work:
            if isinstance(error, IndexDiedError) and number not in self._died:
                self._died.add(number)
                self._checked.discard(number)
                self._plausible.discard(number)
                logger.warning("the index of shard %d is opened again: %s", number, error)
                return
            if number in self._rebuilt:
                raise error
            self._rebuilt.add(number)
            logger.warning(
                "the index of shard %d is damaged and is rebuilt from the truth: %s", number, error
            )
            self._make_stale([number])
            self.drop_stale()

    def _make_stale(self, numbers: Sequence[int]) -> None:
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO stale_shards VALUES (?)", [(number,) for number in numbers]
            )

    def drop_stale(self) -> None:
        """Remove the files of shards that hold deleted things; their other turns go to the outbox."""
        with self._work:
            with self._database.read() as connection:
                stale = [number for (number,) in connection.execute("SELECT shard FROM stale_shards")]
            for number in stale:
                self._checked.discard(number)
                self._plausible.discard(number)
                # A search must see the turns either in the index or in the outbox.
                with self._shards[number].lock:
                    self._shards[number].destroy()
                    with self._database.write() as connection:
                        outbox.requeue_shard(connection, number)
            if stale:
                self._wake_for(self._n_of_large_users())

    def reindex(self, progress: Progress | None = None) -> None:
        """Build all shards anew."""
        with self._work:
            self._check_open()
            self._rebuilt.clear()
            self._make_stale(range(outbox.N_SHARDS))
            self.drop_stale()
        self.drain(progress)

    def close(self) -> None:
        """Stop after the current batch; what waits is applied after the next opening.

        Raises:
            Exception: the failure of the background thread, unless a later `drain` made it good.
        """
        with self._wake:
            if self._closed:
                return
            self._closed = True
            self._wake.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._work:
            for shard in self._shards:
                shard.close()
        if self.failure is not None:
            raise self.failure


def _expected_sizes(connection: sqlite3.Connection, number: int) -> tuple[int, int, int]:
    """Return how many changes wait for a shard, and how many turns and passages it must hold at least."""
    (n_waiting,) = connection.execute("SELECT count(*) FROM outbox WHERE shard = ?", (number,)).fetchone()
    n_turns, n_passages = connection.execute(
        "SELECT ifnull(sum(n_turns), 0), ifnull(sum(n_passages), 0) FROM users WHERE shard = ?", (number,)
    ).fetchone()
    waiting_turns, waiting_passages = connection.execute(
        "SELECT count(*), ifnull(sum(f.n_passages), 0) FROM outbox o JOIN features f USING (seq)"
        " WHERE o.shard = ? AND NOT o.removed",
        (number,),
    ).fetchone()
    return n_waiting, n_turns - waiting_turns, n_passages - waiting_passages
