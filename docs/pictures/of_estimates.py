"""Pictures of what makers measure: volatility, flow, fair value, trend and adverse selection, on generated markets."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from svg import BLUE, GREEN, GREY, ORANGE, RED, Line, Note, Panel, picture

from models.adverse_selection import AdverseSelection
from models.market_making.fair_price import Quote, flow_adjusted_mid, weighted_mid
from models.market_making.micro_price import fit_micro_price
from models.online_intensity import OnlineIntensity
from models.trend import TrendGap
from models.volatility import TimeDecayedVariance
from strategies.fair_prices import fair_price_of

SEED = 5


def pictures() -> dict[str, str]:
    """Return the pictures of this module by name."""
    return {
        "volatility-window": volatility_window(),
        "flow-window": flow_window(),
        "min-depth": min_depth(),
        "fair-values": fair_values(),
        "fair-value-refit": fair_value_refit(),
        "trend": trend(),
        "adverse-selection": adverse_selection(),
    }


def volatility_window() -> str:
    """Draw the volatility as three memories see it, while it goes from 1 to 4 and back."""
    rng = np.random.default_rng(SEED)
    seconds = np.arange(0.0, 1800.0, 0.5)
    true = np.where((seconds >= 600) & (seconds < 1200), 4.0, 1.0)
    mids = 10_000 + np.cumsum(rng.standard_normal(len(seconds)) * true * math.sqrt(0.5))
    lines = [Line([0, 600, 600, 1200, 1200, 1800], [1, 1, 4, 4, 1, 1], GREY, "true", "dashed")]
    for window, colour in ((20, GREEN), (120, BLUE), (600, RED)):
        variance = TimeDecayedVariance(window)
        seen = []
        for second, mid in zip(seconds.tolist(), mids.tolist(), strict=True):
            variance.update(mid, second)
            seen.append(variance.sigma if variance.ready else math.nan)
        lines.append(Line(seconds[::12].tolist(), seen[::12], colour, f"volatility_window_secs {window}"))
    panel = Panel("The volatility that the maker believes in", "seconds", "bps per √second", lines, y_range=(0, 6))
    return picture("Estimated volatility with three windows when the true one jumps", [panel])


def _market_orders(k: float, at_touch: float, seconds: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return times and depths, two orders a second; a share of them stops at the touch, 0.1 bps from the mid."""
    times = np.cumsum(rng.exponential(0.5, int(2 * seconds)))
    depths = rng.exponential(1 / k, len(times))
    depths[rng.random(len(times)) < at_touch] = 0.0
    return list(zip(times.tolist(), (0.1 + depths).tolist(), strict=True))


def flow_window() -> str:
    """Draw k as three memories see it, while it goes from 0.2 to 0.4."""
    rng = np.random.default_rng(SEED)
    change = 1800.0
    orders = _market_orders(0.2, 0.0, change, rng)
    orders += [(change + t, depth) for t, depth in _market_orders(0.4, 0.0, change, rng)]
    lines = [Line([0, change, change, 2 * change], [0.2, 0.2, 0.4, 0.4], GREY, "true", "dashed")]
    for window, colour in ((60, GREEN), (600, BLUE), (1800, RED)):
        flow = OnlineIntensity(window)
        seen = []
        for second, depth in orders:
            flow.update(10_000 + depth, 9_999.9, 10_000.1, True, second)
            seen.append(flow.kappa if flow.ready else math.nan)
        times = [second for second, _ in orders]
        lines.append(Line(times[::40], seen[::40], colour, f"intensity_window_secs {window}"))
    panel = Panel("k that the maker believes in", "seconds", "k per bps", lines, x_range=(0, 3600), y_range=(0, 0.7))
    return picture("Estimated decay of the flow with three windows when the true one doubles", [panel])


def min_depth() -> str:
    """Draw k by the depth from which orders count, on a market where most stop at the touch."""
    orders = _market_orders(0.4, 0.8, 20_000, np.random.default_rng(SEED))
    starts = [0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]
    seen = []
    for start in starts:
        flow = OnlineIntensity(1e6, min_depth=start)
        for second, depth in orders:
            flow.update(10_000 + depth, 9_999.9, 10_000.1, True, second)
        seen.append(flow.kappa)
    lines = [
        Line([0, 5], [0.4, 0.4], GREY, "true k of the orders that go beyond the touch", "dashed"),
        Line(starts, seen, BLUE, "estimate"),
        Line(starts, seen, BLUE, kind="dots"),
    ]
    panel = Panel(
        "80 % of the orders stop at the touch", "intensity_min_depth_bps", "k per bps", lines, x_range=(-0.15, 5.15)
    )
    return picture("Estimated decay of the flow by the least depth that counts", [panel], 300)


def _queues(rows: int, rng: np.random.Generator) -> list[Quote]:
    """Return a touch one tick wide that moves a tick when a queue is used up: then, size tells where it goes."""
    quotes = []
    bid, sizes = 1_000, [10, 10]
    for _ in range(rows):
        side = int(rng.integers(2))
        sizes[side] += 1 if rng.random() < 0.5 else -1
        if sizes[side] == 0:
            bid += 1 if side else -1
            sizes = [int(size) for size in rng.integers(1, 20, 2)]
        quotes.append(Quote(bid, bid + 1, sizes[0], sizes[1]))
    return quotes


