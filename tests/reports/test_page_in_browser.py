"""The page of a whole day in a real browser: one start, everything else reads what it left behind."""

import base64
import hashlib
import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reports.page import write_report
from tests.runtime.live.web.browser_kit import Browser, chromium_path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--window-size=1400,2400",
    "--virtual-time-budget=15000",
)
ZOOM_FROM, ZOOM_TO = 1_721_800_800_000, 1_721_803_200_000  # 06:00 to 06:40

TABLE = (
    "<thead><tr><th></th><th>Fee</th><th>P&amp;L</th><th>Mixed</th><th>None</th></tr></thead><tbody>"
    '<tr><td colspan="5">By side</td></tr>'
    "<tr><td>BUY</td><td>−0.25 bps</td><td>−1,234.5</td><td>2 bps</td><td>—</td></tr>"
    '<tr><td>a "b", c</td><td>10.00 bps</td><td>—</td><td>3 s</td><td>—</td></tr></tbody>'
)

PROBE = f"""
const refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.blockedURI));
const plots = () => [...document.querySelectorAll(".plot")];
const drawn = () => Object.fromEntries(plots().map((plot) => [plot.id, {{
  traces: plot.querySelectorAll(".trace").length,
  points: Math.max(...plot.data.map((trace) => trace.x.length)),
  mids: (plot.data.find((trace) => trace.name === "Mid") || {{ x: [] }}).x.length,
  range: plot.layout.xaxis.range,
  vertical: plot.layout.yaxis.range,
}}]));
const until = async (what) => {{ while (!what()) await new Promise((done) => setTimeout(done, 20)); }};
(async () => {{
  await until(() => document.documentElement.dataset.drawn);
  const whole = drawn();
  await Plotly.relayout("market-0", {{ "xaxis.range[0]": {ZOOM_FROM}, "xaxis.range[1]": {ZOOM_TO} }});
  await until(() => Number(document.getElementById("parts-over-time").layout.xaxis.range[0]) === {ZOOM_FROM});
  await until(() => drawn()["market-0"].mids < 1000);
  const zoomed = drawn();
  const spike = Float64Array.from({{ length: 100000 }}, (_, row) => (row === 77777 ? 1 : row === 5 ? NaN : 0));
  const kept = [...rowsToDraw([spike], 0, spike.length, 400)];
  const table = document.createElement("table");
  table.innerHTML = {TABLE!r};
  document.querySelector(".tile .value").click();
  const probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = JSON.stringify({{
    whole,
    zoomed,
    refused,
    kept,
    csv: asCsv(table),
    told: document.getElementById("told").textContent,
    buttons: document.querySelectorAll("button.csv").length,
    tables: document.querySelectorAll("table").length,
    outline: outline([0, 1, 2, 3], [1, NaN, 2, 3], [5, 6, 7, 8]),
    fetched: performance.getEntriesByType("resource").map((entry) => entry.name),
    width: [document.documentElement.scrollWidth, innerWidth],
  }});
  document.body.append(probe);
}})();
"""


