"""One item of a benchmark, whatever its files look like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from habitus.memory.records import Conversation

Kind = Literal["retrieval", "choice", "classification", "rating", "generation"]
"""What is measured: the rank of the evidence, the option chosen, or the reply against its gold."""


@dataclass(frozen=True, slots=True)
class History:
    """What a user said before the question; several cases may share one."""

    id: str
    sessions: tuple[Conversation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question with its history and its gold.

    Attributes:
        id: unlike that of any other case of the benchmark.
        type: the group that reports show it in.
        kind: what is measured.
        evidence: of a `retrieval`, ids of its messages, `<session id>:<0-based index>`.
        options: of a `choice`.
        right: of a `choice`, the place of the right option.
        gold: of a reply.
    """

    id: str
    type: str
    kind: Kind
    history: History
    question: str
    at: datetime
    evidence: frozenset[str] = frozenset()
    options: tuple[str, ...] = ()
    right: int | None = None
    gold: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a benchmark's data is, and what may be done with it."""

    name: str
    paper: str
    url: str
    licence: str
