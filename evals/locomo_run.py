"""`habitus eval locomo`: which share of a question's evidence is among the first messages recalled.

Both speakers are people, and no message is an assistant's: each conversation is one user's memory, and every
message is the user's, with its speaker in front ('Ann said, "..."') and the caption of a picture behind it,
as the official code words them. Nothing is learnt from it, since it tells of two people. Questions have no
dates; they are asked after the last message.

Beside the agent a baseline ranks by the cosine of the question and the whole message, worded the same,
in vectors of the same encoder; its sessions are ranked by their best message.

Of a question's evidence, ids that occur in no message are left out; a question without any is not scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from habitus.evals.evaluated import USER_ID, RecallingAgent
from habitus.evals.locomo import CATEGORIES, LocomoConversation, LocomoQuestion, read_locomo
from habitus.evals.metrics import Estimate, bootstrap
from habitus.evals.report import OVERALL, metrics_table, write_report
from habitus.evals.runlog import Finished, RunLog, describe_run
from habitus.evals.running import progress, scratch_in
from habitus.memory.records import Conversation, Message

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.evals.running import AgentUnderTest
    from habitus.retrievers.encoder import Encoder

KS = (5, 10, 20)
AGENT, BASELINE = "agent", "turn cosine"

Rows = Mapping[str, Mapping[str, float]]
"""By system, values by metric, of one question."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """How one question went."""

    question_id: str
    category: str
    systems: Rows


def run_locomo(
    data: Path, out: Path, prepare: Callable[[], tuple[AgentUnderTest, Encoder]]
) -> dict[str, Any]:
    """Run the benchmark, write its files and return the report.

    Taken up again, it asks the conversations that are not finished.

    Args:
        data: a LoCoMo file.
        out: folder for run.jsonl, manifest.json and report.json.
        prepare: makes the agent, opened once a conversation, and the baseline's encoder; called once the
            data file turned out to be readable.

    Raises:
        DatasetError: the data file cannot be used.
        RunLogError: the output folder cannot be used for this run.
    """
    conversations = read_locomo(data)
    agent, encoder = prepare()
    manifest = describe_run("locomo", data, agent.encoder, {"categories": list(CATEGORIES)})
    scored: list[Scored] = []
    with (
        RunLog(out, manifest, Finished) as log,
        scratch_in(out) as scratch,
        progress("LoCoMo", len(conversations)) as show,
    ):
        for number, conversation in enumerate(conversations, start=1):
            questions = [asked for asked in conversation.questions if asked.evidence]
            results = _finished(conversation, questions, agent, log, scratch / str(number))
            plain = cosine_rankings(conversation, questions, encoder)
            scored += [
                score_question(conversation, asked, results[asked.id], plain[asked.id]) for asked in questions
            ]
            show(number, f"{len(scored)} questions")
        report = build_report(scored, conversations)
        report["manifest"] = log.manifest.model_dump(mode="json")
        write_report(out, report)
    return report


def _finished(
    conversation: LocomoConversation,
    questions: Sequence[LocomoQuestion],
    agent: AgentUnderTest,
    log: RunLog[Finished],
    folder: Path,
) -> dict[str, Finished]:
    """Return all results of a conversation, by question; those that the log lacks are asked for."""
    kept = {asked.id: result for asked in questions if (result := log.get(asked.id)) is not None}
    left = [asked for asked in questions if asked.id not in kept]
    if left:
        folder.mkdir()
        with agent.open(folder) as opened:
            for made in ask_all(opened, conversation, left):
                log.append(made)
                kept[made.question_id] = made
    return kept


def ask_all(
    agent: RecallingAgent, conversation: LocomoConversation, questions: Sequence[LocomoQuestion]
) -> Iterator[Finished]:
    """Bring a conversation into a fresh agent and put the questions, one result each."""
    sessions = {f"session-{number:04d}": one for number, one in enumerate(conversation.sessions, start=1)}
    agent.ingest(
        USER_ID,
        [
            Conversation(
                id=alias,
                at=one.at,
                messages=tuple(Message(role="user", text=turn.said) for turn in one.turns),
            )
            for alias, one in sessions.items()
        ],
        learn=False,
    )
    turns = {f"{alias}:{n}": turn.id for alias, one in sessions.items() for n, turn in enumerate(one.turns)}
    last = conversation.sessions[-1]
    asked_at = last.at + timedelta(seconds=len(last.turns))
    for asked in questions:
        started = perf_counter()
        recalled = agent.recall(USER_ID, asked.question, at=asked_at)
        yield Finished(
            question_id=asked.id,
            question_type=asked.category,
            routes=tuple(sorted(recalled.routes)),
            ranked_session_ids=tuple(sessions[alias].id for alias in recalled.ranked_session_ids),
            ranked_turn_ids=tuple(turns[alias] for alias in recalled.ranked_turn_ids),
            context_turn_ids=tuple(turns[packed.turn_id] for packed in recalled.evidence),
            context_texts=tuple(packed.text for packed in recalled.evidence),
            context_tokens=recalled.context_tokens,
            latency_ms={"recall": round(1e3 * (perf_counter() - started), 3)},
        )


def cosine_rankings(
    conversation: LocomoConversation, questions: Sequence[LocomoQuestion], encoder: Encoder
) -> dict[str, list[str]]:
    """Return for each question the ids of all turns by cosine, best first; ties in time order."""
    turns = [turn for session in conversation.sessions for turn in session.turns]
    cosines = encoder.encode([one.question for one in questions]) @ encoder.encode([t.said for t in turns]).T
    orders = np.argsort(-cosines, axis=1, kind="stable")
    return {one.id: [turns[row].id for row in order] for one, order in zip(questions, orders, strict=True)}


def score_question(
    conversation: LocomoConversation, asked: LocomoQuestion, result: Finished, by_cosine: Sequence[str]
) -> Scored:
    """Score the agent's ranking of turns and sessions beside the baseline's turns."""
    session_of = conversation.session_of
    plain_sessions = list(dict.fromkeys(session_of[turn] for turn in by_cosine))
    return Scored(
        question_id=asked.id,
        category=asked.category,
        systems={
            AGENT: _recalls(result.ranked_turn_ids, result.ranked_session_ids, asked.evidence, session_of),
            BASELINE: _recalls(by_cosine, plain_sessions, asked.evidence, session_of),
        },
    )


def _recalls(
    turn_ids: Sequence[str],
    session_ids: Sequence[str],
    evidence: Collection[str],
    session_of: Mapping[str, str],
) -> dict[str, float]:
    sessions = {session_of[turn] for turn in evidence}
    return {
        **{f"turn_recall@{k}": share_found(turn_ids, evidence, k) for k in KS},
        **{f"session_recall@{k}": share_found(session_ids, sessions, k) for k in KS},
    }


def share_found(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of the relevant ids that are among the first `k`: recall@k, 0..1."""
    return len(set(ranked[:k]).intersection(relevant)) / len(relevant)


