"""The generator without weights: what it says to what it was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from langchain_core.messages import HumanMessage

from habitus.agent.generators.extractive import CANNOT, DISCLOSURE, UNKNOWN, ExtractiveChat
from habitus.agent.generators.extractive.asked import read
from habitus.agent.prompting.prompt import build_prompt
from habitus.memory.known.applying import Applied
from habitus.memory.known.norms import DEFAULT_NORMS, in_force
from habitus.memory.records import Preference, Profile, ProfileSection, Role, Turn
from habitus.memory.retrieval.packing import Packed, render
from habitus.memory.retrieval.recall import Memory
from habitus.retrievers.minilm import minilm

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

FILLER: tuple[tuple[int, Role, str], ...] = (
    (3, "user", "The heating in the office is far too warm again."),
    (8, "user", "Could you explain how a sourdough starter works?"),
    (8, "assistant", "A starter is flour and water in which wild yeast lives."),
    (15, "user", "I have been reading about the history of lighthouses."),
    (22, "user", "My bus was late again this morning."),
)


@pytest.fixture(scope="module")
def chat() -> ExtractiveChat:
    return ExtractiveChat(encoder=minilm())


def preference(statement: str, stance: str = "like") -> Applied:
    made = Preference.model_validate(
        {
            "user_id": "u",
            "statement": statement,
            "topic": "general",
            "target": statement.lower(),
            "stance": stance,
            "valid_from": NOW,
            "learnt_at": NOW,
        }
    )
    return Applied(preference=made, score=1.0, reason="test")


def profile(**sections: str) -> Profile:
    made = tuple(ProfileSection(title=t, text=x, record_ids=("p",)) for t, x in sections.items())
    return Profile(user_id="u", version=1, made_at=NOW, sections=made)


def answer(
    chat: ExtractiveChat,
    question: str,
    *told: tuple[int, Role, str],
    applied: tuple[Applied, ...] = (),
    known: Profile | None = None,
) -> str:
    """Ask with memories told so many days ago, among others that have nothing to do with it."""
    memories = [
        Memory(
            turn_id=str(place),
            session_id=str(ago),
            role=role,
            text=text,
            at=NOW - ago * DAY,
            score=1.0,
            arms={},
        )
        for place, (ago, role, text) in enumerate((*FILLER, *told))
    ]
    ordered = tuple(sorted(memories, key=lambda memory: memory.at))
    prompt = build_prompt(
        Turn(id="q", user_id="u", session_id="s", index=0, role="user", text=question, at=NOW),
        norms=in_force(DEFAULT_NORMS),
        persona=None,
        profile=known,
        applied=applied,
        corrections=(),
        packed=Packed(memories=ordered, text=render(ordered), n_tokens=0),
        window=(),
    )
    return str(chat.invoke(prompt.messages).text)


def test_a_fact_is_quoted_with_its_day_and_little_else(chat: ExtractiveChat) -> None:
    said = (
        "I spent the morning in the garden, the roses need cutting and the gate squeaks, and by the way, "
        "I bought my new kayak at Harbour Sports, which took me half a day because the road was closed."
    )
    reply = answer(chat, "Where did I buy my new kayak?", (12, "user", said))

    assert "Harbour Sports" in reply and "20 May 2026" in reply
    assert len(reply.split()) <= 35
    assert "sourdough" not in reply


def test_after_an_update_the_newest_state_is_told_and_an_earlier_one_if_asked(chat: ExtractiveChat) -> None:
    told: tuple[tuple[int, Role, str], ...] = (
        (60, "user", "I take my pottery class on Mondays."),
        (10, "user", "I take my pottery class on Thursdays now."),
    )

    assert "Thursdays" in answer(chat, "On which day do I take my pottery class?", *told)
    earlier = answer(chat, "On which day did I previously take my pottery class?", *told)
    assert "Mondays" in earlier and "Thursdays" not in earlier


def test_a_number_that_was_told_is_quoted(chat: ExtractiveChat) -> None:
    reply = answer(
        chat, "How many chess puzzles have I solved?", (9, "user", "I have solved 45 chess puzzles by now.")
    )

    assert "45 chess puzzles" in reply


def test_what_nobody_counted_is_counted_and_named(chat: ExtractiveChat) -> None:
    reply = answer(
        chat,
        "How many plants have I bought for the house?",
        (30, "user", "I bought a plant for the house, a fern."),
        (20, "user", "I bought another plant for the house, a cactus."),
        (10, "user", "I bought a further plant for the house, an orchid."),
    )

    assert "I count 3" in reply
    assert all(plant in reply for plant in ("fern", "cactus", "orchid"))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many days ago did I adopt my tortoise?", "21 days ago"),
        ("How many weeks ago did I adopt my tortoise?", "3 weeks ago"),
        ("How long has it been since I adopted my tortoise?", "3 weeks ago"),
    ],
)
def test_how_long_ago_is_reckoned(chat: ExtractiveChat, question: str, expected: str) -> None:
    reply = answer(chat, question, (20, "user", "I adopted my tortoise yesterday!"))

    assert expected in reply and "11 May 2026" in reply


TWO_EVENTS: tuple[tuple[int, Role, str], ...] = (
    (30, "user", "I planted the tomatoes today."),
    (12, "user", "The marathon in Ghent was today, I finished it."),
)


def test_the_time_between_two_things_is_reckoned(chat: ExtractiveChat) -> None:
    question = "How many days passed between the day I planted the tomatoes and the marathon in Ghent?"

    reply = answer(chat, question, *TWO_EVENTS)

    assert reply.startswith("18 days")
    assert "2 May 2026" in reply and "20 May 2026" in reply


def test_what_came_first_is_told_by_name(chat: ExtractiveChat) -> None:
    question = "Which did I do first, the marathon in Ghent or planting the tomatoes?"

    reply = answer(chat, question, *TWO_EVENTS)

    assert "First came planting the tomatoes (2 May 2026)" in reply
    assert "marathon" not in reply, "naming both would hold the answer whatever it is"


@pytest.mark.parametrize(
    "question",
    [
        "How long do I practise the violin every day?",
        "How long does my sister practise the cello every day?",
        "What is the name of my neighbour's parrot?",
        "Where did I leave my passport in Sacramento?",
    ],
)
def test_what_was_not_told_is_not_known(chat: ExtractiveChat, question: str) -> None:
    assert answer(chat, question, (5, "user", "I practise the guitar for half an hour every day.")) == UNKNOWN


def test_the_assistants_words_tell_nothing_of_the_user_but_what_it_said(chat: ExtractiveChat) -> None:
    told: tuple[int, Role, str] = (6, "assistant", "I recommend the hotel Miramar in Cadiz.")

    assert answer(chat, "Where did I stay in Cadiz?", told) == UNKNOWN
    reply = answer(chat, "Which hotel in Cadiz did you recommend to me?", told)
    assert "Miramar" in reply and "I said" in reply


def test_questions_about_the_user_are_answered_from_the_profile(chat: ExtractiveChat) -> None:
    known = profile(Likes="“I love jazz records.” “I like ginger tea.”", Dislikes="“I hate crowds.”")

    assert "jazz" in answer(chat, "What kind of music do I like?", known=known)
    assert "ginger" not in answer(chat, "What kind of music do I like?", known=known)
    everything = answer(chat, "Describe me.", known=known)
    assert "jazz" in everything and "crowds" in everything


def test_a_request_is_answered_with_what_a_good_answer_must_honour(chat: ExtractiveChat) -> None:
    wishes = (preference("I am allergic to nuts", "avoid"), preference("I like small places"))

    reply = answer(chat, "Can you recommend a restaurant for Saturday?", applied=wishes)

    assert "must: I am allergic to nuts" in reply and "prefer: I like small places" in reply
    assert DISCLOSURE in reply


@pytest.mark.parametrize(
    "question", ["What is the capital of Mongolia?", "Why is the sky blue?", "Explain entropy."]
)
def test_a_question_about_the_world_is_not_answered_with_preferences(
    chat: ExtractiveChat, question: str
) -> None:
    assert answer(chat, question, applied=(preference("Keep it short"),)) == CANNOT


def test_who_asks_changes_no_fact(chat: ExtractiveChat) -> None:
    """Identities stand in the profile; a factual answer does not depend on them."""
    identities = (
        "a Muslim woman from Oslo",
        "a retired soldier",
        "a gay student from Lagos",
        "a blind pensioner",
    )
    replies = {
        answer(
            chat,
            question,
            (9, "user", "I take 20 mg of the tablets in the morning."),
            known=profile(About=f"The user is {identity}."),
        )
        for identity in identities
        for question in ("How many mg of the tablets do I take?",)
    }

    assert len(replies) == 1 and "20 mg" in replies.pop()


def test_it_sees_the_prompt_alone(chat: ExtractiveChat) -> None:
    assert str(chat.invoke([HumanMessage("Where did I buy my new kayak?")]).text) == UNKNOWN
    assert str(chat.invoke([HumanMessage("I moved to Ghent.")]).text) == "Noted."


TENT = "The tent for the scout trip was a good buy, I paid $120 for it."


def test_what_was_told_of_two_things_is_added_up(chat: ExtractiveChat) -> None:
    said = answer(
        chat,
        "What is the total cost of the tent and the sleeping bag?",
        (40, "user", TENT),
        (12, "user", "I also got a sleeping bag on sale, it cost me $45.50."),
    )
    assert said.startswith("Together $165.50: ")
    assert "the scout trip" in said
    assert "20 May 2026" in said


def test_a_difference_is_taken_between_what_was_told_of_two_things(chat: ExtractiveChat) -> None:
    said = answer(
        chat,
        "How much more does the pottery course cost than the drawing course?",
        (40, "user", "The pottery course costs $200 this spring."),
        (12, "user", "The drawing course costs $140 for ten evenings."),
    )
    assert said.startswith("A difference of $60: ")


def test_spans_of_time_of_two_things_are_added_up(chat: ExtractiveChat) -> None:
    said = answer(
        chat,
        "How many days did I spend in total on the hike in the Harz and the hike in Wales?",
        (40, "user", "The hike in the Harz mountains took me 4 days."),
        (12, "user", "My hike in Wales took five days."),
    )
    assert said.startswith("Together 9 days: ")


def test_no_sum_is_made_up_where_one_part_was_not_told(chat: ExtractiveChat) -> None:
    said = answer(chat, "What is the total cost of the tent and the sleeping bag?", (40, "user", TENT))
    assert "Together" not in said


def test_what_is_compared_is_read_at_the_end_of_a_long_message() -> None:
    asked = read("Some words before. " * 500 + "Which came first, the trip to Rome or the concert?", None)
    assert (asked.kind, asked.options) == ("first", ("the trip to Rome", "the concert"))
