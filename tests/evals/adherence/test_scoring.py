"""Judged error types, quotations, and choices."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import ScriptedChat
from habitus.evals.adherence.arms import AdherenceResult
from habitus.evals.adherence.samples import AdherenceSample
from habitus.evals.adherence.scoring import GenerationScorer, choice_of, quoted, score_choice
from habitus.evals.harness.judged import JudgeOptions, Verdicts
from habitus.evals.judges.judging import Judge
from habitus.evals.judges.prefeval import ERROR_TYPES, OWN

Make = Callable[..., list[AdherenceSample]]


def result(sample: AdherenceSample, reply: str) -> AdherenceResult:
    return AdherenceResult(question_id=sample.id, question_type=sample.type, reply=reply, seconds=0.0)


def scorer(verdict: str) -> tuple[GenerationScorer, Verdicts]:
    """Judge that a reply helps, and of the rest what is given."""

    def script(messages: Sequence[BaseMessage]) -> str:
        if "something of substance" in str(messages[0].content):
            return json.dumps({"verdict": "yes"})
        return verdict

    verdicts = Verdicts(options=JudgeOptions(name="m"))
    return GenerationScorer(Judge(ScriptedChat(script=script), name="m"), OWN, verdicts), verdicts


def test_a_reply_that_helps_and_does_not_violate_keeps_to_the_preference(made: Make) -> None:
    judged, verdicts = scorer('{"verdict": "no"}')
    sample = made(distances=(3,))[0]
    score = judged(sample, result(sample, "A dinghy."))
    assert score.question_type == "boats"
    errors: dict[str, float] = {name: 0.0 for name in ERROR_TYPES}
    told = {"named": 0.0, "named_others": 0.0, "adherence": 1.0, "unjudged": 0.0}
    assert score.views["explicit@003"] == told | errors
    assert sorted(verdicts.judgements) == [f"{sample.id}#helps", f"{sample.id}#violates"]


def test_an_error_type_makes_a_reply_wrong(made: Make) -> None:
    judged, _ = scorer('{"verdict": "yes"}')
    sample = made()[0]
    values = judged(sample, result(sample, "A speedboat.")).views["explicit@000"]
    assert values["adherence"] == 0.0
    assert values["hallucinated preference violation"] == 1.0


@pytest.mark.parametrize(
    ("verdict", "outcome"), [('{"verdict": "cannot_judge"}', "refused"), ("no JSON here", "unparsed")]
)
def test_a_reply_without_a_verdict_is_counted_and_has_no_judged_value(
    made: Make, verdict: str, outcome: str
) -> None:
    judged, verdicts = scorer(verdict)
    sample = made()[0]
    values = judged(sample, result(sample, "A speedboat.")).views["explicit@000"]
    assert values == {"named": 0.0, "named_others": 0.0, "unjudged": 1.0}
    assert verdicts.report()["outcomes"] == {"judged": 1, outcome: 1}


@pytest.mark.parametrize(
    ("preference", "reply", "named"),
    [
        ("I avoid noisy speedboats.", "You said: “i avoid noisy speedboats”", 1.0),
        ("I fear great heights, so I avoid steep paths.", "- must: I avoid steep paths.", 1.0),
        ("I fear great heights, so I avoid steep paths.", "- must: steep paths\n- great heights", 0.0),
        ("I fear great heights, so I avoid steep paths.", "You told me: I fear great heights.", 1.0),
        ("I avoid noisy speedboats.", "Speedboats are noisy, so you avoid them.", 0.0),
        ("No tea.", "You want no tea.", 1.0),
    ],
)
def test_a_preference_is_named_by_a_clause_of_it_word_for_word(
    made: Make, preference: str, reply: str, named: float
) -> None:
    sample = replace(made()[0], preference=preference)
    assert quoted(sample, reply)["named"] == named


def test_what_else_the_user_said_is_counted_too(made: Make) -> None:
    sample = made(distances=(3,))[0]
    asked = [text for conversation in sample.others for role, text in conversation if role == "user"]
    assert quoted(sample, f"You asked: {asked[0]} And: {asked[2]}")["named_others"] == 2.0


def test_only_a_stated_preference_can_be_named(made: Make) -> None:
    assert quoted(made(form="persona")[0], "I avoid noisy speedboats.") == {}


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("<choice>B</choice>", "B"),
        ("I think so. <choice> b. A dinghy </choice>", "B"),
        ("C.", "C"),
        ("<choice>E</choice>", None),
        ("A dinghy would be a fine thing.", None),
        ("<choice>A</choice> or <choice>B</choice>", None),
        ("", None),
    ],
)
def test_a_choice_is_read_only_where_it_is_one(reply: str, letter: str | None) -> None:
    assert choice_of(reply, 4) == letter


def test_a_reply_without_a_choice_is_wrong_and_counted(made: Make) -> None:
    sample = made(task="classification")[0]
    right = score_choice(sample, result(sample, f"<choice>{sample.gold}</choice>"))
    assert right.views == {"explicit@000": {"accuracy": 1.0, "no_choice": 0.0}}
    none = score_choice(sample, result(sample, "Hm."))
    assert none.views == {"explicit@000": {"accuracy": 0.0, "no_choice": 1.0}}
