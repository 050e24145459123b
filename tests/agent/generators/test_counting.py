from __future__ import annotations

from datetime import date

import pytest

from habitus.agent.generators.extractive.asked import read
from habitus.agent.generators.extractive.counting import counted
from habitus.agent.generators.extractive.evidence import Said


def _answer(question: str, *texts: str) -> str | None:
    said = [Said(text, date(2025, 1, 1 + place), True, place, 0) for place, text in enumerate(texts)]
    return counted(read(question, None), said)


def test_each_time_told_counts_once_and_nothing_else() -> None:
    answer = _answer(
        "How many castles have I visited so far?",
        "I visited Castle Howard on Sunday.",
        "We visited Chepstow in the rain.",
        "My brother visited Windsor.",
        "I want to visit Alnwick next year.",
        "The view from Chepstow was great.",
        "I visited Chepstow again.",
        "Have I visited Bodiam?",
        "I visited my aunt.",
    )

    assert answer is not None
    assert answer.startswith("I count 2: “I visited Castle Howard on Sunday.” (1 January 2025)")


def test_what_is_finished_is_done() -> None:
    answer = _answer(
        "How many novels have I read?",
        "I finished another novel: Emma.",
        "I just read Persuasion.",
        "I read a lot.",
    )

    assert (answer or "").startswith("I count 2:")


@pytest.mark.parametrize(
    "texts",
    [("I like castles.",), ("I visited my aunt.",), ("I visited three castles.", "I visited Chepstow.")],
)
def test_without_times_told_one_by_one_nothing_is_counted(texts: tuple[str, ...]) -> None:
    assert _answer("How many castles have I visited?", *texts) is None
