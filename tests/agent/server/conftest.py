from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from habitus.agent import Agent
from habitus.agent.server.app import ServerOptions, create_app

Connect = Callable[..., TestClient]


@pytest.fixture
def client(agent: Agent) -> Iterator[TestClient]:
    """A client of a server on loopback without keys, for the user maya."""
    with TestClient(create_app(agent), base_url="http://127.0.0.1") as made:
        made.headers["X-Habitus-User"] = "maya"
        yield made


@pytest.fixture
def connect(agent: Agent) -> Connect:
    """Make a client of a server with other options."""

    def make(options: ServerOptions, **headers: str) -> TestClient:
        made = TestClient(
            create_app(agent, options), base_url="http://127.0.0.1", raise_server_exceptions=False
        )
        made.headers.update(headers)
        return made

    return make


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of loopback; yields its URL."""
    # uvicorn's own configuration of logging would close every handler of the process.
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def url(agent: Agent) -> Iterator[str]:
    with served(create_app(agent)) as found:
        yield found


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to hold")
