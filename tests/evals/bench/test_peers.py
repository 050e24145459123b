"""The comparison with peers: its corpus and figures, on Habitus and on the peers that it brings along."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from habitus.evals.bench.peers.compare import batches, measure, quality, show
from habitus.evals.bench.peers.corpus import Asked, Corpus, Item, Known, encode, load, of_size, read, save
from habitus.evals.bench.peers.systems import SYSTEMS, Txtai
from habitus.retrievers.encoder import HashingEncoder, Vectors

AT = datetime(2024, 5, 1, tzinfo=UTC).isoformat()


def item(user: str, session: str, index: int, text: str) -> Item:
    return Item(user=user, session=session, index=index, role="user", text=text, at=AT)


@pytest.fixture
def corpus() -> Corpus:
    """Two users; the second tells what both are asked."""
    items = [item("a", f"s{n}", 0, f"I bought {n} pears at the market.") for n in range(6)]
    items += [item("b", f"s{n}", 0, f"I saw {n} films at the cinema.") for n in range(6)]
    items[8] = item("b", "s2", 0, "My violin teacher is called Ines.")
    question = "What is my violin teacher called?"
    asked = Asked(user="b", text=question, at=AT, evidence=("s2",))
    return Corpus(tuple(items), (asked, replace(asked, user="a", evidence=())))


@pytest.fixture
def folder(corpus: Corpus, tmp_path: Path) -> Path:
    save(tmp_path, corpus, *encode(corpus, HashingEncoder(64)))
    return tmp_path


def test_what_is_saved_is_loaded(corpus: Corpus, folder: Path) -> None:
    loaded, encoder = load(folder)
    assert loaded == corpus
    texts = [item.text for item in corpus.items]
    assert encoder.encode(texts).tolist() == HashingEncoder(64).encode(texts).tolist()


@pytest.mark.parametrize("name", ["habitus", "chroma", "langgraph"])
def test_the_right_session_of_the_right_user_is_found(folder: Path, name: str) -> None:
    found = measure(folder, name, rounds=2)
    assert (found["system"], found["n_memories"], found["n_users"]) == (name, 12, 2)
    assert found["quality"] == {"n": 1, "r@1": 1.0, "all@5": 1.0}
    assert found["search"]["n"] == 2
    assert found["ingest_per_second"] > 0
    json.dumps(found)
    (folder / "again").mkdir()
    loaded, encoder = load(folder)
    with closing(SYSTEMS[name](folder / "again", encoder)) as system:
        for batch in batches(loaded.items):
            system.add(batch)
        assert set(system.search(loaded.questions[1], 50)) == {f"s{n}" for n in range(6)}


def test_a_system_that_is_not_there_is_an_import_error(tmp_path: Path, corpus: Corpus) -> None:
    encoder = Known(*encode(corpus, HashingEncoder(64)))

    class Missing(Txtai):
        package = "no_such_package"

    with pytest.raises(ImportError, match="no_such_package"):
        Missing(tmp_path, encoder)


def test_sizes_are_cut_from_a_user_or_copied_to_new_ones(corpus: Corpus) -> None:
    few = of_size(corpus, 4)
    assert [one.id for one in few.items] == ["a:s0:0", "a:s1:0", "a:s2:0", "a:s3:0"]
    assert {question.user for question in few.questions} == {"a"}
    assert not any(question.evidence for question in few.questions)
    assert of_size(corpus, 13) == corpus
    many = of_size(corpus, 36)
    assert len(many.items) == 36
    assert {one.user for one in many.items} == {"a", "b", "a-1", "b-1", "a-2", "b-2"}
    assert many.questions == corpus.questions


def test_batches_are_of_one_user() -> None:
    items = [item(user, "s", n, "x") for user, n_items in (("a", 300), ("b", 2)) for n in range(n_items)]
    assert [(batch[0].user, len(batch)) for batch in batches(items)] == [("a", 256), ("a", 44), ("b", 2)]


def test_quality_counts_questions_with_evidence(corpus: Corpus) -> None:
    one, other = corpus.questions
    both = Corpus(corpus.items, (one, replace(one, evidence=("s2", "s9")), other))
    found = quality(both, [["s2"], ["s1", "s2", "s3", "s4", "s5", "s9"], []])
    assert found == {"n": 2, "r@1": 0.5, "all@5": 0.5}
    assert quality(Corpus(corpus.items, (other,)), [["s2"]]) is None


def test_histories_become_users_without_official_ids(tmp_path: Path) -> None:
    record = {
        "question_id": "q1",
        "question_type": "multi-session",
        "question": "Who?",
        "question_date": "2023/05/30 (Tue) 20:42",
        "answer": "Ines",
        "answer_session_ids": ["answer_1"],
        "haystack_dates": ["2023/05/20 (Sat) 06:13", "2023/05/21 (Sun) 06:13"],
        "haystack_session_ids": ["filler", "answer_1"],
        "haystack_sessions": [
            [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}],
            [{"role": "user", "content": "Ines.", "has_answer": True}],
        ],
    }
    path = tmp_path / "data.json"
    path.write_text(json.dumps([record, {**record, "question_id": "q2_abs"}]))
    found = read(path, 50)
    assert [(one.user, one.session, one.index, one.role) for one in found.items] == [
        ("user0", "s0", 0, "user"),
        ("user0", "s0", 1, "assistant"),
        ("user0", "s1", 0, "user"),
    ]
    assert found.questions[0].evidence == ("s1",)


def test_a_slow_system_is_stopped_and_searched_with_what_it_holds(folder: Path) -> None:
    found = measure(folder, "langgraph", rounds=2, seconds=0.0)
    assert (found["n_memories"], found["n_left_out"], found["n_users"]) == (6, 6, 1)
    assert found["search"]["n"] == 1
    assert found["quality"] is None
    out = StringIO()
    with redirect_stdout(out):
        show([{"size": 12, **found}, {"system": "x", "size": 12, "error": "gone"}])
    text = " ".join(out.getvalue().split())
    assert "langgraph: stopped adding at 6 of 12 memories" in text
    assert "x at 12: gone" in text


def test_encoding_the_question_can_belong_to_a_search(folder: Path) -> None:
    class Counted(HashingEncoder):
        n = 0

        def encode(self, texts: Sequence[str]) -> Vectors:
            self.n += 1
            return super().encode(texts)

    live = Counted(64)
    found = measure(folder, "habitus", rounds=3, live=live)
    assert found["search"]["n"] == found["search_with_encoding"]["n"] == live.n == 4
    assert measure(folder, "langgraph", rounds=2)["search_with_encoding"] == {"n": 0}
