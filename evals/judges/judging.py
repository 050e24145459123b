"""A verdict from any chat model: constrained JSON, repaired once, by majority of votes, cached.

What a judge would not or could not say is an outcome of its own and never a score: `refused` (it chose
`cannot_judge`), `unparsed` (no verdict of the shape, not even when asked to mend it), `failed` (the
provider), `tied` (votes).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from habitus.evals.running import UsageError
from habitus.memory.errors import ChatModelError
from habitus.memory.structured import StructuredChat
from habitus.memory.usage import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Outcome = Literal["judged", "refused", "unparsed", "failed", "tied"]
CANNOT_JUDGE = "cannot_judge"
_SHAPE = (
    "\n\nAnswer with one JSON object and nothing else: "
    '{{"reason": "<one or two sentences>", "verdict": <one of {labels}>}}. '
    f'Choose "{CANNOT_JUDGE}" only if you are unable or unwilling to decide.'
)

_TAGS = re.compile(r"<(answer|explanation|preference)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is put to a judge.

    Attributes:
        instructions: the task, without the shape of the answer.
        data: what is judged; other people's words, not instructions.
        labels: the verdicts to choose from.
        tagged: the instructions themselves ask for the verdict between `<answer>` tags, as prompts from
            elsewhere do. No shape is added, nothing is asked again, and the words between
            `<explanation>` or `<preference>` tags are the reason.
    """

    instructions: str
    data: str
    labels: tuple[str, ...]
    tagged: bool = False


class Vote(BaseModel):
    """One answer of the judge; also a line of its cache."""

    model_config = ConfigDict(frozen=True)

    label: str | None
    outcome: Outcome
    reason: str = ""
    repaired: bool = False


