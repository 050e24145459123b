"""Takes preferences and facts from the user's own words."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from habitus.agent.asking import answer_in
from habitus.agent.state import Context, State
from habitus.agent.upkeep.reading import CONTEXT_TURNS
from habitus.memory.errors import ChatModelError
from habitus.memory.extraction import extract as extract_from
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.records import Turn


def extract(state: State, runtime: Runtime[Context]) -> State:
    context = runtime.context.session.turns[-CONTEXT_TURNS:]
    found = extract_from(state["turn"], context=context)
    return {
        "extraction": found,
        "answer": answer_in(state, runtime.context, found.preferences),
        "reading": _reading(state, runtime.context, context),
    }


def _reading(state: State, context: Context, before: Sequence[Turn]) -> ModelReading | None:
    if context.reader is None or state["mode"] == "prepare":
        return None  # `observe` reads what `prepare` was asked about
    try:
        with context.waiting():
            return context.reader.read(state["turn"], before)
    except ChatModelError:
        return None  # counted by the reader; the turn is read later
