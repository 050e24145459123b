"""What an encrypted folder shows to whoever has no key, and how keys are given."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.errors import EncryptionError, InvalidInputError, StoreCorruptError
from habitus.memory.index.terms import hash_term
from habitus.memory.opening import open_store
from habitus.memory.records import Changes, Turn
from habitus.memory.storage import sqlite
from habitus.memory.storage.backup import back_up, check_backup, restore
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.store import Query
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]
SECRET = "xylophonequartz"
SENTENCE = f"My password is {SECRET} and nobody knows."
OTHER = EncryptionKey("cd" * 32)


def needles(encoder: HashingEncoder) -> tuple[bytes, ...]:
    """The word, its stem, the hash of its stem, the vector of the sentence, and the user."""
    (stem,) = analyze(SECRET)
    vector = encoder.encode([SENTENCE])[0].tobytes()
    return SECRET.encode(), stem.encode(), hash_term(stem).to_bytes(8, "little"), vector, b"annabella"


def held(folder: Path) -> dict[str, bytes]:
    """What is in every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(folder: Path, encoder: HashingEncoder) -> int:
    return sum(needle in content for content in held(folder).values() for needle in needles(encoder))


def fill(store: EmbeddedStore, make_turns: MakeTurns, babble: Babble) -> None:
    turns = make_turns("annabella", "s", SENTENCE, *(babble(30) for _ in range(60)))
    store.commit("annabella", Changes(turns=turns))


