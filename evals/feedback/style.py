"""Replies in a given style, and the style that a prompt asks for.

The renderer stands in for a language model: it gives the same points in the style it is told to. What it
is told it reads from the persona and the preferences in the prompt, as sentences of plain English, and
knows nothing of who asks.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from habitus.agent.prompting.prompt import PromptParts
from habitus.evals.feedback.texts import (
    CLOSING,
    DOMAINS,
    EMOJI,
    EXAMPLE,
    FRAMES,
    GREETING,
    HEADING,
    HEDGE,
    LANGUAGES,
    POINTS,
    QUESTION,
    Domain,
)

Form = Literal["prose", "bullets", "numbers"]
Tone = Literal["plain", "casual", "formal"]
FLAGS = ("greeting", "closing", "emojis", "examples", "heading", "question", "hedging")
MAX_POINTS = 12


@dataclass(frozen=True)
class Style:
    """How a reply is written; `n_points` counts 1 to 12, `words` takes its place where it is given."""

    n_points: int = 6
    form: Form = "prose"
    tone: Tone = "plain"
    language: str = "English"
    greeting: bool = False
    closing: bool = False
    emojis: bool = False
    examples: bool = False
    heading: bool = False
    question: bool = False
    hedging: bool = False
    words: int | None = None
    liked: frozenset[str] = frozenset()
    """Options to be proposed where they fit."""
    disliked: frozenset[str] = frozenset()


def domain_of(request: str) -> Domain:
    """Return what a request is about."""
    found = [domain for domain in DOMAINS if request in domain.requests]
    if not found:
        raise ValueError(f"no such request: {request!r}")
    return found[0]


def default_style(request: str) -> Style:
    """Return the style that a model falls into by itself: it differs from request to request."""
    rng = random.Random(hashlib.blake2b(request.encode(), digest_size=8).digest())
    return Style(
        n_points=rng.randint(5, 9),
        form=rng.choice(("prose", "bullets", "bullets", "numbers")),
        tone=rng.choice(("plain", "plain", "plain", "casual", "formal")),
        greeting=rng.random() < 0.3,
        closing=rng.random() < 0.5,
        emojis=rng.random() < 0.25,
        examples=rng.random() < 0.3,
        heading=rng.random() < 0.25,
        question=rng.random() < 0.4,
        hedging=rng.random() < 0.25,
    )


def write(request: str, style: Style) -> str:
    """Write the reply to a request in a style."""
    if style.words is None:
        return _written(request, style)
    tries = [replace(style, n_points=n, words=None) for n in range(1, MAX_POINTS + 1)]
    texts = [_written(request, one) for one in tries]
    wanted = style.words
    return min(texts, key=lambda text: abs(len(text.split()) - wanted))


def _written(request: str, style: Style) -> str:
    language = style.language
    frame, proposal = _frames(language, style.tone)
    option = _option(request, style) if language == "English" else None
    first = [proposal.format(option)] if option is not None else []
    places = list(range(len(POINTS[language])))
    random.Random(request).shuffle(places)
    points = [*first, *(frame.format(POINTS[language][place]) for place in places)][: style.n_points]
    lines = [GREETING[language]] if style.greeting else []
    lines += [HEADING[language]] if style.heading else []
    lines += _shaped(points, style.form)
    lines += [EXAMPLE[language]] if style.examples else []
    lines += [HEDGE] if style.hedging and language == "English" else []
    lines += [EMOJI] if style.emojis else []
    lines += [CLOSING[language]] if style.closing else []
    lines += [QUESTION[language]] if style.question else []
    return "\n".join(lines)


def _frames(language: str, tone: Tone) -> tuple[str, str]:
    return FRAMES[language, tone if language == "English" else "plain"]


def _shaped(points: Sequence[str], form: Form) -> list[str]:
    if form == "bullets":
        return [f"- {point}" for point in points]
    if form == "numbers":
        return [f"{number}. {point}" for number, point in enumerate(points, start=1)]
    return [" ".join(points)]


def _option(request: str, style: Style) -> str:
    """Propose what is liked, else the first that is not disliked, in an order of the request's own."""
    options = list(domain_of(request).options)
    random.Random(request + "?").shuffle(options)
    liked = [one for one in options if one in style.liked]
    allowed = [one for one in options if one not in style.disliked]
    return (liked or allowed or options)[0]


