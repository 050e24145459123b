"""What is particular to the store in a folder: opening, owning, errors, and users of any size."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.errors import (
    FolderInUseError,
    InvalidInputError,
    StoreCorruptError,
    StoreFullError,
)
from habitus.memory.records import Access, Changes, RewardWeights, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Candidates, Query
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


class TestOpening:
    def test_all_is_there_after_reopening(
        self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I like figs", "ok")
        with EmbeddedStore.open(tmp_path / "deep" / "data", encoder) as store:
            store.commit("ann", Changes(turns=turns))
            exported = store.export("ann")
        with EmbeddedStore.open(tmp_path / "deep" / "data", encoder) as store:
            assert store.export("ann") == exported
            assert len(store.search("ann", Query(text="figs", vector=encoder.encode(["figs"])[0]))) == 2

    def test_a_second_store_is_refused_and_told_who_owns_the_folder(
        self, tmp_path: Path, encoder: HashingEncoder
    ) -> None:
        with EmbeddedStore.open(tmp_path, encoder):
            with pytest.raises(FolderInUseError, match="this process"):
                EmbeddedStore.open(tmp_path, encoder)
            code = (
                "import sys; from habitus.memory.storage.embedded import EmbeddedStore;"
                "from habitus.retrievers.encoder import HashingEncoder;"
                "EmbeddedStore.open(sys.argv[1], HashingEncoder(64))"
            )
            other = run_python(code, tmp_path)
            assert "FolderInUseError" in other.stderr
            assert f"process {os.getpid()}" in other.stderr
            assert "another folder" in other.stderr
        EmbeddedStore.open(tmp_path, encoder).close()

    def test_a_killed_owner_does_not_block(self, tmp_path: Path, encoder: HashingEncoder) -> None:
        code = (
            "import sys, os, signal; from habitus.memory.storage.embedded import EmbeddedStore;"
            "from habitus.retrievers.encoder import HashingEncoder;"
            "store = EmbeddedStore.open(sys.argv[1], HashingEncoder(64));"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        assert run_python(code, tmp_path).returncode == -signal.SIGKILL
        EmbeddedStore.open(tmp_path, encoder).close()

    def test_the_path_of_a_file_is_refused(self, tmp_path: Path, encoder: HashingEncoder) -> None:
        (tmp_path / "file").write_text("mine")
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(InvalidInputError, match="must be a folder"):
                EmbeddedStore.open(path, encoder)
        assert (tmp_path / "file").read_text() == "mine"

    def test_a_file_that_is_no_database_is_reported_and_left_alone(
        self, tmp_path: Path, encoder: HashingEncoder
    ) -> None:
        (tmp_path / "memory.db").write_bytes(b"a diary, not a database\n" * 400)
        before = (tmp_path / "memory.db").read_bytes()
        for _ in range(2):  # the failed opening must not keep the folder
            with pytest.raises(StoreCorruptError, match="backup"):
                EmbeddedStore.open(tmp_path, encoder)
        assert (tmp_path / "memory.db").read_bytes() == before

    def test_a_damaged_database_is_reported(
        self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble
    ) -> None:
        with EmbeddedStore.open(tmp_path, encoder) as store:
            store.commit("ann", Changes(turns=make_turns("ann", "s", *(babble(50) for _ in range(200)))))
        database = tmp_path / "memory.db"
        content = bytearray(database.read_bytes())
        content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
        database.write_bytes(content)
        with pytest.raises(StoreCorruptError, match="backup"):
            with EmbeddedStore.open(tmp_path, encoder) as store:
                store.export("ann")

    def test_a_database_of_the_first_version_is_brought_up_to_date(
        self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I love figs.", "Noted.")
        with EmbeddedStore.open(tmp_path, encoder) as store:
            store.commit("ann", Changes(turns=turns))
        with sqlite3.connect(tmp_path / "memory.db") as connection:
            connection.executescript(
                "DROP TABLE accesses; DROP TABLE questions; DROP TABLE weights; DROP TABLE unread;"
                "ALTER TABLE users DROP COLUMN version;"
                "ALTER TABLE preferences DROP COLUMN vectors;"
                "PRAGMA user_version = 1;"
            )
        connection.close()
        access = Access(user_id="ann", turn_id=turns[0].id, at=turns[0].at, n=1)
        weights = RewardWeights(user_id="ann", made_at=turns[0].at, values={"length": 1.0}, n_comparisons=1)
        with EmbeddedStore.open(tmp_path, encoder) as store:
            assert store.turns("ann") == list(turns)
            store.commit("ann", Changes(accesses=(access,), weights=weights))
            assert store.accesses("ann") == [access]
            assert store.weights("ann") == weights
            assert store.unread("ann") == []

    def test_a_database_of_a_newer_version_is_refused(self, tmp_path: Path, encoder: HashingEncoder) -> None:
        EmbeddedStore.open(tmp_path, encoder).close()
        connection = sqlite3.connect(tmp_path / "memory.db")
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(StoreCorruptError, match="version 99"):
            EmbeddedStore.open(tmp_path, encoder)


class TestNoSpaceOrRight:
    def test_a_full_disk_stores_nothing_of_the_change_and_keeps_the_rest(
        self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble
    ) -> None:
        with EmbeddedStore.open(tmp_path, encoder, max_pages=200) as store:
            store.commit("ann", Changes(turns=make_turns("ann", "small", "I like figs")))
            large = make_turns("ann", "large", *(babble(400) for _ in range(300)), day=1)
            with pytest.raises(StoreFullError, match="free some space"):
                store.commit("ann", Changes(turns=large))
            assert [turn.text for turn in store.turns("ann")] == ["I like figs"]
            assert [session.id for session in store.sessions("ann")] == ["small"]
            store.commit("ann", Changes(turns=make_turns("ann", "next", "still works", day=2)))
            assert len(store.search("ann", Query(text="figs", vector=encoder.encode(["figs"])[0]))) == 2

    def test_a_file_that_cannot_grow_is_an_error_of_the_disk(self, tmp_path: Path) -> None:
        code = """
