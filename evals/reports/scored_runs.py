"""The scores of finished runs, question by question: written by a run, read to compare and report it.

A run folder holds `manifest.json`, and the values of each question either in `scores.jsonl` (one line
a question: `question_id`, `question_type` and `views`, metric values by view; any benchmark can write
it) or, for LongMemEval, in `run.jsonl`, which is scored again against the data file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from habitus.evals.reports.reading import numbered_lines, parsed
from habitus.evals.reports.runlog import Finished, Manifest
from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from habitus.evals.harness.records import Score

SCORES_FILE = "scores.jsonl"


class QuestionScores(BaseModel):
    """One line of `scores.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    question_type: str
    views: dict[str, dict[str, float]]
    """Metric values by view; a view that does not apply to the question is absent."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder as read."""

    folder: Path
    manifest: Manifest
    scores: Mapping[str, QuestionScores]
    """By question id."""


def write_scores(folder: Path, scores: Iterable[Score]) -> Path:
    """Write `scores.jsonl`, so that a run can be compared without its data file."""
    path = folder / SCORES_FILE
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for score in scores:
            line = QuestionScores(
                question_id=score.question_id,
                question_type=score.question_type,
                views={view: dict(values) for view, values in score.views.items()},
            )
            file.write(line.model_dump_json() + "\n")
    part.replace(path)
    return path


def read_run(folder: Path, data: Path | None = None) -> Run:
    """Read a run folder.

    Args:
        folder: of a run.
        data: file that the run was made on, for a LongMemEval run without `scores.jsonl`.

    Raises:
        UsageError: the folder holds no run, a file is damaged, or the scores need a data file that is not
            given or is another one.
        DatasetError: the data file cannot be used.
    """
    manifest = read_manifest(folder)
    if (folder / SCORES_FILE).exists():
        scores = _read_lines(folder / SCORES_FILE)
    else:
        scores = _score_again(folder, manifest, data)
    return Run(folder, manifest, {score.question_id: score for score in scores})


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises:
        UsageError: the folder holds none, or a damaged one.
    """
    path = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{str(folder)!r} holds no manifest.json, so it is no run folder") from None
    except ValidationError:
        raise UsageError(f"{str(path)!r} is not the manifest of a run") from None


def _read_lines(path: Path) -> list[QuestionScores]:
    found = []
    for number, line in numbered_lines(path):
        try:
            found.append(QuestionScores.model_validate_json(line))
        except ValidationError:
            raise UsageError(f"line {number} of {str(path)!r} holds no scores of a question") from None
    return found


def _score_again(folder: Path, manifest: Manifest, data: Path | None) -> list[QuestionScores]:
    missing = f"{str(folder)!r} holds no {SCORES_FILE}"
    if manifest.benchmark != "longmemeval":
        raise UsageError(f"{missing}; run the benchmark again to write it")
    if not {"sessions", "pooled"}.isdisjoint(manifest.settings):
        raise UsageError(f"{missing}, and its haystacks are not those of the file; run it again")
    if data is None:
        raise UsageError(f"{missing}; give --data {manifest.data_file} to score it")
    from habitus.evals.longmemeval.files import SampleReader
    from habitus.evals.longmemeval.scoring import score

    with data.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.data_sha256:
            raise UsageError(f"{str(folder)!r} was not made on {str(data)!r}: the sha256 differs")
    results = read_finished(folder)
    scored: list[Score] = []
    with SampleReader(data) as reader:
        for sample in reader:
            if sample.id in results:
                scored.append(score(sample, results[sample.id]))
    write_scores(folder, scored)
    return _read_lines(folder / SCORES_FILE)


def read_finished(folder: Path) -> dict[str, Finished]:
    """Read what the system under test did with each question, by question id.

    Raises:
        UsageError: the folder holds no `run.jsonl`, or a damaged one.
    """
    path = folder / "run.jsonl"
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        raise UsageError(f"{str(folder)!r} holds no run.jsonl") from None
    found = {}
    for number, line in enumerate(lines, start=1):
        try:
            if "error" not in parsed(line):
                result = Finished.model_validate_json(line)
                found[result.question_id] = result
        except ValueError:
            raise UsageError(f"line {number} of {str(path)!r} is damaged") from None
    return found
