"""A preference is told, the user talks of other things, and then asks what it bears on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from habitus.evals.adherence.options import Form, Task
from habitus.evals.longmemeval.files import DatasetError, HaystackSession
from habitus.evals.prefeval.files import Item, OptionsItem, PrefEval, distractor_sessions
from habitus.memory.records import Role

LETTERS = "ABCDEFGHIJ"

Message = tuple[Role, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdherenceSample:
    """One preference, told in one form, asked about at one distance.

    Attributes:
        id: `<form>/<topic>/<number>/<distance>`.
        type: the topic.
        form: how it is told.
        distance: exchanges in between.
        preference: in the words of the data set; what replies are judged by, never shown to an agent.
        question: of the user.
        told: the conversation in which the preference is told.
        others: conversations in between, in order; each of whole exchanges, user first.
        options: to choose from, shuffled; none for the generation task.
        gold: letter of the option that keeps to the preference; empty for the generation task.
    """

    id: str
    type: str
    form: Form
    distance: int
    preference: str
    question: str
    told: tuple[Message, ...]
    others: tuple[tuple[Message, ...], ...]
    options: tuple[str, ...] = ()
    gold: str = ""


class Distractors:
    """Conversations about other things, from sessions of a LongMemEval file that are evidence for none of it.

    Each topic has conversations of its own if there are enough, and the ten exchanges of one distance are
    the first ten of the next.

    Args:
        sessions: in the order of the file.
        topics: all of the data set, in order.
        most: exchanges that a topic needs.
        seed: of the order of the sessions.

    Raises:
        DatasetError: the sessions hold fewer exchanges than one topic needs.
    """

    def __init__(
        self, sessions: Sequence[HaystackSession], topics: Sequence[str], most: int, *, seed: int
    ) -> None:
        held = [found for session in sessions if (found := exchanges(session))]
        Random(seed).shuffle(held)
        n_held = sum(map(len, held)) // 2
        if n_held < most:
            raise DatasetError(
                f"the sessions for distraction hold {n_held} exchanges, but a distance of {most} is asked "
                "for; give another LongMemEval file"
            )
        self._blocks: dict[str, list[tuple[Message, ...]]] = {}
        place = 0
        for topic in topics:
            block: list[tuple[Message, ...]] = []
            while sum(map(len, block)) < 2 * most:
                block.append(held[place % len(held)])
                place += 1
            self._blocks[topic] = block

    def upto(self, topic: str, distance: int) -> tuple[tuple[Message, ...], ...]:
        """Return the first `distance` exchanges of a topic's conversations; the last one may be cut."""
        found, left = [], 2 * distance
        for conversation in self._blocks[topic]:
            if left <= 0:
                break
            found.append(conversation[:left])
            left -= len(found[-1])
        return tuple(found)


def read_distractors(path: Path, topics: Sequence[str], most: int, *, seed: int) -> Distractors:
    """Read as many sessions of a LongMemEval file as the topics need.

    Raises:
        DatasetError: the file is not LongMemEval, or too small.
    """
    return Distractors(distractor_sessions(path, most * len(topics)), topics, most, seed=seed)


def exchanges(session: HaystackSession) -> tuple[Message, ...]:
    """Return what the user said and was answered; messages without a counterpart are left out."""
    found: list[Message] = []
    said = ""
    for turn in session.turns:
        text = turn.text.replace("\x00", " ")
        if turn.role == "user":
            said = text
        elif said.strip() and text.strip():
            found.extend((("user", said), ("assistant", text)))
            said = ""
    return tuple(found)


def make_samples(
    data: PrefEval,
    *,
    task: Task,
    forms: Sequence[Form],
    distances: Sequence[int],
    distractors: Distractors | None,
    seed: int,
) -> Iterator[AdherenceSample]:
    """Make the samples of a run, form by form, item by item, near distances first.

    Args:
        data: read.
        task: `classification` adds the options, shuffled by the seed, alike in every form and at every
            distance.
        forms: in which the preference is told.
        distances: in exchanges.
        distractors: None is enough where the only distance is 0.
        seed: of the order of the options.

    Raises:
        DatasetError: an item of one form does not ask what its counterpart among the options asks.
    """
    options = {(item.topic, item.number): item for item in data.options} if task == "classification" else {}
    for form in forms:
        for item, told in _told(data, form):
            offered = _offered(item, options, seed) if options else ((), "")
            for distance in distances:
                others = distractors.upto(item.topic, distance) if distractors is not None else ()
                yield AdherenceSample(
                    id=f"{form}/{item.topic}/{item.number}/{distance}",
                    type=item.topic,
                    form=form,
                    distance=distance,
                    preference=item.preference,
                    question=item.question,
                    told=told,
                    others=others,
                    options=offered[0],
                    gold=offered[1],
                )


def n_samples(data: PrefEval, forms: Sequence[Form], distances: Sequence[int]) -> int:
    """Return how many samples `make_samples` makes."""
    return len(distances) * sum(1 for form in forms for _ in _told(data, form))


def _told(data: PrefEval, form: Form) -> Iterator[tuple[Item, tuple[Message, ...]]]:
    if form == "explicit":
        for item in data.explicit:
            yield item, (("user", item.preference),)
    elif form == "choice":
        for choice in data.choices:
            messages: tuple[Message, ...] = (
                ("user", choice.query),
                ("assistant", choice.offered),
                ("user", choice.selection),
                ("assistant", choice.acknowledgement),
            )
            yield choice, tuple(message for message in messages if message[1])
    else:
        for persona in data.personas:
            yield persona, persona.turns


def _offered(
    item: Item, options: Mapping[tuple[str, int], OptionsItem], seed: int
) -> tuple[tuple[str, ...], str]:
    found = options.get((item.topic, item.number))
    if found is None or found.question != item.question:
        raise DatasetError(
            f"item {item.number} of {item.topic!r} does not ask what its options answer; give the files of "
            "one release of PrefEval"
        )
    shuffled = list(found.options)
    Random(f"{seed}/{item.topic}/{item.number}").shuffle(shuffled)
    return tuple(shuffled), LETTERS[shuffled.index(found.options[0])]
