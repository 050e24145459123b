from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.extraction import extract
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.extraction.outcome import make_preference, record_id
from habitus.memory.extraction.second_reading import DOUBTED, HELD, confirmed, doubted, reconcile
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.records import Evidence, Fact, Preference, Stance, Turn
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def said(text: str, *, day: int = 0) -> Turn:
    return Turn(
        id=f"t{day}", user_id="maya", session_id="s", index=day, role="user", text=text, at=AT + day * DAY
    )


def noted(
    turn: Turn, quote: str, target: str, stance: Stance, *, confidence: float = 0.6, scope: str | None = None
) -> Preference:
    return make_preference(
        turn,
        statement=f"{quote}.",
        quote=quote,
        target=target,
        stance=stance,
        strength=0.5,
        confidence=confidence,
        scope=scope,
    )


def told(turn: Turn, quote: str, attribute: str, value: str, *, subject: str = "user") -> Fact:
    return Fact(
        id=record_id(turn.id, attribute, value),
        user_id="maya",
        statement=quote,
        subject=subject,
        attribute=attribute,
        value=value,
        confidence=0.6,
        evidence=(Evidence(turn_id=turn.id, quote=quote),),
        valid_from=turn.at,
        learnt_at=turn.at,
    )


class Read:
    """What is known of Maya after the rules have read some turns."""

    def __init__(self, *turns: Turn) -> None:
        self.known = Knowledge(
            "maya", preferences=(), facts=(), persona=None, profile=None, encoder=HashingEncoder(64)
        )
        for turn in turns:
            self.known.learn(extract(turn), turn.at)

    def again(
        self,
        turn: Turn,
        preferences: Sequence[Preference] = (),
        facts: Sequence[Fact] = (),
        at: datetime | None = None,
    ) -> dict[str, int]:
        """Have a model read a turn; returns what came of it."""
        reading = ModelReading(outcome="read", preferences=tuple(preferences), facts=tuple(facts))
        return dict(reconcile(self.known, turn, extract(turn), reading, at=at or turn.at))

    @property
    def tastes(self) -> list[tuple[str, Stance, str]]:
        return [(p.target, p.stance, p.status) for p in self.known.preferences]


def test_what_both_read_is_surer_and_otherwise_as_the_rules_wrote_it() -> None:
    turn = said("I love strong coffee.")
    read = Read(turn)
    [before] = read.known.preferences
    assert read.again(turn, [noted(turn, "love strong coffee", "coffee", "require")]) == {"confirmed": 1}
    [after] = read.known.preferences
    assert after == before.model_copy(update={"confidence": confirmed(before.confidence)})
    assert after.confidence > before.confidence


def test_what_waited_for_want_of_confidence_is_active_once_both_read_it() -> None:
    turn = said("I love strong coffee.")
    [sure] = extract(turn).preferences
    unsure = sure.model_copy(update={"confidence": 0.45})
    read = Read()
    read.known.prefer([unsure], turn.at)
    assert [p.status for p in read.known.preferences] == ["pending"]
    read.again(turn, [noted(turn, "love strong coffee", "strong coffee", "like")])
    assert [(p.status, p.status_reason) for p in read.known.preferences] == [("active", None)]


def test_the_rules_stance_stands_against_a_model_but_is_less_sure() -> None:
    turn = said("I love strong coffee.")
    read = Read(turn)
    [before] = read.known.preferences
    assert read.again(turn, [noted(turn, "I love strong coffee", "strong coffee", "avoid")]) == {"doubted": 1}
    [after] = read.known.preferences
    assert (after.stance, after.status) == ("like", "active")
    assert after.confidence == doubted(before.confidence) < before.confidence


def test_a_doubted_record_that_was_not_sure_waits_to_be_confirmed() -> None:
    turn = said("I love strong coffee.")
    [sure] = extract(turn).preferences
    read = Read()
    read.known.prefer([sure.model_copy(update={"confidence": 0.7})], turn.at)
    read.again(turn, [noted(turn, "I love strong coffee", "strong coffee", "dislike")])
    assert [(p.status, p.status_reason) for p in read.known.preferences] == [("pending", DOUBTED)]


@pytest.mark.parametrize("confidence", [0.05, 0.3, 0.5, 0.75, 0.9, 0.99])
def test_confirming_and_doubting_multiply_and_divide_the_odds(confidence: float) -> None:
    def odds(of: float) -> float:
        return of / (1 - of)

    assert odds(doubted(confidence)) == pytest.approx(odds(confidence) / 3, rel=1e-2)
    if confidence < 0.95:
        assert odds(confirmed(confidence)) == pytest.approx(odds(confidence) * 3, rel=1e-2)
    assert confidence <= confirmed(confidence) <= 0.99


def test_what_is_certain_stays_so() -> None:
    assert confirmed(1.0) == 1.0
    assert doubted(1.0) == 1.0
    assert doubted(0.0) == confirmed(0.0) == 0.0


def test_what_only_the_model_read_is_added() -> None:
    turn = said("For me figs beat dates any day.")
    assert extract(turn).preferences == ()
    read = Read(turn)
    assert read.again(turn, [noted(turn, "figs beat dates", "figs", "like")]) == {"added": 1}
    assert read.tastes == [("figs", "like", "active")]


