"""Whatever a chat model answers, what is stored of it rests on the user's own words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from habitus.agent import ScriptedChat
from habitus.memory.extraction.by_model import checking
from habitus.memory.extraction.by_model.reading import read_turn
from habitus.memory.learning import edit_reader
from habitus.memory.learning.edit_reader import read_edit
from habitus.memory.records import Edit, Turn
from habitus.memory.structured import StructuredChat, read
from tests.strategies import bounded, damaged, json_values, sayings, storable

AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SAID = "I can't stand crowded places, my sister Rachel lives in Porto, and I’d rather have tea 🫖."
EDIT = Edit(before="Here is a long list.\n- one\n- two", after="Two things: one and two.")
NOTED = {
    "preferences": [
        {"quote": "I can't stand crowded places", "target": "crowded places", "stance": "dislike"},
        {"quote": "rather have tea", "target": "tea", "stance": "like", "scope": "morning", "topic": "a.b"},
    ],
    "facts": [
        {
            "quote": "my sister Rachel lives in Porto",
            "subject": "sister",
            "attribute": "home",
            "value": "Porto",
        }
    ],
}
READ = {
    "preferences": [{"statement": "I want no lists.", "quote": "- one", "about": "form"}],
    "known": [{"number": 1, "verdict": "kept"}],
}
PIECES = st.sampled_from([SAID[a:b] for a in range(0, 60, 7) for b in range(a, len(SAID), 9)])
WORDS = st.one_of(
    PIECES,
    storable(sayings(checking, edit_reader)),
    st.sampled_from(["", " ", ".", "\x00", "\ud800", "“”", "i", "I "]),
)


class Shape(BaseModel):
    x: int
    name: str = ""


@st.composite
def answers(draw: st.DrawFn, document: Any) -> str:
    """Draw what a model may answer: an object with other words or other parts, and remarks around it."""
    if draw(st.booleans()):
        told = draw(damaged(document))
    else:
        told = {
            name: [
                {
                    key: draw(WORDS) if isinstance(old, str) and draw(st.booleans()) else old
                    for key, old in one.items()
                }
                for one in items
            ]
            for name, items in document.items()
        }
    text = json.dumps(told, ensure_ascii=draw(st.booleans()))
    return (
        draw(st.sampled_from(["", "```json\n", "<think>{</think> "]))
        + text
        + draw(st.sampled_from(["", "}", "\n```"]))
    )


@given(first=answers(NOTED), second=answers(NOTED))
@bounded(40)
def test_records_of_a_model_quote_the_user(first: str, second: str) -> None:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=SAID, at=AT)
    found = read_turn(StructuredChat(ScriptedChat(script=[first, second])), turn)
    for record in found.preferences:
        assert all(one.quote in SAID for one in record.evidence)
        assert record.statement.strip()
    for fact in found.facts:
        assert all(one.quote in SAID for one in fact.evidence)


@given(first=answers(READ), second=answers(READ))
@bounded(40)
def test_what_a_model_reads_in_an_edit_quotes_what_changed(first: str, second: str) -> None:
    chat = StructuredChat(ScriptedChat(script=[first, second]))
    found = read_edit(chat, EDIT, "What is there?", ["I want no lists."], at=AT)
    if found.reading is not None:
        for one in found.reading.inferred:
            assert (one.quote in " ".join(EDIT.before.split())) != (one.quote in " ".join(EDIT.after.split()))


@given(value=json_values, around=st.text(max_size=10))
@bounded(40)
def test_an_answer_has_the_shape_or_it_is_said_what_is_wrong(value: Any, around: str) -> None:
    found, problem = read(around + json.dumps(value) + around, Shape)
    assert (found is None) == bool(problem) or problem
    if found is not None:
        found.name.encode()
