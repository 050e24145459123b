"""Anybody's agent, found by name and closed when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.harness.agents import EvaluatedAgent, Parts, load_agent, opened
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation
from habitus.retrievers.encoder import HashingEncoder

MODULE = """
class Parrot:
    closed = []
    def __init__(self, folder): self.folder = folder
    def ingest(self, user_id, sessions): self.n = len(sessions)
    def answer(self, user_id, question, at): return f"{question} {self.n}"
    def close(self): self.closed.append(self.folder)

def parrot(folder, parts): return Parrot(folder)
"""


class Silent:
    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None: ...

    def answer(self, user_id: str, question: str, at: datetime) -> str:
        return ""


def silent(folder: Path, parts: Parts) -> EvaluatedAgent:
    return Silent()


def no_parts() -> Parts:
    return Parts(generator=None, encoder=HashingEncoder)


def test_an_agent_of_the_working_directory_is_found_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parrots.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    factory = load_agent("parrots:parrot")
    with opened(factory, tmp_path, no_parts()) as agent:
        agent.ingest("ann", [])
        assert agent.answer("ann", "Who?", datetime(2026, 1, 1)) == "Who? 0"
        assert agent.closed == []  # type: ignore[attr-defined]
    assert agent.closed == [tmp_path]  # type: ignore[attr-defined]


def test_an_agent_without_close_is_just_left(tmp_path: Path) -> None:
    with opened(silent, tmp_path, no_parts()) as agent:
        assert agent.answer("ann", "Who?", datetime(2026, 1, 1)) == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("parrot", "must be MODULE:FACTORY"),
        ("no_such_module_at_all:make", "No module named"),
        ("json:no_such_function", "has no function 'no_such_function'"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_agent(name)


def test_parts_are_made_once_and_only_when_asked_for() -> None:
    made: list[str] = []

    def generator() -> ScriptedChat:
        made.append("generator")
        return ScriptedChat(script=["yes"])

    parts = Parts(generator=generator, encoder=HashingEncoder)
    assert made == []
    assert parts.generator is parts.generator
    assert made == ["generator"]
    assert parts.encoder is parts.encoder


def test_an_agent_that_needs_a_model_says_so() -> None:
    with pytest.raises(UsageError, match="give --generator"):
        _ = no_parts().generator
