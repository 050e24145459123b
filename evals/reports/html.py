"""`habitus eval report`: a run as one HTML page that needs nothing else; no script, nothing fetched.

Shows what the report of any evaluation command holds: every view's metrics, accuracy by question type with
intervals, recall by k, latency, tokens, the manifest, and what went worst with what was retrieved for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from habitus.evals.longmemeval.files import Sample, SampleReader
from habitus.evals.reports.charts import SERIES, Bar, bars, lines
from habitus.evals.reports.html_cases import failed_cases, worst_cases
from habitus.evals.reports.html_views import (
    OVERALL,
    Groups,
    bars_by_group,
    curves_by_k,
    curves_by_round,
    means,
    notes_of,
    tables_of,
    views_of,
    worded,
)
from habitus.evals.reports.reading import fitting, read_object
from habitus.evals.reports.runlog import Finished
from habitus.evals.reports.scored_runs import read_finished, read_run
from habitus.evals.running import UsageError

PAGE = "report.html"
REPORTS = ("report.json", "answers.json", "session.json")
"""What a command leaves in its folder, one of them."""
WORST_BY = ("session.answerable", "ndcg@10")
TYPE_CHARTS = (
    ("session.answerable", "recall_all@5", "All evidence sessions among the first 5, by question type"),
    ("turn.answerable", "recall_any@5", "An evidence message among the first 5, by question type"),
    ("context.answerable", "all_evidence_in_context", "All evidence in the packed context, by question type"),
    ("reply.short_answers", "containment", "Replies that contain a short answer, by question type"),
)
CURVES = {
    "session.answerable": "sessions",
    "turn.answerable": "messages",
}
N_SHOWN_RANKS = 5
MAX_SHOWN_CHARS = 600

_STYLE = """
:root{color-scheme:light dark;--one:#2f6fb0;--two:#c2571a;--three:#3c8a4e;--four:#8a4fa3;
--five:#9b7a1c;--six:#b03060;--grid:#8884;
--back:#fff;--ink:#1b1f24;--soft:#5b6470;--box:#f4f6f8}
@media(prefers-color-scheme:dark){:root{--one:#6ba8e8;--two:#ef9a5c;--three:#74c488;--four:#c493da;
--back:#15181c;--ink:#e6e9ed;--soft:#9aa4b0;--box:#1f242a}}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
background:var(--back);
color:var(--ink)}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}svg{width:100%;max-width:46rem;
font-size:13px}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0;display:block;
overflow-x:auto}td,th{padding:.2rem .7rem;text-align:right;border-bottom:1px solid var(--grid)}
td:first-child,th:first-child{text-align:left}.soft{color:var(--soft)}details{margin:.4rem 0}
.case{background:var(--box);padding:.7rem 1rem;border-radius:6px;margin:.8rem 0}.hit{color:var(--three);
font-weight:600}blockquote{margin:.3rem 0 .3rem .8rem;padding-left:.8rem;border-left:3px solid var(--grid);
white-space:pre-wrap;overflow-wrap:anywhere}
.miss{color:var(--two);font-weight:600}.case,li,p{overflow-wrap:anywhere}pre{overflow-x:auto;font-size:13px}
.legend{display:none}.legend span{margin-right:1rem}.legend i{display:inline-block;width:.8rem;
height:.8rem}.chart{overflow-x:auto}.chart svg{min-width:34rem}summary{cursor:pointer}
.bars{display:grid;gap:.3rem;max-width:46rem;font-variant-numeric:tabular-nums}
.bar{display:grid;grid-template-columns:minmax(8rem,15rem) 1fr 8.5rem;gap:.1rem .7rem;align-items:center}
.bar b{font-weight:400;text-align:right;overflow-wrap:anywhere}.track{position:relative;height:1rem;
background:var(--grid);border-radius:3px}.fill{display:block;height:100%;background:var(--one);
border-radius:3px}.whisker{position:absolute;top:.15rem;height:.7rem;border:solid var(--ink);
border-width:0 1px;box-sizing:border-box}.whisker::after{content:"";position:absolute;left:0;right:0;top:50%;
border-top:1px solid var(--ink)}
@media(max-width:600px){.legend{display:block}
body{margin:1rem auto;padding:0 .7rem}.bar{grid-template-columns:1fr 8.5rem}
.bar b{grid-column:1/-1;text-align:left}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """A question that went badly."""

    question_id: str
    question_type: str
    value: float
    result: Finished
    sample: Sample | None
    """Question, gold and evidence, where the data file is given."""


def write_page(folder: Path, data: Path | None = None, *, n_worst: int = 10) -> Path:
    """Write `report.html` into a run folder and return its path.

    Args:
        folder: of a finished run of any evaluation command.
        data: the data file of a LongMemEval run; without it its worst questions are shown by id alone.
        n_worst: how many of them.

    Raises:
        UsageError: the folder holds no report, or the run cannot be read.
        DatasetError: the data file cannot be used.
    """
    return put(folder, make_page(folder, data, n_worst=n_worst))


def put(folder: Path, made: str) -> Path:
    """Write a page into a run folder and return its path."""
    target = folder / PAGE
    part = target.with_suffix(".part")
    # The error of a question may quote a text that is not valid Unicode.
    part.write_text(made, encoding="utf-8", errors="replace")
    os.replace(part, target)
    return target


def make_page(folder: Path, data: Path | None = None, *, n_worst: int = 10) -> str:
    """Return the page of a run; arguments and errors as of `write_page`."""
    report = read_report(folder)
    worst: Sequence[Worst | str] = ()
    with fitting(folder):
        if n_worst and _is_retrieval(report):
            worst = worst_questions(folder, data, n_worst)
        elif n_worst:
            worst = worst_cases(folder, n_worst)
        return page(report, worst)


def read_report(folder: Path) -> dict[str, Any]:
    """Read what a command left in its folder.

    Raises:
        UsageError: the folder holds no report, or a damaged one.
    """
    path = next((folder / name for name in REPORTS if (folder / name).exists()), None)
    if path is None:
        raise UsageError(f"{str(folder)!r} holds no report.json; finish the run first")
    return {"benchmark": path.stem, **read_object(path)}


def _is_retrieval(report: Mapping[str, Any]) -> bool:
    """Tell whether the worst questions can be told by the rank of their sessions, as LongMemEval's can."""
    view, metric = WORST_BY
    level, _, convention = view.partition(".")
    return metric in report.get(level, {}).get(convention, {}).get(OVERALL, {})


def worst_questions(folder: Path, data: Path | None, n_worst: int) -> list[Worst]:
    """Return the questions with the lowest NDCG@10 of sessions, then the lowest reciprocal rank.

    Worst first, and none with an evidence session at the top and all others right behind it.
    """
    view, metric = WORST_BY
    scores = [one for one in read_run(folder, data).scores.values() if view in one.views]
    found = sorted(
        (one for one in scores if min(one.views[view][metric], one.views[view]["mrr"]) < 1.0),
        key=lambda one: (one.views[view][metric], one.views[view]["mrr"], one.question_id),
    )[:n_worst]
    results = read_finished(folder)
    samples: dict[str, Sample] = {}
    if data is not None and found:
        wanted = {one.question_id for one in found}
        with SampleReader(data) as reader:
            samples = {sample.id: sample for sample in reader if sample.id in wanted}
    return [
        Worst(
            question_id=one.question_id,
            question_type=one.question_type,
            value=one.views[view][metric],
            result=results[one.question_id],
            sample=samples.get(one.question_id),
        )
        for one in found
    ]


def page(report: Mapping[str, Any], worst: Sequence[Worst | str] = ()) -> str:
    """Return the page; every text of the run is escaped."""
    return document(f"{report.get('benchmark', 'run')} report", "\n".join(_body(report, worst)))


def document(title: str, body: str) -> str:
    """Return a whole page that needs nothing else; the title is escaped, the body is markup."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def _body(report: Mapping[str, Any], worst: Sequence[Worst | str]) -> Iterator[str]:
    views = views_of(report)
    counts = ", ".join(f"{name.replace('_', ' ')}: {n}" for name, n in report.get("questions", {}).items())
    method = report.get("intervals", {}).get("method")
    said = [f"Questions: {counts}."] if counts else []
    said += [f"Intervals are 95 %, {method}."] if method else []
    yield f'<p class="soft">{escape(" ".join(said))}</p>'
    for title, rows in _bar_charts(report, views):
        yield f"<h2>{escape(title)}</h2>{bars(title, rows)}"
    for title, series in (*_recall_curves(report, views), *curves_by_round(report)):
        x_label = "round" if "arms" in report else "k"
        drawn = f'<div class="chart">{lines(title, series, x_label)}</div>'
        yield f"<h2>{escape(title)}</h2>{_legend(series)}{drawn}"
    for title, table, form in tables_of(report):
        yield f"<h2>{title}</h2>{_table(table, form)}"
    if views:
        yield "<h2>Every metric</h2>"
    for view, groups in views.items():
        every = _table(means(groups), "{:.3f}")
        yield f"<details><summary>{escape(worded(view))}</summary>{every}</details>"
    if notes := notes_of(report):
        yield "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"
    if worst:
        by = f" by {WORST_BY[1]} of sessions" if isinstance(worst[0], Worst) else ""
        yield f"<h2>What went worst{escape(by)}</h2>"
        yield from (one if isinstance(one, str) else _case(one) for one in worst)
    yield from failed_cases(report.get("failures", ()))
    if manifest := report.get("manifest", report.get("settings")):
        shown = json.dumps(manifest, indent=2, ensure_ascii=False)
        yield f"<h2>Manifest</h2><pre>{escape(shown)}</pre>"


def _legend(series: Iterable[str]) -> str:
    """Name the curves above a chart whose own legend is out of sight on a narrow screen."""
    names = (
        f'<span><i style="background:{colour}"></i> {escape(name)}</span>'
        for colour, name in zip(SERIES, series, strict=False)
    )
    return f'<p class="legend">{"".join(names)}</p>'


def _bar_charts(report: Mapping[str, Any], views: Mapping[str, Groups]) -> Iterator[tuple[str, list[Bar]]]:
    if not _is_retrieval(report):
        yield from bars_by_group(views)
        return
    for view, metric, title in TYPE_CHARTS:
        rows = [
            Bar(group, *(found[metric][key] for key in ("n", "mean", "low", "high")))
            for group, found in report.get(view.partition(".")[0], {}).get(view.partition(".")[2], {}).items()
            if metric in found
        ]
        if rows:
            yield title, rows


def _recall_curves(
    report: Mapping[str, Any], views: Mapping[str, Groups]
) -> Iterator[tuple[str, dict[str, dict[int, float]]]]:
    if not _is_retrieval(report):
        yield from curves_by_k(views)
        return
    series: dict[str, dict[int, float]] = {}
    for view, what in CURVES.items():
        overall = views.get(view, {}).get(OVERALL, {})
        for kind, word in (("recall_any@", "any"), ("recall_all@", "all")):
            curve = {
                int(metric.removeprefix(kind)): found["mean"]
                for metric, found in overall.items()
                if metric.startswith(kind)
            }
            if curve:
                series[f"{word}, {what}"] = curve
    if series:
        yield "Evidence among the first k", series


def _case(one: Worst) -> str:
    gold = one.sample.evidence_session_ids if one.sample is not None else frozenset[str]()
    ranked = one.result.ranked_session_ids
    parts = [
        f"<b>{escape(one.question_id)}</b> <span class='soft'>{escape(one.question_type)}, "
        f"NDCG@10 {one.value:.3f}, read as {escape(', '.join(one.result.routes) or 'nothing')}</span>"
    ]
    if one.sample is not None:
        parts.append(
            f"<p>{escape(one.sample.question)} <span class='hit'>{escape(one.sample.answer)}</span></p>"
        )
        places = [
            f"{escape(session)} at {ranked.index(session) + 1 if session in ranked else 'no rank'}"
            for session in sorted(gold)
        ]
        parts.append(f"<p>Evidence sessions: {'; '.join(places)}</p>")
    top = [
        f"<li{' class=hit' if session in gold else ''}>{escape(session)}</li>"
        for session in ranked[:N_SHOWN_RANKS]
    ]
    parts.append(f"<p>Ranked first:</p><ol>{''.join(top)}</ol>")
    parts.append(_packed(one))
    return f'<div class="case">{"".join(parts)}</div>'


def _packed(one: Worst) -> str:
    evidence = one.sample.evidence_turn_ids() if one.sample is not None else frozenset[str]()
    packed = list(zip(one.result.context_turn_ids, one.result.context_texts, strict=True))
    missing = sorted(evidence - set(one.result.context_turn_ids))
    quotes = []
    for turn, text in packed:
        shown = text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + " …"
        mark = ' class="hit"' if turn in evidence else ""
        quotes.append(f"<span{mark}>{escape(turn)}</span><blockquote>{escape(shown)}</blockquote>")
    lost = f"<p>Evidence that was not packed: {escape(', '.join(missing))}</p>" if missing else ""
    summary = f"{len(packed)} messages packed, {one.result.context_tokens:,} tokens"
    return f"{lost}<details><summary>{summary}</summary>{''.join(quotes)}</details>"


def _table(rows: Mapping[str, Mapping[str, float]], form: str) -> str:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines_ = [
        f"<tr><td>{escape(name)}</td>{''.join(_cells(row, columns, form))}</tr>" for name, row in rows.items()
    ]
    return f"<table><tr><th></th>{head}</tr>{''.join(lines_)}</table>"


def _cells(row: Mapping[str, float], columns: Iterable[str], form: str) -> Iterator[str]:
    for column in columns:
        value = row.get(column)
        shown = "" if value is None else f"{value:,.0f}" if column == "n" else form.format(value)
        yield f"<td>{shown}</td>"