def killed(folder: Path, key: str | None) -> None:
    """Write a turn in a process that is killed right after, with all of it in the log."""
    script = (
        "import os, signal, sys; from datetime import UTC, datetime\n"
        "from habitus.memory.storage.embedded import EmbeddedStore\n"
        "from habitus.memory.records import Changes, Turn\n"
        "from habitus.retrievers.encoder import HashingEncoder\n"
        "store = EmbeddedStore.open(sys.argv[1], HashingEncoder(64), key=os.environ.get('KEY'))\n"
        "turn = Turn(id='t', user_id='ann', session_id='s', index=0, role='user', text='I like figs.',"
        " at=datetime.now(UTC))\n"
        "store.commit('ann', Changes(turns=(turn,)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), **({"KEY": key} if key else {})}
    done = subprocess.run([sys.executable, "-c", script, str(folder)], env=environment, check=False)
    assert done.returncode == -9


class TestWhatIsStored:
    def test_is_in_no_file_as_long_as_it_is_open_and_after(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        with EmbeddedStore.open(tmp_path / "plain", encoder) as store:
            fill(store, make_turns, babble)
            assert found(tmp_path / "plain", encoder) >= len(needles(encoder)), "the test would prove nothing"
        data, backup = tmp_path / "data", tmp_path / "backup"
        with EmbeddedStore.open(data, encoder, key=key, exact_limit=10, index_after=1) as store:
            fill(store, make_turns, babble)
            store.flush()
            store.reindex()
            assert found(data, encoder) == 0
            back_up(data, backup, key=key)
            assert found(backup, encoder) == 0
            assert any(name.endswith("-wal") for name in held(data))
        assert set(held(data)) == {"memory.db", "owner.lock"}
        assert found(data, encoder) == 0

    def test_is_ranked_as_in_a_plain_folder(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        turns = make_turns("ann", "s", *(babble(20) for _ in range(150)))
        answers = []
        # The last one holds nobody in memory between searches, and would index whom it may.
        for name, one, limit in (("plain", None, 10**9), ("encrypted", key, 10**9), ("small", key, 1)):
            opened = EmbeddedStore.open(
                tmp_path / name, encoder, key=one, exact_limit=limit, resident_bytes=limit
            )
            with opened as store:
                store.commit("ann", Changes(turns=turns))
                texts = ("word1 word2", "word7 word30 word100", turns[17].text)
                vectors = encoder.encode(texts)
                answers.append(
                    [
                        store.search("ann", Query(text=text, vector=one, limit=20))
                        for text, one in zip(texts, vectors, strict=True)
                    ]
                )
        for plain, *encrypted in zip(*answers, strict=True):
            for found in encrypted:
                assert plain.turn_ids == found.turn_ids
                for arm, scores in plain.arms.items():
                    np.testing.assert_array_equal(found.arms[arm], scores)

    def test_is_not_left_by_the_indexes_of_an_earlier_store(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        with EmbeddedStore.open(tmp_path / "old", encoder) as store:
            fill(store, make_turns, babble)
            store.flush()
        data = tmp_path / "data"
        data.mkdir()
        (tmp_path / "old" / "index").rename(data / "index")
        assert found(data, encoder) > 0
        EmbeddedStore.open(data, encoder, key=key).close()
        assert not (data / "index").exists()

    def test_goes_for_good_when_it_is_deleted_also_for_the_owner_of_the_key(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        with EmbeddedStore.open(tmp_path, encoder, key=key) as store:
            fill(store, make_turns, babble)
            store.commit("bob", Changes(turns=make_turns("bob", "s", *(babble(30) for _ in range(200)))))
            full = (tmp_path / "memory.db").stat().st_size + (tmp_path / "memory.db-wal").stat().st_size
            store.delete_user("annabella")
            assert store.stats().n_turns == 200
            assert store.verify().problems == ()
            # Written anew: what rows left behind in other pages is not in it either.
            assert store._database._writer.execute("PRAGMA freelist_count").fetchone() == (0,)
            assert (tmp_path / "memory.db").stat().st_size < full

    def test_writing_it_anew_leaves_nothing_in_temporary_files(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if not Path("/proc/self/fd").exists():
            pytest.skip("temporary files without names are seen through /proc only")
        monkeypatch.setattr(sqlite, "_VACUUM_IN_MEMORY_PAGES", 0)
        contents: list[bytes] = []

        def look() -> int:
            for opened in Path("/proc/self/fd").iterdir():
                if opened.is_symlink() and "etilqs" in str(opened.readlink()):
                    contents.append(opened.read_bytes())
            return 0

        with EmbeddedStore.open(tmp_path, encoder, key=key) as store:
            for number in range(15):
                fill_more = make_turns("bob", f"s{number}", *(f"{SENTENCE} {babble(200)}" for _ in range(20)))
                store.commit("bob", Changes(turns=fill_more))
            # What does not fit there goes into the file.
            store._database._writer.execute("PRAGMA cache_size=10")
            store._database._writer.set_progress_handler(look, 2_000)
            store.forget("bob", turn_ids=["s0.0"])
        assert any(len(one) > 100_000 for one in contents), "no temporary file was seen"
        assert not any(needle in one for one in contents for needle in needles(encoder)[:4])


class TestOpening:
    def test_says_what_is_wrong_and_touches_nothing(
        self, tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey
    ) -> None:
        sealed, plain = tmp_path / "sealed", tmp_path / "plain"
        killed(sealed, "ab" * 32)
        killed(plain, None)
        # The process that was killed owned them; what counts are the database and its log.
        before = [
            {name: one for name, one in held(place).items() if "db" in name} for place in (sealed, plain)
        ]
        assert all("memory.db-wal" in names for names in before)
        for place, given, said in (
            (sealed, None, "is encrypted: give its key"),
            (sealed, OTHER, "the key does not open"),
            (plain, key, "is not encrypted.*memory encrypt"),
        ):
            with pytest.raises(EncryptionError, match=said) as caught:
                EmbeddedStore.open(place, encoder, key=given)
            assert "cd" * 32 not in str(caught.value) and "ab" * 32 not in str(caught.value)
        for place, names in zip((sealed, plain), before, strict=True):
            now = held(place)
            # The log's index holds numbers of pages only, and is made anew by whoever looks.
            assert {name: now[name] for name in names if "shm" not in name} == {
                name: one for name, one in names.items() if "shm" not in name
            }
        for place, given in ((sealed, key), (plain, None)):
            with EmbeddedStore.open(place, encoder, key=given) as store:
                assert [turn.text for turn in store.turns("ann")] == ["I like figs."]

    def test_a_damaged_page_is_told_as_such(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        with EmbeddedStore.open(tmp_path, encoder, key=key) as store:
            fill(store, make_turns, babble)
        file = tmp_path / "memory.db"
        content = bytearray(file.read_bytes())
        for page in range(1, len(content) // 4_096):
            content[page * 4_096 + 99] ^= 1
        file.write_bytes(content)
        with pytest.raises(StoreCorruptError, match="restore a backup"):
            EmbeddedStore.open(tmp_path, encoder, key=key)
        assert file.read_bytes() == content

    def test_a_second_owner_is_refused(
        self, tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey
    ) -> None:
        from habitus.memory.errors import FolderInUseError

        with EmbeddedStore.open(tmp_path, encoder, key=key):
            with pytest.raises(FolderInUseError):
                EmbeddedStore.open(tmp_path, encoder, key=key)

    def test_what_would_keep_content_in_the_open_is_refused(
        self, tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey
    ) -> None:
        with pytest.raises(InvalidInputError, match="chroma_url"):
            open_store(tmp_path, encoder, key=key, chroma_url="http://127.0.0.1:1")
        with pytest.raises(InvalidInputError, match="PostgreSQL"):
            open_store("postgresql://nobody@nowhere/none", encoder, key=key)
        assert not list(tmp_path.iterdir())

    def test_without_sqlcipher_the_extra_is_named(
        self, tmp_path: Path, encoder: HashingEncoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "sqlcipher3", None)
        with pytest.raises(EncryptionError, match=r"habitus\[encryption\]"):
            EmbeddedStore.open(tmp_path / "new", encoder, key="ef" * 32)
        EmbeddedStore.open(tmp_path / "plain", encoder).close()

    def test_plain_folders_do_not_load_it(self) -> None:
        code = "import sys; import habitus.memory.storage.embedded; print('sqlcipher3' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "False\n"


class TestBackups:
    def test_have_the_key_of_the_folder(
        self,
        tmp_path: Path,
        encoder: HashingEncoder,
        key: EncryptionKey,
        make_turns: MakeTurns,
        babble: Babble,
    ) -> None:
        data, backup = tmp_path / "data", tmp_path / "backup"
        with EmbeddedStore.open(data, encoder, key=key) as store:
            fill(store, make_turns, babble)
            stop = threading.Event()

            def write() -> None:
                number = 0
                while not stop.is_set():
                    number += 1
                    store.commit("bob", Changes(turns=make_turns("bob", f"b{number}", babble(30))))

            writer = threading.Thread(target=write)
            writer.start()
            try:
                assert back_up(data, backup, key=key).n_users >= 1
            finally:
                stop.set()
                writer.join()
            for given, said in ((None, "is encrypted"), (OTHER, "does not open")):
                with pytest.raises(EncryptionError, match=said):
                    back_up(data, tmp_path / "none", key=given)
            assert store.verify().problems == ()
        for given, said in ((None, "is encrypted"), (OTHER, "does not open")):
            with pytest.raises(EncryptionError, match=said):
                check_backup(backup, key=given)
            with pytest.raises(EncryptionError, match=said):
                restore(backup, tmp_path / "restored", key=given)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]
        check_backup(backup, key=key)
        restore(backup, tmp_path / "restored", key=key)
        with EmbeddedStore.open(tmp_path / "restored", encoder, key=key) as store:
            assert store.turns("annabella")[0].text == SENTENCE
            assert store.verify().problems == ()


class TestKeys:
    @pytest.mark.parametrize(
        "digits", ["", "secret", "ab" * 31, "ab" * 33, "xy" * 32, "x'" + "ab" * 32 + "'"]
    )
    def test_anything_else_is_refused_and_not_repeated(self, digits: str, tmp_path: Path) -> None:
        with pytest.raises(EncryptionError, match="64 hexadecimal digits") as caught:
            EncryptionKey(digits)
        assert not digits or digits not in str(caught.value)
        (tmp_path / "key").write_text(digits)
        with pytest.raises(EncryptionError, match="key file.*64 hexadecimal") as caught:
            EncryptionKey.read(tmp_path / "key")
        assert not digits or digits not in str(caught.value)

    def test_are_never_shown(self) -> None:
        assert "cd" * 4 not in f"{OTHER} {OTHER!r} {[OTHER]} {vars(EncryptionKey)}"
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(OTHER)

    def test_a_made_one_is_new_and_for_its_owner_alone(self, tmp_path: Path) -> None:
        made = EncryptionKey.make(tmp_path / "key")
        assert EncryptionKey.read(tmp_path / "key") == made != EncryptionKey.make(tmp_path / "other")
        assert (tmp_path / "key").stat().st_mode & 0o077 == 0
        with pytest.raises(EncryptionError, match="nothing is overwritten"):
            EncryptionKey.make(tmp_path / "key")
        assert EncryptionKey.read(tmp_path / "key") == made

    def test_a_missing_file_or_one_of_another_kind_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(EncryptionError, match="cannot be read"):
            EncryptionKey.read(tmp_path / "none")
        (tmp_path / "picture").write_bytes(bytes(range(256)) * 100)
        with pytest.raises(EncryptionError, match="key file"):
            EncryptionKey.read(tmp_path / "picture")
