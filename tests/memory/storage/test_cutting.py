import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.memory.storage.cutting import mentions, without
from habitus.retrievers.analysis import analyze


def cut(text: str, *subjects: str) -> str:
    return without(text, [set(analyze(subject)) for subject in subjects])


def test_a_clause_goes_and_its_neighbours_stay() -> None:
    said = "Hi! My name is Maya, I live in Lisbon and I work as a nurse."
    assert cut(said, "nurse") == "Hi! My name is Maya, I live in Lisbon."
    assert cut(said, "Lisbon") == "Hi! My name is Maya and I work as a nurse."


def test_a_sentence_goes_and_its_neighbours_stay() -> None:
    assert cut("I sold my boat. I adore opera! It rains.", "opera") == "I sold my boat. It rains."


def test_a_clause_that_cannot_stand_alone_goes_too() -> None:
    assert cut("I adore opera, really. It rains today.", "opera") == "It rains today."


def test_a_message_that_says_nothing_else_goes_as_a_whole() -> None:
    assert cut("I adore opera!", "opera") == ""


def test_several_subjects_go_at_once() -> None:
    assert cut("I like tea. I like jam. I like rye bread.", "tea", "rye bread") == "I like jam."


def test_all_words_of_a_subject_must_stand_together_in_a_sentence() -> None:
    apart = "I work in Ghent. My aunt is a nurse."
    assert cut(apart, "work nurse") == apart
    assert cut("The red boat sank.", "red car") == "The red boat sank."


@pytest.mark.parametrize("text", ["", "   ", "?!", "no end", "a.b.c", "line one\nline two\n"])
def test_a_text_without_the_subject_is_left_as_it_is(text: str) -> None:
    assert cut(text, "opera") == (text.strip() if analyze(text) else "")


words = st.sampled_from("opera boat Ghent tea and but I , . ! ? work adore\n".split(" "))


@given(
    st.lists(words, max_size=40),
    st.sets(st.sampled_from(["opera", "boat", "tea", "work"]), min_size=1, max_size=2),
)
def test_what_is_left_never_mentions_the_subject(said: list[str], subject: set[str]) -> None:
    subjects = [set(analyze(" ".join(subject)))]
    assert not mentions(without(" ".join(said), subjects), subjects)
