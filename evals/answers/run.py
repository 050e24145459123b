"""`habitus eval answers`: LongMemEval's questions put to the generator without weights, reply by reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.harness.records import Result, Score
from habitus.evals.harness.runner import Outcome, run
from habitus.evals.harness.shards import Shard
from habitus.evals.longmemeval.answering import Answered, Asked, ask, judge, summarise
from habitus.evals.longmemeval.files import Sample, SampleReader
from habitus.evals.reports.runlog import RunLog, describe_run
from habitus.evals.reports.scored_runs import write_scores
from habitus.evals.reports.tables import write_report
from habitus.evals.running import check_positive, progress, scratch_in

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.agent.generators.extractive import ExtractiveChat
    from habitus.retrievers.encoder import Encoder


class Replied(Result):
    """A reply."""

    reply: str


@dataclass(frozen=True, kw_only=True)
class AnswerScore(Score):
    """A reply against its gold.

    Views: `reply.all`, whether it declines and how long it is, of questions with an answer; the same of
    those without under `reply.abstention`; `reply.short_answers`, see `habitus.evals.longmemeval.answering`.
    """

    answered: Answered


def run_answers(
    data: Path,
    out: Path,
    encoder: Callable[[], Encoder],
    *,
    limit: int | None,
    refit: bool,
    concurrency: int = 1,
    shard: Shard | None = None,
) -> dict[str, Any] | None:
    """Ask, judge, write `run.jsonl`, `scores.jsonl` and `answers.json`, and return the report.

    Taken up again, it asks the questions that are not finished. None if it was interrupted.

    Raises:
        UsageError: a number is below 1.
        DatasetError: the data file cannot be used.
        RunLogError: the output folder cannot be used for this run.
    """
    check_positive(limit=limit, concurrency=concurrency)
    from habitus.agent.generators.extractive import ExtractiveChat

    with SampleReader(data) as reader:
        samples = iter(reader)
        first = next(samples)
        made = encoder()
        manifest = describe_run("answers", data, made.fingerprint, {"refit": True} if refit else {})
        with RunLog(out, manifest, Replied, shard) as log, scratch_in(log.folder) as scratch:
            asker = _Asker(made, ExtractiveChat(encoder=made), scratch)
            with progress("LongMemEval", limit or 1.0) as show:
                outcome = run(
                    islice(chain([first], samples), limit),
                    solver=asker,
                    scorer=_score,
                    log=log,
                    concurrency=concurrency,
                    shard=shard,
                    on_sample=lambda found: show(
                        found.n_done if limit else min(reader.fraction, 0.99), found.told
                    ),
                )
            write_scores(log.folder, outcome.scores)
            if outcome.interrupted:
                return None
            report = _report(outcome)
            if refit:
                from habitus.evals.answers.fit import out_of_fold

                report |= out_of_fold(asker.every(data, outcome), made)
        report["manifest"] = log.manifest.model_dump(mode="json")
        write_report(log.folder, report, "answers.json")
    return report


class _Asker:
    """The solver; keeps the prompts, which a fit needs."""

    def __init__(self, encoder: Encoder, generator: ExtractiveChat, scratch: Path) -> None:
        self._encoder, self._generator, self._scratch = encoder, generator, scratch
        self._asked: dict[str, Asked] = {}

    def __call__(self, sample: Sample) -> Replied:
        asked = self._asked[sample.id] = ask(sample, self._encoder, self._scratch)
        reply = str(self._generator.invoke(list(asked.messages)).text)
        return Replied(question_id=sample.id, question_type=sample.type, reply=reply)

    def every(self, data: Path, outcome: Outcome[AnswerScore]) -> list[Asked]:
        """Return the prompts of all finished questions; those of an earlier run are made again."""
        ids = [one.question_id for one in outcome.scores]
        missing = set(ids) - self._asked.keys()
        if missing:
            with SampleReader(data) as reader:
                for sample in reader:
                    if sample.id in missing:
                        self._asked[sample.id] = ask(sample, self._encoder, self._scratch)
        return [self._asked[one] for one in ids]


def _score(sample: Sample, result: Replied) -> AnswerScore:
    answered = judge(sample, result.reply)
    said = {"declined": float(answered.declined), "n_words": float(answered.n_words)}
    views = {"reply.abstention" if answered.abstention else "reply.all": said}
    if answered.contained is not None and answered.numbers_alike is not None:
        views["reply.short_answers"] = {
            "containment": answered.contained,
            "numbers_alike": answered.numbers_alike,
        }
    return AnswerScore(question_id=sample.id, question_type=sample.type, views=views, answered=answered)


def _report(outcome: Outcome[AnswerScore]) -> dict[str, Any]:
    return {
        "answers": summarise([one.answered for one in outcome.scores]),
        "failures": [one.model_dump(exclude={"traceback"}, exclude_none=True) for one in outcome.failures],
        "seconds": round(outcome.seconds, 3),
    }


def print_answers(report: Mapping[str, Any], console: Console) -> None:
    """Print the tables of a report."""
    from rich import box
    from rich.table import Table

    titles = {
        "answers": "Replies without a language model",
        "out_of_fold": "The same, weights fitted on the rest",
    }
    for key, title in titles.items():
        if key not in report:
            continue
        columns = (
            "",
            "n",
            "declined",
            "short\nanswers",
            "contained",
            "numbers\nalike",
            "mean\nwords",
            "most",
        )
        table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
        for name, row in report[key].items():
            shares = (row["contained"], row["numbers_alike"])
            shown = ["" if one is None else f"{one:.3f}" for one in shares]
            words = (f"{row['mean_words']:.1f}", str(row["max_words"]))
            table.add_row(name, str(row["n"]), f"{row['declined']:.3f}", str(row["n_short"]), *shown, *words)
        console.print(table)
    if failures := report["failures"]:
        console.print(f"Failed questions, in none of these figures: {len(failures)}; {failures[0]['error']}")
    if "calibration" in report:
        console.print("Fitted on all:", report["calibration"], highlight=False)
        console.print("Changed questions declined, out of fold:", report["changed_declined"], highlight=False)
