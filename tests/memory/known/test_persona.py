"""The compiled persona: order, budget, versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from habitus.memory.known.persona import compile_persona, diff, rollback
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

    third = rolled_back(first, second, [LIKE, AVOID])
    assert (third.version, third.lines) == (3, first.lines)
    assert "version 1" in third.reason


NEXT_DAY, LATER = AT + timedelta(days=1), AT + timedelta(days=2)


def rolled_back(old: Persona, current: Persona, preferences: list[Preference]) -> Persona:
    return rollback("u", old, current, NEXT_DAY, preferences=preferences)


def test_what_a_roll_back_took_out_stays_out_until_it_is_said_again() -> None:
    first = compiled([LIKE])
    both = compiled([LIKE, AVOID], previous=first)
    back = rolled_back(first, both, [LIKE, AVOID])

    assert compiled([LIKE, AVOID], previous=back) is back
    new = preference("I love rain.", "like", learnt_at=LATER, valid_from=LATER)
    more = compiled([LIKE, AVOID, new], previous=back)
    assert {line.preference_id for line in more.lines} == {LIKE.id, new.id}
    again = AVOID.model_copy(update={"seen_at": LATER})
    assert AVOID.id in {line.preference_id for line in compiled([LIKE, again], previous=more).lines}


def test_what_a_roll_back_brought_back_stays_until_the_user_says_otherwise() -> None:
    long = preference("Give me details.", "require", topic="style.length")
    short = STYLE.model_copy(update={"status": "superseded", "valid_to": AT})
    first = compiled([STYLE])
    second = compiled([short, long], previous=first)
    back = rolled_back(first, second, [short, long])

    assert [line.preference_id for line in back.lines] == [STYLE.id]
    assert compiled([short, long], previous=back) is back
    said = preference("Be brief.", "require", topic="style.length", learnt_at=LATER, valid_from=LATER)
    assert [line.preference_id for line in compiled([short, long, said], previous=back).lines] == [said.id]


def test_a_preference_taken_back_after_a_roll_back_leaves_the_persona() -> None:
    first = compiled([LIKE])
    back = rolled_back(first, compiled([LIKE, AVOID], previous=first), [LIKE, AVOID])
    gone = LIKE.model_copy(update={"status": "retracted", "valid_to": LATER})

    assert compiled([gone, AVOID], previous=back).lines == ()


def test_a_roll_back_to_what_is_said_already_makes_no_version() -> None:
    first = compiled([LIKE])
    assert rolled_back(first, first, [LIKE]) is first


def test_what_was_only_shown_leaves_the_persona_when_it_has_faded() -> None:
    shown = preference("Takes the quiet one.", "like", explicit=False, confidence=0.6)
    old = AT - timedelta(days=200)
    faded = shown.model_copy(update={"learnt_at": old, "valid_from": old})

    assert compiled([shown]).lines
    assert compiled([faded]).lines == ()
    assert compiled([faded.model_copy(update={"seen_at": AT})]).lines
    assert compiled([faded.model_copy(update={"explicit": True})]).lines


def test_what_was_only_shown_is_marked() -> None:
    (line,) = compiled([LIKE.model_copy(update={"explicit": False})]).lines

    assert "behaviour" in line.text
