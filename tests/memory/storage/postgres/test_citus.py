"""The tables can be spread by user: keys, constraints, and every statement that the store runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from habitus.memory.records import Access, Changes, Feedback, Persona, Profile, Turn
from habitus.memory.storage.moving import move_users
from habitus.memory.storage.postgres import connecting
from habitus.memory.storage.postgres.citus import DISTRIBUTED, REFERENCE, citus_ddl
from habitus.memory.store import MemoryStore, Query
from habitus.retrievers.encoder import HashingEncoder

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from habitus.memory.storage.postgres.store import PostgresStore  # noqa: E402

MakeTurns = Callable[..., tuple[Turn, ...]]

OVER_ALL_USERS = {
    "SELECT user_id FROM users",
    "SELECT user_id FROM unread GROUP BY user_id ORDER BY min(key)",
    "SELECT user_id FROM users WHERE n_turns > ? OR n_passages > ?",
    "SELECT coalesce(sum(n_turns), 0) FROM users",
    *(
        f"SELECT count(*) FROM {table}"
        for table in ("users", "sessions", "preferences", "facts", "unread", "turns")
    ),
}
"""Asked by administration alone (listing, statistics, what waits to be read), never by a turn."""
CATALOGUE = "pg_total_relation_size"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every statement that stores run from here on."""
    seen: set[str] = set()
    execute, executemany = (
        connecting.PostgresConnection.execute,
        connecting.PostgresConnection.executemany,
    )

    def note(self: connecting.PostgresConnection, statement: str, *values: object) -> object:
        seen.add(statement)
        return execute(self, statement, *values)  # type: ignore[arg-type]

    def note_many(self: connecting.PostgresConnection, statement: str, rows: object) -> None:
        seen.add(statement)
        executemany(self, statement, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(connecting.PostgresConnection, "execute", note)
    monkeypatch.setattr(connecting.PostgresConnection, "executemany", note_many)
    return seen


@pytest.fixture
def lived(
    statements: set[str],
    postgres_url: str,
    postgres_schema: str,
    encoder: HashingEncoder,
    make_turns: MakeTurns,
    embedded_store: MemoryStore,
) -> Iterator[set[str]]:
    """The statements of a store that was used in every way."""
    with PostgresStore.open(postgres_url, encoder, schema=postgres_schema, exact_limit=4) as store:
        turns = make_turns("ann", "s", *("I keep bees." for _ in range(9)))
        at = turns[0].at
        changes = Changes(
            turns=turns,
            feedback=(Feedback(id="f", user_id="ann", turn_id="s.1", at=at, rating=1.0),),
            accesses=(Access(user_id="ann", turn_id="s.0", at=at, n=1),),
            profile=Profile(user_id="ann", version=1, made_at=at),
            persona=Persona(user_id="ann", version=1, made_at=at, reason="r"),
            unread=("s.0",),
            ends_sessions=("s",),
        )
        store.commit("ann", changes)
        store.commit("ann", Changes(turns=(turns[0].model_copy(update={"text": "Wasps."}),), read=("s.0",)))
        store.commit("bob", Changes(turns=make_turns("bob", "s", "Hello.")))
        for user in ("ann", "bob"):
            store.search(user, Query(text="bees", vector=encoder.encode(["bees"])[0]))
        store.turns("ann", session_id="s", ids=["s.0"])
        store.texts("ann", ["s.0"])
        store.turn_vectors("ann", ["s.0"])
        store.sessions("ann", open_only=True)
        store.preferences("ann", status="active")
        store.feedback("ann", limit=1)
        move_users(store, embedded_store)
        store.users_with_unread()
        store.forget("ann", turn_ids=["s.0"], feedback_ids=["f"], rewrites={"s.2": "Bees."})
        store.stats()
        store.stats("ann")
        store.reindex()
        store.flush()
        store.verify()
        store.delete_user("bob")
        yield statements


def test_every_statement_of_a_turn_names_the_user(lived: set[str]) -> None:
    assert len(lived) > 50
    crossing = {
        one
        for one in lived
        if not re.search(r"user_id = \?", one)
        and not re.match(r"INSERT INTO \w+ \(user_id,", one)
        and CATALOGUE not in one
    }
    assert crossing <= OVER_ALL_USERS, crossing - OVER_ALL_USERS


def test_joins_and_subqueries_stay_within_the_user(lived: set[str]) -> None:
    for one in lived:
        if " JOIN " in one and CATALOGUE not in one:
            assert "USING (user_id" in one, one
        assert one.count("SELECT") <= one.count("user_id") or one in OVER_ALL_USERS or CATALOGUE in one, one


def test_keys_and_constraints_are_led_by_the_user(
    postgres_store: MemoryStore, postgres_schema: str, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute(
            "SELECT c.relname, i.indisprimary, i.indisunique, a.attname, i.indnatts"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE n.nspname = %s",
            (postgres_schema,),
        ).fetchall()
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (postgres_schema,)
        ).fetchall()
        foreign = connection.execute(
            "SELECT pg_get_constraintdef(f.oid) FROM pg_constraint f JOIN pg_namespace n"
            " ON n.oid = f.connamespace WHERE f.contype = 'f' AND n.nspname = %s",
            (postgres_schema,),
        ).fetchall()
    assert {name for (name,) in tables} == {*DISTRIBUTED, *REFERENCE}, "every table has its place"
    primary = {name: first for name, is_primary, _, first, _ in rows if is_primary}
    assert set(primary) == {*DISTRIBUTED, *REFERENCE}
    for name, _, is_unique, first, _ in rows:
        assert first == "user_id" or name in REFERENCE or not is_unique, name
    assert len(foreign) >= 12
    for (definition,) in foreign:
        assert re.match(r"FOREIGN KEY \(user_id.*REFERENCES \w+(\.\w+)?\(user_id", definition), definition


def test_the_statements_for_citus_run(
    postgres_store: MemoryStore, postgres_schema: str, postgres_url: str
) -> None:
    # Functions of the names that Citus gives them: the server here has no Citus, but it reads the syntax,
    # and every table and column that is named must exist.
    script = citus_ddl(postgres_schema).replace("CREATE EXTENSION IF NOT EXISTS citus;", "")
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE FUNCTION pg_temp.create_distributed_table(name regclass, by text,"
            " colocate_with text DEFAULT 'default') RETURNS text LANGUAGE sql AS"
            " $$ SELECT attname::text FROM pg_attribute WHERE attrelid = name AND attname = by $$"
        )
        connection.execute(
            "CREATE FUNCTION pg_temp.create_reference_table(name regclass) RETURNS text LANGUAGE sql AS"
            " $$ SELECT name::text $$"
        )
        done = 0
        for statement in filter(str.strip, script.split(";")):
            cursor = connection.execute(statement.replace("SELECT ", "SELECT pg_temp.").encode())
            if cursor.description:
                assert cursor.fetchone() != (None,)
                done += 1
        connection.rollback()
    assert done == len(DISTRIBUTED) + len(REFERENCE)
