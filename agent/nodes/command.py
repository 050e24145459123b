"""Does what the user asks of memory itself: forget, show, export, correct."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langgraph.runtime import Runtime

from habitus.agent.offering import MAX_OFFERED, question_of
from habitus.agent.routing import CONFIRMATION
from habitus.agent.state import Command, CommandKind, CommandOutcome, Context, State
from habitus.memory.extraction import extract as extract_from
from habitus.memory.known.lasting import is_over, until
from habitus.memory.learning.comments import named
from habitus.memory.learning.undo import last_feedback
from habitus.memory.records import Fact, Preference, Turn
from habitus.memory.storage.subjects import forget_about, forget_said, perhaps_meant
from habitus.memory.store import Forgotten

FORGOTTEN_REQUEST = "(a request to forget something)"
"""What is kept of a message that asked to forget: its words would name what is to be forgotten."""


def command(state: State, runtime: Runtime[Context]) -> State:
    asked = state.get("command")
    if asked is None:
        return {"outcome": None}
    return {"outcome": _DOERS[asked.kind](asked, state["turn"], runtime.context)}


def _forget(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    if asked.said:
        gone = forget_said(context.store, turn.user_id, asked.said)
    elif asked.words:
        gone = forget_about(context.store, turn.user_id, asked.words)
    else:
        gone = _forget_last(turn, context)
    context.session.discard({*gone.turn_ids, *gone.rewritten_ids})
    n_records = sum(map(len, (gone.preference_ids, gone.fact_ids, gone.correction_ids, gone.feedback_ids)))
    n_messages = len(gone.turn_ids) + len(gone.rewritten_ids)
    if not n_records and not n_messages:
        perhaps = perhaps_meant(context.store, turn.user_id, asked.words) if asked.words else []
        offered = tuple(dict.fromkeys(perhaps))[:MAX_OFFERED]
        text = question_of(offered) if offered else "I found nothing stored about that."
        return CommandOutcome(kind="forget", text=text, forgotten=gone, offered=offered)
    what = f"{_counted(n_records, 'record')}, and what {_counted(n_messages, 'message')} said of it,"
    return CommandOutcome(kind="forget", text=f"Forgotten: {what} deleted for good.", forgotten=gone)


def _keep(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    return CommandOutcome(kind="keep", text="I deleted nothing.")


def _forget_last(turn: Turn, context: Context) -> Forgotten:
    """Forget the last exchange, and the records that rest on it."""
    store, user_id = context.store, turn.user_id
    turns = [said.id for said in context.session.turns[-2:]]
    return store.forget(
        user_id,
        turn_ids=turns,
        preference_ids=[p.id for p in store.preferences(user_id) if _rests_on(p, turns)],
        fact_ids=[f.id for f in store.facts(user_id) if _rests_on(f, turns)],
    )


def _rests_on(record: Preference | Fact, turn_ids: Sequence[str]) -> bool:
    return any(evidence.turn_id in turn_ids for evidence in record.evidence)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _show(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    stored = context.store.preferences(turn.user_id)
    preferences = [p for p in stored if p.status in ("active", "pending") and not is_over(p, turn.at)]
    facts = context.store.facts(turn.user_id, status="active")
    if not preferences and not facts:
        return CommandOutcome(kind="show", text="I don't know anything about you yet.")
    lines = ["This is what I know about you:"]
    lines += [f"- {p.statement} ({_hedged(p)}{_since(p)})" for p in preferences]
    lines += [f"- {f.statement} (since {f.valid_from:%Y-%m-%d})" for f in facts]
    return CommandOutcome(kind="show", text="\n".join(lines))


def _since(preference: Preference) -> str:
    begins = f"since {preference.learnt_at:%Y-%m-%d}"
    return (
        f"since {preference.valid_from:%Y-%m-%d}" if not (term := until(preference)) else f"{begins}, {term}"
    )


def _hedged(preference: Preference) -> str:
    scope = f"{preference.scope}, " if preference.scope else ""
    return scope + ("I think, " if preference.status == "pending" or not preference.explicit else "")


def _export(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    user_id = turn.user_id
    if user_id not in context.store.users():
        return CommandOutcome(kind="export", text="Nothing is stored about you yet.")
    exported = context.store.export(user_id)
    parts = (
        _counted(len(exported.turns), "message"),
        _counted(len(exported.preferences), "preference"),
        _counted(len(exported.facts), "fact"),
    )
    text = f"Your data: {', '.join(parts)}. The whole record comes with this reply for your app to hand over."
    return CommandOutcome(kind="export", text=text, exported=exported)


def _correct(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    learnt = extract_from(turn.model_copy(update={"text": asked.words}), context=context.session.turns[-4:])
    if not learnt.preferences and not learnt.facts:
        text = "I could not tell what to correct; please say it as a sentence: “Correction: I prefer trains.”"
        return CommandOutcome(kind="correct", text=text, learnt=learnt)
    said = [p.statement for p in learnt.preferences] + [f.statement for f in learnt.facts]
    return CommandOutcome(kind="correct", text="Corrected: " + "; ".join(said), learnt=learnt)


def _forget_all(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    """Delete the user, once they have confirmed it in words that nobody says by chance."""
    store, user_id = context.store, turn.user_id
    if user_id not in store.users():
        return CommandOutcome(kind="forget_all", text="Nothing is stored about you yet.")
    stats = store.stats(user_id)
    what = (
        f"{_counted(stats.n_turns, 'message')} and {_counted(stats.n_preferences + stats.n_facts, 'record')}"
    )
    if asked.words != CONFIRMATION:
        text = f"That would delete {what} for good. If you want that, say: “{CONFIRMATION}”"
        return CommandOutcome(kind="forget_all", text=text)
    turns = tuple(said.id for said in store.turns(user_id))
    store.delete_user(user_id)
    context.session.discard(turns)
    text = f"Everything is deleted for good: {what}."
    return CommandOutcome(kind="forget_all", text=text, forgotten=Forgotten(turn_ids=turns))


def _undo(asked: Command, turn: Turn, context: Context) -> CommandOutcome:
    """Say what is taken back; the feedback node does it."""
    last = last_feedback(context.store.feedback(turn.user_id))
    if last is None:
        return CommandOutcome(kind="undo", text="There is no feedback of yours to take back.")
    what = f"Taken back: {named(last)}, of {last.at:%Y-%m-%d}. Nothing follows from it any more."
    return CommandOutcome(kind="undo", text=what)


_DOERS: dict[CommandKind, Callable[[Command, Turn, Context], CommandOutcome]] = {
    "forget": _forget,
    "keep": _keep,
    "forget_all": _forget_all,
    "show": _show,
    "export": _export,
    "correct": _correct,
    "undo": _undo,
}
