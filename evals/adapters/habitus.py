"""Habitus behind the two methods, whole or without one of its parts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from habitus.agent.agent import Agent
from habitus.agent.presets.reading import PresetError
from habitus.agent.settings import Settings
from habitus.evals.adapters.arms import WITHOUT, check_without
from habitus.evals.harness.agents import Answer, Parts
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation


class HabitusAgent:
    """Habitus on the embedded store.

    Args:
        folder: of its data.
        parts: generator and encoder.
        settings: budgets and dials.
    """

    def __init__(self, folder: Path, parts: Parts, settings: Settings | None = None) -> None:
        generator = parts.generator if parts.has_generator else None
        self._instructions = parts.instructions or None
        self.agent = Agent.open(folder, encoder=parts.encoder, generator=generator, settings=settings)

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
        self.agent.ingest(user_id, sessions)

    def answer(self, user_id: str, question: str, at: datetime) -> Answer:
        reply = self.agent.chat(user_id, question, at=at, instructions=self._instructions)
        return Answer(text=reply.text, cut=reply.cut)

    def close(self) -> None:
        self.agent.close()


def habitus(folder: Path, parts: Parts) -> HabitusAgent:
    """Habitus with its default settings; without a generator it answers from quotations."""
    return HabitusAgent(folder, parts)


def habitus_with(settings: Settings) -> Callable[[Path, Parts], HabitusAgent]:
    """Return the factory of Habitus with some settings."""
    return lambda folder, parts: HabitusAgent(folder, parts, settings)


def habitus_preset(name: str) -> Callable[[Path, Parts], HabitusAgent]:
    """Return the factory of Habitus as a method of the literature.

    Raises:
        UsageError: there is no such preset.
    """
    try:
        return habitus_with(Settings.preset(name))
    except PresetError as error:
        raise UsageError(str(error)) from error


def without(settings: Settings, names: Collection[str]) -> Settings:
    """Return settings without parts of the prompt.

    Raises:
        UsageError: there is no such part.
    """
    check_without(names)
    for name in names:
        settings = settings.model_copy(update=dict(WITHOUT[name]))
    return settings
