"""The compiled persona: order, budget, versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from habitus.memory.persona import compile_persona, diff, rollback
from habitus.memory.records import Persona, Preference

AT = datetime(2025, 3, 1, tzinfo=UTC)


def preference(statement: str, stance: str, **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": statement,
            "user_id": "u",
            "statement": statement,
            "topic": "general",
            "target": statement.lower(),
            "stance": stance,
            "valid_from": AT,
            "learnt_at": AT,
        }
        | fields
    )


LIKE = preference("I love marzipan.", "like", strength=1.0)
AVOID = preference("I am allergic to latex.", "avoid", strength=0.6)
STYLE = preference("Keep it short.", "require", topic="style.length")


def compiled(
    preferences: list[Preference], previous: Persona | None = None, max_tokens: int = 400
) -> Persona:
    return compile_persona(
        "u",
        preferences,
        previous=previous,
        at=AT,
        reason="test",
        max_tokens=max_tokens,
        count_tokens=lambda text: len(text.split()),
    )


def test_constraints_come_first_then_style_then_tastes() -> None:
    persona = compiled([LIKE, STYLE, AVOID])

    assert [line.preference_id for line in persona.lines] == [AVOID.id, STYLE.id, LIKE.id]


def test_the_order_does_not_depend_on_the_input_order() -> None:
    assert compiled([AVOID, LIKE, STYLE]).lines == compiled([LIKE, STYLE, AVOID]).lines


def test_only_active_preferences_are_named() -> None:
    assert compiled([LIKE.model_copy(update={"status": "blocked"})]).lines == ()


def test_the_budget_keeps_the_constraint() -> None:
    persona = compiled([LIKE, AVOID], max_tokens=8)

    assert [line.preference_id for line in persona.lines] == [AVOID.id]


def test_a_new_version_is_made_only_when_the_lines_change() -> None:
    first = compiled([LIKE])

    assert compiled([LIKE], previous=first) is first
    assert compiled([LIKE, AVOID], previous=first).version == 2


def test_versions_can_be_compared_and_rolled_back() -> None:
    first = compiled([LIKE])
    second = compiled([LIKE, AVOID], previous=first)

    assert any(line.startswith("+") and "latex" in line for line in diff(first, second))
    assert diff(first, first) == []

    third = rollback("u", first, second, AT + timedelta(days=1))
    assert (third.version, third.lines) == (3, first.lines)
    assert "version 1" in third.reason


def test_what_was_only_shown_is_marked() -> None:
    (line,) = compiled([LIKE.model_copy(update={"explicit": False})]).lines

    assert "behaviour" in line.text
