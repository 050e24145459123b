"""What is deleted leaves the server's memory too: explanations of replies, and answers kept for repeats."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from habitus.agent import Agent
from habitus.agent.server.idempotency import Idempotency

SECRET = "xylophonequartz"
CHAT = "/v1/chat/completions"


def asks(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def say(client: TestClient) -> str:
    answer = client.post(CHAT, json=asks(f"I love {SECRET}."), headers={"Idempotency-Key": "a"}).json()
    assert SECRET in str(answer["habitus"])
    return str(answer["habitus"]["turn_id"])


@pytest.mark.parametrize("how", ["delete over HTTP", "forget over HTTP", "in words", "by the app"])
def test_nothing_of_it_is_answered_any_more(client: TestClient, agent: Agent, how: str) -> None:
    turn_id = say(client)
    client.post(CHAT, json=asks("Hello."), headers={"Idempotency-Key": "b", "X-Habitus-User": "noah"})
    if how == "delete over HTTP":
        assert client.delete("/v1/memory", params={"confirm": "delete everything"}).status_code == 204
    elif how == "forget over HTTP":
        client.post("/v1/memory/forget", json={"about": SECRET})
    elif how == "in words":
        client.post(CHAT, json=asks(f"Forget that I love {SECRET}."))
    else:
        agent.delete_user("maya")
    assert client.get(f"/v1/memory/replies/{turn_id}/why").status_code == 404
    again = client.post(CHAT, json=asks(f"I love {SECRET}."), headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "idempotency_answer_gone")
    assert SECRET not in again.text
    assert all(SECRET not in turn.text for turn in agent.memories("maya"))
    other = client.post(CHAT, json=asks("Hello."), headers={"Idempotency-Key": "b", "X-Habitus-User": "noah"})
    assert (other.status_code, other.headers["idempotent-replay"]) == (200, "true")


def test_an_answer_is_not_kept_where_a_deletion_comes_before_its_request_has_ended(agent: Agent) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["user_id"] = "maya"
        agent.chat("maya", f"I love {SECRET}.")
        await PlainTextResponse(f"You love {SECRET}.")(scope, receive, send)
        agent.delete_user("maya")

    client = TestClient(Idempotency(application, agent))
    first, again = (client.post("/", headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert SECRET in first.text
    assert again.status_code == 409
    assert SECRET not in again.text
