"""Whatever is handed to an agent is stored as it was said, or refused in words and nothing changes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.console import Console

from habitus.agent import Agent, Settings
from habitus.agent.commands.chat import COMMANDS, _Conversation
from habitus.agent.errors import AgentError
from habitus.memory.errors import InvalidInputError, MemoryStoreError, NotFoundError
from habitus.memory.extraction import comparisons, edits, preferences, style
from habitus.memory.learning import comments, implicit
from habitus.memory.records import Exported
from habitus.retrievers.encoder import HashingEncoder
from tests.strategies import bounded, damaged, instants, names, sayings

TEXTS = sayings(comparisons, comments, edits, implicit, preferences, style)
OURS = (AgentError, MemoryStoreError)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that keeps every text verbatim, with a reply to give feedback on."""
    folder = tmp_path_factory.mktemp("any")
    with Agent.open(folder, encoder=HashingEncoder(16), settings=Settings(masking=())) as opened:
        yield opened


def stored(agent: Agent, user: str) -> Exported | None:
    return agent.export(user) if user in agent.store.users() else None


@given(user=st.just("bob") | names(), session=st.none() | names(), text=TEXTS, at=st.none() | instants())
@bounded(25)
def test_a_message_is_stored_verbatim_or_refused(
    agent: Agent, user: str, session: str | None, text: str, at: datetime | None
) -> None:
    agent.settle()
    before = agent.store.users()
    told = stored(agent, user)
    try:
        reply = agent.chat(user, text, session_id=session, at=at)
    except InvalidInputError as error:
        assert str(error)
        assert (agent.store.users(), stored(agent, user)) == (before, told)
        return
    after = agent.export(user)
    if "command" not in reply.routes:
        assert [turn.text for turn in after.turns if turn.id not in {reply.turn_id}].count(text)
        kept = {turn.id: turn.text for turn in after.turns}
        assert all(kept[turn.id] == turn.text for turn in (told.turns if told else ()))
    assert any(turn.id == reply.turn_id and turn.text == reply.text for turn in after.turns)
    if agent.settings.idle_gap:
        agent.recall(user, text, at=at)


FEEDBACK = st.fixed_dictionaries(
    {},
    optional={
        "rating": st.floats() | st.integers() | st.none(),
        "comment": TEXTS,
        "edit": TEXTS,
        "choice": st.tuples(TEXTS, st.lists(TEXTS, max_size=3)),
    },
)


@given(given_=FEEDBACK, at=st.none() | instants(), request=TEXTS)
@bounded(30)
def test_feedback_is_taken_in_or_refused(
    agent: Agent, given_: dict[str, Any], at: datetime | None, request: str
) -> None:
    try:
        reply = agent.chat("ann", request)
    except InvalidInputError:
        assume(False)
    agent.settle()
    before = agent.export("ann")
    try:
        final = agent.feedback("ann", reply.turn_id, at=at, **given_)
    except InvalidInputError as error:
        assert str(error)
        assert agent.export("ann") == before
        return
    assert len([name for name, value in given_.items() if value is not None]) == 1
    after = agent.export("ann")
    assert [turn.text for turn in after.turns] == [turn.text for turn in before.turns]
    assert len(after.feedback) == len(before.feedback) + 1
    feedback = final["feedback"]
    assert feedback is not None
    agent.undo_feedback("ann", feedback.id)


@given(words=TEXTS)
@bounded(15)
def test_what_is_to_be_forgotten_is_understood_or_refused(agent: Agent, words: str) -> None:
    agent.chat("cat", "I work as a nurse. I hate loud music.")
    try:
        agent.forget_about("cat", words)
    except InvalidInputError as error:
        assert str(error)


@pytest.mark.parametrize("words", ["tldr\x00", "loud \ud800 music", "x" * 3_000_000])
def test_words_that_no_message_may_hold_forget_nothing(agent: Agent, words: str) -> None:
    agent.chat("dan", "I hate loud music.")
    before = agent.export("dan")
    with pytest.raises(InvalidInputError):
        agent.forget_about("dan", words)
    assert agent.export("dan") == before


@given(user=names(), identity=names())
@bounded(25)
def test_what_names_nothing_is_not_found(agent: Agent, user: str, identity: str) -> None:
    assume(identity not in agent.store.users())
    for ask in (
        lambda: agent.feedback(user, identity, rating=1.0),
        lambda: agent.undo_feedback(user, identity),
        lambda: agent.end_session(user, identity),
        lambda: agent.confirm(user, identity),
        lambda: agent.reject(user, identity),
        lambda: agent.edit(user, identity, strength=0.5),
        lambda: agent.delete_user(identity),
    ):
        with pytest.raises((NotFoundError, InvalidInputError)):
            ask()


@pytest.fixture(scope="module")
def whole(agent: Agent) -> dict[str, Any]:
    """What is exported of a user of whom something of every kind is stored."""
    reply = agent.chat("giver", "I prefer short answers, but I hate lists. My sister lives in Porto.")
    agent.feedback("giver", reply.turn_id, rating=1.0)
    whole = agent.export("giver").model_dump(mode="json")
    agent.delete_user("giver")
    return whole


@given(document=st.data())
@bounded(25)
def test_a_damaged_export_is_refused_or_brought_back(
    agent: Agent, whole: dict[str, Any], document: st.DataObject
) -> None:
    changed = document.draw(damaged(whole))
    try:
        exported = Exported.model_validate(changed)
    except ValueError:
        return
    assume(exported.user_id not in agent.store.users())
    try:
        agent.bring_back(exported)
    except InvalidInputError as error:
        assert str(error)
        return
    assert agent.export(exported.user_id).turns
    agent.delete_user(exported.user_id)


@given(lines=st.lists(st.tuples(st.sampled_from(["", *COMMANDS]), TEXTS).map(" ".join), max_size=5))
@bounded(20)
def test_no_line_ends_a_conversation(agent: Agent, lines: list[str]) -> None:
    lines = [one.replace("\n", " ").replace("\r", " ") for one in lines]
    assume("/quit" not in [one.strip() for one in lines])
    out = Console(file=io.StringIO(), width=200)
    typed = iter([*lines, "/quit"])
    out.input = lambda *_, **__: next(typed)  # type: ignore[method-assign]
    _Conversation(agent, "typist", out).run()
    assert list(typed) == []
