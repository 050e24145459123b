"""From a text to its terms."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.retrievers.analysis import analyze


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Cats running", ["cat", "run"]),
        ("the the The", ["the", "the", "the"]),
        ("snake_case e-mail", ["snake", "case", "e", "mail"]),
        ("v2.0 at 10:30", ["v2", "0", "at", "10", "30"]),
        ("STRASSE Straße", ["strass", "strass"]),
        ("東京 Москва", ["東京", "москва"]),
        ("…!? \n", []),
        ("", []),
    ],
)
def test_words_become_stems(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_both_apostrophes_are_one() -> None:
    assert analyze("don’t") == analyze("don't")
    assert len(analyze("don't")) == 1


@given(st.text())
def test_terms_hold_no_blanks_so_that_they_can_be_joined(text: str) -> None:
    terms = analyze(text)
    assert " ".join(terms).split() == terms


@given(st.text())
def test_case_does_not_matter(text: str) -> None:
    assert analyze(text.casefold()) == analyze(text)


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f"running{number} flies happily cities nationally{number}" for number in range(300)]
    expected = [analyze(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(analyze, texts)) == expected
