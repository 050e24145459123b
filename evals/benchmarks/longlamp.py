"""LongLaMP (Kumar et al., 2024, arXiv 2407.11016): long texts in the user's own manner.

Three public tasks in two settings (`user`, `temporal`), as JSONL or a JSON array with a user's id, `input`,
`output` and `profile`; the files of the hub are Parquet and are to be exported first (`to_json` of the
library `datasets`). The fourth, e-mail completion, is made from the Avocado collection, which must be
licensed from the LDC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from habitus.evals.benchmarks.cases import Case, History, Source
from habitus.evals.benchmarks.files import Place, place, read_json, read_jsonl
from habitus.evals.benchmarks.profiles import START, profile_session
from habitus.evals.longmemeval.files import DatasetError

SOURCE = Source(
    "LongLaMP",
    "arXiv 2407.11016",
    "https://huggingface.co/datasets/LongLaMP/LongLaMP",
    "see the dataset's page; the texts keep the terms of where they were taken from",
)


@dataclass(frozen=True, slots=True)
class LongLampTask:
    """One of the tasks: the field with the user's id, and what an item of a profile holds."""

    user: str
    fields: tuple[str, ...]


TASKS: Mapping[str, LongLampTask] = {
    "abstract_generation": LongLampTask("name", ("title", "abstract")),
    "product_review": LongLampTask("reviewerId", ("description", "overall", "summary", "reviewText")),
    "topic_writing": LongLampTask("author", ("summary", "content")),
}


def read_longlamp(task: str, path: Path, limit: int | None = None) -> list[Case]:
    """Read one split of a task.

    Args:
        task: one of `TASKS`.
        path: .jsonl, or .json with an array.
        limit: only the first samples.

    Raises:
        DatasetError: the task is unknown, or the file is missing, malformed or of another task.
    """
    if task not in TASKS:
        raise DatasetError(f"LongLaMP has the tasks {', '.join(TASKS)}, not {task!r}")
    cases: list[Case] = []
    for record in _records(path):
        if limit is not None and len(cases) == limit:
            break
        cases.append(_case(task, record, len(cases)))
    if not cases:
        raise DatasetError(f"{path.name} holds no sample")
    return cases


def _records(path: Path) -> Iterator[Place]:
    if path.suffix == ".jsonl":
        for where, value in read_jsonl(path, SOURCE):
            yield place(value, where, SOURCE)
    else:
        yield from place(read_json(path, SOURCE), path.name, SOURCE).items()


def _case(task: str, record: Place, number: int) -> Case:
    kind = TASKS[task]
    user = str(record.field(kind.user).value)
    sessions = tuple(
        profile_session(
            f"{number}-{place_}", place_, {name: str(item.field(name).value) for name in kind.fields}
        )
        for place_, item in enumerate(record.field("profile").items())
    )
    return Case(
        id=f"{task}-{number}",
        type=task,
        kind="generation",
        history=History(f"{user}-{number}", sessions),
        question=record.field("input").text(),
        at=START + timedelta(days=len(sessions)),
        gold=record.field("output").text(),
    )
