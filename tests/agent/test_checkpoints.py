"""A thread of a larger graph goes on in another process, from PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from habitus.agent.checkpoints import postgres_checkpointer
from habitus.memory.errors import StoreUnreachableError

pytest.importorskip("langgraph.checkpoint.postgres", reason="install the extra `postgres`")
psycopg = pytest.importorskip("psycopg", reason="install the extra `postgres`")


def graph(checkpointer: Any) -> Any:
    def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [AIMessage(f"message {len(state['messages'])}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=checkpointer)


def test_a_thread_goes_on_with_another_checkpointer_and_is_deleted(postgres_url: str) -> None:
    thread = {"configurable": {"thread_id": "ann"}}
    with postgres_checkpointer(postgres_url) as saver:
        graph(saver).invoke({"messages": [HumanMessage("I keep bees.")]}, thread)
    with postgres_checkpointer(postgres_url) as saver:
        final = graph(saver).invoke({"messages": [HumanMessage("And you?")]}, thread)
        assert [message.text for message in final["messages"]] == [
            "I keep bees.",
            "message 1",
            "And you?",
            "message 3",
        ]
        saver.delete_thread("ann")
        assert graph(saver).get_state(thread).values == {}


def test_many_processes_may_open_a_new_database_at_once(postgres_url: str) -> None:
    name = f"new_{uuid4().hex}"
    database = psycopg.sql.Identifier(name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(database))
        url = psycopg.conninfo.make_conninfo(postgres_url, dbname=name)
        together = Barrier(4)

        def start(_: int) -> int:
            together.wait()
            with postgres_checkpointer(url) as saver:
                return len(list(saver.list({"configurable": {"thread_id": "t"}})))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(start, range(4))) == [0] * 4
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    url = f"postgresql://ann:hushhush@/memory?host={tmp_path}"
    with pytest.raises(StoreUnreachableError, match="checkpointer") as caught, postgres_checkpointer(url):
        pass
    assert "hushhush" not in str(caught.value)
