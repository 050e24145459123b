"""What a model may do with one user's memory. Each answers in words; its docstring is what a model reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from habitus.memory.errors import InvalidInputError
from habitus.memory.known.lasting import in_force, with_term
from habitus.memory.records import Conversation, Fact, Message, Preference
from habitus.tools.access import PersonalMemory


class Actions:
    """Memory in the hands of a model, for one user."""

    def __init__(self, memory: PersonalMemory, user_id: str) -> None:
        self._memory = memory
        self._user_id = user_id

    def remember(self, words: str) -> str:
        """Keep something the user said. Give the user's own words, verbatim, in the first person."""
        conversation = _one_message(words)
        self._memory.ingest(self._user_id, [conversation])
        turn_id = f"{conversation.id}:0"
        learnt = _resting_on(self._memory.preferences(self._user_id), turn_id)
        learnt += _resting_on(self._memory.facts(self._user_id), turn_id)
        return "Remembered." + (f" Learnt: {'; '.join(learnt)}" if learnt else "")

    def recall(self, question: str) -> str:
        """Look up what was said in earlier conversations that bears on a question."""
        text = self._memory.recall(self._user_id, question).packed.text
        return text or "Nothing in memory bears on that."

    def forget(self, about: str) -> str:
        """Delete for good what memory holds about a subject. Only when the user asks for it."""
        gone = self._memory.forget_about(self._user_id, about)
        records = (gone.preference_ids, gone.fact_ids, gone.correction_ids, gone.feedback_ids)
        n_records, n_messages = sum(map(len, records)), len(gone.turn_ids) + len(gone.rewritten_ids)
        if not n_records and not n_messages:
            return "Nothing was stored about that."
        return f"Deleted for good: {n_records} records, and what {n_messages} messages said of it."

    def correct(self, right: str) -> str:
        """Put right what memory holds. Give what is true now, in the user's words, in the first person."""
        return self._memory.chat(self._user_id, f"Correction: {right}").text

    def list_preferences(self) -> str:
        """List the user's preferences that hold now."""
        held = in_force(self._memory.preferences(self._user_id, status="active"), datetime.now(UTC))
        return "\n".join(map(_line, held)) or "No preferences are known."

    def profile(self) -> str:
        """Summarise who the user is."""
        found = self._memory.profile(self._user_id)
        return found.text if found is not None and found.text else "Nothing is known about the user yet."


NAMED: dict[str, Callable[..., str]] = {
    "remember": Actions.remember,
    "recall": Actions.recall,
    "forget": Actions.forget,
    "correct": Actions.correct,
    "list_preferences": Actions.list_preferences,
    "profile": Actions.profile,
}
"""The actions by the names that models see; each takes an `Actions` first."""

INPUT_ERRORS = (InvalidInputError, ValidationError)
"""What an action raises for input that a model can mend."""


def _one_message(words: str) -> Conversation:
    if not words.strip():
        raise InvalidInputError("give the words that are to be remembered")
    now = datetime.now(UTC)
    return Conversation(at=now, messages=(Message(role="user", text=words, at=now),))


def _resting_on(records: Sequence[Preference | Fact], turn_id: str) -> list[str]:
    return [one.statement for one in records if any(e.turn_id == turn_id for e in one.evidence)]


def _line(preference: Preference) -> str:
    scope = f" ({preference.scope})" if preference.scope else ""
    return f"- {preference.stance}: {with_term(preference.statement + scope, preference)}"
