"""Every way to write and to delete; what is answered on the way is read as well."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from habitus.agent.importing.run import bring_in
from habitus.evals.isolation.doors import Doors
from habitus.evals.isolation.people import Person
from habitus.evals.isolation.reads import ITEMS, SESSIONS, Operation, has_items
from habitus.evals.lifelong.paths import as_text, tried
from habitus.memory.records import Conversation, Message

if TYPE_CHECKING:
    from habitus.agent.reply import Reply

_SAME_KEYS = ("again", "once more")
"""Idempotency keys, the same for all users."""


def _words(one: Person, chance: Random) -> str:
    return one.say(chance) if chance.random() < 0.6 else one.ask(chance)


def _told(one: Person, reply: Reply) -> Iterator[str]:
    one.replies = [*one.replies[-20:], reply.turn_id]
    yield reply.text
    yield reply.why()
    yield as_text([memory.text for memory in reply.memories])
    yield as_text(reply.persona_diff())
    yield reply._repr_html_()


def _chat(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield from _told(
        one, doors.agent.chat(one.id, _words(one, chance), session_id=chance.choice((None, *SESSIONS)))
    )


def _stream(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    for part in doors.agent.stream(one.id, _words(one, chance), session_id=chance.choice(SESSIONS)):
        if isinstance(part, str):
            yield part
        else:
            yield from _told(one, part)


async def _collected(parts: AsyncIterator[str | Reply]) -> list[str | Reply]:
    return [part async for part in parts]


def _astream(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    for part in asyncio.run(_collected(doors.agent.astream(one.id, _words(one, chance)))):
        yield from [part] if isinstance(part, str) else _told(one, part)


def _achat(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield from _told(one, asyncio.run(doors.agent.achat(one.id, _words(one, chance))))


def _observe(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    reply = f"I see, {one.secret}."
    yield from _told(one, doors.agent.observe(one.id, _words(one, chance), reply))


def _ingest(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    said = (
        Message(role="user", text=one.say(chance)),
        Message(role="assistant", text=f"{one.secret} noted."),
    )
    # The same ids for everybody: those of turns follow from them.
    talk = Conversation(id=f"imported-{chance.randrange(4)}", at=datetime.now(UTC), messages=said)
    yield str(doors.agent.ingest(one.id, [talk]))


def _feedback(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if not one.replies:
        return
    reply = chance.choice(one.replies)
    options: list[dict[str, object]] = [
        {"rating": chance.choice((-1.0, 1.0))},
        {"comment": f"Next time mention {one.secret} first, and be brief."},
        {"edit": f"In short: {one.secret}."},
        {"choice": (f"A short {one.secret}.", [f"A long and winding {one.secret}, in many words."])},
    ]
    final = tried(doors.agent.feedback, one.id, reply, **chance.choice(options))
    yield str(final)


def _curate(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if not one.preferences:
        return
    agent, preference = doors.agent, chance.choice(one.preferences)
    yield as_text(
        chance.choice(
            (
                lambda: tried(agent.confirm, one.id, preference),
                lambda: tried(agent.reject, one.id, preference),
                lambda: tried(agent.edit, one.id, preference, statement=f"I adore {one.secret}."),
                lambda: tried(agent.rollback_persona, one.id, 1),
            )
        )()
    )


def _end(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield as_text(tried(doors.agent.end_session, one.id, chance.choice(SESSIONS)))


def _undo(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if one.feedback:
        yield str(tried(doors.agent.undo_feedback, one.id, chance.choice(one.feedback)))


def _http_chat(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    asked = {
        "messages": [{"role": "user", "content": _words(one, chance)}],
        "stream": chance.random() < 0.3,
    }
    yield doors.http(one, "POST", "/v1/chat/completions", key=chance.choice((None, *_SAME_KEYS)), json=asked)


def _http_curate(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    asked: list[tuple[str, str, dict[str, object] | None]] = [
        ("POST", f"sessions/{chance.choice(SESSIONS)}/end", None),
        ("POST", "persona/rollback", {"version": 1}),
    ]
    for preference in one.preferences[-1:]:
        path = f"preferences/{preference}"
        asked += [
            ("PATCH", path, {"statement": f"I adore {one.secret}."}),
            ("POST", f"{path}/confirm", None),
            ("POST", f"{path}/reject", None),
            ("DELETE", path, None),
        ]
    for fact in doors.agent.facts(one.id)[-1:]:
        asked.append(("DELETE", f"facts/{fact.id}", None))
    for reply in one.replies[-1:]:
        comment = f"Next time mention {one.secret} first, and be brief."
        asked.append(("POST", "feedback", {"turn_id": reply, "comment": comment}))
        asked.append(("POST", "forget", {"turn_ids": [reply]}))
    method, path, body = chance.choice(asked)
    yield doors.http(one, method, f"/v1/memory/{path}", key=chance.choice((None, *_SAME_KEYS)), json=body)


def _again(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    """Take an export away, delete everything, and bring it back."""
    if not doors.agent.memories(one.id):
        return
    exported = doors.agent.export(one.id)
    doors.agent.delete_user(one.id)
    yield str(doors.agent.bring_back(exported))
    yield as_text(doors.agent.export(one.id))


def _file(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    said = {"session": "same for all", "role": "user", "text": one.say(chance), "at": "2025-05-01T10:00:00Z"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "talks.jsonl")
        file.write_text(json.dumps(said) + "\n", encoding="utf-8")
        yield str(tried(bring_in, doors.agent, one.id, file))


def _http_import(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    talk = {
        "id": f"brought-{chance.randrange(4)}",
        "at": "2025-05-01T10:00:00Z",
        "messages": [{"role": "user", "text": one.say(chance)}],
    }
    yield doors.http(one, "POST", "/v1/memory/import", json={"conversations": [talk]})


def _tools(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield doors.tool(one, "remember", words=one.say(chance))
    yield doors.tool(one, "correct", right=one.say(chance))
    if chance.random() < 0.2:
        yield doors.tool(one, "forget", about="music")


def _mcp(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    said = one.say(chance)
    tools = {"remember": {"words": said}, "correct": {"right": said}, "forget": {"about": "music"}}
    name = chance.choice(list(tools))
    yield doors.mcp(one, "tool", name, **tools[name])


def _middleware(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield doors.middleware(one, _words(one, chance), chance.choice(SESSIONS))


def _put(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if has_items(one):
        doors.items.put((one.id, "drinks"), chance.choice(ITEMS), {"text": one.say(chance)})
        if chance.random() < 0.3:
            doors.items.delete((one.id, "drinks"), chance.choice(ITEMS))
    yield ""


def _forget(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    agent = doors.agent
    about = chance.choice(("my password", "music", "my sister"))
    yield as_text(
        chance.choice(
            (
                lambda: agent.forget(one.id, turn_ids=one.replies[-2:]),
                lambda: agent.forget(one.id, preference_ids=one.preferences[-1:]),
                lambda: agent.forget_about(one.id, about),
                lambda: agent.chat(one.id, f"Forget {about}.").text,
                lambda: doors.http(one, "POST", "/v1/memory/forget", json={"about": about}),
            )
        )()
    )


def delete(doors: Doors, one: Person, chance: Random, secret: str) -> Iterator[str]:
    """Delete a user in one of the ways there are; their next life has another secret."""
    ways = (
        lambda: tried(doors.agent.delete_user, one.id),
        lambda: doors.http(one, "DELETE", "/v1/memory", params={"confirm": "delete everything"}),
    )
    answer = chance.choice(ways)()
    one.begin_anew(secret)
    yield as_text(answer)


WRITES: Mapping[str, Operation] = {
    "chat": _chat,
    "stream": _stream,
    "astream": _astream,
    "achat": _achat,
    "observe": _observe,
    "ingest": _ingest,
    "feedback": _feedback,
    "undo": _undo,
    "curation": _curate,
    "end of session": _end,
    "HTTP chat": _http_chat,
    "HTTP import": _http_import,
    "HTTP curation": _http_curate,
    "export, deletion, import": _again,
    "import of a file": _file,
    "tools that write": _tools,
    "MCP that writes": _mcp,
    "middleware": _middleware,
    "LangGraph put": _put,
    "forget": _forget,
}
