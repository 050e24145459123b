"""The store at a place: a folder of this machine, or a PostgreSQL database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from habitus.memory.errors import InvalidInputError, StoreUnreachableError

if TYPE_CHECKING:
    from habitus.memory.storage.encryption import EncryptionKey
    from habitus.memory.store import MemoryStore, Progress
    from habitus.retrievers.encoder import Encoder

_SCHEMES = ("postgresql://", "postgres://")


def is_url(place: str | os.PathLike[str]) -> bool:
    """Tell whether a place is the URL of a database, and not a folder.

    Raises:
        InvalidInputError: a URL of something else.
    """
    text = os.fspath(place)
    if text.startswith(_SCHEMES):
        return True
    if "://" in text:
        scheme = text.split("://")[0]
        raise InvalidInputError(
            f"there is no store for {scheme}://; give a folder or postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return False


def open_store(
    place: str | os.PathLike[str],
    encoder: Encoder,
    *,
    progress: Progress | None = None,
    chroma_url: str | None = None,
    key: EncryptionKey | str | None = None,
) -> MemoryStore:
    """Open the store at a place, and make it if there is none.

    Args:
        place: a folder, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`.
        encoder: makes the vectors.
        progress: called while a folder made with another encoder is re-embedded.
        chroma_url: a Chroma server that keeps the vectors of a folder's indexes.
        key: that a folder is, or is to be, encrypted with: 64 hexadecimal digits.

    Raises:
        InvalidInputError: neither; or, for a database, a Chroma server or a key: it has indexes of its own,
            and is encrypted by its own means.
        EncryptionError: the key is missing or another, or the folder is not encrypted.
        MemoryStoreError: whatever keeps it from being opened.
    """
    if not is_url(place):
        from habitus.memory.storage.embedded import EmbeddedStore

        return EmbeddedStore.open(place, encoder, progress=progress, chroma_url=chroma_url, key=key)
    if chroma_url is not None:
        raise InvalidInputError(
            "chroma_url is for data folders: PostgreSQL has indexes of its own; leave it out"
        )
    if key is not None:
        raise InvalidInputError(
            "a key is for data folders; PostgreSQL does not get it: encrypt the disk of its server, and leave"
            " the key out"
        )
    try:
        from habitus.memory.storage.postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("psycopg"):
            raise
        raise StoreUnreachableError(
            "a store in PostgreSQL needs a driver: pip install 'habitus[postgres]'"
        ) from error
    return PostgresStore.open(os.fspath(place), encoder)
