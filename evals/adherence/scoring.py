"""Scores of the two tasks: judged error types and quotations of a reply, or the option it chose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Lock

from habitus.evals.adherence.arms import AdherenceResult
from habitus.evals.adherence.samples import LETTERS, AdherenceSample, Message
from habitus.evals.harness.judged import Verdicts
from habitus.evals.harness.records import Score
from habitus.evals.judges.judging import Judge, Judgement
from habitus.evals.judges.prefeval import (
    ERROR_TYPES,
    Check,
    ErrorType,
    Judged,
    Wording,
    error_type,
    judge_preference,
)
from habitus.evals.metrics.texts import normalize_answer
from habitus.retrievers.passages import sentences

_CHOICE = re.compile(r"<choice>\W*([A-Z])\b[^<]*</choice>", re.IGNORECASE)
_ONLY_LETTER = re.compile(r"\W*([A-Z])\W*")
_PLAIN_QUOTES = str.maketrans("“”„‘’", '"""\'\'')
"""Generators quote in typographic marks, which `normalize_answer` leaves where they are."""
_CLAUSE = re.compile(r"[.!?,;:\n]+|\b(?:so|because|since|but)\b", re.IGNORECASE)
_MIN_WORDS = 4
"""Of a clause or sentence that counts as quoted: shorter ones turn up by chance."""


def view(sample: AdherenceSample) -> str:
    """Return the view that a sample's values are shown in, such as `explicit@010`; sorts by distance."""
    return f"{sample.form}@{sample.distance:03}"


class GenerationScorer:
    """Judges replies, and looks whether they quote the preference.

    A reply on which a deciding check has no verdict gets no judged values: it is counted in the tally of the
    judge and as `unjudged`, and in no mean of the rest.

    Args:
        judge: None looks at quotations alone.
        wording: of the judge's checks.
        verdicts: where judgements go, by `<sample id>#<check>`.
    """

    def __init__(self, judge: Judge | None, wording: Wording, verdicts: Verdicts | None) -> None:
        self._judge, self._wording, self._verdicts = judge, wording, verdicts
        self._lock = Lock()

    def __call__(self, sample: AdherenceSample, result: AdherenceResult) -> Score:
        values = quoted(sample, result.reply)
        if self._judge is not None:
            case = Judged(preference=sample.preference, question=sample.question, reply=result.reply)
            found = judge_preference(self._judge, case, self._wording)
            self._keep(sample.id, found)
            values |= judged_values(error_type(found))
        return Score(question_id=sample.id, question_type=sample.type, views={view(sample): values})

    def _keep(self, sample_id: str, found: Mapping[Check, Judgement]) -> None:
        if self._verdicts is not None:
            with self._lock:
                self._verdicts.judgements.update(
                    {f"{sample_id}#{check}": one for check, one in found.items()}
                )


def judged_values(found: ErrorType | None) -> dict[str, float]:
    """Return adherence (1 if no error type holds), each error type as 0 or 1, and if it went unjudged."""
    if found is None:
        return {"unjudged": 1.0}
    errors: dict[str, float] = {name: float(found == name) for name in ERROR_TYPES}
    return {"adherence": float(found == "none"), **errors, "unjudged": 0.0}


def quoted(sample: AdherenceSample, reply: str) -> dict[str, float]:
    """Return whether a reply quotes the preference, and how much else of what the user said.

    `named`: 1 if a clause of the stated preference, of four words or more, stands in the reply word for
    word (case, punctuation and articles aside), else 0; only where the preference was stated (form
    `explicit`). It needs no judge and no threshold fitted to the data; a reply that keeps to the preference
    without quoting it scores 0, so it says something of generators that quote, and nothing of the others.
    `named_others`: how many other sentences of the user, told in between, it quotes as well; lower is better.
    """
    if sample.form != "explicit":
        return {}
    theirs = {_key(one) for role, text in _between(sample) if role == "user" for one in sentences(text)}
    # One clause is enough: a preference may be told with its reason.
    clauses = [one for one in _CLAUSE.split(sample.preference) if _long(one)]
    stated = clauses or [sample.preference]
    others = [one for one in theirs if len(one.split()) >= _MIN_WORDS]
    said = f" {_key(reply)} "
    return {
        "named": float(any(f" {_key(one)} " in said for one in stated)),
        "named_others": float(sum(f" {one} " in said for one in others)),
    }


def _between(sample: AdherenceSample) -> list[Message]:
    return [message for conversation in sample.others for message in conversation]


def _key(text: str) -> str:
    return normalize_answer(text.translate(_PLAIN_QUOTES))


def _long(sentence: str) -> bool:
    return len(_key(sentence).split()) >= _MIN_WORDS


def choice_of(reply: str, n_options: int) -> str | None:
    """Return the letter that a reply chooses, None if it chooses none, or several.

    Counts what stands between `<choice>` tags, or a reply that is a letter and nothing else.
    """
    found = {letter.upper() for letter in _CHOICE.findall(reply)}
    if not found and (alone := _ONLY_LETTER.fullmatch(reply.upper())):
        found = {alone[1]}
    return found.pop() if len(found) == 1 and found <= set(LETTERS[:n_options]) else None


def score_choice(sample: AdherenceSample, result: AdherenceResult) -> Score:
    """Return accuracy, and whether no choice could be read: that is wrong, as in the official script."""
    chosen = choice_of(result.reply, len(sample.options))
    values = {"accuracy": float(chosen == sample.gold), "no_choice": float(chosen is None)}
    return Score(question_id=sample.id, question_type=sample.type, views={view(sample): values})
