"""The sections of the page around the charts: header, banners, tiles, assumptions, footer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from reports import format as fmt
from reports.definitions import (
    ATTRIBUTION,
    HEADLINE,
    MARKOUT_DEFINITION,
    MORE,
    PART_FIGURES,
    QUOTE_QUALITY,
    TAKER_SLIPPAGE,
    fee_texts,
)
from reports.drill_tables import LABEL, drill_label
from reports.figures import Summary, show
from reports.liquidation import liquidation_line
from reports.markup import banner, card, collapsible, items, masthead, pairs, text, tile
from reports.plotting import Chart
from reports.quality_table import quality_line
from reports.results_folder import Results
from reports.risk_tables import halt_line

SYNTHETIC = (
    "SYNTHETIC MARKET",
    "Generated from a seed, not recorded. It shows how the strategy behaves, not what it would have earned.",
)
RECONSTRUCTED = (
    "RECONSTRUCTED QUOTES",
    "The source had no quotes: bid and ask were rebuilt from the aggressor side of trades, or from bars. "
    "Spread, fills and every figure that rests on them are estimates; docs/data.md states the error.",
)


def header(summary: Summary) -> str:
    """Return the title with what was run, over which period."""
    start, end = summary.text("start"), summary.text("end")
    seconds = fmt.seconds_between(start, end)
    facts = {
        "Run": summary.text("run_id"),
        "Period (UTC)": f"{fmt.moment(start)} to {fmt.moment(end)}",
        "Length": fmt.duration(seconds) if seconds is not None else "",
        "Instruments": ", ".join(summary.texts("instruments")),
        "Risk controls": summary.text("risk.state") or summary.text("risk_why"),
    }
    kind = "drill report" if summary.get("drill") else "backtest report"
    return masthead(kind, summary.text("setup"), summary.text("description"), facts)


def data_labels(synthetic: bool, reconstructed: bool) -> list[str]:
    """Return the banners that say what kind of market it was, where it was no recorded one."""
    told = ((synthetic, SYNTHETIC), (reconstructed, RECONSTRUCTED))
    return [banner("loud", title, explanation) for true, (title, explanation) in told if true]


def banners(summary: Summary, doubts: list[str]) -> str:
    """Return what nobody may overlook: labels of the data, halts, warnings, and figures that contradict each other."""
    drilled = drill_label(summary)
    found = [banner("loud", LABEL, text(drilled))] if drilled else []
    found += data_labels(bool(summary.get("synthetic")), bool(summary.get("reconstructed_quotes")))
    if summary.get("liquidation"):
        found.append(banner("halted", "LIQUIDATED", text(liquidation_line(summary))))
    halts = [halt_line(halt) for halt in summary.entries("risk.halts")]
    if halts:
        found.append(banner("halted", "STOPPED BY A RISK CONTROL", items(halts)))
    warnings = summary.texts("warnings")
    if warnings:
        found.append(banner("notice", "Warnings", items(warnings)))
    if doubts:
        found.append(banner("halted", "THE FIGURES DISAGREE", items(doubts)))
    return "\n".join(found)


def headline(summary: Summary) -> str:
    """Return the headline tiles."""
    return f'<div class="tiles">{"".join(tile(show(figure, summary)) for figure in HEADLINE)}</div>'


def assumptions(summary: Summary) -> str:
    """Return how fills, fees and data were assumed: what the figures stand and fall with."""
    latency = ", ".join(f"{name} {fmt.flat(value)} ms" for name, value in summary.table("latency_ms").items())
    fills = [summary.text("fills_description"), f"Latency: {latency}." if latency else ""]
    boxes = (
        ("Fill assumption", [fmt.flat(summary.get("fills_assumption"))], " ".join(filter(None, fills))),
        ("Fees", fee_texts(summary), "Of the traded value, on every fill. A negative fee is a rebate."),
        _market_data(summary),
    )
    return f'<div class="assumptions">{"".join(_box(*box) for box in boxes)}</div>'


def _market_data(summary: Summary) -> tuple[str, list[str], str]:
    kind, quotes = "Recorded", "Quotes as they were sent."
    if summary.get("synthetic"):
        kind, quotes = "Generated", "A market made from a seed."
    elif summary.get("reconstructed_quotes"):
        quotes = "Quotes rebuilt from trades or bars."
    if summary.get("drill"):
        return "Market data", [f"{kind}, with a fault"], summary.text("drill.sentence")
    return "Market data", [kind], f"{quotes} {quality_line(summary)}".strip()


def _box(title: str, values: Sequence[str], explanation: str) -> str:
    lines = "".join(f'<p class="value">{text(value)}</p>' for value in values)
    return f'<section><h3>{text(title)}</h3>{lines}<p class="small">{text(explanation)}</p></section>'


def charts(drawn: Iterable[Chart], *beside: str) -> str:
    """Return the cards of charts in a grid, with other cards beside them."""
    cards = [*map(_chart, drawn), *filter(None, beside)]
    return f'<div class="charts">{"".join(cards)}</div>' if cards else ""


def _chart(drawn: Chart) -> str:
    """Return the card of a chart; its plot is drawn by page.js."""
    place = f'<div class="plot" id="{text(drawn.key)}"></div>'
    if drawn.figure is None:
        place = f'<p class="empty">{text(drawn.note)}</p>'
    note = f'<p class="small">{text(drawn.note)}</p>' if drawn.note and drawn.figure is not None else ""
    return (
        f'<figure class="card{" wide" if drawn.wide else ""}"><h3 title="{text(drawn.definition)}">{text(drawn.title)}'
        f'</h3><figcaption class="small">{text(drawn.definition)}</figcaption>{place}{note}</figure>'
    )


def more_figures(summary: Summary) -> str:
    """Return the figures that are not in the headline."""
    return card("More figures", pairs(show(figure, summary) for figure in MORE))


def quote_quality(summary: Summary) -> str:
    """Return how well the makers quote; nothing where the summary does not say."""
    known = any(summary.get(figure.path) is not None for figure in QUOTE_QUALITY)
    return card("Quote quality", pairs(show(figure, summary) for figure in QUOTE_QUALITY)) if known else ""


def glossary() -> str:
    """Return every figure with its definition, for screens without a pointer."""
    figures = {
        figure.label: figure.definition for figure in (*ATTRIBUTION, *HEADLINE, *MORE, *QUOTE_QUALITY, *PART_FIGURES)
    }
    figures[TAKER_SLIPPAGE.label] = TAKER_SLIPPAGE.definition
    figures["Markout"] = MARKOUT_DEFINITION
    listed = "".join(f"<dt>{text(label)}</dt><dd>{text(meaning)}</dd>" for label, meaning in figures.items())
    return collapsible("What each figure means", f'<dl class="glossary">{listed}</dl>')


def setup_and_manifest(manifest: Mapping[str, Any]) -> str:
    """Return the resolved setup and what else is needed to run it again."""
    setup = manifest.get("setup", "")
    rest = {key: value for key, value in manifest.items() if key != "setup"}
    shown = setup if isinstance(setup, str) else _pretty(setup)
    content = f"<pre>{text(shown)}</pre><pre>{text(_pretty(rest))}</pre>"
    return collapsible("Setup and manifest", content)


def footer(results: Results) -> str:
    """Return what the run cost and with what it was made."""
    summary = results.summary
    speed = [
        ("events", fmt.count),
        ("elapsed_s", fmt.duration),
        ("events_per_s", fmt.count),
    ]
    events, elapsed, rate = (
        write(value) if (value := summary.number(key)) is not None else fmt.MISSING for key, write in speed
    )
    versions = results.manifest.get("versions")
    made = ", ".join(f"{name} {version}" for name, version in versions.items()) if isinstance(versions, Mapping) else ""
    seed = results.manifest.get("seed")
    parts = [f"{events} events in {elapsed}", f"{rate} events/s", made, f"seed {seed}" if seed is not None else ""]
    return f"<footer>{text(' · '.join(part for part in parts if part))}</footer>"


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
