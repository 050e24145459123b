"""Small charts as SVG or HTML, coloured by the page's CSS variables so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
_VALUES = 150
_LEGEND = 250
_HEIGHT = 240
_LEFT = 44
_BOTTOM = 30
SERIES = tuple(f"var(--{name})" for name in ("one", "two", "three", "four", "five", "six"))


@dataclass(frozen=True, slots=True)
class Bar:
    """A share with its interval, all in [0, 1]."""

    label: str
    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through shares: mean, low and high end of the interval by x, all in [0, 1]."""

    label: str
    points: Mapping[int, tuple[float, float, float]]


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Draw shares as horizontal bars from 0 to 1, each with its interval, value and n; HTML that wraps."""
    parts = []
    for bar in rows:
        low, high, mean = (100.0 * _clamped(value) for value in (bar.low, bar.high, bar.mean))
        whisker = f'<i class="whisker" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        parts.append(
            f'<div class="bar"><b>{escape(bar.label)}</b><span class="track"><i class="fill" '
            f'style="width:{mean:.2f}%"></i>{whisker if high > low else ""}</span>'
            f"<span>{bar.mean:.3f} (n={bar.n})</span></div>"
        )
    return f'<div class="bars" role="img" aria-label="{escape(title)}">{"".join(parts)}</div>'


def lines(title: str, series: Mapping[str, Mapping[int, float]], x_label: str) -> str:
    """Draw curves over the same few values of x, spaced evenly; y is from 0 to 1.

    Args:
        title: read out by screen readers.
        series: y by x, by the name of the curve; at most six curves.
        x_label: below the axis.
    """
    return curves(
        title,
        [Curve(name, {x: (y, y, y) for x, y in curve.items()}) for name, curve in series.items()],
        x_label,
    )


def curves(title: str, lines: Sequence[Curve], x_label: str) -> str:
    """Draw lines over the same few values of x, spaced evenly, with their intervals; y is from 0 to 1.

    Beyond six lines, colours come round again with a dashed stroke.

    Args:
        title: read out by screen readers.
        lines: each with its label.
        x_label: below the axis.
    """
    xs = sorted({x for line in lines for x in line.points})
    across, up = WIDTH - _LEFT - _LEGEND, _HEIGHT - _BOTTOM - 12
    at = {x: _LEFT + across * place / max(len(xs) - 1, 1) for place, x in enumerate(xs)}
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = 12 + up * (1 - tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_LEFT + across}" stroke="var(--grid)"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    parts += [_text(at[x], _HEIGHT - _BOTTOM + 16, str(x), "middle") for x in xs]
    parts.append(_text(_LEFT + across + 24, _HEIGHT - _BOTTOM + 16, x_label, "start"))
    for place, line in enumerate(lines):
        parts += _line(line, place, at, up)
        y = 24 + 20 * place
        colour = SERIES[place % len(SERIES)]
        parts.append(f'<rect x="{_LEFT + across + 24}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(_LEFT + across + 42, y, line.label, "start"))
    return _svg(title, max(_HEIGHT, 24 + 20 * len(lines)), parts)


def _line(line: Curve, place: int, at: Mapping[int, float], up: float) -> list[str]:
    colour = SERIES[place % len(SERIES)]
    dashed = ' stroke-dasharray="6 4"' if place >= len(SERIES) else ""

    def height(share: float) -> float:
        return 12 + up * (1 - _clamped(share))

    points = [(at[x], *map(height, line.points[x])) for x in sorted(line.points)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
    parts = [f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>']
    for x, y, low, high in points:
        if low > high:
            parts.append(
                f'<path d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8" '
                f'stroke="{colour}" fill="none"/>'
            )
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>')
    return parts


def _clamped(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" '
        f'xml:space="preserve">{escape(words)}</text>'
    )


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
