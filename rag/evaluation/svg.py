"""Plots as SVG text: stacked bars, lines, points with intervals, histograms. Pure functions.

Shapes have CSS classes instead of colours, so that the page's stylesheet decides (light, dark, print). Sizes are in units of
the view box, which is WIDTH wide and scales to a phone or to half a desktop page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 440
LABELS = 138
"""Width of the column of names at the left of bars and points."""
NOTES = 58
"""Width of the column of notes at their right."""
ROW = 26
TOP = 8
PLOT_TOP = 30
"""Space above a plot with axes, for the label of the y axis."""
PLOT_HEIGHT = 260
MARGIN = 44
BARS = 20
"""Bars of a histogram."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One stacked bar: CSS class and share (0..1) of each part, an interval drawn over it, and a note to its right."""

    label: str
    parts: Sequence[tuple[str, float]]
    interval: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line through points, x in 0..1. `style`: CSS class; `dots`: draw a dot at each point."""

    label: str
    style: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def stacked_bars(title: str, bars: Sequence[Bar], legend: Sequence[tuple[str, str]]) -> str:
    """Horizontal stacked bars from 0 to 1, one per row. `legend`: text and CSS class of each part."""
    width = WIDTH - LABELS - NOTES
    shapes = []
    for index, bar in enumerate(bars):
        y, x = TOP + index * ROW, float(LABELS)
        shapes.append(_text(LABELS - 6, y + 15, bar.label, "end"))
        for style, share in bar.parts:
            shapes.append(_box(x, y, width * share, ROW - 8, style))
            x += width * share
        if bar.interval:
            shapes.append(_whisker(LABELS, width, bar.interval, y + (ROW - 8) / 2))
        shapes.append(_text(LABELS + width + 6, y + 15, bar.note))
    bottom = TOP + len(bars) * ROW
    return _svg(title, bottom + 12 + 22 * len(legend), shapes + _legend(legend, bottom + 22))


def points(title: str, rows: Sequence[tuple[str, float, tuple[float, float]]]) -> str:
    """One point with its interval per row, from 0 to 1, over grid lines at the quarters. `rows`: label, value, interval."""
    width = WIDTH - LABELS - NOTES
    bottom = TOP + len(rows) * ROW
    shapes = [_line(LABELS + width * x, TOP, LABELS + width * x, bottom, "grid") for x, _ in QUARTERS]
    shapes += [_text(LABELS + width * x, bottom + 16, f"{x:g}", "middle") for x in (0, 0.5, 1)]
    for index, (label, value, interval) in enumerate(rows):
        y = TOP + index * ROW + ROW / 2
        shapes += [_text(LABELS - 6, y + 5, label, "end"), _whisker(LABELS, width, interval, y)]
        shapes.append(f'<circle class="right" cx="{LABELS + width * value:.1f}" cy="{y:.1f}" r="5"/>')
        shapes.append(_text(LABELS + width + 14, y + 5, f"{value:.2f}"))
    return _svg(title, bottom + 24, shapes)


QUARTERS = tuple((x, f"{x:g}") for x in (0.0, 0.25, 0.5, 0.75, 1.0))


def lines(
    title: str,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    *,
    x_ticks: Sequence[tuple[float, str]] = QUARTERS,
    markers: Sequence[tuple[str, str, tuple[float, float]]] = (),
) -> str:
    """Lines in a plot with x from 0 to 1 and y from 0 to 1, with a legend below.

    `x_ticks`: position in 0..1 and text of each tick. `markers`: single points, as legend text, CSS class and coordinates.
    """
    width, height = WIDTH - MARGIN - 12, PLOT_HEIGHT

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return MARGIN + width * point[0], PLOT_TOP + height * (1 - min(1.0, point[1]))

    shapes = _axes(width, height, 1.0, x_ticks)
    for each in series:
        # A tenth of a unit is less than a pixel.
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, each.points))
        shapes.append(f'<polyline class="line {each.style}" points="{path}"/>')
        if each.dots:
            shapes += [
                f'<circle class="{each.style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in map(at, each.points)
            ]
    for _, style, point in markers:
        x, y = at(point)
        shapes.append(f'<circle class="mark {style}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
    shapes += [
        _text(MARGIN + width, PLOT_TOP + height + 36, x_label, "end"),
        _text(4, 14, y_label),
    ]
    named = [*((each.label, each.style) for each in series), *((name, style) for name, style, _ in markers)]
    shapes += _legend(named, PLOT_TOP + height + 56)
    return _svg(title, PLOT_TOP + height + 48 + 22 * len(named), shapes)


def histogram(title: str, groups: Mapping[str, tuple[str, Sequence[float]]], x_label: str) -> str:
    """Stacked histogram of values in 0..1. `groups`: CSS class and values by legend text."""
    counts = {
        name: [sum(min(BARS - 1, int(value * BARS)) == index for value in values) for index in range(BARS)]
        for name, (_, values) in groups.items()
    }
    most = max((sum(column) for column in zip(*counts.values(), strict=True)), default=0) or 1
    most = 4 * math.ceil(most / 4)  # whole numbers at the four grid lines
    width, height = WIDTH - MARGIN - 12, PLOT_HEIGHT
    shapes = _axes(width, height, most)
    for index in range(BARS):
        bottom = float(PLOT_TOP + height)
        for name, (style, _) in groups.items():
            part = height * counts[name][index] / most
            bottom -= part
            shapes.append(_box(MARGIN + width * index / BARS + 1, bottom, width / BARS - 2, part, style))
    shapes.append(_text(MARGIN + width, PLOT_TOP + height + 36, x_label, "end"))
    shapes += _legend([(name, style) for name, (style, _) in groups.items()], PLOT_TOP + height + 56)
    return _svg(title, PLOT_TOP + height + 48 + 22 * len(groups), shapes)


def _axes(width: float, height: float, y_top: float, x_ticks: Sequence[tuple[float, str]] = QUARTERS) -> list[str]:
    shapes = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        y = PLOT_TOP + height * (1 - part)
        shapes.append(_line(MARGIN, y, MARGIN + width, y, "grid"))
        shapes.append(_text(MARGIN - 6, y + 5, f"{part * y_top:.4g}", "end"))
    for place, text in x_ticks:
        anchor = "end" if place == 1 and len(text) > 2 else "middle"
        shapes.append(_text(MARGIN + width * place, PLOT_TOP + height + 18, text, anchor))
    return shapes


def _legend(entries: Sequence[tuple[str, str]], y: float) -> list[str]:
    shapes = []
    for index, (label, style) in enumerate(entries):
        shapes.append(_box(MARGIN, y + 22 * index - 11, 14, 14, style))
        shapes.append(_text(MARGIN + 22, y + 22 * index + 1, label))
    return shapes


def _whisker(left: float, width: float, interval: tuple[float, float], y: float) -> str:
    low, high = (left + width * value for value in interval)
    return "".join(
        (
            _line(low, y, high, y, "whisker"),
            _line(low, y - 4, low, y + 4, "whisker"),
            _line(high, y - 4, high, y + 4, "whisker"),
        )
    )


def _box(x: float, y: float, width: float, height: float, style: str) -> str:
    return (
        f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{max(0.0, height):.1f}"/>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: float, shapes: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{"".join(shapes)}</svg>'
