"""Replies against their gold."""

from __future__ import annotations

import pytest

from habitus.agent.generators.extractive import UNKNOWN
from habitus.evals.longmemeval.answering import Asked, judge, summarise


def asked(answer: str, *, name: str = "q1", abstention: bool = False) -> Asked:
    return Asked(
        id=name,
        type="single-session-user",
        is_abstention=abstention,
        question="?",
        answer=answer,
        messages=(),
        evidence=(),
    )


@pytest.mark.parametrize(
    ("answer", "reply", "contained", "numbers_alike"),
    [
        ("the kayak", "On 3 May 2023 you said: “A kayak!”", 1.0, 1.0),
        ("20", "On 20 May 2023 you said: “Many.”", 0.0, 0.0),
        ("20", "On 3 May 2023 you said: “I have 20 plants.”", 1.0, 1.0),
        ("3 May", "On 3 May 2023 you said: “It began today.”", 1.0, 1.0),
        ("five", "I count 5: “a fern”", 0.0, 1.0),
        ("Veja", "On 3 May 2023 I said: “Veja makes shoes.”", 1.0, 1.0),
    ],
)
def test_a_short_answer_counts_where_its_words_stand_in_the_reply(
    answer: str, reply: str, contained: float, numbers_alike: float
) -> None:
    found = judge(asked(answer), reply)

    assert (found.contained, found.numbers_alike) == (contained, numbers_alike)


def test_long_answers_and_questions_without_one_are_not_compared() -> None:
    assert judge(asked("one two three four five six"), "anything").contained is None
    assert judge(asked("not told", abstention=True), "not told").contained is None


def test_figures_keep_answerable_questions_apart_from_the_others() -> None:
    answers = [
        judge(asked("tea", name="a"), "“tea”"),
        judge(asked("milk", name="b"), UNKNOWN),
        judge(asked("none", name="c_abs", abstention=True), UNKNOWN),
    ]

    figures = summarise(answers)

    assert figures["overall"]["n"] == 2 and figures["abstention"]["n"] == 1
    assert figures["overall"]["declined"] == 0.5 and figures["abstention"]["declined"] == 1.0
    assert figures["overall"]["contained"] == 0.5 and figures["abstention"]["contained"] is None
    assert figures["overall"]["mean_words"] == (1 + len(UNKNOWN.split())) / 2
