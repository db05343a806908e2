import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bad_input import BadInput
from reports.page import build_page, write_report
from reports.results_folder import Results, read_results
from tests.reports.page_kit import undefined
from tests.reports.results_writer import Shape, write_results

HOSTILE = "</script><img src=http://evil.example/x onerror=alert(1)> \"'>&<b>@buy %{x} $title \x1b[31m"


class Page(HTMLParser):
    """Every tag with its attributes, every script, and the text outside them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.text += data


def short_with(folder: Path, **changes: Any) -> Path:
    file = folder / "summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return folder


def page_of(folder: Path, **changes: Any) -> Page:
    return Page(build_page(read_results(short_with(folder, **changes))))


def test_every_shape_becomes_a_page(any_results: Results) -> None:
    page = Page(build_page(any_results))
    figures = json.loads(page.scripts[0])["figures"]
    places = {attributes["id"] for tag, attributes in page.tags if attributes.get("class") == "plot"}
    assert set(figures) == places
    assert "nan" not in page.text.lower().replace("finance", "").split()


def test_the_report_is_written_into_its_folder(short: Path) -> None:
    report = write_report(short)
    assert report == short / "report.html"
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert {file.name for file in short.iterdir()} == {
        "summary.json",
        "manifest.json",
        "fills.parquet",
        "equity.parquet",
        "positions.csv",
        "report.html",
    }


def test_a_broken_folder_leaves_the_old_report(short: Path) -> None:
    report = write_report(short)
    before = report.read_bytes()
    (short / "fills.parquet").unlink()
    with pytest.raises(BadInput):
        write_report(short)
    assert report.read_bytes() == before


def test_headline_figures_are_in_the_markup(day: Path) -> None:
    page = Page(build_page(read_results(day)))
    for text in (
        "−9.4882 USDT",
        "−0.949 %",
        "−6.0882 USDT",
        "3,000",
        "98.00 %",
        "queue_latency",
        "maker 10.00 bps, taker 10.00 bps",
    ):
        assert text in page.text
    for text in ("112,899 events in 11.8 s", "9,543 events/s", "nautilus_trader 1.231.0", "seed 7"):
        assert text in page.text


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"synthetic": True}, "SYNTHETIC MARKET"),
        ({"reconstructed_quotes": True}, "RECONSTRUCTED QUOTES"),
        ({"warnings": ["5 orders were denied"]}, "5 orders were denied"),
        ({"risk": {"state": "HALTED", "halts": [{"reason": "drawdown", "limit": 5}]}}, "reason: drawdown, limit: 5"),
        ({"pnl": 1e6}, "THE FIGURES DISAGREE"),
    ],
)
def test_what_nobody_may_overlook_is_said_once_and_only_when_it_is_so(
    short: Path, changes: dict[str, Any], label: str
) -> None:
    assert label not in page_of(short).text
    assert page_of(short, **changes).text.count(label) == 1


HALT = {
    "time": "2024-07-23T15:40:00.250000Z", "scope": "account", "rule": "max_drawdown_pct",
    "value": 4.0123456, "limit": 4.0, "action": "flatten", "latched": True, "halted_after_s": 1.25, "cost": 3.5,
}  # fmt: skip
REFUSAL = {
    "rule": "price_collar_bps", "strategy": "Maker-000", "instrument": "NEXOUSDT.BINANCE", "count": 12_345,
    "first": "2024-07-23T15:40:00.250000Z", "last": "2024-07-23T16:40:00.250000Z", "value": 1.25, "limit": 1.2,
}  # fmt: skip


def test_what_the_risk_controls_did_stands_in_tables(short: Path) -> None:
    untouched = page_of(short).text
    assert "Refused by the guard" not in untouched
    assert "Stopped by a risk control" not in untouched
    unsettled = HALT | {"halted_after_s": None, "halted_after_s_why": "it only warned", "reason": "my own hand"}
    page = page_of(short, risk={"state": "HALTED", "halts": [HALT, unsettled], "refusals": [REFUSAL]})
    for text in (
        "account: max_drawdown_pct was 4.01235, the limit is 4; action: flatten",
        "1.250 s", "3.5000 USDT", "my own hand", "price_collar_bps", "12,345", "2024-07-23 16:40:00", "1.25", "1.2",
    ):  # fmt: skip
        assert text in page.text
    assert any(attributes.get("title") == "it only warned" for _, attributes in page.tags)


def test_a_missing_figure_is_a_dash_with_its_reason_in_sight(short: Path) -> None:
    page = page_of(short, sharpe=None, sharpe_why="the run is shorter than two grid steps")
    assert "—" in page.text
    assert "the run is shorter than two grid steps" in page.text
    tips = [attributes["title"] for _, attributes in page.tags if "title" in attributes]
    assert any("Not known here: the run is shorter" in (tip or "") for tip in tips)


def test_every_headline_figure_has_a_definition_to_point_at(short: Path) -> None:
    tiles = [attributes for _, attributes in page_of(short).tags if attributes.get("class") == "tile"]
    assert len(tiles) == 10
    assert all(len(tile["title"] or "") > 20 for tile in tiles)


BPS = dict.fromkeys(("1s", "5s", "30s", "60s", "300s"), 0.5)
PARTS = {"spread": 1.0, "taking": 0.0, "initial": 0.5, "fees": -1.0, "funding": 0.0, "pnl": 0.5}
AT_HORIZON = {"by_horizon": {name: {"adverse": 0.0, "alpha": 0.1, "carry": 0.0} for name in BPS}}
GROUP = {"fills": 2, "notional": 9.5, "value": 9.5, "spread_bps": 1.0} | BPS | {"moved_bps": BPS}
TIER = {"name": "VIP 0", "maker_bps": 10.0, "taker_bps": 10.0, "pnl_trading": -1.5}
EVERYTHING: dict[str, Any] = {
    "attribution": PARTS | AT_HORIZON | {"taker_slippage": None, "taker_slippage_why": "no order took liquidity"},
    "markouts_by": {"side": {"BUY": GROUP}, "depth": {"0 to 1 bps": GROUP}, "hour": {"00": GROUP}},
    "alpha": {"with_signal": GROUP, "against_signal": GROUP, "no_signal": GROUP},
    "pairs": {"Pairs-000": {"round_trips": 5, "pnl": 1.5, "fees_paid": 2.0, "by_reason": {"exit": 5}}},
    "rebalance": {"Rebalance-000": {"actions": 3, "orders": 6, "traded": 100.0, "by_reason": {"band": 3}}},
    "funding": {"BTCUSDT-PERP.BINANCE": {"source": "rates of the catalog", "payments": 1, "received": 0.5}},
    "fee_tiers": {"as_of": "2026-11-20", "tiers": [TIER, TIER | {"name": "VIP 0, in BNB"}], "rebates": [TIER]},
    "data_quality": {"verdict": "sound", "series": [{"series": "NEXOUSDT.BINANCE quotes", "rows": 60}]},
    "risk": {"state": "HALTED", "halts": [HALT], "refusals": [REFUSAL]},
    "quotes": {"two_sided_uptime_pct": 97.0, "bid_at_touch_pct": 40.0, "messages": 900},
    "by_strategy": {"alpha": {"pnl": 1.0, "notional": 5.0}, "beta": {"fills": 3, "quotes": {"messages": 9}}},
}


def test_every_figure_of_every_section_is_defined_where_it_stands(short: Path) -> None:
    page = build_page(read_results(short_with(short, **EVERYTHING)))
    titles = (
        "Signal",
        "Pairs",
        "Rebalancing",
        "Funding",
        "Quality of the data",
        "Fills",
        "By strategy",
        "Quote quality",
    )
    assert [title for title in titles if f"<h3>{title}</h3>" not in page] == []
    assert undefined(page) == []


def test_sections_that_would_say_nothing_are_left_out(short: Path) -> None:
    due = {"BTCUSDT-PERP.BINANCE": {"source": "rates of the catalog", "payments": 0, "times_without_rate": 0}}
    alone = {"alpha": {"pnl": 1.0}, "(holdings)": {"pnl": 2.0}}
    page = build_page(
        read_results(short_with(short, funding=due, by_strategy=alone, by_instrument={"A": {"pnl": 1.0}}))
    )
    assert [title for title in ("Funding", "By strategy", "By instrument", "Signal") if f"<h3>{title}<" in page] == []


@pytest.mark.parametrize("gained", [0.0, 0.5])
def test_holdings_have_a_row_of_the_attribution_where_there_were_any(short: Path, gained: float) -> None:
    none = dict.fromkeys(PARTS, 0.0) | {"by_horizon": {name: dict.fromkeys(("adverse", "carry"), 0.0) for name in BPS}}
    rows = {"alpha": {"attribution": PARTS | AT_HORIZON}, "(holdings)": {"attribution": none | {"initial": gained}}}
    page = build_page(read_results(short_with(short, attribution=EVERYTHING["attribution"], by_strategy=rows)))
    assert (">(holdings)<" in page) == bool(gained)


def test_parts_of_the_page_are_linked_from_the_top_in_the_order_of_the_questions(short: Path) -> None:
    page = build_page(read_results(short_with(short, **EVERYTHING)))
    linked = re.findall(r'<a href="#(part-\d)">([^<]+)</a>', page)
    assert linked == re.findall(r'<section class="part" id="(part-\d)"><h2>([^<]+)</h2>', page)
    assert [name for _, name in linked][:3] == ["Did it earn?", "Where from?", "At what risk?"]


def test_breakdowns_show_whatever_figures_there_are(short: Path) -> None:
    rows = {
        "alpha": {"pnl": -1.5, "pnl_parts": {"spread": 2.0}, "markouts_bps": {"5s": 0.5}, "sharpe": None},
        "beta": {"fills": 12, "hedge_ratio": 0.75, "note": "flat"},
    }
    rows["alpha"]["sharpe_why"] = "too short"
    page = page_of(short, by_strategy=rows)
    for text in ("alpha", "beta", "−1.5000 USDT", "+2.0000 USDT", "0.50 bps", "hedge ratio", "0.75", "flat"):
        assert text in page.text
    assert any(attributes.get("title") == "too short" for _, attributes in page.tags)


def test_texts_from_files_are_never_markup(tmp_path: Path) -> None:
    shape = Shape(points=60, fills=20, instruments=(HOSTILE,), strategy=HOSTILE)
    folder = write_results(tmp_path / "plain", shape)
    harmless = page_of(folder)
    hostile = {"description": HOSTILE, "run_id": HOSTILE, "setup": HOSTILE, "currency": HOSTILE, "warnings": [HOSTILE]}
    hostile |= {"fills_assumption": HOSTILE, "start": HOSTILE, "sharpe": None, "sharpe_why": HOSTILE}
    page = page_of(
        folder,
        **hostile,
        risk={
            "state": HOSTILE,
            "halts": [HOSTILE, dict.fromkeys(HALT, HOSTILE)],
            "refusals": [dict.fromkeys(REFUSAL, HOSTILE)],
        },
    )
    assert not [tag for tag, _ in page.tags if tag in {"img", "b"}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert len(page.scripts) == len(harmless.scripts) == 3
    assert page.scripts[1:] == harmless.scripts[1:]
    assert "<img src=http://evil.example/x" in page.text
    assert "\x1b" not in page.text


def test_plotly_gets_names_that_are_no_markup(tmp_path: Path) -> None:
    shape = Shape(points=60, fills=20, changes={"currency": "<a href='http://evil.example'>$</a>"})
    figures = Page(build_page(read_results(write_results(tmp_path, shape)))).scripts[0]
    assert "evil.example" in figures
    assert "<a" not in json.loads(figures).__repr__()


def test_nothing_is_fetched_and_only_our_scripts_run(short: Path) -> None:
    page = page_of(short)
    outside = {"src", "href", "srcset", "action", "poster", "data"}
    named = [attributes[name] or "" for _, attributes in page.tags for name in outside & set(attributes)]
    assert [address for address in named if not address.startswith("#")] == []
    policy = next(attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    digests = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in page.scripts[1:]}
    assert allowed == digests
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]


def test_style_and_scripts_of_our_own_name_no_address(project: Path) -> None:
    for name in ("style.css", "page.js", "sampling.js", "tables.js", "template.html"):
        assert not re.search(r"https?:|url\(|@import|//[a-z]", (project / "reports" / name).read_text())


def test_columns_stand_once_in_the_page(short: Path) -> None:
    data = json.loads(Page(build_page(read_results(short))).scripts[0])
    columns = [column["bdata"] for column in data["columns"]]
    assert len(columns) == len(set(columns))
    used = {int(place) for place in re.findall(r'"column": (\d+)', json.dumps(data["figures"]))}
    assert used == set(range(len(columns)))


def test_a_report_needs_neither_the_engine_nor_pandas(short: Path, project: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from reports.page import write_report;"
        f"write_report(Path({str(short)!r}));"
        "print([name for name in ('pandas', 'nautilus_trader', 'plotly.graph_objects') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
