import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.memory.index.units import MAX_SENTENCES, REPLY_WORDS, units


def test_each_sentence_of_the_user_is_a_unit() -> None:
    assert units("user", "Could you plan a trip? By the way, I sold my boat.") == [
        "Could you plan a trip?",
        "By the way, I sold my boat.",
    ]


def test_a_short_sentence_joins_the_next_or_the_last() -> None:
    assert units("user", "Hi! I sold my boat. Bye.") == ["Hi! I sold my boat. Bye."]
    assert units("user", "Thanks!") == ["Thanks!"]


def test_a_sentence_longer_than_an_encoder_reads_is_cut() -> None:
    found = units("user", "word " * 400)
    assert len(found) == 3
    assert sum(len(unit.split()) for unit in found) == 400


def test_a_reply_is_told_by_its_first_words() -> None:
    [unit] = units("assistant", "word " * 400)
    assert len(unit.split()) == REPLY_WORDS


@pytest.mark.parametrize("role", ["user", "assistant"])
@given(text=st.text(min_size=1).filter(str.strip))
def test_every_message_has_a_unit_and_not_too_many(role: str, text: str) -> None:
    found = units("user" if role == "user" else "assistant", text)
    assert 1 <= len(found) <= MAX_SENTENCES
    assert all(unit.strip() for unit in found)
