"""What a way of writing tells, once there is enough of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.known.manner import language_of, levels_in, manner_in, measured, observed
from habitus.memory.known.persona import compile_persona
from habitus.memory.known.preferences import merge
from habitus.memory.records import Preference, Turn
from habitus.retrievers.encoder import HashingEncoder

START = datetime(2025, 3, 1, tzinfo=UTC)

CHATTY = ("hey whats up with the heating??", "thx!! gonna try that", "lol ok", "and how long does it take")
PLAIN = ("The heating is cold.", "Which valve should be opened?", "It works now.", "How long does it take?")
FORMAL = (
    "Could you please explain the procedure to me?",
    "I would appreciate a list of the documents.",
    "May I ask which office is responsible?",
    "I am writing with regard to the permit.",
)
GERMAN = (
    "Wie kann ich das bitte machen?",
    "Das ist nicht die Antwort.",
    "Was kann ich mit der Rechnung machen?",
)


def said(
    texts: Sequence[str], n: int = 16, *, sessions: int = 2, role: str = "user", day: int = 0
) -> list[Turn]:
    """The texts over and over, spread over sessions."""
    return [
        Turn.model_validate(
            {
                "id": f"{day}.{i}",
                "user_id": "u",
                "session_id": f"s{day}.{i % sessions}",
                "index": i,
                "role": role,
                "text": texts[i % len(texts)],
                "at": START + timedelta(days=day, minutes=i),
            }
        )
        for i in range(n)
    ]


def told(turns: Sequence[Turn]) -> list[str]:
    return [found.statement for found in manner_in(turns)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (CHATTY, ["Writes informally and briefly."]),
        (FORMAL, ["Writes formally."]),
        (PLAIN, ["Writes briefly."]),
        (GERMAN, ["Writes briefly.", "Writes in German."]),
        (("I have been thinking about the heating and which of the valves should be opened first.",), []),
    ],
)
def test_a_register_and_a_language_show_over_many_messages(texts: Sequence[str], expected: list[str]) -> None:
    assert told(said(texts)) == expected


def test_one_message_or_one_session_tells_nothing() -> None:
    assert told(said(CHATTY, 11)) == []
    assert told(said(CHATTY, 40, sessions=1)) == []


def test_the_assistants_words_pastes_and_texts_to_compose_do_not_count() -> None:
    assert told(said(CHATTY, role="assistant")) == []
    assert told(said([" ".join(CHATTY * 5)])) == []
    assert told(said(["Write a tweet that says: lol thx u guys!!"])) == []


def test_what_is_told_is_implicit_unsure_and_quotes_the_last_signs() -> None:
    turns = said(CHATTY)
    [found] = manner_in(turns)
    assert (found.explicit, found.source, found.status) == (False, "user_generated_content", "active")
    assert 0.5 <= found.confidence <= 0.7
    by_id = {turn.id: turn for turn in turns}
    assert len(found.evidence) == 3
    assert all(by_id[one.turn_id].text == one.quote for one in found.evidence)


def test_the_measures() -> None:
    manner = measured(said(CHATTY, 4))
    assert (manner.n_messages, manner.median_words, manner.informal, manner.formal) == (4, 5.0, 1.0, 0.0)
    assert measured([]).n_messages == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Comment est-ce que je peux faire une tarte avec des pommes ?", "french"),
        ("¿Cómo puedo llegar a la estación con el tren?", "spanish"),
        ("How can I do that?", "english"),
        ("Pasta al forno", None),
        ("東京の天気", None),
    ],
)
def test_a_language_is_told_by_its_function_words(text: str, language: str | None) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("I'm new to gardening, what should I plant?", "New to gardening: explain it in plain words."),
        ("I'm a complete beginner at chess and want to improve.", "New to chess: explain it in plain words."),
        ("I don't know much about wine.", "New to wine: explain it in plain words."),
        ("I have a PhD in organic chemistry.", "Knows organic chemistry well: technical terms are fine."),
        ("I've been teaching physics for ten years.", "Knows physics well: technical terms are fine."),
    ],
)
def test_a_level_of_knowledge_is_told_in_passing(text: str, statement: str) -> None:
    [found] = levels_in(said([text], 1))
    assert (found.statement, found.topic, found.explicit) == (statement, "expertise", False)
    assert found.evidence[0].quote in text


@pytest.mark.parametrize(
    "text",
    [
        "I'm new to this area.",
        "I've heard of vases, but I don't know much about their history or makers.",
        "My friend said I am new to chess.",
        "If I were new to Rust, what would you tell me?",
        "Pretend that I'm new to chess.",
        "Are you new to chess?",
        "She is a beginner at tennis.",
    ],
)
def test_what_is_no_level_of_the_user(text: str) -> None:
    assert levels_in(said([text], 1)) == []


def test_looking_again_at_the_same_messages_changes_nothing() -> None:
    turns = [*said(CHATTY), *said(["I'm new to chess."], 1, day=1)]
    first = observed([], turns)
    assert len(first) == 2
    assert observed(first, turns) == ()


def test_newer_messages_bring_the_same_record_up_to_date() -> None:
    [first] = observed([], said(CHATTY))
    [again] = observed([first], said(CHATTY, day=30))
    assert again.id == first.id
    assert again.seen_at is not None and again.seen_at > first.learnt_at
    assert again.confidence == first.confidence


def test_another_register_takes_the_place_of_the_former() -> None:
    [first] = observed([], said(CHATTY))
    old, new = observed([first], said(FORMAL, day=30))
    assert (old.id, old.status) == (first.id, "superseded")
    assert (new.statement, new.status) == ("Writes formally.", "active")


def test_a_learner_becomes_an_expert() -> None:
    [novice] = observed([], said(["I'm new to chess."], 1))
    changes = observed([novice], said(["I'm an expert in chess."], 1, day=900))
    assert {p.statement.split(":")[0]: p.status for p in changes} == {
        "New to chess": "superseded",
        "Knows chess well": "active",
    }


def test_what_the_user_said_or_took_back_stays() -> None:
    [found] = observed([], said(CHATTY))
    wish = found.model_copy(update={"id": "x", "topic": "style.tone", "target": "formal", "explicit": True})
    assert observed([wish], said(CHATTY)) == ()
    assert observed([found.model_copy(update={"status": "retracted"})], said(CHATTY, day=1)) == ()
    assert observed([found.model_copy(update={"explicit": True})], said(CHATTY, day=1)) == ()


def test_a_taste_for_a_subject_is_kept_apart_from_the_level_in_it() -> None:
    [level] = observed([], said(["I'm new to chess."], 1))
    taste = Preference(
        user_id="u",
        statement="I love chess.",
        topic="general",
        target="chess",
        stance="like",
        valid_from=START,
        learnt_at=START,
    )
    assert merge([level], [taste], encoder=HashingEncoder(), at=START) == (taste,)


def test_the_persona_says_where_it_is_seen_from() -> None:
    found = observed([], [*said(CHATTY), *said(["I'm new to chess."], 1, day=1)])
    persona = compile_persona(
        "u", found, previous=None, at=START, reason="test", max_tokens=200, count_tokens=len
    )
    assert [line.text for line in persona.lines] == [
        "Reply style: Writes informally and briefly. (seen from the user's writing)",
        "Level: New to chess: explain it in plain words. (seen from the user's writing)",
    ]
