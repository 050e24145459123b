"""The tables of the embedded store, and the way from each version of them to the next.

`users` leads every key. Content lives only in append-only rowid tables (a changed record is deleted
and inserted anew) and never in an index, so that few pages ever hold it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from habitus.memory.errors import InvalidInputError, StoreCorruptError

_FIRST_DOCUMENTS = ("preferences", "facts", "corrections", "feedback")

_DOCUMENT_TABLE = """
CREATE TABLE {name} (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    id TEXT NOT NULL,
    status TEXT,
    at INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (user_id, id)
);
"""

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    shard INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    n_turns INTEGER NOT NULL DEFAULT 0,
    n_passages INTEGER NOT NULL DEFAULT 0,
    n_terms INTEGER NOT NULL DEFAULT 0,
    n_own_terms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX users_by_shard ON users (shard);
CREATE TABLE sessions (
    user_id TEXT NOT NULL REFERENCES users (user_id),
    id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    n_turns INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, id)
);
CREATE TABLE turns (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    role TEXT NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    meta TEXT NOT NULL,
    UNIQUE (user_id, id),
    UNIQUE (user_id, session_id, place),
    FOREIGN KEY (user_id, session_id) REFERENCES sessions (user_id, id)
);
CREATE INDEX turns_by_user ON turns (user_id);
CREATE TABLE features (
    seq INTEGER PRIMARY KEY REFERENCES turns (seq) ON DELETE CASCADE,
    n_passages INTEGER NOT NULL,
    n_terms INTEGER NOT NULL,
    terms BLOB NOT NULL,
    counts BLOB NOT NULL,
    vectors BLOB NOT NULL
);
CREATE TABLE restaged (
    seq INTEGER PRIMARY KEY REFERENCES turns (seq) ON DELETE CASCADE,
    n_passages INTEGER NOT NULL,
    vectors BLOB NOT NULL
);
CREATE TABLE profiles (
    user_id TEXT PRIMARY KEY REFERENCES users (user_id),
    document TEXT NOT NULL
);
CREATE TABLE personas (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (user_id, version)
);
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    shard INTEGER NOT NULL,
    removed INTEGER NOT NULL
);
CREATE INDEX outbox_by_shard ON outbox (shard);
CREATE INDEX outbox_by_user ON outbox (user_id);
CREATE TABLE stale_shards (shard INTEGER PRIMARY KEY);
""" + "".join(_DOCUMENT_TABLE.format(name=name) for name in _FIRST_DOCUMENTS)

_ACCESSES_AND_QUESTIONS = """
CREATE TABLE accesses (
    user_id TEXT NOT NULL REFERENCES users (user_id),
    turn_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (user_id, turn_id)
) WITHOUT ROWID;
""" + _DOCUMENT_TABLE.format(name="questions")

_WEIGHTS = """
CREATE TABLE weights (
    user_id TEXT PRIMARY KEY REFERENCES users (user_id),
    document TEXT NOT NULL
);
"""

_UNREAD = """
CREATE TABLE unread (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    turn_id TEXT NOT NULL,
    UNIQUE (user_id, turn_id)
);
"""

_VERSIONS = "ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"

_PREFERENCE_VECTORS = "ALTER TABLE preferences ADD COLUMN vectors BLOB;"

MIGRATIONS: tuple[str, ...] = (
    _FIRST,
    _ACCESSES_AND_QUESTIONS,
    _WEIGHTS,
    _UNREAD,
    _VERSIONS,
    _PREFERENCE_VECTORS,
)
"""Script n leads from version n to version n + 1; scripts are added, never changed."""


def check_is_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Check, without changing anything, that a database is empty or was made by this library.

    Raises:
        InvalidInputError: it is another program's.
    """
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if names and not {"meta", "users", "turns"} <= names:
        raise InvalidInputError(f"{path} is the database of another program: choose another folder")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database, an empty one too, to the newest version; each step is one transaction.

    Raises:
        StoreCorruptError: the database was written by a newer version of the library.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StoreCorruptError(
            f"the database has schema version {version}, this library knows versions up to"
            f" {len(MIGRATIONS)}; upgrade habitus, or open a backup made by this version"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {number};COMMIT;")
