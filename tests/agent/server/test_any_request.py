"""Requests below the level of schemas: bytes, headers and addresses of any kind, never a server error.

Another user's memory is looked at after each of them: it stays as it was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from habitus.agent import Agent
from habitus.agent.server.app import create_app
from habitus.memory.records import Exported
from habitus.retrievers.encoder import HashingEncoder
from tests.strategies import bounded, damaged, names, spoilt

CHAT = {"messages": [{"role": "user", "content": "I hate loud music."}], "stream": False, "seed": 7}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": CHAT,
    "/v1/memory/feedback": {"turn_id": "x", "rating": 1.0},
    "/v1/memory/forget": {"about": "music"},
    "/v1/memory/import": {
        "conversations": [
            {
                "id": "c",
                "at": "2026-01-01T00:00:00Z",
                "messages": [{"role": "user", "text": "Hi.", "at": "2026-01-01T00:00:00Z"}],
            }
        ]
    },
    "/v1/memory/persona/rollback": {"version": 1},
    "/v1/memory/preferences/x": {"strength": 0.5, "stance": "like"},
}
READS = [
    *("turns", "sessions", "search", "preferences", "facts", "profile", "persona", "persona/versions"),
    *("persona/diff", "export", "replies/x/why"),
]
QUERIES = ["q", "limit", "offset", "newest", "wait", "session_id", "context_tokens", "status", "old", "new"]
NUMBERS = [
    "9" * 30,
    "9" * 5_000,
    "-1",
    "nan",
    "1e999",
    "0x1",
    "\u0663",
    "",
    " 1",
    "1_0",
    "%00",
    "%ff",
    "%ed%a0%80",
]
HEADERS = [
    *("idempotency-key", "x-habitus-user", "x-habitus-session", "x-habitus-strength", "authorization"),
    *("content-type", "content-encoding", "accept", "x-request-id", "content-length", "cookie"),
]
HEADER_VALUES = st.one_of(
    st.binary(max_size=40).map(lambda one: one.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")),
    st.sampled_from(
        [b"nan", b"inf", b"-0", b"\xff", b"%", b"%zz", b"%ff", b"%00", b"%ed%a0%80", b"x" * 9_000]
    ),
    st.sampled_from([b"text/plain", b"application/json; charset=utf-16", b"gzip", b"multipart/form-data"]),
    st.sampled_from([b"9" * 30, b"9" * 5_000, b"-1", b"Bearer ", b"Bearer \xff", b"../../etc/passwd"]),
)


@dataclass
class Served:
    client: TestClient
    agent: Agent
    neighbour: Exported
    problems: list[str]

    def ask(self, method: str, path: str, **more: Any) -> None:
        """Send a request that may be anything: it is answered, and of the neighbour nothing changes."""
        answer = self.client.request(method, path, **more)
        assert answer.status_code < 500, (answer.status_code, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"]
        assert "neighbour's words" not in answer.text
        assert self.problems == []
        assert self.agent.export("neighbour") == self.neighbour


class _Errors(logging.Handler):
    def __init__(self, problems: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        self._problems.append(record.getMessage())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    problems: list[str] = []
    handler = _Errors(problems)
    logging.getLogger().addHandler(handler)
    with Agent.open(tmp_path_factory.mktemp("any"), encoder=HashingEncoder(16)) as agent:
        agent.chat("neighbour", "I love the neighbour's words.")
        agent.chat("me", "I hate loud music.")
        agent.settle()
        app = create_app(agent)
        client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        with client:
            yield Served(client, agent, agent.export("neighbour"), problems)
    logging.getLogger().removeHandler(handler)


def _method(path: str) -> str:
    return "PATCH" if "preferences" in path else "POST"


@st.composite
def bodies(draw: st.DrawFn, path: str) -> bytes:
    """Draw what stands in the place of a body: other parts, other bytes, names twice, another encoding."""
    whole = json.dumps(BODIES[path])
    twice = whole[:-1] + ", " + whole[1:]
    kinds = st.sampled_from(["damaged", "spoilt", "twice", "utf-16", "nan", "odd name"])
    kind = draw(kinds)
    if kind == "damaged":
        return json.dumps(draw(damaged(BODIES[path]))).encode("utf-8", "surrogatepass")
    if kind == "spoilt":
        return draw(spoilt(whole.encode()))
    if kind == "odd name":
        odd = draw(st.sampled_from(["\\ud800", "\\u0000", "\u202e", "x" * 9_000]))
        return (whole[:-1] + f', "{odd}": 1}}').encode()
    return {"twice": twice.encode(), "utf-16": whole.encode("utf-16"), "nan": b"NaN"}[kind]


@pytest.mark.parametrize("path", BODIES)
@given(data=st.data())
@bounded(12)
def test_any_body_is_answered(server: Served, path: str, data: st.DataObject) -> None:
    headers = {
        b"content-type": data.draw(st.sampled_from([b"application/json", b"text/plain", b"\xff", b""]))
    }
    if data.draw(st.booleans()):
        headers[data.draw(st.sampled_from(HEADERS)).encode()] = data.draw(HEADER_VALUES)
    headers.setdefault(b"x-habitus-user", b"me")
    server.ask(_method(path), path, content=data.draw(bodies(path)), headers=headers)


@given(
    path=st.sampled_from(READS),
    query=st.lists(st.tuples(st.sampled_from(QUERIES), st.sampled_from(NUMBERS) | names()), max_size=4),
    header=st.tuples(st.sampled_from(HEADERS), HEADER_VALUES),
)
@bounded(40)
def test_any_query_and_header_is_answered(
    server: Served, path: str, query: list[tuple[str, str]], header: tuple[str, bytes]
) -> None:
    asked = "&".join(f"{name}={quote(value, safe='%', errors='surrogatepass')}" for name, value in query)
    headers = {b"x-habitus-user": b"me", header[0].encode(): header[1]}
    server.ask("GET", f"/v1/memory/{path}?{asked}", headers=headers)


@given(
    user=names(),
    record=names().filter(lambda name: name not in (".", "..")),
    method=st.sampled_from(["GET", "PATCH", "DELETE", "POST", "PUT", "TRACE", "ODD"]),
    path=st.sampled_from(["preferences/{}", "facts/{}", "sessions/{}/end", "replies/{}/why", "{}"]),
)
@bounded(40)
def test_any_user_and_record_is_answered(
    server: Served, user: str, record: str, method: str, path: str
) -> None:
    place = path.format(quote(record, safe="", errors="surrogatepass"))
    headers = {"x-habitus-user": quote(user, safe="", errors="surrogatepass")}
    server.ask(method, f"/v1/memory/{place}", headers=headers, content=b'{"strength": 0.5}')


@pytest.mark.parametrize("length", [b"9" * 5_000, b"9" * 30, b"-1", b"x", b"", b"\xb2"])
async def test_any_announced_length_is_answered(server: Served, length: bytes) -> None:
    """Servers check it before an application sees it, though not every one."""
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-length", length)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/memory/forget",
        "raw_path": b"/v1/memory/forget",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await server.client.app(scope, receive, send)
    assert 400 <= answers[0]["status"] < 500
