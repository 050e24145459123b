"""A judge for a whole run: made of options, its verdicts kept by sample, summed up and set beside people's.

`judge.jsonl` keeps its votes, so a run that is taken up, or merged from shards, asks for none twice.
`judgements.jsonl` holds one verdict a sample, and can be the labels of another run (`--labels`): so the
agreement of two judges, or of two wordings, is measured as that with people is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.harness.models import JUDGE_KEY, chat_model
from habitus.evals.harness.options import ModelOptions
from habitus.evals.harness.shards import Shard, run_folder, shard_folders
from habitus.evals.judges.agreement import agreement, read_labels
from habitus.evals.judges.judging import Case, Judge, Judgement, tally
from habitus.memory.usage import Price

if TYPE_CHECKING:
    from rich.console import Console

VOTES_FILE = "judge.jsonl"
VERDICTS_FILE = "judgements.jsonl"


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """The judge that a run is asked for.

    Attributes:
        name: of the chat model.
        votes: odd; more than one are taken at the provider's temperature, one at 0.
        timeout_seconds, retries: of its calls.
        price: of its tokens.
        labels: file of people's labels to set its verdicts beside.
    """

    name: str
    votes: int = 1
    timeout_seconds: float = 120.0
    retries: int = 5
    price: Price | None = None
    labels: Path | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What of it must be the same for two results to belong to one run."""
        return {"judge": self.name, "judge_votes": self.votes}

    def make(self, out: Path, shard: Shard | None = None) -> Judge:
        """Make the judge of a run in a folder; call it once the folder is this run's.

        Raises:
            UsageError: there is no such model, or a cache is damaged.
        """
        temperature = 0.0 if self.votes == 1 else None
        options = ModelOptions(
            temperature=temperature, timeout_seconds=self.timeout_seconds, retries=self.retries
        )
        model = chat_model(self.name, options, JUDGE_KEY)
        return Judge(
            model,
            name=f"{self.name}, temperature {temperature}",
            votes=self.votes,
            cache=run_folder(out, shard) / VOTES_FILE,
            also=[folder / VOTES_FILE for folder in shard_folders(out)] if shard is None else (),
            # The client keeps to its own limit, retries included; this one is for clients that do not.
            timeout_seconds=(self.timeout_seconds + 60.0) * (self.retries + 1),
        )


@dataclass(kw_only=True)
class Verdicts:
    """What a judge said in a run, by sample.

    Raises:
        UsageError: the labels cannot be read.
    """

    options: JudgeOptions
    judgements: dict[str, Judgement] = field(default_factory=dict)
    _labels: Mapping[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.options.labels is not None:
            self._labels = read_labels(self.options.labels)

    @property
    def n_failed(self) -> int:
        """Samples on which the judge's provider failed; they are judged when the run is taken up again."""
        return sum(one.outcome == "failed" for one in self.judgements.values())

    def accuracy(self, judge: Judge, sample_id: str, case: Case) -> dict[str, float] | None:
        """Put a case with the labels yes and no to a judge; return the metric, None without a label."""
        self.judgements[sample_id] = judgement = judge.judge(case)
        return None if judgement.label is None else {"accuracy": float(judgement.label == "yes")}

    def write(self, folder: Path) -> None:
        """Write `judgements.jsonl`: id, label (null where there is none), outcome and reason."""
        lines = [
            {
                "id": sample_id,
                "label": judgement.label,
                "outcome": judgement.outcome,
                "reason": _reason(judgement),
            }
            for sample_id, judgement in sorted(self.judgements.items())
        ]
        part = (folder / VERDICTS_FILE).with_suffix(".part")
        part.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        part.replace(folder / VERDICTS_FILE)

    def report(self) -> dict[str, Any]:
        """Return how the judge did: outcomes, repairs, tokens, cost, agreement with the labels if any."""
        counted = tally(self.judgements.values())
        price = self.options.price
        found: dict[str, Any] = {"name": self.options.name, **asdict(counted)}
        found["cost"] = None if price is None else price.of(counted.usage)
        if self.options.labels is not None:
            found["agreement"] = {"labels": self.options.labels.name, **self._agreement()}
        return found

    def _agreement(self) -> dict[str, Any]:
        common = [case for case in self._labels if case in self.judgements]
        if not any(self.judgements[case].label for case in common):
            return {"n": 0, "n_unjudged": len(common), "agreed": None, "kappa": None}
        return asdict(agreement(self.judgements, self._labels))


def _reason(judgement: Judgement) -> str:
    return next((vote.reason for vote in judgement.votes if vote.label == judgement.label), "")


def print_judge(report: Mapping[str, Any], console: Console) -> None:
    """Print how the judge did, refusals and what could not be read among it."""
    outcomes = ", ".join(f"{n} {outcome}" for outcome, n in report["outcomes"].items())
    usage = report["usage"]
    cost = "" if report["cost"] is None else f", {report['cost']:.4f} USD"
    console.print(
        f"Judge {report['name']}: {outcomes}; only those judged are in the figures. "
        f"{report['n_votes']} votes ({report['n_cached']} kept, {report['n_repaired']} repaired), "
        f"{usage['input_tokens']:,} + {usage['output_tokens']:,} tokens{cost}.",
        highlight=False,
        markup=False,
    )
    if agreed := report.get("agreement"):
        figures = (
            f"{agreed['agreed']:.3f}, Cohen's kappa {agreed['kappa']:.3f}" if agreed["n"] else "none to tell"
        )
        console.print(
            f"Agreement with {agreed['labels']}: {figures} "
            f"(n={agreed['n']}, {agreed['n_unjudged']} labelled but not judged).",
            highlight=False,
            markup=False,
        )