import resource, sys
from datetime import UTC, datetime
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.errors import StoreFullError
from habitus.memory.records import Changes, Turn
from habitus.retrievers.encoder import HashingEncoder
store = EmbeddedStore.open(sys.argv[1], HashingEncoder(64))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
done = 0
try:
    while True:
        turn = Turn(id=str(done), user_id="ann", session_id="s", index=done, role="user",
                    text="word " * 100, at=datetime.now(UTC))
        store.commit("ann", Changes(turns=(turn,)))
        done += 1
except StoreFullError:
    print(done, len(store.turns("ann")))
"""
        result = run_python(code, tmp_path)
        done, stored = map(int, result.stdout.split())
        assert done == stored > 5
        with EmbeddedStore.open(tmp_path, HashingEncoder(64)) as store:
            assert len(store.turns("ann")) == done

    def test_a_read_only_folder_is_reported(self, tmp_path: Path, encoder: HashingEncoder) -> None:
        code = """
import os, sys
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.errors import StoreFullError
from habitus.retrievers.encoder import HashingEncoder
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    EmbeddedStore.open(sys.argv[1], HashingEncoder(64))
except StoreFullError as error:
    print(error)
"""
        folder = tmp_path / "data"
        EmbeddedStore.open(folder, encoder).close()
        for path in (tmp_path, folder):
            path.chmod(0o755)
        for path in folder.rglob("*"):
            path.chmod(0o444)
        # pytest keeps its folders private, which would hide the one under test from another user.
        for path in tmp_path.parents:
            if "pytest" in path.name:
                path.chmod(0o755)
        folder.chmod(0o555)
        assert "rights" in run_python(code, folder).stdout


class TestLaziness:
    def test_a_short_program_never_loads_the_index_libraries(self, tmp_path: Path) -> None:
        code = """
import sys
from datetime import UTC, datetime
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.records import Changes, Turn
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder
encoder = HashingEncoder(64)
with EmbeddedStore.open(sys.argv[1], encoder) as store:
    turn = Turn(user_id="ann", session_id="s", index=0, role="user", text="figs", at=datetime.now(UTC))
    store.commit("ann", Changes(turns=(turn,)))
    assert len(store.search("ann", Query(text="figs", vector=encoder.encode(["figs"])[0]))) == 1
    store.forget("ann", turn_ids=[turn.id])
