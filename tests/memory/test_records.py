"""What records refuse, and what they make of what they take."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from habitus.memory.records import (
    MAX_ID_CHARS,
    Edit,
    Fact,
    Feedback,
    Persona,
    PersonaLine,
    Preference,
    Profile,
    ProfileSection,
    Turn,
    new_id,
)

AT = datetime(2025, 3, 1, tzinfo=UTC)


def turn(**fields: object) -> Turn:
    values = {"user_id": "ann", "session_id": "s", "index": 0, "role": "user", "text": "hi", "at": AT}
    return Turn.model_validate({**values, **fields})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": ""}, "empty or blank"),
        ({"text": " \n\t"}, "empty or blank"),
        ({"text": "a\x00b"}, "NUL characters; the first is at 1"),
        ({"text": "a\ud800"}, "lone surrogate is at 1"),
        ({"text": "x" * 4_000_001}, "longer than 4,000,000"),
        ({"user_id": ""}, "an id must not be empty"),
        ({"id": "x" * (MAX_ID_CHARS + 1)}, "longer than 256"),
        ({"session_id": "a\nb"}, "printable"),
        ({"user_id": "a\x00"}, "printable"),
        ({"index": -1}, "greater than or equal to 0"),
        ({"role": "system"}, "'user' or 'assistant'"),
        ({"at": datetime(2025, 3, 1)}, "timezone"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_turn_that_cannot_be_stored_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        turn(**fields)


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        turn().text = "other"


def test_instants_are_kept_in_utc() -> None:
    local = datetime(2025, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    kept = turn(at=local).at
    assert kept == local
    assert kept.utcoffset() == timedelta(0)
    assert kept.hour == 4


@given(text=st.text(min_size=1).filter(lambda text: bool(text.strip()) and "\x00" not in text))
def test_any_other_unicode_survives_json(text: str) -> None:
    original = turn(text=text)
    assert Turn.model_validate_json(original.model_dump_json()) == original


def test_ids_are_fresh() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert turn().id != turn().id


@pytest.mark.parametrize("kind", [Preference, Fact])
def test_nothing_ends_before_it_begins(kind: type[Preference] | type[Fact]) -> None:
    values = {
        "user_id": "ann",
        "statement": "s",
        "topic": "t",
        "target": "t",
        "stance": "like",
        "attribute": "a",
        "value": "v",
        "valid_from": AT,
        "learnt_at": AT,
    }
    values = {name: value for name, value in values.items() if name in kind.model_fields}
    kind.model_validate({**values, "valid_to": AT})
    with pytest.raises(ValidationError, match="lies before"):
        kind.model_validate({**values, "valid_to": AT - timedelta(seconds=1)})


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_lies_between_nought_and_one(strength: float) -> None:
    with pytest.raises(ValidationError):
        Preference(
            user_id="ann",
            statement="s",
            topic="t",
            target="t",
            stance="like",
            strength=strength,
            valid_from=AT,
            learnt_at=AT,
        )


def test_feedback_is_exactly_one_thing() -> None:
    Feedback(user_id="ann", turn_id="t", at=AT, rating=0.0)
    with pytest.raises(ValidationError, match="exactly one"):
        Feedback(user_id="ann", turn_id="t", at=AT)
    with pytest.raises(ValidationError, match="rating.*edit"):
        Feedback(user_id="ann", turn_id="t", at=AT, rating=1.0, edit=Edit(before="a", after="b"))
    with pytest.raises(ValidationError):
        Feedback(user_id="ann", turn_id="t", at=AT, rating=1.5)


def test_profile_and_persona_read_as_text() -> None:
    sections = (
        ProfileSection(title="Food", text="Figs.", record_ids=("p",)),
        ProfileSection(title="Work", text="Nurse.", record_ids=()),
    )
    assert (
        Profile(user_id="ann", version=1, made_at=AT, sections=sections).text == "Food: Figs.\nWork: Nurse."
    )
    lines = (
        PersonaLine(text="Offer figs.", preference_id="p"),
        PersonaLine(text="Be brief.", preference_id="q"),
    )
    persona = Persona(user_id="ann", version=1, made_at=AT, reason="r", lines=lines)
    assert persona.text == "- Offer figs.\n- Be brief."
    assert json.loads(persona.model_dump_json())["lines"][0]["preference_id"] == "p"
