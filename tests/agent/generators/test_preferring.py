from __future__ import annotations

import pytest

from habitus.agent.generators.extractive.preferring import preferred
from habitus.agent.prompting.prompt import PromptParts


def _answer(question: str, *preferences: str) -> str | None:
    return preferred(PromptParts(text=question, sections={"preferences": "\n".join(preferences)}))


def test_what_is_liked_is_named_with_the_words_that_tell_it() -> None:
    answer = _answer(
        "Which of the two do I like, polka or waltz?", "prefer: I hate polka.", "prefer: I love waltz."
    )

    assert answer == "Waltz. You said: “I love waltz.”"


def test_where_only_the_other_is_known_it_is_said_of_which() -> None:
    answer = _answer("Which do I prefer these days, polka or waltz?", "must: I avoid polka.")

    assert answer == "Rather waltz: of polka you said “I avoid polka”."


def test_the_occasion_that_is_asked_for_decides() -> None:
    known = ("prefer: I like waltz at work. (at work)", "prefer: I like polka on weekends. (on weekends)")

    assert (_answer("What do I like on weekends, polka or waltz?", *known) or "").startswith("Polka.")
    assert (_answer("What do I like at work, polka or waltz?", *known) or "").startswith("Waltz.")


def test_which_is_disliked_can_be_asked_too() -> None:
    answer = _answer(
        "Which do I hate, polka or waltz?", "prefer: I like waltz.", "prefer: I can't stand polka."
    )

    assert (answer or "").startswith("Polka.")


@pytest.mark.parametrize(
    "question", ["Which do I like, polka or waltz?", "Which is better, polka or waltz?", "Do I like polka?"]
)
def test_without_a_taste_that_tells_there_is_no_answer(question: str) -> None:
    assert _answer(question, "prefer: I like soup.") is None
