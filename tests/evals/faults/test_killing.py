"""Faults on purpose: what was acknowledged is there afterwards, and what would be missing is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from habitus.evals.faults.killing import kill
from habitus.evals.faults.ledger import Ledger, moved_violations, violations
from habitus.evals.faults.places import DIM, ENCRYPTED, open_store, postgres_place
from habitus.evals.faults.report import Row, show, write
from habitus.evals.faults.trials import TRIALS, NotTriedError
from habitus.evals.faults.writer import Writer
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.storage.relational import EXACT_LIMIT
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]


@pytest.fixture(params=["embedded", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where nothing is stored yet, of each kind."""
    if request.param == "embedded":
        yield str(tmp_path / "data")
        return
    with postgres_place(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.mark.slow
def test_what_was_acknowledged_survives_in_an_encrypted_folder(tmp_path: Path, key: EncryptionKey) -> None:
    killed = kill(f"{ENCRYPTED}{tmp_path / 'data'}", 8, seed=2)
    assert killed.n_kills == 8
    assert killed.found == []
    assert killed.n_done["chat"] > 5
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} <= {"memory.db", "owner.lock"}
    assert not any(b"mark" in path.read_bytes() for path in files if path.name == "memory.db")


@pytest.mark.slow
def test_what_was_acknowledged_survives_every_kill(place: str) -> None:
    killed = kill(place, 20, seed=1)
    assert killed.n_kills == len(killed.opening_s) == 20
    assert killed.found == []
    assert killed.n_done["chat"] > 20
    assert killed.n_done["migrate"] > 0
    assert killed.n_turns > 100


def test_a_move_that_was_broken_off_goes_on_in_the_next_life(place: str) -> None:
    with open_store(place, HashingEncoder(DIM), exact_limit=EXACT_LIMIT) as store:
        ledger = Ledger()
        writer = Writer(store, place, seed=5, life=0, say=ledger.take)
        writer.work(40)
        user = max(ledger.turns, key=lambda one: len(ledger.turns[one]))
        with open_store(place, store.encoder, exact_limit=EXACT_LIMIT, moved=True) as target:
            if user in target.users():
                target.delete_user(user)
            target.commit(user, Changes(turns=store.export(user).turns[:2]))
        writer.go_on({"begin": "migrate", "user": user})
        with open_store(place, store.encoder, exact_limit=EXACT_LIMIT, moved=True) as target:
            assert moved_violations(target, ledger) == []
            assert target.turns(user) == store.turns(user)
            target.commit(user, Changes(ends_sessions=(target.sessions(user, open_only=True)[0].id,)))
            assert moved_violations(target, ledger) == [f"{user} has changed"]
            target.delete_user(user)
            assert moved_violations(target, ledger) == [f"{user} is lost"]
        writer.close()


