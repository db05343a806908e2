"""Pictures of what the makers' orders do, each from a run in the real engine."""

from typing import Any

import numpy as np
from engine_run import PERPETUAL, START_NS, Run, quote, run, trade
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.data import QuoteTick
from svg import BLUE, GREEN, GREY, ORANGE, RED, Line, Note, Panel, picture, steps

from messages.signals import AlphaSignal, alpha_topic
from models.order_budget import OrderBudget
from strategies.fair_value_maker import FairValueMaker, FairValueMakerConfig
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from strategies.glft import Glft, GlftConfig

SEED = 11
BPS, SECONDS = "bps from the first mid", "seconds"
SIZES: dict[str, Any] = {"instrument_id": PERPETUAL.id, "order_qty": 1.0, "max_position": 10.0}


def pictures() -> dict[str, str]:
    """Return the pictures of this module by name."""
    return {
        "tolerance": tolerance(),
        "refresh-and-age": refresh_and_age(),
        "delay-after-fill": delay_after_fill(),
        "hanging-orders": hanging_orders(),
        "order-budget": order_budget(),
        "alpha": alpha(),
        "volatility-spread": volatility_spread(),
        "calm-size": calm_size(),
        "edge": edge(),
        "glft-resolve": glft_resolve(),
    }


def _fixed(**values: Any) -> FixedSpread:
    return FixedSpread(FixedSpreadConfig(**(SIZES | {"half_spread_bps": 6.0} | values)))


def _fair(**values: Any) -> FairValueMaker:
    return FairValueMaker(FairValueMakerConfig(**(SIZES | {"half_spread_bps": 4.0} | values)))


def _path(seconds: int, sigma: float = 1.0, seed: int = SEED) -> tuple[list[float], list[float]]:
    """Return a random walk in whole bps, one point a second."""
    walk = np.cumsum(np.random.default_rng(seed).standard_normal(seconds) * sigma)
    return [float(second) for second in range(seconds)], np.round(walk - walk[0]).tolist()


def _mid(xs: list[float], ys: list[float]) -> Line:
    return Line(*steps(xs, ys), GREY, "mid")


def _orders(title: str, found: Run, mid: Line, **ends: Any) -> Panel:
    return Panel(title, SECONDS, BPS, [mid, *found.lines()], **ends)


def tolerance() -> str:
    """Draw orders on one path without tolerance and with 4 bps."""
    xs, ys = _path(120)
    panels = []
    for threshold in (0, 4):
        found = run(_fixed(requote_threshold_bps=threshold), [quote(*at) for at in zip(xs, ys, strict=True)])
        title = f"requote_threshold_bps {threshold}: {len(found.sent) - 2} moves"
        panels.append(_orders(title, found, _mid(xs, ys)))
    return picture("Orders on the same path without tolerance and with it", panels, 360)


def refresh_and_age() -> str:
    """Draw orders with tolerance alone, with a refresh and with a largest age."""
    xs, ys = _path(90, 0.5)
    choices: tuple[tuple[str, dict[str, Any]], ...] = (
        ("tolerance 5 bps", {}),
        ("+ refresh 30 s", {"order_refresh_secs": 30.0}),
        ("+ age 30 s", {"max_order_age_secs": 30.0}),
    )
    panels = []
    for title, values in choices:
        found = run(_fixed(requote_threshold_bps=5, **values), [quote(*at) for at in zip(xs, ys, strict=True)])
        panels.append(_orders(title, found, _mid(xs, ys), y_range=(-12, 12)))
    return picture("Orders with tolerance, with a refresh and with a largest age", panels)


def delay_after_fill() -> str:
    """Draw a bid that is filled twice, without and with a delay."""
    xs = [float(second) for second in range(60)]
    ys = np.round(np.interp(xs, [0, 10, 30, 60], [0, 0, -15, -12])).tolist()
    panels = []
    for delay in (0.0, 20.0):
        ticks = [*[quote(*at) for at in zip(xs, ys, strict=True)], *(_sale(s, ys) for s in (10, 13, 16, 19, 22, 25))]
        found = run(_fixed(filled_order_delay_secs=delay, max_position=20.0), ticks)
        fills = sum(stretch.filled for stretch in found.stretches)
        panels.append(_orders(f"filled_order_delay_secs {delay:g}: {fills} fills", found, _mid(xs, ys)))
    return picture("Bids in a fall, without and with a delay after a fill", panels)


def _sale(second: int, ys: list[float]) -> Any:
    """Return a sale that reaches 7 bps below the mid."""
    return trade(second + 0.5, ys[second] - 7, is_buyer=False)


