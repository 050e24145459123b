"""The key of an encrypted data folder, and SQLCipher, which encrypts every page that SQLite writes.

SQLCipher: AES-256-CBC, each page with an initialisation vector of its own and an HMAC-SHA512 that shows any
change of it (https://www.zetetic.net/sqlcipher/design/). The key is given as it is, not derived from a
passphrase: it cannot be guessed, and opening costs nothing.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any, NoReturn

from habitus.memory.errors import EncryptionError

_DIGITS = re.compile(r"[0-9a-fA-F]{64}")
_PLAIN = b"SQLite format 3\0"
_PAGE_BYTES = 4_096
_MIN_VALUES = 240
"""Of 256. The first page of a plain database is the text of its schema: some 80 different bytes. Of 4,096
random ones hardly any value is missing."""


class EncryptionKey:
    """32 bytes that are never shown: in no `repr`, no error, no pickle.

    Args:
        digits: the key as 64 hexadecimal digits; space around them is left out.

    Raises:
        EncryptionError: it is anything else.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if not _DIGITS.fullmatch(digits.strip()):
            raise EncryptionError(
                "a key is 64 hexadecimal digits (32 random bytes), and this is none; "
                "`habitus memory new-key FILE` makes one"
            )
        self._digits = digits.strip().lower()

    @classmethod
    def of(cls, key: EncryptionKey | str) -> EncryptionKey:
        """Return a key that is given as such, or as its digits."""
        return key if isinstance(key, EncryptionKey) else cls(key)

    @classmethod
    def read(cls, file: str | os.PathLike[str]) -> EncryptionKey:
        """Read a key from a file that holds nothing else.

        Raises:
            EncryptionError: the file cannot be read, or holds no key.
        """
        try:
            # More than a key can be: a file of another kind need not be read to its end.
            with open(file, "rb") as opened:
                text = opened.read(1_024).decode("ascii")
        except OSError as error:
            raise EncryptionError(
                f"the key file {os.fspath(file)!r} cannot be read: {error.strerror}"
            ) from None
        except ValueError:
            text = ""
        try:
            return cls(text)
        except EncryptionError as error:
            raise EncryptionError(f"the key file {os.fspath(file)!r}: {error}") from None

    @classmethod
    def make(cls, file: str | os.PathLike[str]) -> EncryptionKey:
        """Make a key in a new file, which its owner alone may read.

        Raises:
            EncryptionError: the file exists already, or cannot be written.
        """
        key = cls(secrets.token_hex(32))
        try:
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(opened, "w", encoding="ascii") as written:
                written.write(f"{key._digits}\n")
                written.flush()
                os.fsync(opened)
        except OSError as error:
            raise EncryptionError(
                f"the key file {os.fspath(file)!r} cannot be made: {error.strerror}; nothing is overwritten"
            ) from None
        return key

    @property
    def raw(self) -> str:
        """As SQLCipher takes a key that is not to be derived from a passphrase."""
        return f"x'{self._digits}'"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EncryptionKey) and secrets.compare_digest(self._digits, other._digits)

    def __hash__(self) -> int:
        return hash(self._digits)

    def __repr__(self) -> str:
        return "EncryptionKey(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled: that would write it down")


def sqlcipher() -> Any:
    """Return the module `sqlcipher3.dbapi2`: the standard library's `sqlite3`, on SQLCipher.

    Raises:
        EncryptionError: it is not installed.
    """
    try:
        from sqlcipher3 import dbapi2
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("sqlcipher3"):
            raise
        raise EncryptionError("a key needs SQLCipher: pip install 'habitus[encryption]'") from error
    return dbapi2


def refused(path: Path, *, with_key: bool) -> EncryptionError | None:
    """Return why SQLite takes a file for no database, as far as keys are the reason; else None.

    The file is opened and closed. No connection of this process may rely on its locks meanwhile: closing
    any descriptor of a file drops them (POSIX).

    Args:
        path: the database.
        with_key: whether it was opened with a key.
    """
    try:
        with path.open("rb") as file:
            page = file.read(_PAGE_BYTES)
    except OSError:
        return None  # which then is the error to tell
    if page.startswith(_PLAIN):
        return _plain(path) if with_key else None
    if with_key:
        return EncryptionError(
            f"the key does not open {path}: it belongs to another folder, or the beginning of the file is"
            " damaged. Nothing was changed: try the right key, or restore a backup elsewhere"
        )
    return (
        EncryptionError(
            f"{path} is encrypted: give its key (HABITUS_KEY_FILE=FILE or HABITUS_KEY for commands,"
            " Agent.open(..., key=...) in Python)"
        )
        if len(set(page)) >= _MIN_VALUES
        else None
    )


def _plain(path: Path) -> EncryptionError:
    return EncryptionError(
        f"{path} is not encrypted, and a key was given: leave it out, or encrypt the folder with"
        f" `habitus memory encrypt --folder {path.parent}`"
    )
