from collections import Counter
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.memory.retrieval import timing
from habitus.memory.retrieval.timing import nearness, spans, timeless
from tests.strategies import bounded, instants, sayings

# A Wednesday.
AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What did I buy two weeks ago?", date(2026, 5, 6), date(2026, 5, 6)),
        ("What did I buy 10 days ago?", date(2026, 5, 10), date(2026, 5, 10)),
        ("Whom did I meet a couple of days ago?", date(2026, 5, 18), date(2026, 5, 18)),
        ("What did I cook yesterday?", date(2026, 5, 19), date(2026, 5, 19)),
        ("Whom did I meet last Friday?", date(2026, 5, 15), date(2026, 5, 15)),
        ("Whom did I meet last Wednesday?", date(2026, 5, 13), date(2026, 5, 13)),
        ("Which bike did I repair last weekend?", date(2026, 5, 16), date(2026, 5, 17)),
        ("What happened on March 3rd?", date(2026, 3, 3), date(2026, 3, 3)),
        ("What happened on the 3rd of December?", date(2025, 12, 3), date(2025, 12, 3)),
        ("What happened on 3 December 2024?", date(2024, 12, 3), date(2024, 12, 3)),
        ("How many concerts did I go to in March?", date(2026, 3, 1), date(2026, 3, 31)),
        ("How many concerts did I go to in June?", date(2025, 6, 1), date(2025, 6, 30)),
    ],
)
def test_an_expression_points_to_days(text: str, first: date, last: date) -> None:
    [span] = spans(text, AT)
    assert (span.first, span.last) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "How many weeks ago did I move?",
        "I lived there for two weeks.",
        "May I ask you something?",
        "What is my favourite day of the week?",
        "Was I faster than in my previous year's race?",
        "What happened on February 31st?",
    ],
)
def test_durations_counts_and_nonsense_point_nowhere(text: str) -> None:
    assert spans(text, AT) == ()


def test_a_question_without_its_time_keeps_what_it_asks_for() -> None:
    assert (
        timeless("I mentioned that I joined a race two weeks ago. Which one?", AT)
        == "joined a race . Which one?"
    )
    assert timeless("Which artist did I discover last Friday?", AT) == "Which artist did I discover ?"
    assert timeless("What is my name?", AT) == "What is my name?"
    assert timeless("Yesterday", AT) == "Yesterday"


def test_nearness_falls_with_the_days_between() -> None:
    found = spans("two days ago", AT)
    at = np.array([datetime(2026, 5, day, 9, tzinfo=UTC).timestamp() for day in (18, 17, 10)])
    scores = nearness(found, at)
    assert scores[0] == 1.0
    assert 0.3 < scores[1] < 1.0
    assert scores[2] < 0.01


def test_no_expression_means_no_hint() -> None:
    assert nearness((), np.array([0.0, 1.0])).tolist() == [0.0, 0.0]


@given(text=sayings(timing), at=instants())
@bounded(60)
def test_any_text_asked_at_any_time_points_to_days_in_order(text: str, at: datetime) -> None:
    found = spans(text, at)
    assert all(span.first <= span.last and span.slack > 0 and 0 < span.weight <= 1 for span in found)
    scores = nearness(found, np.array([-62_135_596_800.0, at.timestamp(), 253_402_300_799.0]))
    assert ((scores >= 0) & (scores <= 1)).all()


@given(text=sayings(timing), at=instants())
@bounded(40)
def test_what_is_no_time_stays_in_the_question(text: str, at: datetime) -> None:
    left = timeless(text, at)
    assert not Counter(left.replace(" ", "")) - Counter(text)
    assert any(map(str.isalnum, left)) or left == text


@given(st.integers(0, 999), st.sampled_from(["day", "week", "month", "year"]), instants())
@bounded(40)
def test_any_count_points_back_or_nowhere(count: int, unit: str, at: datetime) -> None:
    found = spans(f"{count} {unit}s ago", at)
    assert len(found) <= 1
    assert all(span.last <= at.date() for span in found)


@pytest.mark.parametrize("text", ["yeſterday", "sıx days ago", "laſt week", "on Frıday", "2 WEEKS ago"])
def test_letters_that_only_look_alike_break_nothing(text: str) -> None:
    assert len(spans(text, AT)) <= 1