def fair_values() -> str:
    """Draw the fair values by imbalance and by order flow, within a touch that is one tick wide."""
    quotes = _queues(40_000, np.random.default_rng(SEED))
    bids, asks, bid_sizes, ask_sizes = (list(column) for column in zip(*quotes, strict=True))
    table = fit_micro_price(bids, asks, bid_sizes, ask_sizes)
    shares = list(range(1, 100, 2))
    lines = [
        Line([0, 100], [0, 0], GREY, "mid"),
        Line(shares, [weighted_mid(-0.5, 0.5, s, 100 - s) for s in shares], RED, "weighted_mid"),
        Line(shares, [table.price(-0.5, 0.5, s, 100 - s) for s in shares], BLUE, "micro_price"),
    ]
    flows = list(range(-100, 101, 4))
    flow = [
        Line(flows, [flow_adjusted_mid(0.0, f, impact, 0.5) for f in flows], colour, f"{impact:g} ticks per lot")
        for impact, colour in ((0.004, GREEN), (0.01, ORANGE))
    ]
    note = [Note(0, -0.56, "never beyond bid or ask", GREY, "middle")]
    panels = [
        Panel("By sizes at the touch", "bid's share of the size (%)", "ticks from the mid", lines, y_range=(-0.6, 0.6)),
        Panel("flow_adjusted", "net flow of the window (lots)", "ticks from the mid", flow, note, y_range=(-0.6, 0.6)),
    ]
    return picture("Fair values by imbalance of the touch and by order flow", panels)


def fair_value_refit() -> str:
    """Draw the learnt micro-price of one and the same touch while time passes."""
    quotes = _queues(2_400, np.random.default_rng(SEED))
    asked = Quote(1_000, 1_001, 9, 1)
    lines = []
    for refit, colour in ((60, GREEN), (300, BLUE)):
        fair = fair_price_of("micro_price", 5.0, refit)
        seen = []
        for i, quote in enumerate(quotes):
            fair.update(quote, 0.5 * (i + 1))
            seen.append(fair.price(asked) - 1_000.5)
        times = [0.5 * (i + 1) for i in range(len(quotes))]
        lines.append(Line(times[::5], seen[::5], colour, f"fair_value_refit_secs {refit}"))
    title = "micro_price where the bid holds 90 % of the size"
    panel = Panel(title, "seconds since the start", "ticks from the mid", lines, y_range=(-0.1, 0.7))
    return picture("The micro-price is the mid until it has learnt", [panel], 300)


def trend() -> str:
    """Draw the fair value with half of the gap between two moving averages, while the mid rises and turns."""
    rng = np.random.default_rng(SEED)
    seconds = np.arange(0.0, 1500.0, 2.0)
    path = np.interp(seconds, [0, 400, 800, 1500], [0, 0, 30, 10]) + np.cumsum(rng.standard_normal(len(seconds))) * 0.5
    lines = [Line(seconds[::3].tolist(), path[::3].tolist(), GREY, "mid")]
    for weight, fast, slow, colour in ((0.5, 30, 300, BLUE), (0.5, 5, 60, GREEN), (-0.5, 30, 300, RED)):
        gap = TrendGap(fast, slow)
        seen = []
        for second, mid in zip(seconds.tolist(), path.tolist(), strict=True):
            gap.update(mid, second)
            seen.append(mid + weight * gap.value)
        lines.append(Line(seconds[::3].tolist(), seen[::3], colour, f"weight {weight:g}, {fast} s and {slow} s"))
    panel = Panel("Fair value with a trend", "seconds", "bps from the first mid", lines)
    return picture("Fair value with a weight of the trend, for two pairs of windows and both signs", [panel], 360)


def adverse_selection() -> str:
    """Draw the measured adverse selection by horizon and by memory, while the flow becomes informed."""
    rng = np.random.default_rng(SEED)
    seconds = np.arange(1.0, 3600.0, 2.0)
    buyers = rng.random(len(seconds)) < 0.5
    informed = np.where(seconds > 1200, 1.0, 0.0)
    market = seconds, buyers, informed
    horizons = [_measured(5.0, w, *market, Line([], [], c, f"{w} s")) for w, c in ((300, GREEN), (900, BLUE))]
    windows = [_measured(h, 300, *market, Line([], [], c, f"{h} s")) for h, c in ((1, ORANGE), (10, RED))]
    panels = [
        Panel("By window (horizon 5 s)", "seconds", "bps against the maker", horizons, y_range=(-0.6, 2.6)),
        Panel("By horizon (window 300 s)", "seconds", "bps against the maker", windows, y_range=(-0.6, 2.6)),
    ]
    return picture("Measured adverse selection when the flow becomes informed", panels)


def _measured(  # noqa: PLR0917 (one curve)
    horizon: float, window: float, seconds: np.ndarray, buyers: np.ndarray, informed: np.ndarray, style: Line
) -> Line:
    """Return the estimate when the mid follows each informed order by 2 bps, half at once and half within 8 s."""
    measure = AdverseSelection(horizon, window)
    events: list[tuple[float, Callable[[float], None]]] = []
    mid = [10_000.0]
    seen: list[float] = []

    def move(size: float) -> Callable[[float], None]:
        def apply(now: float) -> None:
            mid[0] += size
            measure.on_mid(mid[0], now)

        return apply

    def trade(is_buyer: bool) -> Callable[[float], None]:
        def apply(now: float) -> None:
            measure.on_trade(is_buyer, now)
            seen.append(measure.value if measure.ready else math.nan)

        return apply

    for second, is_buyer, knows in zip(seconds.tolist(), buyers.tolist(), informed.tolist(), strict=True):
        sign = 1.0 if is_buyer else -1.0
        events += [(second, trade(is_buyer)), (second + 0.5, move(sign * knows)), (second + 8.1, move(sign * knows))]
    measure.on_mid(mid[0], 0.0)
    for now, act in sorted(events, key=lambda event: event[0]):
        act(now)
    return replace(style, xs=_thin(seconds.tolist()), ys=_thin(seen))


def _thin(values: Sequence[float]) -> list[float]:
    return list(values[::15])
