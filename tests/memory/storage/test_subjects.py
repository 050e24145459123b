"""Forgetting by what the words name, in other words than it was told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.records import Changes, Role, Turn
from habitus.memory.storage.subjects import forget_about, forget_said, perhaps_meant
from habitus.memory.store import MemoryStore

_START = datetime(2025, 1, 6, tzinfo=UTC)


def _say(store: MemoryStore, *texts: str, role: Role = "user") -> None:
    for text in texts:
        index = len(store.turns("ann"))
        turn = Turn(
            id=f"t{index}",
            user_id="ann",
            session_id="s",
            index=index,
            role=role,
            text=text,
            at=_START + timedelta(days=index),
        )
        store.commit("ann", Changes(turns=(turn,)))


def _left(store: MemoryStore) -> list[str]:
    return [turn.text for turn in store.turns("ann")]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("My flat is in Porto, so mind the time zone.", "where I live"),
        ("I'm a glazier by trade.", "what my job is"),
        ("I have a cat named Minka.", "my cat's name"),
        ("I've got a Renault Master, which is cheap to run.", "my van is a Renault Master"),
        ("My camera is a Nikon Z5.", "I use a Nikon Z5 as my camera"),
        ("Chess club keeps me busy on Mondays.", "when my chess club is"),
    ],
)
def test_what_is_named_goes_however_it_was_told(embedded_store: MemoryStore, told: str, words: str) -> None:
    others = ("My sister lives in Oslo.", "My father drives a Volvo.", "I like soup.")
    _say(embedded_store, told, *others)

    gone = forget_about(embedded_store, "ann", words)

    assert {*gone.turn_ids, *gone.rewritten_ids} == {"t0"}
    assert not {"Porto", "glazier", "Minka", "Renault", "Nikon", "Mondays"} & set(
        re.findall(r"\w+", str(_left(embedded_store)))
    )
    assert _left(embedded_store)[-3:] == list(others)


def test_the_same_of_somebody_else_stays(embedded_store: MemoryStore) -> None:
    _say(
        embedded_store,
        "My van is a Renault Master.",
        "My father drives a Ford Transit.",
        "My aunt's cat is called Minka.",
    )

    forget_about(embedded_store, "ann", "what van I drive")

    assert _left(embedded_store)[-2:] == [
        "My father drives a Ford Transit.",
        "My aunt's cat is called Minka.",
    ]


def test_what_else_a_message_says_stays(embedded_store: MemoryStore) -> None:
    _say(embedded_store, "My flat is in Porto and I love long walks.")

    forget_about(embedded_store, "ann", "where I live")

    assert _left(embedded_store) == ["I love long walks."]


def test_a_reply_that_repeats_it_goes_too(embedded_store: MemoryStore) -> None:
    _say(embedded_store, "My flat is in Porto.")
    _say(embedded_store, "On 6 January you said: “My flat is in Porto.”", role="assistant")

    forget_about(embedded_store, "ann", "where I live")

    assert _left(embedded_store) == []


def test_another_value_than_the_named_one_stays(embedded_store: MemoryStore) -> None:
    _say(embedded_store, "My van is a Renault Master.")

    forget_about(embedded_store, "ann", "my van is a Ford Transit")

    assert _left(embedded_store) == ["My van is a Renault Master."]
    assert perhaps_meant(embedded_store, "ann", "my van is a Ford Transit") == ["My van is a Renault Master."]


def test_a_sentence_that_was_asked_about_goes_and_what_is_like_it_stays(embedded_store: MemoryStore) -> None:
    _say(embedded_store, "I have a cat. It rains.", "I have a cat and a dog at home.", "Cats are fine.")
    _say(embedded_store, "You said: “I have a cat”. Shall we go on?", role="assistant")

    gone = forget_said(embedded_store, "ann", ["I have a cat."])

    assert _left(embedded_store) == [
        "It rains.",
        "I have a cat and a dog at home.",
        "Cats are fine.",
        "Shall we go on?",
    ]
    assert set(gone.rewritten_ids) == {"t0", "t3"}
    assert gone.turn_ids == ()
