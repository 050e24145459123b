"""Approximate nearest passages in Chroma: one collection in a folder of its own, or on a server.

A folder per collection, not a collection per shard in one folder, because of what stays on disk: in
Chroma 1.5 `delete` and even `delete_collection` leave the vectors in the HNSW files and in the
write-ahead table of `chroma.sqlite3`. A folder can be removed whole. On a server `chroma vacuum` does it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from habitus.retrievers.damage import told_apart
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import IndexUnreachableError

if TYPE_CHECKING:
    import httpx
    from chromadb.api.models.Collection import Collection

_NAME = "passages"
_REMOVE_AT_ONCE = 500
_EF_SEARCH = 300

_TIMEOUT_SECONDS = 60.0

Keys = npt.NDArray[np.int64]


class ChromaIndex:
    """Passages by their vectors, in groups that are searched one at a time.

    Only keys, group names and vectors are kept, no text. Safe to call from several threads.

    Args:
        path: a folder of its own; made if it does not exist.
        server: URL of a Chroma server, which keeps the collection, called as the folder, in its place.

    Raises:
        IndexCorruptError: the folder cannot be read, here and in every method.
        IndexFullError: there is no room or no right to write.
        IndexUnreachableError: the server does not answer.
    """

    def __init__(self, path: str | os.PathLike[str], *, server: str | None = None) -> None:
        self._path, self._server = os.fspath(path), server
        self._name = _NAME if server is None else os.path.basename(self._path)
        with self._told_apart():
            self._client: Any = self._connect()
            self._collection: Collection = self._client.get_or_create_collection(
                self._name,
                embedding_function=None,
                configuration={"hnsw": {"space": "ip", "ef_search": _EF_SEARCH}},
            )
            self._batch = self._client.get_max_batch_size()

    def _connect(self) -> Any:
        # Takes 1.5 s and 75 MB, which a program that never searches so much need not spend.
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        if self._server is None:
            return chromadb.PersistentClient(path=self._path, settings=settings)
        parts = urlsplit(self._server)
        is_tls = parts.scheme == "https"
        try:
            client = chromadb.HttpClient(
                host=parts.hostname or "localhost",
                port=parts.port or (443 if is_tls else 8000),
                ssl=is_tls,
                settings=settings,
            )
        except ValueError as error:  # which is what it says where nobody answers
            raise ConnectionError(str(error)) from error
        for session in _sessions(client):
            session.timeout = _TIMEOUT_SECONDS
        return client

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        import httpx

        try:
            with told_apart("vector", self._path, ConnectionError, httpx.TransportError):
                yield
        except (ConnectionError, httpx.TransportError) as error:
            raise IndexUnreachableError(
                f"the Chroma server at {self._server} does not answer ({type(error).__name__})"
            ) from error

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
        with self._told_apart():
            for begin in range(0, len(ids), self._batch):
                end = begin + self._batch
                self._collection.upsert(
                    ids=ids[begin:end], embeddings=rows[begin:end], metadatas=metadatas[begin:end]
                )

    def remove(self, keys: Sequence[int]) -> None:
        """Take texts out of every later result; unknown keys are ignored.

        Their vectors may stay in the files. To be rid of them, close the index and remove its folder.
        """
        with self._told_apart():
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
        with self._told_apart():
            found = self._collection.query(
                query_embeddings=cast(Any, vector[None, :]), n_results=k, where={"user": group}, include=[]
            )
        keys = dict.fromkeys(int(passage.partition(":")[0]) for passage in found["ids"][0])
        return np.fromiter(keys, dtype=np.int64, count=len(keys))

    def __len__(self) -> int:
        """Return the number of passages."""
        with self._told_apart():
            return int(self._collection.count())

    def drop(self) -> None:
        """Delete the collection and close; of a folder, remove the folder afterwards."""
        with self._told_apart():
            self._client.delete_collection(self._name)
        self.close()

    def close(self) -> None:
        """Close the files, or the connections to the server."""
        if self._server is not None:
            for session in _sessions(self._client):
                session.close()
        self._client.close()


def _sessions(client: Any) -> list[httpx.Client]:
    """Return the HTTP sessions of a client, which Chroma 1.5 neither bounds in time nor closes."""
    return [client._server._session, client._admin_client._server._session]
