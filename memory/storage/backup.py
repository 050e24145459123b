"""Backups of a data folder: the truth, as of one instant, with a manifest to check it by.

A backup is a folder of two files. The derived indexes are not in it: they are built anew from the truth.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from habitus.memory.errors import InvalidInputError, NotFoundError, StoreCorruptError, StoreFullError
from habitus.memory.index.outbox import mark_stale
from habitus.memory.records import new_id
from habitus.memory.storage.connecting import SqliteConnection, connect, translated
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.storage.folder import DataFolder
from habitus.memory.storage.replacing import DATABASE, UNFINISHED, logs_of

MANIFEST = "manifest.json"
_PAGES_AT_ONCE = 1_024


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        made_at: when.
        schema_version: of the tables.
        encoder: fingerprint of the encoder that made the vectors.
        n_users, n_turns: that are in it.
        n_bytes, sha256: of the database file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_at: datetime
    schema_version: int
    encoder: str | None
    n_users: int
    n_turns: int
    n_bytes: int
    sha256: str


def back_up(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    key: EncryptionKey | str | None = None,
) -> Manifest:
    """Write a backup of a data folder, which may be in use meanwhile.

    It is complete as soon as it has its name: until then it lies beside, and a crash leaves none.

    Args:
        folder: the data folder.
        out: the folder of the backup; must not exist.
        key: that the folder is encrypted with; the backup is, too.

    Raises:
        NotFoundError: there is no store in the folder.
        EncryptionError: the key is missing or another, or the folder is not encrypted.
        InvalidInputError: `out` exists.
        StoreCorruptError: the database cannot be read, or does not hold together.
        StoreFullError: the backup cannot be written.
    """
    database, out = Path(folder) / DATABASE, Path(out)
    if not database.is_file():
        raise NotFoundError(f"there is no store in {os.fspath(folder)!r}")
    if out.exists():
        raise InvalidInputError(f"{str(out)!r} exists already; a backup is never written over another")
    key = None if key is None else EncryptionKey.of(key)
    unfinished = out.with_name(f"{out.name}.{new_id()}.unfinished")
    try:
        with translated(database), closing(connect(database, key, read_only=True)) as source:
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        with translated(out):
            _make(unfinished)
            _copy(database, unfinished / DATABASE, key)
            manifest = _described(unfinished / DATABASE, key)
        _name(unfinished, manifest, out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return manifest


def _name(unfinished: Path, manifest: Manifest, out: Path) -> None:
    """Write the manifest, and give the finished backup its name."""
    try:
        (unfinished / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        _settle(unfinished / MANIFEST)
        unfinished.rename(out)
    except OSError as error:
        raise StoreFullError(
            f"the backup {str(out)!r} cannot be written ({error.strerror}): free some space on the disk and"
            " try again"
        ) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InvalidInputError(f"the folder {str(folder)!r} cannot be made: {error.strerror}") from error


def _copy(database: Path, copy: Path, key: EncryptionKey | None) -> None:
    """Copy one committed state, and leave no log beside it."""
    with closing(connect(database, key, read_only=True)) as source, closing(connect(copy, key)) as target:
        source.backup(target, pages=_PAGES_AT_ONCE)
        target.execute("PRAGMA journal_mode=DELETE")
    _settle(copy)


def _settle(file: Path) -> None:
    """Wait until a file is on the disk."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _described(database: Path, key: EncryptionKey | None) -> Manifest:
    with closing(connect(database, key, read_only=True)) as connection:
        check_integrity(connection, database)
        encoder = connection.execute("SELECT value FROM meta WHERE name = 'encoder'").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (n_users,) = connection.execute("SELECT count(*) FROM users").fetchone()
        (n_turns,) = connection.execute("SELECT count(*) FROM turns").fetchone()
    return Manifest(
        made_at=datetime.now(UTC),
        schema_version=version,
        encoder=encoder and encoder[0],
        n_users=n_users,
        n_turns=n_turns,
        n_bytes=database.stat().st_size,
        sha256=_sha256(database),
    )


def check_integrity(connection: SqliteConnection, database: Path) -> None:
    """Check every page, index and reference of a database.

    Raises:
        StoreCorruptError: something does not hold together.
    """
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    found = [] if found == ["ok"] else found
    found += [
        f"a row of {row[0]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")
    ]
    if found:
        raise StoreCorruptError(f"{database} does not hold together: {'; '.join(map(str, found[:5]))}")


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check_backup(backup: str | os.PathLike[str], *, key: EncryptionKey | str | None = None) -> Manifest:
    """Check a backup against its manifest, and its database for holding together.

    Args:
        backup: the folder of the backup.
        key: that it is encrypted with: the one that the data folder had then.

    Raises:
        EncryptionError: the key is missing or another, or the backup is not encrypted.
        NotFoundError: this is no backup.
        StoreCorruptError: it was changed or damaged since it was made.
    """
    place = Path(backup)
    try:
        manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
    except OSError as error:
        raise NotFoundError(f"{str(place)!r} is no backup: it has no readable {MANIFEST}") from error
    except ValidationError as error:
        raise StoreCorruptError(f"{MANIFEST} of the backup {str(place)!r} is damaged") from error
    database = place / DATABASE
    if not database.is_file() or _sha256(database) != manifest.sha256:
        raise StoreCorruptError(
            f"the backup {str(place)!r} is not what was written on {manifest.made_at:%Y-%m-%d}: use another"
        )
    key = None if key is None else EncryptionKey.of(key)
    with translated(database), closing(connect(database, key, read_only=True)) as connection:
        check_integrity(connection, database)
    return manifest


def restore(
    backup: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    key: EncryptionKey | str | None = None,
) -> Manifest:
    """Make a data folder of a backup; it is checked first.

    Args:
        backup: the folder of the backup.
        folder: the data folder to make; must hold no store.
        key: that the backup is encrypted with; the folder is, too.

    Raises:
        EncryptionError: the key is missing or another, or the backup is not encrypted.
        NotFoundError: this is no backup.
        StoreCorruptError: it was changed or damaged since it was made.
        InvalidInputError: the folder holds a store already, or the log of one.
        StoreFullError: the folder cannot be written; nothing is left in it.
        FolderInUseError: a process owns the folder.
    """
    key = None if key is None else EncryptionKey.of(key)
    manifest = check_backup(backup, key=key)
    data = DataFolder(folder)
    try:
        database = data.path / DATABASE
        # SQLite would play a log that was left behind into the database that was restored.
        if there := [one.name for one in (database, *logs_of(database)) if one.exists()]:
            raise InvalidInputError(
                f"{str(data.path)!r} holds a store already ({', '.join(there)}): restore elsewhere, or move"
                " that one away with its logs"
            )
        unfinished = data.path / UNFINISHED
        try:
            _unpack(Path(backup) / DATABASE, unfinished, key)
            unfinished.rename(database)
        except BaseException:
            # What is left of it would outlast every later deletion.
            for one in (unfinished, *logs_of(unfinished)):
                one.unlink(missing_ok=True)
            raise
    finally:
        data.release()
    return manifest


def _unpack(source: Path, target: Path, key: EncryptionKey | None) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise StoreFullError(
            f"{source} cannot be copied to {target.parent} ({error.strerror}): free some space on the"
            " disk and check that both can be used, then try again"
        ) from error
    with translated(target), closing(connect(target, key)) as connection:
        # Whatever indexes lie in the folder belong to other memories.
        mark_stale(connection)
    _settle(target)
