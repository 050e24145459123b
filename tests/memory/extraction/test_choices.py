"""A choice among offered options shows a preference: what was taken, what was left, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.extraction import extract
from habitus.memory.records import Preference, Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)
OFFER = (
    "Here are some ideas for the evening:\n"
    "1. A lively samba bar with live drums.\n"
    "2. A quiet chess cafe near the river.\n"
    "3. A lively street market with live bands."
)


def chosen(text: str, offer: str = OFFER) -> list[Preference]:
    reply = Turn(id="t0", user_id="u", session_id="s", index=0, role="assistant", text=offer, at=AT)
    turn = Turn(
        id="t1", user_id="u", session_id="s", index=1, role="user", text=text, at=AT + timedelta(minutes=1)
    )
    found = [p for p in extract(turn, context=[reply]).preferences if p.source == "choice"]
    for preference in found:
        assert preference.evidence[0].quote in text
        assert preference.evidence[0].turn_id == "t1"
    return found


@pytest.mark.parametrize(
    "text",
    [
        "I'll go with the quiet one, the others are too lively.",
        "I think I'll take option 2. The other options are too lively for me.",
        "The second one sounds lovely. The rest are too lively.",
        "Let's do the chess cafe. The lively places don't appeal to me.",
        "The chess cafe sounds perfect. The others seem too lively.",
    ],
)
def test_a_choice_with_its_reason_is_an_implicit_preference(text: str) -> None:
    found = chosen(text)
    liked = next(p for p in found if p.stance == "like")

    assert not liked.explicit
    assert "chess cafe" in liked.target
    assert "samba bar" in liked.statement and "street market" in liked.statement
    assert "too lively" in liked.statement or "don't appeal" in liked.statement


def test_what_the_rejected_options_share_is_disliked() -> None:
    found = chosen("I'll go with option 2. The other options don't appeal to me.")
    disliked = next(p for p in found if p.stance == "dislike")

    assert "lively" in disliked.target


def test_without_options_there_is_no_choice() -> None:
    assert chosen("I'll go with the quiet one.", offer="Paris is the capital of France.") == []


@pytest.mark.parametrize(
    "text", ["Which one is cheapest?", "Tell me more about the first one.", "I like all of them."]
)
def test_asking_about_options_is_not_choosing(text: str) -> None:
    assert chosen(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The chess cafe would be perfect for him, he finds the others too lively.",
        "The chess cafe sounds nice, but I'm not sure it is open.",
        "I'll go with the chess cafe.",
    ],
)
def test_a_choice_for_others_a_doubt_or_no_reason_shows_no_taste(text: str) -> None:
    assert chosen(text) == []


def test_options_may_be_told_in_a_sentence() -> None:
    offer = "You could visit the harbour by boat, climb the old tower, or rest in the botanical garden."
    liked = next(
        p
        for p in chosen("I'll take the botanical garden, the others are too tiring.", offer)
        if p.stance == "like"
    )

    assert "botanical garden" in liked.target
    assert "old tower" in liked.statement
