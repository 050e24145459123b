"""What can go wrong in this room. Each class is also the builtin a caller would expect.

RetrieverError
├── MissingExtraError (ImportError)     an optional package is not installed
├── EncoderError (RuntimeError)         weights not found, damaged, or not what they claim to be
├── IndexFullError (OSError)            a derived index cannot be written for want of space or rights
├── IndexUnreachableError (ConnectionError)  the server of a derived index does not answer
└── IndexCorruptError (RuntimeError)    a derived index cannot be read; rebuild it from the truth
    └── IndexDiedError                  the process that keeps it ended or did not answer
"""

from __future__ import annotations


class RetrieverError(Exception):
    """Base of the errors raised by `habitus.retrievers`."""


class MissingExtraError(RetrieverError, ImportError):
    """An optional package is needed; the message holds the exact `pip install` line."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} is not installed; run: pip install "habitus[{extra}]"')
        self.extra = extra


class EncoderError(RetrieverError, RuntimeError):
    """The weights of an encoder are missing, damaged, or not the ones that were asked for."""


class IndexFullError(RetrieverError, OSError):
    """A derived index cannot be written: the disk is full or read-only. It is whole once there is room."""


class IndexUnreachableError(RetrieverError, ConnectionError):
    """The server that keeps a derived index does not answer; nothing is lost, and it goes on once it does."""


class IndexCorruptError(RetrieverError, RuntimeError):
    """A derived index cannot be opened or read; nothing is lost, it can be rebuilt from the truth."""


class IndexDiedError(IndexCorruptError):
    """The process that keeps a derived index ended or did not answer; begun anew, the index may be whole."""
