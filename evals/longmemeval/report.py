"""From the scores of a run to `report.json` and a table.

The views are described in `habitus.evals.longmemeval.scoring`. A question that failed is in none of them;
it is listed and counted under `failures`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from habitus.evals.longmemeval.files import is_abstention
from habitus.evals.longmemeval.retrieval import Outcome
from habitus.evals.longmemeval.scoring import CONTEXT, NDCG_KS, RECALL_KS, Score
from habitus.evals.metrics import percentiles
from habitus.evals.reports.runlog import Manifest
from habitus.evals.reports.tables import (
    OVERALL,
    aggregate,
    broken,
    decimal,
    new_table,
)

SHOWN_ERRORS = 5
RANKING_VIEWS = {
    "session.all": "sessions, all questions",
    "session.answerable": "sessions, without abstentions",
    "session.official": "sessions, official (user evidence)",
    "turn.answerable": "turns of both roles",
    "turn.official": "turns, official (user evidence)",
}
CONTEXT_VIEWS = {
    "context.answerable": "both roles",
    "context.user_turns": "user only",
}
_SHORT_ANSWER_COLUMNS = {
    "answer_in_context": "answer in\ncontext",
    "answer_in_packed_evidence": "in packed\nevidence",
    "answer_in_evidence": "in the\nevidence",
}
_TYPE_TABLES = {
    "session.answerable": "sessions, without abstentions",
    "turn.answerable": "turns of both roles, without abstentions",
}
_COLUMNS = {
    "r@1": "R@1",
    **{f"recall_any@{k}": f"any\n@{k}" for k in RECALL_KS if k > 1},
    **{f"recall_all@{k}": f"all\n@{k}" for k in RECALL_KS},
    **{f"ndcg@{k}": f"NDCG\n@{k}" for k in NDCG_KS},
    "mrr": "MRR",
}


def build_report(outcome: Outcome, manifest: Manifest, *, seed: int = 0) -> dict[str, Any]:
    """Return the content of `report.json`: JSON values only, means with 95 % intervals, and all `n`."""
    scores = outcome.scores
    ids = [found.question_id for found in scores] + [found.question_id for found in outcome.failures]
    report: dict[str, Any] = {
        "benchmark": manifest.benchmark,
        "questions": {
            "selected": len(ids),
            "finished": len(scores),
            "failed": len(outcome.failures),
            "abstentions": sum(map(is_abstention, ids)),
        },
        "failures": [
            failure.model_dump(exclude={"traceback"}, exclude_none=True) for failure in outcome.failures
        ],
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap over questions", "seed": seed},
    }
    for view, groups in aggregate(scores, seed=seed).items():
        level, _, convention = view.partition(".")
        report.setdefault(level, {})[convention] = {
            group: {metric: asdict(estimate) for metric, estimate in estimates.items()}
            for group, estimates in groups.items()
        }
    if scores:
        if recalled := [float(score.context_tokens) for score in scores if score.recalled]:
            report["context_tokens"] = percentiles(recalled)
        report["latency_ms"] = _latencies(scores)
        report["routes"] = dict(Counter(route for score in scores for route in score.routes).most_common())
    report["manifest"] = manifest.model_dump(mode="json")
    return report


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """Print the tables of a report."""
    if haystack := _haystack(report["manifest"]["settings"]):
        console.print(haystack, "")
    for part in _parts(report):
        console.print(part, "")
    if judge := report.get("judge"):
        from habitus.evals.harness.judged import print_judge

        print_judge(judge, console)


def _parts(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    views = [view for view in RANKING_VIEWS if _groups(report, view)]
    if views:
        overall = {RANKING_VIEWS[view]: _groups(report, view)[OVERALL] for view in views}
        yield _ranking_table("LongMemEval retrieval, overall", overall)
    for view, title in _TYPE_TABLES.items():
        types = {group: row for group, row in _groups(report, view).items() if group != OVERALL}
        if types:
            yield _ranking_table(f"By question type: {title}", types)
    yield from _updates(report)
    if _groups(report, "context.answerable"):
        yield _context_table(report)
    if len(_budgets(report)) > 1:
        yield _budget_table(report)
    yield from _counting(report)
    if short := _groups(report, "context.short_answers"):
        found, kept, possible = (short[OVERALL][name] for name in _SHORT_ANSWER_COLUMNS)
        yield (
            f"Answers of at most five words that stand in the packed context: {decimal(found['mean'])}, "
            f"in what is packed of the evidence: {decimal(kept['mean'])}, "
            f"in the evidence itself: {decimal(possible['mean'])}, n={found['n']}"
        )
    if replies := _groups(report, "reply.short_answers"):
        share = replies[OVERALL]["containment"]
        yield (
            "Replies that contain the answer (answers of at most five words, not judged accuracy): "
            f"{decimal(share['mean'])} ({decimal(share['low'])}-{decimal(share['high'])}), n={share['n']}"
        )
    yield from _answers(report)
    if "latency_ms" in report:
        yield _latency_table(report["latency_ms"])
    if failed := report["questions"]["failed"]:
        yield Text(f"Failed questions, in none of these figures: {failed}", style="bold red")
        errors = Counter(failure["error"] for failure in report["failures"])
        yield "\n".join(escape(f"{n} x {error}") for error, n in errors.most_common(SHOWN_ERRORS))


def _updates(report: Mapping[str, Any]) -> Iterator[str]:
    if updates := _groups(report, "updates.answerable"):
        share = updates[OVERALL]["newest_first"]
        yield (
            "Updated knowledge, the newest evidence ranked above the older: "
            f"{decimal(share['mean'])} ({decimal(share['low'])}-{decimal(share['high'])}), n={share['n']}"
        )


def _counting(report: Mapping[str, Any]) -> Iterator[str]:
    shares = []
    for budget, level in _budgets(report).items():
        if groups := _groups(report, f"{level}.counting"):
            found = groups[OVERALL]["all_evidence_in_context"]
            interval = f"{decimal(found['low'])}-{decimal(found['high'])}"
            shares.append(f"{budget:,} tokens {decimal(found['mean'])} ({interval}), n={found['n']}")
    if shares:
        yield f"Counting over several sessions, every evidence turn in the context: {'; '.join(shares)}"


def _haystack(settings: Mapping[str, Any]) -> str:
    """Say what the haystacks are if they are not the file's own."""
    if n_sessions := settings.get("sessions"):
        return f"Haystacks of {n_sessions} sessions, enlarged with fillers"
    return "All sessions of all these questions are one user's memory" if settings.get("pooled") else ""