def build_report(scored: Sequence[Scored], conversations: Sequence[LocomoConversation]) -> dict[str, Any]:
    """Return the content of `report.json`: by system and category, means with 95 % intervals."""
    questions = [asked for one in conversations for asked in one.questions]
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        groups[OVERALL].append(one)
        groups[one.category].append(one)
    ordered = [name for name in (OVERALL, *CATEGORIES.values()) if name in groups]
    return {
        "benchmark": "locomo",
        "questions": {
            "scored": len(scored),
            "without_evidence": sum(not asked.evidence for asked in questions),
            "unknown_evidence_ids": sum(asked.n_unknown for asked in questions),
        },
        "recall": {
            system: {name: _estimates([one.systems[system] for one in groups[name]]) for name in ordered}
            for system in (AGENT, BASELINE)
        },
    }


def _estimates(rows: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    names = list(rows[0])
    found: list[Estimate] = bootstrap([[row[name] for name in names] for row in rows])
    return {name: asdict(estimate) for name, estimate in zip(names, found, strict=True)}


def print_locomo(report: Mapping[str, Any], console: Console) -> None:
    """Print a table of recall by category, the agent above the baseline."""
    columns = {f"{level}_recall@{k}": f"{level}s\n@{k}" for level in ("turn", "session") for k in KS}
    rows = [
        (f"{group}: {system}", _n(groups[group]), {name: groups[group][name]["mean"] for name in columns})
        for group in report["recall"][AGENT]
        for system, groups in report["recall"].items()
    ]
    console.print(metrics_table("LoCoMo: share of the evidence among the first k", rows, columns), "")


def _n(row: Mapping[str, Mapping[str, int]]) -> int:
    return next(iter(row.values()))["n"]
