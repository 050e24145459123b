"""A changed encoder: everything is computed anew, and no two vector spaces ever meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.errors import EncoderChangedError
from habitus.memory.index.units import units
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder, Vectors

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]


class Dying(HashingEncoder):
    """Fails after so many texts, and counts them."""

    def __init__(self, dim: int, lives: int) -> None:
        super().__init__(dim)
        self.lives = lives
        self.n_encoded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.n_encoded += len(texts)
        if self.n_encoded > self.lives:
            raise RuntimeError("the power went out")
        return super().encode(texts)


@pytest.fixture
def folder(tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble) -> Path:
    with EmbeddedStore.open(tmp_path / "data", encoder) as store:
        texts = [babble(400), *(babble(12) for _ in range(599))]
        store.commit("ann", Changes(turns=make_turns("ann", "s", *texts)))
        store.flush()
    return tmp_path / "data"


def check(store: EmbeddedStore) -> None:
    turns = store.turns("ann")
    found = store.turn_vectors("ann", [turn.id for turn in turns])
    for turn in (turns[0], turns[300], turns[-1]):
        np.testing.assert_array_equal(found[turn.id], store.encoder.encode(units(turn.role, turn.text)))
    assert {vectors.shape[1] for vectors in found.values()} == {store.encoder.dim}
    assert store.stats().encoder == store.encoder.fingerprint


def test_every_vector_is_computed_anew(folder: Path) -> None:
    calls: list[tuple[int, int]] = []
    with EmbeddedStore.open(
        folder, HashingEncoder(32), progress=lambda done, total: calls.append((done, total)), exact_limit=0
    ) as store:
        check(store)
        assert calls[-1] == (600, 600)
        assert calls == sorted(calls)
        turn = store.turns("ann")[77]
        query = Query(text=turn.text, vector=store.encoder.encode([turn.text])[0])
        for _ in range(2):
            found = store.search("ann", query)
            assert found.turn_ids[int(np.argmax(found.arms["cosine"]))] == turn.id
            store.flush()
    with EmbeddedStore.open(folder, HashingEncoder(32), progress=lambda *_: pytest.fail("again")) as store:
        check(store)


def test_it_can_be_refused(folder: Path, encoder: HashingEncoder) -> None:
    with pytest.raises(EncoderChangedError, match="hashing-64.*hashing-32"):
        EmbeddedStore.open(folder, HashingEncoder(32), reembed=False)
    with EmbeddedStore.open(folder, encoder, reembed=False) as store:
        check(store)


def test_an_interrupted_run_goes_on_where_it_was(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="power"):
        EmbeddedStore.open(folder, Dying(32, lives=400))
    survivor = Dying(32, lives=10_000)
    with EmbeddedStore.open(folder, survivor) as store:
        assert survivor.n_encoded < 400
        check(store)


def test_an_interrupted_run_does_not_mix_with_a_third_encoder(folder: Path, encoder: HashingEncoder) -> None:
    with pytest.raises(RuntimeError, match="power"):
        EmbeddedStore.open(folder, Dying(32, lives=400))
    with EmbeddedStore.open(folder, encoder, reembed=False) as store:  # nothing had been switched yet
        check(store)
    with EmbeddedStore.open(folder, HashingEncoder(48)) as store:
        check(store)


def test_an_empty_folder_takes_any_encoder(tmp_path: Path, encoder: HashingEncoder) -> None:
    EmbeddedStore.open(tmp_path, encoder).close()
    with EmbeddedStore.open(tmp_path, HashingEncoder(32), reembed=False) as store:
        assert store.stats().encoder == "hashing-32"
