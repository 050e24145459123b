"""`habitus eval lifelong`: a run from its options to its files and tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from habitus.evals.lifelong.options import LifelongOptions
from habitus.evals.running import FAILED, progress, scratch_in

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from rich.console import Console

    from habitus.evals.harness.agents import AgentFactory, Parts
    from habitus.evals.harness.records import Score, Solver
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.lifelong.playing import Played
    from habitus.evals.lifelong.scenarios import Scenario
    from habitus.evals.reports.runlog import Manifest, RunLog

LIVES_FILE = "lives.jsonl"
VIEWS = {
    "all": "passed",
    "answers": "answers",
    "records": "records",
    "applied": "applied",
    "read_paths": "read\npaths",
}
"""Columns of the table: shares of checks, by what they look at."""


@dataclass(frozen=True, kw_only=True)
class UnderTest:
    """What is put to the test.

    Attributes:
        parts: of agents.
        agent: makes an agent of somebody else's; None tests Habitus.
        generator: for Habitus; None is the default, which needs no model.
        user_model: plays the user; None says the generated words.
        names: of all of these as the user gave them, for the manifest.
    """

    parts: Parts
    agent: AgentFactory | None = None
    generator: BaseChatModel | None = None
    user_model: BaseChatModel | None = None
    names: Mapping[str, str | None]


def run_lifelong(options: LifelongOptions, prepare: Callable[[], UnderTest]) -> int:
    """Run the suite, write its files, print its table and return the exit code.

    Args:
        options: what is asked for.
        prepare: makes what is tested.

    Raises:
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.lifelong.generating import generate
    from habitus.evals.lifelong.playing import Played
    from habitus.evals.longmemeval.run import say_interrupted
    from habitus.evals.reports.runlog import RunLog
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    lives = generate(options.n, seed=options.seed, skills=options.skills, wordings=options.wordings)
    tested = prepare()
    with TemporaryDirectory(prefix="habitus-lives-") as folder:
        path = Path(folder) / LIVES_FILE
        path.write_text("".join(f"{life.model_dump_json()}\n" for life in lives), encoding="utf-8")
        manifest = _manifest(path, options, tested)
        with RunLog(options.out, manifest, Played, options.shard) as log:
            shutil.copyfile(path, log.folder / LIVES_FILE)
            outcome = _play(lives, tested, log, options)
            write_scores(log.folder, outcome.scores)
            if outcome.interrupted:
                return say_interrupted(log)
            report = build_report(outcome, log.manifest, seed=options.seed)
            written = write_report(log.folder, report)
    console = Console()
    print_lifelong(report, console)
    console.print(f"Written: {written}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures else 0


def _manifest(lives: Path, options: LifelongOptions, tested: UnderTest) -> Manifest:
    from habitus.evals.lifelong.simulator import PROMPT
    from habitus.evals.reports.runlog import describe_run

    settings = {
        "lives": options.n,
        "seed": options.seed,
        "skills": list(options.skills),
        "wordings": list(options.wordings),
        **tested.names,
    }
    prompts = {} if tested.user_model is None else {"user": PROMPT}
    return describe_run("lifelong", lives, tested.parts.encoder.fingerprint, settings, prompts)


def _play(
    lives: Sequence[Scenario], tested: UnderTest, log: RunLog[Played], options: LifelongOptions
) -> Outcome[Score]:
    from habitus.evals.harness.runner import Outcome, run
    from habitus.evals.lifelong.scoring import score

    total = len(range(len(lives))[:: options.shard.of if options.shard else 1])
    with (
        suppress(KeyboardInterrupt),
        scratch_in(log.folder) as scratch,
        progress("Lives", total) as show,
    ):
        return run(
            lives,
            solver=_solver(tested, scratch),
            scorer=score,
            log=log,
            concurrency=options.concurrency,
            shard=options.shard,
            on_sample=lambda outcome: show(outcome.n_done, outcome.told),
        )
    return Outcome(interrupted=True)


def _solver(tested: UnderTest, scratch: Path) -> Solver[Scenario, Played]:
    from habitus.evals.lifelong.outsiders import OutsidePlayer
    from habitus.evals.lifelong.playing import HabitusPlayer
    from habitus.evals.lifelong.simulator import ModelVoice, scripted

    voice = scripted if tested.user_model is None else ModelVoice(tested.user_model)
    if tested.agent is not None:
        return OutsidePlayer(tested.agent, tested.parts, scratch, voice=voice)
    return HabitusPlayer(tested.parts.encoder, scratch, generator=tested.generator, voice=voice)


def build_report(outcome: Outcome[Score], manifest: Manifest, *, seed: int) -> dict[str, Any]:
    """Return the content of `report.json`: by set of wordings, what is looked at and skill."""
    from dataclasses import asdict

    from habitus.evals.reports.tables import aggregate

    report: dict[str, Any] = {
        "benchmark": manifest.benchmark,
        "questions": {
            "selected": len(outcome.scores) + len(outcome.failures),
            "finished": len(outcome.scores),
            "failed": len(outcome.failures),
        },
        "failures": [
            failure.model_dump(exclude={"traceback"}, exclude_none=True) for failure in outcome.failures
        ],
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap over lives", "seed": seed},
    }
    for wordings in manifest.settings["wordings"]:
        scores = [one for one in outcome.scores if f"-{wordings}-" in one.question_id]
        for view, groups in aggregate(scores, seed=seed).items():
            report.setdefault(wordings, {})[view.partition(".")[2]] = {
                group: {metric: asdict(estimate) for metric, estimate in found.items()}
                for group, found in groups.items()
            }
    report["manifest"] = manifest.model_dump(mode="json")
    return report


def print_lifelong(report: Mapping[str, Any], console: Console) -> None:
    """Print a table for each set of wordings: the share of checks passed, skill by skill."""
    from rich import box
    from rich.table import Table

    for wordings in report["manifest"]["settings"]["wordings"]:
        found = report.get(wordings, {})
        title = f"Lifelong suite, {wordings.replace('_', ' ')} wordings: checks passed"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for column in ("", "n", *VIEWS.values()):
            table.add_column(column, justify="left" if not column else "right", no_wrap=True)
        for group, row in found.get("all", {}).items():
            cells = [_cell(found.get(view, {}).get(group), view == "all") for view in VIEWS]
            table.add_row(group, str(row["passed"]["n"]), *cells)
        console.print(table)
    if failed := report["questions"]["failed"]:
        console.print(f"Failed lives, in none of these figures: {failed}", style="bold red")


def _cell(row: Mapping[str, Mapping[str, float]] | None, with_interval: bool) -> str:
    if row is None:
        return ""
    one = row["passed"]
    interval = f" [{one['low']:.2f}, {one['high']:.2f}]" if with_interval else ""
    return f"{one['mean']:.3f}{interval}"