def hanging_orders() -> str:
    """Draw the ask after a bid has been filled, off and on."""
    xs = [float(second) for second in range(60)]
    ys = np.round(np.interp(xs, [0, 10, 30, 40, 60], [0, 0, -5, -5, -14])).tolist()
    panels = []
    for name, distance in (("off", 0.0), ("15", 15.0)):
        ticks = [*[quote(*at) for at in zip(xs, ys, strict=True)], _sale(10, ys)]
        found = run(_fixed(hanging_orders_cancel_bps=distance), ticks)
        panels.append(_orders(f"hanging_orders_cancel_bps {name}", found, _mid(xs, ys)))
    return picture("The ask after a bid has been filled, without and with hanging orders", panels)


def order_budget() -> str:
    """Draw the factor on the tolerance by what is left, and what is sent on a wild path."""
    left = list(range(1, 101))
    factors = []
    for rest in left:
        budget = OrderBudget(100, 10**10)
        for _ in range(100 - rest):
            budget.spend(0)
        factors.append(budget.tolerance_factor(1))
    xs, ys = _path(60, 1.5)
    xs = [x / 2 for x in xs]
    ticks = [quote(*at) for at in zip(xs, ys, strict=True)]
    lines = []
    for limit, colour in ((0, RED), (20, BLUE)):
        found = run(_fixed(order_budget=limit, requote_threshold_bps=1), ticks)
        last_10 = [sum(x - 10 < sent <= x for sent in found.sent) for x in xs]
        lines.append(Line(*steps(xs, [float(n) for n in last_10]), colour, f"budget {limit}" if limit else "no budget"))
    panels = [
        Panel("A budget of 100", "orders left in the window", "tolerance × this", [Line(left, factors)],
              y_range=(0, 12)),
        Panel("Sent in the last 10 s", SECONDS, "new and changed orders", lines),
    ]  # fmt: skip
    return picture("Tolerance by what is left of an order budget, and orders sent on a wild path", panels)


