"""Texts of a wanted length for speed benchmarks: made up, or cut from a LongMemEval-format file."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SUBJECTS = (
    "my sister|our neighbour|the whole team|an old friend|the new doctor|my brother-in-law|I|we".split("|")
)
_VERBS = "remembered|recommended|cancelled|photographed|misplaced|postponed|enjoyed|reorganised".split("|")
_ADJECTIVES = "quiet|expensive|gluten-free|second-hand|unexpected|colourful|Portuguese|half-finished".split(
    "|"
)
_OBJECTS = "restaurant|hiking trail|violin lesson|spreadsheet|birthday party|apartment|podcast|recipe".split(
    "|"
)
_PLACES = "near the harbour|at work|in Lisbon|on the train|behind the library|at home".split("|")
_TIMES = "last Tuesday|in early March|every other weekend|before breakfast|two years ago|on the 14th".split(
    "|"
)
_LINKS = "because it was raining|although nobody had asked|so that the children could come|for $35".split("|")


def made_up(n_texts: int, n_words: int, seed: int) -> list[str]:
    """Make English-looking texts of exactly `n_words` words, all different, the same for a seed."""
    chance = random.Random(f"{seed}-{n_words}")
    texts: dict[str, None] = {}
    while len(texts) < n_texts:
        words: list[str] = []
        while len(words) < n_words:
            words += _sentence(chance).split()
        texts[" ".join(words[:n_words])] = None
    return list(texts)


def turns_of(path: Path, n_texts: int, n_words: int, seed: int) -> list[str]:
    """Draw turns of at least `n_words` words from a LongMemEval-format file, cut to that many.

    Args:
        path: `.json` or `.json.gz`.
        n_texts: how many.
        n_words: words of each text.
        seed: of the draw.

    Raises:
        ValueError: the file is not of that format, or holds too few such turns.
    """
    turns = dict.fromkeys(
        " ".join(words[:n_words]) for turn in _contents(path) if len(words := turn.split()) >= n_words
    )
    if len(turns) < n_texts:
        raise ValueError(
            f"{str(path)!r} holds {len(turns)} different turns of {n_words} words, wanted {n_texts}"
        )
    return random.Random(seed).sample(list(turns), n_texts)


def _sentence(chance: random.Random) -> str:
    parts = [chance.choice(_SUBJECTS), chance.choice(_VERBS), "the", chance.choice(_ADJECTIVES)]
    parts += [chance.choice(_OBJECTS), chance.choice(_PLACES), chance.choice(_TIMES)]
    if chance.random() < 0.5:
        parts.append(chance.choice(_LINKS))
    sentence = " ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def _contents(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    records: Any = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    try:
        for record in records:
            for session in record["haystack_sessions"]:
                for turn in session:
                    yield str(turn["content"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is not a LongMemEval-format file: {error!r}") from error
