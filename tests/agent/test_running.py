"""How a turn is run: in one thread, without holding up others while it waits for its generator."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from langchain_core.messages import BaseMessage
from langgraph.graph import END, START, StateGraph

from habitus.agent import Agent, ScriptedChat, build_graph
from habitus.agent.errors import CancelledError
from habitus.agent.inputs import Incoming
from habitus.agent.state import Context, State
from habitus.retrievers.encoder import HashingEncoder


def test_a_turn_takes_one_thread_and_its_pieces_come_in_it(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def speak(messages: Sequence[BaseMessage]) -> str:
        seen.append((threading.current_thread().name, threading.active_count()))
        return "Quiet places."

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=speak)) as agent:
        before = threading.active_count()
        assert agent.chat("maya", "Where to?").text == "Quiet places."
        assert "".join(str(part) for part in list(agent.stream("maya", "Where to?"))[:-1]) == "Quiet places."
    (direct, n_direct), (streamed, n_streamed) = seen
    assert (direct, n_direct) == (threading.current_thread().name, before)
    assert streamed.startswith("habitus-turn")
    assert n_streamed == before + 1


def test_a_turn_that_waits_for_its_generator_keeps_nobody_from_recalling(tmp_path: Path) -> None:
    waiting, go_on = threading.Barrier(17), Event()

    def speak(messages: Sequence[BaseMessage]) -> str:
        if "wait" in str(messages[-1].content):
            waiting.wait(60)
            assert go_on.wait(60)
        return "Done."

    with Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=speak)) as agent:
        threads = [
            threading.Thread(target=agent.chat, args=(f"user {number}", "Please wait."))
            for number in range(16)
        ]
        for thread in threads:
            thread.start()
        try:
            waiting.wait(60)
            assert agent.chat("maya", "Hello.").text == "Done."
        finally:
            go_on.set()
            for thread in threads:
                thread.join()
        assert all(len(agent.memories(f"user {number}")) == 2 for number in range(16))


def test_a_caller_who_leaves_in_the_middle_ends_the_turn_at_the_next_piece(agent: Agent) -> None:
    gone, said = Event(), list[str]()

    def take(piece: str) -> None:
        said.append(piece)
        gone.set()

    with pytest.raises(CancelledError):
        asked = Incoming("maya", "I hate loud restaurants. Where to?", None, None, None, None, 1.0)
        agent._turns.answer(asked, take, gone)
    assert len(said) == 1
    assert agent.memories("maya") == []


def test_who_streams_a_graph_of_their_own_gets_the_pieces_too(agent: Agent) -> None:
    built = StateGraph(State, context_schema=Context)
    built.add_node("habitus", build_graph())
    built.add_edge(START, "habitus")
    built.add_edge("habitus", END)
    memory = agent._sessions.memory("maya", "monday")
    state = agent._turns._runner.turn_state("maya", "monday", "Hello.", datetime.now(UTC), memory)
    context = replace(agent._turns._runner._context(memory, Event(), lambda piece: None), emit=None)
    pieces = [
        part
        for _, part in built.compile().stream(state, context=context, stream_mode="custom", subgraphs=True)
    ]
    assert "".join(map(str, pieces)).strip() == agent.memories("maya")[-1].text
