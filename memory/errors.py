"""What can go wrong in memory. Each class is also the builtin a caller would expect.

MemoryStoreError
├── InvalidInputError (ValueError)       a text, id or date that cannot be stored
├── NotFoundError (LookupError)          no such user, session, turn or preference
├── FolderInUseError (RuntimeError)      another process owns the data folder
├── StoreFullError (OSError)             no space or no right to write; nothing was half-written
├── EncoderChangedError (RuntimeError)   the folder's vectors come from another encoder
├── EncryptionError (ValueError)         the folder's key is missing, another, or no key
├── StoreClosedError (RuntimeError)      the store was closed before
├── StoreUnreachableError (ConnectionError)  the database server does not answer, or refuses
├── TurnTimeoutError (TimeoutError)      another turn of the user took too long
├── ChatModelError (RuntimeError)        a chat model that was asked about a user failed
└── StoreCorruptError (RuntimeError)     the truth itself cannot be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from habitus.memory.usage import Usage


class MemoryStoreError(Exception):
    """Base of the errors raised by `habitus.memory`."""


class InvalidInputError(MemoryStoreError, ValueError):
    """A text, id or date that cannot be stored; the message says what was expected."""


class NotFoundError(MemoryStoreError, LookupError):
    """Nothing is stored under that id for that user."""


class FolderInUseError(MemoryStoreError, RuntimeError):
    """Another process owns the data folder; the message names the ways out."""


class EncryptionError(MemoryStoreError, ValueError):
    """A key is missing, does not fit, or cannot be used; never shows the key. Nothing was changed."""


class StoreFullError(MemoryStoreError, OSError):
    """The disk is full or the folder read-only; the transaction was rolled back as a whole."""


class EncoderChangedError(MemoryStoreError, RuntimeError):
    """The vectors in the folder come from another encoder; spaces are never mixed."""


class StoreClosedError(MemoryStoreError, RuntimeError):
    """The store was closed; open it again."""


class StoreUnreachableError(MemoryStoreError, ConnectionError):
    """The database server does not answer, refuses, or lacks something; the message says what to do."""


class TurnTimeoutError(MemoryStoreError, TimeoutError):
    """Another turn of the same user did not end in time; nothing of this one was begun."""


class StoreCorruptError(MemoryStoreError, RuntimeError):
    """The database file cannot be read; restore a backup."""


class ChatModelError(MemoryStoreError, RuntimeError):
    """A chat model failed or took too long; what is known without it stands.

    The message names the kind of failure only: what a provider says of it may repeat the user's words.

    Attributes:
        usage: what was used up before it failed.
    """

    def __init__(self, model: object, why: str, usage: Usage) -> None:
        super().__init__(f"{type(model).__name__} failed: {why}")
        self.usage = usage
