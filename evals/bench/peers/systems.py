"""One adapter per system, each used the way its documentation says, on vectors that are looked up.

The packages are imported by name when a system is made, since only the environment of the comparison has
them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from habitus.evals.bench.peers.corpus import Asked, Item, Known
from habitus.retrievers.encoder import Encoder

BATCH = 256


class System(Protocol):
    """A memory of many users."""

    def add(self, items: Sequence[Item]) -> None:
        """Remember messages of one user."""
        ...

    def search(self, question: Asked, k: int) -> list[str]:
        """Return the sessions of the best `k` memories of the question's user, best first, with repeats."""
        ...

    def close(self) -> None:
        """Let go of its files, where it can."""
        return


class Habitus(System):
    """The store and the agent's own search, with the texts of the best; durable at each `add`."""

    package = "habitus"

    def __init__(self, folder: Path, encoder: Known) -> None:
        from habitus.memory.storage.embedded import EmbeddedStore

        self._encoder = encoder
        self._store = EmbeddedStore.open(folder, encoder)

    def add(self, items: Sequence[Item]) -> None:
        from habitus.memory.records import Changes, Turn

        turns = tuple(
            Turn(
                id=item.id,
                user_id=item.user,
                session_id=item.session,
                index=item.index,
                role=item.role,
                text=item.text,
                at=datetime.fromisoformat(item.at),
            )
            for item in items
        )
        self._store.commit(items[0].user, Changes(turns=turns))

    def search(self, question: Asked, k: int) -> list[str]:
        from habitus.memory.retrieval.question import read_question
        from habitus.memory.retrieval.searching import search_memory

        at = datetime.fromisoformat(question.at)
        asked = read_question(question.text, at)
        vector = self._encoder.encode([asked.meaning])[0]
        ranking = search_memory(self._store, question.user, asked, vector, at=at).ranking
        # A caller gets messages from a peer, so reading them belongs to the time.
        self._store.turns(question.user, ids=ranking.ranked_turn_ids[:k])
        return list(ranking.session_ids)

    def close(self) -> None:
        self._store.close()


