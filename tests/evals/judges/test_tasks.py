"""What is put to a judge for LongMemEval, PrefEval and pairs, and what follows from the verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import ScriptedChat
from habitus.evals.judges.agreement import agreement, read_labels
from habitus.evals.judges.judging import Judge, Judgement, Vote
from habitus.evals.judges.longmemeval import answer_case, official_prompts
from habitus.evals.judges.pairs import judge_pair
from habitus.evals.judges.prefeval import Judged, error_type, judge_preference, official_wording
from habitus.evals.judges.ratings import rating_case
from habitus.evals.longmemeval.files import Sample
from habitus.evals.metrics.personalization import rating, win_rate
from habitus.evals.running import UsageError
from habitus.memory.usage import Usage


def judge_by(decide: Callable[[str, str], str]) -> Judge:
    """Make a judge that decides by instructions and data."""

    def script(messages: Sequence[BaseMessage]) -> str:
        return json.dumps({"reason": "", "verdict": decide(*(str(message.content) for message in messages))})

    return Judge(ScriptedChat(script=script), name="scripted")


def test_each_question_type_has_its_rule(sample: Callable[..., Sample]) -> None:
    types = ("single-session-user", "temporal-reasoning", "knowledge-update", "single-session-preference")
    cases = [answer_case(sample(question_type=kind), "tea") for kind in types]
    assert len({case.instructions for case in cases}) == len(types)
    for case in cases:
        assert "<expected_answer>\ngreen tea\n</expected_answer>" in case.data
        assert "<reply>\ntea\n</reply>" in case.data


def test_abstention_is_judged_by_its_own_rule(sample: Callable[..., Sample]) -> None:
    asked = answer_case(sample(question_id="q1_abs"), "I do not know.")
    assert "hold no answer" in asked.instructions


def test_the_official_prompts_come_from_the_clone(tmp_path: Path, sample: Callable[..., Sample]) -> None:
    source = tmp_path / "src" / "evaluation" / "evaluate_qa.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "import a_library_that_is_not_there\n"
        "def get_anscheck_prompt(task, question, answer, response, abstention=False):\n"
        "    return f'{task}|{question}|{answer}|{response}|{abstention}'\n"
        "raise SystemExit('only that function is run')\n"
    )
    asked = answer_case(sample(), "coffee", official_prompts(tmp_path))
    assert asked.data == "single-session-user|Which tea does Ann drink?|green tea|coffee|False"
    source.write_text("def another(): ...")
    with pytest.raises(UsageError, match="no function get_anscheck_prompt"):
        official_prompts(tmp_path)
    with pytest.raises(UsageError, match="clone of LongMemEval"):
        official_prompts(tmp_path / "nowhere")


REPLY = Judged(preference="no fish", question="a dish?", reply="Try salmon.")


@pytest.mark.parametrize(
    ("helps", "violates", "acknowledges", "hallucinates", "expected", "n_asked"),
    [
        ("yes", "yes", "no", "-", "preference-unaware violation", 3),
        ("yes", "yes", "yes", "yes", "hallucinated preference violation", 4),
        ("yes", "yes", "yes", "no", "inconsistent violation", 4),
        ("no", "-", "-", "-", "unhelpful", 1),
        ("yes", "no", "-", "-", "none", 2),
        ("cannot_judge", "-", "-", "-", None, 1),
        ("yes", "cannot_judge", "-", "-", None, 2),
        ("yes", "yes", "cannot_judge", "-", None, 3),
        ("yes", "yes", "yes", "cannot_judge", None, 4),
    ],
)
def test_the_error_type_follows_from_the_checks(
    helps: str, violates: str, acknowledges: str, hallucinates: str, expected: str | None, n_asked: int
) -> None:
    def decide(instructions: str, data: str) -> str:
        if "goes against" in instructions:
            return violates
        if "in so many words" in instructions:
            return acknowledges
        return hallucinates if "made up" in instructions else helps

    found = judge_preference(judge_by(decide), REPLY)
    assert error_type(found) == expected
    assert len(found) == n_asked


@pytest.mark.parametrize("helps", ["yes", "no"])
@pytest.mark.parametrize("violates", ["yes", "no"])
@pytest.mark.parametrize("acknowledges", ["yes", "no"])
@pytest.mark.parametrize("hallucinates", ["yes", "no"])
def test_the_error_type_is_that_of_the_official_rule(
    helps: str, violates: str, acknowledges: str, hallucinates: str
) -> None:
    def decide(instructions: str, data: str) -> str:
        if "goes against" in instructions:
            return violates
        if "in so many words" in instructions:
            return acknowledges
        return hallucinates if "made up" in instructions else helps

    # As the official script computes it, from all four checks.
    wrong = violates == "yes" and helps == "yes"
    other = acknowledges == "yes" and hallucinates == "yes"
    official = {
        "unhelpful": helps == "no",
        "inconsistent violation": wrong and acknowledges == "yes" and not other,
        "hallucinated preference violation": wrong and other,
        "preference-unaware violation": wrong and acknowledges == "no",
    }
    found = error_type(judge_preference(judge_by(decide), REPLY))
    assert found == next((name for name, holds in official.items() if holds), "none")


def a_clone(folder: Path) -> Path:
    """Write files of PrefEval's form, in words of our own."""
    (folder / "error_type").mkdir()
    (folder / "generation_task").mkdir()
    for name in ("helpful", "violation", "acknowledge", "hallucination"):
        restated = "{assistant_restatement}" if name == "hallucination" else "{end_generation}"
        text = f"{name}? {{preference}} | {{question}} | {restated}"
        (folder / "error_type" / f"check_{name}.txt").write_text(text)
    script = folder / "generation_task" / "llm_based_evaluation_errortypes.py"
    script.write_text('raise SystemExit("never run")\ndef main():\n    system_prompt = "Be strict."\n')
    return folder


