from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.memory.retrieval.packing import (
    MAX_REPLY_TOKENS,
    MAX_TURN_TOKENS,
    is_longer,
    pack,
    render,
    shorten,
)
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Memory
from habitus.memory.tokens import estimate_tokens
from habitus.retrievers.passages import sentences

DAY = datetime(2026, 1, 1, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=300).filter(
    str.strip
)


def ask(words: str, *, about_replies: bool = False) -> Question:
    return Question(meaning=words, words=words, about_replies=about_replies)


def memory(text: str, *, day: int = 0, role: str = "user", score: float = 0.0) -> Memory:
    return Memory(
        turn_id=f"{day}-{text[:10]}",
        session_id=f"s{day}",
        role="user" if role == "user" else "assistant",
        text=text,
        at=DAY + timedelta(days=day),
        score=score,
    )


@given(st.lists(st.tuples(words, st.integers(0, 5), st.booleans()), max_size=20), st.integers(0, 300))
def test_the_budget_is_never_exceeded(said: list[tuple[str, int, bool]], budget: int) -> None:
    ranked = [memory(text, day=day, role="user" if user else "assistant") for text, day, user in said]
    packed = pack(ranked, question=ask("what"), budget=budget, count_tokens=estimate_tokens)
    assert estimate_tokens(packed.text) == packed.n_tokens <= budget


def test_a_tokenizer_that_counts_wholes_higher_than_parts_is_obeyed() -> None:
    def superadditive(text: str) -> int:
        return len(text) ** 2 // 50

    packed = pack(
        [memory("a" * 20, day=d) for d in range(9)], question=ask("a"), budget=60, count_tokens=superadditive
    )
    assert superadditive(packed.text) <= 60


def test_memories_stand_in_time_order_under_their_days() -> None:
    packed = pack(
        [memory("later", day=3), memory("earlier", day=1)],
        question=ask("x"),
        budget=100,
        count_tokens=estimate_tokens,
    )
    assert packed.text == "## 2026-01-02 (Fri)\nUser: earlier\n## 2026-01-04 (Sun)\nUser: later"


def test_the_best_are_taken_first() -> None:
    packed = pack(
        [memory("best " * 10, day=1), memory("second " * 10, day=2)],
        question=ask("x"),
        budget=30,
        count_tokens=estimate_tokens,
    )
    assert [one.text.split()[0] for one in packed.memories] == ["best"]


def test_the_same_words_are_not_packed_twice() -> None:
    packed = pack(
        [memory("twice"), memory("twice", day=1)], question=ask("x"), budget=99, count_tokens=estimate_tokens
    )
    assert len(packed.memories) == 1


def test_a_short_text_is_kept_as_it_is() -> None:
    assert shorten(["Just this."], "what", 10, estimate_tokens) == "Just this."


def test_the_sentence_that_shares_words_with_the_question_is_kept() -> None:
    filler = "The weather was grey and nothing happened at all that morning. " * 10
    text = f"{filler}My sister Ada moved to Turin. {filler}"
    cut = shorten(sentences(text), "sister move", 40, estimate_tokens)
    assert "My sister Ada moved to Turin." in cut
    assert "…" in cut
    assert estimate_tokens(cut) <= 40 + 10  # the marks of what was left out


def test_one_endless_sentence_is_cut_at_a_word() -> None:
    cut = shorten(["word " * 1_000], "word", 20, estimate_tokens)
    assert cut.endswith("word …")
    assert estimate_tokens(cut) <= 20


@pytest.mark.parametrize(("role", "limit"), [("user", MAX_TURN_TOKENS), ("assistant", MAX_REPLY_TOKENS)])
def test_long_messages_are_shortened_and_marked(role: str, limit: int) -> None:
    long = "One more sentence stands here. " * 60
    packed = pack([memory(long, role=role)], question=ask("x"), budget=500, count_tokens=estimate_tokens)
    [kept] = packed.memories
    assert kept.shortened
    assert estimate_tokens(kept.text) <= limit + 5


def test_a_message_of_several_lines_takes_one_line() -> None:
    assert render([memory("one\n\n two")]).splitlines()[1] == "User: one two"


def test_a_sentence_near_in_meaning_is_kept_without_a_shared_word() -> None:
    pieces = [f"Filler sentence number {n} says nothing of note." for n in range(20)] + ["Ada went to Turin."]
    cut = shorten(pieces, "sister", 30, estimate_tokens, [0.0] * 20 + [0.9])
    assert "Ada went to Turin." in cut


def test_what_bears_most_is_cut_rather_than_left_out() -> None:
    pieces = ["My sister " + "really " * 100 + "moved.", "Short."]
    assert shorten(pieces, "sister move", 20, estimate_tokens).startswith("My sister really")


def test_a_reply_that_is_asked_for_is_cut_less() -> None:
    long = "One more sentence stands here. " * 60
    replies = [memory(long, role="assistant")]
    plain = pack(replies, question=ask("x"), budget=500, count_tokens=estimate_tokens)
    asked = pack(replies, question=ask("x", about_replies=True), budget=500, count_tokens=estimate_tokens)
    assert asked.n_tokens > 2 * plain.n_tokens


def test_what_was_replaced_says_so_before_its_words() -> None:
    old = replace(memory("I have 12 violins."), newer_at=DAY + timedelta(days=30))
    packed = pack([old], question=ask("violins"), budget=100, count_tokens=estimate_tokens)
    assert packed.text.splitlines()[1] == "User: (earlier; newer on 2026-01-31) I have 12 violins."


@pytest.mark.parametrize(("budget", "is_shorter"), [(1_000, True), (4_000, False)])
def test_members_of_a_list_are_cut_shorter_where_the_budget_is_small(budget: int, is_shorter: bool) -> None:
    long = "One more sentence stands here. " * 60
    many = Question(meaning="x", words="x", aggregates=True)
    plain = pack([memory(long)], question=ask("x"), budget=budget, count_tokens=estimate_tokens)
    member = pack([memory(long)], question=many, budget=budget, count_tokens=estimate_tokens)
    assert (member.n_tokens < 0.7 * plain.n_tokens) is is_shorter
    assert is_shorter or member.text == plain.text


def test_of_a_long_text_only_the_beginning_is_counted() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return estimate_tokens(text)

    text = "We went up the hill and down again. " * 100
    assert is_longer(text, 20, count)
    assert max(map(len, counted)) < 300
    for words in ("word " * 20, "word " * 21, "w" * 3_000, "incomprehensibilities " * 9):
        assert is_longer(words, 20, estimate_tokens) == (estimate_tokens(words) > 20)
