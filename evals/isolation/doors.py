"""Every way in: the agent itself, HTTP, tools, middleware, MCP, LangGraph's store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from habitus.evals.isolation.people import Person

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from habitus.agent.agent import Agent


class Doors:
    """An agent behind all its doors, and how a user goes through each.

    Attributes:
        agent: behind them.
        people: who may go through.
        items: LangGraph's store.
    """

    def __init__(
        self, agent: Agent, people: Sequence[Person], client: TestClient, keys: dict[str, str]
    ) -> None:
        from langchain.agents import create_agent

        from habitus.tools import HabitusStore
        from habitus.tools.middleware import HabitusMiddleware

        self.agent, self.people = agent, people
        self.items = HabitusStore(agent.store)
        self._client, self._keys = client, keys
        self._servers: dict[str, Any] = {}
        self._middle = create_agent(agent.generator, tools=[], middleware=[HabitusMiddleware(agent)])

    def http(self, person: Person, method: str, path: str, *, key: str | None = None, **asked: Any) -> str:
        """Send a request with the user's own key; return the body of the answer, a refusal's too.

        Raises:
            RuntimeError: the server failed.
        """
        headers = {"Authorization": f"Bearer {self._keys[person.id]}", **asked.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = self._client.request(method, path, headers=headers, **asked)
        if answer.status_code >= 500:
            raise RuntimeError(f"{method} was answered with {answer.status_code}")
        return answer.text

    def metrics(self, person: Person) -> str:
        return self.http(person, "GET", "/metrics")

    def tool(self, person: Person, name: str, **arguments: str) -> str:
        """Call a LangChain tool for the user named in its configuration."""
        from habitus.tools import memory_tools

        (found,) = (one for one in memory_tools(self.agent) if one.name == name)
        return str(found.invoke(arguments, {"configurable": {"user_id": person.id}}))

    def middleware(self, person: Person, text: str, thread: str) -> str:
        """Ask an agent of LangChain's that has memory only through the middleware."""
        config: Any = {"configurable": {"user_id": person.id, "thread_id": thread}}
        asked: Any = {"messages": [("user", text)]}
        state = self._middle.invoke(asked, config)
        return "\n".join(str(message.content) for message in state["messages"])

    def mcp(self, person: Person, kind: str, name: str, **arguments: str) -> str:
        """Call a tool, read a resource or get a prompt over the Model Context Protocol."""
        return asyncio.run(self._mcp(person, kind, name, arguments))

    async def _mcp(self, person: Person, kind: str, name: str, arguments: dict[str, str]) -> str:
        from mcp import Client

        from habitus.tools.mcp_server import mcp_server

        if person.id not in self._servers:
            self._servers[person.id] = mcp_server(self.agent, person.id)
        async with Client(self._servers[person.id]) as client:
            if kind == "tool":
                return (await client.call_tool(name, arguments)).model_dump_json()
            if kind == "resource":
                return (await client.read_resource(name)).model_dump_json()
            return (await client.get_prompt(name, arguments)).model_dump_json()


@contextmanager
def opened(agent: Agent, people: Sequence[Person], folder: Path) -> Iterator[Doors]:
    """Open every door of an agent.

    Args:
        agent: stays open.
        people: each gets an API key.
        folder: for the file of keys.
    """
    from fastapi.testclient import TestClient

    from habitus.agent.server.app import ServerOptions, create_app
    from habitus.agent.server.keys import KeyRing

    ring = KeyRing(folder / "keys.json")
    keys = {person.id: ring.add(user_id=person.id)[1] for person in people}
    app = create_app(agent, ServerOptions(keys=ring, metrics=True, traces=True))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield Doors(agent, people, client, keys)


def named(user_id: str) -> dict[str, str]:
    """Return the header that names a user."""
    return {"X-Habitus-User": quote(user_id, safe="")}
