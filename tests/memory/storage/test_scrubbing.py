"""Overwriting what SQLite leaves behind: nothing of it stays, and nothing that is stored changes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from habitus.memory.storage.scrubbing import UnknownLayoutError, scrub_pages
from habitus.memory.storage.sqlite import Database

PAGE_BYTES = [512, 4096, 65536]


@pytest.fixture(params=PAGE_BYTES)
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "pages.db", isolation_level=None)
    connection.execute(f"PRAGMA page_size={request.param}")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, text TEXT)")
    connection.execute("CREATE TABLE by_name (name TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID")
    connection.execute("CREATE INDEX texts ON said (text)")
    yield connection
    connection.close()


def marks(rng: random.Random) -> str:
    return f"mark{rng.getrandbits(64):016x}"


def change_at_random(connection: sqlite3.Connection, rng: random.Random, n: int) -> tuple[set[str], set[str]]:
    """Insert and delete rows of all sizes; return the marks of those that are there, and of those gone."""
    alive: dict[int, str] = {}
    dead: set[str] = set()
    for number in range(n):
        mark = marks(rng)
        text = f"{mark} {'x' * rng.choice([1, 40, 150, 900, 9_000])} {mark}"
        connection.execute("INSERT INTO said VALUES (?, ?)", (number, text))
        connection.execute("INSERT INTO by_name VALUES (?, ?)", (text, mark))
        alive[number] = mark
        if rng.random() < 0.4:
            gone = rng.choice(sorted(alive))
            connection.execute("DELETE FROM by_name WHERE text = ?", (alive[gone],))
            connection.execute("DELETE FROM said WHERE id = ?", (gone,))
            dead.add(alive.pop(gone))
    return set(alive.values()), dead


def test_nothing_of_deleted_rows_stays_and_all_others_do(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "pages.db"
    n_left = 0
    for seed in range(8):
        connection.execute("DELETE FROM said")
        connection.execute("DELETE FROM by_name")
        alive, dead = change_at_random(connection, random.Random(seed), 150)
        before = connection.execute("SELECT * FROM said").fetchall()
        n_left += any(mark.encode() in path.read_bytes() for mark in dead)
        with path.open("r+b", buffering=0) as file:
            scrub_pages(file)
        content = path.read_bytes()
        assert [mark for mark in dead if mark.encode() in content] == []
        assert all(mark.encode() in content for mark in alive)
        with sqlite3.connect(path) as fresh:
            assert fresh.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert fresh.execute("SELECT * FROM said").fetchall() == before
        fresh.close()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    assert n_left or page_bytes != 4096, "the test would prove nothing"


def test_a_second_time_nothing_is_left_to_do(connection: sqlite3.Connection, tmp_path: Path) -> None:
    change_at_random(connection, random.Random(1), 150)
    with (tmp_path / "pages.db").open("r+b", buffering=0) as file:
        assert scrub_pages(file) > 0
        assert scrub_pages(file) == 0


def test_what_was_overwritten_does_not_come_back_with_the_next_change(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    rng = random.Random(2)
    with database.write() as writer:
        writer.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, text TEXT)")
    dead: set[str] = set()
    for _ in range(3):
        with database.write() as writer:
            dead |= {row[0].split()[0] for row in writer.execute("SELECT text FROM said WHERE id > 0")}
            writer.execute("DELETE FROM said")
            writer.execute("INSERT INTO said VALUES (0, 'kept')")
            dead |= change_some(writer, rng)
        database.scrub()
        with database.write() as writer:
            writer.execute("UPDATE said SET text = text || 'x'")
    database.scrub()
    database.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [mark for mark in dead if mark.encode() in content] == []


def change_some(writer: sqlite3.Connection, rng: random.Random) -> set[str]:
    dead = set[str]()
    for number in range(1, 200):
        mark = marks(rng)
        writer.execute(
            "INSERT INTO said VALUES (?, ?)", (number, f"{mark} {'x' * rng.choice([1, 200, 5_000])}")
        )
        if number % 3 == 0:
            gone = rng.randrange(1, number)
            dead |= {
                row[0].split()[0] for row in writer.execute("SELECT text FROM said WHERE id = ?", (gone,))
            }
            writer.execute("DELETE FROM said WHERE id = ?", (gone,))
    return dead


def test_a_file_with_much_unused_becomes_smaller(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    with database.write() as writer:
        writer.execute("CREATE TABLE said (text TEXT)")
        writer.executemany("INSERT INTO said VALUES (?)", [("x" * 9_000,)] * 300)
    database.scrub()
    before = (tmp_path / "memory.db").stat().st_size
    with database.write() as writer:
        writer.execute("DELETE FROM said")
    database.scrub()
    assert (tmp_path / "memory.db").stat().st_size < before / 2
    database.close()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"\x17" * 8192])
def test_what_is_no_plain_database_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with path.open("r+b", buffering=0) as file, pytest.raises(UnknownLayoutError):
        scrub_pages(file)
    assert path.read_bytes() == content


def test_pointer_maps_are_left_to_vacuum(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "maps.db", isolation_level=None)
    connection.execute("PRAGMA auto_vacuum=FULL")
    connection.execute("CREATE TABLE said (text TEXT)")
    connection.close()
    with (tmp_path / "maps.db").open("r+b", buffering=0) as file, pytest.raises(UnknownLayoutError):
        scrub_pages(file)


@pytest.mark.parametrize("block", [b"\x0f\xfe", b"\xff\x00", b"\x0f\x00"])
def test_free_blocks_that_lead_nowhere_are_left_to_vacuum(block: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size=4096")
    connection.execute("CREATE TABLE said (text TEXT)")
    connection.execute("INSERT INTO said VALUES (?)", ("x" * 500,))
    connection.close()
    pages = bytearray(path.read_bytes())
    # The first free block of the second page: beyond its end, and one that is its own follower.
    pages[4096 + 1 : 4096 + 3] = block
    pages[4096 + 0x0F00 : 4096 + 0x0F04] = b"\x0f\x00\x00\x00"
    path.write_bytes(pages)
    with path.open("r+b", buffering=0) as file, pytest.raises(UnknownLayoutError, match="free block"):
        scrub_pages(file)
