from pathlib import Path

import pytest

from reports.definitions import FEE_RATES, HEADLINE, MARKOUT_DEFINITION, MORE, NOTIONAL, PART_FIGURES, fee_texts
from reports.figures import Figure, Kind, Summary, show

ALL = (*HEADLINE, *MORE, *PART_FIGURES, *FEE_RATES, NOTIONAL)


@pytest.mark.parametrize(
    ("kind", "value", "text", "sign"),
    [
        (Kind.MONEY, 1234.5678, "1,234.57 USDT", 0),
        (Kind.SIGNED_MONEY, -6.0881872, "−6.0882 USDT", -1),
        (Kind.SIGNED_MONEY, 0, "0.00 USDT", 0),
        (Kind.SIGNED_PERCENT, 2.281, "+2.28 %", 1),
        (Kind.PERCENT, 0.0886, "0.0886 %", 0),
        (Kind.BPS, -1.5, "−1.50 bps", 0),
        (Kind.SHARE, 0.98, "98.00 %", 0),
        (Kind.COUNT, 3000, "3,000", 0),
        (Kind.MULTIPLE, 63.38, "63.38 ×", 0),
        (Kind.RATIO, -21.329, "−21.33", 0),
    ],
)
def test_a_figure_is_shown_with_its_unit(kind: Kind, value: float, text: str, sign: int) -> None:
    shown = show(Figure("x.y", "X", kind, "What it is."), Summary({"x": {"y": value}, "currency": "USDT"}))
    assert (shown.text, shown.sign, shown.why) == (text, sign, "")


@pytest.mark.parametrize("figure", ALL, ids=lambda figure: figure.path)
def test_a_missing_figure_is_a_dash_with_its_reason(figure: Figure) -> None:
    group, _, name = figure.path.rpartition(".")
    values = {name: None, f"{name}_why": "too short"}
    shown = show(figure, Summary({group: values} if group else values))
    assert (shown.text, shown.why) == ("—", "too short")


def test_a_reason_that_is_missing_too_is_said() -> None:
    assert show(HEADLINE[0], Summary({})).why == "summary.json does not tell"


def test_the_documentation_defines_every_figure(project: Path) -> None:
    page = (project / "docs" / "report.md").read_text()
    missing = [figure.path for figure in ALL if f"`{figure.path}` | {figure.definition} |" not in page]
    assert not missing
    assert MARKOUT_DEFINITION in page


def test_fees_are_told_per_instrument_where_they_differ() -> None:
    spot, perp = {"maker_bps": 10, "taker_bps": 10}, {"maker_bps": -0.5, "taker_bps": 5}
    assert fee_texts(Summary({"fees": spot})) == ["maker 10.00 bps, taker 10.00 bps"]
    assert fee_texts(Summary({"fees": {"A": spot, "B": perp}})) == [
        "A: maker 10.00 bps, taker 10.00 bps",
        "B: maker −0.50 bps, taker 5.00 bps",
    ]
    assert fee_texts(Summary({})) == ["—"]
