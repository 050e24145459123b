"""The derived indexes: they equal the truth after every kind of accident."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.index import outbox
from habitus.memory.index.shards import Shard
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder
from habitus.retrievers.errors import IndexCorruptError

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]


def shard_path(folder: Path, user_id: str) -> Path:
    return folder / "index" / f"{outbox.shard_of(user_id):02d}"


def indexed(folder: Path, user_id: str, text: str, vector: np.ndarray, k: int = 1000) -> list[int]:
    """Return the sequence numbers that a closed store's indexes hold of a user."""
    shard = Shard(shard_path(folder, user_id))
    try:
        return [int(seq) for seq in shard.nearest(vector, text, user_id, k)]
    finally:
        shard.close()


def stored(folder: Path, user_id: str) -> list[int]:
    with closing(sqlite3.connect(folder / "memory.db")) as connection:
        rows = connection.execute("SELECT seq FROM turns WHERE user_id = ? ORDER BY seq", (user_id,))
        return [seq for (seq,) in rows]


@pytest.fixture
def folder(tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble) -> Path:
    """A closed store, indexed, with 120 turns of ann; one has several passages."""
    with EmbeddedStore.open(tmp_path / "data", encoder) as store:
        texts = [babble(400), *(babble(12) for _ in range(119))]
        store.commit("ann", Changes(turns=make_turns("ann", "s", *texts)))
        store.flush()
    return tmp_path / "data"


def check(folder: Path, encoder: HashingEncoder) -> None:
    """Check that after a flush indexes and truth agree, and that the large-user search works."""
    with EmbeddedStore.open(folder, encoder, exact_limit=0) as store:
        turn = store.turns("ann")[-1]
        query = Query(text=turn.text, vector=encoder.encode([turn.text])[0], limit=300)
        found = store.search("ann", query)
        assert sorted(found.turn_ids) == sorted(turn.id for turn in store.turns("ann"))
        store.flush()
        assert store.stats().n_pending == 0
        sizes = store.stats("ann").n_turns
    assert len(indexed(folder, "ann", turn.text, query.vector)) == sizes
    assert indexed(folder, "ann", turn.text, query.vector) == stored(folder, "ann")


def test_indexes_hold_every_turn_once(folder: Path, encoder: HashingEncoder) -> None:
    check(folder, encoder)


def test_applying_the_outbox_again_changes_nothing(folder: Path, encoder: HashingEncoder) -> None:
    with closing(sqlite3.connect(folder / "memory.db")) as connection:  # as if killed before acknowledging
        connection.execute(
            "INSERT INTO outbox SELECT seq, user_id, ?, 0 FROM turns", (outbox.shard_of("ann"),)
        )
        connection.commit()
    with EmbeddedStore.open(folder, encoder) as store:
        assert store.stats().n_pending == 120
        store.flush()
    shard = Shard(shard_path(folder, "ann"))
    n_turns, n_passages = shard.sizes()
    shard.close()
    assert n_turns == 120
    assert n_passages > 120
    check(folder, encoder)


def test_a_replaced_turn_leaves_the_indexes(
    folder: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(folder, encoder) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "Quite another thing")))
    check(folder, encoder)


@pytest.mark.parametrize(
    "pattern", ["vectors-*/chroma.sqlite3", "vectors-*/*/*", "words/meta.json", "words/*.term", "words/*"]
)
@pytest.mark.parametrize("content", [b"garbage" * 20, None])
def test_damaged_files_are_noticed_and_rebuilt(
    folder: Path,
    encoder: HashingEncoder,
    caplog: pytest.LogCaptureFixture,
    pattern: str,
    content: bytes | None,
) -> None:
    paths = [path for path in shard_path(folder, "ann").glob(pattern) if path.is_file()]
    for path in paths:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
    assert paths
    with caplog.at_level(logging.WARNING):
        check(folder, encoder)


