"""Every way in which what is stored of a user can be read, each as one text to be searched for words.

Used twice: with the user's own memory, after something was forgotten, and with another user's, who fishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from habitus.memory.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from habitus.agent.agent import Agent


def read_all(agent: Agent, user_id: str, questions: Sequence[str], at: datetime) -> dict[str, str]:
    """Read the user's memory in every way; return the text by the name of the way.

    Args:
        agent: the agent.
        user_id: who reads.
        questions: put to every way that takes words.
        at: when.
    """
    found = {name: "\n".join(read(agent, user_id)) for name, read in _STORED.items()}
    for name, ask in _ASKED.items():
        found[name] = "\n".join(part for asked in questions for part in ask(agent, user_id, asked, at))
    return found


def attack(agent: Agent, reader: str, owner: str, at: datetime) -> dict[str, str]:
    """Let one user work with the ids of another's sessions, replies and records; return what comes back."""
    sessions = [session.id for session in agent.store.sessions(owner)]
    turns = [turn.id for turn in agent.store.turns(owner)]
    replies = [turn.id for turn in agent.store.turns(owner) if turn.role == "assistant"]
    preferences = [preference.id for preference in agent.preferences(owner)]
    question = "What did I just tell you?"
    acts: Mapping[str, Iterator[object]] = {
        "their session in chat": (
            agent.chat(reader, question, session_id=one, at=at).text for one in sessions
        ),
        "their session in prepare": (
            _prompt(agent.prepare(reader, question, session_id=one, at=at)) for one in sessions
        ),
        "their session in memories": (agent.memories(reader, session_id=one) for one in sessions),
        "their turns by id": (agent.store.turns(reader, ids=turns) for _ in range(1)),
        "their texts by id": (agent.store.texts(reader, turns) for _ in range(1)),
        "their replies rated": (tried(agent.feedback, reader, one, rating=-1.0, at=at) for one in replies),
        "their preferences confirmed": (tried(agent.confirm, reader, one, at=at) for one in preferences),
        "their preferences rejected": (tried(agent.reject, reader, one, at=at) for one in preferences),
        "their preferences edited": (
            tried(agent.edit, reader, one, at=at, statement="The user likes nothing.") for one in preferences
        ),
        "their turns forgotten": (
            agent.forget(reader, turn_ids=turns, preference_ids=preferences) for _ in range(1)
        ),
    }
    return {name: "\n".join(map(as_text, act)) for name, act in acts.items()}


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a data folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def as_text(value: object) -> str:
    """Return all that a value holds, records as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, Mapping):
        return "\n".join(f"{as_text(key)}: {as_text(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(map(as_text, value))
    return str(value)


def tried(act: Callable[..., object], *arguments: Any, **named: Any) -> object:
    """Do what is to be refused; the refusal's own words count as well."""
    try:
        return act(*arguments, **named)
    except (NotFoundError, InvalidInputError) as error:
        return str(error)


def _prompt(prepared: Any) -> str:
    return "\n".join(str(message.content) for message in prepared.messages)


def _exported(agent: Agent, user: str) -> Iterator[str]:
    yield as_text(tried(agent.export, user))


_STORED: Mapping[str, Callable[[Agent, str], Iterator[str]]] = {
    "memories": lambda agent, user: (as_text(one) for one in agent.memories(user)),
    "preferences": lambda agent, user: (as_text(one) for one in agent.preferences(user)),
    "facts": lambda agent, user: (as_text(one) for one in agent.facts(user)),
    "profile": lambda agent, user: (as_text(one) for one in [agent.profile(user)]),
    "personas": lambda agent, user: (as_text(one) for one in agent.personas(user)),
    "export": _exported,
    "sessions": lambda agent, user: (as_text(one) for one in agent.store.sessions(user)),
    "corrections": lambda agent, user: (as_text(one) for one in agent.store.corrections(user)),
    "feedback": lambda agent, user: (as_text(one) for one in agent.store.feedback(user)),
    "questions": lambda agent, user: (as_text(one) for one in agent.store.questions(user)),
    "reward weights": lambda agent, user: (as_text(one) for one in [agent.store.weights(user)]),
    "tool list_preferences": lambda agent, user: iter([_tool(agent, user, "list_preferences", {})]),
    "tool profile": lambda agent, user: iter([_tool(agent, user, "profile", {})]),
}


def _tool(agent: Agent, user: str, name: str, arguments: dict[str, str]) -> str:
    from habitus.tools import memory_tools

    (tool,) = (one for one in memory_tools(agent, user) if one.name == name)
    return str(tool.invoke(arguments))


def _chatted(agent: Agent, user: str, asked: str, at: datetime) -> Iterator[str]:
    reply = agent.chat(user, asked, at=at)
    yield reply.text
    yield reply.why()
    yield as_text([memory.text for memory in reply.memories])


def _streamed(agent: Agent, user: str, asked: str, at: datetime) -> Iterator[str]:
    yield "".join(part for part in agent.stream(user, asked, at=at) if isinstance(part, str))


def _recalled(agent: Agent, user: str, asked: str, at: datetime) -> Iterator[str]:
    found = agent.recall(user, asked, at=at, context_tokens=100_000)
    yield found.packed.text
    yield as_text(agent.store.texts(user, found.ranked_turn_ids))


def _in_basestore(agent: Agent, user: str, asked: str, at: datetime) -> Iterator[str]:
    from habitus.tools import HabitusStore

    for item in HabitusStore(agent.store).search((user,), query=asked, limit=100):
        yield f"{item.key}: {item.value}"


_ASKED: Mapping[str, Callable[[Agent, str, str, datetime], Iterator[str]]] = {
    "prepare": lambda agent, user, asked, at: iter([_prompt(agent.prepare(user, asked, at=at))]),
    "recall": _recalled,
    "tool recall": lambda agent, user, asked, at: iter([_tool(agent, user, "recall", {"question": asked})]),
    "LangGraph store": _in_basestore,
    "chat": _chatted,
    "stream": _streamed,
}
