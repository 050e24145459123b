"""Slips of spelling, and changes that were meant."""

from __future__ import annotations

import pytest

from habitus.memory.learning.slips import as_meant, is_slip, only_spelling
from habitus.memory.records import Edit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("resturant", "restaurant"),
        ("recieve", "receive"),
        ("teh", "the"),
        ("isnt", "isn't"),
        ("“colour,", "“color,"),
        ("verry!", "very!"),
    ],
)
def test_one_letter_is_a_slip_either_way(one: str, other: str) -> None:
    assert is_slip(one, other)
    assert is_slip(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3", "4"),
        ("v2", "v3"),
        ("Jon", "John"),
        ("none", "one"),
        ("ever", "never"),
        ("now", "not"),
        ("kein", "ein"),
        ("it", "is"),
        ("great.", "great!"),
        ("-", "*"),
        ("chicken", "kitchen"),
        ("the", "the"),
    ],
)
def test_what_changes_the_meaning_or_the_form_is_none(one: str, other: str) -> None:
    assert not is_slip(one, other)
    assert not is_slip(other, one)


def test_slips_are_put_right_and_all_else_stays() -> None:
    edit = Edit(before="The resturant  is open.\n\n- Come early", after="The restaurant is open.\nCome")
    assert as_meant(edit).before == "The restaurant  is open.\n\n- Come early"
    assert as_meant(edit).after == edit.after
    assert not only_spelling(edit)


def test_an_edit_of_spelling_alone_is_told_from_one_without_a_change() -> None:
    assert only_spelling(Edit(before="A verry good, quiet place.", after="A very good, quiet place."))
    assert not only_spelling(Edit(before="The same words.", after="The same words."))
    assert not only_spelling(Edit(before="A good place on 3 May.", after="A good place on 4 May."))
