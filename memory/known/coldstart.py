"""Questions to a user of whom little is known: which, if any, would change the reply to this request.

A dimension of taste matters for a request as far as the request is near what the dimension is about
and near something that a user might answer to it: then a preference learnt from the answer would be
applied to the request (see `applying`). Nothing is asked that is known already, or was asked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from habitus.memory.known.applying import applicable, request_vector, taste_vectors
from habitus.memory.known.drift import holds
from habitus.memory.records import AskedQuestion, Preference, Stance
from habitus.retrievers.encoder import Encoder, Vectors

ASKED_FROM = 0.40
"""Sum of two cosines, to what a dimension is about and to the nearest answer, from which it is asked. On 48
requests written for the purpose (see the tests) it asks 22 times, and 21 times what fits."""
KNOWN_FROM = 0.45
"""Cosine of a known preference to an answer from which the dimension is known."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One thing that tastes differ in.

    Attributes:
        topic: of the preference that an answer becomes.
        label: what an answer is put after in the preference's statement.
        about: what it is about, in few words; compared with requests.
        answers: what users might say of themselves; compared with requests and with what is known.
        question: what is asked.
        stance: of a bare answer that holds no negation.
        options: for a choice between a few, the target of each.
        per_request: whether an answer holds for the subject of the request only.
    """

    topic: str
    label: str
    about: str
    answers: tuple[str, ...]
    question: str
    stance: Stance = "like"
    options: tuple[str, ...] = ()
    per_request: bool = False


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension(
        topic="food.diet",
        label="Diet",
        about="what somebody eats",
        answers=("I don't eat meat.", "I'm allergic to nuts.", "I follow a strict diet."),
        question="Is there anything you don't eat?",
        stance="avoid",
    ),
    Dimension(
        topic="money.budget",
        label="Budget",
        about="how much money somebody spends",
        answers=(
            "I have a tight budget.",
            "I don't want to spend much money.",
            "Price does not matter to me.",
        ),
        question="Is there a budget that I should keep to?",
        stance="require",
    ),
    Dimension(
        topic="people.company",
        label="Company",
        about="who somebody goes with",
        answers=("I go with my children.", "I travel alone.", "I go out with my friends."),
        question="Who is usually with you?",
    ),
    Dimension(
        topic="health.limits",
        label="Limits",
        about="physical limits",
        answers=("I can't walk far.", "I have a bad back.", "I use a wheelchair."),
        question="Is there anything about your health or mobility that I should mind?",
        stance="require",
    ),
    Dimension(
        topic="taste.kinds",
        label="Favourite kinds",
        about="taste in films, books or music",
        answers=("I love jazz.", "I like thrillers.", "I enjoy historical novels."),
        question="Which kinds do you like best?",
    ),
    Dimension(
        topic="time.available",
        label="Time",
        about="how much time somebody has",
        answers=("I only have half an hour.", "I am always short of time."),
        question="How much time do you usually have for this?",
        stance="require",
    ),
    Dimension(
        topic="place.surroundings",
        label="Surroundings",
        about="quiet or lively surroundings",
        answers=("I prefer quiet places.", "I like busy, lively places.", "I avoid crowds."),
        question="Do you like it quiet or lively?",
        options=("quiet places", "lively places"),
    ),
    Dimension(
        topic="tech.devices",
        label="Uses",
        about="devices somebody uses",
        answers=("I use a Mac.", "I have an Android phone.", "I work on Windows."),
        question="Which device or system do you use?",
    ),
    Dimension(
        topic="skill.experience",
        label="Experience",
        about="how experienced somebody is",
        answers=("I am a complete beginner.", "I have years of experience with this."),
        question="How much experience do you have with this?",
        per_request=True,
    ),
    Dimension(
        topic="style.length",
        label="Replies",
        about="how long and detailed an explanation is",
        answers=("I want detailed explanations.", "Keep it short.", "I like brief answers."),
        question="Do you like short or detailed replies?",
        stance="require",
        options=("short replies", "detailed replies"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question worth asking.

    Attributes:
        topic: of the preference that an answer becomes.
        text: what is asked.
        effect: how much an answer would matter for the request; comparable within one request only.
        preference_id: the pending preference that it asks to confirm, if it does.
    """

    topic: str
    text: str
    effect: float
    preference_id: str | None = None


def dimension_of(topic: str) -> Dimension | None:
    """Return the dimension with a topic; None if there is none."""
    return next((one for one in DIMENSIONS if one.topic == topic), None)


def question_for(
    request: str,
    vector: Vectors,
    *,
    preferences: Sequence[Preference],
    asked: Sequence[AskedQuestion],
    encoder: Encoder,
    at: datetime,
) -> Question | None:
    """Return the question whose answer would change the reply to a request most; None if none would much.

    A pending preference that would be applied if it were sure comes first.

    Args:
        request: the user's words.
        vector: of the request, shape `(dim,)`.
        preferences: of the user, any status.
        asked: what was asked of them before.
        encoder: compares.
        at: now.
    """
    pending = _to_confirm(request, vector, preferences, asked, encoder, at)
    return pending or _to_learn(vector, preferences, asked, encoder, at)


def _to_confirm(
    request: str,
    vector: Vectors,
    preferences: Sequence[Preference],
    asked: Sequence[AskedQuestion],
    encoder: Encoder,
    at: datetime,
) -> Question | None:
    settled = {one.preference_id for one in asked}
    open_ones = {p.id for p in preferences if p.status == "pending" and p.id not in settled}
    if not open_ones:
        return None
    supposed = [p.model_copy(update={"status": "active"}) if p.id in open_ones else p for p in preferences]
    found = applicable(supposed, request, vector, encoder=encoder, at=at)
    for one in found:
        if one.preference.id in open_ones:
            told = " ".join(one.preference.statement.split())
            return Question(
                topic=one.preference.topic,
                text=f"Do I have this right about you: “{told}”",
                effect=one.score,
                preference_id=one.preference.id,
            )
    return None


def _to_learn(
    vector: Vectors,
    preferences: Sequence[Preference],
    asked: Sequence[AskedQuestion],
    encoder: Encoder,
    at: datetime,
) -> Question | None:
    held = [p for p in preferences if holds(p, at)]
    known = taste_vectors([p.statement for p in held], encoder)
    settled = {p.topic for p in held} | {one.topic for one in asked}
    request = request_vector(vector, encoder)
    best: Question | None = None
    for dimension in DIMENSIONS:
        if dimension.topic in settled and not dimension.per_request:
            continue
        answers = taste_vectors(dimension.answers, encoder)
        if not dimension.per_request and len(held) and float(np.max(known @ answers.T)) >= KNOWN_FROM:
            continue
        about = taste_vectors([dimension.about], encoder)[0]
        effect = float(np.max(answers @ request) + about @ request)
        if effect >= ASKED_FROM and (best is None or effect > best.effect):
            best = Question(topic=dimension.topic, text=dimension.question, effect=effect)
    return best