print(sorted({"chromadb", "tantivy", "torch"} & set(sys.modules)))
"""
        assert run_python(code, tmp_path).stdout.strip() == "[]"


def _top(found: Candidates, k: int) -> set[str]:
    """The best by the sum of cosine and BM25, each standardised over what matches at all."""
    total = np.zeros(len(found))
    for arm in ("cosine", "bm25"):
        total += found.arms[arm] / max(float(found.arms[arm].max()), 1e-9)
    return {found.turn_ids[row] for row in np.argsort(-total, kind="stable")[:k]}


class TestLargeUsers:
    @pytest.fixture
    def folder(self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble) -> Path:
        with EmbeddedStore.open(tmp_path / "data", encoder) as store:
            turns = [
                turn
                for number in range(300)
                for turn in make_turns("ann", f"s{number}", *(babble(20) for _ in range(10)), day=number)
            ]
            store.commit("ann", Changes(turns=tuple(turns)))
            store.commit("bob", Changes(turns=make_turns("bob", "b", *(babble(20) for _ in range(30)))))
            store.flush()
        return tmp_path / "data"

    def test_candidates_are_those_of_the_exact_search(
        self, folder: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble
    ) -> None:
        queries = [
            Query(text=text, vector=encoder.encode([text])[0]) for text in (babble(6) for _ in range(20))
        ]
        with EmbeddedStore.open(folder, encoder) as store:
            exact = [store.search("ann", query) for query in queries]
        with EmbeddedStore.open(folder, encoder, exact_limit=100) as store:
            wide = [store.search("ann", query) for query in queries]
            bob = store.search("bob", queries[0])
            assert bob.complete
            assert set(bob.session_ids) == {"b"}

            # What is not in the indexes yet is found all the same, and with the same scores.
            store.commit("ann", Changes(turns=make_turns("ann", "new", "zebra crossing", day=400)))
            zebra = store.search("ann", Query(text="zebra", vector=encoder.encode(["zebra"])[0]))
            assert zebra.turn_ids[int(np.argmax(zebra.arms["bm25"]))] == "new.0"
        overlaps = []
        for all_of_them, some in zip(exact, wide, strict=True):
            assert not some.complete
            assert len(set(some.turn_ids)) == len(some) >= 200
            overlaps.append(len(_top(all_of_them, 10) & _top(some, 10)) / 10)
            rows = {turn_id: row for row, turn_id in enumerate(all_of_them.turn_ids)}
            places = [rows[turn_id] for turn_id in some.turn_ids]
            for arm in ("cosine", "bm25", "session_cosine"):
                np.testing.assert_allclose(
                    some.arms[arm], all_of_them.arms[arm][places], rtol=1e-3, atol=1e-5
                )
            correlation = np.corrcoef(some.arms["session_bm25"], all_of_them.arms["session_bm25"][places])
            assert correlation[0, 1] > 0.98
        assert np.mean(overlaps) >= 0.9

    def test_a_user_of_few_long_messages_is_large_too(
        self, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
    ) -> None:
        query = Query(text="figs", vector=encoder.encode(["figs"])[0])
        with EmbeddedStore.open(tmp_path, encoder, exact_limit=2) as store:
            store.commit("bob", Changes(turns=make_turns("bob", "s", "I like figs.", "Noted.")))
            assert store.search("bob", query).complete
            store.commit("ann", Changes(turns=make_turns("ann", "s", "I really like figs. " * 6)))
            found = store.search("ann", query)
        assert (found.turn_ids, found.complete) == (["s.0"], False)

    def test_a_forgotten_turn_is_never_a_candidate(self, folder: Path, encoder: HashingEncoder) -> None:
        with EmbeddedStore.open(folder, encoder, exact_limit=100) as store:
            turn = store.turns("ann")[17]
            query = Query(text=turn.text, vector=encoder.encode([turn.text])[0])
            found = store.search("ann", query)
            assert found.turn_ids[int(np.argmax(found.arms["bm25"]))] == turn.id
            store.forget("ann", turn_ids=[turn.id])
            assert turn.id not in store.search("ann", query).turn_ids
            store.flush()
            assert turn.id not in store.search("ann", query).turn_ids

    def test_indexes_that_are_lost_are_made_again(self, folder: Path, encoder: HashingEncoder) -> None:
        shutil.rmtree(folder / "index")
        with EmbeddedStore.open(folder, encoder, exact_limit=100) as store:
            turn = store.turns("ann")[17]
            found = store.search("ann", Query(text=turn.text, vector=encoder.encode([turn.text])[0]))
            assert found.turn_ids[int(np.argmax(found.arms["cosine"]))] == turn.id
            store.flush()
            assert store.stats().n_pending == 0
