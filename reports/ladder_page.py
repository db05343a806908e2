"""ladder.html and its essentials in the terminal: one setup under every fill assumption and many latencies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from reports import format as fmt
from reports.definitions import FILLS, MARKOUT_FIGURES, PART_FIGURES, TRADING_PNL, fee_texts
from reports.fee_table import fee_sentence, fee_tiers_of_runs
from reports.figures import Summary, show_alike
from reports.markup import Cell, banner, card, figure_cell, items, masthead, table, text
from reports.overlaid import overlaid
from reports.page import document, write_page
from reports.plotting import Chart, axis, layout, line
from reports.results_folder import Equity
from reports.sections import RECONSTRUCTED, SYNTHETIC, charts, data_labels
from reports.side_by_side import page_table, terminal_table

CURVE = (
    "Trading P&L, and the spread that the fills earned, when every order, change and cancellation takes so long to "
    "arrive; same setup, same data."
)


def write_ladder_page(folder: Path, ladder: Mapping[str, Any], equities: Mapping[str, Equity]) -> Path:
    """Write ladder.html into the folder of a ladder and return it; `equities` by the name of the run."""
    summary = Summary(ladder)
    rungs = [Summary({"currency": ladder["currency"]} | row) for row in ladder["rungs"]]
    names = [row["name"] for row in ladder["rungs"]]
    assumptions = [f"{row['name']}: {row['fills_description']}" for row in ladder["rungs"]]
    drawn = [overlaid(equities, summary.text("currency")), curve_chart(summary)]
    body = "\n".join(
        (
            _header(summary),
            _banners(summary),
            card("Under every fill assumption, from kind to cruel", page_table(names, rungs) + _links(names)),
            card("Does it trade less, the crueller the assumption?", items(falling_lines(ladder))),
            charts(drawn),
            _curve_table(summary),
            fee_tiers_of_runs(names, rungs),
            card("What the assumptions are", items(assumptions)),
        )
    )
    return write_page(folder / "ladder.html", document(f"Fill ladder · {summary.text('setup')}", body, drawn))


def print_ladder(ladder: Mapping[str, Any], folder: Path, console: Console) -> None:
    """Print what a ladder says, for a terminal of 80 columns."""
    summary = Summary(ladder)
    console.print(f"Fill ladder of {summary.text('setup')}, {_period(summary)}", style="bold", highlight=False)
    for label, _, key in ((*SYNTHETIC, "synthetic"), (*RECONSTRUCTED, "reconstructed_quotes")):
        if summary.get(key):
            console.print(f" {label} ", style="bold reverse yellow", highlight=False)
    console.print()
    rungs = [Summary({"currency": ladder["currency"]} | row) for row in ladder["rungs"]]
    console.print(terminal_table([row["name"] for row in ladder["rungs"]], rungs))
    console.print()
    _print(console, ladder["verdict"], "bold red" if ladder["lives_only_in_the_first_row"] else "bold")
    for told in falling_lines(ladder):
        _print(console, told)
    curve = ladder["latency_curve"]
    points = "; ".join(
        f"{point['latency_ms_each']} ms {fmt.number(point['pnl_trading'], 2, signed=True)}" for point in curve["points"]
    )
    _print(console, f"Latency ({curve['fills_assumption']}), trading P&L in {ladder['currency']}: {points}")
    _print(console, curve["sentence"])
    for row, rung in zip(ladder["rungs"], rungs, strict=True):
        _print(console, f"Fees, {row['name']}: {fee_sentence(rung)}")
    _print(console, f"Page: {folder / 'ladder.html'}")


def _print(console: Console, told: str, style: str = "") -> None:
    console.print(told.replace(fmt.MINUS, "-"), style=style, soft_wrap=True, highlight=False, markup=False)


def falling_lines(ladder: Mapping[str, Any]) -> list[str]:
    """Return whether the rows trade less and less, and why not where they do not."""
    falls = (
        "yes: the value traded falls"
        if ladder["fills_fall"]
        else "not everywhere: a crueller assumption trades more than a kinder one"
    )
    return [f"From kind to cruel: {falls}.", *ladder["why_not_falling"]]


def _period(summary: Summary) -> str:
    return f"{fmt.moment(summary.text('start'))} to {fmt.moment(summary.text('end'))} UTC"


def _header(summary: Summary) -> str:
    facts = {
        "Ladder": summary.text("run_id"),
        "Period (UTC)": _period(summary),
        "Instruments": ", ".join(summary.texts("instruments")),
        "Fees": "; ".join(fee_texts(summary)),
    }
    return masthead("fill ladder", summary.text("setup"), summary.text("description"), facts)


def _banners(summary: Summary) -> str:
    labels = data_labels(bool(summary.get("synthetic")), bool(summary.get("reconstructed_quotes")))
    style = "halted" if summary.get("lives_only_in_the_first_row") else "notice"
    title = "LIVES ONLY IN THE FIRST ROW" if summary.get("lives_only_in_the_first_row") else "Verdict"
    told = items([summary.text("verdict"), summary.text("latency_curve.sentence")])
    return "\n".join([*labels, banner(style, title, told)])


def _links(names: Sequence[str]) -> str:
    links = ", ".join(f'<a href="{text(name)}/report.html">{text(name)}</a>' for name in names)
    return f'<p class="small">Reports: {links}</p>'


def curve_chart(ladder: Summary) -> Chart:
    """Return the trading P&L and the spread by latency."""
    points = ladder.entries("latency_curve.points")
    title = f"What latency costs, under {ladder.text('latency_curve.fills_assumption')}"
    at = [f"{point['latency_ms_each']} ms" for point in points]
    series = (
        ("Trading P&L", [point["pnl_trading"] for point in points], "equity"),
        ("Spread", [point["pnl_parts"]["spread"] for point in points], "part-spread"),
    )
    traces = [line(name, at, values, color, mode="lines+markers") for name, values, color in series]
    vertical = axis(ladder.text("currency"), zeroline=True, rangemode="tozero")
    shape = layout(340, xaxis=axis(fixedrange=True, type="category"), yaxis=vertical)
    return Chart("latency", title, CURVE, {"data": traces, "layout": shape})


def _curve_table(ladder: Summary) -> str:
    figures = (
        TRADING_PNL,
        *(figure for figure in PART_FIGURES if figure.path != "pnl_parts.funding"),
        FILLS,
        MARKOUT_FIGURES["30s"],
    )
    points = [
        Summary({"currency": ladder.text("currency")} | point) for point in ladder.entries("latency_curve.points")
    ]
    head = [Cell("Latency", "How long each order, change and cancellation takes to arrive.")]
    head += [Cell(figure.label, figure.definition) for figure in figures]
    columns = [[figure_cell(shown) for shown in show_alike(figure, points)] for figure in figures]
    rows = [
        [Cell(f"{point.text('latency_ms_each')} ms"), *cells] for point, *cells in zip(points, *columns, strict=True)
    ]
    return card("What latency costs", table(head, rows), small=ladder.text("latency_curve.sentence"))