def seen(reply: str) -> Style:
    """Return the style that a reader sees in a reply; of the length only the words."""
    lines = reply.splitlines()
    forms: dict[str, Form] = {"- ": "bullets", "1.": "numbers"}
    marked: list[Form] = [forms[line[:2]] for line in lines if line[:2] in forms]
    form: Form = marked[0] if marked else "prose"
    language, tone = next(
        (
            key
            for key, frames in FRAMES.items()
            if any(frame.split("{}")[0].strip() in reply for frame in frames)
        ),
        ("English", "plain"),
    )
    marks = {
        "greeting": GREETING[language],
        "closing": CLOSING[language],
        "emojis": EMOJI,
        "examples": EXAMPLE[language],
        "heading": HEADING[language],
        "question": QUESTION[language],
        "hedging": HEDGE,
    }
    flags: dict[str, Any] = {flag: mark in lines for flag, mark in marks.items()}
    return Style(form=form, tone=tone, language=language, words=len(reply.split()), **flags)


_NEGATIVE = re.compile(
    r"\b(?:not|no|never|don't|doesn't|without|skip|stop|avoid|hate|dislikes?|fewer|less|too many|can't)\b",
    re.I,
)
_SPOKEN = (
    ("greeting", re.compile(r"\bgreetings?\b", re.I)),
    ("closing", re.compile(r"\b(?:closing phrases?|closings?|sign-offs?)\b", re.I)),
    ("emojis", re.compile(r"\bemojis?\b", re.I)),
    ("examples", re.compile(r"\bexamples?\b", re.I)),
    ("heading", re.compile(r"\bheadings?\b", re.I)),
    ("question", re.compile(r"\bfollow-?\s?up questions?\b", re.I)),
    ("hedging", re.compile(r"\bhedging\b", re.I)),
)
_ABOUT = re.compile(r"\babout (\d+) words\b")


def told_lines(parts: PromptParts) -> list[str]:
    """Return what the prompt says of the user, the general before what is meant for this request."""
    sections = (parts.sections.get(name, "") for name in ("persona", "preferences"))
    return [line for section in sections for line in section.splitlines() if line.strip()]


def read_style(lines: Iterable[str], request: str) -> Style:
    """Return the style that sentences about the user ask for; later ones prevail."""
    style = default_style(request)
    for line in lines:
        style = _with_line(style, line, domain_of(request))
    return style


def _with_line(style: Style, line: str, domain: Domain) -> Style:
    wanted = _NEGATIVE.search(line) is None
    low = line.lower()
    for flag, pattern in _SPOKEN:
        if pattern.search(line):
            style = replace(style, **{flag: wanted})  # type: ignore[arg-type]
    style = _with_form(style, low, wanted)
    style = _with_length(style, line, low)
    for tone in ("casual", "formal"):
        if re.search(rf"\b{tone}\b", low):
            style = replace(style, tone=tone) if wanted else _without_tone(style, tone)
    for language in LANGUAGES:
        if re.search(rf"\b(?:in|replies in|answer in) {language}\b", line, re.I) and wanted:
            style = replace(style, language=language)
    named = {option for option in domain.options if _names(low, option)}
    if named and wanted:
        style = replace(style, liked=style.liked | named, disliked=style.disliked - named)
    elif named:
        style = replace(style, disliked=style.disliked | named, liked=style.liked - named)
    return style


def _without_tone(style: Style, tone: str) -> Style:
    return replace(style, tone="plain") if style.tone == tone else style


def _with_form(style: Style, low: str, wanted: bool) -> Style:
    for form, pattern in (
        ("bullets", r"\bbullets?\b|\bbullet points\b"),
        ("numbers", r"\bnumbered lists?\b"),
    ):
        if re.search(pattern, low):
            if wanted:
                style = replace(style, form=form)  # type: ignore[arg-type]
            elif style.form == form:
                style = replace(style, form="prose")
    return style


def _with_length(style: Style, line: str, low: str) -> Style:
    if number := _ABOUT.search(line):
        return replace(style, words=int(number[1]))
    if style.words is None and re.search(r"\bshort(?:er)?\b|\bbrief\b|\btoo long\b", low):
        return replace(style, n_points=3)
    if style.words is None and re.search(r"\bdetailed\b|\blonger\b|\btoo short\b", low):
        return replace(style, n_points=10)
    return style


def _names(low: str, option: str) -> bool:
    words = re.sub(r"^(?:a|the)\s+", "", option.lower())
    return re.search(rf"\b{re.escape(words)}\b", low) is not None
