"""The growth of search time with the number of memories: as text, or as a PNG with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

Line = Sequence[tuple[float, float]]
"""(number of memories, milliseconds), both above 0."""

_MARKS = "ox+*#@"
_FLOOR = 1e-3


def text_plot(lines: Mapping[str, Line], *, width: int = 64, height: int = 16) -> str:
    """Draw lines on logarithmic axes, one mark each.

    Args:
        lines: by name, at least one point in all.
        width: columns between the axes.
        height: rows between the axes.
    """
    points = [point for line in lines.values() for point in line]
    spans = [_span([math.log10(max(point[axis], _FLOOR)) for point in points]) for axis in (0, 1)]
    grid = [[" "] * (width + 1) for _ in range(height + 1)]
    for mark, line in zip(_MARKS * len(lines), lines.values(), strict=False):
        for point in line:
            column, row = (
                round((math.log10(max(value, _FLOOR)) - low) / (high - low) * size)
                for value, (low, high), size in zip(point, spans, (width, height), strict=True)
            )
            grid[height - row][column] = mark
    (left, right), (low, high) = spans
    labels = {0: f"{10**high:.3g}", height: f"{10**low:.3g}"}
    drawn = [f"{labels.get(number, ''):>8} |{''.join(row).rstrip()}" for number, row in enumerate(grid)]
    ends = f"{10**left:,.0f}", f"{10**right:,.0f} memories"
    axis = ["ms       +" + "-" * width, f"{'':10}{ends[0]}{ends[1]:>{width - len(ends[0])}}"]
    names = [f"{'':10}{mark} {name}" for mark, name in zip(_MARKS * len(lines), lines, strict=False)]
    return "\n".join([*drawn, *axis, *names])


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.floor(min(values)), math.ceil(max(values))
    return float(low), float(max(high, low + 1))


class PlotError(RuntimeError):
    """A plot cannot be drawn; the message says what to do."""


def check_png_plot(path: Path) -> None:
    """Raise `PlotError` unless `png_plot` could write to this path: better now than after an hour."""
    if path.suffix != ".png":
        raise PlotError(f"the plot is a PNG, so {str(path)!r} must end in .png")
    if find_spec("matplotlib") is None:
        raise PlotError("drawing a plot needs matplotlib: pip install 'habitus[plots]'")


def png_plot(lines: Mapping[str, Line], path: Path, *, target_ms: float) -> None:
    """Draw lines into a PNG.

    Args:
        lines: by name.
        path: the file to write; folders on the way are made.
        target_ms: drawn as a level line.

    Raises:
        PlotError: matplotlib is not installed, or the path is of no PNG.
    """
    check_png_plot(path)
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, line in lines.items():
        axes.loglog(*zip(*line, strict=True), marker="o", label=name)
    axes.axhline(target_ms, linestyle="--", color="grey", label=f"{target_ms:g} ms")
    axes.set_xlabel("memories in the store")
    axes.set_ylabel("ms a search (p95), without encoding")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.grid(visible=True, which="major", alpha=0.4)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def png_over_time(minutes: Sequence[float], lines: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw values over time, one below the other, each on an axis of its own from 0.

    Args:
        minutes: since the warm-up ended; negative before, which is shaded.
        lines: as many values each, by name.
        path: the file to write; folders on the way are made.

    Raises:
        PlotError: matplotlib is not installed, or the path is of no PNG.
    """
    check_png_plot(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2 * len(lines)), layout="constrained")
    every = figure.subplots(len(lines), 1, squeeze=False)[:, 0]
    for axes, (name, values) in zip(every, lines.items(), strict=True):
        axes.plot(minutes, values, linewidth=1)
        if minutes[0] < 0:
            axes.axvspan(minutes[0], 0, color="grey", alpha=0.2)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(name)
        axes.grid(visible=True, alpha=0.4)
    every[-1].set_xlabel("minutes since the warm-up")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
