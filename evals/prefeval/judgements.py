"""What was judged by hand: is a preference taken from ordinary turns the user's own, and lasting?

`judged/filler_preferences.jsonl` holds one line for each preference that was taken from the filler
sessions of LongMemEval (MIT licence) when it was written: verdict, reason where it is wrong, and the
record. Right is what the user says of themselves, with the right stance, and what can be understood
without the turns before it; what is meant for one task or trip is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

from habitus.memory.records import Preference

Verdict = Literal["right", "wrong"]
Span = tuple[str, str]
"""Stance and quotation of a preference: what a verdict is found by."""


def span_of(preference: Preference) -> Span:
    """Return what a preference is found by among those judged."""
    return preference.stance, preference.evidence[0].quote


def filler_verdicts() -> Mapping[Span, Verdict]:
    """Read the verdicts on preferences from filler sessions.

    Raises:
        ValueError: the file holds a line that is no verdict.
    """
    text = (files("habitus.evals.prefeval") / "judged" / "filler_preferences.jsonl").read_text(
        encoding="utf-8"
    )
    verdicts: dict[Span, Verdict] = {}
    for number, line in enumerate(text.splitlines(), 1):
        told = json.loads(line)
        verdict: Verdict = told["verdict"]
        if verdict not in ("right", "wrong"):
            raise ValueError(f"line {number}: verdict is {verdict!r}, expected 'right' or 'wrong'")
        verdicts[told["stance"], told["span"]] = verdict
    return verdicts
