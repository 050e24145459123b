"""Ablation: columns that add up to the agent's own ranking, fits that are held out, paired differences."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from rich.console import Console

from habitus.evals.ablation.arms import ALWAYS, Columns, collect
from habitus.evals.ablation.choice import Choice, fit, folds
from habitus.evals.ablation.run import (
    ARMS,
    FULL,
    Fitting,
    TimeChosen,
    compare,
    fitted,
    print_ablation,
    run_ablation,
    values,
    variants,
)
from habitus.evals.longmemeval.files import DatasetError, HaystackSession, HaystackTurn, Sample
from habitus.evals.running import UsageError, open_agent
from habitus.memory.retrieval.recall import SESSION_WEIGHTS as SHIPPED
from habitus.retrievers.encoder import HashingEncoder

Make = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

ENCODER = HashingEncoder()


def sample(question: str) -> Sample:
    """A question over five sessions, one of them said twice on different days."""
    said: list[tuple[str, int, Literal["user", "assistant"], str]] = [
        ("tea", 1, "user", "Ann drinks green tea in the morning."),
        ("coffee", 5, "assistant", "I recommended green tea for the morning, Ann."),
        ("rain", 9, "user", "It rains. It rains all the time."),
        ("rain", 10, "user", "It rains. It rains all the time."),
        ("cake", 12, "user", "We bake a cake with green tea."),
    ]
    sessions = tuple(
        HaystackSession(
            name,
            datetime(2023, 5, day, 9, tzinfo=UTC),
            (HaystackTurn("user", "Hello, good day to you.", False), HaystackTurn(role, text, True)),
        )
        for name, day, role, text in said
    )
    return Sample(
        id="q1",
        type="t",
        question=question,
        at=datetime(2023, 5, 20, 9, tzinfo=UTC),
        answer="green tea",
        evidence_session_ids=frozenset({"tea"}),
        sessions=sessions,
    )


def columns_of(question: str, folder: Path) -> Columns:
    with open_agent(folder, ENCODER, 2_000) as agent:
        return collect(agent, sample(question))


def made(name: str, relevant: set[str], **columns: list[float]) -> Columns:
    n = len(next(iter(columns.values())))
    arrays = {key: np.array(column, dtype=np.float64) for key, column in columns.items()}
    return Columns(
        question_id=name,
        question_type="t",
        session_ids=tuple("abcdefgh"[:n]),
        relevant=frozenset(relevant),
        newest=np.arange(n, dtype=np.float64),
        columns=arrays,
        reading=None,
        agrees=True,
    )


@pytest.mark.parametrize(
    "question",
    [
        "Which tea does Ann drink in the morning?",
        "What did you recommend to Ann for the morning?",
        "What did I bake eight days ago?",
        "When does it rain?",
    ],
)
def test_the_shipped_weights_rank_as_the_agent_does(question: str, tmp_path: Path) -> None:
    found = columns_of(question, tmp_path)
    assert found.agrees
    assert found.reading is not None
    assert set(found.reranked()) == {"tea", "coffee", "rain", "cake"}
    assert set(found.ranked(SHIPPED)) == {"tea", "coffee", "rain", "cake"}


def test_replies_count_only_where_they_are_asked_for(tmp_path: Path) -> None:
    asked = columns_of("What did you recommend to Ann?", tmp_path / "asked")
    other = columns_of("What does Ann drink?", tmp_path / "other")
    assert asked.columns["reply_bm25"].any()
    assert not other.columns["reply_bm25"].any()
    assert other.columns[ALWAYS].any()
    assert asked.ranked({"reply_bm25": 1.0})[0] == "coffee"


def test_the_time_column_is_of_questions_that_point_to_a_day(tmp_path: Path) -> None:
    dated = columns_of("What did I bake eight days ago?", tmp_path / "dated")
    assert dated.ranked({"time": 1.0})[0] == "cake"
    assert not columns_of("What did I bake?", tmp_path / "undated").columns["time"].any()


def test_ties_go_to_the_newer_and_a_repeated_session_to_its_best_rank(tmp_path: Path) -> None:
    assert made("q", {"a"}, turn_cosine=[1.0, 1.0, 0.0]).ranked({"turn_cosine": 1.0}) == ("b", "a", "c")
    found = columns_of("When does it rain?", tmp_path)
    assert len(found.session_ids) == 5
    assert found.ranked({"turn_bm25": 1.0}).count("rain") == 1


def test_every_shipped_weight_is_left_out_once() -> None:
    found = variants()
    assert found[ARMS] == SHIPPED
    for name in SHIPPED:
        assert set(found[f"without {name}"]) == set(SHIPPED) - {name}
    assert found["only turn_bm25"] == {"turn_bm25": 1.0}


def test_metrics_by_hand() -> None:
    columns = made("q", {"a", "g"}, x=[5.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    # b, a, c, d, e, f, g: the first relevant session is second, the other seventh.
    assert values(columns, {"x": 1.0}) == pytest.approx([0.0, 1.0, 0.0, 0.5])


def test_a_fit_finds_the_column_that_tells() -> None:
    random = np.random.default_rng(0)
    choices = []
    for _ in range(60):
        features = random.normal(size=(8, 2))
        relevant = np.arange(8) == int(np.argmax(features[:, 0]))
        choices.append(Choice(features, relevant))
    weights = fit(choices)
    assert weights[0] > 2.0
    assert abs(weights[1]) < 0.5
    assert np.linalg.norm(fit(choices, l2=100.0)) < np.linalg.norm(weights)


def test_a_fit_is_where_the_gradient_vanishes() -> None:
    random = np.random.default_rng(1)
    choices = [Choice(random.normal(size=(6, 3)), np.arange(6) < 1 + n % 2) for n in range(20)]
    weights = fit(choices, l2=0.5)
    gradient = -0.5 * weights
    for one in choices:
        chances = np.exp(one.features @ weights)
        gradient += one.features[one.relevant].mean(axis=0) - (chances / chances.sum()) @ one.features
    assert np.abs(gradient).max() < 1e-6


def test_a_fit_needs_relevant_documents() -> None:
    with pytest.raises(ValueError, match="each with a relevant document"):
        fit([Choice(np.ones((2, 1)), np.zeros(2, dtype=np.bool_))])
    with pytest.raises(ValueError, match="needs questions"):
        fit([])


def test_an_offset_is_what_a_fixed_weight_adds() -> None:
    random = np.random.default_rng(2)
    drawn = [random.normal(size=(8, 2)) for _ in range(80)]
    gold = [np.arange(8) == int(np.argmax(x[:, 0] + x[:, 1])) for x in drawn]
    # With its share given by the offset, nothing of the second column is left to be learnt.
    given = fit([Choice(x, y, 50.0 * (x[:, 0] + x[:, 1])) for x, y in zip(drawn, gold, strict=True)])
    alone = fit([Choice(x, y) for x, y in zip(drawn, gold, strict=True)])
    assert np.abs(given).max() < 0.2 < alone.min()


def test_fixed_weights_are_kept_and_the_others_fitted_around_them() -> None:
    questions = [made(f"q{n}", {"a"}, x=[1.0, -0.5, -0.5], y=[2.0, 0.0, 0.0]) for n in range(5)]
    around = Fitting(names=("x",), fixed={"y": 5.0}).weights(questions)
    assert around["y"] == 5.0
    assert 0.0 < around["x"] < Fitting(names=("x",)).weights(questions)["x"]


@pytest.mark.parametrize(("nearness", "expected"), [([0.0, 0.0], 0.0), ([0.9, 0.0], 0.5), ([0.3, 0.0], 1.5)])
def test_the_weight_of_time_is_the_smallest_that_ranks_most_first(
    nearness: list[float], expected: float
) -> None:
    flat = {name: [0.0, 0.0] for name in SHIPPED if name not in ("time", "turn_cosine")}
    # The gold is a little behind in meaning, and not the newest.
    far = [0.0, 0.4 / SHIPPED["turn_cosine"]]
    question = made("q", {"a"}, time=nearness, turn_cosine=far, **flat)
    assert TimeChosen().weights([question])["time"] == expected


def test_folds_are_even_and_do_not_depend_on_the_order() -> None:
    names = [f"q{n}" for n in range(23)]
    found = folds(names, 5)
    sizes = [list(found.values()).count(fold) for fold in range(5)]
    assert sorted(sizes) == [4, 4, 5, 5, 5]
    assert folds(names[::-1], 5) == found
    assert folds(names, 5, seed=1) != found
    with pytest.raises(ValueError, match="cannot deal 3 questions out to 5 folds"):
        folds(names[:3], 5)


def test_a_question_is_judged_by_weights_that_were_fitted_without_it() -> None:
    # In all questions but one the first column tells; the odd one must not sway its own weights.
    usual = [made(f"q{n}", {"a"}, x=[1.0, -0.5, -0.5], y=[0.0, 1.0, -1.0]) for n in range(9)]
    odd = made("odd", {"b"}, x=[1.0, -0.5, -0.5], y=[0.0, 1.0, -1.0])
    found = fitted([*usual, odd], Fitting(names=("x", "y"), l2=1.0))
    without_odd = fit([Choice(one.features(("x", "y")), np.array([True, False, False])) for one in usual])
    in_fold = {name for name, fold in found.fold_of.items() if fold == found.fold_of["odd"]}
    assert len(in_fold) == 2
    assert found.held_out("odd")["x"] > found.overall["x"]
    assert found.held_out("odd")["x"] == pytest.approx(without_odd[0], rel=0.2)
    assert found.held_out("odd")["y"] < found.overall["y"]


def every_column(tells: str, right: bool, name: str) -> Columns:
    """A question whose gold stands out in one column only, and not even there unless `right`."""
    names = sorted({column for weights in variants().values() for column in weights})
    flat = {column: [0.0, 0.0, 0.0] for column in names}
    flat[tells] = [2.0, 0.0, 0.0] if right else [0.0, 2.0, 0.0]
    return made(name, {"a"}, **flat)


def test_differences_are_paired_with_the_full_system() -> None:
    questions = [every_column("turn_cosine", n % 4 != 0, f"q{n}") for n in range(40)]
    report = compare(questions)
    found = report["variants"]
    assert report["questions"] == report["agrees_with_agent"] == 40
    assert found[FULL]["mean"]["r@1"]["mean"] == 0.75
    assert found[FULL]["difference"]["r@1"] == {"n": 40, "mean": 0.0, "low": 0.0, "high": 0.0}
    assert found[ARMS]["compared_with"] == FULL
    assert found["only turn_bm25"]["compared_with"] == ARMS
    # An arm that says nothing ranks the newest first, never the gold.
    assert found["only turn_bm25"]["difference"]["r@1"]["mean"] == -0.75
    assert found["only turn_bm25"]["difference"]["r@1"]["high"] < -0.5
    assert found["without turn_bm25"]["difference"]["r@1"]["mean"] == 0.0
    assert found["without turn_cosine"]["difference"]["r@1"]["mean"] == -0.75
    assert report["fitted"]["refitted, 5 folds"]["overall"]["turn_cosine"] > 0.3
    assert report["fitted"]["session arms refitted, 5 folds"]["overall"]["time"] == SHIPPED["time"]
    assert len(report["fitted"]["refitted, 5 folds"]["by_fold"]) == 5


def test_a_run_writes_its_report_and_prints_it(record: Make, write: Write, tmp_path: Path) -> None:
    data = write([record(question_id=f"q{n}") for n in range(6)] + [record(question_id="q_abs")])
    report = run_ablation(data, tmp_path / "out", lambda: ENCODER)
    assert report["questions"] == 6
    assert report["agrees_with_agent"] == 6
    assert report["manifest"]["benchmark"] == "ablation"
    assert json.loads((tmp_path / "out" / "ablation.json").read_text()) == report
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ablation.json"]
    console = Console(file=io.StringIO(), width=110)
    print_ablation(report, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "without turn_cosine" in text
    assert "in 6 of 6 questions" in text


def test_too_little_data_and_bad_limits_are_refused(record: Make, write: Write, tmp_path: Path) -> None:
    data = write([record()])
    with pytest.raises(DatasetError, match="needs at least 5 questions with an answer, found 1"):
        run_ablation(data, tmp_path / "out", lambda: ENCODER)
    with pytest.raises(UsageError, match="--limit must be at least 1"):
        run_ablation(data, tmp_path / "out", lambda: ENCODER, limit=0)
