"""Builds report.html: one file that opens offline, in light and dark, on a desk and on a phone."""

import base64
import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from reports import risk_tables, sections, tables
from reports.attribution_tables import attribution_table, markout_groups
from reports.charts import charts, undrawn_markets
from reports.checks import disagreements
from reports.compare_tables import compare_card
from reports.drill_tables import LABEL, drill_card
from reports.fee_table import fee_tier_card
from reports.figures import Summary
from reports.markup import groups, text
from reports.plotting import Chart
from reports.quality_table import quality_card
from reports.results_folder import Results, read_results
from reports.strategy_tables import funding_card, pairs_card, rebalance_card, signal_card

HERE = Path(__file__).parent


def write_report(folder: Path) -> Path:
    """
    Build `report.html` in a results folder.

    Parameters
    ----------
    folder : Path
        `results/<name>/<run id>`, complete but for the report.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    BadInput
        The folder is missing or lacks a file or a column; nothing is written.

    """
    return write_page(folder / "report.html", build_page(read_results(folder)))


def write_page(file: Path, page: str) -> Path:
    """Write a page whole or not at all, and return its file."""
    staged = file.with_name(f".{file.name}.part")
    staged.write_text(page, encoding="utf-8")
    return staged.replace(file)


def build_page(results: Results) -> str:
    """Return the whole page: markup, figures and plotly itself."""
    drawn = charts(results)
    return document(_title(results.summary), _body(results, drawn), drawn)


def document(title: str, body: str, drawn: list[Chart]) -> str:
    """Return a page of its own: `body`, HTML already, with the charts whose places are in it."""
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    scripts = [_inline(plotly), _inline("".join(map(_asset, ("sampling.js", "tables.js", "page.js"))))]
    return Template(_asset("template.html")).substitute(
        policy=_policy(scripts),
        title=text(title),
        style=_asset("style.css"),
        body=body,
        figures=_data(drawn),
        plotly=scripts[0],
        script=scripts[1],
    )


def _body(results: Results, drawn: list[Chart]) -> str:
    summary = results.summary
    left_out = undrawn_markets(results)
    named = {chart.key: chart for chart in drawn}
    parts, markouts, equity, over_time = (named.pop(key) for key in ("parts", "markouts", "equity", "parts-over-time"))
    asked = {
        "Did it earn?": (
            sections.headline(summary),
            sections.assumptions(summary),
            sections.charts([parts, replace(over_time, wide=False)]),
        ),
        "Where from?": (
            attribution_table(summary),
            tables.breakdown(summary, "by_strategy", "By strategy"),
            tables.breakdown(summary, "by_instrument", "By instrument"),
            signal_card(summary),
            pairs_card(summary),
            rebalance_card(summary),
            funding_card(summary),
            fee_tier_card(summary),
        ),
        "At what risk?": (
            risk_tables.halt_table(summary),
            risk_tables.refusal_table(summary),
            sections.charts([equity, *named.values()]),
            f'<p class="small">Without a chart: {text(", ".join(left_out))}.</p>' if left_out else "",
        ),
        "How good are its quotes and fills?": (
            sections.charts([markouts], sections.quote_quality(summary)),
            markout_groups(summary),
        ),
        "Can it be trusted?": (quality_card(summary), sections.setup_and_manifest(results.manifest)),
        "Everything else": (
            sections.more_figures(summary),
            tables.fill_table(results.fills),
            sections.glossary(),
        ),
    }
    return "\n".join(
        (
            sections.header(summary),
            sections.banners(summary, disagreements(results)),
            drill_card(summary),
            compare_card(summary),
            groups(asked),
            sections.footer(results),
        )
    )


def _title(summary: Summary) -> str:
    label = f"{LABEL} · " if summary.get("drill") else ""
    return f"{label}{summary.text('setup')} · {summary.text('run_id')}"


def _data(drawn: list[Chart]) -> str:
    """
    Return the figures as JSON in which no text can end the script element that holds it.

    Packed columns stand once each in `columns`; figures name them as `{"column": <place>}`.
    """
    places: dict[tuple[str, str], int] = {}
    figures = {chart.key: _placed(chart.figure, places) for chart in drawn if chart.figure is not None}
    columns = [{"bdata": bdata, "shape": shape} if shape else {"bdata": bdata} for bdata, shape in places]
    return msgspec.json.encode({"columns": columns, "figures": figures}).decode().replace("<", "\\u003c")


def _placed(node: Any, places: dict[tuple[str, str], int]) -> Any:
    if isinstance(node, dict):
        if "bdata" in node:
            return {"column": places.setdefault((node["bdata"], node.get("shape", "")), len(places))}
        return {key: _placed(value, places) for key, value in node.items()}
    return [_placed(item, places) for item in node] if isinstance(node, list) else node


def _inline(script: str) -> str:
    return script.replace("</script", "<\\/script")


def _policy(scripts: list[str]) -> str:
    """Return a content security policy that runs these scripts alone and lets nothing be fetched from anywhere."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
