"""All pairs at once: a triangle of squares, the darker the less likely by chance."""

import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from data_catalog.screening.screen import Screening

MOST_ASSETS = 130
"""More would be a page of tens of megabytes, and squares too small to tell apart."""

SHADES = (0.1, 0.05, 0.01, 1e-3, 1e-4)
"""Squares get darker at these p-values."""

_WIDTH = 720
_LABEL_WIDTH = 100
_LEGEND_HEIGHT = 30
_LARGEST_CELL = 44.0
_SMALLEST_LABELLED = 5.0


def heat_map(screening: Screening) -> str:
    """
    Return the p-values of single tests as an SVG element, with the survivors framed.

    The assets with the lowest p-values come first; of more than 130 the first 130 are shown. A square stands left of
    the name of one asset and below the name of the other.
    """
    table = _table(screening)
    order = _order(table)[:MOST_ASSETS]
    symbols = [screening.prices.instruments[i].id.symbol.value for i in order]
    cell = min(_LARGEST_CELL, (_WIDTH - _LABEL_WIDTH) / len(order))
    parts = _legend()
    side, bottom = len(order) * cell, _LEGEND_HEIGHT + len(order) * cell
    parts.append(f'<polygon class="none" points="0,{_LEGEND_HEIGHT} 0,{bottom:.1f} {side:.1f},{bottom:.1f}"/>')
    if cell >= _SMALLEST_LABELLED:
        parts += [_label(symbol, row, cell) for row, symbol in enumerate(symbols)]
    survivors = {frozenset((one.y, one.x)) for one in screening.found.survivors()}
    for row, i in enumerate(order):
        for column, j in enumerate(order[:row]):
            p, framed = float(table[i, j]), frozenset((int(i), int(j))) in survivors
            # Most squares have no shade: they are left to the background.
            if shade(p) is not None or framed:
                text = f"{symbols[row]} / {symbols[column]}: p = {p:.2g}"
                parts.append(_square(row, column, cell, f"{_class(p)}{' framed' if framed else ''}", text))
    label = f"p-values of {len(order) * (len(order) - 1) // 2:,} pairs"
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {bottom + 6:.0f}" role="img" aria-label="{label}">\n{body}\n</svg>'


def _class(p: float) -> str:
    kind = shade(p)
    return "none" if kind is None else f"s{kind}"


def _label(symbol: str, row: int, cell: float) -> str:
    size = min(12.0, 1.1 * cell)
    place = f'x="{(row + 0.2) * cell:.1f}" y="{_LEGEND_HEIGHT + (row + 0.5) * cell + 0.35 * size:.1f}"'
    return f'<text {place} style="font-size:{size:.1f}px">{escape(symbol)}</text>'


def _square(row: int, column: int, cell: float, classes: str, text: str) -> str:
    place = f'x="{column * cell:.1f}" y="{_LEGEND_HEIGHT + row * cell:.1f}"'
    size = f'width="{0.94 * cell:.2f}" height="{0.94 * cell:.2f}"'
    return f'<rect class="{classes}" {place} {size}><title>{escape(text)}</title></rect>'


def shade(p: float) -> int | None:
    """Return how many of the shades a p-value is below or at, counted from 0; None above all or where it is NaN."""
    if math.isnan(p) or p > SHADES[0]:
        return None
    return sum(p <= bound for bound in SHADES) - 1


def _table(screening: Screening) -> NDArray[np.float64]:
    count = len(screening.prices.instruments)
    table = np.full((count, count), np.nan)
    first, second = screening.found.pairs.T
    table[first, second] = table[second, first] = screening.found.p
    return table


def _order(table: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the assets by how much evidence their pairs show together, the most first."""
    evidence = np.nansum(-np.log(np.maximum(table, 1e-12)), axis=1)
    return np.argsort(-evidence, kind="stable")


def _legend() -> list[str]:
    parts, place = [], 2.0
    for i, bound in enumerate(SHADES):
        parts.append(f'<rect class="s{i}" x="{place:.0f}" y="4" width="14" height="14"/>')
        parts.append(f'<text x="{place + 19:.0f}" y="16">p ≤ {bound:g}</text>')
        place += 96.0
    parts.append(f'<rect class="none framed" x="{place:.0f}" y="4" width="14" height="14"/>')
    parts.append(f'<text x="{place + 19:.0f}" y="16">survived</text>')
    return parts
