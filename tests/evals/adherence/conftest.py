"""Two preferences of our own in PrefEval's form, and conversations to come in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.adherence.options import Form, Task
from habitus.evals.adherence.samples import AdherenceSample, Distractors, make_samples
from habitus.evals.longmemeval.files import HaystackSession
from habitus.evals.prefeval.files import distractor_sessions, read_prefeval

TASTES = {
    "boats": [("I avoid noisy speedboats.", "Which boat should we rent?", "A sailing dinghy.")],
    "bread": [("I can't stand dark rye bread.", "Which bread goes with soup?", "A wheat roll.")],
}
OTHERS = ("A loud speedboat.", "A ferry ticket.", "Rye crackers.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write PrefEval's four forms."""
    root = tmp_path / "prefeval"
    for topic, tastes in TASTES.items():
        for form in (
            "explicit_preference",
            "implicit_preference/choice-based",
            "implicit_preference/persona-driven",
            "mcq_options",
        ):
            (root / form).mkdir(parents=True, exist_ok=True)
            records = [record(form, *taste) for taste in tastes]
            (root / form / f"{topic}.json").write_text(json.dumps(records))
    return root


def record(form: str, preference: str, question: str, good: str) -> dict[str, Any]:
    base: dict[str, Any] = {"preference": preference, "question": question}
    if form.endswith("choice-based"):
        base["conversation"] = {
            "query": "What is on offer?",
            "assistant_options": f"1. {good} 2. {OTHERS[0]}",
            "user_selection": "I take the first, the second is too loud.",
            "assistant_acknowledgment": "The first it is.",
        }
    elif form.endswith("persona-driven"):
        base["conversation"] = {
            "0": {"user": "I am a harbour master.", "assistant": "A fine job."},
            "1": {"user": f"By the way, {preference}", "assistant": "I see."},
        }
    elif form == "mcq_options":
        base["classification_task_options"] = [good, *OTHERS]
    return base


@pytest.fixture
def fillers(record: Callable[..., dict[str, Any]], write: Callable[..., Path]) -> Path:
    """Write a LongMemEval file with eight conversations of two exchanges."""
    sessions = [
        [
            {"role": role, "content": text}
            for part in "ab"
            for role, text in (
                ("user", f"How far is it to town {n}{part}?"),
                ("assistant", f"{n} miles {part}."),
            )
        ]
        for n in range(8)
    ]
    ids = [f"s{n}" for n in range(8)]
    changes = {"haystack_sessions": sessions, "haystack_session_ids": ids}
    dates = ["2023/05/20 (Sat) 06:13"] * 8
    return write([record(answer_session_ids=["none"], haystack_dates=dates, **changes)], "fillers.json")


@pytest.fixture
def sessions(fillers: Path) -> list[HaystackSession]:
    return distractor_sessions(fillers, 100)


Make = Callable[..., list[AdherenceSample]]


@pytest.fixture
def made(folder: Path, sessions: list[HaystackSession]) -> Make:
    """Make the samples of a run."""

    def make(
        *,
        form: Form = "explicit",
        distances: tuple[int, ...] = (0, 3),
        task: Task = "generation",
        seed: int = 0,
    ) -> list[AdherenceSample]:
        data = read_prefeval(folder)
        between = Distractors(sessions, data.topics, max(distances), seed=seed)
        return list(
            make_samples(data, task=task, forms=[form], distances=distances, distractors=between, seed=seed)
        )

    return make
