"""The worst samples on the page: which ones, with what, and that nothing in them can run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.lifelong.playing import Finding, Played
from habitus.evals.lifelong.scenarios import AnswerProbe, Check, LeakProbe, Scenario, Step
from habitus.evals.reports.html import write_page
from habitus.evals.reports.html_cases import worst_cases
from habitus.evals.running import UsageError

EVIL = '<img src=x onerror="alert(1)">'


def lines(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))


def scored(name: str, value: float) -> dict[str, Any]:
    return {"question_id": name, "question_type": "t", "views": {"reply.all": {"accuracy": value}}}


def test_the_worst_come_first_and_what_went_well_is_left_out(tmp_path: Path) -> None:
    lines(tmp_path / "scores.jsonl", scored("good", 1.0), scored("half", 0.5), scored("bad", 0.0))
    lines(
        tmp_path / "run.jsonl",
        *(
            {"question_id": name, "question_type": "t", "hypothesis": name}
            for name in ("good", "half", "bad")
        ),
    )
    found = worst_cases(tmp_path, 10)
    assert [re.search(r"<b>(\w+)</b>", one)[1] for one in found] == ["bad", "half"]  # type: ignore[index]
    assert len(worst_cases(tmp_path, 1)) == 1


def test_replies_and_what_was_packed_are_shown_and_escaped(tmp_path: Path) -> None:
    lines(tmp_path / "scores.jsonl", scored(EVIL, 0.0))
    record = {"question_id": EVIL, "question_type": EVIL, "hypothesis": EVIL, "known": [EVIL]}
    lines(tmp_path / "run.jsonl", {**record, "context_texts": [EVIL], "context_tokens": 7})
    (found,) = worst_cases(tmp_path, 3)
    assert EVIL not in found
    assert found.count("&lt;img") == 5
    assert "1 messages packed, 7 tokens" in found


def life(text: str) -> tuple[Scenario, Played]:
    probes: tuple[AnswerProbe | LeakProbe, ...] = (
        AnswerProbe(question=f"Where? {text}", right="Oslo", wrong=(text,)),
        AnswerProbe(question="Fine?", right="yes"),
        LeakProbe(reader="a", owner="b", needles=(text,), questions=("What?",)),
    )
    made = Scenario(
        id="update-familiar-0000",
        type="update",
        profile=(f"lives in Oslo {text}",),
        steps=(Step(minute=0, text=text, intent=text),),
        checks=tuple(Check(minute=n, probe=probe) for n, probe in enumerate(probes)),
    )
    findings = (
        Finding(asked=f"Where? {text}", answer=text, retrieved=(text,), why=f"because {text}"),
        Finding(asked="Fine?", answer="yes"),
        Finding(asked="What?", leaks={f"recall {text}": (text,)}),
    )
    return made, Played(question_id=made.id, question_type="update", said=(text,), findings=findings)


def test_a_life_is_shown_with_its_failed_checks_what_was_retrieved_and_why(tmp_path: Path) -> None:
    scenario, played = life(EVIL)
    (tmp_path / "lives.jsonl").write_text(scenario.model_dump_json() + "\n")
    (tmp_path / "run.jsonl").write_text(played.model_dump_json() + "\n")
    lines(tmp_path / "scores.jsonl", scored(scenario.id, 1 / 3))
    (tmp_path / "report.json").write_text(json.dumps({"benchmark": "lifelong", "failures": []}))
    html = write_page(tmp_path).read_text()
    assert EVIL not in html
    for shown in (
        "The hidden profile",
        "lives in Oslo",
        "because &lt;img",
        "1 memories retrieved",
        "Came back",
    ):
        assert shown in html
    assert "Fine?" not in html


def test_samples_are_ranked_by_the_main_metric_alone(tmp_path: Path) -> None:
    views = {"right": {"contained": 1.0, "declined": 0.0}, "wrong": {"contained": 0.0, "declined": 1.0}}
    lines(
        tmp_path / "scores.jsonl",
        *({"question_id": name, "question_type": "t", "views": {"a.b": one}} for name, one in views.items()),
    )
    lines(
        tmp_path / "run.jsonl",
        *({"question_id": name, "question_type": "t", "found": [["store", False]]} for name in views),
    )
    (found,) = worst_cases(tmp_path, 9)
    assert "wrong" in found
    assert "store: not in the prompt" in found


def test_a_run_without_samples_has_none(tmp_path: Path) -> None:
    assert worst_cases(tmp_path, 5) == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("{\n")
    with pytest.raises(UsageError, match="line 1 of .*run.jsonl.* is damaged"):
        worst_cases(tmp_path, 5)