class _Opinion(Actor):
    """Publishes one signal."""

    def __init__(self, at_s: float, bps: float) -> None:
        super().__init__(ActorConfig(component_id="OPINION-001"))
        self._at_ns = START_NS + round(at_s * 1e9)
        self._bps = bps

    def on_start(self) -> None:
        self.subscribe_quote_ticks(PERPETUAL.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        if tick.ts_init == self._at_ns:
            name = PERPETUAL.id.value
            signal = AlphaSignal(instrument_id=name, bps=self._bps, ts_ns=tick.ts_init, source="opinion")
            self.msgbus.publish(alpha_topic(name), signal)


def alpha() -> str:
    """Draw the quotes before, during and after a signal of +4 bps, for two weights."""
    xs, ys = _path(90, 0.4)
    panels = []
    for weight in (0.5, 1.0):
        maker = _fixed(alpha_weight=weight, alpha_max_age_secs=30.0)
        found = run(maker, [quote(*at) for at in zip(xs, ys, strict=True)], others=[_Opinion(30, 4.0)])
        notes = [Note(30, 15, "+4 bps", ORANGE), Note(61, 15, "too old", GREY)]
        marks = [Line([at, at], [-20, 13.5], colour, kind="dashed") for at, colour in ((30, ORANGE), (60, GREY))]
        lines = [_mid(xs, ys), *found.lines(), *marks]
        panels.append(Panel(f"alpha_weight {weight:g}", SECONDS, BPS, lines, notes, y_range=(-14, 17)))
    return picture("Quotes before, during and after a signal", panels)


def _wilder() -> tuple[list[float], list[QuoteTick]]:
    """Return the times and quotes of a market whose volatility rises from 1 to 3 and falls back."""
    rng = np.random.default_rng(SEED)
    xs = [second / 2 for second in range(1200)]
    true = np.where((np.array(xs) >= 200) & (np.array(xs) < 400), 3.0, 1.0)
    ys = np.round(np.cumsum(rng.standard_normal(1200) * true * np.sqrt(0.5)))
    return xs, [quote(x, y) for x, y in zip(xs, ys.tolist(), strict=True)]


def volatility_spread() -> str:
    """Draw the distance of the quotes from the fair value while the volatility rises and falls."""
    _, ticks = _wilder()
    panels = []
    by_factor = [({"volatility_spread_factor": f}, c, f"{f:g}") for f, c in ((0.0, GREY), (1.0, BLUE), (2.0, RED))]
    by_horizon = [
        ({"volatility_spread_factor": 1.0, "volatility_horizon_secs": h}, c, f"{h:g} s")
        for h, c in ((2.0, GREEN), (10.0, BLUE), (30.0, RED))
    ]
    for title, choices in (("volatility_spread_factor", by_factor), ("volatility_horizon_secs", by_horizon)):
        lines = []
        for values, colour, label in choices:
            maker = _fair(volatility_window_secs=30.0, **values)
            found = run(maker, ticks, look=_half_spread_of(maker))
            shown = found.seen[::8]
            lines.append(Line([x for x, _ in shown], [y for _, y in shown], colour, label))
        panels.append(Panel(title, SECONDS, "bps from the fair value", lines, y_range=(0, 30)))
    return picture("Half-spread while volatility triples, by factor and by horizon", panels)


def _half_spread_of(maker: FairValueMaker) -> Any:
    def look() -> float:
        prices, fair = maker.quote_prices(), maker.fair_value()
        return float("nan") if prices is None or fair is None else (prices[1] / fair - 1) * 1e4

    return look


def calm_size() -> str:
    """Draw volatility and the size of the quotes while the volatility rises and falls."""
    _, ticks = _wilder()
    maker = _fair(volatility_window_secs=30.0, calm_volatility_bps=1.5)
    found = run(maker, ticks, look=lambda: (maker.sigma_bps, maker.size_factors()[0]))
    shown = found.seen[60::8]
    xs = [x for x, _ in shown]
    panels = [
        Panel("Volatility", SECONDS, "bps per √second", [Line(xs, [v for _, (v, _) in shown], RED, "measured"),
              Line([xs[0], xs[-1]], [1.5, 1.5], GREY, "calm_volatility_bps 1.5", "dashed")], y_range=(0, 4)),
        Panel("Size of each quote", SECONDS, "% of order_qty", [Line(xs, [100 * s for _, (_, s) in shown])],
              y_range=(0, 110)),
    ]  # fmt: skip
    return picture("Volatility, and the size of quotes that shrinks above the calm one", panels, 300)


def edge() -> str:
    """Draw the edge that is needed, and where the quotes stand or are left out, while the flow becomes informed."""
    rng = np.random.default_rng(SEED)
    ticks: list[Any] = []
    mid = 0
    for second in range(900):
        ticks.append(quote(second, mid))
        is_buyer = bool(rng.random() < 0.5)
        ticks.append(trade(second + 0.3, mid + (1 if is_buyer else -1), is_buyer, 1))
        if 300 <= second < 600:
            mid += 1 if is_buyer else -1
    maker = _fair(
        half_spread_bps=2.95, min_edge_over_fees_bps=0.5, adverse_selection_horizon_secs=1.0,
        adverse_selection_window_secs=60.0,
    )  # fmt: skip
    found = run(maker, ticks, look=lambda: (maker.needed_edge_bps, len(maker.desired_quotes())))
    xs = [x for x, _ in found.seen]
    needed = [edge for _, (edge, _) in found.seen]
    quoted = [3.0 if quotes else float("nan") for _, (_, quotes) in found.seen]
    lines = [
        Line([0, 900], [2, 2], GREY, "maker fee", "dashed"),
        Line(xs[::5], needed[::5], RED, "edge that is needed"),
        Line(xs, quoted, BLUE, "own quotes, 3 bps away, while they are shown"),
    ]
    note = [Note(450, 1.2, "flow is informed", GREY, "middle"), Note(150, 1.2, "flow knows nothing", GREY, "middle")]
    panel = Panel("No quote whose edge does not pay", SECONDS, "bps", lines, note, y_range=(0, 5))
    return picture("The edge that is needed, and when quotes are left out", [panel])


def glft_resolve() -> str:
    """Draw the distance of the ask of GLFT, solved exactly every 10 and every 120 seconds."""
    _, ticks = _wilder()
    lines = []
    for resolve, colour in ((10.0, GREEN), (120.0, RED)):
        config = GlftConfig(
            **SIZES, risk_aversion_per_bps=0.05, kappa_per_bps=0.2, intensity_per_s=0.07, solution="exact",
            resolve_secs=resolve, volatility_window_secs=30.0,
        )  # fmt: skip
        maker = Glft(config)
        found = run(maker, ticks, look=_ask_of(maker))
        shown = found.seen[::8]
        lines.append(Line(*steps([x for x, _ in shown], [y for _, y in shown]), colour, f"resolve_secs {resolve:g}"))
    panel = Panel("GLFT, exact, volatility 1, then 3, then 1", SECONDS, "ask, bps from the mid", lines)
    return picture("The exact solution of GLFT follows volatility in steps", [panel], 300)


def _ask_of(maker: Glft) -> Any:
    def look() -> float:
        offsets = maker.offsets_bps()
        return float("nan") if offsets is None else offsets[1]

    return look
