"""mem0 and LangMem as memories of a chat model, where installed (see bench/peers/requirements.txt).

As their documentation has it: the chat model under test picks out memories when a session comes in, the
question is searched for, and what is found stands in the prompt. In the `verbatim` arms messages are
remembered as they stand, and no model is asked before the question.

Their `infer` costs several calls a session: try --limit first.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.adapters.history import asked
from habitus.evals.bench.peers.systems import embeddings, in_memory_store
from habitus.evals.harness.agents import Answer, Parts
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation

if TYPE_CHECKING:
    pass

K = 20
"""Memories in the prompt, mem0's default."""
_TAG = "memories"


class Mem0Agent:
    """A chat model with mem0, its default store Qdrant in a folder, and our encoder.

    Args:
        folder: of its data.
        parts: generator and encoder.
        infer: whether the model picks out memories.
    """

    def __init__(self, folder: Path, parts: Parts, *, infer: bool) -> None:
        os.environ["MEM0_TELEMETRY"] = "False"
        os.environ["MEM0_DIR"] = str(folder / "mem0")
        self._parts, self._infer = parts, infer
        store = {
            "collection_name": "memories",
            "path": str(folder / "qdrant"),
            "embedding_model_dims": parts.encoder.dim,
            "on_disk": True,
        }
        config = {
            "vector_store": {"provider": "qdrant", "config": store},
            "embedder": {"provider": "langchain", "config": {"model": embeddings(parts.encoder)}},
            "llm": {"provider": "langchain", "config": {"model": parts.generator}},
            "history_db_path": str(folder / "history.db"),
        }
        self._memory = installed("mem0").Memory.from_config(config)

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
        for session in sessions:
            messages = [{"role": one.role, "content": one.text} for one in session.messages]
            # Its cosine of what is stored to what is asked is all that dates can be told by later.
            dated = {"session": session.id, "date": f"{session.at:%Y-%m-%d}"}
            self._memory.add(messages, user_id=user_id, metadata=dated, infer=self._infer)

    def answer(self, user_id: str, question: str, at: datetime) -> Answer:
        found = self._memory.search(question, filters={"user_id": user_id}, top_k=K)["results"]
        told = [f"- {one['metadata']['date']}: {one['memory']}" for one in found]
        return Answer(text=asked(self._parts, _TAG, "\n".join(told), question, at))

    def close(self) -> None:
        self._memory.close()
        self._memory.vector_store.client.close()


class LangMemAgent:
    """A chat model with LangMem over LangGraph's `InMemoryStore`, and our encoder.

    Args:
        parts: generator and encoder.
        extract: whether its memory manager has the model pick out memories; else messages are stored by
            its tool.
    """

    def __init__(self, parts: Parts, *, extract: bool) -> None:
        langmem, store = installed("langmem"), in_memory_store(parts.encoder)
        namespace = (_TAG, "{user}")
        self._parts, self._extract = parts, extract
        self._tool = langmem.create_manage_memory_tool(namespace=namespace, store=store)
        self._store = store
        self._manager = (
            langmem.create_memory_store_manager(parts.generator, namespace=namespace, store=store)
            if extract
            else None
        )

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
        config = {"configurable": {"user": user_id}}
        for session in sessions:
            if self._manager is not None:
                dated = {"role": "system", "content": f"This was said on {session.at:%Y-%m-%d}."}
                messages = [{"role": one.role, "content": one.text} for one in session.messages]
                self._manager.invoke({"messages": [dated, *messages]}, config)
                continue
            for one in session.messages:
                told = f"{session.at:%Y-%m-%d}, {one.role}: {one.text}"
                self._tool.invoke({"content": told, "action": "create"}, config)

    def answer(self, user_id: str, question: str, at: datetime) -> Answer:
        found = self._store.search((_TAG, user_id), query=question, limit=K)
        told = [f"- {_words(one.value['content'])}" for one in found]
        return Answer(text=asked(self._parts, _TAG, "\n".join(told), question, at))


def _words(content: Any) -> str:
    """The manager's memories are objects of its schema, the tool's are texts."""
    return str(content["content"]) if isinstance(content, dict) else str(content)


def installed(package: str) -> Any:
    """Import a peer.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        name = {"mem0": "mem0ai"}.get(package, package)
        raise UsageError(
            f"this arm needs a package that is not installed; run: pip install {name}"
        ) from error


def mem0(folder: Path, parts: Parts) -> Mem0Agent:
    """mem0; the model picks out memories."""
    return Mem0Agent(folder, parts, infer=True)


def mem0_verbatim(folder: Path, parts: Parts) -> Mem0Agent:
    """mem0 with messages as they stand."""
    return Mem0Agent(folder, parts, infer=False)


def langmem(folder: Path, parts: Parts) -> LangMemAgent:
    """LangMem; the model picks out memories."""
    return LangMemAgent(parts, extract=True)


def langmem_verbatim(folder: Path, parts: Parts) -> LangMemAgent:
    """LangMem with messages as they stand."""
    return LangMemAgent(parts, extract=False)