def test_the_official_checks_come_from_the_clone_and_are_read_between_tags(tmp_path: Path) -> None:
    answers = {
        "helpful": "<explanation>It does.</explanation>\n<answer>[Yes]</answer>",
        "violation": "<answer> yes </answer>",
        "acknowledge": "<preference>you like fish</preference><answer>Yes</answer>",
        "hallucination": "<answer>No</answer>",
    }
    model = ScriptedChat(script=lambda messages: answers[str(messages[-1].content).split("?")[0]])
    found = judge_preference(Judge(model, name="m"), REPLY, official_wording(a_clone(tmp_path)))
    assert error_type(found) == "inconsistent violation"
    assert [str(prompt[0].content) for prompt in model.prompts] == ["Be strict."] * 4
    assert str(model.prompts[1][1].content) == "violation? no fish | a dish? | Try salmon."
    assert str(model.prompts[3][1].content) == "hallucination? no fish | a dish? | you like fish"


def test_an_official_answer_without_its_tag_is_unparsed_and_no_right_reply(tmp_path: Path) -> None:
    judge = Judge(ScriptedChat(script=["Yes, it does."]), name="m")
    found = judge_preference(judge, REPLY, official_wording(a_clone(tmp_path)))
    assert (found["helps"].outcome, error_type(found)) == ("unparsed", None)


def test_a_folder_that_is_no_clone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="clone of PrefEval"):
        official_wording(tmp_path)
    script = a_clone(tmp_path) / "generation_task" / "llm_based_evaluation_errortypes.py"
    script.write_text("other = 1")
    with pytest.raises(UsageError, match="holds no system_prompt"):
        official_wording(tmp_path)


def test_ratings_are_verdicts_on_a_scale() -> None:
    case = rating_case("no fish", "a dish?", "Try salmon.")
    judge = judge_by(lambda instructions, data: "2" if "salmon" in data else "5")
    found = judge.judge(case)
    assert found.label == "2"
    assert rating([float(found.label)]) == 0.25


def test_a_better_reply_wins_in_both_orders() -> None:
    def better(instructions: str, data: str) -> str:
        return "first" if "good" in data.partition("<second>")[0] else "second"

    pairs = [judge_pair(judge_by(better), "tea", "?", "good", "bad")]
    pairs.append(judge_pair(judge_by(better), "tea", "?", "bad", "good"))
    assert [pair.picks for pair in pairs] == [("a", "a"), ("b", "b")]


def test_a_judge_that_favours_a_place_decides_nothing() -> None:
    pair = judge_pair(judge_by(lambda instructions, data: "first"), "tea", "?", "one", "other")
    assert pair.picks == ("a", "b")
    assert pair.picks is not None and win_rate([pair.picks]) == 0.5


def test_a_pair_without_both_verdicts_has_no_picks() -> None:
    def half(instructions: str, data: str) -> str:
        return "tie" if "<first>\none" in data else "cannot_judge"

    assert judge_pair(judge_by(half), "tea", "?", "one", "other").picks is None


def judged(label: str | None) -> Judgement:
    outcome = "judged" if label else "refused"
    vote = Vote.model_validate({"label": label, "outcome": outcome})
    return Judgement(label=label, outcome=vote.outcome, votes=(vote,), n_cached=0, usage=Usage())


def test_agreement_leaves_out_what_was_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    labels = {"1": "yes", "2": "yes", "3": "no", "4": "no", "5": "no", "6": "yes"}
    path.write_text("".join(json.dumps({"id": key, "label": value}) + "\n" for key, value in labels.items()))
    said = {"1": "yes", "2": "yes", "3": "yes", "4": "no", "5": None}
    found = agreement({key: judged(label) for key, label in said.items()}, read_labels(path))
    # Agree on 3 of 4; by chance 3/4 * 1/2 + 1/4 * 1/2.
    assert (found.n, found.n_unjudged, found.agreed) == (4, 1, 0.75)
    assert found.kappa == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no labels"),
        ('{"id": "1"}\n', "line 1"),
        ('{"id": "1", "label": "a"}\n{"id": "1", "label": "b"}\n', "line 2 .* repeats the id"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "labels.jsonl").write_text(content)
    with pytest.raises(UsageError, match=problem):
        read_labels(tmp_path / "labels.jsonl")


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(UsageError, match="no labelled case was judged"):
        agreement({"1": judged(None)}, {"1": "yes"})