@pytest.fixture(scope="module")
def dom(day: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of a day as the browser left it, with what the probe found; the page's own policy stays on."""
    chromium = chromium_path()
    if chromium is None:
        pytest.skip("no chromium is installed")
    folder = tmp_path_factory.mktemp("browser")
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    page = write_report(day).read_text(encoding="utf-8")
    page = page.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    (folder / "page.html").write_text(page.replace("</body>", f"<script>{PROBE}</script></body>"), encoding="utf-8")
    command = [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", f"file://{folder}/page.html"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def probe(dom: str) -> dict[str, Any]:
    """Return what the probe found in the page."""
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.DOTALL)
    assert found, "the page did not finish drawing"
    values: dict[str, Any] = json.loads(html.unescape(found[1]))
    return values


def test_headline_figures_are_on_the_page(dom: str) -> None:
    shown = re.sub(r"<[^>]+>", "", dom)
    for figure in ("−9.4882 USDT", "−0.949 %", "3,000", "queue_latency"):
        assert figure in shown


def test_every_chart_is_drawn(probe: dict[str, Any], dom: str) -> None:
    traces = {name: plot["traces"] for name, plot in probe["whole"].items()}
    assert set(traces) == {"parts", "markouts", "equity", "parts-over-time", "market-0"}
    assert min(traces.values()) >= 1
    assert traces["market-0"] >= 7
    assert dom.count('class="main-svg"') >= 5


def test_a_day_is_drawn_with_at_most_four_thousand_points_a_trace(probe: dict[str, Any]) -> None:
    lines = {name: plot["points"] for name, plot in probe["whole"].items() if name != "market-0"}
    assert max(lines.values()) <= 4_000
    assert 2_000 < probe["whole"]["market-0"]["mids"] <= 4_000


def test_zooming_one_chart_zooms_all_and_shows_every_grid_point(probe: dict[str, Any]) -> None:
    for name in ("equity", "parts-over-time", "market-0"):
        assert probe["zoomed"][name]["range"] == [ZOOM_FROM, ZOOM_TO]
    assert probe["zoomed"]["market-0"]["mids"] in range(241, 245)
    low, high = probe["zoomed"]["equity"]["vertical"]
    whole_low, whole_high = probe["whole"]["equity"]["vertical"]
    assert whole_low < low < high < whole_high


def test_drawn_rows_keep_spikes_and_gaps(probe: dict[str, Any]) -> None:
    kept = probe["kept"]
    assert {0, 5, 77_777, 99_999} <= set(kept)
    assert len(kept) <= 400
    assert kept == sorted(kept)


def test_the_band_is_outlined_in_steps_around_gaps(probe: dict[str, Any]) -> None:
    none = None
    assert probe["outline"] == {
        "x": [0, 1, 1, 0, none, 2, 3, 3, 3, 3, 3, 3, 2, none],
        "y": [1, 1, 5, 5, none, 2, 2, 3, 3, 8, 8, 7, 7, none],
    }


def test_a_table_is_saved_as_a_spreadsheet_reads_it(probe: dict[str, Any]) -> None:
    assert probe["csv"].splitlines() == [
        ",Fee (bps),P&L,Mixed,None",
        "By side: BUY,-0.25,-1234.5,2 bps,",
        '"By side: a ""b"", c",10.00,,3 s,',
    ]
    assert probe["buttons"] == probe["tables"] > 0


def test_a_tap_tells_the_definition(probe: dict[str, Any]) -> None:
    assert probe["told"].startswith("P&L without the price change of what was held")


def test_nothing_is_fetched_or_refused(probe: dict[str, Any]) -> None:
    assert probe["fetched"] == []
    assert probe["refused"] == []


def test_the_page_is_not_wider_than_the_window(probe: dict[str, Any]) -> None:
    needed, window = probe["width"]
    assert needed <= window


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_what_it_stands_on(project: Path, dark: bool) -> None:
    light, _, rest = (project / "reports" / "style.css").read_text().partition("@media (prefers-color-scheme: dark)")
    palette = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rest if dark else light))
    behind = [
        ("text", "page"),
        ("muted", "page"),
        ("accent", "page"),
        ("alarm", "alarm-page"),
        ("alarm", "alarm-stripe"),
    ]
    behind += [(name, "card") for name in ("text", "muted", "accent", "gain", "loss", "buy", "sell")]
    assert {pair: ratio for pair in behind if (ratio := contrast(*(palette[name] for name in pair))) < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2.2 defines it; 4.5 is its minimum for text."""

    def luminance(color: str) -> float:
        parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_on_a_phone_tables_scroll_in_their_box_and_never_the_page(day: Path, tmp_path: Path) -> None:
    chromium = chromium_path()
    if chromium is None:
        pytest.skip("no chromium is installed")
    browser = Browser(chromium, tmp_path / "profile")
    try:
        browser.screen(390, 844)
        browser.send("Page.navigate", url=f"file://{write_report(day)}")
        browser.until("document.documentElement?.dataset.drawn")
        assert browser.value("document.documentElement.scrollWidth") == 390
        [box, inside, kept] = browser.value("""(() => {
            const box = [...document.querySelectorAll(".scroll")].pop();
            box.scrollLeft = 200;
            const left = (part) => part.getBoundingClientRect().left;
            return [box.clientWidth, box.scrollWidth, left(box.querySelector("tbody td")) - left(box)];
        })()""")
        assert box < 390 < inside
        assert kept == pytest.approx(0, abs=1)
        assert browser.complaints == []
        assert [url for url in browser.requested if not url.startswith(("file:", "data:", "blob:"))] == []
    finally:
        browser.close()
