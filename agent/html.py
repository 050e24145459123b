"""A reply, and what memory holds on a question, as HTML for the cell of a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from habitus.memory.html import badge, box, bullets, changes, quiet

if TYPE_CHECKING:
    from habitus.agent.reply import Reply
    from habitus.agent.state import Recall
    from habitus.memory.retrieval.recall import Memory

_N_MEMORIES = 5
_CELL = "text-align:left;vertical-align:top;padding:.1em .8em .1em 0"
_SAID = "white-space:pre-wrap;border-left:3px solid #3b5b92;padding-left:.7em"


def reply(one: Reply) -> str:
    """Return a reply, what it was taken for, what was used and why, what was learnt, the time taken."""
    parts = [
        f'<div style="{_SAID}">{escape(one.text)}</div>',
        f'<div style="margin-top:.5em">{" ".join(map(badge, sorted(one.routes)))}</div>',
    ]
    learnt = [
        f"{escape(it.statement)} {quiet(f'{it.stance}, {it.topic}, {it.status}')}" for it in one.preferences
    ]
    learnt += [f"{escape(fact.statement)} {quiet(fact.status)}" for fact in one.facts]
    applied = [f"{escape(it.preference.statement)} {quiet(it.reason)}" for it in one.applied]
    best = sorted(one.memories, key=lambda memory: -memory.score)[:_N_MEMORIES]
    recalled = [
        f"{quiet(f'{memory.at:%Y-%m-%d} {memory.role}')} {escape(memory.text)} {quiet(memory.why)}"
        for memory in best
    ]
    for title, items in (("Learnt", learnt), ("Kept in mind", applied), ("Recalled", recalled)):
        if items:
            parts.append(f'<div style="margin-top:.5em"><em>{title}</em>{bullets(items)}</div>')
    if one.feedback_effect is not None:
        parts.append(f"<div><em>Feedback</em> {escape(one.feedback_effect.reason)}</div>")
    if changed := one.persona_diff():
        parts.append(f'<div style="margin-top:.5em"><em>Persona</em>{changes(changed)}</div>')
    total = sum(one.timings_ms.values())
    spent = ", ".join(f"{name} {ms:.0f}" for name, ms in one.timings_ms.items() if ms >= 0.5)
    read = f"; a prompt of {one.prompt_tokens:,} tokens" if one.prompt_tokens else ""
    parts.append(f'<div style="margin-top:.5em">{quiet(f"{total:.0f} ms ({spent}){read}")}</div>')
    return box(f"Reply to {one.user_id}", "".join(parts), f"{one.at:%Y-%m-%d %H:%M}")


def recall(one: Recall) -> str:
    """Return the evidence that went into the prompt, best first, with the score of each arm."""
    arms = dict.fromkeys(arm for memory in one.evidence for arm in memory.arms)
    head = "".join(f'<th style="{_CELL}">{escape(arm)}</th>' for arm in ("said", "", "score", *arms))
    rows = "".join(_row(memory, tuple(arms)) for memory in sorted(one.evidence, key=lambda it: -it.score))
    table = f'<table style="border-collapse:collapse">{head}{rows}</table>'
    note = f"{len(one.evidence)} of {len(one.ranked_turn_ids)} messages, {one.context_tokens:,} tokens"
    return box("Recalled", table if one.evidence else quiet("nothing"), note)


def _row(memory: Memory, arms: Sequence[str]) -> str:
    newer = quiet(f"(newer on {memory.newer_at:%Y-%m-%d}) ") if memory.newer_at else ""
    cells = [quiet(f"{memory.at:%Y-%m-%d} {memory.role}"), newer + escape(memory.text), f"{memory.score:.2f}"]
    cells += [f"{memory.arms[arm]:.2f}" if arm in memory.arms else "" for arm in arms]
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
