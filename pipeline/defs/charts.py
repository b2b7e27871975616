"""Small charts as SVG text, for asset metadata: bars by category, a grid of shades. Pure, without a plotting library.

An SVG reads no file and runs no script, and a hundred bars are some kilobytes; Dagster shows it inside Markdown.
"""

import base64
from collections.abc import Mapping, Sequence
from html import escape

import dagster as dg

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 34, 40
# Told apart by readers who don't see red from green (Okabe and Ito's palette).
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#F0E442")
INK, FAINT, PAPER, BAD = "#333", "#ddd", "#fff", "#D55E00"
SHADE = (0, 114, 178)
MOST_LABELS = 12
CELL = 13


def picture(svg: str, alt: str) -> dg.MarkdownMetadataValue:
    """The chart as an image inside Markdown, which the Dagster UI shows."""
    data = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{alt}](data:image/svg+xml;base64,{data})")


def stacked_bars(title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """One bar for each label, its parts one above the other. Each series has one value, 0 or more, for each label."""
    totals = [sum(values[place] for values in series.values()) for place in range(len(labels))]
    top = _round_up(max(totals, default=0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    parts = [_text(LEFT, 14, title, weight="bold"), *_legend(list(series)), *_scale(top)]
    bases = [0.0] * len(labels)
    for number, (name, values) in enumerate(series.items()):
        for place, value in enumerate(values):
            if value:
                height = value / top * (HEIGHT - TOP - BOTTOM)
                y = HEIGHT - BOTTOM - bases[place] - height
                what = escape(f"{labels[place]}, {name}: {value:g}")
                parts.append(
                    f'<rect x="{LEFT + place * step + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" '
                    f'height="{height:.1f}" fill="{_colour(number)}"><title>{what}</title></rect>'
                )
                bases[place] += height
    every = max(1, -(-len(labels) // MOST_LABELS))
    for place in range(0, len(labels), every):
        parts.append(_text(LEFT + (place + 0.5) * step, HEIGHT - BOTTOM + 14, labels[place], anchor="middle"))
    if not any(totals):
        parts.append(_text(WIDTH / 2, HEIGHT / 2, "nothing in this time", anchor="middle"))
    return _svg(WIDTH, HEIGHT, parts)


def heat_map(title: str, rows: Mapping[str, Sequence[float | None]], columns: Sequence[str]) -> str:
    """A row of cells for each name: the darker, the more. None is an empty cell, a negative value one that went wrong."""
    left = 180
    most = max((value for values in rows.values() for value in values if value is not None), default=0)
    width = left + CELL * max(1, len(columns)) + RIGHT
    parts = [_text(4, 14, title, weight="bold")]
    for line, (name, values) in enumerate(rows.items()):
        y = TOP + line * CELL
        parts.append(_text(left - 6, y + CELL - 3, name, anchor="end"))
        for place, value in enumerate(values):
            what = escape(f"{name}, {columns[place]}: {_said(value)}")
            parts.append(
                f'<rect x="{left + place * CELL}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" '
                f'fill="{_shade(value, most)}"><title>{what}</title></rect>'
            )
    bottom = TOP + len(rows) * CELL
    every = max(1, -(-len(columns) // MOST_LABELS))
    for place in range(0, len(columns), every):
        parts.append(_text(left + place * CELL, bottom + 14, columns[place]))
    if not rows:
        parts.append(_text(left, TOP + 10, "nothing in this time"))
    return _svg(max(width, 420), bottom + 24, parts)


def _said(value: float | None) -> str:
    if value is None:
        return "not asked"
    return "failed" if value < 0 else f"{value:g}"


def _shade(value: float | None, most: float) -> str:
    if value is None:
        return "#f4f4f4"
    if value < 0:
        return BAD
    # From a quarter on, so that one is told from none.
    share = 0.0 if not value else 0.25 + 0.75 * value / most
    return "#" + "".join(f"{round(225 + (end - 225) * share):02x}" for end in SHADE)


def _scale(top: float) -> list[str]:
    marks = []
    for part in (0, 0.5, 1):
        y = HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
        marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>')
        marks.append(_text(LEFT - 6, y + 4, f"{part * top:g}", anchor="end"))
    return marks


def _legend(names: Sequence[str]) -> list[str]:
    if len(names) < 2:
        return []
    marks, x = [], float(LEFT)
    for number, name in enumerate(names):
        marks.append(f'<rect x="{x:.0f}" y="{HEIGHT - 14}" width="9" height="9" fill="{_colour(number)}"/>')
        marks.append(_text(x + 13, HEIGHT - 6, name))
        x += 26 + 6.2 * len(name)
    return marks


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, at least 1."""
    size = 1.0
    while True:
        for step in (1, 2, 5):
            if value <= step * size:
                return step * size
        size *= 10


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><rect width="100%" height="100%" fill="{PAPER}"/>'
        + "".join(parts)
        + "</svg>"
    )
