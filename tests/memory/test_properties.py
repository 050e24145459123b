"""Two users never see each other, and the store agrees with a model of a few lines."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from habitus.memory.records import Changes, Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import MemoryStore, Query
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder(16)
USERS = st.sampled_from(["ann", "bob", "ann ", "çé"])
SESSIONS = st.sampled_from(["s", "t"])
TEXTS = st.one_of(
    st.lists(st.sampled_from("fig plum pear figs night knight the".split()), min_size=1).map(" ".join),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30),
)
START = datetime(2025, 1, 1, tzinfo=UTC)


class Model(RuleBasedStateMachine):
    """Random commits, repeats, edits, deletions and reopenings, beside a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.turns: dict[str, dict[str, Turn]] = {}
        self.n_made = 0
        self.store = self.open()

    def open(self) -> MemoryStore:
        # A bound of a few kilobytes, so that users are loaded and dropped all the time.
        return EmbeddedStore.open(self.folder, ENCODER, resident_bytes=6_000, index_after=10**9)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def next_index(self, user: str, session: str) -> int:
        places = [turn.index for turn in self.turns.get(user, {}).values() if turn.session_id == session]
        return max(places, default=-1) + 1

    @rule(user=USERS, session=SESSIONS, texts=st.lists(TEXTS, min_size=1, max_size=3))
    def commit(self, user: str, session: str, texts: list[str]) -> None:
        first = self.next_index(user, session)
        turns = []
        for index, text in enumerate(texts, start=first):
            turns.append(
                Turn(
                    id=f"turn{self.n_made}",
                    user_id=user,
                    session_id=session,
                    index=index,
                    role="assistant" if index % 2 else "user",
                    text=text,
                    at=START + timedelta(seconds=self.n_made),
                )
            )
            self.n_made += 1
        self.store.commit(user, Changes(turns=tuple(turns)))
        self.turns.setdefault(user, {}).update({turn.id: turn for turn in turns})

    @rule(user=USERS, data=st.data())
    def repeat(self, user: str, data: st.DataObject) -> None:
        if own := self.turns.get(user):
            turn = own[data.draw(st.sampled_from(sorted(own)))]
            self.store.commit(user, Changes(turns=(turn,)))

    @rule(user=USERS, text=TEXTS, data=st.data())
    def edit(self, user: str, text: str, data: st.DataObject) -> None:
        if own := self.turns.get(user):
            turn = own[data.draw(st.sampled_from(sorted(own)))].model_copy(update={"text": text})
            self.store.commit(user, Changes(turns=(turn,)))
            own[turn.id] = turn

    @rule(user=USERS, data=st.data())
    def forget(self, user: str, data: st.DataObject) -> None:
        everything = sorted(turn_id for own in self.turns.values() for turn_id in own) or ["none"]
        wanted = data.draw(st.lists(st.sampled_from(everything), max_size=3))
        own = self.turns.get(user, {})
        assert set(self.store.forget(user, turn_ids=wanted).turn_ids) == set(wanted) & set(own)
        for turn_id in wanted:
            own.pop(turn_id, None)

    @rule(user=USERS)
    def delete_user(self, user: str) -> None:
        if user in self.turns:
            self.store.delete_user(user)
            del self.turns[user]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    @rule(user=USERS, text=TEXTS)
    def search(self, user: str, text: str) -> None:
        own = self.turns.get(user, {})
        vector = ENCODER.encode([text])[0]
        found = self.store.search(user, Query(text=text, vector=vector))
        assert sorted(found.turn_ids) == sorted(own)
        words = set(analyze(text))
        for row, turn_id in enumerate(found.turn_ids):
            turn = own[turn_id]
            assert found.session_ids[row] == turn.session_id
            assert found.index[row] == turn.index
            assert (found.arms["bm25"][row] > 0) == bool(words & set(analyze(turn.text)))
            cosine = float(ENCODER.encode([turn.text])[0] @ vector)
            assert abs(float(found.arms["cosine"][row]) - cosine) < 1e-4
        assert all(np.isfinite(scores).all() for scores in found.arms.values())

    @invariant()
    def reads_agree(self) -> None:
        assert self.store.users() == sorted(self.turns)
        for user in ("ann", "bob"):
            assert {turn.id: turn for turn in self.store.turns(user)} == self.turns.get(user, {})
            n_turns = sum(session.n_turns for session in self.store.sessions(user))
            assert n_turns == len(self.turns.get(user, {})) == self.store.stats(user).n_turns


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_postgres_agrees_with_the_model(postgres_url: str, postgres_schema: str) -> None:
    from habitus.memory.storage.postgres.store import PostgresStore

    class PostgresModel(Model):
        def open(self) -> MemoryStore:
            return PostgresStore.open(
                postgres_url, ENCODER, schema=postgres_schema, resident_bytes=6_000, max_connections=2
            )

        def teardown(self) -> None:
            for user in self.store.users():
                self.store.delete_user(user)
            super().teardown()

    limited = settings(TestModel.settings, max_examples=8)
    run_state_machine_as_test(PostgresModel, settings=limited)
