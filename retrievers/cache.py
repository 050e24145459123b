"""Embeddings kept on disk, so that a text is encoded once."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import numpy as np
from filelock import FileLock

from habitus.retrievers.encoder import Encoder, Vectors
from habitus.retrievers.errors import EncoderError

_FILE = "embeddings.sqlite3"
_LOOKUP = 500
"""Keys in one query, below the limit on variables of every SQLite."""
_SAVE = 2048
"""Texts encoded between two commits: what a killed process loses at most."""
_WAIT_SECONDS = 60.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB NOT NULL PRIMARY KEY, vector BLOB NOT NULL)"


class CachedEncoder:
    """Encodes a text only if its vector is not in the cache yet. Safe to call from several threads.

    The cache is one SQLite file, which several processes may use at once and which survives their
    being killed. It holds no texts, only hashes of (encoder's fingerprint, text), so several encoders
    can share a folder. Made for corpora that are encoded again and again, such as benchmarks: nothing
    is ever removed, so keep it away from what a user may ask to be forgotten.

    Args:
        encoder: makes the vectors that are missing.
        folder: where the file lies; created where absent.

    Raises:
        EncoderError: the file is damaged or cannot be written (here, and from `encode`).
    """

    def __init__(self, encoder: Encoder, folder: str | Path) -> None:
        self._encoder = encoder
        self._path = Path(folder).expanduser() / _FILE
        self._lock = Lock()
        with self._reported():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: only `_save` needs a transaction.
            self._connection = sqlite3.connect(
                self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._reported():
                # SQLite fails at once, however long its timeout, where two processes set WAL together.
                with FileLock(self._path.with_suffix(".lock"), timeout=_WAIT_SECONDS):
                    self._connection.execute("PRAGMA journal_mode = WAL")
                # In WAL mode no crash of a process loses a commit; only a power cut may, and then
                # the newest vectors are encoded again.
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute(_SCHEMA)
        except EncoderError:
            self._connection.close()
            raise

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dim(self) -> int:
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        key_of = _hasher(self._encoder.fingerprint)
        by_key = {key_of(text): text for text in dict.fromkeys(texts)}
        vectors = np.empty((len(by_key), self.dim), dtype=np.float32)
        places = {key: place for place, key in enumerate(by_key)}
        missing = self._look_up(places, vectors)
        for start in range(0, len(missing), _SAVE):
            keys = missing[start : start + _SAVE]
            made = self._encoder.encode([by_key[key] for key in keys])
            self._save(keys, made)
            vectors[[places[key] for key in keys]] = made
        place_of = {text: places[key] for key, text in by_key.items()}
        return vectors[[place_of[text] for text in texts]]

    def close(self) -> None:
        """Close the file; later calls of `encode` fail."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look_up(self, places: dict[bytes, int], vectors: Vectors) -> list[bytes]:
        """Fill in the vectors that are cached and return the keys of the others."""
        keys = list(places)
        found: set[bytes] = set()
        for start in range(0, len(keys), _LOOKUP):
            some = keys[start : start + _LOOKUP]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
            with self._lock, self._reported(), closing(self._connection.execute(query, some)) as cursor:
                rows = cursor.fetchall()
            for key, blob in rows:
                if len(blob) != vectors.shape[1] * vectors.itemsize:
                    raise EncoderError(
                        f"damaged embedding cache {str(self._path)!r}: a vector of {len(blob)} bytes, "
                        f"expected {vectors.shape[1] * vectors.itemsize}; delete the file, it will be rebuilt"
                    )
                vectors[places[key]] = np.frombuffer(blob, dtype="<f4")
                found.add(key)
        return [key for key in keys if key not in found]

    def _save(self, keys: list[bytes], vectors: Vectors) -> None:
        rows = [(key, vector.tobytes()) for key, vector in zip(keys, vectors.astype("<f4"), strict=True)]
        with self._lock, self._reported():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                # Another process may have been faster with the same text.
                self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EncoderError(f"cannot use the embedding cache {str(self._path)!r}: {error}") from error


def _hasher(fingerprint: str) -> Callable[[str], bytes]:
    # The fingerprint is the hash's key, cut to the length that BLAKE2b allows by hashing it first.
    named = hashlib.blake2b(fingerprint.encode()).digest()

    def key_of(text: str) -> bytes:
        data = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=named).digest()

    return key_of
