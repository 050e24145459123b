"""LaMP's files, read and checked (Salemi et al., ACL 2024, arXiv 2304.11406).

Seven tasks: each sample is an input, a profile of the user's own items, and the gold output. The
questions and the outputs of a split are two JSON files. Source: lamp-benchmark.github.io, which states the
terms of use; the texts keep the terms of where they were taken from, and those of LaMP-6 (Avocado) must be
licensed from the LDC. Nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from habitus.evals.benchmarks.cases import Case, History, Source
from habitus.evals.benchmarks.files import read_json
from habitus.evals.benchmarks.profiles import START, profile_session
from habitus.evals.longmemeval.files import DatasetError

SOURCE = Source(
    "LaMP",
    "arXiv 2304.11406",
    "https://lamp-benchmark.github.io",
    "see the site; the texts keep the terms of where they were taken from, LaMP-6 needs a licence of the LDC",
)
Kind = Literal["classification", "rating", "generation"]


@dataclass(frozen=True, slots=True)
class LampTask:
    """One of the seven tasks.

    Attributes:
        name: in words.
        kind: decides the metrics: accuracy and F1, MAE and RMSE, or ROUGE-1 and ROUGE-L.
        fields: what each item of a profile holds besides its id.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...]


TASKS: Mapping[int, LampTask] = {
    1: LampTask("citation identification", "classification", ("title", "abstract")),
    2: LampTask("movie tagging", "classification", ("tag", "description")),
    3: LampTask("product rating", "rating", ("text", "score")),
    4: LampTask("news headline generation", "generation", ("text", "title")),
    5: LampTask("scholarly title generation", "generation", ("title", "abstract")),
    6: LampTask("email subject generation", "generation", ("text", "title")),
    7: LampTask("tweet paraphrasing", "generation", ("text",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LampSample:
    """One input of one user.

    Attributes:
        id: of the sample.
        input: what the system is asked.
        profile: the user's items, field by field, in the file's order.
        output: gold; None where the split has no outputs.
    """

    id: str
    input: str
    profile: tuple[Mapping[str, str], ...]
    output: str | None


def read_lamp(task: int, questions: Path, outputs: Path | None = None) -> list[LampSample]:
    """Read one split of a task.

    Args:
        task: 1 to 7.
        questions: the split's `*_questions.json`.
        outputs: its `*_outputs.json`; test splits have none.

    Raises:
        DatasetError: a file is missing, is not LaMP, or belongs to another task or split.
    """
    if task not in TASKS:
        raise DatasetError(f"LaMP has the tasks 1 to 7, not {task!r}")
    records = read_json(questions, SOURCE)
    if not isinstance(records, list) or not records:
        raise DatasetError(f"{questions.name} is not LaMP: expected an array of questions")
    golds = None if outputs is None else _golds(task, outputs)
    samples = [
        _sample(task, record, golds, f"{questions.name}, record {n}") for n, record in enumerate(records, 1)
    ]
    if len({sample.id for sample in samples}) != len(samples):
        raise DatasetError(f"{questions.name} repeats an id")
    return samples


def lamp_cases(task: int, samples: list[LampSample], limit: int | None = None) -> list[Case]:
    """Return the samples that have a gold output as cases of a benchmark.

    Raises:
        DatasetError: none has; test splits come without outputs.
    """
    cases = [
        Case(
            id=f"LaMP_{task}-{sample.id}",
            type=TASKS[task].name,
            kind=TASKS[task].kind,
            history=History(
                sample.id,
                tuple(
                    profile_session(f"{place}-{number}", number, item)
                    for number, item in enumerate(sample.profile)
                ),
            ),
            question=sample.input,
            at=START + timedelta(days=len(sample.profile)),
            gold=sample.output,
        )
        for place, sample in enumerate(samples)
        if sample.output is not None
    ]
    if not cases:
        raise DatasetError("no sample has a gold output: give the split's *_outputs.json as well")
    return cases[:limit]


def _golds(task: int, path: Path) -> dict[str, str]:
    content = read_json(path, SOURCE)
    try:
        name, golds = content["task"], {str(gold["id"]): str(gold["output"]) for gold in content["golds"]}
    except (KeyError, TypeError):
        raise DatasetError(
            f"{path.name} is not LaMP: expected `task` and `golds` of `id` and `output`"
        ) from None
    if name != f"LaMP_{task}":
        raise DatasetError(f"{path.name} holds the outputs of {name}, not of LaMP_{task}")
    return golds


def _sample(task: int, record: Any, golds: Mapping[str, str] | None, where: str) -> LampSample:
    if not isinstance(record, dict) or not isinstance(record.get("profile"), list):
        raise DatasetError(f"{where} is not LaMP: expected an object with a `profile` array")
    missing = [name for name in ("id", "input") if not isinstance(record.get(name), str)]
    if missing:
        raise DatasetError(f"{where} is not LaMP: `{missing[0]}` is no string")
    fields = TASKS[task].fields
    for place, item in enumerate(record["profile"]):
        lost = [
            name
            for name in fields
            if not isinstance(item, dict) or not isinstance(item.get(name), (str, int))
        ]
        if lost:
            raise DatasetError(f"{where}, profile item {place}: LaMP_{task} has a `{lost[0]}` there")
    if golds is not None and record["id"] not in golds:
        raise DatasetError(f"{where}: the outputs hold no {record['id']!r}; are the files of one split?")
    return LampSample(
        id=record["id"],
        input=record["input"],
        profile=tuple({name: str(item[name]) for name in fields} for item in record["profile"]),
        output=None if golds is None else golds[record["id"]],
    )