def test_a_lost_index_is_reported_once_in_the_log(
    folder: Path, encoder: HashingEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    (shard_path(folder, "ann") / "words" / "meta.json").unlink()
    check(folder, encoder)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "rebuilt" in record.getMessage()


def test_an_index_without_its_database_is_not_trusted(
    folder: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    for path in folder.glob("memory.db*"):
        path.unlink()
    with EmbeddedStore.open(folder, encoder) as store:
        assert store.users() == []
        assert not (folder / "index").exists()
        store.commit("ann", Changes(turns=make_turns("ann", "s", "A new life")))
    check(folder, encoder)


def block(path: Path) -> None:
    """Put a file where a folder is needed, so that the shard can be neither opened nor made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("in the way")


def test_a_failure_to_index_is_raised_and_loses_nothing(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(tmp_path, encoder) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
        block(shard_path(tmp_path, "ann"))
        with pytest.raises(OSError):
            store.flush()
        assert store.stats().n_pending == 1
        assert len(store.search("ann", Query(text="figs", vector=encoder.encode(["figs"])[0]))) == 1
        shard_path(tmp_path, "ann").unlink()
        store.flush()
        assert store.stats().n_pending == 0


def test_a_failure_in_the_background_is_logged_and_raised_at_the_end(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, caplog: pytest.LogCaptureFixture
) -> None:
    store = EmbeddedStore.open(tmp_path, encoder, exact_limit=0, index_after=1)
    block(shard_path(tmp_path, "ann"))
    store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
    wait_until(lambda: "indexing failed" in caplog.text)
    with pytest.raises(OSError):
        store.close()
    store.close()
    EmbeddedStore.open(tmp_path, encoder).close()  # the folder was released all the same


def test_indexes_catch_up_in_the_background(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(tmp_path, encoder, index_after=1000) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", *(f"fig {n}" for n in range(300)))))
        assert store.stats().n_pending == 300
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, index_after=100) as store:
        wait_until(lambda: store.stats().n_pending == 0)


def test_only_large_users_are_indexed_unasked(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=100, index_after=1) as store:
        store.commit("bob", Changes(turns=make_turns("bob", "s", *(f"fig {n}" for n in range(20)))))
        store.commit("ann", Changes(turns=make_turns("ann", "s", *(f"fig {n}" for n in range(60)))))
        wait_until(lambda: store.stats("ann").n_pending == 0)
        assert store.stats("bob").n_pending == 20
        store.flush()
        assert store.stats().n_pending == 0


def test_a_lost_index_is_noticed_while_turns_of_small_users_wait(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, caplog: pytest.LogCaptureFixture
) -> None:
    # Two users of one shard, of whom one is large.
    names = (f"user{number}" for number in range(1000))
    large, small = islice((name for name in names if outbox.shard_of(name) == 3), 2)
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=10, index_after=1) as store:
        store.commit(large, Changes(turns=make_turns(large, "s", *(f"fig {n}" for n in range(60)))))
        store.commit(small, Changes(turns=make_turns(small, "s", "A fig")))
        wait_until(lambda: store.stats(large).n_pending == 0)
    shutil.rmtree(tmp_path / "index")
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=10) as store:
        query = Query(text="fig", vector=encoder.encode(["fig"])[0])
        assert len(store.search(large, query)) == 60
    assert "rebuilt" in caplog.text


def test_large_users_read_their_own_writes_while_shards_come_and_go(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=0, index_after=1) as store:

        def found(user: str, word: str) -> list[str]:
            hits = store.search(user, Query(text=word, vector=encoder.encode([word])[0], limit=500))
            assert len(set(hits.turn_ids)) == len(hits)
            return hits.turn_ids

        def live(number: int) -> None:
            user = f"user{number % 2}"
            for step in range(10):
                session = f"s{number}.{step}"
                store.commit(user, Changes(turns=make_turns(user, session, f"word{number}x{step}", "ok")))
                for past in range(step + 1):
                    assert (f"s{number}.{past}.0" in found(user, f"word{number}x{past}")) == (
                        past % 4 != 3 or past == step
                    )
                if step % 4 == 3:
                    store.forget(user, turn_ids=[f"{session}.0"])
                if step == 5 and number == 0:
                    store.reindex()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(live, range(4)))
        store.flush()
        for user in ("user0", "user1"):
            assert sorted(found(user, "ok")) == sorted(turn.id for turn in store.turns(user))


def vector_processes() -> list[int]:
    """Return the processes that this one has begun for vectors: children of one of its children."""
    nurseries = [
        pid for pid in children(os.getpid()) if b"chroma_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    # Those that ended and are not waited for yet have no command line.
    begun = [child for pid in nurseries for child in children(pid)]
    return [pid for pid in begun if Path(f"/proc/{pid}/cmdline").read_bytes()]


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return found


def test_a_process_of_vectors_that_is_killed_costs_nothing(
    folder: Path, encoder: HashingEncoder, make_turns: MakeTurns, caplog: pytest.LogCaptureFixture
) -> None:
    query = Query(text="word1", vector=encoder.encode(["word1"])[0], limit=300)
    with EmbeddedStore.open(folder, encoder, exact_limit=0, index_after=10**9) as store:
        store.search("ann", query)
        for number, told in enumerate(("opened again", "rebuilt", "rebuilt")):
            (pid,) = vector_processes()
            os.kill(pid, signal.SIGKILL)
            if number == 1:  # while it indexes, and else while it is searched
                store.commit("ann", Changes(turns=make_turns("ann", "s", "figs", first=120)))
                store.flush()
            found = store.search("ann", query).turn_ids
            assert sorted(found) == sorted(turn.id for turn in store.turns("ann"))
            store.flush()
            assert told in caplog.messages[number]
        assert len(caplog.messages) == 3
    check(folder, encoder)


def test_only_shards_that_are_searched_keep_a_process(
    tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=20, index_after=10**9) as store:
        for number in range(6):
            user = f"user{number}"
            turns = make_turns(user, "s", *(f"fig {n}" for n in range(40 if number == 0 else 5)))
            store.commit(user, Changes(turns=turns))
        store.flush()
        assert len(vector_processes()) == 1
    assert vector_processes() == []


def test_a_shard_that_fails_after_it_was_rebuilt_is_an_error(folder: Path, encoder: HashingEncoder) -> None:
    with closing(sqlite3.connect(folder / "memory.db")) as connection:
        connection.execute("UPDATE users SET n_turns = n_turns + 1")  # now no index can ever agree
        connection.commit()
    with EmbeddedStore.open(folder, encoder, exact_limit=0) as store:
        with pytest.raises(IndexCorruptError, match="there should be"):
            store.search("ann", Query(text="x", vector=encoder.encode(["x"])[0]))
            store.flush()


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
