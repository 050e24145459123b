"""Approximate nearest passages in Chroma: one collection in a folder of its own.

A folder per collection, not a collection per shard in one folder, because of what stays on disk: in
Chroma 1.5 `delete` and even `delete_collection` leave the vectors in the HNSW files and in the
write-ahead table of `chroma.sqlite3`. A folder can be removed whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from habitus.retrievers.damage import told_apart
from habitus.retrievers.encoder import Vectors

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

_NAME = "passages"
_REMOVE_AT_ONCE = 500
_EF_SEARCH = 300

Keys = npt.NDArray[np.int64]


class ChromaIndex:
    """Passages by their vectors, in groups that are searched one at a time.

    Only keys, group names and vectors are kept, no text. Safe to call from several threads.

    Args:
        path: a folder of its own; made if it does not exist.

    Raises:
        IndexCorruptError: the folder cannot be read, here and in every method.
        IndexFullError: there is no room or no right to write.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Takes 1.5 s and 75 MB, which a program that never searches so much need not spend.
        import chromadb
        from chromadb.config import Settings

        self._path = os.fspath(path)
        with told_apart("vector", self._path):
            self._client: Any = chromadb.PersistentClient(
                path=self._path, settings=Settings(anonymized_telemetry=False)
            )
            self._collection: Collection = self._client.get_or_create_collection(
                _NAME,
                embedding_function=None,
                configuration={"hnsw": {"space": "ip", "ef_search": _EF_SEARCH}},
            )
            self._batch = self._client.get_max_batch_size()

    def add(self, keys: Sequence[int], groups: Sequence[str], vectors: Sequence[Vectors]) -> None:
        """Add texts, or put them in the place of those with the same key.

        Args:
            keys: one number per text.
            groups: of each text.
            vectors: of each text, shape `(n_passages, dim)`; a text may have many passages, and as
                many when it is added again.
        """
        ids: list[str] = []
        metadatas: list[Any] = []
        for key, group, passages in zip(keys, groups, vectors, strict=True):
            ids += [f"{key}:{place}" for place in range(len(passages))]
            metadatas += [{"user": group, "seq": key}] * len(passages)
        if not ids:
            return
        rows = np.concatenate(vectors)
        with told_apart("vector", self._path):
            for begin in range(0, len(ids), self._batch):
                end = begin + self._batch
                self._collection.upsert(
                    ids=ids[begin:end], embeddings=rows[begin:end], metadatas=metadatas[begin:end]
                )

    def remove(self, keys: Sequence[int]) -> None:
        """Take texts out of every later result; unknown keys are ignored.

        Their vectors may stay in the files. To be rid of them, close the index and remove its folder.
        """
        with told_apart("vector", self._path):
            for begin in range(0, len(keys), _REMOVE_AT_ONCE):
                part = [int(key) for key in keys[begin : begin + _REMOVE_AT_ONCE]]
                self._collection.delete(where=cast(Any, {"seq": {"$in": part}}))

    def search(self, vector: Vectors, group: str, k: int) -> Keys:
        """Return the keys of the texts with the `k` nearest passages of a group, nearest first.

        Args:
            vector: shape `(dim,)`.
            group: the only one looked at.
            k: how many passages; several may be of one text, so fewer keys can come back.
        """
        with told_apart("vector", self._path):
            found = self._collection.query(
                query_embeddings=cast(Any, vector[None, :]), n_results=k, where={"user": group}, include=[]
            )
        keys = dict.fromkeys(int(passage.partition(":")[0]) for passage in found["ids"][0])
        return np.fromiter(keys, dtype=np.int64, count=len(keys))

    def __len__(self) -> int:
        """Return the number of passages."""
        with told_apart("vector", self._path):
            return int(self._collection.count())

    def close(self) -> None:
        """Close the files."""
        self._client.close()
