"""Whatever a generator's tokenizer makes of a text, the packed block keeps to its budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from habitus.memory.retrieval.packing import pack
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Memory
from habitus.retrievers.weights import MINILM, find_model

DAY = datetime(2026, 1, 1, tzinfo=UTC)
Count = Callable[[str], int]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=200).filter(
    str.strip
)
spoken = st.lists(
    st.sampled_from("I have moved to Turin; since May I play 2 cellos. Straße 北京 naïve 🎻 e\u0301".split()),
    min_size=1,
    max_size=80,
).map(" ".join)
said = st.lists(
    st.tuples(texts | spoken, st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=15
)


def byte_level() -> Tokenizer:
    """A byte-level BPE with some merges: outside English one character is up to four tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("e", "r"), ("i", "n"), ("Ġ", "t"), ("Ġt", "o"), ("#", "#")]
    tokens = [*alphabet, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


@pytest.fixture(scope="module", params=["the encoder's", "byte-level BPE"])
def count(request: pytest.FixtureRequest) -> Count:
    if request.param == "byte-level BPE":
        tokenizer = byte_level()
    else:
        tokenizer = Tokenizer.from_file(str(find_model(MINILM) / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text).ids)


@settings(deadline=None, max_examples=60)
@given(said=said, budget=st.integers(0, 300), aggregates=st.booleans())
def test_the_budget_holds_the_order_is_of_time_and_the_same_gives_the_same(
    count: Count, said: list[tuple[str, int, bool, bool]], budget: int, aggregates: bool
) -> None:
    ranked = [
        Memory(
            turn_id=f"t{n}",
            session_id=f"s{day}",
            role="user" if by_user else "assistant",
            text=text,
            at=DAY + timedelta(days=day, seconds=n),
            score=-float(n),
            newer_at=DAY + timedelta(days=9) if replaced else None,
        )
        for n, (text, day, by_user, replaced) in enumerate(said)
    ]
    question = Question(meaning="cello", words="cello", aggregates=aggregates)
    packed = pack(ranked, question=question, budget=budget, count_tokens=count)
    if packed.text:
        assert count(packed.text) == packed.n_tokens <= budget
    times = [memory.at for memory in packed.memories]
    assert times == sorted(times)
    again = pack(ranked, question=question, budget=budget, count_tokens=count)
    assert again.text.encode() == packed.text.encode()
