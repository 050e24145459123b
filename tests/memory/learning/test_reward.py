"""How well a reply honours what a user prefers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.learning.reward import Reward, personal_rewards, rewards
from habitus.memory.records import Preference, RewardWeights, Turn
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


def known(text: str) -> tuple[Preference, ...]:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    found = extract(turn).preferences
    assert found
    return found


def of(said: str, *replies: str, request: str = "") -> list[Reward]:
    return rewards(known(said), replies, encoder=HashingEncoder(), request=request)


@pytest.mark.parametrize(
    ("said", "honouring", "crossing"),
    [
        ("I like brass bands.", "A concert of brass bands in the park.", "A poetry reading in the park."),
        ("I can't stand brass bands.", "A poetry reading in the park.", "A concert of brass bands."),
        ("I avoid walnuts.", "A salad without walnuts.", "A salad with walnuts."),
        ("I avoid walnuts.", "A walnut-free salad.", "A walnut salad."),
        ("I'm allergic to walnuts, almonds or hazelnuts.", "A lemon tart.", "A tart with hazelnuts."),
        ("I prefer ferries over planes.", "Take the ferries.", "Take one of the planes."),
        ("I always need step-free access.", "It has step-free access.", "It has no step-free access."),
        ("I like pineapples.", "A pizza with pineapples.", "A pizza, but skip the pineapples."),
    ],
)
def test_what_honours_a_preference_is_worth_more(said: str, honouring: str, crossing: str) -> None:
    good, bad = of(said, honouring, crossing)

    assert good.score > bad.score


def test_the_reward_says_what_is_honoured_and_what_is_crossed() -> None:
    safe, risky = of("I avoid walnuts.", "A salad without walnuts.", "Walnuts!")

    assert (safe.honours, safe.violates) == (("walnuts",), ())
    assert (risky.honours, risky.violates) == ((), ("walnuts",))
    assert -1.0 <= risky.score < 0.0 < safe.score <= 1.0


def test_one_bad_sentence_in_a_long_reply_counts() -> None:
    padding = "The museum opens at nine. It is close to the river. "
    clean, tainted = of("I avoid walnuts.", padding * 3, padding * 3 + "Order the walnuts there.")

    assert tainted.score < clean.score


def test_words_of_the_request_tell_no_reply_from_another() -> None:
    bakery, library = of(
        "I dislike noisy shops.",
        "A noisy bakery.",
        "Quiet shops near the library.",
        request="Which shops are there?",
    )

    assert bakery.score < library.score


def test_a_severe_need_outweighs_a_mild_liking() -> None:
    preferences = [*known("I'm severely allergic to walnuts."), *known("I somewhat like salads.")]
    risky, plain = rewards(
        preferences, ["A salads plate with walnuts.", "A bowl of soup."], encoder=HashingEncoder()
    )

    assert risky.score < plain.score


def test_what_does_not_hold_any_more_and_styles_do_not_count() -> None:
    (old,) = known("I avoid walnuts.")
    preferences = [old.model_copy(update={"status": "retracted"}), *known("Keep your answers short.")]

    assert rewards(preferences, ["Walnuts."], encoder=HashingEncoder()) == [Reward(score=0.0)]


def test_an_empty_reply_and_no_replies_are_no_errors() -> None:
    (only,) = of("I avoid walnuts.", "   ")

    assert only.score == 0.0
    assert of("I avoid walnuts.") == []


def test_the_form_counts_beside_the_content() -> None:
    style = Preference(
        user_id="u",
        statement="I do not want bullet points.",
        topic="style.format",
        target="bullet points",
        stance="avoid",
        valid_from=AT,
        learnt_at=AT,
    )
    listed, plain = personal_rewards(
        [style], ["- Figs\n- Plums", "Figs and plums."], encoder=HashingEncoder()
    )
    assert (listed.score, plain.score) == (-1.0, 1.0)
    assert listed.violates == plain.honours == ("I do not want bullet points.",)


def test_learnt_weights_rank_what_no_preference_tells_apart() -> None:
    weights = RewardWeights(user_id="u", made_at=AT, values={"emojis": -1.0}, n_comparisons=4)
    smiling, plain = personal_rewards([], ["Figs 🙂", "Figs"], encoder=HashingEncoder(), weights=weights)
    assert smiling.score < 0 < plain.score
    unknown = personal_rewards([], ["Figs 🙂", "Figs"], encoder=HashingEncoder())
    assert [one.score for one in unknown] == [0.0, 0.0]
