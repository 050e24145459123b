"""Users move between stores of every kind, whole, once, and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from habitus.memory.errors import InvalidInputError, NotFoundError, StoreCorruptError
from habitus.memory.records import (
    Access,
    Changes,
    Evidence,
    Exported,
    Feedback,
    Persona,
    PersonaLine,
    Preference,
    Profile,
    RewardWeights,
    Turn,
)
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.moving import bring_back, checksum, move_users
from habitus.memory.store import MemoryStore, Query
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]
AT = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder_store(tmp_path: Path, encoder: HashingEncoder) -> Iterator[MemoryStore]:
    with EmbeddedStore.open(tmp_path / "another", encoder) as opened:
        yield opened


@pytest.fixture(params=["to", "from"])
def stores(
    request: pytest.FixtureRequest, store: MemoryStore, folder_store: MemoryStore
) -> tuple[MemoryStore, MemoryStore]:
    """Source and target: a store of every kind, and one in a folder, both ways."""
    return (folder_store, store) if request.param == "to" else (store, folder_store)


def fill(store: MemoryStore, user_id: str, make_turns: MakeTurns) -> None:
    turns = make_turns(user_id, "s", "I love figs. \u0661\U0001f41d", "Noted.", "Less talk, please.")
    turns = (turns[0].model_copy(update={"meta": {"b": 1e-7, "a": ["\x00", None, -0.0]}}), *turns[1:])
    at = turns[0].at
    lines = (PersonaLine(text="Offer figs.", preference_id="p"),)
    store.commit(user_id, Changes(persona=Persona(user_id=user_id, version=1, made_at=at, reason="first")))
    store.commit(
        user_id,
        Changes(
            turns=turns + make_turns(user_id, "open", "And plums.", day=2),
            preferences=(
                Preference(
                    id="p",
                    user_id=user_id,
                    statement="The user loves figs.",
                    topic="food",
                    target="figs",
                    stance="like",
                    strength=0.1 + 0.2,
                    valid_from=at,
                    learnt_at=at,
                    evidence=(Evidence(turn_id="s.0", quote="figs"),),
                ),
            ),
            feedback=(Feedback(id="f", user_id=user_id, turn_id="s.1", at=at, rating=-0.5),),
            accesses=(Access(user_id=user_id, turn_id="s.0", at=at, n=3),),
            profile=Profile(user_id=user_id, version=4, made_at=at),
            persona=Persona(user_id=user_id, version=2, made_at=at, reason="second", lines=lines),
            weights=RewardWeights(user_id=user_id, made_at=at, values={"z": 1.5, "a": -2.0}, n_comparisons=3),
            ends_sessions=("s",),
            unread=("s.2", "s.0"),
        ),
    )


def test_everything_arrives(stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns) -> None:
    source, target = stores
    for user in ("ann", "bob"):
        fill(source, user, make_turns)
    steps: list[tuple[int, int]] = []
    moved = move_users(source, target, progress=lambda done, total: steps.append((done, total)))
    assert moved.copied == {"ann": 4, "bob": 4}
    assert steps == [(1, 2), (2, 2)]
    for user in ("ann", "bob"):
        assert target.export(user) == source.export(user)
        assert target.unread(user) == ["s.2", "s.0"]
        assert checksum(target, user) == checksum(source, user)
        ids = [turn.id for turn in source.turns(user)]
        for turn_id, vectors in source.turn_vectors(user, ids).items():
            np.testing.assert_array_equal(target.turn_vectors(user, ids)[turn_id], vectors)
    assert target.verify().problems == ()


def test_an_export_is_brought_back_whole_and_once(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    exported = Exported.model_validate_json(source.export("ann").model_dump_json())
    assert bring_back(target, exported)
    assert target.export("ann") == source.export("ann")
    assert not bring_back(target, exported)
    assert target.verify().problems == ()
    target.commit("ann", Changes(turns=make_turns("ann", "new", "And now this.", day=9)))
    with pytest.raises(InvalidInputError, match="delete the user there first"):
        bring_back(target, exported)
    assert len(target.turns("ann")) == len(exported.turns) + 1


@pytest.mark.parametrize(
    "damage",
    [
        {"sessions": []},
        {"turns": 0},
        {"preferences": "eve"},
        {"accesses": [{"user_id": "ann", "turn_id": "gone", "at": "2025-03-01T00:00:00Z", "n": 1}]},
    ],
    ids=["without sessions", "without a turn", "with another's record", "with an access to nothing"],
)
def test_of_an_export_that_does_not_hold_together_nothing_is_kept(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns, damage: dict[str, object]
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    exported = source.export("ann").model_dump(mode="json")
    (name, value), *_ = damage.items()
    if value == 0:
        del exported[name][0]
    elif value == "eve":
        exported[name][0]["user_id"] = "eve"
    else:
        exported[name] = value
    with pytest.raises(InvalidInputError, match="'ann' does not hold together"):
        bring_back(target, Exported.model_validate(exported))
    assert target.users() == []
    assert bring_back(target, source.export("ann"))


def test_equal_scores_keep_their_order(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns
) -> None:
    source, target = stores
    for session in ("a", "b"):  # at the same instants, so that by time they are mixed
        source.commit("ann", Changes(turns=make_turns("ann", session, "figs", "figs", "figs")))
    move_users(source, target)
    query = Query(text="figs", vector=source.encoder.encode(["figs"])[0])
    assert target.search("ann", query).turn_ids == source.search("ann", query).turn_ids
    assert target.search("ann", query).turn_ids == ["a.0", "a.1", "a.2", "b.0", "b.1", "b.2"]


def test_an_interrupted_move_goes_on_and_a_whole_one_writes_nothing(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    target.commit("ann", Changes(turns=source.export("ann").turns[:2]))
    assert move_users(source, target).copied == {"ann": 4}
    version = target.version("ann")
    again = move_users(source, target)
    assert (again.copied, again.found) == ({}, ("ann",))
    assert target.version("ann") == version


def test_other_memories_at_the_target_are_neither_mixed_in_nor_overwritten(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    target.commit("ann", Changes(turns=make_turns("ann", "s", "Somebody else's words")))
    before = target.export("ann")
    with pytest.raises(InvalidInputError, match="turns at the target"):
        move_users(source, target)
    assert target.export("ann") == before


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("profile", "profile", Profile(user_id="ann", version=9, made_at=AT)),
        ("weights", "weights", RewardWeights(user_id="ann", made_at=AT, values={"z": 9.0}, n_comparisons=1)),
        ("accesses", "accesses", (Access(user_id="ann", turn_id="s.0", at=AT, n=9),)),
        ("turns that wait to be read", "unread", ("s.1",)),
        ("ended sessions", "ends_sessions", ("open",)),
    ],
)
def test_whatever_the_target_has_otherwise_is_not_overwritten(
    stores: tuple[MemoryStore, MemoryStore],
    make_turns: MakeTurns,
    name: str,
    field: str,
    value: object,
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    target.commit("ann", Changes.model_validate({"turns": source.export("ann").turns, field: value}))
    before = target.export("ann")
    with pytest.raises(InvalidInputError, match=f"{name} at the target"):
        move_users(source, target)
    assert target.export("ann") == before


def test_whom_the_source_does_not_know_cannot_be_moved(stores: tuple[MemoryStore, MemoryStore]) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        move_users(*stores, ["nobody"])


def test_vectors_of_another_space_are_computed_anew(
    store: MemoryStore, tmp_path: Path, make_turns: MakeTurns
) -> None:
    fill(store, "ann", make_turns)
    with EmbeddedStore.open(tmp_path / "wide", HashingEncoder(128)) as target:
        move_users(store, target)
        assert target.turn_vectors("ann", ["s.1"])["s.1"].shape == (1, 128)
        assert checksum(target, "ann") == checksum(store, "ann")


def test_a_loss_on_the_way_is_noticed(
    stores: tuple[MemoryStore, MemoryStore], make_turns: MakeTurns, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = stores
    fill(source, "ann", make_turns)
    write = target.commit

    def forgetful(user_id: str, changes: Changes, **more: object) -> None:
        write(user_id, changes.model_copy(update={"feedback": ()}))

    monkeypatch.setattr(target, "commit", forgetful)
    with pytest.raises(StoreCorruptError, match="0 of 1 feedback"):
        move_users(source, target)
