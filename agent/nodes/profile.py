"""Brings what is known of the user up to date with this turn, and chooses what matters for it."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime

from habitus.agent.asking import question_in, take_in
from habitus.agent.state import Context, Standing, State
from habitus.memory.extraction import Extraction
from habitus.memory.extraction.second_reading import reconcile
from habitus.memory.known.applying import Applied, applicable
from habitus.memory.known.authorship import latest_turns, writing_of
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.learning.contexts import (
    MAX_LOG,
    Near,
    demonstrations,
    examples,
    nearest,
    situated,
    without_general,
)
from habitus.memory.learning.log import read_log
from habitus.memory.records import Changes, Demonstration

CAUGHT_UP = "something known before has faded or is over, or was seen in how the user writes"
"""Reason for a version of the persona that no word of this turn brought about."""


def profile(state: State, runtime: Runtime[Context]) -> State:
    context, at = runtime.context, state["at"]
    known = Knowledge.read(context.store, state["user_id"], norms=context.norms)
    known.end_passing(at)
    of_themselves = len(known.written)
    effect, given = state.get("feedback_effect"), state.get("feedback")
    if effect is not None:
        known.take_in(effect, at, edits=context.settings.edits)
    for extraction in _learnt(state):
        known.learn(extraction, at)
    answer = state.get("answer")
    if answer is not None:
        take_in(answer, known, state["turn"])
    _read_again(known, state, context)
    persona = known.compiled_persona(
        at,
        reason=_reason(state) if len(known.written) > of_themselves else CAUGHT_UP,
        max_tokens=context.settings.persona_tokens,
        count_tokens=context.count_tokens,
    )
    stale = known.profile_is_stale(at)
    first = known.summarised(at) if stale and known.profile is None else None
    changes = Changes(
        preferences=known.written,
        facts=known.told,
        corrections=known.corrections,
        feedback=(given,) if given is not None else (),
        questions=(answer.question,) if answer is not None else (),
        persona=persona if persona is not known.persona else None,
        profile=first,
        weights=effect.weights if effect is not None else None,
    )
    near = _near(state, context)
    here = situated(state["user_id"], near, known.preferences, edits=context.settings.edits)
    standing = Standing(
        changes=changes,
        applied=(*here, *without_general(_applied(known, state, context), here)),
        examples=tuple(examples(near, known.preferences, contrasts=context.settings.contrasts)),
        persona_before=known.persona,
        persona=persona,
        profile=known.profile or first,
        profile_is_stale=stale and first is None,
        question=question_in(state, context, known),
        demonstrations=_demonstrations(known, state, context),
        writing=_writing(state, context),
    )
    return {"standing": standing}


def after_profile(state: State) -> Literal["respond", "commit"]:
    return "commit" if state["mode"] == "feedback" else "respond"


def _learnt(state: State) -> list[Extraction]:
    outcome = state.get("outcome")
    found = [state.get("extraction"), outcome.learnt if outcome else None]
    return [one for one in found if one is not None]


def _read_again(known: Knowledge, state: State, context: Context) -> None:
    """Take in what a chat model found in the message, where it was asked during the turn."""
    reading = state.get("reading")
    if reading is not None and context.reader is not None:
        outcomes = reconcile(known, state["turn"], state["extraction"], reading, at=state["at"])
        context.reader.count(outcomes)


def _reason(state: State) -> str:
    """Name what a new version of the persona is owed to, in no words of the user's."""
    effect = state.get("feedback_effect")
    if effect is not None:
        return f"feedback: {effect.cause}"
    return "command" if "command" in state["routes"] else "conversation"


def _near(state: State, context: Context) -> list[Near]:
    """Return the feedback on replies to similar requests, nearest first."""
    if state["mode"] == "feedback":
        return []
    store, user_id = context.store, state["user_id"]
    log = [one for one in read_log(store, user_id, limit=MAX_LOG) if one.id != state["turn"].id]
    asked = [one.feedback.request_id for one in log if one.feedback.request_id is not None]
    if not asked:
        return []
    requests = {turn.id: turn.text for turn in store.turns(user_id, ids=asked)}
    return nearest(log, requests, store.turn_vectors(user_id, asked), state["query_vector"])


def _demonstrations(known: Knowledge, state: State, context: Context) -> tuple[Demonstration, ...]:
    given = context.settings.demonstrations
    if not given or state["mode"] == "feedback":
        return given
    store, user_id = context.store, state["user_id"]
    log = read_log(store, user_id, limit=MAX_LOG)
    asked = [one.feedback.request_id for one in log if one.feedback.request_id is not None]
    requests = {turn.id: turn.text for turn in store.turns(user_id, ids=asked)} if asked else {}
    return tuple(demonstrations(log, requests, given, known.preferences))


def _writing(state: State, context: Context) -> tuple[str, ...]:
    if not context.settings.writing_tokens or state["mode"] == "feedback":
        return ()
    return tuple(writing_of(latest_turns(context.store, state["user_id"])))


def _applied(known: Knowledge, state: State, context: Context) -> tuple[Applied, ...]:
    if state["mode"] == "feedback":
        return ()
    return tuple(
        applicable(
            known.preferences,
            state["turn"].text,
            state["query_vector"],
            encoder=context.store.encoder,
            at=state["at"],
            limit=context.settings.n_applied,
        )
    )
