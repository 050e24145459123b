"""The derived indexes of a sixteenth of all users: vectors in Chroma, words in tantivy, one folder."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from habitus.memory.errors import StoreFullError, StoreUnreachableError
from habitus.memory.records import new_id
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import IndexFullError, IndexUnreachableError

if TYPE_CHECKING:
    from habitus.retrievers.chroma import ChromaIndex
    from habitus.retrievers.lexical import LexicalIndex

Keys = npt.NDArray[np.int64]

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class Indexed:
    """A turn as the indexes take it; `vectors` has shape `(n_passages, dim)`."""

    seq: int
    user_id: str
    text: str
    vectors: Vectors


class Shard:
    """Opened when first used. Safe to call from several threads; hold `lock` over calls that belong together.

    Args:
        path: its folder.
        server: URL of a Chroma server that keeps the vectors, in place of the folder.

    Raises:
        IndexCorruptError: a file cannot be read, in every method but `close` and `destroy`.
        StoreFullError: there is no room or no right to write, in the same methods.
        StoreUnreachableError: the server does not answer, in every method but `close`.
    """

    def __init__(self, path: Path, server: str | None = None) -> None:
        self.path = path
        self._server = server
        self.lock = threading.RLock()
        self._vectors: ChromaIndex | None = None
        self._words: LexicalIndex | None = None

    @contextmanager
    def _used(self) -> Iterator[tuple[ChromaIndex, LexicalIndex]]:
        with self.lock:
            try:
                with _reachable():
                    yield self._opened()
            except OSError as error:
                if not isinstance(error, IndexFullError) and error.errno not in _NO_ROOM:
                    raise
                raise StoreFullError(
                    f"{error}. Nothing is lost: free some space on the disk and check that the folder is"
                    " writable; the index is then brought up to date from the database"
                ) from error

    def _opened(self) -> tuple[ChromaIndex, LexicalIndex]:
        if self._vectors is None:
            from habitus.retrievers.chroma import ChromaIndex

            self.path.mkdir(parents=True, exist_ok=True)
            # A fresh name each time: Chroma keeps a failed client of a path for the life of the process.
            kind = "vectors" if self._server is None else "remote"
            known = sorted(self.path.glob(f"{kind}-*"))
            place = known[0] if known else self.path / f"{kind}-{new_id()}"
            if self._server is not None:
                # Before anything is on the server, so that it can always be found there.
                place.mkdir(exist_ok=True)
            self._vectors = ChromaIndex(place, server=self._server)
        if self._words is None:
            from habitus.retrievers.lexical import LexicalIndex

            self._words = LexicalIndex(self.path / "words")
        return self._vectors, self._words

    def apply(self, added: Sequence[Indexed], removed: Sequence[int]) -> None:
        """Add and remove turns; doing it again changes nothing."""
        with self._used() as (vectors, words):
            users = [turn.user_id for turn in added]
            seqs = [turn.seq for turn in added]
            vectors.remove(removed)
            vectors.add(seqs, users, [turn.vectors for turn in added])
            words.update(seqs, users, [turn.text for turn in added], removed)

    def nearest(self, vector: Vectors, text: str, user_id: str, k: int) -> Keys:
        """Return the sequence numbers of a user's turns that are among the best `k` by either index."""
        with self._used() as (vectors, words):
            return np.union1d(vectors.search(vector, user_id, k), words.search(text, user_id, k))

    def frequencies(self, terms: Sequence[str], user_id: str) -> npt.NDArray[np.float64]:
        """Return shape `(n_terms,)`: in how many of the user's indexed turns each term occurs."""
        with self._used() as (_, words):
            return words.frequencies(terms, user_id)

    def sizes(self) -> tuple[int, int]:
        """Return how many turns and how many passages are indexed."""
        with self._used() as (vectors, words):
            return len(words), len(vectors)

    def close(self) -> None:
        with self.lock:
            if self._vectors is not None:
                self._vectors.close()
            if self._words is not None:
                self._words.close()
            self._vectors = self._words = None

    def destroy(self) -> None:
        """Remove every file and collection; the shard is empty then."""
        with self.lock:
            self.close()
            self._drop_remote()
            if self.path.exists():
                shutil.rmtree(self.path)

    def _drop_remote(self) -> None:
        """Delete the collections on the server; what an interruption left behind among them."""
        if self._server is None:
            return
        from habitus.retrievers.chroma import ChromaIndex

        for place in self.path.glob("remote-*"):
            with _reachable():
                ChromaIndex(place, server=self._server).drop()


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except IndexUnreachableError as error:
        raise StoreUnreachableError(
            f"{error}. Nothing is lost: start it (`chroma run`), or leave `chroma_url` out and the index is"
            " built in the data folder"
        ) from error
