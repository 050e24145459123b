"""The contract of `MemoryStore`: what every implementation must do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import numpy as np
import pytest

from habitus.memory.errors import InvalidInputError, NotFoundError, StoreClosedError
from habitus.memory.index.units import units
from habitus.memory.records import (
    Access,
    AskedQuestion,
    Changes,
    Choice,
    Correction,
    Edit,
    Evidence,
    Fact,
    Feedback,
    Persona,
    PersonaLine,
    Preference,
    Profile,
    ProfileSection,
    RewardWeights,
    Turn,
)
from habitus.memory.storage.relational import RelationalStore
from habitus.memory.store import Candidates, MemoryStore, Query
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import HashingEncoder, Vectors

MakeTurns = Callable[..., tuple[Turn, ...]]
AT = datetime(2025, 3, 1, tzinfo=UTC)


def preference(user_id: str, name: str, *turn_ids: str, day: int = 0, **fields: object) -> Preference:
    values: dict[str, object] = {
        "id": name,
        "user_id": user_id,
        "statement": f"The user likes {name}.",
        "topic": "food",
        "target": name,
        "stance": "like",
        "valid_from": AT,
        "learnt_at": AT + timedelta(days=day),
        "evidence": tuple(Evidence(turn_id=turn_id, quote=name) for turn_id in turn_ids),
        **fields,
    }
    return Preference.model_validate(values)


def fact(user_id: str, name: str, *turn_ids: str) -> Fact:
    return Fact(
        id=name,
        user_id=user_id,
        statement=f"The user has {name}.",
        attribute="has",
        value=name,
        valid_from=AT,
        learnt_at=AT,
        evidence=tuple(Evidence(turn_id=turn_id, quote=name) for turn_id in turn_ids),
    )


def query(store: MemoryStore, text: str, **fields: object) -> Query:
    return Query(text=text, vector=store.encoder.encode([text])[0], **fields)  # type: ignore[arg-type]


def search(store: MemoryStore, user_id: str, text: str, **fields: object) -> Candidates:
    return store.search(user_id, query(store, text, **fields))


def best(found: Candidates, arm: str) -> str:
    return found.turn_ids[int(np.argmax(found.arms[arm]))]


class TestCommitAndRead:
    def test_every_kind_of_record_comes_back_as_it_was(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        first, second = make_turns("ann", "s", "I love figs.", "Noted!")
        first = first.model_copy(update={"meta": {"tokens": [1, 2.5, None], "ünïcode": "✓"}})
        changes = Changes(
            turns=(first, second),
            preferences=(preference("ann", "figs", first.id),),
            facts=(fact("ann", "a dog", first.id),),
            corrections=(
                Correction(id="c", user_id="ann", situation="asked", wrong="a", right="b", made_at=AT),
            ),
            feedback=(
                Feedback(id="f1", user_id="ann", turn_id=second.id, at=AT, rating=-0.5),
                Feedback(id="f2", user_id="ann", turn_id=second.id, at=AT, edit=Edit(before="x", after="y")),
                Feedback(
                    id="f3", user_id="ann", turn_id=second.id, at=AT, choice=Choice(winner="x", losers=("y",))
                ),
            ),
            questions=(
                AskedQuestion(
                    id="q", user_id="ann", turn_id=second.id, topic="food.diet", text="What?", asked_at=AT
                ),
            ),
            accesses=(Access(user_id="ann", turn_id=first.id, at=AT, n=2),),
            profile=Profile(
                user_id="ann",
                version=1,
                made_at=AT,
                sections=(ProfileSection(title="Food", text="Figs.", record_ids=("figs",)),),
            ),
            persona=Persona(
                user_id="ann",
                version=1,
                made_at=AT,
                reason="first",
                lines=(PersonaLine(text="Offer figs.", preference_id="figs"),),
            ),
            weights=RewardWeights(user_id="ann", made_at=AT, values={"length": -0.25}, n_comparisons=3),
            ends_sessions=("s",),
        )
        store.commit("ann", changes)
        found = store.export("ann")
        assert found.turns == changes.turns
        assert found.preferences == changes.preferences
        assert found.facts == changes.facts
        assert found.corrections == changes.corrections
        assert found.feedback == changes.feedback
        assert found.questions == changes.questions == tuple(store.questions("ann"))
        assert found.accesses == changes.accesses == tuple(store.accesses("ann"))
        assert found.profile == changes.profile == store.profile("ann")
        assert found.personas == (changes.persona,)
        assert found.weights == changes.weights == store.weights("ann")
        assert [session.ended for session in found.sessions] == [True]

    def test_turns_come_in_time_order_whatever_the_order_of_commits(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        late, early = make_turns("ann", "a", "x", "y", day=5), make_turns("ann", "b", "z", day=1)
        store.commit("ann", Changes(turns=late))
        store.commit("ann", Changes(turns=early))
        assert [turn.id for turn in store.turns("ann")] == ["b.0", "a.0", "a.1"]

    def test_turns_are_chosen_by_id_and_session(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.commit(
            "ann", Changes(turns=make_turns("ann", "a", "x", "y") + make_turns("ann", "b", "z", day=1))
        )
        assert [turn.id for turn in store.turns("ann", session_id="a")] == ["a.0", "a.1"]
        assert [turn.id for turn in store.turns("ann", ids=["b.0", "nobody", "a.1", "b.0"])] == ["a.1", "b.0"]
        assert store.turns("ann", ids=["b.0"], session_id="a") == []
        assert store.turns("ann", ids=[]) == []

    def test_thousands_of_ids_at_once(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        turns = make_turns("ann", "a", *(f"text {number}" for number in range(1200)))
        store.commit("ann", Changes(turns=turns))
        assert len(store.turns("ann", ids=[turn.id for turn in turns])) == 1200
        assert len(store.turn_vectors("ann", [turn.id for turn in turns])) == 1200

    def test_vectors_are_those_of_the_passages(
        self, store: MemoryStore, make_turns: MakeTurns, babble: Callable[[int], str]
    ) -> None:
        turns = make_turns("ann", "s", "short", babble(500))
        store.commit("ann", Changes(turns=turns))
        found = store.turn_vectors("ann", ["s.0", "s.1", "nobody"])
        assert sorted(found) == ["s.0", "s.1"]
        assert found["s.0"].shape == (1, 64)
        np.testing.assert_array_equal(found["s.1"], store.encoder.encode(units(turns[1].role, turns[1].text)))

    def test_given_vectors_are_stored_as_they_are(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        turns = make_turns("ann", "s", "one", "two")
        given = np.full((1, 64), 0.125, dtype=np.float32)
        store.commit("ann", Changes(turns=turns), vectors={"s.0": given})
        found = store.turn_vectors("ann", ["s.0", "s.1"])
        np.testing.assert_array_equal(found["s.0"], given)
        np.testing.assert_array_equal(found["s.1"], store.encoder.encode(["two"]))

    @pytest.mark.parametrize(
        "vectors",
        [
            np.zeros((2, 64), dtype=np.float32),
            np.zeros((1, 63), dtype=np.float32),
            np.full((1, 64), np.nan, dtype=np.float32),
        ],
    )
    def test_vectors_that_cannot_be_right_are_refused(
        self, store: MemoryStore, make_turns: MakeTurns, vectors: np.ndarray
    ) -> None:
        with pytest.raises(InvalidInputError, match=r"s\.0"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "one")), vectors={"s.0": vectors})
        assert store.users() == []

    def test_a_record_of_another_user_is_refused_and_nothing_is_stored(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        changes = Changes(turns=make_turns("ann", "s", "hello"), preferences=(preference("bob", "figs"),))
        with pytest.raises(InvalidInputError, match="bob"):
            store.commit("ann", changes)
        assert store.users() == []

    def test_a_taken_place_is_refused_and_nothing_is_stored(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "hello")))
        thief = make_turns("ann", "s", "mine")[0].model_copy(update={"id": "thief"})
        changes = Changes(
            turns=(*make_turns("ann", "other", "a", "b"), thief), preferences=(preference("ann", "figs"),)
        )
        with pytest.raises(InvalidInputError, match=r"place 0 of session 's' is taken by turn 's\.0'"):
            store.commit("ann", changes)
        assert [turn.text for turn in store.turns("ann")] == ["hello"]
        assert store.preferences("ann") == []
        assert [session.id for session in store.sessions("ann")] == ["s"]

    def test_ids_and_places_occur_once_in_a_change(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        (turn,) = make_turns("ann", "s", "hello")
        with pytest.raises(InvalidInputError, match="same id"):
            store.commit("ann", Changes(turns=(turn, turn.model_copy(update={"index": 3}))))
        with pytest.raises(InvalidInputError, match="same session and index"):
            store.commit("ann", Changes(turns=(turn, turn.model_copy(update={"id": "x"}))))

    @pytest.mark.parametrize("meta", [{"x": object()}, {"x": float("nan")}])
    def test_meta_that_is_not_json_is_refused(
        self, store: MemoryStore, make_turns: MakeTurns, meta: dict[str, object]
    ) -> None:
        (turn,) = make_turns("ann", "s", "hello")
        with pytest.raises(InvalidInputError, match="meta"):
            store.commit("ann", Changes(turns=(turn.model_copy(update={"meta": meta}),)))
        assert store.users() == []

    def test_text_that_is_no_unicode_is_refused_in_every_field(self, store: MemoryStore) -> None:
        broken = preference("ann", "figs", topic="\ud800")
        with pytest.raises(InvalidInputError, match="preference"):
            store.commit("ann", Changes(preferences=(broken,)))
        assert store.users() == []

    def test_an_impossible_user_id_is_refused(self, store: MemoryStore) -> None:
        with pytest.raises(InvalidInputError, match="user_id"):
            store.commit(" ", Changes(ends_sessions=("s",)))

    def test_an_empty_change_makes_no_user(self, store: MemoryStore) -> None:
        store.commit("ann", Changes())
        assert store.users() == []

    def test_a_repeated_commit_changes_nothing(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        changes = Changes(turns=make_turns("ann", "s", "one fig", "two"), ends_sessions=("s",))
        store.commit("ann", changes)
        before = store.export("ann")
        store.commit("ann", changes)
        assert store.export("ann") == before
        assert sorted(search(store, "ann", "fig").turn_ids) == ["s.0", "s.1"]
        assert store.stats("ann").n_turns == 2

    def test_a_turn_with_a_known_id_replaces_the_old_one(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I like figs", "ok"), ends_sessions=("s",)))
        assert best(search(store, "ann", "plums"), "bm25") == "s.0"  # nothing matches: the first of equals
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I like plums")))
        assert [turn.text for turn in store.turns("ann")] == ["I like plums", "ok"]
        found = search(store, "ann", "figs plums")
        assert len(found) == 2
        assert best(found, "bm25") == "s.0"
        assert not search(store, "ann", "figs").arms["bm25"].any()
        (session,) = store.sessions("ann")
        assert (session.n_turns, session.ended) == (2, True)

    def test_a_replaced_record_keeps_its_id_and_takes_the_new_state(self, store: MemoryStore) -> None:
        old = preference("ann", "figs")
        store.commit("ann", Changes(preferences=(old,)))
        new = old.model_copy(update={"status": "superseded", "valid_to": AT + timedelta(days=1)})
        store.commit("ann", Changes(preferences=(new, preference("ann", "plums", day=2, supersedes="figs"))))
        assert [item.id for item in store.preferences("ann")] == ["figs", "plums"]
        assert store.preferences("ann", status="superseded") == [new]
        assert [item.id for item in store.preferences("ann", status="active")] == ["plums"]

    def test_the_vectors_of_preferences_are_stored_with_them(self, store: MemoryStore) -> None:
        given = preference("ann", "tea"), preference("ann", "jam", target="")
        store.commit("ann", Changes(preferences=given))
        store.commit(
            "ann", Changes(preferences=(preference("ann", "tea", statement="The user drinks tea."),))
        )
        store.commit("bob", Changes(preferences=(preference("bob", "ale"),)))
        found = store.preference_vectors("ann")
        texts = ["The user drinks tea.", "tea", "The user likes jam."]
        assert sorted(found) == sorted(texts)
        for text, wanted in zip(texts, store.encoder.encode(texts), strict=True):
            np.testing.assert_allclose(found[text], wanted, atol=1e-6)
        store.forget("ann", preference_ids=["tea"])
        assert set(store.preference_vectors("ann")) == {"The user likes jam."}
        store.delete_user("ann")
        assert store.preference_vectors("ann") == {}
        assert set(store.preference_vectors("bob")) == {"The user likes ale.", "ale"}

    def test_a_preference_that_loses_evidence_keeps_its_vectors(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I like tea.", "Noted.", "Tea again.")
        evidence = tuple(Evidence(turn_id=turn.id, quote=turn.text) for turn in turns[::2])
        store.commit("ann", Changes(turns=turns, preferences=(preference("ann", "tea", evidence=evidence),)))
        before = store.preference_vectors("ann")
        store.forget("ann", turn_ids=["s.2"])
        assert [len(one.evidence) for one in store.preferences("ann")] == [1]
        after = store.preference_vectors("ann")
        assert set(after) == set(before) == {"The user likes tea.", "tea"}

    def test_reindex_computes_the_vectors_that_preferences_lack(self, store: RelationalStore) -> None:
        store.commit("ann", Changes(preferences=(preference("ann", "tea"), preference("ann", "jam"))))
        before = store.preference_vectors("ann")
        with store._change("ann") as connection:
            connection.execute("UPDATE preferences SET vectors = NULL WHERE user_id = ?", ("ann",))
        assert store.preference_vectors("ann") == {}
        store.reindex()
        after = store.preference_vectors("ann")
        assert set(after) == set(before)
        for text, vector in before.items():
            np.testing.assert_allclose(after[text], vector, atol=1e-6)

    def test_preferences_come_by_the_instant_they_were_learnt(self, store: MemoryStore) -> None:
        store.commit(
            "ann", Changes(preferences=(preference("ann", "b", day=2), preference("ann", "a", day=3)))
        )
        store.commit("ann", Changes(preferences=(preference("ann", "z", day=1),)))
        assert [item.id for item in store.preferences("ann")] == ["z", "b", "a"]

    def test_all_personas_are_kept_and_the_last_profile(self, store: MemoryStore) -> None:
        for version in (1, 2):
            store.commit(
                "ann",
                Changes(
                    profile=Profile(user_id="ann", version=version, made_at=AT),
                    persona=Persona(user_id="ann", version=version, made_at=AT, reason="r"),
                ),
            )
        assert [persona.version for persona in store.personas("ann")] == [1, 2]
        profile = store.profile("ann")
        assert profile is not None
        assert profile.version == 2


class TestSessions:
    def test_a_session_knows_its_span(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "a", "b")))
        store.commit("ann", Changes(turns=make_turns("ann", "s", "c", first=2)))
        (session,) = store.sessions("ann")
        first, *_, last = store.turns("ann")
        assert (session.started_at, session.last_at, session.n_turns) == (first.at, last.at, 3)

    def test_ended_sessions_are_not_open_until_a_turn_is_added(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "a", "x")))
        store.commit("ann", Changes(turns=make_turns("ann", "b", "x", day=1), ends_sessions=("a", "b")))
        assert store.sessions("ann", open_only=True) == []
        store.commit("ann", Changes(turns=make_turns("ann", "a", "y", first=1)))
        assert [session.id for session in store.sessions("ann", open_only=True)] == ["a"]
        assert [session.id for session in store.sessions("ann")] == ["a", "b"]

    def test_a_session_without_turns_cannot_be_ended(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        with pytest.raises(InvalidInputError, match="'ghost'"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "x"), ends_sessions=("ghost",)))
        assert store.users() == []


class TestSearch:
    def test_every_committed_turn_is_seen_at_once(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        for number, word in enumerate(["figs", "plums", "pears"]):
            (turn,) = make_turns("ann", f"s{number}", f"I like {word}")
            store.commit("ann", Changes(turns=(turn,)))
            found = search(store, "ann", word)
            assert len(found) == number + 1
            assert best(found, "cosine") == best(found, "bm25") == turn.id

    def test_columns_describe_the_turns(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        turns = make_turns("ann", "s", "one", "two", "three")
        store.commit("ann", Changes(turns=turns))
        found = search(store, "ann", "one")
        by_id = {turn.id: turn for turn in turns}
        for row, turn_id in enumerate(found.turn_ids):
            turn = by_id[turn_id]
            assert found.session_ids[row] == turn.session_id
            assert found.index[row] == turn.index
            assert found.is_user[row] == (turn.role == "user")
            assert found.at[row] == turn.at.timestamp()
        assert found.complete
        assert set(found.arms) == {"cosine", "bm25", "session_cosine", "session_bm25"}
        assert {scores.shape for scores in found.arms.values()} == {(3,)}
        assert {scores.dtype for scores in found.arms.values()} == {np.dtype(np.float32)}

    def test_a_user_without_memories_finds_nothing(self, store: MemoryStore) -> None:
        found = search(store, "nobody", "figs")
        assert len(found) == 0
        assert {scores.shape for scores in found.arms.values()} == {(0,)}

    def test_a_query_without_words_still_has_a_meaning(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "???", "figs")))
        found = search(store, "ann", "???")
        assert best(found, "cosine") == "s.0"
        assert not found.arms["bm25"].any()

    def test_a_long_turn_is_found_by_any_of_its_passages(
        self, store: MemoryStore, make_turns: MakeTurns, babble: Callable[[int], str]
    ) -> None:
        long = f"{babble(400)}. My cat is called Ginger. {babble(400)}"
        turns = make_turns("ann", "s", long, "Nice.", "Tell me of the sea.")
        store.commit("ann", Changes(turns=turns))
        found = search(store, "ann", "what is my cat called")
        vector = store.encoder.encode(["what is my cat called"])[0]
        expected = [
            float((store.encoder.encode(units(turn.role, turn.text)) @ vector).max()) for turn in turns
        ]
        scores = dict(zip(found.turn_ids, found.arms["cosine"].tolist(), strict=True))
        assert [scores[turn.id] for turn in turns] == pytest.approx(expected, abs=1e-5)

    def test_bm25_agrees_with_the_formula(
        self, store: MemoryStore, make_turns: MakeTurns, babble: Callable[[int], str]
    ) -> None:
        turns = [
            turn
            for number in range(12)
            for turn in make_turns("ann", f"s{number}", *(babble(8 + number) for _ in range(6)))
        ]
        store.commit("ann", Changes(turns=tuple(turns[:50])))
        search(store, "ann", "warm")  # the second half is then appended to what is in memory
        store.commit("ann", Changes(turns=tuple(turns[50:])))
        store.commit("bob", Changes(turns=make_turns("bob", "s", *(babble(30) for _ in range(5)))))
        text = f"{turns[7].text} word1 word1 neverseen"
        found = search(store, "ann", text)
        expected = _bm25([analyze(turn.text) for turn in turns], analyze(text))
        scores = dict(zip(found.turn_ids, found.arms["bm25"].tolist(), strict=True))
        assert [scores[turn.id] for turn in turns] == pytest.approx(expected, rel=1e-4)

        sessions = sorted({turn.session_id for turn in turns})
        joined = [
            analyze(" ".join(turn.text for turn in turns if turn.session_id == name and turn.role == "user"))
            for name in sessions
        ]
        by_session = dict(zip(sessions, _bm25(joined, analyze(text)), strict=True))
        for row, name in enumerate(found.session_ids):
            assert found.arms["session_bm25"][row] == pytest.approx(by_session[name], rel=1e-4)

    def test_session_cosine_is_that_of_the_mean_of_the_users_turns(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I love figs", "Figs are sweet", "and plums")
        (monologue,) = make_turns("ann", "m", "unsaid", "The assistant alone", day=1)[1:]
        store.commit("ann", Changes(turns=turns[:2]))
        search(store, "ann", "figs")
        store.commit("ann", Changes(turns=(turns[2], monologue)))
        found = search(store, "ann", "sweet figs")
        vector = store.encoder.encode(["sweet figs"])[0]
        mean = store.encoder.encode([turns[0].text, turns[2].text]).mean(axis=0)
        scores = dict(zip(found.session_ids, found.arms["session_cosine"].tolist(), strict=True))
        assert scores["s"] == pytest.approx(float(mean @ vector / np.linalg.norm(mean)), abs=1e-5)
        alone = store.encoder.encode([monologue.text])[0]
        assert scores["m"] == pytest.approx(float(alone @ vector), abs=1e-5)

    def test_a_session_the_assistant_began_counts_the_user_alone_later(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        _, opening, answer = make_turns("ann", "s", "unsaid", "Welcome back to the harbour", "I keep bees")
        store.commit("ann", Changes(turns=(opening,)))
        search(store, "ann", "bees")
        store.commit("ann", Changes(turns=(answer,)))
        found = search(store, "ann", "I keep bees")
        assert found.arms["session_cosine"] == pytest.approx([1.0, 1.0], abs=1e-5)

    @pytest.mark.parametrize("vector", [np.zeros(63), np.zeros((1, 64)), np.full(64, np.inf)])
    def test_a_vector_that_cannot_be_right_is_refused(self, store: MemoryStore, vector: np.ndarray) -> None:
        with pytest.raises(InvalidInputError, match="vector"):
            store.search("ann", Query(text="x", vector=vector))


def _bm25(documents: list[list[str]], terms: list[str]) -> list[float]:
    n = len(documents)
    mean = sum(map(len, documents)) / n
    scores = []
    for document in documents:
        counts, total = Counter(document), 0.0
        for term in terms:
            df = sum(term in other for other in documents)
            idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
            tf = counts[term]
            total += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(document) / mean))
        scores.append(total)
    return scores


class TestForget:
    def test_what_changes_while_a_part_is_forgotten_is_not_overwritten(
        self, store: MemoryStore, make_turns: MakeTurns, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (turn,) = make_turns("ann", "s", "I like figs. I live in Ghent.")
        store.commit("ann", Changes(turns=(turn,)))
        changed = turn.model_copy(update={"meta": {"from": "another process"}})
        encode, calls = store.encoder.encode, list[int]()

        def meanwhile(texts: Sequence[str]) -> Vectors:
            calls.append(len(texts))
            if len(calls) == 1:
                store.commit("ann", Changes(turns=(changed,)))
            return encode(texts)

        monkeypatch.setattr(store.encoder, "encode", meanwhile)
        forgotten = store.forget("ann", rewrites={"s.0": "I like figs."})
        assert forgotten.rewritten_ids == ("s.0",)
        assert store.turns("ann") == [changed.model_copy(update={"text": "I like figs."})]

    def test_a_forgotten_turn_is_gone_from_every_view(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I like figs", "ok", "and plums")))
        search(store, "ann", "figs")
        forgotten = store.forget("ann", turn_ids=["s.0", "unknown"])
        assert forgotten.turn_ids == ("s.0",)
        assert [turn.id for turn in store.turns("ann")] == ["s.1", "s.2"]
        assert store.turn_vectors("ann", ["s.0"]) == {}
        assert search(store, "ann", "figs").turn_ids == ["s.1", "s.2"]
        (session,) = store.sessions("ann")
        assert (session.n_turns, session.started_at) == (2, store.turns("ann")[0].at)
        assert store.stats("ann").n_turns == 2

    def test_a_place_can_be_used_again(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
        store.forget("ann", turn_ids=["s.0"])
        assert store.sessions("ann") == []
        assert store.users() == ["ann"]
        store.commit("ann", Changes(turns=make_turns("ann", "s", "plums")))
        assert best(search(store, "ann", "plums"), "bm25") == "s.0"

    def test_evidence_goes_and_records_without_any_left_go_too(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit(
            "ann",
            Changes(
                turns=make_turns("ann", "s", "a", "b", "c"),
                preferences=(
                    preference("ann", "alone", "s.0"),
                    preference("ann", "both", "s.0", "s.2"),
                    preference("ann", "elsewhere", "s.2"),
                    preference("ann", "unproven"),
                    preference("ann", "heir", "s.2", supersedes="alone"),
                ),
                facts=(fact("ann", "gone", "s.0"), fact("ann", "kept", "s.2")),
            ),
        )
        forgotten = store.forget("ann", turn_ids=["s.0"])
        assert forgotten.preference_ids == ("alone",)
        assert forgotten.fact_ids == ("gone",)
        left = {item.id: item for item in store.preferences("ann")}
        assert sorted(left) == ["both", "elsewhere", "heir", "unproven"]
        assert [item.turn_id for item in left["both"].evidence] == ["s.2"]
        assert left["heir"].supersedes is None
        assert [item.id for item in store.facts("ann")] == ["kept"]

    def test_words_repeated_elsewhere_go_with_the_turn(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        def correction(name: str, turn_id: str | None) -> Correction:
            return Correction(
                id=name, user_id="ann", situation="s", wrong="w", right="r", turn_id=turn_id, made_at=AT
            )

        store.commit(
            "ann",
            Changes(
                turns=make_turns("ann", "s", "a", "b", "c", "d"),
                corrections=(correction("x", "s.1"), correction("y", "s.3"), correction("z", None)),
                feedback=(
                    Feedback(id="f", user_id="ann", turn_id="s.1", at=AT, comment="bad"),
                    Feedback(id="g", user_id="ann", turn_id="s.3", at=AT, rating=1.0),
                ),
            ),
        )
        store.forget("ann", turn_ids=["s.1"])
        assert [item.id for item in store.corrections("ann")] == ["y", "z"]
        assert [item.id for item in store.feedback("ann")] == ["g"]

    def test_what_was_learnt_from_forgotten_feedback_goes_with_it(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        edit = Feedback(id="f", user_id="ann", turn_id="s.1", at=AT, edit=Edit(before="b", after="x"))
        store.commit(
            "ann",
            Changes(
                turns=make_turns("ann", "s", "a", "b"),
                feedback=(edit,),
                preferences=(preference("ann", "figs", "f"),),
                weights=RewardWeights(user_id="ann", made_at=AT, values={"length": 1.0}, n_comparisons=1),
            ),
        )
        gone = store.forget("ann", turn_ids=["s.1"])
        assert (gone.feedback_ids, gone.preference_ids) == (("f",), ("figs",))
        assert store.weights("ann") is None

    def test_the_latest_feedback_can_be_asked_for(self, store: MemoryStore) -> None:
        given = [
            Feedback(id=f"f{n}", user_id="ann", turn_id="t", at=AT + timedelta(hours=n), rating=1.0)
            for n in range(5)
        ]
        store.commit("ann", Changes(feedback=tuple(given)))
        assert store.feedback("ann", limit=2) == given[-2:]
        assert store.feedback("ann") == given

    def test_profile_and_personas_lose_what_rested_on_it(self, store: MemoryStore) -> None:
        def persona(version: int, *names: str) -> Persona:
            lines = tuple(PersonaLine(text=f"line on {name}", preference_id=name) for name in names)
            return Persona(
                user_id="ann", version=version, made_at=AT, reason=f"version {version}", lines=lines
            )

        sections = tuple(
            ProfileSection(title=name, text=name, record_ids=(name,)) for name in ("figs", "plums")
        )
        store.commit(
            "ann",
            Changes(
                preferences=(preference("ann", "figs"), preference("ann", "plums")),
                profile=Profile(user_id="ann", version=3, made_at=AT, sections=sections),
                persona=persona(1, "plums"),
            ),
        )
        store.commit("ann", Changes(persona=persona(2, "plums", "figs")))
        store.commit("ann", Changes(persona=persona(3, "plums")))
        assert store.forget("ann", preference_ids=["figs"]).preference_ids == ("figs",)
        profile = store.profile("ann")
        assert profile is not None
        assert [section.title for section in profile.sections] == ["plums"]
        first, second, third = store.personas("ann")
        assert first == persona(1, "plums")
        assert [line.preference_id for line in second.lines] == ["plums"]
        assert "version" not in second.reason
        assert "version" not in third.reason, "the reason of the next version tells what was taken out"

    def test_how_a_turn_was_recalled_goes_with_it_and_outlives_a_rewriting(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "I love figs. I live in Ghent.", "Noted.", "It rains.")
        accesses = tuple(Access(user_id="ann", turn_id=turn.id, at=AT, n=3) for turn in turns)
        store.commit("ann", Changes(turns=turns, accesses=accesses))
        store.forget("ann", turn_ids=["s.2"], rewrites={"s.0": "I live in Ghent."})
        assert store.accesses("ann") == list(accesses[:2])

    def test_an_access_takes_the_place_of_the_former_and_an_unknown_turn_has_none(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I love figs.")))
        store.commit("ann", Changes(accesses=(Access(user_id="ann", turn_id="s.0", at=AT, n=1),)))
        again = Access(user_id="ann", turn_id="s.0", at=AT + timedelta(days=1), n=2)
        unknown = Access(user_id="ann", turn_id="nobody", at=AT, n=1)
        store.commit("ann", Changes(accesses=(again, unknown)))
        assert store.accesses("ann") == [again]

    @pytest.mark.parametrize(
        "gone", [{"turn_ids": ["s.1"]}, {"turn_ids": ["s.2"]}, {"preference_ids": ["figs"]}]
    )
    def test_a_question_goes_with_its_reply_its_answer_and_its_preference(
        self, store: MemoryStore, make_turns: MakeTurns, gone: dict[str, list[str]]
    ) -> None:
        question = AskedQuestion(
            user_id="ann",
            turn_id="s.1",
            topic="food",
            text="Do you like figs?",
            asked_at=AT,
            preference_id="figs",
            answer_id="s.2",
        )
        turns = make_turns("ann", "s", "What is for dessert?", "Figs, perhaps.", "Yes.")
        changes = Changes(turns=turns, preferences=(preference("ann", "figs"),), questions=(question,))
        store.commit("ann", changes)
        store.forget("ann", turn_ids=gone.get("turn_ids", ()), preference_ids=gone.get("preference_ids", ()))
        assert store.questions("ann") == []

    def test_nothing_to_forget_is_no_error(self, store: MemoryStore) -> None:
        forgotten = store.forget("nobody", turn_ids=["x"], preference_ids=["y"], fact_ids=["z"])
        assert (forgotten.turn_ids, forgotten.preference_ids, forgotten.fact_ids) == ((), (), ())

    def test_another_users_records_stay(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        for user in ("ann", "bob"):
            store.commit(
                user,
                Changes(
                    turns=make_turns(user, "s", "I like figs"),
                    preferences=(preference(user, "figs", "s.0"),),
                    facts=(fact(user, "dog", "s.0"),),
                ),
            )
        bob = store.export("bob")
        store.forget("ann", turn_ids=["s.0"], preference_ids=["figs"], fact_ids=["dog"])
        assert store.export("bob") == bob
        assert search(store, "bob", "figs").turn_ids == ["s.0"]
        store.delete_user("ann")
        assert store.export("bob") == bob
        assert store.users() == ["bob"]


class TestUnread:
    def test_turns_wait_in_order_until_they_are_read(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        turns = make_turns("ann", "s", "one", "two", "three")
        store.commit("ann", Changes(turns=turns[:1], unread=(turns[0].id,)))
        store.commit("ann", Changes(turns=turns[1:], unread=(turns[2].id, turns[1].id, turns[0].id)))
        assert store.unread("ann") == [turns[0].id, turns[2].id, turns[1].id]
        assert store.stats("ann").n_unread == 3
        store.commit("ann", Changes(read=(turns[2].id, "unknown")))
        assert store.unread("ann") == [turns[0].id, turns[1].id]

    def test_what_is_read_is_written_with_what_was_found_or_not_at_all(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "one")
        store.commit("ann", Changes(turns=turns, unread=(turns[0].id,)))
        taken = turns[0].model_copy(update={"id": "another"})
        with pytest.raises(InvalidInputError):
            store.commit("ann", Changes(turns=(taken,), read=(turns[0].id,)))
        assert store.unread("ann") == [turns[0].id]

    def test_users_wait_for_themselves_who_waits_longest_first(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        for user in ("bob", "ann"):
            turns = make_turns(user, user, "one", "two")
            store.commit(user, Changes(turns=turns, unread=tuple(turn.id for turn in turns)))
        assert store.users_with_unread() == ["bob", "ann"]
        store.commit("bob", Changes(read=("bob.0", "bob.1", "ann.0")))
        assert store.users_with_unread() == ["ann"]
        assert store.unread("ann") == ["ann.0", "ann.1"]

    def test_an_unknown_turn_does_not_wait(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "one"), unread=("unknown",)))
        assert store.unread("ann") == store.unread("nobody") == store.users_with_unread() == []

    def test_a_forgotten_turn_waits_no_longer_and_a_rewritten_one_keeps_its_place(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        turns = make_turns("ann", "s", "one and two", "reply", "three")
        ids = tuple(turn.id for turn in turns)
        store.commit("ann", Changes(turns=turns, unread=ids))
        store.forget("ann", turn_ids=ids[1:2], rewrites={ids[0]: "one"})
        assert store.unread("ann") == [ids[0], ids[2]]
        store.delete_user("ann")
        assert store.unread("ann") == store.users_with_unread() == []


class TestTurns:
    def test_turns_of_a_user_follow_each_other(self, store: MemoryStore) -> None:
        running, most = 0, 0

        def live(number: int) -> None:
            nonlocal running, most
            with store.turn_of("ann"):
                running += 1
                most = max(most, running)
                store.users()
                running -= 1

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(live, range(12)))
        assert most == 1

    def test_turns_of_different_users_run_side_by_side(self, store: MemoryStore) -> None:
        both = Barrier(2, timeout=30)

        def live(user: str) -> int:
            with store.turn_of(user):
                return both.wait()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(live, ("ann", "bob"))) == [0, 1]

    def test_what_is_written_within_a_turn_is_seen_within_it(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        with store.turn_of("ann"):
            store.commit("ann", Changes(turns=make_turns("ann", "s", "figs")))
            assert search(store, "ann", "figs").turn_ids == ["s.0"]
            store.forget("ann", turn_ids=["s.0"])
            assert store.turns("ann") == []

    def test_a_turn_that_fails_lets_the_next_begin(self, store: MemoryStore) -> None:
        with pytest.raises(RuntimeError, match="broken"), store.turn_of("ann"):
            raise RuntimeError("broken")
        with store.turn_of("ann"):
            assert store.users() == []

    def test_the_version_changes_with_every_change_and_never_comes_back(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        seen = [store.version("ann")]
        changes = Changes(
            turns=make_turns("ann", "s", "figs", "ok"), preferences=(preference("ann", "figs"),)
        )
        for change in (
            lambda: store.commit("ann", changes),
            lambda: store.commit("ann", Changes(ends_sessions=("s",))),
            lambda: store.forget("ann", turn_ids=["s.0"]),
            lambda: store.forget("ann", preference_ids=["figs"]),
            lambda: store.delete_user("ann"),
            lambda: store.commit("ann", changes),
        ):
            change()
            seen.append(store.version("ann"))
        assert seen[5] == seen[0], "unknown users are all alike"
        assert len({*seen}) == len(seen) - 1
        store.commit(
            "bob", changes.model_copy(update={"turns": (), "preferences": (preference("bob", "x"),)})
        )
        store.search("ann", query(store, "figs"))
        assert store.version("ann") == seen[-1]


class TestUsers:
    def test_unknown_users_have_no_memories(self, store: MemoryStore) -> None:
        reads = (store.turns, store.sessions, store.preferences, store.facts, store.corrections)
        for read in (*reads, store.feedback, store.personas):
            assert read("x") == []
        assert store.turn_vectors("x", ["y"]) == {}
        assert store.profile("x") is None
        with pytest.raises(NotFoundError, match="'x'"):
            store.export("x")
        with pytest.raises(NotFoundError, match="'x'"):
            store.delete_user("x")

    def test_a_deleted_user_is_unknown_and_may_come_back(
        self, store: MemoryStore, make_turns: MakeTurns
    ) -> None:
        store.commit(
            "ann",
            Changes(
                turns=make_turns("ann", "s", "figs"),
                preferences=(preference("ann", "figs"),),
                profile=Profile(user_id="ann", version=1, made_at=AT),
                persona=Persona(user_id="ann", version=1, made_at=AT, reason="r"),
            ),
        )
        search(store, "ann", "figs")
        store.delete_user("ann")
        assert store.users() == []
        assert len(search(store, "ann", "figs")) == 0
        store.commit("ann", Changes(turns=make_turns("ann", "s", "plums")))
        assert [turn.text for turn in store.export("ann").turns] == ["plums"]
        assert len(search(store, "ann", "figs")) == 1

    def test_counts(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.commit(
            "ann",
            Changes(
                turns=make_turns("ann", "a", "x", "y") + make_turns("ann", "b", "z"),
                preferences=(preference("ann", "figs"),),
                facts=(fact("ann", "dog"), fact("ann", "cat")),
            ),
        )
        store.commit("bob", Changes(turns=make_turns("bob", "a", "x")))
        stats, ann, nobody = store.stats(), store.stats("ann"), store.stats("nobody")
        assert (stats.n_users, stats.n_sessions, stats.n_turns) == (2, 3, 4)
        assert (stats.n_preferences, stats.n_facts) == (1, 2)
        assert (ann.n_users, ann.n_sessions, ann.n_turns, ann.n_facts) == (1, 2, 3, 2)
        assert (nobody.n_users, nobody.n_turns) == (0, 0)
        assert stats.encoder == store.encoder.fingerprint
        assert stats.bytes_on_disk > 0


class TestLife:
    def test_flush_and_reindex_leave_the_answers_as_they_are(
        self, store: MemoryStore, make_turns: MakeTurns, babble: Callable[[int], str]
    ) -> None:
        store.commit("ann", Changes(turns=make_turns("ann", "s", *(babble(9) for _ in range(40)))))
        before = search(store, "ann", "word1 word2 word3")
        store.flush()
        assert store.stats().n_pending == 0
        calls: list[tuple[int, int]] = []
        store.reindex(lambda done, total: calls.append((done, total)))
        assert store.stats().n_pending == 0
        assert calls[-1] == (40, 40)
        after = search(store, "ann", "word1 word2 word3")
        assert after.turn_ids == before.turn_ids
        for arm, scores in before.arms.items():
            np.testing.assert_array_equal(after.arms[arm], scores)

    def test_a_closed_store_says_so(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        store.close()
        store.close()
        for use in (
            lambda: store.commit("ann", Changes(turns=make_turns("ann", "s", "x"))),
            lambda: store.turns("ann"),
            lambda: search(store, "ann", "x"),
            lambda: store.forget("ann", turn_ids=["s.0"]),
            store.flush,
            store.reindex,
            store.stats,
        ):
            with pytest.raises(StoreClosedError, match="closed"):
                use()

    def test_many_threads_at_once(self, store: MemoryStore, make_turns: MakeTurns) -> None:
        def live(number: int) -> None:
            user = f"user{number % 3}"
            for step in range(12):
                session = f"s{number}.{step}"
                store.commit(user, Changes(turns=make_turns(user, session, f"word{number} step{step}", "ok")))
                found = search(store, user, f"word{number} step{step}")
                assert f"{session}.0" in found.turn_ids
                assert len(set(found.turn_ids)) == len(found)
                if step % 4 == 3:
                    store.forget(user, turn_ids=[f"{session}.0"])
                    assert f"{session}.0" not in search(store, user, f"word{number}").turn_ids

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(live, range(6)))
        for user in store.users():
            assert len(store.turns(user)) == 2 * (2 * 12 - 3)
            assert sorted(search(store, user, "ok").turn_ids) == sorted(turn.id for turn in store.turns(user))
        store.flush()
        assert store.stats().n_pending == 0


def test_the_encoder_is_the_one_it_was_opened_with(store: MemoryStore, encoder: HashingEncoder) -> None:
    assert store.encoder is encoder
