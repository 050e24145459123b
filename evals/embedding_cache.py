"""Embeddings kept on disk by the content of their text, so that a second run need not compute them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from filelock import FileLock

from habitus.retrievers.encoder import Encoder, Vectors

KEY_BYTES = 16


class EmbeddingCacheError(RuntimeError):
    """The cache's folder cannot be used; the message says what to do."""


class CachingEncoder:
    """An encoder that asks another one only for texts that the cache does not hold.

    Vectors are kept as they came, in float32, in a folder of their own for each fingerprint:
    `vectors.f32` holds them one after another and `keys.bin` the BLAKE2b hashes of their texts in the
    same order. A crash between the two writes leaves a tail without keys, which is cut off later.
    Several threads and processes may share a cache.

    Args:
        encoder: computes what is missing.
        folder: made if it does not exist.

    Raises:
        EmbeddingCacheError: the folder cannot be written.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._row_bytes = 4 * encoder.dim
        self._rows: dict[bytes, int] = {}
        self._guard = Lock()
        space = folder / _file_name(encoder.fingerprint)
        try:
            space.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(space / ".lock")
            self._keys, self._vectors = space / "keys.bin", space / "vectors.f32"
            self._keys.touch()
            self._vectors.touch()
            self._catch_up()
        except OSError as error:
            raise EmbeddingCacheError(
                f"cannot write to {str(folder)!r}: {error.strerror}; give another --embedding-cache"
            ) from None

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dim(self) -> int:
        return self._encoder.dim

    def __len__(self) -> int:
        """Number of texts whose vectors are on disk, as far as this process knows."""
        return len(self._rows)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of shape `(len(texts), dim)`.

        Raises:
            EmbeddingCacheError: new vectors could not be written.
        """
        keys = [_key(text) for text in texts]
        with self._guard:
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        if missing:
            computed = self._encoder.encode(list(missing.values()))
            self._store(dict(zip(missing, computed, strict=True)))
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        with self._vectors.open("rb", buffering=0) as file:
            for vector, key in zip(vectors, keys, strict=True):
                file.seek(self._rows[key] * self._row_bytes)
                vector[:] = np.frombuffer(file.read(self._row_bytes), dtype="<f4")
        return vectors

    def _store(self, computed: dict[bytes, Vectors]) -> None:
        with self._guard:
            try:
                with self._lock:
                    self._catch_up()
                    fresh = [key for key in computed if key not in self._rows]
                    n_rows = len(self._rows)
                    # Vectors first: a row counts from the moment its key is there.
                    _write_at(
                        self._vectors, n_rows * self._row_bytes, [computed[key].tobytes() for key in fresh]
                    )
                    _write_at(self._keys, n_rows * KEY_BYTES, fresh)
            except OSError as error:
                raise EmbeddingCacheError(
                    f"cannot write the embedding cache: {error.strerror}; make room, or do without "
                    "--embedding-cache"
                ) from error
            self._rows |= {key: n_rows + place for place, key in enumerate(fresh)}

    def _catch_up(self) -> None:
        """Learn the rows that others, or an earlier run, have written."""
        n_vectors = self._vectors.stat().st_size // self._row_bytes
        with self._keys.open("rb") as file:
            file.seek(len(self._rows) * KEY_BYTES)
            content = file.read()
        n_new = min(len(content) // KEY_BYTES, n_vectors - len(self._rows))
        for place in range(n_new):
            self._rows[content[place * KEY_BYTES : (place + 1) * KEY_BYTES]] = len(self._rows)


def _key(text: str) -> bytes:
    # A text cut in the middle of a surrogate pair is still a text.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def _file_name(fingerprint: str) -> str:
    digest = hashlib.blake2b(fingerprint.encode(), digest_size=8).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', fingerprint)[:60].strip('-.')}-{digest}"


def _write_at(path: Path, offset: int, chunks: Sequence[bytes]) -> None:
    """Write chunks at an offset, drop what lies behind them, and wait until they are on disk."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.writelines(chunks)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
