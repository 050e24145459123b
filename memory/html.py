"""What is known of a user as HTML, for the cell of a notebook: self-contained, and every word escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from habitus.memory.records import Fact, Persona, Preference, Profile

_BOX = (
    "border:1px solid rgba(128,128,128,.4);border-radius:6px;padding:.6em .9em;margin:.3em 0;max-width:60em"
)
_QUIET = "opacity:.65;font-size:.9em"
_COLOURS = {"like": "#1a7f4b", "dislike": "#b3541e", "avoid": "#b3261e", "require": "#b3261e"}
_OTHER_COLOUR = "#3b5b92"
_LEADS = {
    "Never": "#b3261e",
    "Always": "#b3261e",
    "Dislikes": "#b3541e",
    "Likes": "#1a7f4b",
    "Reply style": "#3b5b92",
}
"""What a line of a persona may begin with."""
_DIFF = re.compile(r"^([-+ ])(?:- )?(.*)$")


def box(title: str, body: str, note: str = "") -> str:
    """Return a titled box.

    Args:
        title: plain text.
        body: HTML.
        note: plain text beside the title.
    """
    head = f"<strong>{escape(title)}</strong>" + (f" {quiet(note)}" if note else "")
    return f'<div style="{_BOX}">{head}<div style="margin-top:.35em">{body}</div></div>'


def quiet(text: str) -> str:
    """Return plain text as HTML that stands back."""
    return f'<span style="{_QUIET}">{escape(text)}</span>'


def badge(text: str, colour: str = _OTHER_COLOUR) -> str:
    """Return a word on a coloured ground."""
    style = f"background:{colour};color:#fff;border-radius:4px;padding:0 .4em;font-size:.85em"
    return f'<span style="{style}">{escape(text)}</span>'


def bullets(items: Iterable[str]) -> str:
    """Return HTML items as a list."""
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul style="margin:.2em 0;padding-left:1.3em">{inner}</ul>' if inner else quiet("nothing")


def bar(share: float, colour: str = _OTHER_COLOUR) -> str:
    """Return a bar for a share between 0 and 1."""
    width = f"{max(0.0, min(1.0, share)) * 100:.0f}%"
    outer = "display:inline-block;width:5em;height:.6em;background:rgba(128,128,128,.25);border-radius:3px"
    inner = f"display:block;width:{width};height:100%;background:{colour};border-radius:3px"
    return f'<span style="{outer}" title="{share:.2f}"><span style="{inner}"></span></span>'


def preference(one: Preference) -> str:
    """Return a preference with all that says how far it holds, and what it rests on."""
    colour = _COLOURS.get(one.stance, _OTHER_COLOUR)
    facts = [f"{badge(one.stance, colour)} {escape(one.topic)}"]
    facts += [f"strength {bar(one.strength, colour)} {one.strength:.2f}"]
    facts += [f"scope: {escape(one.scope)}"] if one.scope else []
    facts += [_held(one) + (", in place of an earlier one" if one.supersedes else "")]
    facts += [escape(f"{one.source}, confidence {one.confidence:.2f}")]
    body = " &nbsp;·&nbsp; ".join(facts)
    reason = f" ({one.status_reason})" if one.status_reason else ""
    quotes = bullets(f"“{escape(evidence.quote)}”" for evidence in one.evidence)
    return box(one.statement, body + (quotes if one.evidence else ""), one.status + reason)


def profile(one: Profile) -> str:
    """Return a profile, a line for each section."""
    body = bullets(
        f"<strong>{escape(section.title)}</strong>: {escape(section.text)}"
        f" {quiet(f'from {_counted(len(section.record_ids))}')}"
        for section in one.sections
    )
    return box(f"Profile of {one.user_id}", body, f"version {one.version}, {_day(one.made_at)}")


def persona(one: Persona) -> str:
    """Return a persona: the lines as the model reads them, and why this version was made."""
    body = bullets(map(_led, (line.text for line in one.lines)))
    note = f"version {one.version}, {_day(one.made_at)}: {one.reason}"
    return box(f"Persona for {one.user_id}", body, note)


def changes(lines: Sequence[str]) -> str:
    """Return the lines of a diff of personas, added ones green and removed ones red."""
    shown = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    colours = {"+": "#1a7f4b", "-": "#b3261e"}
    parts = []
    for line in shown:
        found = _DIFF.match(line)
        mark, words = found.groups() if found else ("", line)
        style = f"font-family:monospace;white-space:pre-wrap;color:{colours.get(mark, 'inherit')}"
        parts.append(f'<div style="{style}">{escape({"-": "−"}.get(mark, mark))} {escape(words)}</div>')
    return "".join(parts)


def fact(one: Fact) -> str:
    """Return a fact with what it is about, and the words it rests on."""
    about = [escape(f"{one.subject}, {one.attribute}: {one.value}"), _held(one)]
    quotes = bullets(f"“{escape(evidence.quote)}”" for evidence in one.evidence)
    reason = f" ({one.status_reason})" if one.status_reason else ""
    return box(one.statement, " &nbsp;·&nbsp; ".join(about) + quotes, one.status + reason)


def _led(line: str) -> str:
    lead, _, words = line.partition(": ")
    return f"{badge(lead, _LEADS[lead])} {escape(words)}" if lead in _LEADS else escape(line)


def _counted(n: int) -> str:
    return "1 record" if n == 1 else f"{n} records"


def _held(one: Preference | Fact) -> str:
    return f"since {_day(one.valid_from)}" + (f" until {_day(one.valid_to)}" if one.valid_to else "")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
