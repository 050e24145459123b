"""`habitus eval prefeval`: a run from its options to its files and tables."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.running import check_positive, open_agent, progress, scratch_in

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.evals.longmemeval.files import HaystackSession
    from habitus.evals.prefeval.files import PrefEval
    from habitus.evals.prefeval.scores import Row
    from habitus.evals.reports.runlog import Manifest
    from habitus.retrievers.encoder import Encoder

FILLER_TURNS = 14_000
CONTEXT_TOKENS = 2_000
_NEEDS_DISTRACTORS = "it needs --distractors"

Show = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class PrefEvalOptions:
    """What a run is asked for.

    Raises:
        UsageError: a number is below 1.
    """

    data: Path
    distractors: Path | None = None
    out: Path | None = None
    limit: int | None = None
    lives: int = 200
    distractor_turns: int = 300

    def __post_init__(self) -> None:
        check_positive(limit=self.limit, lives=self.lives, distractor_turns=self.distractor_turns)


def run_prefeval(options: PrefEvalOptions, prepare: Callable[[], Encoder]) -> int:
    """Measure the rows, write the report if there is a folder for it, print the tables, return 0.

    Args:
        options: what is asked for.
        prepare: makes the encoder; called once the data turned out to be readable.

    Raises:
        DatasetError: a data file cannot be used.
    """
    from rich.console import Console

    from habitus.evals.prefeval.files import distractor_sessions, read_prefeval
    from habitus.evals.prefeval.report import build_report, print_report, write_lists
    from habitus.evals.reports.tables import write_report

    data = read_prefeval(options.data, limit=options.limit)
    sessions = distractor_sessions(options.distractors, FILLER_TURNS) if options.distractors else []
    encoder = prepare()
    manifest = _manifest(options, encoder)
    with _scratch(options.out) as scratch, progress("PrefEval", _n_steps(data, options)) as show:
        agent = open_agent(scratch, encoder, CONTEXT_TOKENS)
        with agent:
            rows = list(_rows(data, sessions, agent, encoder, options, _Steps(show)))
    skipped: dict[str, str] = {}
    if not sessions:
        skipped |= dict.fromkeys(("filler", "after_distractors"), _NEEDS_DISTRACTORS)
    report = build_report(rows, skipped, manifest)
    console = Console()
    print_report(report, console)
    if options.out is not None:
        for path in (write_report(options.out, report), *write_lists(options.out, rows)):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return 0


class _Steps:
    def __init__(self, show: Show) -> None:
        self._show = show
        self._n_done = 0

    def counting(self, what: str) -> Callable[[], None]:
        def advance() -> None:
            self._n_done += 1
            self._show(self._n_done, what)

        self._show(self._n_done, what)
        return advance


def _n_steps(data: PrefEval, options: PrefEvalOptions) -> float:
    n_users = len(data.explicit) if options.distractors else 0
    return float(n_users + len(data.explicit) // max(1, len(data.topics)) + 2 * options.lives)


def _rows(
    data: PrefEval,
    sessions: list[HaystackSession],
    agent: Agent,
    encoder: Encoder,
    options: PrefEvalOptions,
    steps: _Steps,
) -> Iterator[Row]:
    from habitus.evals.prefeval import agent as whole
    from habitus.evals.prefeval import extraction as parts
    from habitus.evals.prefeval.lifelines import LATER, life_lines

    steps.counting("extraction")
    yield parts.explicit_row(data.explicit, encoder)
    if sessions:
        yield parts.filler_row(sessions)
    yield parts.persona_row(data.personas, encoder)
    yield parts.choice_row(data.choices, encoder)
    yield parts.options_row(data.options, encoder)
    if sessions:
        yield whole.distracted_row(
            data.explicit,
            sessions,
            agent,
            encoder,
            n_turns=options.distractor_turns,
            advance=steps.counting("after distractors"),
        )
    yield whole.together_row(data.explicit, agent, encoder, advance=steps.counting("one per topic"))
    yield whole.lives_row(life_lines(options.lives), agent, advance=steps.counting("life lines"))
    others = life_lines(options.lives, said=LATER)
    yield whole.lives_row(others, agent, later=True, advance=steps.counting("life lines in other words"))


@contextmanager
def _scratch(out: Path | None) -> Iterator[Path]:
    if out is None:
        with tempfile.TemporaryDirectory(prefix="habitus-") as folder:
            yield Path(folder)
    else:
        with scratch_in(out) as folder_in_out:
            yield folder_in_out


def _manifest(options: PrefEvalOptions, encoder: Encoder) -> Manifest:
    settings = {
        "limit": options.limit,
        "lives": options.lives,
        "distractors": options.distractors.name if options.distractors else None,
        "distractor_turns": options.distractor_turns,
    }
    return describe_folder("prefeval", options.data, encoder.fingerprint, settings)


def describe_folder(
    benchmark: str,
    data: Path,
    encoder: str,
    settings: Mapping[str, Any],
    prompts: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest of a run on a folder of files that starts now."""
    from habitus.evals.reports.runlog import describe_run

    files = sorted(data.rglob("*.json"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(data).as_posix().encode())
        digest.update(path.read_bytes())
    described = describe_run(benchmark, files[0], encoder, settings, prompts)
    return described.model_copy(update={"data_file": data.name, "data_sha256": digest.hexdigest()})
