"""A run over two questions: one found at once, one whose evidence shares no word with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.running import AgentUnderTest

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def data(record: Callable[..., Any], write: Callable[..., Path]) -> Path:
    """Two questions: one found at once, one whose evidence shares no word with it and holds markup."""
    missed = record(question_id="missed", question=f"Which {EVIL} tool?", answer="spade")
    missed["haystack_sessions"][1][2]["content"] = f"My own shovel {EVIL}"
    missed["haystack_sessions"][0][0]["content"] = "Which tool is best?"
    return write([record(), missed])


@pytest.fixture
def run(data: Path, tmp_path: Path, agents: Any) -> Path:
    options = RunOptions(data=data, out=tmp_path / "run", with_replies=False, budgets=(1,))
    assert run_longmemeval(options, lambda: AgentUnderTest(open=agents, encoder="none")) == 0
    return tmp_path / "run"
