"""Memories that another system wrote down: dumps of mem0 and of LangMem (a LangGraph store).

They are a model's words about the user, not the user's own. So each is kept as a message that says where
it comes from in its `meta`, is found by recall, and nothing is learnt from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from habitus.agent.importing.reading import Parts, RawMessage, Skipped, conversation, entries, load_json


def recognise_mem0(content: Any) -> bool:
    return _first(content, "memory") is not None


def read_mem0(path: Path) -> Parts:
    """Yield what `Memory.get_all()` returns: `{"results": [{"id", "memory", "created_at"}]}`, or the list.

    Raises:
        FileFormatError: the file is no such dump.
    """
    content = load_json(path)
    for place, one in enumerate(entries(_results(content), path, "memories")):
        where = f"memory {place + 1}"
        if not isinstance(one, dict):
            yield Skipped(where, "it is no memory")
            continue
        at = one.get("updated_at") or one.get("created_at")
        yield from _item(where, f"mem0:{one.get('id') or place}", one.get("memory"), at, "mem0")


def recognise_langmem(content: Any) -> bool:
    return _first(content, "namespace") is not None


def read_langmem(path: Path) -> Parts:
    """Yield the items of a LangGraph store, as `[item.dict() for item in store.search(...)]` dumps them.

    Raises:
        FileFormatError: the file is no such dump.
    """
    for place, one in enumerate(entries(_results(load_json(path)), path, "items")):
        where = f"item {place + 1}"
        if not isinstance(one, dict) or not isinstance(one.get("value"), dict):
            yield Skipped(where, "it is no item of a store")
            continue
        space = one.get("namespace")
        name = "/".join([*map(str, space if isinstance(space, list) else ()), str(one.get("key", place))])
        at = one.get("updated_at") or one.get("created_at")
        yield from _item(where, f"langmem:{name}", _content(one["value"]), at, "langmem")


def _item(where: str, name: str, text: Any, at: Any, source: str) -> Parts:
    message = RawMessage(role="user", text=text, at=at, meta={"imported_from": source, "verbatim": False})
    yield from conversation(where, name, at, [message])


def _content(value: dict[str, Any]) -> Any:
    """Return the text of an item: LangMem nests it under `content`, others call it `text` or `memory`."""
    for name in ("content", "text", "memory", "data"):
        if isinstance(value.get(name), dict):
            return _content(value[name])
        if isinstance(value.get(name), str):
            return value[name]
    return None


def _results(content: Any) -> Any:
    return content["results"] if isinstance(content, dict) and "results" in content else content


def _first(content: Any, name: str) -> Any:
    found = _results(content)
    return found[0].get(name) if isinstance(found, list) and found and isinstance(found[0], dict) else None
