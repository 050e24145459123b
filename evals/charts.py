"""Small charts as SVG or HTML, coloured by the page's CSS variables so that they follow light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
_VALUES = 150
_HEIGHT = 240
_LEFT = 44
_BOTTOM = 30
SERIES = ("var(--one)", "var(--two)", "var(--three)", "var(--four)")


@dataclass(frozen=True, slots=True)
class Bar:
    """A share with its interval, all in [0, 1]."""

    label: str
    n: int
    mean: float
    low: float
    high: float


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
        series: y by x, by the name of the curve; at most four curves.
        x_label: below the axis.
    """
    xs = sorted({x for curve in series.values() for x in curve})
    across, up = WIDTH - _LEFT - _VALUES, _HEIGHT - _BOTTOM - 12
    at = {x: _LEFT + across * place / max(len(xs) - 1, 1) for place, x in enumerate(xs)}
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = 12 + up * (1 - tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_LEFT + across}" stroke="var(--grid)"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    parts += [_text(at[x], _HEIGHT - _BOTTOM + 16, str(x), "middle") for x in xs]
    parts.append(_text(_LEFT + across + 24, _HEIGHT - _BOTTOM + 16, x_label, "start"))
    for place, (colour, (name, curve)) in enumerate(zip(SERIES, series.items(), strict=False)):
        points = [(at[x], 12 + up * (1 - _clamped(curve[x]))) for x in sorted(curve)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        y = 24 + 20 * place
        parts.append(f'<rect x="{_LEFT + across + 24}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(_LEFT + across + 42, y, name, "start"))
    return _svg(title, _HEIGHT, parts)


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
