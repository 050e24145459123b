"""Builds the prompt and has the generator answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from langgraph.runtime import Runtime

from habitus.agent.asking import spoken
from habitus.agent.errors import CancelledError, GeneratorError
from habitus.agent.generators.decoding.method import Asked
from habitus.agent.prompting.personalisation import binds, narrowed
from habitus.agent.prompting.prompt import Budgets, Prompt, build_prompt, example_line
from habitus.agent.state import Context, Standing, State
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.norms import bearing, in_force
from habitus.memory.masking import told
from habitus.memory.records import Correction, Norm, Preference
from habitus.memory.retrieval.packing import Packed

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_N_CORRECTIONS = 3
_CORRECTION_FLOOR = 0.45


def respond(state: State, runtime: Runtime[Context]) -> State:
    if state["mode"] == "prepare":
        prompt = _prompt(state, runtime.context)
        read: State = {"prompt_tokens": prompt.n_tokens, "cut": prompt.cut}
        return {**read, **_entered(state, prompt), "prompt": prompt.messages}
    if state["mode"] == "observe":
        return {"prompt_tokens": 0, "cut": ()}
    outcome = state.get("outcome")
    said = [outcome.text] if outcome is not None else []
    said += _blocked(state["standing"].changes.preferences)
    if masked := state.get("masked"):
        said.append(told(masked))
    emit = runtime.context.emit or runtime.stream_writer
    for text in said:
        emit(text + "\n\n")
    if state["routes"] == {"command"}:
        return {"reply_text": "\n\n".join(said), "prompt_tokens": 0, "cut": (), **_entered(state, None)}

    prompt = _prompt(state, runtime.context)
    reply = _generate(prompt.messages, state, runtime.context, emit)
    question = state["standing"].question
    asked = [spoken(question)] if question is not None else []
    for text in asked:
        emit("\n\n" + text)
    text = "\n\n".join([*said, reply, *asked])
    read = {"prompt_tokens": prompt.n_tokens, "cut": prompt.cut}
    return {**read, **_entered(state, prompt), "reply_text": text}


def _entered(state: State, prompt: Prompt | None) -> State:
    """Return standing and recall with no more than the prompt held of them; None: there was none."""
    standing = replace(state["standing"], applied=prompt.applied if prompt is not None else ())
    if prompt is not None and state.get("strength", 1.0) > 0.0:
        return {"standing": standing}
    return {"standing": standing, "recall": replace(state["recall"], packed=Packed())}


def after_respond(state: State) -> Literal["commit", "__end__"]:
    return "__end__" if state["mode"] == "prepare" else "commit"


def _prompt(state: State, context: Context) -> Prompt:
    if state.get("strength", 1.0) <= 0.0:
        return _prompt_without_user(state, context)
    standing = _standing(state, context)
    return build_prompt(
        state["turn"],
        norms=in_force(context.norms),
        bearing=_bearing(state, context),
        persona=standing.persona,
        profile=standing.profile,
        applied=standing.applied,
        corrections=_fitting_corrections(state, context),
        packed=state["recall"].packed,
        window=context.session.window(context.settings.window_tokens),
        instructions=state.get("instructions"),
        examples=[example_line(one) for one in standing.examples],
        demonstrations=standing.demonstrations,
        writing=standing.writing,
        budgets=_budgets(context),
        count_tokens=context.count_tokens,
    )


def _standing(state: State, context: Context) -> Standing:
    """Return what of the user's standing counts at the strength of this turn, which is above 0."""
    standing, strength = state["standing"], state.get("strength", 1.0)
    if strength >= 1.0:
        return standing
    return narrowed(standing, context.store.preferences(state["turn"].user_id), strength)


def _budgets(context: Context) -> Budgets:
    settings = context.settings
    return Budgets(
        profile=settings.profile_tokens,
        preferences=settings.preference_tokens,
        corrections=settings.correction_tokens,
        examples=settings.example_tokens,
        writing=settings.writing_tokens,
        prompt=settings.prompt_tokens or _window_of(context.generator),
    )


def _window_of(generator: BaseChatModel) -> int | None:
    """Return how many tokens a generator says that it reads, if it does."""
    return (generator.profile or {}).get("max_input_tokens")


def _fitting_corrections(state: State, context: Context) -> Sequence[Correction]:
    """Return the past mistakes whose situation comes near this request, nearest first."""
    known = [*context.store.corrections(state["turn"].user_id), *state["standing"].changes.corrections]
    known = [one for one in {one.id: one for one in known}.values() if one.withdrawn_at is None]
    if not known:
        return ()
    cosines = vectors_of([one.situation for one in known], context.store.encoder) @ state["query_vector"]
    nearest = sorted(zip(cosines.tolist(), range(len(known)), strict=True), reverse=True)[:_N_CORRECTIONS]
    return [known[i] for cosine, i in nearest if cosine >= _CORRECTION_FLOOR]


def _generate(
    messages: list[BaseMessage], state: State, context: Context, emit: Callable[[str], None]
) -> str:
    counts = state.get("strength", 1.0) > 0.0
    applied = _standing(state, context).applied if counts else ()
    asked = Asked(
        generator=context.generator,
        messages=messages,
        without_user=lambda: _prompt_without_user(state, context).messages,
        preferences=tuple(one.preference for one in applied),
        musts=tuple(one.preference for one in applied if binds(one.preference)),
        personal=counts,
        request=state["turn"].text,
        encoder=context.store.encoder,
        user_id=state["user_id"],
        weights=context.store.weights(state["user_id"]) if counts else None,
        arguments=state.get("generation", {}),
        cancelled=context.cancelled,
    )
    pieces: list[str] = []
    try:
        with context.waiting():
            for piece in context.decoding.reply(asked):
                pieces.append(piece)
                emit(piece)
    except CancelledError:
        raise
    except Exception as error:
        raise GeneratorError(context.generator, error) from error
    text = "".join(pieces).strip()
    if not text:
        raise GeneratorError(context.generator, ValueError("it returned an empty reply"))
    return text


def _prompt_without_user(state: State, context: Context) -> Prompt:
    """Return the prompt as it would be if nothing were known of the user but this conversation."""
    return build_prompt(
        state["turn"],
        norms=in_force(context.norms),
        bearing=_bearing(state, context),
        persona=None,
        profile=None,
        applied=(),
        corrections=(),
        packed=Packed(),
        window=context.session.window(context.settings.window_tokens),
        instructions=state.get("instructions"),
        demonstrations=context.settings.demonstrations,
        budgets=_budgets(context),
        count_tokens=context.count_tokens,
    )


def _bearing(state: State, context: Context) -> list[Norm]:
    return bearing(
        context.norms,
        state["query_vector"],
        context.store.encoder,
        n_nearest=context.settings.n_norms,
    )


def _blocked(preferences: Sequence[Preference]) -> list[str]:
    return [
        f"I noted your wish (“{preference.statement}”), but I cannot follow it: it {preference.status_reason}"
        for preference in preferences
        if preference.status == "blocked"
    ]
