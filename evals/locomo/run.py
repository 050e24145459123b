"""`habitus eval locomo`: is a question's evidence among the first messages recalled, and is it answered?

Both speakers are people, and no message is an assistant's: each conversation is one user's memory, and every
message is the user's, with its speaker in front ('Ann said, "..."') and the caption of a picture behind it,
as the official code words them. Nothing is learnt from it, since it tells of two people. Questions have no
dates; they are asked after the last message, and none of them is remembered.

Beside the agent a baseline ranks by the cosine of the question and the whole message, worded the same,
in vectors of the same encoder; its sessions are ranked by their best message.

Of a question's evidence, ids that occur in no message are left out; recall is of categories 1 to 4 and of
questions with evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.adapters.arms import HABITUS
from habitus.evals.harness.shards import Shard
from habitus.evals.running import FAILED, AgentUnderTest, UsageError, check_positive, progress, scratch_in

if TYPE_CHECKING:
    from habitus.evals.harness.judged import JudgeOptions
    from habitus.evals.harness.records import Score
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.locomo.files import LocomoConversation
    from habitus.evals.locomo.solving import Asked
    from habitus.evals.longmemeval.answers import Answering
    from habitus.evals.reports.runlog import Finished, RunLog
    from habitus.memory.usage import Price
    from habitus.retrievers.encoder import Encoder

Prepared = tuple["AgentUnderTest | Answering", "Encoder"]
"""The agent, and the encoder of the baseline."""


@dataclass(frozen=True, kw_only=True)
class LocomoOptions:
    """What a run is asked for.

    Attributes:
        data: a LoCoMo file.
        out: folder for run.jsonl, manifest.json, scores.jsonl and report.json.
        limit: only the first questions of each conversation.
        with_replies: ask for replies as well, and the adversarial questions.
        agent: the arm, or `module:factory` of somebody's agent.
        generator: name of the chat model under test; by default the one without weights.
        price: of its tokens.
        judge: of the replies.
        concurrency: questions at once.
        shard: only these questions.

    Raises:
        UsageError: a number is below 1, or the options do not go together.
    """

    data: Path
    out: Path
    limit: int | None = None
    with_replies: bool = False
    agent: str = HABITUS
    generator: str | None = None
    price: Price | None = None
    judge: JudgeOptions | None = None
    concurrency: int = 1
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_positive(limit=self.limit, concurrency=self.concurrency)
        if self.judge is not None and not self.with_replies:
            raise UsageError("--judge judges replies: give --replies as well")
        if self.agent == "oracle":
            raise UsageError("--arm oracle is not for LoCoMo: all questions ask one memory")
        if self.agent != HABITUS and not self.with_replies:
            raise UsageError("only habitus tells what it recalls; for another agent give --replies")

    @property
    def settings(self) -> dict[str, Any]:
        """What of it must be the same for two results to belong to one run."""
        found: dict[str, Any] = {"categories": [1, 2, 3, 4, 5] if self.with_replies else [1, 2, 3, 4]}
        found |= {"with_replies": True} if self.with_replies else {}
        found |= {"agent": self.agent} if self.agent != HABITUS else {}
        found |= {"generator": self.generator} if self.generator else {}
        return found | (self.judge.settings if self.judge else {})


def run_locomo(options: LocomoOptions, prepare: Callable[[], Prepared]) -> int:
    """Run the benchmark, write its files, print its tables and return the exit code.

    Args:
        options: what is asked for.
        prepare: makes the agent and the encoder of the baseline; called once the data turned out to be
            readable.

    Raises:
        DatasetError: the data file cannot be used.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.harness.judged import Verdicts
    from habitus.evals.locomo.files import read_locomo
    from habitus.evals.locomo.report import build_report, print_locomo
    from habitus.evals.locomo.solving import prompts
    from habitus.evals.longmemeval.run import say_interrupted
    from habitus.evals.reports.runlog import Finished, RunLog, describe_run
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    conversations = read_locomo(options.data)
    agent, encoder = prepare()
    verdicts = None if options.judge is None else Verdicts(options=options.judge)
    told = prompts(judged=verdicts is not None) if options.with_replies else {}
    manifest = describe_run("locomo", options.data, agent.encoder, options.settings, told)
    with RunLog(options.out, manifest, Finished, options.shard) as log:
        outcome = _evaluate(list(_asked(conversations, options)), (agent, encoder), options, log, verdicts)
        write_scores(log.folder, outcome.scores)
        if verdicts is not None:
            verdicts.write(log.folder)
        if outcome.interrupted:
            return say_interrupted(log)
        report = build_report(outcome, conversations, options.price, verdicts)
        report["manifest"] = log.manifest.model_dump(mode="json")
        path = write_report(log.folder, report)
    console = Console()
    print_locomo(report, console)
    console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures or (verdicts is not None and verdicts.n_failed) else 0


def _asked(conversations: list[LocomoConversation], options: LocomoOptions) -> Iterator[Asked]:
    """Yield the questions to ask, with their conversations."""
    from habitus.evals.locomo.files import ADVERSARIAL
    from habitus.evals.locomo.solving import Asked

    for conversation in conversations:
        questions = [
            one
            for one in conversation.questions
            if options.with_replies or (one.evidence and one.category != ADVERSARIAL)
        ]
        for one in questions[: options.limit]:
            yield Asked(conversation, one)


def _evaluate(
    asked: list[Asked],
    prepared: Prepared,
    options: LocomoOptions,
    log: RunLog[Finished],
    verdicts: Any,
) -> Outcome[Score]:
    from habitus.evals.harness.runner import Outcome, run
    from habitus.evals.locomo.solving import LocomoScorer, solving

    agent, encoder = prepared
    n_all = len(range(len(asked))[:: options.shard.of if options.shard else 1])
    with (
        suppress(KeyboardInterrupt),
        scratch_in(log.folder) as scratch,
        progress("LoCoMo", n_all) as show,
        solving(agent, scratch, with_replies=options.with_replies) as solver,
    ):
        judge = None if verdicts is None else verdicts.options.make(options.out, options.shard)
        return run(
            asked,
            solver=solver,
            scorer=LocomoScorer(encoder, verdicts, judge),
            log=log,
            concurrency=options.concurrency,
            shard=options.shard,
            on_sample=lambda outcome: show(outcome.n_done, outcome.told),
        )
    return Outcome(interrupted=True)
