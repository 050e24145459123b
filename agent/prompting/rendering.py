"""Replies and memories as rich tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from habitus.agent.reply import persona_changes
from habitus.memory.known.lasting import until

if TYPE_CHECKING:
    from habitus.agent.demo import Shown
    from habitus.agent.reply import Reply
    from habitus.memory.records import Fact, Preference, Turn

_SHORT = 110
_N_MEMORIES = 4
_ID = 8


def _cut(text: str, limit: int = _SHORT) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 2].rsplit(" ", 1)[0] + " …"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", no_wrap=True, min_width=11)
    grid.add_column(overflow="fold")
    return grid


def _rows(grid: Table, name: str, lines: Sequence[str]) -> None:
    for position, line in enumerate(lines):
        grid.add_row(name if position == 0 else "", Text(line))


def reply_details(reply: Reply) -> Table:
    """Return what led to a reply: routes, what was learnt, recalled and applied, the persona, timings."""
    grid = _grid()
    _rows(grid, "route", [", ".join(sorted(reply.routes))])
    learnt = [
        f"{p.stance}: {p.statement} [{p.topic}, strength {p.strength:.1f}, {p.status}]"
        for p in reply.preferences
    ]
    learnt += [f"fact: {fact.statement} [{fact.status}]" for fact in reply.facts]
    _rows(grid, "extracted", learnt or ["nothing"])
    best = sorted(reply.memories, key=lambda memory: -memory.score)[:_N_MEMORIES]
    recalled = [
        f"{memory.at:%Y-%m-%d} {memory.role}: {_cut(memory.text, 70)} ({memory.why})" for memory in best
    ]
    _rows(grid, "recalled", recalled or ["nothing"])
    _rows(
        grid,
        "applied",
        [f"{one.preference.statement} ({one.reason})" for one in reply.applied] or ["nothing"],
    )
    total = sum(reply.timings_ms.values())
    spent = ", ".join(f"{name} {ms:.1f}" for name, ms in reply.timings_ms.items())
    _rows(grid, "timings", [f"{total:.1f} ms: {spent}; prompt {reply.prompt_tokens} tokens"])
    return grid


def shown_line(shown: Shown) -> RenderableType:
    """Return one line of the demo with everything that happened at it."""
    line, reply = shown.line, shown.reply
    parts: list[RenderableType] = []
    grid = _grid()
    if reply is not None:
        _rows(grid, "Maya", [line.says])
        _rows(grid, "another" if line.answered else "Habitus", reply.text.splitlines())
    elif line.rating is not None:
        _rows(grid, "Maya rates", [f"{line.rating:+.0f}"])
    else:
        _rows(grid, "Maya edits", [line.edit or ""])
    parts.append(grid)
    if reply is not None:
        parts.append(reply_details(reply))
    changed = _grid()
    if shown.note:
        _rows(changed, "effect", [shown.note])
    _rows(changed, "persona", _persona_lines(shown))
    parts.append(changed)
    return Panel(Group(*parts), title=f"{shown.at:%a %d %b %Y}: {line.shows}", title_align="left")


def shown_as_data(shown: Shown) -> dict[str, object]:
    """Return one line of the demo as JSON has it."""
    line, reply = shown.line, shown.reply
    done: dict[str, object] = {"at": shown.at.isoformat(), "shows": line.shows}
    if reply is None:
        done |= {"rating": line.rating, "edit": line.edit}
    else:
        done |= {"says": line.says, "reply": reply.text, "routes": sorted(reply.routes), "why": reply.why()}
    persona = shown.persona
    return done | {
        "effect": shown.note,
        "persona": None if persona is None else [one.text for one in persona.lines],
    }


def _persona_lines(shown: Shown) -> list[str]:
    before, after = shown.persona_before, shown.persona
    n_before = len(before.lines) if before else 0
    if after is None:
        return ["none yet"]
    if before is not None and before.lines == after.lines:
        return [f"unchanged (version {after.version}, {n_before} lines)"]
    versions = f"version {before.version if before else 0} -> {after.version}"
    return [
        f"{versions}, {n_before} -> {len(after.lines)} lines",
        *_without_head(persona_changes(before, after)),
    ]


def _without_head(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def preference_table(preferences: Iterable[Preference]) -> Table:
    """Return preferences with every field that says how far they hold; it fits into 80 columns."""
    table = _table("id", "preference", "stance", "status")
    for p in preferences:
        table.add_row(
            Text(p.id[:_ID]),
            _noted(p.statement, p.topic, p.scope or until(p) or "always", p.source),
            _noted(p.stance, f"{p.strength:.2f}"),
            _since(p.status, p.valid_from),
        )
    return table


def fact_table(facts: Iterable[Fact]) -> Table:
    """Return facts with what they are about and whether they still hold; it fits into 80 columns."""
    table = _table("id", "fact", "status")
    for fact in facts:
        about = _noted(fact.statement, fact.subject, fact.attribute)
        table.add_row(Text(fact.id[:_ID]), about, _since(fact.status, fact.valid_from))
    return table


def turn_table(turns: Iterable[Turn]) -> Table:
    """Return messages in time order; it fits into 80 columns."""
    table = _table("id", "said", "text")
    for turn in turns:
        said = _noted(f"{turn.at:%Y-%m-%d %H:%M}", f"{turn.role}, {turn.session_id[:_ID]}")
        table.add_row(Text(turn.id[:_ID]), said, Text(_cut(turn.text)))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name in ("id", "stance", "status", "said"))
    return table


def _noted(text: str, *notes: str) -> Text:
    """Return a text with what else is to be known of it below."""
    return Text.assemble(text, "\n", (" · ".join(notes), "dim"))


def _since(status: str, at: datetime) -> Text:
    return _noted(status, f"{at:%Y-%m-%d}")
