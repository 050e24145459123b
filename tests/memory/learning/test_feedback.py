"""From feedback to preferences and corrections."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import merge
from habitus.memory.learning.feedback import FeedbackEffect, apply_feedback
from habitus.memory.learning.implicit import implicit_feedback
from habitus.memory.learning.tastes import wishes_of
from habitus.memory.records import Choice, Edit, Feedback, Preference, Turn
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2025, 3, 1, tzinfo=UTC)
REQUEST = Turn(
    id="t0", user_id="u", session_id="s", index=0, role="user", text="What shall I cook tonight?", at=AT
)
LONG = "You could roast a chicken with lemon. " * 12
REPLY = Turn(id="t1", user_id="u", session_id="s", index=1, role="assistant", text=LONG, at=AT)


def feedback(**what: object) -> Feedback:
    return Feedback.model_validate({"id": "f1", "user_id": "u", "turn_id": "t1", "at": AT} | what)


def effect(*, stored: tuple[Preference, ...] = (), **what: object) -> FeedbackEffect:
    return apply_feedback(feedback(**what), REPLY, REQUEST, stored=stored, at=AT)


def styles(found: FeedbackEffect) -> set[tuple[str, str, str]]:
    """What is believed of the form of replies, as preferences would say it."""
    return {(p.topic, p.target, p.stance) for p, _ in wishes_of("u", found.beliefs)}


def stored(*, explicit: bool) -> Preference:
    return Preference(
        user_id="u",
        statement="I like chicken.",
        topic="chicken",
        target="chicken",
        stance="like",
        explicit=explicit,
        confidence=0.6,
        valid_from=AT,
        learnt_at=AT,
    )


@pytest.mark.parametrize(
    ("comment", "topic", "target"),
    [
        ("Way too long.", "style.length", "short replies"),
        ("That is too vague.", "style.length", "detailed replies"),
        ("Too formal for me.", "style.tone", "casual"),
        ("Too many emojis.", "style.format", "emojis"),
        ("Too technical.", "style.wording", "plain language"),
    ],
)
def test_a_complaint_about_the_form_becomes_a_style_preference(comment: str, topic: str, target: str) -> None:
    (found,) = effect(comment=comment).preferences

    assert (found.topic, found.target, found.source) == (topic, target, "correction")


def test_a_comment_may_state_a_taste_and_a_correction() -> None:
    found = effect(comment="I told you I don't eat chicken.")

    assert ("avoid", "chicken") in {(p.stance, p.target) for p in found.preferences}
    (correction,) = found.corrections
    assert correction.situation == REQUEST.text
    assert "chicken" in correction.wrong


@pytest.mark.parametrize("rating", [-1.0, 1.0])
def test_a_rating_never_moves_what_was_said(rating: float) -> None:
    found = effect(rating=rating, stored=(stored(explicit=True),))

    assert (found.preferences, found.nudges, styles(found)) == ((), {}, set())


def test_a_rating_nudges_what_was_only_inferred() -> None:
    known = stored(explicit=False)
    up = effect(rating=1.0, stored=(known,)).nudges[known.id]
    down = effect(rating=-1.0, stored=(known,)).nudges[known.id]

    assert down < 0 < up <= 0.05 + 1e-9


def test_an_edit_bears_out_or_speaks_against_an_inferred_taste() -> None:
    known = stored(explicit=False)
    taken_out = effect(edit=Edit(before="Boil a chicken.", after="Boil some rice."), stored=(known,)).nudges
    put_in = effect(edit=Edit(before="Boil rice.", after="Boil a chicken."), stored=(known,)).nudges

    assert taken_out[known.id] < 0 < put_in[known.id]


def test_what_goes_with_most_of_the_text_was_not_objected_to() -> None:
    cut = effect(edit=Edit(before=LONG, after="Boil some rice."), stored=(stored(explicit=False),))

    assert cut.nudges == {}


def test_an_edit_shows_the_taste_behind_it() -> None:
    before = "# Plan\n\n- Roast the chicken slowly for two hours with butter 🙂\n- Boil potatoes\n" + LONG
    found = effect(edit=Edit(before=before, after="Roast the chicken, boil potatoes."))

    assert {
        ("style.length", "short replies", "require"),
        ("style.format", "bullet points", "avoid"),
        ("style.format", "emojis", "avoid"),
    } <= styles(found)
    assert found.preferences == ()
    assert found.corrections[0].right == "Roast the chicken, boil potatoes."


def test_an_edit_tells_numbered_lists_from_bullets() -> None:
    found = effect(edit=Edit(before="1. Rice\n2. Beans\n", after="Rice and beans."))

    assert styles(found) == {("style.format", "numbered lists", "avoid")}


def test_a_complaint_repeats_a_wish_without_taking_its_words() -> None:
    wish = extract(REQUEST.model_copy(update={"text": "Please keep your answers short."})).preferences
    complaint = effect(comment="That was too long.").preferences
    known = {p.id: p for p in merge([], wish, encoder=HashingEncoder(), at=AT)}
    known |= {p.id: p for p in merge(list(known.values()), complaint, encoder=HashingEncoder(), at=AT)}

    (only,) = known.values()
    assert only.statement == "Please keep your answers short."
    assert len(only.evidence) == 2


def test_a_choice_counts_only_what_holds_against_every_loser() -> None:
    winner = "Roast it."
    found = effect(choice=Choice(winner=winner, losers=(LONG, LONG + "- with rice\n")))
    other = effect(choice=Choice(winner=winner, losers=(LONG, "Boil it.")))

    assert styles(found) == {("style.length", "short replies", "require")}
    assert styles(other) == set()


@pytest.mark.parametrize("text", ["Perfect, thanks!", "That's exactly what I needed.", "Excellent!"])
def test_praise_is_a_good_rating(text: str) -> None:
    found = implicit_feedback(REQUEST.model_copy(update={"id": "t2", "text": text}), REPLY)

    assert found is not None and found.rating is not None and found.rating > 0
    assert found.turn_id == "t1"


@pytest.mark.parametrize(
    "text", ["Too long.", "I told you I don't eat meat.", "No, that's wrong.", "You forgot my allergy."]
)
def test_blame_is_a_comment_in_the_users_words(text: str) -> None:
    found = implicit_feedback(REQUEST.model_copy(update={"id": "t2", "text": text}), REPLY)

    assert found is not None and found.comment == text


@pytest.mark.parametrize(
    "text", ["And for tomorrow?", "What is the perfect temperature?", "My commute is long."]
)
def test_an_ordinary_turn_is_no_feedback(text: str) -> None:
    assert implicit_feedback(REQUEST.model_copy(update={"id": "t2", "text": text}), REPLY) is None


def test_words_read_as_feedback_and_as_a_statement_count_once() -> None:
    turn = REQUEST.model_copy(update={"id": "t2", "index": 2, "text": "I told you I don't eat chicken."})
    found = implicit_feedback(turn, REPLY)
    assert found is not None
    stated = extract(turn, context=[REQUEST, REPLY]).preferences

    known = {p.id: p for p in merge([], stated, encoder=HashingEncoder(), at=AT)}
    learnt = apply_feedback(found, REPLY, REQUEST, stored=list(known.values()), at=AT).preferences
    known |= {p.id: p for p in merge(list(known.values()), learnt, encoder=HashingEncoder(), at=AT)}

    (only,) = known.values()
    assert len(only.evidence) == 1
    assert only.confidence == stated[0].confidence


def test_a_second_rating_of_a_reply_takes_the_place_of_the_first() -> None:
    known = stored(explicit=False)
    first = feedback(rating=1.0).model_copy(update={"id": "f0", "nudged": {known.id: 0.05}})

    def again(rating: float) -> dict[str, float]:
        found = apply_feedback(
            feedback(rating=rating), REPLY, REQUEST, earlier=[first], stored=[known], at=AT
        )
        return {one: round(by, 6) for one, by in found.nudges.items()}

    assert again(1.0).get(known.id, 0.0) == 0.0
    assert again(-1.0) == {known.id: -0.1}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("It isnt far to the harbour. Dont miss it.", "It isn't far to the harbour. Don't miss it."),
        ("Boil a chickn with lemon.", "Boil a chicken with lemon."),
    ],
)
def test_putting_the_spelling_right_is_no_taste(before: str, after: str) -> None:
    found = effect(edit=Edit(before=before, after=after), stored=(stored(explicit=False),))

    assert (styles(found), found.nudges, found.corrections, found.understood) == (set(), {}, (), ())
    assert found.weights is None
    assert "spelling only" in found.reason


def test_a_digit_put_right_is_remembered() -> None:
    (correction,) = effect(edit=Edit(before="It opens at 8.", after="It opens at 9.")).corrections

    assert correction.right == "It opens at 9."


def test_a_comment_says_what_of_it_was_understood_and_what_not() -> None:
    found = effect(
        comment="Way too long. Und bitte nicht mit der ganzen Geschichte, das ist nichts für mich."
    )

    assert found.understood == ("I want short replies.",)
    assert found.not_understood == ("Und bitte nicht mit der ganzen Geschichte, das ist nichts für mich.",)
    assert "German" in found.reason
    assert found.not_understood[0][:40] in found.reason


def test_a_comment_that_is_understood_leaves_nothing_over() -> None:
    for comment in (
        "Perfect, thanks!",
        "Way too long.",
        "I told you I don't eat chicken.",
        "Stop doing that.",
    ):
        assert effect(comment=comment).not_understood == ()


def test_a_wish_on_the_form_given_as_a_comment_holds_at_once() -> None:
    (found,) = effect(comment="Please add emojis.").preferences

    assert (found.topic, found.target, found.stance) == ("style.format", "emojis", "require")
    assert found.confidence >= 0.5, "less sure ones wait to be confirmed"


@pytest.mark.parametrize(
    ("comment", "target", "stance"),
    [
        ("Please add a closing phrase.", "closing phrases", "require"),
        ("Please, no closing phrase.", "closing phrases", "avoid"),
        ("A greeting is missing.", "greetings", "require"),
        ("No follow-up question, please.", "follow-up questions", "avoid"),
    ],
)
def test_one_of_a_kind_names_the_trait_as_many_do(comment: str, target: str, stance: str) -> None:
    found = effect(comment=comment).preferences

    assert [(p.topic, p.stance) for p in found] == [("style.content", stance)]
    assert found[0].target.rstrip("s") == target.rstrip("s")


FORMAL = "It is advisable to boil the rice. Furthermore, one cannot do without salt."


@pytest.mark.parametrize(
    ("reply", "wanted"), [(FORMAL, ("formal", "avoid")), ("Boil the rice.", ("casual", "require"))]
)
def test_too_formal_asks_for_less_than_the_reply_had(reply: str, wanted: tuple[str, str]) -> None:
    turn = REPLY.model_copy(update={"text": reply})
    found = apply_feedback(feedback(comment="That is too formal."), turn, REQUEST, stored=(), at=AT)

    assert [(p.target, p.stance) for p in found.preferences] == [wanted]


def test_another_kind_of_list_is_wanted_in_place_of_the_one_there_is() -> None:
    turn = REPLY.model_copy(update={"text": "- Rice\n- Beans\n"})
    found = apply_feedback(feedback(comment="Please use numbered lists."), turn, REQUEST, stored=(), at=AT)

    assert {(p.target, p.stance) for p in found.preferences} == {
        ("numbered lists", "require"),
        ("bullet points", "avoid"),
    }


@pytest.mark.parametrize(
    "given",
    [
        feedback(comment="Way too long, and too many emojis."),
        feedback(edit=Edit(before="1. Rice 🙂\n2. Beans 🎉\n" + LONG, after="Rice and beans.")),
    ],
)
def test_what_feedback_changed_is_listed_without_full_stops_in_between(given: Feedback) -> None:
    found = apply_feedback(given, REPLY, REQUEST, stored=(), at=AT)
    assert "; " in found.reason
    assert ".;" not in found.reason + found.cause
    assert ".)" not in found.reason + found.cause
