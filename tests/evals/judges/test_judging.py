"""Verdicts of a scripted judge: what counts, what is mended, and what is never scored."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import ScriptedChat
from habitus.evals.judges.judging import Case, Judge, tally
from habitus.evals.running import UsageError

CASE = Case(instructions="Is it right?", data="<reply>tea</reply>", labels=("yes", "no"))
OTHER = Case(instructions="Is it right?", data="<reply>milk</reply>", labels=("yes", "no"))


def says(verdict: str, reason: str = "Because.") -> str:
    return json.dumps({"reason": reason, "verdict": verdict})


def judge(*script: str, votes: int = 1, cache: Path | None = None) -> tuple[Judge, ScriptedChat]:
    chat = ScriptedChat(script=list(script))
    return Judge(chat, name="scripted", votes=votes, cache=cache), chat


def test_a_verdict_has_its_label_and_reason() -> None:
    made, chat = judge(says("yes", "It names tea."))
    found = made.judge(CASE)
    assert (found.label, found.outcome, found.votes[0].reason) == ("yes", "judged", "It names tea.")
    assert found.usage.n_calls == len(chat.prompts) == 1
    assert found.usage.output_tokens > 0
    instructions, data = chat.prompts[0]
    assert '"yes", "no", "cannot_judge"' in str(instructions.content)
    assert data.content == CASE.data


def test_a_reason_with_what_ends_a_line_in_unicode_is_kept_and_read_again(tmp_path: Path) -> None:
    cache = tmp_path / "judge.jsonl"
    reason = "It names tea.\u2028\x85And no milk."
    judge(says("yes", reason), cache=cache)[0].judge(CASE)
    found = judge(says("no"), cache=cache)[0].judge(CASE)
    assert (found.label, found.n_cached, found.votes[0].reason) == ("yes", 1, reason)


def test_a_verdict_of_another_shape_is_mended_once() -> None:
    made, chat = judge("Well, it is right.", says("yes"))
    found = made.judge(CASE)
    assert (found.label, found.votes[0].repaired) == ("yes", True)
    assert len(chat.prompts) == 2


@pytest.mark.parametrize("answer", ["I think so", says("perhaps"), '{"verdict": 1}', ""])
def test_what_cannot_be_read_is_no_score(answer: str) -> None:
    made, chat = judge(answer)
    found = made.judge(CASE)
    assert (found.label, found.outcome) == (None, "unparsed")
    assert len(chat.prompts) == 2


def test_a_refusal_is_no_score() -> None:
    found = judge(says("cannot_judge"))[0].judge(CASE)
    assert (found.label, found.outcome) == (None, "refused")


def test_a_failing_provider_is_an_outcome_and_tells_no_contents() -> None:
    def fail(messages: Sequence[BaseMessage]) -> str:
        raise RuntimeError("secret tea")

    found = Judge(ScriptedChat(script=fail), name="scripted").judge(CASE)
    assert (found.label, found.outcome) == (None, "failed")
    assert "tea" not in found.votes[0].reason


def test_the_majority_of_votes_counts() -> None:
    found = judge(says("yes"), says("no"), says("no"), votes=3)[0].judge(CASE)
    assert (found.label, len(found.votes)) == ("no", 3)


def test_votes_that_tie_after_a_refusal_are_no_score() -> None:
    found = judge(says("yes"), says("no"), says("cannot_judge"), votes=3)[0].judge(CASE)
    assert (found.label, found.outcome) == (None, "tied")


@pytest.mark.parametrize("votes", [0, 2])
def test_votes_are_odd(votes: int) -> None:
    with pytest.raises(UsageError, match="votes must be odd"):
        judge(says("yes"), votes=votes)


def test_a_case_is_paid_for_once(tmp_path: Path) -> None:
    cache = tmp_path / "run" / "judge.jsonl"
    made, chat = judge(says("yes"), says("no"), cache=cache)
    first, other = made.judge(CASE), made.judge(OTHER)
    again, fresh = judge(says("no"), cache=cache)
    found = again.judge(CASE)
    assert (found.label, found.n_cached, found.usage.n_calls) == (first.label, 1, 0)
    assert again.judge(OTHER).label == other.label == "no"
    assert (len(chat.prompts), len(fresh.prompts)) == (2, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda case: Case(instructions="Else?", data=case.data, labels=case.labels),
        lambda case: Case(instructions=case.instructions, data="else", labels=case.labels),
        lambda case: Case(instructions=case.instructions, data=case.data, labels=("no", "yes")),
    ],
)
def test_another_case_is_asked_for(tmp_path: Path, change: Callable[[Case], Case]) -> None:
    made, chat = judge(says("yes"), cache=tmp_path / "judge.jsonl")
    made.judge(CASE)
    assert made.judge(change(CASE)).n_cached == 0
    assert len(chat.prompts) == 2


def test_another_judge_is_asked(tmp_path: Path) -> None:
    judge(says("yes"), cache=tmp_path / "judge.jsonl")[0].judge(CASE)
    other = Judge(ScriptedChat(script=[says("no")]), name="another", cache=tmp_path / "judge.jsonl")
    assert other.judge(CASE).label == "no"


def test_failures_are_asked_again(tmp_path: Path) -> None:
    cache = tmp_path / "judge.jsonl"
    assert judge("?", cache=cache)[0].judge(CASE).outcome == "unparsed"
    assert judge(says("yes"), cache=cache)[0].judge(CASE).label == "yes"


def test_a_line_that_was_cut_off_is_asked_again_and_a_damaged_one_named(tmp_path: Path) -> None:
    cache = tmp_path / "judge.jsonl"
    made, _ = judge(says("yes"), cache=cache)
    made.judge(CASE)
    made.judge(OTHER)
    cache.write_text(cache.read_text()[:-20])
    again, chat = judge(says("no"), cache=cache)
    assert (again.judge(CASE).label, again.judge(OTHER).label) == ("yes", "no")
    assert len(chat.prompts) == 1
    assert judge(says("no"), cache=cache)[0].judge(OTHER).n_cached == 1
    cache.write_text("{}\n")
    with pytest.raises(UsageError, match="line 1 of .* is damaged"):
        judge(says("yes"), cache=cache)


def test_the_tally_counts_everything() -> None:
    made, _ = judge(says("yes"), says("cannot_judge"), "?", "?", "?", says("no"))
    cases = [Case(instructions="?", data=str(number), labels=("yes", "no")) for number in range(4)]
    found = tally([*map(made.judge, cases), made.judge(cases[0])])
    assert found.outcomes == {"judged": 3, "refused": 1, "unparsed": 1}
    assert (found.n_repaired, found.n_votes, found.n_cached, found.usage.n_calls) == (1, 5, 1, 6)
