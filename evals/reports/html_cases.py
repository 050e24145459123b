"""What went worst in a run of any benchmark, with what was retrieved and why: pieces of the page.

Read from the run folder alone: `scores.jsonl` says how a sample went, `run.jsonl` what the agent did with it.
Everything is text of users and models, so everything is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from habitus.evals.reports.html_views import PREFERRED
from habitus.evals.reports.reading import numbered_lines, parsed
from habitus.evals.running import UsageError

MAX_SHOWN_CHARS = 600
_PLAIN = (
    ("question", "Question"),
    ("answer", "Gold"),
    ("reply", "Reply"),
    ("hypothesis", "Reply"),
    ("request", "Request"),
)
"""Fields that are shown as they are, with their headings."""


def worst_cases(folder: Path, n: int) -> list[str]:
    """Return the worst samples of a run as markup, worst first; none where a run keeps no samples.

    Raises:
        UsageError: a file of the run is damaged.
    """
    samples = {one["question_id"]: one for one in _read(folder / "run.jsonl") if "question_id" in one}
    lives = {one["id"]: one for one in _read(folder / "lives.jsonl")}
    ranked = sorted(
        ((_value(one), one["question_id"]) for one in _read(folder / "scores.jsonl")),
        key=lambda pair: pair,
    )
    return [
        _case(samples[name], value, lives.get(name))
        for value, name in [pair for pair in ranked if pair[0] < 1.0][:n]
        if name in samples
    ]


def _value(scored: Mapping[str, Any]) -> float:
    """Return the main metric of a sample, the mean over the views that have one; 1 where none does."""
    values = [
        view[metric]
        for view in scored["views"].values()
        if (metric := next((one for one in PREFERRED if one in view), None)) is not None
    ]
    return sum(values) / len(values) if values else 1.0


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    found = []
    for number, line in numbered_lines(path):
        try:
            found.append(parsed(line))
        except ValueError:
            raise UsageError(f"line {number} of {str(path)!r} is damaged") from None
    return found


def _case(one: Mapping[str, Any], value: float, life: Mapping[str, Any] | None = None) -> str:
    name, kind = str(one.get("question_id", "")), str(one.get("question_type", ""))
    parts = [f"<b>{escape(name)}</b> <span class='soft'>{escape(kind)}, scored {value:.3f}</span>"]
    parts += [
        f"<p><span class='soft'>{heading}:</span> {escape(_cut(str(one[field])))}</p>"
        for field, heading in _PLAIN
        if one.get(field)
    ]
    if one.get("found"):
        stood = [
            f"{place}: {'in the prompt' if there else 'not in the prompt'}" for place, there in one["found"]
        ]
        parts.append(_folded("Where each message of the evidence stood", stood))
    if one.get("known"):
        parts.append(_folded("Preferences it rests on", one["known"]))
    if one.get("context_texts"):
        heading = f"{len(one['context_texts'])} messages packed, {one.get('context_tokens', 0):,} tokens"
        parts.append(_folded(heading, one["context_texts"]))
    if life is not None:
        parts += _life(one, life)
    return f'<div class="case">{"".join(parts)}</div>'


def _life(one: Mapping[str, Any], life: Mapping[str, Any]) -> Iterator[str]:
    """Show a life of the lifelong suite: who the user is, what was said, and the checks that failed."""
    from habitus.evals.lifelong.playing import Finding
    from habitus.evals.lifelong.scenarios import Scenario
    from habitus.evals.lifelong.scoring import passes

    yield _folded("The hidden profile", life["profile"])
    yield _folded(f"What the user said ({len(one['said'])} messages)", one["said"])
    for check, raw in zip(Scenario.model_validate(life).checks, one["findings"], strict=True):
        finding = None if raw is None else Finding.model_validate(raw)
        if finding is None or passes(check.probe, finding):
            continue
        wanted = check.probe.model_dump(
            exclude={"kind", "user", "question", "request"}, exclude_defaults=True
        )
        yield f"<p><b>{escape(finding.asked or check.probe.kind)}</b></p>"
        yield f"<p><span class='soft'>Expected:</span> {escape(_worded(wanted))}</p>"
        if finding.answer:
            yield f"<p><span class='soft'>Answer:</span> {escape(_cut(finding.answer))}</p>"
        if finding.leaks:
            yield f"<p class='miss'>Came back: {escape(_worded(finding.leaks))}</p>"
        if finding.tastes or finding.styles:
            held = [*(_taste(*one) for one in finding.tastes), *finding.styles]
            yield f"<p><span class='soft'>Held:</span> {escape('; '.join(held))}</p>"
        if finding.retrieved:
            yield _folded(f"{len(finding.retrieved)} memories retrieved", finding.retrieved)
        if finding.why:
            yield _folded("Why", [finding.why])


def _taste(liked: bool, it: str, occasion: str | None) -> str:
    return f"{'likes' if liked else 'dislikes'} {it}" + (f" ({occasion})" if occasion else "")


def _worded(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {_flat(value)}" for name, value in values.items())


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        if len(value) == 3 and isinstance(value[0], bool):
            return _taste(*value)
        return ", ".join(map(_flat, value))
    return str(value)


def _folded(summary: str, texts: Iterable[str]) -> str:
    quotes = "".join(f"<blockquote>{escape(_cut(str(text)))}</blockquote>" for text in texts)
    return f"<details><summary>{escape(summary)}</summary>{quotes}</details>"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + " …"


def failed_cases(failures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the samples that could not be evaluated."""
    for failure in failures:
        yield f'<p class="case">{escape(failure["question_id"])} failed: {escape(failure["error"])}</p>'
