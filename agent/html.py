"""A reply as HTML, for the cell of a notebook: what was said, and why."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from habitus.memory.html import badge, box, bullets, changes, quiet

if TYPE_CHECKING:
    from habitus.agent.reply import Reply

_N_MEMORIES = 5
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
    spent = ", ".join(f"{name} {ms:.1f}" for name, ms in one.timings_ms.items())
    total = sum(one.timings_ms.values())
    note = f"{one.at:%Y-%m-%d %H:%M}, {total:.0f} ms ({spent}), prompt of {one.prompt_tokens} tokens"
    return box(f"Reply to {one.user_id}", "".join(parts), note)
