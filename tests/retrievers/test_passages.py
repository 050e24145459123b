"""Cutting long texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.retrievers.passages import passages, sentences

WORDS = st.lists(st.sampled_from(["fig", "plum.", "pear?", "x" * 50, "one\ntwo"]), min_size=1, max_size=80)


def test_a_short_text_is_one_passage_as_it_is() -> None:
    assert passages("  Hello.  World. \n") == ["  Hello.  World. \n"]


def test_cuts_fall_on_sentence_ends() -> None:
    text = "One two three. Four five six! Seven eight?"
    assert passages(text, max_words=6) == ["One two three. Four five six!", "Seven eight?"]
    assert passages(text, max_words=4) == ["One two three.", "Four five six!", "Seven eight?"]


def test_a_sentence_that_is_too_long_is_cut_within() -> None:
    text = " ".join(str(number) for number in range(10))
    assert passages(text, max_words=4) == ["0 1 2 3", "4 5 6 7", "8 9"]


@given(words=WORDS, max_words=st.integers(1, 9))
def test_every_word_is_in_exactly_one_passage_in_order(words: list[str], max_words: int) -> None:
    text = " ".join(words)
    found = passages(text, max_words=max_words, max_passages=10_000)
    assert [word for passage in found for word in passage.split()] == text.split()
    assert all(0 < len(passage.split()) <= max_words for passage in found)


@given(words=WORDS, max_passages=st.integers(1, 5))
def test_there_are_never_too_many(words: list[str], max_passages: int) -> None:
    text = " ".join(words)
    found = passages(text, max_words=2, max_passages=max_passages)
    assert 1 <= len(found) <= max_passages
    assert found == passages(text, max_words=2, max_passages=10_000)[:max_passages]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("a\n\nb\n", ["a", "b"]),
        ("v2.0 is out", ["v2.0 is out"]),
        ("  ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected
