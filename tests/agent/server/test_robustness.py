"""Clients that are slow, leave, send nonsense or send again, and a model that fails on its way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import APIError, OpenAI

from habitus.agent import Agent, ScriptedChat
from habitus.agent.server.app import ServerOptions, create_app
from habitus.memory.errors import StoreUnreachableError, TurnTimeoutError
from habitus.retrievers.encoder import HashingEncoder
from tests.agent.server.conftest import Connect, served, wait_until
from tests.agent.server.piecewise import PiecewiseChat

CHAT = "/v1/chat/completions"
TURNS = "/v1/memory/turns"
JSON = {"Content-Type": "application/json"}
MAYA = {"X-Habitus-User": "maya"}


def asks(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


@contextmanager
def speaking(folder: Path, model: PiecewiseChat) -> Iterator[tuple[Agent, FastAPI, str]]:
    with Agent.open(folder, encoder=HashingEncoder(), generator=model) as agent:
        app = create_app(agent)
        with served(app) as url:
            yield agent, app, url


# -- a model that fails on its way


def test_an_error_within_a_stream_is_raised_by_the_openai_client(tmp_path: Path) -> None:
    with (
        speaking(tmp_path, PiecewiseChat(pieces=["Quiet "], fails=True)) as (agent, app, url),
        OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
    ):
        stream = client.chat.completions.create(
            model="habitus", user="maya", messages=[{"role": "user", "content": "Where?"}], stream=True
        )
        said: list[str] = []
        with pytest.raises(APIError, match="the model went away"):
            for chunk in stream:
                said.append(chunk.choices[0].delta.content or "")
        assert said == ["Quiet "]
        assert agent.memories("maya") == []
        assert app.state.serving.n_turns == 0


def test_a_stream_that_failed_may_be_asked_for_again_with_its_key(tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet "], fails=True)
    with speaking(tmp_path, model) as (agent, _, url):
        asked: dict[str, Any] = {
            "json": asks("Where?", user="maya", stream=True),
            "headers": {"Idempotency-Key": "one"},
        }
        first = httpx.post(f"{url}{CHAT}", **asked)
        assert first.status_code == 200
        assert json.loads(first.text.strip().split("data: ")[-1])["error"]["code"] == "generator_failed"
        model.fails = False
        second, again = httpx.post(f"{url}{CHAT}", **asked), httpx.post(f"{url}{CHAT}", **asked)
        assert second.text.endswith("data: [DONE]\n\n")
        assert again.text == second.text
        assert again.headers["Idempotent-Replay"] == "true"
        assert len(agent.memories("maya")) == 2


def test_a_caller_who_left_is_told_by_the_key_what_was_done(tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet ", "places."])
    with speaking(tmp_path, model) as (agent, app, url):
        asked: dict[str, Any] = {
            "json": asks("Where?", user="maya", stream=True),
            "headers": {"Idempotency-Key": "one"},
        }
        with httpx.stream("POST", f"{url}{CHAT}", **asked) as response:
            pieces = response.iter_text()
            next(pieces)
        early = httpx.post(f"{url}{CHAT}", **asked)
        assert (early.status_code, early.json()["error"]["code"]) == (409, "idempotency_in_progress")
        model.go_on.set()
        wait_until(lambda: app.state.serving.n_turns == 0)
        again = httpx.post(f"{url}{CHAT}", **asked)
        assert again.headers["Idempotent-Replay"] == "true"
        assert again.text.endswith("data: [DONE]\n\n")
        assert [turn.text for turn in agent.memories("maya")] == ["Where?", "Quiet places."]


def test_what_was_done_is_not_done_again_when_its_answer_was_too_large(
    client: TestClient, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habitus.agent.server.idempotency.MAX_ANSWER_BYTES", 10)
    key = {"Idempotency-Key": "one"}
    assert client.post(CHAT, json=asks("Hello."), headers=key).status_code == 200
    again = client.post(CHAT, json=asks("Hello."), headers=key)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "idempotency_answer_gone")
    assert len(agent.memories("maya")) == 2


def test_half_a_body_is_no_request(url: str, agent: Agent) -> None:
    body = json.dumps(asks("Hello.", user="maya")).encode()
    head = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as cut:
        lines = [f"POST {CHAT} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        cut.sendall("\r\n".join([*lines, "", ""]).encode() + body[:20])
    assert httpx.post(f"{url}{CHAT}", content=body, headers=head).status_code == 200
    assert [turn.text for turn in agent.memories("maya")][:1] == ["Hello."]


def test_who_waits_for_a_turn_holds_nobody_else_up(tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet ", "places."])
    with speaking(tmp_path, model) as (agent, app, url), ExitStack() as stack:
        stream = stack.enter_context(
            httpx.stream("POST", f"{url}{CHAT}", json=asks("Where?", user="maya", stream=True))
        )
        pieces = stream.iter_text()
        next(pieces)
        got: list[list[str]] = []

        def look() -> None:
            turns = httpx.get(f"{url}{TURNS}", params={"wait": True}, headers=MAYA, timeout=60).json()
            got.append([turn["text"] for turn in turns])

        waiting = [threading.Thread(target=look) for _ in range(12)]
        for thread in waiting:
            thread.start()
        assert httpx.get(f"{url}{TURNS}", headers={"X-Habitus-User": "noah"}, timeout=20).json() == []
        assert httpx.get(f"{url}{TURNS}", headers=MAYA).json() == got == []
        model.go_on.set()
        for thread in waiting:
            thread.join()
        assert got == [["Where?", "Quiet places."]] * 12


def test_a_refusal_that_passes_is_not_given_again(connect: Connect) -> None:
    client = connect(ServerOptions(per_minute=60), **{"X-Habitus-User": "maya"})
    limiter = client.app.state.serving.limiter  # type: ignore[attr-defined]
    while not limiter.wait("local"):
        pass
    key = {"Idempotency-Key": "one"}
    assert client.post(CHAT, json=asks("Hello."), headers=key).status_code == 429
    limiter._buckets.clear()
    assert client.post(CHAT, json=asks("Hello."), headers=key).status_code == 200


# -- clients that leave, or never come to the point


def test_a_client_that_leaves_frees_its_turn_and_stores_nothing(tmp_path: Path) -> None:
    model = PiecewiseChat(pieces=["Quiet ", "places."])
    with speaking(tmp_path, model) as (agent, app, url):
        with httpx.stream("POST", f"{url}{CHAT}", json=asks("Where?", user="maya", stream=True)) as response:
            # Let go of, the iterator would close the connection.
            pieces = response.iter_text()
            next(pieces)
            assert app.state.serving.n_turns == 1
        wait_until(lambda: app.state.serving.n_turns == 0)
        model.go_on.set()
        assert httpx.post(f"{url}{CHAT}", json=asks("Where to?", user="maya"), timeout=60).status_code == 200
        assert [turn.text for turn in agent.memories("maya")] == ["Where to?", "Quiet places."]


def test_a_body_that_never_ends_is_refused_and_holds_nobody_up(agent: Agent) -> None:
    with served(create_app(agent, ServerOptions(body_seconds=0.5))) as url:
        sockets = []
        for _ in range(60):
            made = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0))
            made.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode())
            made.sendall(b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
            sockets.append(made)
        assert httpx.post(f"{url}{CHAT}", json=asks("Hello.", user="maya"), timeout=60).status_code == 200
        for made in sockets:
            made.settimeout(60)
            answer = made.recv(4096)
            assert answer.startswith(b"HTTP/1.1 408"), answer
            made.close()


# -- nonsense


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps(asks("x")).encode()[:-1] + b', "seed": ' + b"9" * 6_000 + b"}",
        json.dumps(asks("x")).encode()[:-1] + b', "temperature": NaN}',
        json.dumps(asks("x")).encode()[:-1] + b', "stop": "\\ud800"}',
        json.dumps(asks("x")).encode()[:-1] + b', "user": "\\ud800"}',
        b'{"messages": [{"role": "system", "content": "\\ud800"}, {"role": "user", "content": "x"}]}',
        b"",
        b"null",
    ],
    ids=["deep", "deep field", "long number", "nan", "stop", "user", "system", "empty", "null"],
)
def test_a_malformed_chat_request_is_refused(client: TestClient, agent: Agent, body: bytes) -> None:
    response = client.post(CHAT, content=body, headers=JSON)
    assert response.status_code in (400, 422)
    assert response.json()["error"]["message"]
    assert agent.store.users() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("feedback", b'{"turn_id": "\\ud800", "rating": 1}'),
        ("forget", b'{"turn_ids": ["\\ud800"]}'),
        ("forget", b'{"about": "\\ud800"}'),
        (
            "import",
            b'{"conversations": [{"at": "0001-01-01T00:00:00+14:00", '
            b'"messages": [{"role": "user", "text": "x"}]}]}',
        ),
    ],
)
def test_a_malformed_request_to_memory_is_refused(client: TestClient, path: str, body: bytes) -> None:
    response = client.post(f"/v1/memory/{path}", content=body, headers=JSON)
    assert response.status_code == 422
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("name", [b"%ff", "Zoë".encode()])
def test_a_user_that_could_be_taken_for_another_is_refused(client: TestClient, name: bytes) -> None:
    response = client.get("/v1/memory/turns", headers={b"X-Habitus-User": name})
    assert response.status_code == 400
    assert "percent-encode" in response.json()["error"]["message"]


def test_names_in_any_script_reach_their_memory(client: TestClient, agent: Agent) -> None:
    headers = {"X-Habitus-User": "Zo%C3%AB%20%E6%9D%8E", "X-Habitus-Session": "%C3%A9t%C3%A9"}
    assert client.post(CHAT, json=asks("Hello."), headers=headers).status_code == 200
    assert agent.store.users() == ["Zoë 李"]
    assert [one.id for one in agent.store.sessions("Zoë 李")] == ["été"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnreachableError("PostgreSQL does not answer"), "store_unreachable"),
        (TurnTimeoutError("another process has been at a turn"), "turn_timeout"),
    ],
)
def test_a_database_that_does_not_answer_is_told_as_something_that_passes(
    connect: Connect, agent: Agent, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fails(*given: object, **named: object) -> None:
        raise error

    client = connect(ServerOptions())
    monkeypatch.setattr(agent, "preferences", fails)
    answer = client.get("/v1/memory/preferences", headers=MAYA)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)
    monkeypatch.setattr(agent, "achat", fails)
    answer = client.post(CHAT, json=asks("Hello."), headers=MAYA)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)


def test_what_nobody_foresaw_is_an_error_of_the_same_form(
    connect: Connect, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*given: Any, **more: Any) -> Any:
        raise RuntimeError("secret words")

    monkeypatch.setattr(agent, "facts", break_down)
    response = connect(ServerOptions()).get("/v1/memory/facts")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "secret" not in response.text


# -- the end

SERVER = """
import sys
import time
from pathlib import Path
from habitus.agent import Agent, ScriptedChat
from habitus.agent.commands.serving import run_until_told
from habitus.agent.server.app import create_app
from habitus.retrievers.encoder import HashingEncoder

folder = Path(sys.argv[1])

def slowly(messages):
    (folder / "begun").touch()
    while not (folder / "go_on").exists():
        time.sleep(0.01)
    return "Done."

with Agent.open(folder / "data", encoder=HashingEncoder(), generator=ScriptedChat(script=slowly)) as agent:
    run_until_told(create_app(agent), "127.0.0.1", int(sys.argv[2]))
(folder / "closed").touch()
"""


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port: int = made.getsockname()[1]
        return port


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_turn_under_way_is_answered_and_stored_before_the_server_ends(
    tmp_path: Path, told: signal.Signals
) -> None:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(tmp_path), str(port)]
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: answers(port))
            replies: list[httpx.Response] = []
            talk = threading.Thread(
                target=lambda: replies.append(
                    httpx.post(f"http://127.0.0.1:{port}{CHAT}", json=asks("Hello.", user="maya"), timeout=60)
                )
            )
            talk.start()
            wait_until((tmp_path / "begun").exists)
            process.send_signal(told)
            wait_until(lambda: not answers(port))
            (tmp_path / "go_on").touch()
            talk.join()
            assert [reply.json()["choices"][0]["message"]["content"] for reply in replies] == ["Done."]
            assert process.wait(60) == 0
            assert (tmp_path / "closed").exists()
        finally:
            process.kill()
    with Agent.open(
        tmp_path / "data", encoder=HashingEncoder(), generator=ScriptedChat(script=["-"])
    ) as agent:
        assert [turn.text for turn in agent.memories("maya")] == ["Hello.", "Done."]


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False
