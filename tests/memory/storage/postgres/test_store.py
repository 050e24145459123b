"""What is particular to the store in PostgreSQL: many processes, opening, and errors."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from habitus.memory.errors import (
    EncoderChangedError,
    InvalidInputError,
    StoreCorruptError,
    StoreUnreachableError,
    TurnTimeoutError,
)
from habitus.memory.records import Changes, Turn
from habitus.memory.storage import writing
from habitus.memory.storage.postgres import schema
from habitus.memory.storage.preparing import prepare
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from habitus.memory.storage.postgres.store import PostgresStore  # noqa: E402

MakeTurns = Callable[..., tuple[Turn, ...]]
Open = Callable[..., PostgresStore]

OPENED = """
import sys, time
from datetime import UTC, datetime
from habitus.memory.storage.postgres.store import PostgresStore
from habitus.memory.storage.postgres import schema
from habitus.memory.records import Changes, Turn
from habitus.retrievers.encoder import HashingEncoder
store = PostgresStore.open(sys.argv[1], HashingEncoder(64), schema=sys.argv[2])
turn = Turn(id="t", user_id="ann", session_id="s", index=0, role="user", text="I keep bees.",
            at=datetime(2025, 1, 1, tzinfo=UTC))
"""
SLEEP = "print('within', flush=True); time.sleep(600)"


@pytest.fixture
def open_store(postgres_url: str, postgres_schema: str, encoder: HashingEncoder) -> Iterator[Open]:
    """Open stores on one schema: each has its own connections, caches and locks, as in another process."""
    opened: list[PostgresStore] = []

    def make(**options: float) -> PostgresStore:
        opened.append(PostgresStore.open(postgres_url, encoder, schema=postgres_schema, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def found(store: PostgresStore, text: str) -> list[str]:
    return store.search("ann", Query(text=text, vector=store.encoder.encode([text])[0])).turn_ids


class TestSeveralProcesses:
    def test_a_search_sees_what_others_have_stored_and_forgotten_since(
        self, open_store: Open, make_turns: MakeTurns
    ) -> None:
        one, other = open_store(), open_store()
        one.commit("ann", Changes(turns=make_turns("ann", "a", "figs")))
        assert found(other, "figs") == ["a.0"]
        one.commit("ann", Changes(turns=make_turns("ann", "b", "more figs")))
        assert found(other, "figs") == ["a.0", "b.0"]
        one.forget("ann", turn_ids=["a.0"])
        assert found(other, "figs") == ["b.0"]
        one.delete_user("ann")
        one.commit("ann", Changes(turns=make_turns("ann", "c", "plums")))
        assert found(other, "figs") == ["c.0"]

    def test_commits_of_one_user_at_once_are_all_kept_and_all_found(
        self, open_store: Open, make_turns: MakeTurns
    ) -> None:
        stores = [open_store() for _ in range(3)]

        def write(number: int) -> None:
            store = stores[number % 3]
            store.commit("ann", Changes(turns=make_turns("ann", f"s{number}", "figs", "ok")))
            assert f"s{number}.0" in found(store, "figs")

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(30)))
        for store in stores:
            assert len(set(found(store, "figs"))) == len(found(store, "figs")) == 60
        assert stores[0].stats("ann").n_turns == 60

    def test_a_turn_keeps_other_processes_out(self, open_store: Open) -> None:
        one, other = open_store(), open_store(turn_timeout=0.2)
        with one.turn_of("ann"):
            with pytest.raises(TurnTimeoutError, match="'ann'"), other.turn_of("ann"):
                pytest.fail("both are within")
            with other.turn_of("bob"):
                pass
        with other.turn_of("ann"):
            pass

    def test_a_turn_whose_connection_is_lost_can_write_no_more(
        self, open_store: Open, postgres_url: str, make_turns: MakeTurns
    ) -> None:
        one, other = open_store(), open_store()
        one.commit("ann", Changes(turns=make_turns("ann", "s", "before")))
        with one.turn_of("ann"):
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                )
            with other.turn_of("ann"):
                other.commit("ann", Changes(turns=make_turns("ann", "s", "meanwhile", first=1)))
            with pytest.raises(StoreUnreachableError, match="nothing was stored"):
                one.commit("ann", Changes(turns=make_turns("ann", "late", "too late")))
        assert [turn.text for turn in other.turns("ann")] == ["before", "meanwhile"]
        with one.turn_of("ann"):
            one.commit("ann", Changes(turns=make_turns("ann", "again", "after")))
        assert len(other.turns("ann")) == 3

    def test_a_server_that_was_restarted_is_used_again_without_an_error(
        self, open_store: Open, postgres_url: str, make_turns: MakeTurns
    ) -> None:
        store = open_store()
        with store.turn_of("ann"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "before")))
        assert found(store, "before") == ["s.0"]
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            # As a restart does to every connection.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        time.sleep(0.2)
        assert found(store, "before") == ["s.0"]
        with store.turn_of("ann"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "after", first=1)))
        assert len(store.turns("ann")) == 2

    def test_a_server_that_is_gone_is_told_instead_of_waited_for_and_used_again_when_it_is_back(
        self, open_store: Open, postgres_url: str, make_turns: MakeTurns
    ) -> None:
        store = open_store()
        store.commit("ann", Changes(turns=make_turns("ann", "s", "before")))
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            socket = Path(connection.info.host, f".s.PGSQL.{connection.info.port}")
            hidden = socket.rename(socket.with_name("hidden"))
            try:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
                time.sleep(0.2)
                with pytest.raises(StoreUnreachableError, match="^PostgreSQL at .* does not answer"):
                    store.turns("ann")
                with pytest.raises(StoreUnreachableError, match="^PostgreSQL at .* does not answer"):
                    with store.turn_of("ann"):
                        pytest.fail("a turn began without a server")
            finally:
                hidden.rename(socket)
        with store.turn_of("ann"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "after", first=1)))
        assert len(store.turns("ann")) == 2


class TestTransactions:
    """Statements are sent without waiting for the one before; what fails must still be told, and undone."""

    def test_what_failed_first_is_told_and_nothing_is_stored(
        self, open_store: Open, make_turns: MakeTurns, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = open_store(max_connections=1)
        store.commit("ann", Changes(turns=make_turns("ann", "s", "before")))
        for read in (True, False):  # whether something is asked for after what fails
            with pytest.raises(InvalidInputError, match="cannot hold"), store._change("ann") as connection:
                connection.begin_change("ann")
                writing.write_turns(connection, "ann", prepare(store.encoder, make_turns("ann", "t", "figs")))
                failed = connection.execute("SELECT 1 / 0")
                connection.execute("SELECT 1")
                if read:
                    failed.fetchone()
            assert [turn.text for turn in store.turns("ann")] == ["before"]
            assert store.version("ann").endswith(".0")
        with store.turn_of("ann"):
            with pytest.raises(InvalidInputError, match="cannot hold"), store._change("ann") as connection:
                connection.execute("SELECT 1 / 0")
            store.commit("ann", Changes(turns=make_turns("ann", "s", "after", first=1)))
        assert len(store.turns("ann")) == 2
        assert caplog.messages == []

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
    def test_who_is_interrupted_leaves_no_transaction_behind(
        self,
        open_store: Open,
        make_turns: MakeTurns,
        caplog: pytest.LogCaptureFixture,
        kind: type[BaseException],
    ) -> None:
        store = open_store(max_connections=1)
        with pytest.raises(kind), store._change("ann") as connection:
            connection.begin_change("ann")
            raise kind
        with pytest.raises(kind), store._read() as reading_connection:
            assert reading_connection.execute("SELECT 1").fetchone() == (1,)
            raise kind
        with pytest.raises(kind), store.turn_of("ann"), store._change("ann") as connection:
            connection.begin_change("ann")
            raise kind
        assert store.users() == []
        store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
        assert found(store, "figs") == ["s.0"]
        assert caplog.messages == []

    def test_a_lost_connection_is_told_within_a_read_too(
        self, open_store: Open, postgres_url: str, make_turns: MakeTurns
    ) -> None:
        store = open_store(max_connections=1)
        store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
        with pytest.raises(StoreUnreachableError, match="cannot be used"), store._read() as connection:
            (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            connection.execute("SELECT count(*) FROM turns").fetchone()
        assert found(store, "figs") == ["s.0"]


class TestSeveralThreads:
    def test_what_another_thread_writes_when_a_turn_ends_is_stored_as_a_whole(
        self, open_store: Open, make_turns: MakeTurns
    ) -> None:
        store = open_store()
        within, ended = Event(), Event()

        def write() -> None:
            with store._change("ann") as connection:
                connection.begin_change("ann")
                writing.write_turns(connection, "ann", prepare(store.encoder, make_turns("ann", "s", "figs")))
                within.set()
                assert not ended.wait(0.5)
                writing.write_turns(
                    connection, "ann", prepare(store.encoder, make_turns("ann", "s", "plums", first=1))
                )

        with ThreadPoolExecutor(1) as pool:
            with store.turn_of("ann"):
                writer = pool.submit(write)
                assert within.wait(30)
            ended.set()
            writer.result(timeout=30)
        assert [turn.text for turn in store.turns("ann")] == ["figs", "plums"]
        assert store.verify().problems == ()

    def test_who_waits_while_a_turn_ends_does_not_write_on_its_connection(
        self, open_store: Open, make_turns: MakeTurns
    ) -> None:
        store = open_store(max_turns=1)
        with ThreadPoolExecutor(2) as pool:
            for number in range(20):
                with store.turn_of("ann"):
                    jobs = [
                        pool.submit(
                            store.commit, "ann", Changes(turns=make_turns("ann", f"{number}.{n}", "figs"))
                        )
                        for n in range(2)
                    ]
                with store.turn_of("bob"):
                    store.commit("bob", Changes(turns=make_turns("bob", f"{number}", "plums")))
                for job in jobs:
                    job.result(timeout=30)
        assert (len(store.turns("ann")), len(store.turns("bob"))) == (40, 20)


class TestKilled:
    def run(self, code: str, url: str, schema: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", OPENED + code, url, schema], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "within\n"
        return process

    def kill(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
        assert process.stdout is not None
        process.stdout.close()

    def test_within_a_turn_a_process_releases_it_and_keeps_what_it_stored(
        self, open_store: Open, postgres_url: str, postgres_schema: str, make_turns: MakeTurns
    ) -> None:
        store = open_store()
        code = "with store.turn_of('ann'):\n    store.commit('ann', Changes(turns=(turn,)))\n    " + SLEEP
        process = self.run(code, postgres_url, postgres_schema)
        entered = Event()

        def enter() -> list[Turn]:
            with store.turn_of("ann"):
                entered.set()
                return store.turns("ann")

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(enter)
            assert not entered.wait(0.3)
            # Meanwhile others go on, in this process and any other.
            with store.turn_of("bob"):
                store.commit("bob", Changes(turns=make_turns("bob", "s", "figs")))
            assert not entered.is_set()
            self.kill(process)
            assert [one.text for one in waiting.result(timeout=30)] == ["I keep bees."]

    def test_within_a_transaction_a_process_leaves_nothing_of_it(
        self, open_store: Open, postgres_url: str, postgres_schema: str, make_turns: MakeTurns
    ) -> None:
        store = open_store()
        code = (
            "from habitus.memory.storage import writing\n"
            "from habitus.memory.storage.preparing import prepare\n"
            "with store.turn_of('ann'), store._change('ann') as connection:\n"
            "    connection.begin_change('ann')\n"
            "    writing.write_turns(connection, 'ann', prepare(store.encoder, [turn]))\n    " + SLEEP
        )
        self.kill(self.run(code, postgres_url, postgres_schema))
        with store.turn_of("ann"):
            assert store.users() == []
            store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
        assert found(store, "figs") == ["s.0"]


class TestOpening:
    def test_another_encoder_is_refused(
        self, open_store: Open, postgres_url: str, postgres_schema: str
    ) -> None:
        open_store()
        with pytest.raises(EncoderChangedError, match="habitus migrate"):
            PostgresStore.open(postgres_url, HashingEncoder(32), schema=postgres_schema)

    def test_tables_of_a_newer_version_are_refused(
        self, open_store: Open, postgres_url: str, postgres_schema: str
    ) -> None:
        open_store()
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                f"UPDATE {postgres_schema}.meta SET value = '99' WHERE name = 'schema'".encode()
            )
        with pytest.raises(StoreCorruptError, match="version 99"):
            open_store()

    @pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
    def test_tables_of_every_older_version_are_brought_up_to_date(
        self,
        open_store: Open,
        postgres_url: str,
        postgres_schema: str,
        make_turns: MakeTurns,
        monkeypatch: pytest.MonkeyPatch,
        version: int,
    ) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection, monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
            connection.execute(f"CREATE SCHEMA {postgres_schema}".encode())
            connection.execute(f"SET search_path TO {postgres_schema}, public".encode())
            schema.migrate(connection)
            connection.execute("INSERT INTO users (user_id, epoch) VALUES ('bob', 1)")
        store = open_store(exact_limit=2)
        assert store.users() == ["bob"]
        store.commit("ann", Changes(turns=make_turns("ann", "s", *(f"fig {number}" for number in range(9)))))
        assert "s.3" in found(store, "fig 3")
        assert store.verify().problems == ()

    def test_many_processes_may_open_a_new_database_at_once(self, open_store: Open) -> None:
        together = Barrier(4)

        def start(_: int) -> PostgresStore:
            together.wait()
            return open_store()

        with ThreadPoolExecutor(4) as pool:
            stores = list(pool.map(start, range(4)))
        assert [store.users() for store in stores] == [[]] * 4

    def test_a_server_that_does_not_answer_is_named_without_the_password(
        self, tmp_path: Path, encoder: HashingEncoder
    ) -> None:
        with pytest.raises(StoreUnreachableError, match="ann@.*Check that the server runs") as caught:
            PostgresStore.open(f"postgresql://ann:hushhush@/memory?host={tmp_path}", encoder)
        assert "hushhush" not in str(caught.value)

    def test_a_wrong_password_is_told(self, postgres_url: str, encoder: HashingEncoder) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
            row = connection.execute("SHOW hba_file").fetchone()
            assert row is not None
            rules = Path(row[0])
            before = rules.read_text()
            rules.write_text(f"local all guarded scram-sha-256\n{before}")
            connection.execute("SELECT pg_reload_conf()")
            guarded = postgres_url.replace("postgres:@", "guarded:wrong@")
            try:
                with pytest.raises(StoreUnreachableError, match="Check user and password") as caught:
                    PostgresStore.open(guarded, encoder)
                assert "wrong@" not in str(caught.value)
            finally:
                rules.write_text(before)
                connection.execute("SELECT pg_reload_conf()")
                connection.execute("DROP ROLE guarded")

    def test_a_database_without_pgvector_says_what_to_do(
        self, postgres_url: str, encoder: HashingEncoder
    ) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bare TEMPLATE template0")
            connection.execute("CREATE ROLE plain LOGIN")
            url = postgres_url.replace("postgres:@/postgres", "plain:@/bare")
            try:
                with pytest.raises(StoreUnreachableError, match="CREATE EXTENSION vector"):
                    PostgresStore.open(url, encoder)
            finally:
                connection.execute("DROP DATABASE bare")
                connection.execute("DROP ROLE plain")

    def test_a_role_that_may_make_nothing_can_use_what_was_made_for_it(
        self, open_store: Open, postgres_url: str, postgres_schema: str, make_turns: MakeTurns
    ) -> None:
        encoder = open_store().encoder
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("CREATE ROLE modest LOGIN")
            connection.execute("REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
            connection.execute(f"GRANT USAGE ON SCHEMA {postgres_schema} TO modest".encode())
            connection.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA"
                f" {postgres_schema} TO modest".encode()
            )
            modest = postgres_url.replace("postgres:@", "modest:@")
            try:
                with PostgresStore.open(modest, encoder, schema=postgres_schema) as store:
                    store.commit("ann", Changes(turns=make_turns("ann", "s", "I keep bees.")))
                    assert found(store, "bees") == ["s.0"]
                    store.delete_user("ann")
                    assert store.users() == []
            finally:
                connection.execute("DROP OWNED BY modest")
                connection.execute("DROP ROLE modest")
