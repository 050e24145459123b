"""Metrics of texts against values computed by hand."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.evals.metrics.texts import (
    MissingLibrary,
    bleu,
    containment,
    edit_cost,
    embedding_similarity,
    locomo_bleu1,
    locomo_f1,
    locomo_tokens,
    meteor,
    normalize_answer,
    perplexity,
    rouge,
)
from habitus.retrievers.encoder import Encoder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Green, TEA!", "green tea"),
        ("7-day", "7 day"),
        ("an hour", "hour"),
        ("Theatre", "theatre"),
        ("?!", ""),
        ("“Tea” – it’s", "tea it s"),
    ],
)
def test_answers_are_compared_without_case_punctuation_and_articles(text: str, expected: str) -> None:
    assert normalize_answer(text) == expected


@pytest.mark.parametrize(
    ("reply", "answer", "expected"),
    [
        ("You drink the green tea.", "Green tea", 1.0),
        ("You drink greenish tea.", "green tea", 0.0),
        ("It took 15 days.", "5 days", 0.0),
        ("", "green tea", 0.0),
    ],
)
def test_containment_is_of_whole_words(reply: str, answer: str, expected: float) -> None:
    assert containment(reply, answer) == expected


def test_an_answer_without_words_cannot_be_contained() -> None:
    with pytest.raises(ValueError, match="holds no words"):
        containment("anything", "...")


def test_rouge_by_hand() -> None:
    # Shared: the, cat, on, mat; six words each. In order: the cat on mat.
    assert rouge("the cat was on a mat", "the cat sat on the mat") == {
        "rouge1": pytest.approx(4 / 6),
        "rougeL": pytest.approx(4 / 6),
    }
    found = rouge("mat the on cat", "the cat on mat")
    assert found["rouge1"] == 1.0
    assert found["rougeL"] == pytest.approx(2 / 4)


def test_rouge_counts_repeated_words_and_stems() -> None:
    assert rouge("the the the", "the cat sat")["rouge1"] == pytest.approx(1 / 3)
    assert rouge("cats", "cat")["rouge1"] == 1.0


def test_bleu_by_hand() -> None:
    # 6/7 words, 5/6, 4/5 and 3/4 n-grams; the reply is longer, so no brevity penalty: (3/7)^(1/4).
    found = bleu(["the cat sat on the mat today"], ["the cat sat on the mat"])
    assert found == pytest.approx(100 * (3 / 7) ** 0.25)


def test_bleu_counts_over_the_corpus_and_penalises_short_replies() -> None:
    texts = ["one two three four five", "six seven eight nine ten"]
    assert bleu(texts, texts) == pytest.approx(100.0)
    short = bleu(["one two three four"], ["one two three four five"])
    assert short == pytest.approx(100 * math.exp(1 - 5 / 4))


def test_meteor_by_hand() -> None:
    # P = 1, R = 3/4, F = P R / (.9 P + .1 R), one chunk of three matches.
    f = 0.75 / (0.9 + 0.075)
    assert meteor("the cat sat", "The cat sat down") == pytest.approx(f * (1 - 0.5 * (1 / 3) ** 3))
    assert meteor("dogs", "dog") == pytest.approx(0.5)  # by stem; a single match is one chunk
    assert meteor("", "dog") == meteor("stone", "dog") == 0.0


def test_cosines_are_of_each_reply_with_its_own_reference(encoder: Encoder) -> None:
    same, other = embedding_similarity(
        ["I like green tea", "I like green tea"], ["I like green tea", "The train is late again"], encoder
    )
    assert same == pytest.approx(1.0, abs=1e-5)
    assert other < same


def test_perplexity_by_hand() -> None:
    assert perplexity([math.log(0.5), math.log(0.125)]) == pytest.approx(4.0)
    assert perplexity([0.0]) == 1.0
    with pytest.raises(ValueError, match="no tokens"):
        perplexity([])
    with pytest.raises(ValueError, match="at most 0"):
        perplexity([0.5])


@pytest.mark.parametrize(
    ("reply", "edited", "expected"),
    [
        ("a b c", "a b c", 0.0),
        ("a b c", "a x c", 1 / 3),
        ("a b c d", "a b", 1 / 2),
        ("a b", "b a", 1.0),
        ("", "a b", 1.0),
        ("", "", 0.0),
    ],
)
def test_edit_cost_by_hand(reply: str, edited: str, expected: float) -> None:
    assert edit_cost(reply, edited) == pytest.approx(expected)


words = st.lists(st.sampled_from("abc"), max_size=6).map(" ".join)


@given(words, words)
def test_edit_cost_is_symmetric_and_at_most_one(one: str, other: str) -> None:
    assert edit_cost(one, other) == edit_cost(other, one)
    assert 0.0 <= edit_cost(one, other) <= 1.0


def test_locomo_normalises_as_its_code_does() -> None:
    assert locomo_tokens("The cats, and a well-known dog!") == ["cat", "wellknown", "dog"]


@pytest.mark.parametrize(
    ("reply", "answer", "category", "expected"),
    [
        ("the green teas", "green tea", 4, 1.0),
        ("green tea daily", "green tea", 4, 0.8),  # P 2/3, R 1
        ("tennis, chess", "chess, golf", 1, 0.5),  # chess found, golf not
        ("Ann likes dogs", "dogs; because she said so", 3, 0.5),  # P 1/3, R 1
        ("That is not mentioned.", "anything", 5, 1.0),
        ("In May", "anything", 5, 0.0),
        ("", "tea", 2, 0.0),
    ],
)
def test_locomo_f1_by_hand(reply: str, answer: str, category: int, expected: float) -> None:
    assert locomo_f1(reply, answer, category) == pytest.approx(expected)


def test_locomo_bleu1_by_hand() -> None:
    assert locomo_bleu1("green tea daily", "green tea") == pytest.approx(2 / 3)
    assert locomo_bleu1("green", "green tea") == pytest.approx(math.exp(1 - 2))
    assert locomo_bleu1("green green", "green tea") == pytest.approx(1 / 2)  # clipped
    assert locomo_bleu1("coffee", "green tea") == 0.0


def test_locomo_has_five_categories() -> None:
    with pytest.raises(ValueError, match="categories 1 to 5"):
        locomo_f1("a", "b", 6)


@pytest.mark.parametrize(
    ("missing", "metric"),
    [
        ("rouge_score.rouge_scorer", lambda: rouge("a", "a")),
        ("sacrebleu", lambda: bleu(["a"], ["a"])),
        ("nltk.translate.meteor_score", lambda: meteor("a", "a")),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    missing: str, metric: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingLibrary, match=r"habitus\[metrics\]"):
        metric()


def test_as_many_references_as_replies() -> None:
    with pytest.raises(ValueError, match="1 replies and 0 references"):
        bleu(["a"], [])
