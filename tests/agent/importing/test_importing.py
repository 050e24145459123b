"""Files as the services export them, made by hand."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from habitus.agent import Agent
from habitus.agent.importing.formats import FORMATS, FormatName, recognise
from habitus.agent.importing.reading import FileFormatError
from habitus.agent.importing.run import bring_in

T = 1_700_000_000.0


def node(key: str, parent: str | None, role: str, *parts: Any, at: float = T) -> dict[str, Any]:
    content = {"content_type": "text", "parts": list(parts)}
    message = {"author": {"role": role}, "content": content, "create_time": at, "metadata": {}}
    return {"id": key, "parent": parent, "children": [], "message": message}


CHATGPT = [
    {
        "title": "Music",
        "conversation_id": "c1",
        "create_time": T,
        "current_node": "d",
        "mapping": {
            "root": {"id": "root", "parent": None, "children": ["s"], "message": None},
            "s": node("s", "root", "system", ""),
            "a": node("a", "s", "user", "I hate loud music."),
            "x": node("x", "a", "assistant", "A branch that was dropped."),
            "b": node("b", "a", "assistant", "Noted.", at=T + 5),
            "c": node("c", "b", "user", {"asset_pointer": "picture"}, "What is this?", at=T + 9),
            "t": node("t", "c", "tool", "a search"),
            "d": node("d", "t", "assistant", "A tree.", at=T + 12),
        },
    }
]
CLAUDE = [
    {
        "uuid": "u1",
        "name": "Music",
        "created_at": "2025-01-02T10:00:00.000000Z",
        "chat_messages": [
            {"sender": "human", "text": "I hate loud music.", "created_at": "2025-01-02T10:00:01Z"},
            {
                "sender": "assistant",
                "text": "",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Noted."}],
                "created_at": "2025-01-02T10:00:02Z",
            },
        ],
    }
]
MEM0 = {"results": [{"id": "m1", "memory": "Hates loud music", "created_at": "2025-01-02T10:00:00-08:00"}]}
LANGMEM = [
    {
        "namespace": ["memories", "maya"],
        "key": "k1",
        "value": {"kind": "Memory", "content": {"content": "Hates loud music"}},
        "created_at": "2025-01-02T10:00:00+00:00",
        "updated_at": "2025-01-03T10:00:00+00:00",
    }
]
LONGMEMEVAL = [
    {
        "question_id": "q",
        "haystack_session_ids": ["s1"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [
            [{"role": "user", "content": "I hate loud music."}, {"role": "assistant", "content": "Noted."}]
        ],
    }
]
JSONL = [
    {"role": "user", "text": "I hate loud music.", "at": "2025-01-02T10:00:00Z", "session": "a"},
    {"role": "assistant", "content": "Noted.", "timestamp": 1735812005, "session": "a"},
]
FILES: dict[FormatName, Any] = {
    "chatgpt": CHATGPT,
    "claude": CLAUDE,
    "mem0": MEM0,
    "langmem": LANGMEM,
    "longmemeval": LONGMEMEVAL,
    "jsonl": JSONL,
}
VERBATIM = ("chatgpt", "claude", "longmemeval", "jsonl")


def written(folder: Path, name: FormatName, content: Any) -> Path:
    if name == "jsonl":
        path = folder / "said.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in content))
    else:
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_and_brought_in_once(agent: Agent, tmp_path: Path, name: FormatName) -> None:
    path = written(tmp_path, name, FILES[name])
    assert recognise(path) == name
    planned = bring_in(agent, "maya", path, dry_run=True)
    assert agent.store.users() == []
    made = bring_in(agent, "maya", path)
    assert made == planned
    assert made.n_new == made.n_messages == len(agent.memories("maya"))
    again = bring_in(agent, "maya", path)
    assert again.n_new == 0
    assert "loud music" in agent.recall("maya", "Which music is too loud?").packed.text


@pytest.mark.parametrize("name", FILES)
def test_something_is_learnt_from_the_users_own_words_alone(
    agent: Agent, tmp_path: Path, name: FormatName
) -> None:
    bring_in(agent, "maya", written(tmp_path, name, FILES[name]))
    assert bool(agent.preferences("maya")) is (name in VERBATIM)
    assert all(turn.meta.get("verbatim", True) is (name in VERBATIM) for turn in agent.memories("maya"))


def test_of_a_tree_of_messages_the_branch_shown_last_is_taken(agent: Agent, tmp_path: Path) -> None:
    bring_in(agent, "maya", written(tmp_path, "chatgpt", CHATGPT))
    assert [(turn.role, turn.text) for turn in agent.memories("maya")] == [
        ("user", "I hate loud music."),
        ("assistant", "Noted."),
        ("user", "What is this?"),
        ("assistant", "A tree."),
    ]


def test_an_archive_is_read_as_it_is(agent: Agent, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("export/conversations.json", json.dumps(CLAUDE))
    assert bring_in(agent, "maya", path).format == "claude"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.json", "[]")
    with pytest.raises(FileFormatError, match=r"holds no conversations\.json"):
        bring_in(agent, "maya", path)


def test_a_conversation_that_has_grown_is_completed(agent: Agent, tmp_path: Path) -> None:
    path = written(tmp_path, "jsonl", JSONL[:1])
    bring_in(agent, "maya", path)
    assert bring_in(agent, "maya", written(tmp_path, "jsonl", JSONL)).n_new == 1
    assert [turn.text for turn in agent.memories("maya")] == ["I hate loud music.", "Noted."]


def test_what_ends_a_line_in_unicode_does_not_end_a_message(agent: Agent, tmp_path: Path) -> None:
    said = {"role": "user", "text": "I hate loud music.\u2028And\x85crowds.", "at": "2025-01-02T10:00:00Z"}
    path = tmp_path / "said.jsonl"
    path.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
    made = bring_in(agent, "maya", path)
    assert (made.n_new, made.skipped) == (1, ())
    assert [turn.text for turn in agent.memories("maya")] == [said["text"]]


def test_what_cannot_be_stored_is_left_out_with_its_reason(agent: Agent, tmp_path: Path) -> None:
    lines = [
        *JSONL,
        {"role": "user", "text": "a\x00b", "session": "a"},
        {"role": "user", "text": None, "session": "a"},
        {"role": "system", "text": "Be nice.", "session": "a"},
        {"role": "user", "text": "When was this?", "session": "undated"},
    ]
    path = written(tmp_path, "jsonl", lines)
    path.write_text(path.read_text() + "\nnot json\n")
    made = bring_in(agent, "maya", path)
    assert made.n_new == 2
    assert made.reasons == {
        "it is no message with a role of user or assistant": 2,
        "it holds no text": 1,
        "a text must not hold NUL characters": 1,
        "it says no date": 1,
    }
    assert all("Be nice" not in one.where + one.why for one in made.skipped)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", "{"), ("a.json", '{"what": 1}'), ("a.json", "[]"), ("a.jsonl", "nothing\n"), ("a.json", "3")],
)
def test_a_file_of_no_known_format_is_refused(agent: Agent, tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(FileFormatError):
        bring_in(agent, "maya", path)
    with pytest.raises(FileFormatError):
        bring_in(agent, "maya", tmp_path / "absent.json")
    assert agent.store.users() == []


def _broken(content: Any) -> Iterator[Any]:
    """Yield the content with something else in place of each of its parts, one at a time."""
    yield from (None, 3, "x", [], {}, [None], {"x": 3})
    if isinstance(content, dict | list):
        places = content.items() if isinstance(content, dict) else enumerate(content)
        for place, part in list(places):
            for changed in _broken(part):
                copy = content.copy()
                copy[place] = changed
                yield copy


@pytest.mark.parametrize("name", [name for name in FILES if name != "jsonl"])
def test_no_part_of_an_export_is_taken_on_trust(tmp_path: Path, name: FormatName) -> None:
    n_read = 0
    for content in _broken(FILES[name]):
        path = written(tmp_path, name, content)
        with suppress(FileFormatError):
            n_read += len(list(FORMATS[name].read(path)))
    assert n_read > 20


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [[None], [3], [{}], [{"mapping": 3}], [{"chat_messages": [3]}], [[]]])
def test_a_strange_entry_never_ends_the_run(
    agent: Agent, tmp_path: Path, name: FormatName, content: list[Any]
) -> None:
    path = written(tmp_path, name, [*content, *(FILES[name] if isinstance(FILES[name], list) else [])])
    made = bring_in(agent, "maya", path, format=name)
    assert made.skipped
    assert bool(made.n_messages) is isinstance(FILES[name], list)
