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
from filelock import FileLock, Timeout

from habitus.memory.errors import StoreFullError, StoreUnreachableError
from habitus.memory.records import new_id
from habitus.memory.storage.erasing import erase_tree
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import (
    IndexCorruptError,
    IndexDiedError,
    IndexFullError,
    IndexUnreachableError,
)

if TYPE_CHECKING:
    from habitus.retrievers.chroma import ChromaIndex
    from habitus.retrievers.chroma_process import ChromaProcess
    from habitus.retrievers.lexical import LexicalIndex

Keys = npt.NDArray[np.int64]

_SERVER = "server.txt"
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

    Vectors in the folder are kept by a process of their own that sees nothing but this shard, and that
    `destroy` ends: so what was deleted is in no memory that a file could be written from.

    Args:
        path: its folder.
        server: URL of a Chroma server that keeps the vectors, in place of the folder.

    Raises:
        IndexDiedError: that process ended; the next call starts another.
        IndexCorruptError: a file cannot be read, in every method but `close` and `destroy`.
        StoreFullError: there is no room or no right to write, in the same methods.
        StoreUnreachableError: the server does not answer, or the process cannot be started, in every
            method but `close`.
    """

    def __init__(self, path: Path, server: str | None = None) -> None:
        self.path = path
        self._server = server
        self.lock = threading.RLock()
        self._files = FileLock(path.with_name(f"{path.name}.lock"), thread_local=False)
        self._vectors: ChromaIndex | ChromaProcess | None = None
        self._words: LexicalIndex | None = None

    @contextmanager
    def _used(self) -> Iterator[tuple[ChromaIndex | ChromaProcess, LexicalIndex]]:
        with self.lock:
            try:
                with _reachable(self._server):
                    yield self._opened()
            except IndexDiedError:
                self.close()
                raise
            except OSError as error:
                if not isinstance(error, IndexFullError) and error.errno not in _NO_ROOM:
                    raise
                raise StoreFullError(
                    f"{error}. Nothing is lost: free some space on the disk and check that the folder is"
                    " writable; the index is then brought up to date from the database"
                ) from error

    def _opened(self) -> tuple[ChromaIndex | ChromaProcess, LexicalIndex]:
        if self._vectors is None:
            self.path.mkdir(parents=True, exist_ok=True)
            self._vectors = self._opened_here() if self._server is None else self._opened_on(self._server)
        if self._words is None:
            from habitus.retrievers.lexical import LexicalIndex

            self._words = LexicalIndex(self.path / "words")
        return self._vectors, self._words

    def _opened_here(self) -> ChromaProcess:
        from habitus.retrievers.chroma_process import ChromaProcess

        known = self._only_place("vectors-*")
        return ChromaProcess(known or self.path / f"vectors-{new_id()}", self._files.lock_file)

    def _opened_on(self, server: str) -> ChromaIndex:
        from habitus.retrievers.chroma import ChromaIndex

        known = self._only_place("remote-*")
        if known is not None and _server_of(known) not in (server, None):
            raise IndexCorruptError(f"its vectors are on {_server_of(known)} and belong on {server} now")
        return ChromaIndex(known or _noted(self.path, server), server=server)

    def _only_place(self, pattern: str) -> Path | None:
        """Return where the vectors are; what is left of them elsewhere would not follow changes."""
        places = [*self.path.glob("vectors-*"), *self.path.glob("remote-*")]
        known = sorted(self.path.glob(pattern))
        if places != known:
            raise IndexCorruptError(
                "its vectors are in the folder and belong on a server now, or the reverse"
            )
        return known[0] if known else None

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

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the files; `at_once` if they are of no use any more."""
        from habitus.retrievers.chroma_process import ChromaProcess

        with self.lock:
            if at_once and isinstance(self._vectors, ChromaProcess):
                self._vectors.kill()
            elif self._vectors is not None:
                self._vectors.close()
            if self._words is not None:
                self._words.close()
            self._vectors = self._words = None

    def destroy(self, *, overwrite: bool = False) -> None:
        """Remove every file and collection; the shard is empty then.

        Args:
            overwrite: whether files are overwritten first.
        """
        with self.lock:
            self.close(at_once=True)
            self._drop_remote()
            if self.path.exists():
                # A process that outlived its killed parent may still write what has to go.
                with self._free():
                    (erase_tree if overwrite else shutil.rmtree)(self.path)

    @contextmanager
    def _free(self) -> Iterator[None]:
        from habitus.retrievers.chroma_process import FILES_FREE_WITHIN_SECONDS

        try:
            with self._files.acquire(timeout=FILES_FREE_WITHIN_SECONDS):
                yield
        except Timeout as error:
            raise StoreUnreachableError(
                f"a process that an earlier run left behind still writes to {str(self.path)!r}: end it and"
                " open the store again; the deletion is carried through then"
            ) from error

    def _drop_remote(self) -> None:
        """Delete the collections on servers, each where it is, whatever server is used now."""
        from habitus.retrievers.chroma import ChromaIndex

        for place in self.path.glob("remote-*"):
            server = _server_of(place) or self._server
            if server is None:
                raise StoreUnreachableError(
                    f"{place} has vectors on a Chroma server of an unknown address: open the folder with its"
                    " `chroma_url` once, so that they can be deleted there"
                )
            try:
                ChromaIndex(place, server=server).drop()
            except IndexUnreachableError as error:
                raise StoreUnreachableError(
                    f"{error}, and vectors are to be deleted there: start it and open the folder again."
                    f" Should it be gone for good with all it kept, remove {place}"
                ) from error


def _noted(folder: Path, server: str) -> Path:
    """Note where vectors will be, before anything is there: so they can always be found and deleted."""
    name = new_id()
    place, unfinished = folder / f"remote-{name}", folder / f"begun-{name}"
    unfinished.mkdir()
    (unfinished / _SERVER).write_text(server, encoding="utf-8")
    return unfinished.rename(place)


def _server_of(place: Path) -> str | None:
    """Return the server that has the vectors; None where it was not noted."""
    try:
        return (place / _SERVER).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def _reachable(server: str | None) -> Iterator[None]:
    try:
        yield
    except IndexUnreachableError as error:
        todo = "start it (`chroma run`), or leave `chroma_url` out and the index is built in the data folder"
        if server is None:
            todo = "try again later"
        raise StoreUnreachableError(f"{error}. Nothing is lost: {todo}") from error
