"""From what an agent did with a life to the share of its checks that it passed."""

from __future__ import annotations

import re
from collections import defaultdict

from habitus.evals.harness.records import Score
from habitus.evals.lifelong.checks import claims, declines, names, number_in
from habitus.evals.lifelong.playing import Finding, Played, Taste
from habitus.evals.lifelong.scenarios import (
    AnswerProbe,
    AppliedProbe,
    GoneProbe,
    LeakProbe,
    Scenario,
    StyleProbe,
    TruthProbe,
)
from habitus.evals.prefeval.lifelines import stems

PASSED = "passed"
_LOOKS_AT = {
    "answer": "answers",
    "truth": "records",
    "applied": "applied",
    "style": "records",
    "gone": "read_paths",
    "leak": "read_paths",
}
"""What a kind of check looks at: a view of its own beside `all`."""
_SHORT = re.compile(r"\b(?:short\w*|brief\w*|concise\w*|fewer words)\b", re.IGNORECASE)
_LONG = re.compile(r"\b(?:long\w*|detail\w*|thorough\w*|in depth|deep\w*)\b", re.IGNORECASE)


def score(scenario: Scenario, played: Played) -> Score:
    """Score one life: `passed`, the share of its checks, by what they look at."""
    views: dict[str, list[float]] = defaultdict(list)
    for check, finding in zip(scenario.checks, played.findings, strict=True):
        if finding is not None:
            value = float(passes(check.probe, finding))
            views["all"].append(value)
            views[_LOOKS_AT[check.probe.kind]].append(value)
    return Score(
        question_id=scenario.id,
        question_type=scenario.type,
        views={f"passed.{name}": {PASSED: sum(values) / len(values)} for name, values in views.items()},
    )


def passes(
    probe: AnswerProbe | TruthProbe | AppliedProbe | StyleProbe | GoneProbe | LeakProbe, finding: Finding
) -> bool:
    """Tell whether a check was passed."""
    if isinstance(probe, AnswerProbe):
        return _answers(probe, finding.answer)
    if isinstance(probe, TruthProbe):
        held = {_compared(one) for one in finding.tastes}
        right = all(_compared(one) in held for one in probe.holds)
        return right and not any(_compared(one) in held for one in probe.not_held)
    if isinstance(probe, AppliedProbe):
        applied = {_compared(one)[:2] for one in finding.tastes}
        wanted, unwanted = ((liked, stems(it)) for liked, it in (probe.wanted, probe.unwanted))
        return wanted in applied and unwanted not in applied
    if isinstance(probe, StyleProbe):
        return _wishes(finding) == {probe.wants}
    return not finding.leaks


def _answers(probe: AnswerProbe, answer: str) -> bool:
    if probe.declines:
        return declines(answer) and not any(_names_as_own(answer, wrong) for wrong in probe.wrong)
    if probe.number is not None:
        return number_in(answer) == probe.number
    assert probe.right is not None
    return names(answer, probe.right) and not any(claims(answer, one, probe.right) for one in probe.wrong)


def _names_as_own(answer: str, wrong: str) -> bool:
    """A value that the user never told of themselves, or took back, is best not named at all."""
    return claims(answer, wrong, None)


def _compared(taste: Taste) -> tuple[bool, frozenset[str], frozenset[str]]:
    liked, it, occasion = taste
    return liked, stems(it), stems(occasion)


def _wishes(finding: Finding) -> set[str]:
    """Return which of shorter and longer the wishes for length ask for."""
    held = " ".join(finding.styles)
    return {name for name, cue in (("shorter", _SHORT), ("longer", _LONG)) if cue.search(held)}
