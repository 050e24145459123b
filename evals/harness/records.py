"""The words of the harness: Sample, Result, Solver, Score, Scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from habitus.memory.usage import Usage


class Sample(Protocol):
    """One item of a benchmark: what is asked, and its gold."""

    @property
    def id(self) -> str:
        """Unlike that of any other sample of the benchmark."""
        ...

    @property
    def type(self) -> str:
        """The group that reports show it in, such as a question type or a topic."""
        ...


class Result(BaseModel):
    """What a solver made of one sample, a line of `run.jsonl`; benchmarks add fields, none called `error`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    question_type: str
    usage: Usage | None = None
    """Of the chat model under test; None where none was asked."""


class Failed(Result):
    """A sample that could not be solved or scored; it has no score."""

    error: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one sample went.

    Attributes:
        views: metric values by view, a convention of what is measured; a view that does not apply to the
            sample is absent.
    """

    question_id: str
    question_type: str
    views: Mapping[str, Mapping[str, float]]


S = TypeVar("S", bound=Sample)
R = TypeVar("R", bound=Result)
ScoreT = TypeVar("ScoreT", bound=Score)

Solver = Callable[[S], R]
"""Puts one sample to the system under test. May be called from several threads at once."""
Scorer = Callable[[S, R], ScoreT]
"""Compares a result with its gold. May be called from several threads at once."""