class _Cached(BaseModel):
    key: str
    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of one case.

    Attributes:
        label: the majority's; None unless `outcome` is `judged`.
        outcome: `judged`, or why there is no label.
        votes: all of them.
        n_cached: votes that were taken from the cache, at no cost.
        usage: of the calls that were made.
    """

    label: str | None
    outcome: Outcome
    votes: tuple[Vote, ...]
    n_cached: int
    usage: Usage


class Judge:
    """Asks a chat model for verdicts.

    Args:
        model: any LangChain chat model.
        name: of the model and its settings; the cache tells judges apart by it.
        votes: how often each case is put; more than one needs a model that samples. Odd, so that two
            labels cannot tie.
        cache: file of votes, such as `judge.jsonl` in the run folder; None keeps none. Votes that failed
            or could not be read are asked for again.
        also: further files of votes that are read, such as those of a run's shards.
        timeout_seconds: a call that takes longer counts as failed.

    Raises:
        UsageError: votes are below 1 or even, or the cache is damaged.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        name: str,
        votes: int = 1,
        cache: Path | None = None,
        also: Sequence[Path] = (),
        timeout_seconds: float | None = 120.0,
    ) -> None:
        if votes < 1 or votes % 2 == 0:
            raise UsageError(f"votes must be odd, got {votes}")
        self.name = name
        self._chat = StructuredChat(model, timeout_seconds=timeout_seconds)
        self._n_votes = votes
        self._path = cache
        self._lock = Lock()
        self._votes = _read_cache(cache) if cache is not None else {}
        for path in also:
            self._votes = _read_cache(path) | self._votes

    def judge(self, case: Case) -> Judgement:
        """Return the verdict on a case. The provider's errors are outcomes and never raised."""
        votes, n_cached, usage = [], 0, Usage()
        for number in range(self._n_votes):
            key = self._key(case, number)
            vote = self._votes.get(key)
            if vote is None:
                vote, used = self._ask(case)
                usage = usage + used
                self._keep(key, vote)
            else:
                n_cached += 1
            votes.append(vote)
        label, outcome = majority(votes)
        return Judgement(label=label, outcome=outcome, votes=tuple(votes), n_cached=n_cached, usage=usage)

    def _ask(self, case: Case) -> tuple[Vote, Usage]:
        if case.tagged:
            return self._ask_tagged(case)
        choices = (*case.labels, CANNOT_JUDGE)
        pattern = f"^({'|'.join(map(re.escape, choices))})$"
        shape = create_model("Verdict", reason=(str, ""), verdict=(str, Field(pattern=pattern)))
        listed = ", ".join(f'"{choice}"' for choice in choices)
        try:
            answer = self._chat.ask(case.instructions + _SHAPE.format(labels=listed), case.data, shape)
        except ChatModelError as error:
            return Vote(label=None, outcome="failed", reason=str(error)), error.usage
        if answer.value is None:
            return Vote(label=None, outcome="unparsed"), answer.usage
        told = answer.value.model_dump()
        refused = told["verdict"] == CANNOT_JUDGE
        vote = Vote(
            label=None if refused else told["verdict"],
            outcome="refused" if refused else "judged",
            reason=told["reason"],
            repaired=answer.repaired,
        )
        return vote, answer.usage

    def _ask_tagged(self, case: Case) -> tuple[Vote, Usage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        try:
            text, usage = self._chat.converse([SystemMessage(case.instructions), HumanMessage(case.data)])
        except ChatModelError as error:
            return Vote(label=None, outcome="failed", reason=str(error)), error.usage
        tags = {name: words.strip() for name, words in _TAGS.findall(text)}
        said = tags.get("answer", "").strip("[]. \n").lower()
        if said not in case.labels:
            return Vote(label=None, outcome="unparsed"), usage
        reason = tags.get("explanation") or tags.get("preference") or ""
        return Vote(label=said, outcome="judged", reason=reason), usage

    def _key(self, case: Case, number: int) -> str:
        content = json.dumps([self.name, case.instructions, case.data, case.labels, number])
        return hashlib.sha256(content.encode()).hexdigest()

    def _keep(self, key: str, vote: Vote) -> None:
        if vote.outcome not in ("judged", "refused"):
            return
        with self._lock:
            self._votes[key] = vote
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(_Cached(key=key, vote=vote).model_dump_json() + "\n")


def majority(votes: Sequence[Vote]) -> tuple[str | None, Outcome]:
    """Return the label of most votes that have one; without any, the commonest reason for that."""
    labels = Counter(vote.label for vote in votes if vote.label is not None).most_common(2)
    if not labels:
        outcomes: Counter[Outcome] = Counter(vote.outcome for vote in votes)
        return None, outcomes.most_common(1)[0][0]
    if len(labels) == 2 and labels[0][1] == labels[1][1]:
        return None, "tied"
    return labels[0][0], "judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How a judge did over many cases; belongs beside every figure that rests on it."""

    outcomes: dict[str, int]
    n_repaired: int
    n_votes: int
    n_cached: int
    usage: Usage


def tally(judgements: Iterable[Judgement]) -> Tally:
    """Count outcomes, repairs, votes from the cache, and tokens."""
    found = list(judgements)
    votes = [vote for one in found for vote in one.votes]
    usage = Usage()
    for one in found:
        usage = usage + one.usage
    return Tally(
        outcomes=dict(Counter(one.outcome for one in found).most_common()),
        n_repaired=sum(vote.repaired for vote in votes),
        n_votes=len(votes),
        n_cached=sum(one.n_cached for one in found),
        usage=usage,
    )


def _read_cache(path: Path) -> dict[str, Vote]:
    if not path.exists():
        return {}
    votes = {}
    # A line that a crash cut off has no end and is asked for again.
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
        try:
            cached = _Cached.model_validate_json(line)
        except ValidationError:
            raise UsageError(f"line {number} of {str(path)!r} is damaged; remove that line") from None
        votes[cached.key] = cached.vote
    if whole != content:
        path.write_bytes(whole)
    return votes
