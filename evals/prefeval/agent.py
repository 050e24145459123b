"""The rows about the agent: the right preference among others, long after it was stated, and over a life."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from habitus.evals.longmemeval.files import HaystackSession
from habitus.evals.prefeval.files import Item, n_user
from habitus.evals.prefeval.lifelines import Line, holds
from habitus.evals.prefeval.scores import Row, Scored, Target
from habitus.memory.records import Conversation, Message

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.agent.reply import Reply
    from habitus.retrievers.encoder import Encoder

START = datetime(2025, 3, 3, 9, tzinfo=UTC)
TOP = 3

Advance = Callable[[], None]


def distracted_row(
    items: Sequence[Item],
    sessions: Sequence[HaystackSession],
    agent: Agent,
    encoder: Encoder,
    *,
    n_turns: int = 300,
    advance: Advance = lambda: None,
) -> Row:
    """Measure whether the stated preference is applied after `n_turns` other turns of the user.

    Each item is a user of its own; those of one topic read the same other turns. R@k: place of the
    preference among those applied; `raw` ranks all turns of the user by cosine to the question.
    """
    blocks = _blocks(sorted({item.topic for item in items}), sessions, n_turns)
    scored = []
    for item in items:
        block = blocks[item.topic]
        user = f"{item.topic}-{item.number}"
        agent.chat(user, item.preference, at=START)
        agent.ingest(user, _conversations(block, user))
        reply = agent.chat(user, item.question, at=START + timedelta(days=len(block) + 7))
        place = _place(reply, item)
        raw = _raw_rank(item, block, encoder)
        values = {f"R@{k}": float(place is not None and place < k) for k in (1, 5)}
        values |= {f"raw_R@{k}": float(raw < k) for k in (1, 5)}
        scored.append(Scored(item.topic, values))
        advance()
    n_read = min((sum(map(n_user, block)) for block in blocks.values()), default=0)
    return Row(
        name="after_distractors",
        title=f"the right preference is applied after {n_read} other turns of the user",
        scored=scored,
        targets={"R@5": Target(0.98)},
        notes="raw: cosine of the question to every turn of the user, the baseline.",
    )


def together_row(
    items: Sequence[Item], agent: Agent, encoder: Encoder, *, seed: int = 0, advance: Advance = lambda: None
) -> Row:
    """Measure, for users with a preference of each topic, which of them are applied to a question of each."""
    by_topic: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_topic[item.topic].append(item)
    scored = []
    for number, group in enumerate(zip_longest(*by_topic.values())):
        held = [item for item in group if item is not None]
        if len(held) == len(by_topic):
            scored += _asked(held, f"together-{number}", agent, encoder, random.Random(seed + number))
            advance()
    n_out = len(items) - len(scored)
    return Row(
        name="one_per_topic",
        title=f"of {len(by_topic)} preferences, one per topic, the right one is applied",
        scored=scored,
        targets={f"top_{TOP}": Target(0.97), "n_wrong": Target(2.0, "at most")},
        excluded={"their topic has more items than the shortest one": n_out} if n_out else {},
        notes="n_wrong: others applied, on average. raw: cosine of the question to the statements.",
    )


def _asked(
    held: Sequence[Item], user: str, agent: Agent, encoder: Encoder, rng: random.Random
) -> list[Scored]:
    for day, item in enumerate(rng.sample(held, len(held))):
        agent.chat(user, item.preference, at=START + timedelta(days=day))
    vectors = encoder.encode([item.preference for item in held])
    found = []
    for place_held, item in enumerate(held):
        at = START + timedelta(days=100 + place_held)
        reply = agent.chat(user, item.question, at=at)
        place = _place(reply, item)
        cosines = vectors @ encoder.encode([item.question])[0]
        raw = int((cosines > cosines[place_held]).sum())
        values = {
            f"top_{TOP}": float(place is not None and place < TOP),
            "R@1": float(place == 0),
            "n_wrong": float(sum(not ok for ok in _rights(reply, item))),
            "raw_R@1": float(raw < 1),
            "raw_R@5": float(raw < 5),
        }
        found.append(Scored(item.topic, values))
    return found


def lives_row(
    lives: Sequence[Sequence[Line]], agent: Agent, *, later: bool = False, advance: Advance = lambda: None
) -> Row:
    """Measure whether memory holds what is true at the end of each life, and after each line of it."""
    name = "life_lines_later" if later else "life_lines"
    scored = []
    for number, life in enumerate(lives):
        user = f"{name}-{number}"
        right = []
        for line in life:
            agent.chat(user, line.text, at=line.at)
            right.append(holds(agent.preferences(user), line.truth))
        values = {"current_truth": float(right[-1]), "every_line": sum(right) / len(right)}
        scored.append(Scored(f"last line: {_last_kind(life)}", values))
        advance()
    return Row(
        name=name,
        title="conflicts and drift: what holds is known" + (", in words written later" if later else ""),
        scored=scored,
        targets={"current_truth": Target(0.98)},
        notes="Generated lives (habitus.evals.prefeval.lifelines), not PrefEval's.",
    )


def _last_kind(life: Sequence[Line]) -> str:
    return next((line.kind for line in reversed(life) if line.kind != "ordinary"), "ordinary")


def _rights(reply: Reply, item: Item) -> list[bool]:
    """Tell of each preference applied, best first, whether it comes from the item's statement."""
    return [
        any(evidence.quote in item.preference for evidence in one.preference.evidence)
        for one in reply.applied
        if not one.preference.topic.startswith("style.")
    ]


def _place(reply: Reply, item: Item) -> int | None:
    rights = _rights(reply, item)
    return rights.index(True) if True in rights else None


def _blocks(
    topics: Sequence[str], sessions: Sequence[HaystackSession], n_turns: int
) -> dict[str, list[HaystackSession]]:
    """Give each topic sessions with `n_turns` turns of the user, different ones if there are enough."""
    blocks: dict[str, list[HaystackSession]] = {}
    place = 0
    for topic in topics:
        block: list[HaystackSession] = []
        while sum(map(n_user, block)) < n_turns and len(block) < len(sessions):
            block.append(sessions[place % len(sessions)])
            place += 1
        blocks[topic] = block
    return blocks


def _conversations(block: Sequence[HaystackSession], user: str) -> list[Conversation]:
    found = []
    for number, session in enumerate(block):
        messages = tuple(
            Message(role=turn.role, text=turn.text.replace("\x00", " "))
            for turn in session.turns
            if turn.text.strip()
        )
        if messages:
            at = START + timedelta(days=1 + number)
            found.append(Conversation(id=f"{user}-{number}", at=at, messages=messages))
    return found


def _raw_rank(item: Item, block: Sequence[HaystackSession], encoder: Encoder) -> int:
    texts = [turn.text for session in block for turn in session.turns if turn.role == "user"]
    vectors = encoder.encode([item.preference, *(text for text in texts if text.strip())])
    cosines = vectors @ encoder.encode([item.question])[0]
    return int((cosines[1:] > cosines[0]).sum())
