"""Long sessions: within their budgets, nothing of them out of reach, nothing lost or doubled at their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent, Conversation, Message, Reply, ScriptedChat, Settings
from habitus.agent.prompting.prompt import parse
from habitus.evals.bench.texts import made_up
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.tokens import estimate_tokens
from habitus.retrievers.encoder import Encoder, HashingEncoder
from habitus.retrievers.minilm import minilm

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
N_TURNS = 300
PLANTED = {
    3: ("I left the spare key under the blue flowerpot.", "Where did I leave the spare key?"),
    41: ("My cat Biscuit is allergic to chicken.", "What is Biscuit allergic to?"),
    77: ("The alarm code of the office is 4471.", "What is the alarm code of the office?"),
    110: ("Our train to Vienna departs at 6:40.", "When does our train to Vienna depart?"),
    138: ("Doctor Okafor told me to take magnesium.", "What did Doctor Okafor tell me to take?"),
}
"""Facts by the number of the exchange that tells them, and the questions they answer."""


def in_prompt(reply: Reply, model: ScriptedChat) -> list[str]:
    """Return every text of the session that the generator was shown."""
    window = [text for _, text in parse(model.prompts[-1]).window]
    return window + [memory.text for memory in reply.memories]


def talk(agent: Agent, n_turns: int = N_TURNS, texts: dict[int, str] | None = None) -> None:
    """Talk for so many turns in one session, saying some texts at some exchanges."""
    told = texts or {}
    for number, small_talk in enumerate(made_up(n_turns // 2, 14, seed=5)):
        at = MONDAY + timedelta(minutes=number)
        agent.chat("maya", told.get(number, small_talk), session_id="long", at=at)


@pytest.fixture(params=["hashing", pytest.param("minilm", marks=pytest.mark.slow)])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return HashingEncoder() if request.param == "hashing" else minilm()


@pytest.mark.parametrize("session_tokens", [16_000, 600], ids=["all in memory", "most left to the store"])
def test_what_left_the_window_is_recalled_from_wherever_it_is(
    tmp_path: Path, encoder: Encoder, session_tokens: int
) -> None:
    replies = [f"I see, {text[0].lower()}{text[1:]}" for text in made_up(N_TURNS // 2, 9, seed=6)]
    model = ScriptedChat(script=replies + ["Yes."] * 10)
    dials = Settings(window_tokens=200, session_tokens=session_tokens)
    with Agent.open(tmp_path, encoder=encoder, generator=model, settings=dials) as agent:
        talk(agent, texts={number: fact for number, (fact, _) in PLANTED.items()})
        for number, (fact, question) in PLANTED.items():
            reply = agent.chat("maya", question, session_id="long", at=MONDAY + timedelta(hours=3))
            assert fact in in_prompt(reply, model), f"told at exchange {number}"
            shown = [text for text in in_prompt(reply, model) if text == fact]
            assert len(shown) == 1


def test_a_long_session_keeps_within_its_budgets(tmp_path: Path) -> None:
    model = ScriptedChat(script=made_up(N_TURNS // 2, 40, seed=2))
    dials = Settings(window_tokens=150, session_tokens=700, context_tokens=120)
    held: list[int] = []

    def watch(agent: Agent) -> None:
        memory: ShortTermMemory = agent._sessions.memory("maya", "long")
        held.append(memory.n_tokens)

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=model, settings=dials) as agent:
        window: list[str] = []
        for number, text in enumerate(made_up(N_TURNS // 2, 25, seed=3)):
            at = MONDAY + timedelta(minutes=number)
            reply = agent.chat("maya", text, session_id="long", at=at)
            window = [said for _, said in parse(model.prompts[-1]).window]
            assert sum(map(estimate_tokens, window)) <= 150
            assert reply.recall.context_tokens <= 120
            watch(agent)
        assert len(agent.memories("maya", session_id="long")) == N_TURNS
    assert max(held) <= 700
    assert held[-1] > 500, "the budget was never reached, so the test would prove nothing"
    assert window, "an empty window keeps any budget"


def test_a_conversation_that_is_brought_in_again_goes_on_behind_its_new_messages(tmp_path: Path) -> None:
    messages = [Message(role="user", text=text) for text in ("I have a dog.", "He is brown.", "He barks.")]
    with Agent.open(tmp_path, encoder=HashingEncoder()) as agent:

        def bring_in(n: int) -> None:
            agent.ingest("maya", [Conversation(id="c", at=MONDAY, messages=tuple(messages[:n]))])

        bring_in(2)
        agent._sessions.memory("maya", "c")
        bring_in(3)
        agent.chat("maya", "What does he do?", session_id="c", at=MONDAY + timedelta(hours=1))
        assert [turn.index for turn in agent.memories("maya", session_id="c")] == [0, 1, 2, 3, 4]


def test_sessions_held_at_once_are_bounded_and_the_others_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from habitus.agent import sessions

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=["Fine."])) as agent:
        agent.chat("ann", "My cat is Biscuit.", at=MONDAY)
        agent.chat("ann", "My dog is Crumb.", at=MONDAY)
        [held] = agent._sessions._memories.values()
        bound = 6 * held.nbytes
        monkeypatch.setattr(sessions, "_MAX_BYTES", bound)
        for name in ("ben", "cleo", "dan", "eve", "ann", "ben"):
            for number in range(3):
                agent.chat(name, f"Thing number {number}.", at=MONDAY)
        kept = agent._sessions
        assert 1 <= len(kept._memories) < 5
        assert kept._n_bytes == sum(kept._sizes.values()) <= bound
        assert set(kept._sizes) == set(kept._memories)
        [session] = {turn.session_id for turn in agent.memories("ann")}
        assert [turn.text for turn in kept.memory("ann", session).turns if turn.role == "user"] == [
            "My cat is Biscuit.",
            "My dog is Crumb.",
            *(f"Thing number {number}." for number in range(3)),
        ]
