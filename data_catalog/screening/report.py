"""A screen as one page that opens anywhere without a network: the funnel, the heat map, the pairs and their gaps."""

from html import escape

import numpy as np

from data_catalog.calibration.report import STYLE
from data_catalog.calibration.svg_chart import Axis, Point, Series, chart
from data_catalog.screening.heat_map import MOST_ASSETS, heat_map
from data_catalog.screening.price_table import utc_text
from data_catalog.screening.screen import Screening
from data_catalog.screening.text import COLUMNS, MOST_ROWS, headline, pair_name, pair_row, remarks
from models.pairs.screening import PairFindings, gaps

MOST_CHARTS = 8
_CHART_POINTS = 600

SCREEN_STYLE = """
body { max-width: 1240px; } table { font-size: 13px; display: block; overflow-x: auto; white-space: nowrap; }
th, td { padding-right: .8rem; } td:last-child, th:last-child { text-align: left; }
.none { fill: var(--line); fill-opacity: .45; } .s0, .s1, .s2, .s3, .s4 { fill: var(--c1); } .s0 { fill-opacity: .18; }
.s1 { fill-opacity: .35; } .s2 { fill-opacity: .55; } .s3 { fill-opacity: .8; }
.framed { stroke: var(--c2); stroke-width: 2; }
"""

HEAT_MAP_TEXT = (
    "Each square is a pair, tested on the bars that pairs were chosen on; the p-value is the worse of its two orders, "
    "before any correction. Among pairs with nothing in common a few dark squares are to be expected: the more pairs, "
    "the darker the darkest."
)
TABLE_TEXT = (
    "y is the asset that is traded against x in the hedge ratio. Half-life, gap and costs are those of the bars that "
    "pairs were chosen on, and so is <em>in sample</em>: what the entry at this z and the exit at the mean would earn "
    "in a year, in per cent of the value of leg y, if the gap went on exactly as it was fitted. It is what the choice "
    "was made by, so it flatters. <em>Later</em> columns are of the bars after them, with the same hedge ratio: the "
    "p-value (corrected by Holm for the pairs that were looked at again), the half-life, and how far the mean of the "
    "gap has moved, in its standard deviations."
)


def report_page(screening: Screening) -> str:
    """Return the page as HTML."""
    title = f"Pairs among {len(screening.prices.ids)} instruments"
    notes = "".join(f"<li>{escape(line)}</li>" for line in remarks(screening))
    shown = screening.found.findings[:MOST_ROWS]
    more = len(screening.found.findings) - len(shown)
    of_all = (
        f" The {MOST_ASSETS} instruments with the lowest p-values." if len(screening.prices.ids) > MOST_ASSETS else ""
    )
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(headline(screening))}</p>',
        f'<ul class="warn">{notes}</ul>',
        "<h2>What was left after each step</h2>",
        _table(("", "pairs"), [(text, f"{count:,}") for text, count in screening.funnel()]),
        f"<h2>All pairs</h2><p>{HEAT_MAP_TEXT}{of_all}</p>",
        heat_map(screening),
        "<h2>Pairs that passed their own test</h2>",
        f"<p>{TABLE_TEXT}</p>",
        _table(COLUMNS, [pair_row(screening, one) for one in shown]) if shown else "<p>None.</p>",
        f'<p class="soft">And {more:,} with higher p-values.</p>' if more else "",
        *_charts(screening),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    style = f"<style>{STYLE}{SCREEN_STYLE}</style>"
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _charts(screening: Screening) -> list[str]:
    """Return the gaps of the survivors, or of the first pairs where there are none."""
    drawn = (screening.found.survivors() or screening.found.findings)[:MOST_CHARTS]
    drawn = [one for one in drawn if one.process is not None]
    if not drawn:
        return []
    text = "The gap in standard deviations, both as fitted to the bars that pairs were chosen on."
    if screening.confirmation:
        text += " The second colour is the time that had no part in the choice."
    return [f"<h2>Gaps</h2><p>{text}</p>", *(_chart(screening, one) for one in drawn)]


def _chart(screening: Screening, one: PairFindings) -> str:
    assert one.process is not None
    prices = screening.prices
    z = (gaps(one.ratio, prices.log_prices[:, one.y], prices.log_prices[:, one.x]) - one.process.mean) / one.process.sd
    shown = np.unique(np.linspace(0, len(z) - 1, _CHART_POINTS).astype(int))
    days = (prices.times_ns - prices.times_ns[0]) / 86_400e9
    points = [Point(float(days[i]), float(z[i])) for i in shown]
    chosen = [point for point, i in zip(points, shown, strict=True) if i < screening.formation]
    later = [point for point, i in zip(points, shown, strict=True) if i >= screening.formation]
    series = [Series(chosen, "line", "c1", "chosen on")]
    if later:
        series.append(Series(later, "line", "c2", "later"))
    name = pair_name(screening, one)
    axes = Axis(f"days since {utc_text(int(prices.times_ns[0]))}"), Axis("standard deviations")
    return f"<h3>{escape(name)}</h3>" + chart(f"Gap of {name}", *axes, series)
