"""Every endpoint, one by one, under what all of them must stand; a new one must be named here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from habitus.agent import Agent

CHAT = {"messages": [{"role": "user", "content": "I hate loud restaurants."}]}
BROUGHT = [{"id": "c", "at": "2026-01-02T10:00:00Z", "messages": [{"role": "user", "text": "I hate fish."}]}]

Ids = dict[str, str]
Ask = tuple[str, Any]
"""The path with its query, and the JSON body or None."""

WRITES: dict[tuple[str, str], Callable[[Ids], Ask]] = {
    ("post", "/v1/chat/completions"): lambda ids: ("/v1/chat/completions", CHAT),
    ("post", "/v1/memory/sessions/{session_id}/end"): lambda ids: (
        f"/v1/memory/sessions/{ids['session']}/end",
        None,
    ),
    ("patch", "/v1/memory/preferences/{preference_id}"): lambda ids: (
        f"/v1/memory/preferences/{ids['preference']}",
        {"strength": 0.5},
    ),
    ("post", "/v1/memory/preferences/{preference_id}/{verdict}"): lambda ids: (
        f"/v1/memory/preferences/{ids['preference']}/reject",
        None,
    ),
    ("delete", "/v1/memory/preferences/{preference_id}"): lambda ids: (
        f"/v1/memory/preferences/{ids['preference']}",
        None,
    ),
    ("delete", "/v1/memory/facts/{fact_id}"): lambda ids: (f"/v1/memory/facts/{ids['fact']}", None),
    ("post", "/v1/memory/persona/rollback"): lambda ids: ("/v1/memory/persona/rollback", {"version": 1}),
    ("post", "/v1/memory/feedback"): lambda ids: (
        "/v1/memory/feedback",
        {"turn_id": ids["reply"], "rating": 1.0},
    ),
    ("post", "/v1/memory/forget"): lambda ids: (
        "/v1/memory/forget",
        {"preference_ids": [ids["preference"]]},
    ),
    ("post", "/v1/memory/import"): lambda ids: ("/v1/memory/import", {"conversations": BROUGHT}),
    ("delete", "/v1/memory"): lambda ids: ("/v1/memory?confirm=delete+everything", None),
}
OPEN_TO_ALL = {
    ("post", "/v1/chat/completions"),
    ("post", "/v1/memory/import"),
    ("post", "/v1/memory/forget"),
}
"""Writes that name nothing of another user's, or answer that nothing was there."""


@pytest.fixture
def ids(client: TestClient, agent: Agent) -> Ids:
    """Something of every kind that maya has."""
    for text in ("I hate loud restaurants. My sister Rachel lives in Porto.", "I prefer short answers."):
        agent.chat("maya", text, session_id="s")
    agent.settle()  # what replies do not wait for changes nothing any more
    return {
        "session": "s",
        "preference": agent.preferences("maya")[0].id,
        "fact": agent.facts("maya")[0].id,
        "reply": agent.memories("maya")[1].id,
    }


def _stored(agent: Agent) -> dict[str, Any] | None:
    return agent.export("maya").model_dump() if "maya" in agent.store.users() else None


def _ask(client: TestClient, method: str, ask: Ask, **headers: str) -> Any:
    path, body = ask
    return client.request(method, path, json=body, headers=headers)


def test_every_write_is_named_here(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    writes = {
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("post", "patch", "delete", "put")
    }
    assert writes == WRITES.keys()


@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_sent_again_with_its_key_it_is_done_once(
    client: TestClient, agent: Agent, ids: Ids, write: tuple[str, str]
) -> None:
    ask = WRITES[write](ids)
    first = _ask(client, write[0], ask, **{"Idempotency-Key": "one"})
    assert first.status_code in (200, 204), first.text
    agent.settle()
    stored = _stored(agent)
    again = _ask(client, write[0], ask, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replay"] == "true"
    assert _stored(agent) == stored


@pytest.mark.parametrize("write", sorted(WRITES.keys() - OPEN_TO_ALL), ids=" ".join)
def test_what_is_another_users_is_not_there(
    client: TestClient, agent: Agent, ids: Ids, write: tuple[str, str]
) -> None:
    before = _stored(agent)
    answer = _ask(client, write[0], WRITES[write](ids), **{"X-Habitus-User": "noah"})
    assert answer.status_code == 404, answer.text
    assert _stored(agent) == before


def test_forgetting_by_anothers_ids_deletes_nothing(client: TestClient, agent: Agent, ids: Ids) -> None:
    before = _stored(agent)
    asked = {"preference_ids": [ids["preference"]], "turn_ids": [ids["reply"]], "fact_ids": [ids["fact"]]}
    answer = client.post("/v1/memory/forget", json=asked, headers={"X-Habitus-User": "noah"})
    assert set(map(tuple, answer.json().values())) == {()}
    assert _stored(agent) == before


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"3", b"[]", b'"x"', b"null", b'{"x": 1}'])
@pytest.mark.parametrize(
    "write",
    [
        write
        for write in WRITES
        if WRITES[write](dict.fromkeys(("session", "preference", "fact", "reply"), "x"))[1] is not None
    ],
    ids=" ".join,
)
def test_a_body_that_is_none_of_its_kind_changes_nothing(
    client: TestClient, agent: Agent, ids: Ids, write: tuple[str, str], body: bytes
) -> None:
    before = _stored(agent)
    path, _ = WRITES[write](ids)
    answer = client.request(write[0], path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["message"]
    assert _stored(agent) == before
