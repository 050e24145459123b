"""How a user writes, told from their own messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from habitus.memory.known.authorship import latest_turns, own_vocabulary, writing_of
from habitus.memory.records import Changes, Turn
from habitus.memory.store import MemoryStore

MakeTurns = Callable[..., tuple[Turn, ...]]
REPLY = "There are several ways to look at this, and each of them has merits of its own to weigh up."


def conversation(make_turns: MakeTurns, own: Sequence[str], session: str = "s") -> tuple[Turn, ...]:
    return make_turns("maya", session, *(text for said in own for text in (said, REPLY)))


def test_lengths_and_marks_are_told_in_sentences(make_turns: MakeTurns) -> None:
    own = ["hi! is the tide in?", "thanks! and the wind?", "hello, which knot holds?", "ok!", "fine! bye"]
    told = writing_of(conversation(make_turns, own))
    assert told[0] == "The user writes some 4 words a message, 1 a sentence."
    assert "In 80% of the messages: an exclamation mark." in told
    assert "In 100% of the messages: no capital at the beginning." in told
    assert not any("emoji" in one for one in told)


def test_of_too_few_messages_nothing_is_told(make_turns: MakeTurns) -> None:
    assert writing_of(conversation(make_turns, ["hi!", "and now?", "ok!", "bye!"])) == []


def test_the_words_are_those_that_the_other_does_not_use() -> None:
    own = ["cheers for the tide tables", "cheers for the tables", "cheers, and the weather for Friday?"] * 2
    others = ["The weather for Friday is fair, and the tables for the tide are below."] * 10
    assert own_vocabulary(own, others) == ["cheers"]
    assert own_vocabulary(own, ["cheers " * 30]) != ["cheers"]


@pytest.mark.parametrize(("own", "others"), [([], ["a word"]), (["once", "said"], []), ([], [])])
def test_a_word_said_once_is_nobodys_own(own: list[str], others: list[str]) -> None:
    assert own_vocabulary(own, others) == []


def test_one_user_is_read_and_only_their_latest_sessions(
    embedded_store: MemoryStore, make_turns: MakeTurns
) -> None:
    for number in range(22):
        said = make_turns("maya", f"s{number:02}", f"message {number}", REPLY, day=number)
        embedded_store.commit("maya", Changes(turns=said))
    embedded_store.commit("leo", Changes(turns=make_turns("leo", "other", "message of leo", REPLY, day=30)))
    found = [turn.text for turn in latest_turns(embedded_store, "maya") if turn.role == "user"]
    assert found == [f"message {number}" for number in range(2, 22)]
