"""`habitus eval prefeval`, the tasks for whatever talks: a run from its options to its files and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.adherence.options import AGENT, AdherenceOptions
from habitus.evals.running import FAILED, progress, scratch_in

if TYPE_CHECKING:
    from habitus.evals.adherence.arms import AdherenceResult, Solver
    from habitus.evals.adherence.prompts import ArmPrompts
    from habitus.evals.adherence.samples import AdherenceSample, Distractors
    from habitus.evals.harness.agents import Parts
    from habitus.evals.harness.judged import Verdicts
    from habitus.evals.harness.records import Score
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.judges.prefeval import Wording
    from habitus.evals.prefeval.files import PrefEval
    from habitus.evals.reports.runlog import Manifest, RunLog


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a run puts to its models."""

    prompts: ArmPrompts
    wording: Wording
    verdicts: Verdicts | None

    @property
    def texts(self) -> dict[str, str]:
        """For the manifest; of the official words, which are not ours to copy, the sha256."""
        found = {f"arm: {name}": text for name, text in self.prompts.texts.items()}
        if self.verdicts is not None:
            found |= {f"judge: {name}": text for name, text in self.wording.texts.items()}
        if self.prompts.name == "own":
            return found
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in found.items()}


def run_adherence(options: AdherenceOptions, parts: Parts) -> int:
    """Run a task, write its files, print its tables and return the exit code.

    Args:
        options: what is asked for.
        parts: generator and encoder; made when they are first needed.

    Raises:
        DatasetError: a data file cannot be used.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.adherence.arms import AdherenceResult
    from habitus.evals.adherence.page import write_adherence_page
    from habitus.evals.adherence.samples import read_distractors
    from habitus.evals.adherence.summary import print_tables
    from habitus.evals.harness.judged import print_judge
    from habitus.evals.longmemeval.run import say_interrupted
    from habitus.evals.prefeval.files import read_prefeval
    from habitus.evals.reports.runlog import RunLog
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    data = read_prefeval(options.data, limit=options.limit)
    most = max(options.asked_distances)
    distractors = None
    if options.distractors is not None and most:
        distractors = read_distractors(options.distractors, data.topics, most, seed=options.seed)
    asked = _words(options)
    manifest = _manifest(options, parts, asked)
    with RunLog(options.out, manifest, AdherenceResult, options.shard) as log:
        outcome = _evaluate(data, distractors, parts, asked, log, options)
        write_scores(log.folder, outcome.scores)
        if asked.verdicts is not None:
            asked.verdicts.write(log.folder)
        if outcome.interrupted:
            return say_interrupted(log)
        report = _report(outcome, log.manifest, asked, options)
        written = write_report(log.folder, report)
        page = write_adherence_page(log.folder)
    console = Console()
    print_tables(report, console)
    if "judge" in report:
        print_judge(report["judge"], console)
    for path in (written, page):
        console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures or _n_unjudged(asked) else 0


def _words(options: AdherenceOptions) -> _Asked:
    from habitus.evals.adherence.prompts import OWN_PROMPTS, official_prompts
    from habitus.evals.harness.judged import Verdicts
    from habitus.evals.judges.prefeval import OWN, official_wording

    clone = options.official
    return _Asked(
        prompts=OWN_PROMPTS if clone is None else official_prompts(clone),
        wording=OWN if clone is None else official_wording(clone),
        verdicts=None if options.judge is None else Verdicts(options=options.judge),
    )


def _n_unjudged(asked: _Asked) -> int:
    """Checks on which the judge's provider failed; they are put again when the run is taken up again."""
    found = asked.verdicts.judgements.values() if asked.verdicts is not None else ()
    return sum(one.outcome == "failed" for one in found)


def _manifest(options: AdherenceOptions, parts: Parts, asked: _Asked) -> Manifest:
    from habitus.evals.prefeval.run import describe_folder

    encoded = options.arm in (AGENT, "rag")
    settings = options.settings
    if options.distractors is not None:
        with options.distractors.open("rb") as file:
            settings["distractors_sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    fingerprint = parts.encoder.fingerprint if encoded else "none"
    return describe_folder("prefeval", options.data, fingerprint, settings, asked.texts)


def _evaluate(
    data: PrefEval,
    distractors: Distractors | None,
    parts: Parts,
    asked: _Asked,
    log: RunLog[AdherenceResult],
    options: AdherenceOptions,
) -> Outcome[Score]:
    from habitus.evals.adherence.samples import make_samples, n_samples
    from habitus.evals.harness.runner import Outcome, run

    forms, distances = options.asked_forms, options.asked_distances
    samples = make_samples(
        data,
        task=options.asked_task,
        forms=forms,
        distances=distances,
        distractors=distractors,
        seed=options.seed,
    )
    total = len(range(n_samples(data, forms, distances))[:: options.shard.of if options.shard else 1])
    with (
        suppress(KeyboardInterrupt),
        scratch_in(log.folder) as scratch,
        progress("PrefEval", total) as show,
    ):
        return run(
            samples,
            solver=_solver(parts, asked.prompts, scratch, options),
            scorer=_scorer(asked, options),
            log=log,
            concurrency=options.concurrency,
            shard=options.shard,
            on_sample=lambda outcome: show(outcome.n_done, outcome.told),
        )
    return Outcome(interrupted=True)


def _solver(parts: Parts, prompts: ArmPrompts, scratch: Path, options: AdherenceOptions) -> Solver:
    from habitus.evals.adherence.arms import AgentArm, ChatArm, HabitusArm
    from habitus.evals.harness.agents import load_agent

    if options.arm != AGENT:
        return ChatArm(parts.generator, options.arm, prompts, lambda: parts.encoder)
    if options.agent is not None:
        return AgentArm(load_agent(options.agent), parts, scratch, prompts)
    from habitus.agent.agent import Agent

    def open_agent(folder: Path) -> Agent:
        generator = parts.generator if parts.has_generator else None
        return Agent.open(folder, encoder=parts.encoder, generator=generator)

    return HabitusArm(open_agent, scratch, prompts)


def _scorer(asked: _Asked, options: AdherenceOptions) -> Callable[[AdherenceSample, AdherenceResult], Score]:
    from habitus.evals.adherence.scoring import GenerationScorer, score_choice

    if options.asked_task == "classification":
        return score_choice
    judge = options.judge.make(options.out, options.shard) if options.judge is not None else None
    return GenerationScorer(judge, asked.wording, asked.verdicts)


def _report(
    outcome: Outcome[Score], manifest: Manifest, asked: _Asked, options: AdherenceOptions
) -> dict[str, Any]:
    from habitus.evals.adherence.summary import build_report
    from habitus.evals.longmemeval.answers import usage_report

    report = build_report(outcome, manifest, task=options.asked_task, seed=options.seed)
    if outcome.usage.n_calls:
        report["usage"] = usage_report(outcome.usage, options.price)
    if asked.verdicts is not None:
        report["judge"] = asked.verdicts.report()
    return report
