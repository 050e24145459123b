"""Enlarged and pooled haystacks: what may be filler, what keeps its date, and how questions are chosen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.longmemeval.files import DatasetError, HaystackSession, HaystackTurn, Sample
from habitus.evals.longmemeval.haystacks import enlarge, fillers, pool, select
from habitus.evals.longmemeval.retrieval import Task, ask_at, one_user
from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.running import AgentUnderTest, UsageError, habitus_on
from habitus.retrievers.encoder import HashingEncoder

Make = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


def day(number: int) -> datetime:
    return datetime(2023, 5, number, 12, tzinfo=UTC)


def session(name: str, at: int, words: str = "", *, evidence: bool = False) -> HaystackSession:
    return HaystackSession(name, day(at), (HaystackTurn("user", words or f"words of {name}", evidence),))


def question(
    name: str, sessions: list[HaystackSession], evidence: str, *, of: str = "multi-session"
) -> Sample:
    return Sample(
        id=name,
        type=of,
        question="Which tea?",
        at=day(20),
        answer="green",
        evidence_session_ids=frozenset({evidence}),
        sessions=tuple(sessions),
    )


FIRST = question("q1", [session("a", 1), session("e1", 3, evidence=True), session("b", 9)], "e1")
SECOND = question(
    "q2",
    [
        session("e2", 2, evidence=True),
        session("marked", 4, evidence=True),
        session("c", 5),
        session("a", 6),
        session("again", 7, "words of b"),
        session("d", 8),
    ],
    "e2",
)


def test_evidence_of_any_question_is_never_filler_and_no_text_comes_twice() -> None:
    assert [one.id for one in fillers([FIRST, SECOND])] == ["a", "again", "c", "d"]


def test_a_session_that_is_evidence_elsewhere_is_no_filler() -> None:
    third = question("q3", [session("c", 1)], "c")
    assert "c" not in {one.id for one in fillers([FIRST, SECOND, third])}


def test_an_enlarged_haystack_keeps_its_own_sessions_and_repeats_none() -> None:
    found = enlarge(FIRST, fillers([FIRST, SECOND]), 5)
    assert set(FIRST.sessions) <= set(found.sessions)
    # "a" is there already, and "again" has the words of "b".
    assert {one.id for one in found.sessions} == {"a", "e1", "b", "c", "d"}
    assert found.evidence_turn_ids() == FIRST.evidence_turn_ids()


def test_fillers_are_dated_within_the_haystack_and_in_order() -> None:
    many = [session(f"f{n}", 28) for n in range(60)]
    found = enlarge(FIRST, many, 60)
    dates = [one.at for one in found.sessions]
    assert dates == sorted(dates)
    assert (dates[0], dates[-1]) == (day(1), day(9))
    assert len({one.date() for one in dates}) > 5


def test_the_seed_decides_the_fillers() -> None:
    many = [session(f"f{n}", 28) for n in range(60)]
    assert enlarge(FIRST, many, 20, seed=1) == enlarge(FIRST, many, 20, seed=1)
    assert enlarge(FIRST, many, 20, seed=1) != enlarge(FIRST, many, 20, seed=2)
    other = replace(FIRST, id="q9")
    assert enlarge(FIRST, many, 20).sessions != enlarge(other, many, 20).sessions


def test_a_haystack_that_is_large_enough_stays() -> None:
    assert enlarge(FIRST, [], 3) is FIRST


def test_too_few_fillers_are_an_error_that_says_so() -> None:
    with pytest.raises(DatasetError, match="'q1': 50 sessions need 47 fillers, but the file has only 2"):
        enlarge(FIRST, fillers([FIRST, SECOND]), 50)


def test_questions_are_chosen_evenly_over_types_without_abstentions() -> None:
    samples = [question(f"m{n}", [], "e", of="multi") for n in range(20)]
    samples += [question(f"t{n}", [], "e", of="temporal") for n in range(20)]
    samples += [question(f"p{n}", [], "e", of="preference") for n in range(2)]
    samples += [question(f"m{n}_abs", [], "e", of="multi") for n in range(20)]
    chosen = select(samples, 12)
    assert Counter(sample.type for sample in chosen) == {"multi": 5, "temporal": 5, "preference": 2}
    assert not any(sample.is_abstention for sample in chosen)
    assert select(samples, 6) == chosen[:6]
    assert select(samples, 12, seed=1) != chosen
    assert select(samples, None) == samples


def test_a_pool_holds_every_session_once_for_all_questions() -> None:
    first, second = pool([FIRST, SECOND])
    assert first.sessions is second.sessions
    # "again" has the words of "b".
    assert Counter(one.id for one in first.sessions) == Counter(["a", "e2", "e1", "marked", "c", "d", "b"])
    assert [one.at for one in first.sessions] == sorted(one.at for one in first.sessions)
    assert first.evidence_session_ids == {"e1"}
    assert second.evidence_turn_ids() == {"e2_1"}


def test_pooled_evidence_keeps_the_date_of_its_question() -> None:
    early = question("q0", [session("e1", 1, evidence=True)], "none")
    for questions in ([early, FIRST], [FIRST, early]):
        assert {one.id: one.at for one in pool(questions)[0].sessions}["e1"] == day(3)


def test_a_pooled_question_is_asked_when_it_would_be_alone() -> None:
    late = question("q3", [session("z", 27)], "z")
    first, _, third = pool([FIRST, SECOND, late])
    assert first.at == ask_at(FIRST) == day(20)
    assert third.at == ask_at(late) > day(27)


def test_all_questions_of_a_pool_ask_one_agent_at_their_own_date(agents: Any, tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    samples = pool([FIRST, SECOND])
    with one_user(agents, tmp_path / "agent", samples[0].sessions, Task(max_ranked=3)) as solver:
        found = [solver(sample) for sample in samples]
    assert len(agents.opened) == 1
    assert len(agents.opened[0].conversations) == 7
    assert [len(one.ranked_session_ids) for one in found] == [3, 3]
    assert agents.opened[0].asked_at == [day(20), day(20)]


@pytest.mark.parametrize(("exact_limit", "n_pending"), [(2, 0), (None, 7)])
def test_a_pool_too_large_for_memory_is_indexed_before_it_is_asked(
    exact_limit: int | None, n_pending: int, tmp_path: Path
) -> None:
    samples = pool([FIRST, SECOND])
    under_test = habitus_on(HashingEncoder(), 100, exact_limit=exact_limit)
    pending: list[int] = []

    def settle(agent: Any) -> None:
        under_test.settle(agent)
        pending.append(agent.store.stats().n_pending)

    with one_user(under_test.open, tmp_path, samples[0].sessions, Task(), settle) as solver:
        assert len(solver(samples[0]).ranked_session_ids) == 7
    assert pending == [n_pending]


def run(data: Path, out: Path, agents: Any, **options: Any) -> tuple[int, dict[str, Any]]:
    chosen = RunOptions(data=data, out=out, with_replies=False, **options)
    code = run_longmemeval(chosen, lambda: AgentUnderTest(open=agents, encoder="words"))
    return code, json.loads((out / "report.json").read_text())


def two_questions(record: Make) -> list[dict[str, Any]]:
    other = record(
        question_id="q2",
        question="Which coffee does Bob drink?",
        answer_session_ids=["answer_2"],
        haystack_session_ids=["other", "answer_2", "third"],
    )
    for number, turns in enumerate(other["haystack_sessions"]):
        turns[0]["content"] = f"Bob and coffee {number}"
    return [record(), other]


def test_a_run_with_enlarged_haystacks(record: Make, write: Write, agents: Any, tmp_path: Path) -> None:
    data = write(two_questions(record))
    code, report = run(data, tmp_path / "out", agents, n_sessions=5)
    assert code == 0
    assert [len(agent.conversations) for agent in agents.opened] == [5, 5]
    assert report["manifest"]["settings"]["sessions"] == 5
    assert report["questions"]["finished"] == 2


def test_a_pooled_run_ingests_once_and_resumes_without_ingesting(
    record: Make, write: Write, agents: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(two_questions(record))
    code, report = run(data, tmp_path / "out", agents, pooled=True)
    assert code == 0
    assert [len(agent.conversations) for agent in agents.opened] == [6]
    assert report["session"]["all"]["overall"]["r@1"]["n"] == 2
    assert "one user's memory" in capsys.readouterr().out
    run(data, tmp_path / "out", agents, pooled=True)
    assert len(agents.opened) == 1


@pytest.mark.parametrize(("n_sessions", "with_replies"), [(5, False), (None, True)])
def test_options_that_exclude_each_other_are_refused(
    n_sessions: int | None, with_replies: bool, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--pooled goes with --retrieval-only"):
        RunOptions(data=tmp_path, out=tmp_path, pooled=True, n_sessions=n_sessions, with_replies=with_replies)
