"""Fitting the generator without weights: which sentence answers, and whether one does at all.

The second fit learns from answerable questions alone. Each is put as it is, without its evidence, and with
one word exchanged for a neighbour in meaning that the user never said ("guitar" for "violin"), which makes
it unanswerable in the way that LongMemEval's own abstention questions are. Those take no part in it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from habitus.agent.generators.extractive import ExtractiveChat
from habitus.agent.generators.extractive.asked import read
from habitus.agent.generators.extractive.choosing import Calibration, Evidence
from habitus.agent.generators.extractive.evidence import Said, said_in
from habitus.agent.prompting.prompt import PromptParts, parse
from habitus.evals.ablation.choice import Choice, fit, folds
from habitus.evals.longmemeval.answering import Answered, Asked, judge, summarise
from habitus.evals.longmemeval.scoring import SHORT_ANSWER_WORDS
from habitus.evals.metrics import containment, normalize_answer
from habitus.retrievers.analysis import analyze

if TYPE_CHECKING:
    from habitus.retrievers.encoder import Encoder

N_FOLDS = 5
DECLINED = 0.15
"""Share of answerable questions that the fit lets the generator decline."""
_CHANGES = 2
"""Words of a question that are exchanged, one at a time."""
_NEAREST = 40
_NEAR, _SAME = 0.3, 0.8
_L2 = 0.2


@dataclass(frozen=True)
class _Case:
    """A question with its sentences, and those that hold its evidence."""

    asked: Asked
    parts: PromptParts
    said: list[Said]
    holds: npt.NDArray[np.bool_]
    changed: tuple[str, ...]


def out_of_fold(asked: Sequence[Asked], encoder: Encoder) -> dict[str, Any]:
    """Fit on four fifths of the questions and reply to the rest, five times; and fit on all."""
    cases = [_case(one) for one in asked]
    cases = _with_changes(cases, encoder)
    fold = folds([one.id for one in asked], N_FOLDS)
    answers: list[Answered] = []
    declined: dict[str, list[bool]] = {"without evidence": [], "a word exchanged": []}
    for number in range(N_FOLDS):
        calibration = calibrate([c for c in cases if fold[c.asked.id] != number], encoder)
        generator = ExtractiveChat(encoder=encoder, calibration=calibration)
        for case in (c for c in cases if fold[c.asked.id] == number):
            answers.append(judge(case.asked, str(generator.invoke(list(case.asked.messages)).text)))
            if not case.asked.is_abstention:
                gone = [one for one, holds in zip(case.said, case.holds, strict=True) if not holds]
                declined["without evidence"].append(
                    _declines(case.parts.text, case.parts, gone, encoder, calibration)
                )
                declined["a word exchanged"] += [
                    _declines(text, case.parts, case.said, encoder, calibration) for text in case.changed
                ]
    return {
        "out_of_fold": summarise(answers),
        "changed_declined": {
            name: {"n": len(found), "declined": round(sum(found) / len(found), 3)}
            for name, found in declined.items()
            if found
        },
        "calibration": asdict(calibrate(cases, encoder)),
    }


def calibrate(cases: Sequence[_Case], encoder: Encoder) -> Calibration:
    """Fit both models on some questions; those without an answer are passed over."""
    cases = [case for case in cases if not case.asked.is_abstention]
    weights = fit([one for case in cases if (one := _choice(case, encoder)) is not None], l2=_L2)
    ranked = Calibration(tuple(round(float(one), 2) for one in weights), (0.0,) * 4, 0.0)
    answerable: list[npt.NDArray[np.float64]] = []
    others: list[npt.NDArray[np.float64]] = []
    for case in cases:
        text = case.parts.text
        gone = [one for one, holds in zip(case.said, case.holds, strict=True) if not holds]
        answerable += _signs(text, case.parts, case.said, encoder, ranked)
        others += _signs(text, case.parts, gone, encoder, ranked)
        for changed in case.changed:
            others += _signs(changed, case.parts, case.said, encoder, ranked)
    signs = np.array([*answerable, *others])
    scale = signs.std(axis=0) + 1e-9
    rows = np.column_stack([signs / scale, np.ones(len(signs))])
    enough = (
        fit(
            [
                Choice(
                    np.stack([row, np.zeros(len(row))]),
                    np.array([place < len(answerable), place >= len(answerable)]),
                )
                for place, row in enumerate(rows)
            ],
            l2=1.0,
        )[:-1]
        / scale
    )
    bias = -float(np.quantile(np.array(answerable) @ enough, DECLINED))
    return Calibration(ranked.weights, tuple(round(float(one), 3) for one in enough), round(bias, 3))


def _case(asked: Asked) -> _Case:
    parts = parse(asked.messages)
    about_replies = read(parts.text, parts.at).about_replies
    said = [one for one in said_in(parts) if one.by_user or about_replies]
    evidence = [" ".join(text.split()) for text in asked.evidence]
    holds = np.array([any(one.text in text for text in evidence) for one in said], dtype=np.bool_)
    return _Case(asked, parts, said, holds, ())


def _choice(case: _Case, encoder: Encoder) -> Choice | None:
    """Return the choice between the sentences of a question whose short answer stands in one of them."""
    gold = normalize_answer(case.asked.answer)
    question = read(case.parts.text, case.parts.at)
    if not 0 < len(gold.split()) <= SHORT_ANSWER_WORDS or question.about_replies or not case.holds.any():
        return None
    has = np.array([containment(one.text, case.asked.answer) > 0 for one in case.said], dtype=np.bool_)
    relevant = case.holds & has
    if not relevant.any():
        return None
    return Choice(Evidence(case.said, encoder).features(question), relevant)


def _signs(
    text: str, parts: PromptParts, said: Sequence[Said], encoder: Encoder, calibration: Calibration
) -> list[npt.NDArray[np.float64]]:
    question = read(text, parts.at)
    evidence = Evidence(said, encoder, calibration)
    found = evidence.found(question)
    return [evidence.signs(question, found)] if found else []


def _declines(
    text: str, parts: PromptParts, said: Sequence[Said], encoder: Encoder, calibration: Calibration
) -> bool:
    question = read(text, parts.at)
    evidence = Evidence(said, encoder, calibration)
    return evidence.confidence(question, evidence.found(question)) < 0.0


def _with_changes(cases: Sequence[_Case], encoder: Encoder) -> list[_Case]:
    """Add to each answerable question its versions with one word exchanged."""
    rng = random.Random(0)
    words: dict[str, str] = {}
    for case in cases:
        for word in read(case.parts.text, None).words:
            if word.isalpha() and len(word) > 2:
                words.setdefault(analyze(word)[0], word.lower())
    vocabulary = list(words.values())
    vectors = encoder.encode(vocabulary)
    found: list[_Case] = []
    for case in cases:
        said = {stem for one in case.said for stem in analyze(one.text)}
        told = {
            stem
            for one, holds in zip(case.said, case.holds, strict=True)
            if holds
            for stem in analyze(one.text)
        }
        own = [
            word
            for word in read(case.parts.text, None).words
            if word.isalpha() and len(word) > 3 and set(analyze(word)) <= told
        ]
        rng.shuffle(own)
        changed: list[str] = []
        for word in own if not case.asked.is_abstention else ():
            cosines = vectors @ encoder.encode([word.lower()])[0]
            near = [
                vocabulary[place]
                for place in np.argsort(-cosines)[:_NEAREST].tolist()
                if _NEAR < cosines[place] < _SAME and analyze(vocabulary[place])[0] not in said
            ][:5]
            if near and len(changed) < _CHANGES:
                other = rng.choice(near)
                other = other if word.islower() else other.capitalize()
                changed.append(re.sub(rf"\b{re.escape(word)}\b", other, case.parts.text))
        found.append(_Case(case.asked, case.parts, case.said, case.holds, tuple(changed)))
    return found
