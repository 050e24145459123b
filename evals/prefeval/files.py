"""PrefEval's files (Zhao et al., ICLR 2025, arXiv 2502.09597), checked while they are read.

The data may be measured on, not used commercially: nothing that is shipped is derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from habitus.evals.benchmarks.files import decoded
from habitus.evals.longmemeval.files import DatasetError, HaystackSession, SampleReader
from habitus.memory.records import Role

T = TypeVar("T", bound="Item")

EXPLICIT = "explicit_preference"
CHOICES = "implicit_preference/choice-based"
PERSONAS = "implicit_preference/persona-driven"
OPTIONS = "mcq_options"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A preference and a question on which it bears.

    Attributes:
        topic: name of the file.
        number: place in the file, from 0; the same number in another form is the same preference.
    """

    topic: str
    number: int
    preference: str
    question: str


@dataclass(frozen=True, kw_only=True)
class ChoiceItem(Item):
    """The preference shows in what the user picks from the options of a reply, and why."""

    query: str
    offered: str
    selection: str
    acknowledgement: str = ""
    """What the assistant said to the choice; empty if the file does not tell."""


@dataclass(frozen=True, kw_only=True)
class PersonaItem(Item):
    """The preference is mentioned in passing in a conversation."""

    turns: tuple[tuple[Role, str], ...]


@dataclass(frozen=True, kw_only=True)
class OptionsItem(Item):
    """Four answers to the question; the first honours the preference."""

    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PrefEval:
    """The four forms of the data set."""

    explicit: tuple[Item, ...]
    choices: tuple[ChoiceItem, ...]
    personas: tuple[PersonaItem, ...]
    options: tuple[OptionsItem, ...]

    @property
    def topics(self) -> list[str]:
        return sorted({item.topic for item in self.explicit})


def read_prefeval(folder: Path, *, limit: int | None = None) -> PrefEval:
    """Read the files of a folder laid out like PrefEval's `benchmark_dataset`.

    Args:
        folder: holds `explicit_preference`, `implicit_preference` and `mcq_options`.
        limit: only the first items of each topic.

    Raises:
        DatasetError: a form is missing, or a file is not PrefEval's.
    """
    return PrefEval(
        explicit=tuple(_items(folder / EXPLICIT, limit, lambda record, **base: Item(**base))),
        choices=tuple(_items(folder / CHOICES, limit, _choice)),
        personas=tuple(_items(folder / PERSONAS, limit, _persona)),
        options=tuple(_items(folder / OPTIONS, limit, _options)),
    )


def distractor_sessions(path: Path, n_user_turns: int) -> list[HaystackSession]:
    """Return sessions of a LongMemEval file that are evidence for none of its questions read so far.

    Args:
        path: the file.
        n_user_turns: read until the sessions hold so many turns of the user; the file may hold fewer.

    Raises:
        DatasetError: the file is not LongMemEval.
    """
    found: dict[str, HaystackSession] = {}
    evidence: set[str] = set()
    with SampleReader(path) as reader:
        for sample in reader:
            evidence |= sample.evidence_session_ids
            for session in sample.sessions:
                found.setdefault(session.id, session)
            kept = [session for session in found.values() if session.id not in evidence]
            if sum(map(n_user, kept)) >= n_user_turns:
                return kept
    return [session for session in found.values() if session.id not in evidence]


def n_user(session: HaystackSession) -> int:
    """Return how many turns of a session are the user's and hold words."""
    return sum(turn.role == "user" and bool(turn.text.strip()) for turn in session.turns)


def _items(folder: Path, limit: int | None, make: Callable[..., T]) -> Iterator[T]:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise DatasetError(
            f"no PrefEval files in {str(folder)!r}; give --data the folder that holds {EXPLICIT!r}"
        )
    for path in files:
        for number, record in enumerate(islice(_records(path), limit)):
            try:
                base = {
                    "topic": path.stem,
                    "number": number,
                    "preference": _text(record, "preference"),
                    "question": _text(record, "question"),
                }
                yield make(record, **base)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise DatasetError(f"{path.name}: item {number} is not PrefEval's: {error!r}") from None


def _records(path: Path) -> list[Mapping[str, Any]]:
    try:
        records = decoded(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path.name}: {error}") from None
    if not isinstance(records, list):
        raise DatasetError(f"{path.name} does not hold a list of items")
    return records


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is {value!r}, expected words")
    return value


def _choice(record: Mapping[str, Any], **base: Any) -> ChoiceItem:
    told = record["conversation"]
    return ChoiceItem(
        query=_text(told, "query"),
        offered=_text(told, "assistant_options"),
        selection=_text(told, "user_selection"),
        acknowledgement=str(told.get("assistant_acknowledgment") or "").strip(),
        **base,
    )


def _persona(record: Mapping[str, Any], **base: Any) -> PersonaItem:
    told = record["conversation"]
    if not isinstance(told, dict):
        raise ValueError(f"the conversation is {told!r}, expected an object")
    roles: tuple[Role, ...] = ("user", "assistant")
    found: list[tuple[Role, str]] = []
    for place in sorted(told, key=int):
        for role in roles:
            text = str(told[place].get(role) or "")
            if text.strip():
                found.append((role, text))
    turns = tuple(found)
    if not any(role == "user" for role, _ in turns):
        raise ValueError("the conversation holds no turn of the user")
    return PersonaItem(turns=turns, **base)


def _options(record: Mapping[str, Any], **base: Any) -> OptionsItem:
    told = record["classification_task_options"]
    options = tuple(str(option) for option in told) if isinstance(told, list) else ()
    if len(options) < 2:
        raise ValueError(f"expected several options, got {told!r}")
    return OptionsItem(options=options, **base)
