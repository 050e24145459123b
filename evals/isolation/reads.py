"""Every way to read, each as what comes back in words. Some try what belongs to somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

from habitus.evals.isolation.doors import Doors, named
from habitus.evals.isolation.people import Person
from habitus.evals.lifelong.paths import as_text, tried

SESSIONS = ("monday", "tuesday", "wednesday")
"""Names of conversations, the same for all users."""
ITEMS = ("tea", "coffee")
"""Keys of items in LangGraph's store, the same for all users."""

Operation = Callable[[Doors, Person, Random], Iterator[str]]
"""Does something as a user; yields all that comes back."""


def _memories(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield as_text(doors.agent.memories(one.id))
    yield as_text(doors.agent.memories(one.id, session_id=chance.choice(SESSIONS)))


def _records(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    preferences = doors.agent.preferences(one.id)
    one.preferences = [known.id for known in preferences]
    yield as_text(preferences)
    yield as_text(doors.agent.facts(one.id))
    store = doors.agent.store
    yield as_text([store.corrections(one.id), store.questions(one.id), store.accesses(one.id)])
    yield as_text([store.weights(one.id), store.sessions(one.id), store.unread(one.id)])
    feedback = store.feedback(one.id)
    one.feedback = [given.id for given in feedback]
    yield as_text(feedback)


def _persona(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    versions = doors.agent.personas(one.id)
    yield as_text(versions)
    if len(versions) > 1:
        yield as_text(doors.agent.persona_diff(one.id, 1, versions[-1].version))


def _profile(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield as_text(doors.agent.profile(one.id))


def _export(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield as_text(tried(doors.agent.export, one.id))


def _recall(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    found = doors.agent.recall(one.id, one.ask(chance), context_tokens=100_000)
    yield found.packed.text
    yield as_text(doors.agent.store.texts(one.id, found.ranked_turn_ids))


def _prepare(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    prepared = doors.agent.prepare(one.id, one.ask(chance), session_id=chance.choice(SESSIONS))
    yield "\n".join(str(message.content) for message in prepared.messages)


def _notebook(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    agent = doors.agent
    shown = (*agent.preferences(one.id), *agent.personas(one.id), agent.profile(one.id))
    yield "".join(record._repr_html_() for record in shown if record is not None)


def _http_lists(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    paths = (
        "turns",
        f"turns?session_id={chance.choice(SESSIONS)}&wait=true",
        "sessions",
        "preferences",
        *(f"preferences/{preference}" for preference in one.preferences[-1:]),
        "facts",
        "profile",
        "persona",
        "persona/versions",
        "persona/diff?old=1&new=2",
        "export",
    )
    yield doors.http(one, "GET", f"/v1/memory/{chance.choice(paths)}")
    yield doors.http(one, "GET", chance.choice(("/v1/models", "/v1/models/habitus", "/readyz", "/")))


def _http_search(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield doors.http(one, "GET", "/v1/memory/search", params={"q": one.ask(chance), "context_tokens": 50_000})


def _http_why(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if one.replies:
        yield doors.http(one, "GET", f"/v1/memory/replies/{chance.choice(one.replies)}/why")


def _tools(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    yield doors.tool(one, "recall", question=one.ask(chance))
    yield doors.tool(one, "list_preferences")
    yield doors.tool(one, "profile")


def _mcp(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    kind, name, arguments = chance.choice(
        (
            ("tool", "recall", {"question": one.ask(chance)}),
            ("tool", "list_preferences", {}),
            ("tool", "profile", {}),
            ("resource", "habitus://profile", {}),
            ("resource", "habitus://persona", {}),
            ("prompt", "personalised", {"request": one.ask(chance)}),
        )
    )
    yield doors.mcp(one, kind, name, **arguments)


def has_items(one: Person) -> bool:
    """Tell whether LangGraph lets the user have a namespace: it refuses full stops in their names."""
    return "." not in one.id


def _items(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    if not has_items(one):
        return
    yield str(doors.items.search((one.id,), query=one.ask(chance), limit=100))
    yield str(doors.items.search((one.id,), limit=100))
    yield str(doors.items.get((one.id, "drinks"), chance.choice(ITEMS)))
    yield str(doors.items.list_namespaces(prefix=(one.id,)))


def _stranger(doors: Doors, one: Person, chance: Random) -> Person:
    return chance.choice([other for other in doors.people if other is not one])


def _their_ids(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    """Use ids of somebody else's as one's own."""
    agent, other = doors.agent, _stranger(doors, one, chance)
    if other.replies:
        reply = chance.choice(other.replies)
        yield as_text(agent.store.turns(one.id, ids=[reply]))
        yield as_text(agent.store.texts(one.id, [reply]))
        yield as_text(sorted(agent.store.turn_vectors(one.id, [reply])))
        yield as_text(tried(agent.feedback, one.id, reply, rating=-1.0))
        yield doors.http(one, "GET", f"/v1/memory/replies/{reply}/why")
    if other.preferences:
        preference = chance.choice(other.preferences)
        for act in (agent.confirm, agent.reject):
            yield as_text(tried(act, one.id, preference))
        yield as_text(tried(agent.edit, one.id, preference, statement="The user likes nothing."))
        yield doors.http(one, "GET", f"/v1/memory/preferences/{preference}")
        yield doors.http(one, "DELETE", f"/v1/memory/preferences/{preference}")
        yield doors.http(one, "DELETE", f"/v1/memory/facts/{preference}")
        yield doors.http(one, "POST", f"/v1/memory/preferences/{preference}/reject")
    if other.feedback:
        yield as_text(tried(agent.undo_feedback, one.id, chance.choice(other.feedback)))
    yield as_text(agent.forget(one.id, turn_ids=other.replies[-3:], preference_ids=other.preferences[-3:]))


def _their_name(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    """Name somebody else with one's own key, and ask for them in words."""
    other = _stranger(doors, one, chance)
    path = chance.choice(("turns", "export", "profile", "preferences", "search?q=password"))
    yield doors.http(one, "GET", f"/v1/memory/{path}", headers=named(other.id))
    asked = {"messages": [{"role": "user", "content": one.ask(chance)}], "user": other.id}
    yield doors.http(one, "POST", "/v1/chat/completions", json=asked)
    yield doors.agent.recall(one.id, f"What is the password of {other.id}?").packed.text
    if has_items(one):
        yield str(doors.items.search((one.id,), query=f"What did {other.id} tell you?", limit=100))


READS: Mapping[str, Operation] = {
    "memories": _memories,
    "records": _records,
    "persona": _persona,
    "profile": _profile,
    "export": _export,
    "recall": _recall,
    "prepare": _prepare,
    "notebook": _notebook,
    "HTTP lists": _http_lists,
    "HTTP search": _http_search,
    "HTTP why": _http_why,
    "tools": _tools,
    "MCP": _mcp,
    "LangGraph store": _items,
    "another's ids": _their_ids,
    "another's name": _their_name,
}


def everything(doors: Doors, one: Person, chance: Random) -> Iterator[str]:
    """Read in every way that names nobody else."""
    for name, read in READS.items():
        if not name.startswith("another's"):
            yield from read(doors, one, chance)
