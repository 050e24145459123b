"""After a deletion nothing of it is in any file: checked on the raw bytes of the whole folder."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.index import outbox
from habitus.memory.index.terms import hash_term
from habitus.memory.records import (
    Changes,
    Correction,
    Evidence,
    Feedback,
    Persona,
    PersonaLine,
    Preference,
    Profile,
    ProfileSection,
    Turn,
)
from habitus.memory.storage import writing
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Query
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]
SECRET = "xylophonequartz"
SENTENCE = f"My password is {SECRET} and nobody knows."


def traces(folder: Path, *needles: bytes) -> list[str]:
    """Return which needles are in which files."""
    return [
        f"{needle[:20]!r} in {path.relative_to(folder)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for content in [path.read_bytes()]
        for needle in needles
        if needle in content
    ]


def needles(encoder: HashingEncoder) -> tuple[bytes, ...]:
    """The word, its stem, the hash of its stem, and the vector of the sentence."""
    (stem,) = analyze(SECRET)
    vector = encoder.encode([SENTENCE])[0]
    return SECRET.encode(), stem.encode(), hash_term(stem).to_bytes(8, "little"), vector.tobytes()


def records_on(turns: tuple[Turn, ...]) -> Changes:
    user, at, turn_id = turns[0].user_id, turns[0].at, turns[0].id
    return Changes(
        turns=turns,
        preferences=(
            Preference(
                id="p",
                user_id=user,
                statement=f"The user likes {SECRET}.",
                topic="general",
                target=SECRET,
                stance="like",
                valid_from=at,
                learnt_at=at,
                evidence=(Evidence(turn_id=turn_id, quote=SECRET),),
            ),
        ),
        corrections=(
            Correction(user_id=user, situation=SECRET, wrong="", right=SECRET, turn_id=turn_id, made_at=at),
        ),
        feedback=(Feedback(user_id=user, turn_id=turn_id, at=at, comment=SECRET),),
        profile=Profile(
            user_id=user,
            version=1,
            made_at=at,
            sections=(ProfileSection(title="t", text=SECRET, record_ids=("p",)),),
        ),
        persona=Persona(
            user_id=user,
            version=1,
            made_at=at,
            reason=f"learnt {SECRET}",
            lines=(PersonaLine(text=SECRET, preference_id="p"),),
        ),
    )


@pytest.fixture
def store(tmp_path: Path, encoder: HashingEncoder) -> EmbeddedStore:
    # Nothing in the background, so that no file comes and goes while the folder is read.
    return EmbeddedStore.open(tmp_path / "data", encoder, index_after=10**9)


def litter() -> None:
    """Leave the secret all over the freed memory of this process, whichever thread gets it next."""
    together = threading.Barrier(24)

    def drop(_: int) -> None:
        together.wait()
        for size in (600, 4_000, 16_000, 40_000, 60_000, 100_000, 120_000):
            held = [bytearray(SECRET.encode() * (size // len(SECRET))) for _ in range(20)]
            held.clear()
        together.wait()

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(drop, range(24)))


def fill(store: EmbeddedStore, make_turns: MakeTurns, babble: Babble) -> None:
    """Plant the secret among turns of a neighbour in the same shard and of another."""
    neighbour = next(name for name in map(str, range(999)) if outbox.shard_of(name) == outbox.shard_of("ann"))
    for user in (neighbour, "else"):
        turns = make_turns(user, "s", *(babble(30) for _ in range(60)))
        store.commit(user, Changes(turns=turns))
    store.commit("ann", records_on(make_turns("ann", "s", SENTENCE, *(babble(30) for _ in range(40)))))


class TestNothingStays:
    @pytest.mark.parametrize("indexed", [False, True])
    @pytest.mark.parametrize("whole_user", [False, True])
    def test_in_any_file(
        self,
        store: EmbeddedStore,
        make_turns: MakeTurns,
        babble: Babble,
        encoder: HashingEncoder,
        tmp_path: Path,
        indexed: bool,
        whole_user: bool,
    ) -> None:
        with store:
            fill(store, make_turns, babble)
            if indexed:
                store.flush()
            assert traces(tmp_path, *needles(encoder)), "the test would prove nothing"
            if whole_user:
                store.delete_user("ann")
            else:
                forgotten = store.forget("ann", turn_ids=["s.0"])
                assert forgotten.preference_ids == ("p",)
                assert len(store.turns("ann")) == 40
            assert traces(tmp_path, *needles(encoder)) == []
            store.flush()
            assert traces(tmp_path, *needles(encoder)) == []
            assert store.stats().n_turns == (120 if whole_user else 160)
        assert traces(tmp_path, *needles(encoder)) == []

    @pytest.mark.slow
    def test_when_indexes_are_built_and_searched_again_and_again(
        self, make_turns: MakeTurns, babble: Babble, encoder: HashingEncoder, tmp_path: Path
    ) -> None:
        # hnswlib writes memory that it never filled: in the agent's process that was what had been deleted.
        (secret,) = encoder.encode([SENTENCE])
        with EmbeddedStore.open(tmp_path / "data", encoder, exact_limit=0, index_after=10**9) as store:
            for round in range(12):
                fill(store, make_turns, babble)
                store.flush()
                found = store.search("ann", Query(text=SENTENCE, vector=secret))
                assert found.turn_ids[0] == "s.0"
                assert traces(tmp_path, *needles(encoder)), "the test would prove nothing"
                store.delete_user("ann")
                litter()
                if round % 3 == 2:
                    store.reindex()
                store.flush()
                assert store.search("else", Query(text="word1", vector=secret)).turn_ids
                assert traces(tmp_path, *needles(encoder)) == []
        assert traces(tmp_path, *needles(encoder)) == []

    def test_of_a_turn_that_was_replaced_before(
        self,
        store: EmbeddedStore,
        make_turns: MakeTurns,
        babble: Babble,
        encoder: HashingEncoder,
        tmp_path: Path,
    ) -> None:
        with store:
            fill(store, make_turns, babble)
            store.flush()
            store.commit("ann", Changes(turns=make_turns("ann", "s", "Something else.")))
            store.flush()
            store.forget("ann", turn_ids=["s.0"], preference_ids=["p"])
            assert traces(tmp_path, *needles(encoder)) == []

    def test_after_a_crash_between_the_deletion_and_the_cleaning(
        self,
        store: EmbeddedStore,
        make_turns: MakeTurns,
        babble: Babble,
        encoder: HashingEncoder,
        tmp_path: Path,
    ) -> None:
        with store:
            fill(store, make_turns, babble)
            store.flush()
        database = Database(tmp_path / "data" / "memory.db")
        with database.write() as connection:
            writing.delete_user(connection, "ann")
            outbox.begin_scrub(connection, [outbox.shard_of("ann")])
        database.close()
        assert traces(tmp_path, *needles(encoder))
        with EmbeddedStore.open(tmp_path / "data", encoder, index_after=10**9) as store:
            assert traces(tmp_path, *needles(encoder)) == []
            store.flush()
            assert store.stats().n_pending == 0

    def test_after_many_random_changes(
        self, store: EmbeddedStore, make_turns: MakeTurns, tmp_path: Path
    ) -> None:
        # SQLite's secure_delete alone fails this: it leaves copies of rows that once moved between pages.
        rng = random.Random(5)
        alive: dict[str, str] = {}
        dead: list[str] = []
        with store:
            for number in range(250):
                mark = f"mark{number:05d}y{rng.getrandbits(48):012x}"
                text = f"{mark} {'x ' * rng.choice([2, 30, 150, 900, 3000])}{mark}"
                store.commit("ann", Changes(turns=make_turns("ann", mark, text, day=number)))
                alive[f"{mark}.0"] = mark
                if number % 25 == 24:
                    gone = rng.sample(sorted(alive), 12)
                    dead += [alive.pop(turn_id) for turn_id in gone]
                    store.forget("ann", turn_ids=gone)
            assert traces(tmp_path, *(mark.encode() for mark in dead)) == []
            assert all(traces(tmp_path, mark.encode()) for mark in list(alive.values())[:3])


def test_no_message_is_ever_logged(
    tmp_path: Path,
    encoder: HashingEncoder,
    make_turns: MakeTurns,
    babble: Babble,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=1) as store:
        fill(store, make_turns, babble)
        store.flush()
        for path in sorted((tmp_path / "index").glob("*/vectors-*/chroma.sqlite3")):
            path.write_bytes(b"broken")
        store.reindex()
        store.forget("ann", turn_ids=["s.0"])
    assert SECRET not in caplog.text


def test_vectors_of_others_in_the_shard_survive(
    store: EmbeddedStore, make_turns: MakeTurns, babble: Babble, encoder: HashingEncoder
) -> None:
    with store:
        fill(store, make_turns, babble)
        store.flush()
        before = store.turn_vectors("else", ["s.3"])["s.3"]
        store.forget("ann", turn_ids=["s.0"])
        np.testing.assert_array_equal(store.turn_vectors("else", ["s.3"])["s.3"], before)
