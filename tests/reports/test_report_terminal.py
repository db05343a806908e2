import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reports.terminal import print_summary
from tests.reports.results_writer import Shape, write_results


def printed(folder: Path, width: int = 80, *, terminal: bool = False, **changes: Any) -> str:
    summary = json.loads((folder / "summary.json").read_text()) | changes
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, legacy_windows=False)
    print_summary(summary, folder, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_essentials_fit_eighty_columns(short: Path) -> None:
    lines = printed(short).splitlines()
    assert max(len(line) for line in lines[:-1]) <= 80
    text = "\n".join(lines)
    for label in ("P&L", "Sharpe ratio", "Max drawdown", "Maker share", "Break-even maker fee", "Two-sided uptime"):
        assert label in text
    assert "Fills: queue_latency; fees: maker 10.00 bps, taker 10.00 bps" in text


def test_the_report_is_named_on_one_line_at_the_end(tmp_path: Path) -> None:
    folder = write_results(tmp_path / ("deep" * 30) / "run", Shape(points=20, fills=2))
    assert printed(folder, width=40).splitlines()[-1] == f"Report: {folder / 'report.html'}"


def test_parts_stand_in_one_row_and_sum_to_the_pnl(short: Path) -> None:
    lines = printed(short).splitlines()
    head = next(row for row, line in enumerate(lines) if line.startswith("P&L parts, USDT"))
    *parts, total = (float(number) for number in lines[head + 1].split())
    assert len(parts) == 4
    assert sum(parts) == pytest.approx(total, abs=3e-4)
    assert lines[head].split()[-2:] == ["=", "P&L"]


def test_missing_figures_say_why(tmp_path: Path) -> None:
    text = printed(write_results(tmp_path, Shape(points=20, fills=0)))
    assert re.search(r"Sharpe ratio +—", text)
    assert "Sharpe ratio: equity never changed" in text
    assert "Break-even maker fee: nothing was traded" in text


def test_what_rebalancing_did_and_cost_stands_in_a_line(short: Path) -> None:
    done = {"actions": 63, "orders": 1240, "traded": 1446260.38, "fees_paid": 1446.0722, "spread_paid": 375.3026}

    line = next(line for line in printed(short, rebalance={"R-000": done}).splitlines() if line.startswith("R-000: "))

    assert line == (
        "R-000: rebalanced 63 times with 1,240 orders, traded 1,446,260.38, paid 1,446.07 in fees and 375.30 in spread"
    )


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"synthetic": True}, "SYNTHETIC MARKET"),
        ({"reconstructed_quotes": True}, "RECONSTRUCTED QUOTES"),
        ({"warnings": ["5 orders were denied"]}, "Warning: 5 orders were denied"),
        ({"risk": {"halts": [{"reason": "drawdown"}]}}, "STOPPED BY A RISK CONTROL: reason: drawdown"),
    ],
)
def test_labels_are_printed_when_they_hold(short: Path, changes: dict[str, Any], label: str) -> None:
    assert label not in printed(short)
    assert label in printed(short, **changes)


def test_plain_output_holds_no_escape_codes_and_no_typographic_minus(short: Path) -> None:
    text = printed(short, pnl=-12.5)
    assert "\x1b" not in text
    assert "-12.500 USDT" in text
    assert "−" not in text


def test_a_loss_is_coloured_on_a_terminal(short: Path) -> None:
    assert re.search(r"\x1b\[31m *-12\.500 USDT", printed(short, terminal=True, pnl=-12.5))


def test_names_are_neither_markup_nor_escape_codes(short: Path) -> None:
    text = printed(short, setup="[red]x[/red]\x1b[2J", warnings=["[/nothing]"])
    assert "[red]x[/red]?[2J" in text
    assert "Warning: [/nothing]" in text


def test_an_ascii_terminal_gets_ascii(short: Path) -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", write_through=True)
    summary = json.loads((short / "summary.json").read_text()) | {
        "sharpe": None,
        "sharpe_why": "too short",
        "setup": "β-maker",
    }
    print_summary(summary, short, Console(file=stream, width=80))
    assert re.search(rb"Sharpe ratio +- ", buffer.getvalue())
    assert buffer.getvalue().startswith(b"?-maker")
