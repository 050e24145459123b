"""Who may call, how often and how much, and what is told of it."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from habitus.agent import Agent
from habitus.agent.server.app import ServerOptions
from habitus.agent.server.keys import KeyFileError, KeyRing
from habitus.agent.server.serving import RecentReplies
from habitus.agent.server.shown import ReplyShown
from tests.agent.server.conftest import Connect

CHAT = "/v1/chat/completions"


def asks(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys.json")


def test_a_key_of_a_user_acts_for_them_alone(connect: Connect, ring: KeyRing, agent: Agent) -> None:
    _, secret = ring.add(user_id="maya")
    client = connect(ServerOptions(keys=ring), **bearer(secret))
    assert client.post(CHAT, json=asks("I hate loud music.")).status_code == 200
    assert agent.store.users() == ["maya"]
    assert client.post(CHAT, json=asks("Hello.", user="noah")).status_code == 404
    assert client.get("/v1/memory/turns", headers={"X-Habitus-User": "noah"}).status_code == 404


def test_two_tenants_never_meet(connect: Connect, ring: KeyRing, agent: Agent) -> None:
    secrets = [ring.add(tenant=name)[1] for name in ("acme", "bolt")]
    client = connect(ServerOptions(keys=ring), **{"X-Habitus-User": "maya"})
    client.post(CHAT, json=asks("I hate loud music."), headers=bearer(secrets[0]))
    assert agent.store.users() == ["acme/maya"]
    assert client.get("/v1/memory/turns", headers=bearer(secrets[1])).json() == []
    unnamed = connect(ServerOptions(keys=ring), **bearer(secrets[0])).get("/v1/memory/turns")
    assert unnamed.status_code == 400


@pytest.mark.parametrize("given", [{}, bearer("hab_wrong"), {"Authorization": "Basic x"}, bearer("")])
def test_without_a_valid_key_nothing_is_answered(
    connect: Connect, ring: KeyRing, given: dict[str, str]
) -> None:
    ring.add(user_id="maya")
    client = connect(ServerOptions(keys=ring, metrics=True), **given)
    for path in ("/v1/models", "/v1/memory/turns", "/v1/memory/export", "/metrics"):
        assert client.get(path).status_code == 401
    assert client.post(CHAT, json=asks("Hello.")).status_code == 401
    assert client.get("/healthz").text == client.get("/readyz").text == "ok"


def test_a_key_that_was_taken_back_is_refused_at_once(connect: Connect, ring: KeyRing) -> None:
    key, secret = ring.add(user_id="maya")
    client = connect(ServerOptions(keys=ring), **bearer(secret))
    assert client.get("/v1/models").status_code == 200
    assert KeyRing(ring._path).revoke(key.id)
    assert client.get("/v1/models").status_code == 401


def test_only_hashes_are_kept_where_only_the_owner_reads(ring: KeyRing) -> None:
    _, secret = ring.add(user_id="maya")
    assert secret not in ring._path.read_text()
    assert ring._path.stat().st_mode & 0o077 == 0
    ring._path.write_text("{")
    with pytest.raises(KeyFileError, match="habitus keys add"):
        KeyRing(ring._path)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": ""}]
)
def test_without_keys_no_page_from_elsewhere_gets_in(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/v1/memory/turns", headers=headers).status_code == 403


def test_too_many_requests_are_told_when_to_come_back(connect: Connect) -> None:
    client = connect(ServerOptions(per_minute=3))
    codes = [client.get("/v1/models").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert int(client.get("/v1/models").headers["Retry-After"]) >= 1


def test_a_huge_body_is_refused_announced_or_not(connect: Connect) -> None:
    client = connect(ServerOptions(max_body_bytes=1_000))
    huge = json.dumps(asks("x" * 2_000)).encode()
    kind = {"Content-Type": "application/json"}
    assert client.post(CHAT, content=huge, headers=kind).status_code == 413
    parts = (huge[start : start + 100] for start in range(0, len(huge), 100))
    assert client.post(CHAT, content=parts, headers=kind).status_code == 413


def test_a_write_sent_again_is_done_once(client: TestClient, agent: Agent) -> None:
    key = {"Idempotency-Key": "one"}
    first = client.post(CHAT, json=asks("I hate loud music."), headers=key)
    again = client.post(CHAT, json=asks("I hate loud music."), headers=key)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(agent.memories("maya")) == 2
    assert client.post(CHAT, json=asks("Something else."), headers=key).status_code == 409
    other = client.post(CHAT, json=asks("I hate loud music."), headers={**key, "X-Habitus-User": "noah"})
    assert other.json()["habitus"]["turn_id"] != first.json()["habitus"]["turn_id"]


def test_a_request_that_was_refused_is_answered_alike_again(client: TestClient) -> None:
    key = {"Idempotency-Key": "two"}
    assert client.post(CHAT, json=asks(" "), headers=key).status_code == 400
    assert client.post(CHAT, json=asks(" "), headers=key).status_code == 400


def test_logs_and_metrics_hold_no_words_and_no_ids_of_users(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(ServerOptions(metrics=True), **{"X-Habitus-User": "quetzal"})
    with caplog.at_level(logging.DEBUG):
        client.post(CHAT, json=asks("I hate axolotl music."))
        found = client.get("/v1/memory/preferences").json()[0]["id"]
        client.get(f"/v1/memory/preferences/{found}")
        client.get("/v1/memory/preferences/axolotl")
        metrics = client.get("/metrics").text
    # The test's own client logs what it asks for.
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("httpx")]
    told = "\n".join(ours) + metrics
    assert "/v1/memory/preferences/{preference_id}" in told
    assert not [word for word in ("axolotl", "quetzal", found) if word in told]
    assert 'habitus_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1.0' in metrics


def test_a_request_keeps_its_harmless_id(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert client.get("/healthz", headers={"X-Request-Id": "a b\t"}).headers["X-Request-Id"] != "a b\t"


def test_cross_origin_pages_may_call_only_where_named(connect: Connect, ring: KeyRing) -> None:
    ring.add(user_id="maya")
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    allowed = connect(ServerOptions(keys=ring, cors=["https://app.example"]))
    assert (
        allowed.options("/v1/models", headers=asked).headers["access-control-allow-origin"] == asked["Origin"]
    )
    closed = connect(ServerOptions(keys=ring))
    assert "access-control-allow-origin" not in closed.options("/v1/models", headers=asked).headers


def test_a_stream_that_is_left_stores_nothing(url: str, agent: Agent) -> None:
    """The extractive generator is done at once, so the turn may be stored before the client has left."""
    with httpx.stream("POST", f"{url}{CHAT}", json=asks("Hello.", user="maya", stream=True)) as response:
        next(response.iter_bytes())
    assert len(agent.memories("maya")) in (0, 2)


def test_turns_of_many_users_run_side_by_side(url: str, agent: Agent) -> None:
    codes: list[int] = []

    def talk(user: int) -> None:
        with httpx.Client(timeout=60) as client:
            for _ in range(3):
                codes.append(client.post(f"{url}{CHAT}", json=asks("Hello.", user=f"u{user}")).status_code)

    threads = [threading.Thread(target=talk, args=(user,)) for user in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 36
    assert all(len(agent.memories(f"u{user}")) == 6 for user in range(12))


def test_the_openapi_document_names_every_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/chat/completions", "/v1/models", "/v1/memory/export", "/healthz"} <= set(paths)
    assert all(one.get("responses") for path in paths.values() for one in path.values())


def test_replies_are_kept_for_explaining_up_to_so_many_bytes(client: TestClient) -> None:
    for number in range(4):
        client.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": f"Hello {number}."}]}
        )
    turns = [turn["id"] for turn in client.get("/v1/memory/turns").json() if turn["role"] == "assistant"]
    shown = [client.get(f"/v1/memory/replies/{turn}/why").json() for turn in turns]
    assert [one["turn_id"] for one in shown] == turns
    newest = [ReplyShown.model_validate(one) for one in shown[-2:]]
    small = RecentReplies(max_bytes=sum(len(one.model_dump_json()) for one in newest))
    for one in shown:
        small.keep("maya", ReplyShown.model_validate(one))
    assert [small.get("maya", turn) for turn in turns] == [None, None, *newest]
    small.drop("maya")
    assert small.get("maya", turns[-1]) is None
    small.keep("maya", newest[0])
    assert small.get("maya", newest[0].turn_id) == newest[0]