def _latencies(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    values: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        for step, value in score.latency_ms.items():
            values[step].append(value)
    return {step: percentiles(found) for step, found in values.items()}


def _groups(report: Mapping[str, Any], view: str) -> Mapping[str, Any]:
    level, _, convention = view.partition(".")
    found: Mapping[str, Any] = report.get(level, {}).get(convention, {})
    return found


def _ranking_table(title: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    table = new_table(title, "", ["n", *_COLUMNS.values()])
    for name, row in rows.items():
        table.add_row(
            broken(name), str(row["mrr"]["n"]), *(decimal(row[metric]["mean"]) for metric in _COLUMNS)
        )
    return table


def _context_table(report: Mapping[str, Any]) -> Table:
    budget = report["manifest"]["settings"].get("context_tokens")
    headings = [part for name in CONTEXT_VIEWS.values() for part in ("n", name, "uncut")]
    table = new_table(f"Every evidence turn in the packed context ({budget} tokens)", "", headings)
    for group in _groups(report, "context.answerable"):
        cells: list[str] = []
        for view in CONTEXT_VIEWS:
            row = _groups(report, view).get(group)
            shares = [row[name] for name in ("all_evidence_in_context", "all_evidence_uncut")] if row else []
            cells += [str(shares[0]["n"]) if shares else "0", *(decimal(share["mean"]) for share in shares)]
            cells += [""] * (2 - len(shares))
        table.add_row(broken(group), *cells)
    return table


def _answers(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Say what is right, what the replies cost and what prompts left out."""
    if _groups(report, "judged.all"):
        yield _judged_table(report)
    if usage := report.get("usage"):
        cost = "" if usage["cost"] is None else f", {usage['cost']:.4f} USD"
        counted = f", tokens of {usage['n_estimated']} estimated" if usage["n_estimated"] else ""
        yield (
            f"Model under test: {usage['n_calls']} calls, {usage['input_tokens']:,} tokens read, "
            f"{usage['output_tokens']:,} written{cost}{counted}"
        )
    if (share := report.get("harness_share")) is not None:
        yield f"The run took {report['seconds']:,.1f} s, {share:.1%} of it outside the agent"
    for part, found in report.get("cut", {}).items():
        yield f"Cut to fit: {part} in {found['questions']} questions, {decimal(found['kept'])} of it kept"


def _judged_table(report: Mapping[str, Any]) -> Table:
    table = new_table("Replies that the judge calls right", "", ["n", "accuracy", "95 % interval"])
    for view, prefix in (("judged.all", ""), ("judged.abstention", "no answer in the history: ")):
        for group, row in _groups(report, view).items():
            if not prefix or group == OVERALL:
                found = row["accuracy"]
                interval = f"{decimal(found['low'])}-{decimal(found['high'])}"
                table.add_row(f"{prefix}{broken(group)}", str(found["n"]), decimal(found["mean"]), interval)
    return table


def _budgets(report: Mapping[str, Any]) -> dict[int, str]:
    """Return the level of views of each budget, smallest budget first."""
    budgets = {int(level.partition("@")[2]): level for level in report if level.startswith(f"{CONTEXT}@")}
    if CONTEXT in report:
        budgets[report["manifest"]["settings"]["context_tokens"]] = CONTEXT
    return dict(sorted(budgets.items()))


def _budget_table(report: Mapping[str, Any]) -> Table:
    headings = [*(part for name in CONTEXT_VIEWS.values() for part in ("n", name))]
    headings += ["n", *_SHORT_ANSWER_COLUMNS.values()]
    table = new_table("Every evidence turn in the packed context, by budget", "tokens", headings)
    for budget, level in _budgets(report).items():
        columns = [
            *((f"{level}.{view.partition('.')[2]}", ["all_evidence_in_context"]) for view in CONTEXT_VIEWS),
            (f"{level}.short_answers", list(_SHORT_ANSWER_COLUMNS)),
        ]
        cells: list[str] = []
        for view, metrics in columns:
            row = _groups(report, view).get(OVERALL, {})
            cells += [str(row[metrics[0]]["n"]) if row else "0"]
            cells += [decimal(row[metric]["mean"]) if row else "" for metric in metrics]
        table.add_row(f"{budget:,}", *cells)
    return table


def _latency_table(latencies: Mapping[str, Mapping[str, float]]) -> Table:
    ranks = [rank for rank in next(iter(latencies.values())) if rank != "n"]
    table = new_table("Milliseconds a question", "", ["n", *ranks])
    for step, found in latencies.items():
        table.add_row(step, str(found["n"]), *(f"{found[rank]:,.1f}" for rank in ranks))
    return table
