"""How the user wants to be answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.records import Preference, Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


def style(text: str) -> list[Preference]:
    turn = Turn(
        id="t1",
        user_id="u",
        session_id="s",
        index=0,
        role="user",
        text=text,
        at=datetime(2025, 3, 1, tzinfo=UTC),
    )
    return [p for p in extract(turn).preferences if p.topic.startswith("style.")]


@pytest.mark.parametrize(
    ("text", "topic", "target", "stance"),
    [
        ("Keep it short.", "style.length", "short replies", "require"),
        ("I prefer concise answers.", "style.length", "short replies", "require"),
        ("Your replies are too long.", "style.length", "short replies", "require"),
        ("Please give me detailed explanations.", "style.length", "detailed replies", "require"),
        ("No bullet points, please.", "style.format", "bullet points", "avoid"),
        ("Don't use emojis.", "style.format", "emojis", "avoid"),
        ("I hate it when you use emojis.", "style.format", "emojis", "avoid"),
        ("Always use numbered lists.", "style.format", "numbered lists", "require"),
        ("Skip the jargon.", "style.wording", "plain language", "require"),
        ("Please be more formal.", "style.tone", "formal", "require"),
        ("Always answer in Portuguese.", "style.language", "portuguese", "require"),
        ("Please stop apologizing.", "style.content", "apologizing", "avoid"),
        ("Use metric units.", "style.units", "metric units", "require"),
    ],
)
def test_a_wish_about_replies_is_a_style_preference(text: str, topic: str, target: str, stance: str) -> None:
    (found,) = style(text)

    assert (found.topic, found.target, found.stance) == (topic, target, stance)


def test_a_standing_wish_is_surer_than_one_for_now() -> None:
    (standing,) = style("From now on, keep your answers short.")
    (now,) = style("Keep it short.")

    assert standing.confidence > now.confidence


@pytest.mark.parametrize(
    "text",
    [
        "How do I write concise answers in an exam?",
        "Write a short story about a lighthouse.",
        "Should I be more formal with my boss?",
        "Create a table of the planets.",
    ],
)
def test_the_form_of_a_task_is_not_a_style_preference(text: str) -> None:
    assert style(text) == []


def test_an_order_from_now_on_is_a_standing_wish() -> None:
    [found] = style("From now on you must answer in Spanish.")

    assert (found.topic, found.target, found.strength) == ("style.language", "spanish", 0.9)


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("Please don't use the word synergy.", "avoid", "word synergy"),
        ("Never use the phrase circle back in my emails.", "avoid", "phrase circle back"),
        ("I like it when you use examples.", "require", "use examples"),
        ("I prefer if you give the answer first.", "require", "give the answer first"),
    ],
)
def test_words_and_ways_of_answering_that_are_wished_for(text: str, stance: str, target: str) -> None:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    [found] = extract(turn).preferences
    assert (found.stance, found.target, found.scope) == (stance, target, None)
    assert found.topic.startswith("style.")


@pytest.mark.parametrize(
    "text", ["I love it when you explain it like that.", "I love it when you can see the sea."]
)
def test_praise_and_the_general_you_are_no_wish(text: str) -> None:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    assert not [found for found in extract(turn).preferences if found.topic.startswith("style.")]