class Chroma(System):
    """One persistent collection, searched with a filter on the user."""

    package = "chromadb"

    def __init__(self, folder: Path, encoder: Known) -> None:
        chromadb = import_module(self.package)
        settings = import_module("chromadb.config").Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(path=str(folder), settings=settings)
        self._encoder = encoder
        self._collection = client.create_collection(
            "memories", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def add(self, items: Sequence[Item]) -> None:
        self._collection.add(
            ids=[item.id for item in items],
            documents=[item.text for item in items],
            embeddings=self._encoder.encode([item.text for item in items]),
            metadatas=[{"user": item.user, "session": item.session} for item in items],
        )

    def search(self, question: Asked, k: int) -> list[str]:
        found = self._collection.query(
            query_embeddings=self._encoder.encode([question.text]), n_results=k, where={"user": question.user}
        )
        return [str(metadata["session"]) for metadata in found["metadatas"][0]]


class Mem0(System):
    """`infer=False`, so that no language model is asked; its default store, Qdrant in a folder."""

    package = "mem0"

    def __init__(self, folder: Path, encoder: Known) -> None:
        os.environ["MEM0_TELEMETRY"] = "False"
        os.environ["MEM0_DIR"] = str(folder / "mem0")
        store = {
            "collection_name": "memories",
            "path": str(folder / "qdrant"),
            "embedding_model_dims": encoder.dim,
            "on_disk": True,
        }
        config = {
            "vector_store": {"provider": "qdrant", "config": store},
            "embedder": {"provider": "langchain", "config": {"model": embeddings(encoder)}},
            "llm": {"provider": "openai", "config": {"api_key": "never used"}},
            "history_db_path": str(folder / "history.db"),
        }
        self._memory = import_module(self.package).Memory.from_config(config)

    def add(self, items: Sequence[Item]) -> None:
        for item in items:
            self._memory.add(
                [{"role": item.role, "content": item.text}],
                user_id=item.user,
                metadata={"session": item.session},
                infer=False,
            )

    def search(self, question: Asked, k: int) -> list[str]:
        found = self._memory.search(question.text, filters={"user_id": question.user}, top_k=k, threshold=0.0)
        return [str(one["metadata"]["session"]) for one in found["results"]]


class LangGraphStore(System):
    """LangGraph's `InMemoryStore`, a namespace for each user; nothing is on disk."""

    package = "langgraph.store.memory"

    def __init__(self, folder: Path, encoder: Known) -> None:
        self._store = in_memory_store(encoder)

    def add(self, items: Sequence[Item]) -> None:
        # Its `batch` fails where two of the texts are the same (1.2.22).
        for item in items:
            value = {"content": item.text, "session": item.session}
            self._store.put(("memories", item.user), item.id, value)

    def search(self, question: Asked, k: int) -> list[str]:
        found = self._store.search(("memories", question.user), query=question.text, limit=k)
        return [str(one.value["session"]) for one in found]


class LangMem(System):
    """Its tools for agents, over LangGraph's `InMemoryStore`."""

    package = "langmem"

    def __init__(self, folder: Path, encoder: Known) -> None:
        langmem, store = import_module(self.package), in_memory_store(encoder)
        namespace = ("memories", "{user}")
        self._manage = langmem.create_manage_memory_tool(namespace=namespace, store=store)
        self._search = langmem.create_search_memory_tool(namespace=namespace, store=store)
        self._sessions: dict[tuple[str, str], str] = {}

    def add(self, items: Sequence[Item]) -> None:
        for item in items:
            arguments = {"content": item.text, "action": "create"}
            self._manage.invoke(arguments, {"configurable": {"user": item.user}})
            # A tool's memory is its text alone.
            self._sessions.setdefault((item.user, item.text), item.session)

    def search(self, question: Asked, k: int) -> list[str]:
        arguments = {"query": question.text, "limit": k}
        found = self._search.invoke(arguments, {"configurable": {"user": question.user}})
        texts = [one["value"]["content"] for one in json.loads(found)]
        return [self._sessions[question.user, text] for text in texts]


class Txtai(System):
    """Its hybrid index of vectors and BM25 with content; the user is a condition of the query."""

    package = "txtai"
    candidates = 1_000
    """Looked at before the condition: with the default of ten a result few of the user's own come through."""

    def __init__(self, folder: Path, encoder: Known) -> None:
        # It takes functions only: of anything else that can be called it makes an instance.
        self._embeddings = import_module(self.package).Embeddings(
            method="external", transform=lambda texts: encoder.encode(texts), content=True, hybrid=True
        )

    def add(self, items: Sequence[Item]) -> None:
        self._embeddings.upsert(
            (item.id, {"text": item.text, "user": item.user, "session": item.session}, None) for item in items
        )

    def search(self, question: Asked, k: int) -> list[str]:
        sql = (
            f"select session, score from txtai where similar(:question, {self.candidates})"
            f" and user = :user limit {k}"
        )
        found = self._embeddings.search(sql, parameters={"question": question.text, "user": question.user})
        return [str(one["session"]) for one in found]


def in_memory_store(encoder: Encoder) -> Any:
    """Make LangGraph's store on the vectors that are looked up."""
    index = {
        "dims": encoder.dim,
        "embed": lambda texts: encoder.encode(texts).tolist(),
        "fields": ["content"],
    }
    return import_module("langgraph.store.memory").InMemoryStore(index=index)


def embeddings(encoder: Encoder) -> Any:
    """Make LangChain embeddings of the vectors that are looked up."""
    base: Any = import_module("langchain_core.embeddings").Embeddings

    def documents(self: Any, texts: list[str]) -> list[list[float]]:
        found: list[list[float]] = encoder.encode(texts).tolist()
        return found

    def query(self: Any, text: str) -> list[float]:
        return documents(self, [text])[0]

    return type("Looked", (base,), {"embed_documents": documents, "embed_query": query})()


SYSTEMS: dict[str, Callable[[Path, Known], System]] = {
    "habitus": Habitus,
    "chroma": Chroma,
    "langgraph": LangGraphStore,
    "langmem": LangMem,
    "txtai": Txtai,
    "mem0": Mem0,
}
