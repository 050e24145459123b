"""What the user takes back and sets right."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import Extraction, extract
from habitus.memory.records import Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


def turn(text: str, index: int = 0, role: str = "user") -> Turn:
    return Turn.model_validate(
        {
            "id": f"t{index}",
            "user_id": "u",
            "session_id": "s",
            "index": index,
            "role": role,
            "text": text,
            "at": AT,
        }
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Forget that I like jazz.", "I like jazz"),
        ("Please forget about my nut allergy.", "my nut allergy"),
        ("I no longer avoid meat.", "I avoid meat"),
        ("I don't like sailing anymore.", "I like sailing"),
        ("I'm not vegan anymore.", "I am vegan"),
    ],
)
def test_taking_back_names_what_no_longer_holds(text: str, words: str) -> None:
    found = extract(turn(text))

    assert found.retractions == (words,)
    assert found.preferences == ()


def corrected(text: str) -> Extraction:
    request = turn("Book me a seat to Graz.", 0)
    reply = turn("Done. I booked a window seat. The train leaves at nine.", 1, "assistant")
    return extract(turn(text, 2), context=[request, reply])


def test_a_correction_holds_situation_wrong_and_right() -> None:
    (correction,) = corrected("No, I said I prefer an aisle seat.").corrections

    assert correction.situation == "Book me a seat to Graz."
    assert correction.wrong == "I booked a window seat."
    assert "aisle seat" in correction.right


def test_a_taste_told_in_a_correction_says_so() -> None:
    (preference,) = corrected("No, I said I prefer an aisle seat.").preferences

    assert (preference.target, preference.source) == ("aisle seat", "correction")


def test_thanks_corrects_nothing() -> None:
    assert corrected("No problem, thanks!").corrections == ()
