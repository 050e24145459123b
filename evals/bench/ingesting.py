"""Bringing in conversations against encoding the same texts and doing nothing with them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from habitus.agent.agent import Agent
from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.bench.clock import Times, load
from habitus.evals.bench.memories import SESSION_TURNS, START
from habitus.evals.bench.texts import made_up, turns_of
from habitus.memory.index.units import units
from habitus.memory.records import Conversation, Message, Role
from habitus.retrievers.encoder import Encoder

_WORDS = 40


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """Rounds of both, in turn.

    Attributes:
        n_messages: of a round.
        n_texts: what of them is encoded.
        ingest: `Agent.ingest(learn=False)` into an empty folder.
        encode: the same texts through the encoder.
        ratio: throughput of ingest against that of the encoder, by processor time, median over rounds.
        wall_ratio: the same by the clock.
        load: of the machine.
    """

    n_messages: int
    n_texts: int
    ingest: dict[str, float]
    encode: dict[str, float]
    ratio: float
    wall_ratio: float
    load: float

    @property
    def per_second(self) -> float:
        """Messages a second, by the clock."""
        return self.n_messages / self.ingest["wall_p50"] * 1e3

    @property
    def encoder_per_second(self) -> float:
        """Messages a second of the encoder alone, by the clock."""
        return self.n_messages / self.encode["wall_p50"] * 1e3


def ingesting(
    folder: Path, encoder: Encoder, *, n_messages: int, rounds: int, data: Path | None, seed: int
) -> Ingested:
    """Measure both in turn, each going first in every other round.

    Args:
        folder: for the stores, one a round.
        encoder: of both.
        n_messages: of a round.
        rounds: how many.
        data: a LongMemEval-format file to take messages of 40 words from; made up unless given.
        seed: of the messages.
    """
    texts = turns_of(data, n_messages, _WORDS, seed) if data else made_up(n_messages, _WORDS, seed)
    conversations = conversations_of(texts)
    pieces = [
        piece for one in conversations for said in one.messages for piece in units(said.role, said.text)
    ]
    # Whatever loads at the first large call is loaded before the clock runs.
    encoder.encode(pieces[:1_000])
    encode, ingest = Times(), Times()
    for number in range(rounds):
        if number % 2 == 0:
            _ingest(folder, encoder, conversations, ingest)
        encode.measure(partial(encoder.encode, pieces))
        if number % 2 == 1:
            _ingest(folder, encoder, conversations, ingest)
    return Ingested(
        n_messages=len(texts),
        n_texts=len(pieces),
        ingest=ingest.summary(),
        encode=encode.summary(),
        ratio=round(_ratio(encode.cpu, ingest.cpu), 3),
        wall_ratio=round(_ratio(encode.wall, ingest.wall), 3),
        load=round(load(), 2),
    )


def conversations_of(texts: Sequence[str]) -> list[Conversation]:
    """Put messages into conversations of ten, user and assistant in turn."""
    roles: tuple[Role, Role] = ("user", "assistant")
    return [
        Conversation(
            id=f"c{begin}",
            at=START + timedelta(hours=begin),
            messages=tuple(
                Message(role=roles[place % 2], text=text)
                for place, text in enumerate(texts[begin : begin + SESSION_TURNS])
            ),
        )
        for begin in range(0, len(texts), SESSION_TURNS)
    ]


def _ingest(folder: Path, encoder: Encoder, conversations: Sequence[Conversation], times: Times) -> None:
    place = folder / "ingest"
    with Agent.open(place, encoder=encoder, generator=ScriptedChat(script=["-"])) as agent:
        times.measure(lambda: agent.ingest("user", conversations, learn=False))
    shutil.rmtree(place)


def _ratio(encode: Sequence[float], ingest: Sequence[float]) -> float:
    return median(alone / both for alone, both in zip(encode, ingest, strict=True))