@pytest.mark.parametrize("bound", [None, 0.0])
def test_a_store_that_opens_later_than_asked_for_is_a_fault(tmp_path: Path, bound: float | None) -> None:
    killed = kill(str(tmp_path / "data"), 1, n_memories=20, most_lines=2, opens_within=bound)
    assert [what.partition(" took")[0] for what in killed.found] == (
        [] if bound is None else ["kill 1: opening"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", TRIALS)
def test_other_faults_lose_nothing(fault: str, tmp_path: Path) -> None:
    for number in range(3):
        try:
            found = TRIALS[fault](tmp_path / str(number), number)
        except NotTriedError as error:
            pytest.skip(f"cannot be made here: {error}")
        assert found == []


def acknowledged(turns: tuple[Turn, ...]) -> Ledger:
    ledger = Ledger()
    user = turns[0].user_id
    ledger.take(begin="chat", user=user)
    ledger.take(done="chat", user=user, turns={turn.id: turn.text for turn in turns})
    return ledger


class TestLedger:
    def test_a_store_that_kept_everything_is_right(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        turns = make_turns("ann", "s", "I like figs", "Noted.")
        store.commit("ann", Changes(turns=turns))
        assert violations(store, acknowledged(turns)) == []

    def test_lost_changed_and_invented_turns_are_noticed(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        ledger = acknowledged(make_turns("ann", "s", "I like figs", "Noted.", "And plums"))
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I like figs", "Noted?")))
        store.commit("ann", Changes(turns=make_turns("ann", "other", "Who wrote this?")))
        assert violations(store, ledger) == [
            "ann: 1 acknowledged turns are lost",
            "ann: 1 turns have other words",
            "ann: 1 turns are there that nobody wrote",
        ]

    def test_a_turn_that_was_deleted_may_not_come_back(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I like figs", "Noted.")
        ledger = acknowledged(turns)
        ledger.take(begin="forget", user="ann", turns=["s.0"])
        ledger.take(done="forget", user="ann", forgot=["s.0"])
        store.commit("ann", Changes(turns=turns))
        assert violations(store, ledger) == ["ann: 1 deleted turns are back"]

    def test_an_interrupted_turn_is_there_whole_or_not_at_all(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        first, second = (
            make_turns("ann", "s", "I like figs", "Noted."),
            make_turns("ann", "t", "Figs?", "Yes."),
        )
        ledger = acknowledged(first)
        ledger.take(begin="chat", user="ann")
        store.commit("ann", Changes(turns=first))
        assert violations(store, ledger) == []
        store.commit("ann", Changes(turns=second[:1]))
        assert violations(store, ledger) == ["ann: an interrupted turn left 1 messages, not both or none"]
        store.commit("ann", Changes(turns=second[1:]))
        assert violations(store, ledger) == []

    def test_lost_preferences_are_noticed(self, store: MemoryStore) -> None:
        ledger = Ledger()
        ledger.take(begin="chat", user="ann")
        ledger.take(done="chat", user="ann", preferences=["p1"])
        assert violations(store, ledger) == ["ann: 1 acknowledged preferences are lost"]

    def test_a_line_that_was_cut_off_is_no_acknowledgement(self) -> None:
        ledger = Ledger()
        ledger.read([json.dumps({"begin": "chat", "user": "ann"}) + "\n", '{"done": "chat", "us'])
        assert ledger.in_flight == {"begin": "chat", "user": "ann"}
        assert (ledger.n_done, ledger.n_in_flight) == ({}, {"chat": 1})


def test_a_writer_does_everything_it_can(tmp_path: Path) -> None:
    ledger = Ledger()
    store = EmbeddedStore.open(tmp_path, HashingEncoder(DIM))
    writer = Writer(store, str(tmp_path), seed=5, life=0, say=ledger.take)
    writer.work(150)
    assert violations(store, ledger) == []
    assert {"chat", "ingest", "feedback", "forget", "end_session"} <= set(ledger.n_done)
    assert any(ledger.preferences.values())
    assert any(ledger.feedback.values())
    writer.close()


class TestReport:
    def test_a_fault_that_cannot_be_made_says_so(self, tmp_path: Path) -> None:
        def trial(folder: Path, seed: int) -> list[str]:
            raise NotTriedError("it takes a full moon")

        row = Row.of_trials("tide", trial, tmp_path, 3, 0)
        assert (row.n, row.not_tried) == (0, "it takes a full moon")

    def test_losses_are_listed(self, tmp_path: Path) -> None:
        row = Row.of_trials("tide", lambda folder, seed: [f"{seed} lost"], tmp_path, 2, 7)
        assert row.found == ("trial 1: 7 lost", "trial 2: 8 lost")
        console = Console(width=100, record=True)
        show([row], console)
        text = console.export_text()
        assert "tide: trial 2: 8 lost" in text
        write([row], tmp_path / "faults.json")
        assert json.loads((tmp_path / "faults.json").read_text())[0]["n"] == 2
