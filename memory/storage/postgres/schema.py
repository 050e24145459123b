"""The tables in PostgreSQL, and the way from each version of them to the next.

`user_id` leads every primary key and stands in every constraint, so that Citus can spread the tables over
machines by it. Texts compare by their bytes, as in Python and SQLite. Records are `json`, not `jsonb`: what
was checked is what comes back, byte for byte; cast to `jsonb` to query inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING

from habitus.memory.errors import StoreCorruptError

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "habitus"
"""Where the tables are, unless told otherwise."""

_DOCUMENT_TABLE = """
CREATE TABLE {name} (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    id text COLLATE "C" NOT NULL,
    status text,
    at bigint NOT NULL,
    document json NOT NULL,
    PRIMARY KEY (user_id, id)
);
"""
_DOCUMENTS = ("preferences", "facts", "corrections", "feedback", "questions")

_FIRST = """
CREATE TABLE users (
    user_id text COLLATE "C" PRIMARY KEY,
    epoch bigint NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    last_seq bigint NOT NULL DEFAULT 0,
    indexed_seq bigint NOT NULL DEFAULT 0,
    n_turns integer NOT NULL DEFAULT 0,
    n_passages integer NOT NULL DEFAULT 0,
    n_terms bigint NOT NULL DEFAULT 0,
    n_own_terms bigint NOT NULL DEFAULT 0
);
CREATE TABLE sessions (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    id text COLLATE "C" NOT NULL,
    started_at bigint NOT NULL,
    last_at bigint NOT NULL,
    n_turns integer NOT NULL,
    ended smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, id)
);
CREATE TABLE turns (
    user_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    place integer NOT NULL,
    role text NOT NULL,
    at bigint NOT NULL,
    text text NOT NULL,
    meta json NOT NULL,
    PRIMARY KEY (user_id, seq),
    UNIQUE (user_id, id),
    UNIQUE (user_id, session_id, place),
    FOREIGN KEY (user_id, session_id) REFERENCES sessions (user_id, id)
);
CREATE TABLE features (
    user_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    n_passages integer NOT NULL,
    n_terms integer NOT NULL,
    terms bytea NOT NULL,
    counts bytea NOT NULL,
    vectors bytea NOT NULL,
    PRIMARY KEY (user_id, seq),
    FOREIGN KEY (user_id, seq) REFERENCES turns (user_id, seq) ON DELETE CASCADE
);
-- Numbers that look random do not compress; trying costs time on every write.
ALTER TABLE features ALTER COLUMN vectors SET STORAGE EXTERNAL;
CREATE TABLE profiles (
    user_id text COLLATE "C" PRIMARY KEY REFERENCES users (user_id),
    document json NOT NULL
);
CREATE TABLE weights (
    user_id text COLLATE "C" PRIMARY KEY REFERENCES users (user_id),
    document json NOT NULL
);
CREATE TABLE personas (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    version integer NOT NULL,
    document json NOT NULL,
    PRIMARY KEY (user_id, version)
);
CREATE TABLE accesses (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    turn_id text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    n integer NOT NULL,
    PRIMARY KEY (user_id, turn_id)
);
CREATE TABLE unread (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    turn_id text COLLATE "C" NOT NULL,
    key bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (user_id, turn_id)
);
""" + "".join(_DOCUMENT_TABLE.format(name=name) for name in _DOCUMENTS)

_PREFERENCE_VECTORS = "ALTER TABLE preferences ADD COLUMN vectors bytea;"

_LARGE_USERS = """
CREATE TABLE passages (
    user_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    place integer NOT NULL,
    signs bit varying NOT NULL,
    PRIMARY KEY (user_id, seq, place),
    FOREIGN KEY (user_id, seq) REFERENCES turns (user_id, seq) ON DELETE CASCADE
);
CREATE TABLE postings (
    user_id text COLLATE "C" NOT NULL REFERENCES users (user_id),
    term bigint NOT NULL,
    seq bigint NOT NULL,
    count integer NOT NULL,
    length integer NOT NULL,
    PRIMARY KEY (user_id, term, seq)
);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _PREFERENCE_VECTORS, _LARGE_USERS)
"""Script n leads from version n to version n + 1; scripts are added, never changed."""

_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('habitus schema', 0))"
_SECONDS_BETWEEN = 0.05
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('habitus schema', 0))"


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Let one process at a time make what is missing: `IF NOT EXISTS` alone fails where two do it at once.

    Args:
        connection: in autocommit mode.
    """
    # Asked again and again: who waits within a statement holds up another's CREATE INDEX CONCURRENTLY.
    while connection.execute(_LOCK).fetchone() != (True,):
        sleep(_SECONDS_BETWEEN)
    try:
        yield
    finally:
        connection.execute(_UNLOCK)


def migrate(connection: Connection) -> None:
    """Bring the tables, none at first, to the newest version; each step is one transaction.

    Args:
        connection: in autocommit mode, `alone`, its `search_path` led by the schema of the tables.

    Raises:
        StoreCorruptError: the tables were made by a newer version of the library.
    """
    known = connection.execute(
        "SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'meta'"
    )
    if known.fetchone() is None:
        connection.execute("CREATE TABLE meta (name text PRIMARY KEY, value text NOT NULL)")
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    version = 0 if row is None else int(row[0])
    if version > len(MIGRATIONS):
        raise StoreCorruptError(
            f"the tables have schema version {version}, this library knows versions up to"
            f" {len(MIGRATIONS)}; upgrade habitus"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        with connection.transaction():
            connection.execute(script.encode())
            connection.execute(
                "INSERT INTO meta VALUES ('schema', %s) ON CONFLICT (name) DO UPDATE SET value ="
                " excluded.value",
                (str(number),),
            )