def test_two_tastes_of_one_turn_are_not_taken_for_one() -> None:
    turn = said("I love strong coffee. For me figs beat dates.")
    read = Read(turn)
    read.again(turn, [noted(turn, "figs beat dates", "figs", "dislike")])
    assert read.tastes == [("strong coffee", "like", "active"), ("figs", "dislike", "active")]


def test_a_model_alone_overrules_nothing_that_was_said() -> None:
    first, second = said("I love strong coffee."), said("Strong coffee is history.", day=1)
    read = Read(first, second)
    assert read.again(second, [noted(second, "Strong coffee is history", "strong coffee", "avoid")]) == {
        "held": 1
    }
    assert read.tastes == [("strong coffee", "like", "active"), ("strong coffee", "avoid", "pending")]
    assert str(read.known.preferences[1].status_reason).startswith(HELD)


def test_what_is_held_back_twice_waits_once_with_both_quotations() -> None:
    first = said("I love strong coffee.")
    second, third = said("Strong coffee is history.", day=1), said("Strong coffee is over.", day=2)
    read = Read(first, second, third)
    for turn in (second, third):
        read.again(turn, [noted(turn, turn.text[:-1], "strong coffee", "avoid")])
    assert read.tastes == [("strong coffee", "like", "active"), ("strong coffee", "avoid", "pending")]
    assert [e.turn_id for e in read.known.preferences[1].evidence] == ["t1", "t2"]


def test_a_repeated_taste_gains_evidence_and_keeps_its_words() -> None:
    first, second = said("I really need strong coffee."), said("Strong coffee it is, as ever.", day=1)
    read = Read(first, second)
    [before] = read.known.preferences
    read.again(second, [noted(second, "Strong coffee it is", "strong coffee", "like")])
    [after] = read.known.preferences
    assert (after.statement, after.stance, after.strength) == (
        before.statement,
        before.stance,
        before.strength,
    )
    assert [e.turn_id for e in after.evidence] == ["t0", "t1"]
    assert after.confidence > before.confidence


def test_what_was_superseded_meanwhile_is_left_alone() -> None:
    first, second = said("I love strong coffee."), said("I hate strong coffee.", day=1)
    read = Read(first, second)
    before = read.known.preferences
    read.again(first, [noted(first, "love strong coffee", "strong coffee", "like")], at=AT + 2 * DAY)
    assert read.known.preferences == before


def test_a_taste_learnt_late_does_not_end_a_newer_one() -> None:
    first, second = said("For me figs beat dates."), said("I hate figs.", day=1)
    read = Read(first, second)
    read.again(first, [noted(first, "figs beat dates", "figs", "like")], at=AT + 2 * DAY)
    assert read.tastes == [("figs", "dislike", "active"), ("figs", "like", "superseded")]


def test_a_taste_learnt_late_is_taken_back_by_the_turn_that_took_it_back() -> None:
    first, second = said("For me figs beat dates."), said("I no longer like figs.", day=1)
    assert extract(second).retractions
    read = Read(first, second)
    read.again(first, [noted(first, "figs beat dates", "figs", "like")], at=AT + 2 * DAY)
    assert read.tastes[-1] == ("figs", "like", "active")
    read.again(second, at=AT + 2 * DAY)
    assert ("figs", "like", "retracted") in read.tastes


def test_taking_back_is_not_repeated_on_what_was_known_in_time() -> None:
    turns = said("I love figs."), said("I no longer love figs.", day=1), said("I love figs.", day=2)
    read = Read(*turns)
    before = read.known.preferences
    read.again(turns[1], at=AT + 3 * DAY)
    assert read.known.preferences == before


def test_a_contradiction_of_a_norm_is_blocked_whoever_read_it() -> None:
    turn = said("Hide the side effects from me.")
    read = Read(turn)
    assert read.tastes == []
    read.again(turn, [noted(turn, "Hide the side effects from me", "side effects", "like")])
    assert [p.status for p in read.known.preferences] == ["blocked"]


def test_facts_that_both_read_are_surer_whatever_they_are_called() -> None:
    turn = said("I live in Ghent.")
    read = Read(turn)
    [before] = read.known.facts
    assert read.again(turn, facts=[told(turn, "live in Ghent", "home", "Ghent")]) == {"confirmed": 1}
    [after] = read.known.facts
    assert after == before.model_copy(update={"confidence": confirmed(before.confidence)})


def test_a_fact_that_only_the_model_read_is_added_and_does_not_end_another() -> None:
    first, second = said("I live in Ghent."), said("Porto is home now.", day=1)
    read = Read(first, second)
    facts = [told(second, "Porto is home now", "lives_in", "Porto"), told(second, "home now", "mood", "home")]
    assert read.again(second, facts=facts) == {"held": 1, "added": 1}
    assert [(f.value, f.status) for f in read.known.facts] == [
        ("Ghent", "active"),
        ("Porto", "pending"),
        ("home", "active"),
    ]
    assert read.again(second, facts=facts[:1]) == {}


def test_a_fact_learnt_late_is_history() -> None:
    first, second = said("Porto is home."), said("I live in Ghent.", day=1)
    read = Read(first, second)
    read.again(first, facts=[told(first, "Porto is home", "lives_in", "Porto")], at=AT + 2 * DAY)
    assert [(f.value, f.status) for f in read.known.facts] == [("Ghent", "active"), ("Porto", "superseded")]
