"""Explicit statements: what was said becomes a record with the right stance, target and quotation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.records import Preference, Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


def told(text: str, *, role: str = "user") -> Turn:
    return Turn.model_validate(
        {"id": "t1", "user_id": "u", "session_id": "s", "index": 0, "role": role, "text": text, "at": AT}
    )


def tastes(text: str) -> list[Preference]:
    found = list(extract(told(text)).preferences)
    for preference in found:
        for evidence in preference.evidence:
            assert evidence.quote in text
    return found


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("I really like brass bands.", "like", "brass bands"),
        ("I dislike crowded trams.", "dislike", "crowded trams"),
        ("I don't care for perfumed candles.", "dislike", "perfumed candles"),
        ("I’m not a big fan of audio guides.", "dislike", "audio guides"),
        ("I can't stand open-plan offices.", "dislike", "open-plan offices"),
        ("I am allergic to penicillin.", "avoid", "penicillin"),
        ("I have a severe soy allergy.", "avoid", "soy"),
        ("I never wear wool.", "avoid", "wool"),
        ("I refuse to use plastic bottles.", "avoid", "plastic bottles"),
        ("I always need step-free access.", "require", "step-free access"),
        ("I only drink decaf.", "require", "decaf"),
        ("I follow a strict low-iodine diet.", "require", "strict low-iodine diet"),
        ("I'd rather not share a room.", "dislike", "share a room"),
        ("I prefer not to sit by the window.", "dislike", "sit by the window"),
        ("I prefer aisle seats over window seats.", "like", "aisle seats"),
        ("I've never liked ice skating.", "dislike", "ice skating"),
        ("I find escalators unsettling.", "dislike", "escalators"),
        ("I find night markets very tiring.", "dislike", "night markets"),
        ("Strobe lights make me dizzy.", "dislike", "strobe lights"),
        ("Cold calls drive me crazy.", "dislike", "cold calls"),
        ("Karaoke isn't my thing.", "dislike", "karaoke"),
        ("Smoking rooms are a deal-breaker for me.", "avoid", "smoking rooms"),
        ("My favourite season is late autumn.", "like", "late autumn"),
        ("I learn best by drawing diagrams.", "like", "drawing diagrams"),
        ("I don't mind early starts.", "neutral", "early starts"),
        ("I need complete darkness to sleep.", "require", "complete darkness to sleep"),
        ("I am easily distracted by ringing phones.", "dislike", "ringing phones"),
        ("I've sworn off energy drinks.", "avoid", "energy drinks"),
        ("I'm not comfortable sharing a cabin.", "dislike", "sharing a cabin"),
        ("I'm more of a lake person.", "like", "lake"),
        ("I wouldn't be caught dead in a limousine.", "avoid", "limousine"),
        ("I don't smoke.", "avoid", "smoke"),
        ("Can't stand fennel.", "dislike", "fennel"),
        ("Love crossword puzzles!", "like", "crossword puzzles"),
        ("Allergic to wasps.", "avoid", "wasps"),
        ("Not a fan of parades.", "dislike", "parades"),
        ("I hate it when the music is loud.", "dislike", "music is loud"),
        ("I adore the opera house in Oslo.", "like", "opera house in oslo"),
        ("Escalators are out for me.", "avoid", "escalators"),
        ("As a lifelong vegetarian, I plan ahead.", "require", "vegetarian"),
        ("I don't like any kind of seafood.", "dislike", "seafood"),
        ("I don't like any board games.", "dislike", "board games"),
        ("I use a wheelchair.", "require", "wheelchair"),
        ("I'm in a wheelchair, which museums are easy?", "require", "wheelchair"),
        ("I'm deaf in one ear.", "require", "deaf"),
        ("I need a step-free flat.", "require", "step-free flat"),
        ("I need a wheelchair accessible entrance.", "require", "wheelchair accessible entrance"),
        ("I get seasick on ferries so trains please.", "dislike", "ferries"),
        ("I can't stand parsnips so leave them out.", "dislike", "parsnips"),
        ("I hate loud bars so a quiet pub please.", "dislike", "loud bars"),
        ("Turns out I'm allergic to almonds, not peanuts.", "avoid", "almonds"),
        ("As I said, I hate Mondays.", "dislike", "mondays"),
    ],
)
def test_a_statement_in_any_wording_becomes_one_record(text: str, stance: str, target: str) -> None:
    found = tastes(text)

    assert [(p.stance, p.target) for p in found] == [(stance, target)]
    assert found[0].explicit
    assert found[0].status == "active"
    assert found[0].valid_from == AT


def test_several_tastes_in_one_turn_become_several_records() -> None:
    found = tastes(
        "I love rowing and hate treadmills. Also, I avoid caffeine after lunch because it keeps me up."
    )

    assert {(p.stance, p.target) for p in found} == {
        ("like", "rowing"),
        ("dislike", "treadmills"),
        ("avoid", "caffeine"),
    }


def test_a_taste_in_passing_is_found_inside_a_request() -> None:
    found = tastes("As someone who avoids elevators, which tower should I visit in Pisa?")

    assert [(p.stance, p.target) for p in found] == [("avoid", "elevators")]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("Do you know anything that is not salty?", "salty"),
        ("Can you suggest a few outings that don't involve climbing?", "climbing"),
        ("Any ideas for somewhere without loud music?", "loud music"),
    ],
)
def test_what_a_question_rules_out_is_a_hint_not_a_statement(text: str, target: str) -> None:
    (found,) = tastes(text)

    assert (found.stance, found.target) == ("avoid", target)
    assert not found.explicit
    assert found.confidence < 0.5


def test_a_refusal_beside_an_order_is_a_hint() -> None:
    (found,) = tastes("No olives for me, please.")

    assert (found.stance, found.target, found.status) == ("avoid", "olives", "active")
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    "text",
    [
        "I'd like to avoid scheduling it on Friday.",
        "I'd rather take the early bus.",
        "I'm not interested in shopping today.",
        "I don't want to miss my train because of the traffic.",
    ],
)
def test_a_wish_for_once_is_surer_of_nothing_lasting(text: str) -> None:
    assert all(found.confidence < 0.5 or found.valid_to is not None for found in tastes(text))


@pytest.mark.parametrize(
    "text",
    [
        "I love the restaurants in Paris that you listed.",
        "I love it when you explain it like that.",
        "Tickets are sold out for this evening.",
    ],
)
def test_a_reaction_to_a_reply_is_no_taste(text: str) -> None:
    assert tastes(text) == []


def test_a_difficulty_is_a_hint_of_a_taste_at_most() -> None:
    assert tastes("I struggle with finding time to read.") == []
    (found,) = tastes("I struggle with loud open offices.")
    assert found.confidence < 0.5


def test_a_condition_becomes_the_scope() -> None:
    (found,) = tastes("When I travel with my kids, I prefer ground-floor rooms.")
    assert found.target == "ground-floor rooms"
    assert found.scope is not None and "travel" in found.scope

    (found,) = tastes("I avoid phone calls at work.")
    assert (found.target, found.scope) == ("phone calls", "at work")


def test_an_exception_narrows_the_statement() -> None:
    (found,) = tastes("I never drink alcohol except on holidays.")

    assert (found.stance, found.target, found.scope) == ("avoid", "alcohol", "except on holidays")


def test_strength_follows_the_words() -> None:
    (mild,) = tastes("I somewhat dislike puns.")
    (firm,) = tastes("I absolutely dislike puns.")

    assert mild.strength < firm.strength


def test_a_habit_is_implicit_a_statement_explicit() -> None:
    (habit,) = tastes("I usually choose the slow train.")

    assert (habit.stance, habit.target, habit.explicit, habit.source) == (
        "like",
        "the slow train".removeprefix("the "),
        False,
        "behaviour",
    )


def test_the_same_turn_yields_the_same_records() -> None:
    turn = told("I love marzipan. I never eat liver.")

    assert extract(turn) == extract(turn)


def test_the_statement_keeps_the_reason_and_drops_the_lead_in() -> None:
    (found,) = tastes("By the way, I avoid night buses because I get lost.")

    assert found.statement == "I avoid night buses because I get lost."


@pytest.mark.parametrize(
    ("text", "stance", "scope"),
    [
        ("I like ferries, but not at work.", "like", "except at work"),
        ("I love ferries, just not when I travel.", "like", "except when I travel"),
        ("On holidays I really enjoy ferries.", "like", "on holidays"),
        ("When I travel I really enjoy ferries.", "like", "when I travel"),
        ("By the way, with my kids I avoid ferries.", "avoid", "with my kids"),
    ],
)
def test_where_a_taste_holds_and_where_it_does_not(text: str, stance: str, scope: str) -> None:
    (found,) = tastes(text)

    assert (found.stance, found.target, found.scope) == (stance, "ferries", scope)


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("I've really come to enjoy ferries.", "like"),
        ("I've grown fond of ferries.", "like"),
        ("Turns out I like ferries after all.", "like"),
        ("I like ferries again.", "like"),
        ("I've gone off ferries.", "dislike"),
        ("I've had enough of ferries.", "dislike"),
        ("I could do without ferries.", "dislike"),
    ],
)
def test_a_taste_that_came_or_went_is_the_taste_of_now(text: str, stance: str) -> None:
    assert [(p.stance, p.target, p.scope) for p in tastes(text)] == [(stance, "ferries", None)]


@pytest.mark.parametrize(
    ("text", "statement", "scope"),
    [
        (
            "When I travel for work I prefer the night train.",
            "When I travel for work, I prefer the night train.",
            "when I travel for work",
        ),
        (
            "Nice weather! When we have guests I love cooking stews.",
            "When we have guests, I love cooking stews.",
            "when we have guests",
        ),
    ],
)
def test_a_condition_in_front_needs_no_comma(text: str, statement: str, scope: str) -> None:
    [preference] = tastes(text)
    assert (preference.statement, preference.scope) == (statement, scope)


def test_what_is_only_reported_is_not_parted_from_its_report() -> None:
    assert [one.scope for one in tastes("When I say I love you, I mean it.")] in ([], [None])


def test_preferences_of_one_message_stand_in_the_order_of_its_text() -> None:
    text = (
        "Please keep your answers short. I love hiking, but I can't stand camping. My favourite drink is "
        "mint tea. I never fly. I'm allergic to bees, and I prefer window seats to aisle seats."
    )
    found = tastes(text)
    assert [p.target for p in found] == [
        "short replies",
        "hiking",
        "camping",
        "mint tea",
        "fly",
        "bees",
        "window seats",
    ]
    assert [p.id for p in found] == sorted(p.id for p in found), "stores sort what is equally old by id"


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("I like neither techno nor house.", "dislike", "techno or house"),
        ("I drink neither beer nor wine.", "avoid", "beer or wine"),
        ("I'd rather starve than eat tripe.", "avoid", "tripe"),
        ("I can eat anything except olives.", "avoid", "olives"),
        ("I eat everything but mushrooms.", "avoid", "mushrooms"),
        ("I'll eat anything as long as it's not liver.", "avoid", "liver"),
        ("I'm pure veg.", "require", "pure veg"),
    ],
)
def test_what_is_left_out_is_no_liking(text: str, stance: str, target: str) -> None:
    [found] = tastes(text)
    assert (found.stance, found.target) == (stance, target)
    assert found.confidence >= 0.5


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("I am having allergy of peanuts.", "avoid", "peanuts"),
        ("im allergic to peanuts", "avoid", "peanuts"),
        ("I am not liking spicy food much.", "dislike", "spicy food"),
        ("cant stand noisy bars", "dislike", "noisy bars"),
        ("im vegan btw", "require", "vegan"),
    ],
)
def test_english_of_the_world_and_of_quick_fingers_is_read(text: str, stance: str, target: str) -> None:
    [found] = tastes(text)
    assert (found.stance, found.target) == (stance, target)


def test_a_statement_holds_no_words_about_the_telling_and_none_of_others_tastes() -> None:
    [said] = tastes("As I said before, I don't eat meat.")
    assert said.statement == "I don't eat meat."
    [mine] = tastes("We love hiking but my husband prefers the beach.")
    assert mine.statement == "We love hiking."


@pytest.mark.parametrize(
    "text", ["I like neither of those.", "I like everything about it.", "I'd do anything but that."]
)
def test_what_only_points_back_is_no_taste(text: str) -> None:
    assert tastes(text) == []
