"""Pictures of the quotes of the models: Avellaneda-Stoikov and GLFT, by inventory, volatility, flow and time."""

import math

import numpy as np
from svg import BLUE, GREEN, GREY, ORANGE, RED, Line, Note, Panel, picture

from models.market_making.avellaneda_stoikov import (
    finite_horizon_quotes,
    infinite_horizon_quotes,
    liquidity_premium,
    reservation_price,
    total_spread,
)
from models.market_making.fixed_spread import fixed_spread_quotes
from models.market_making.glft import glft_distances, skew_per_unit
from models.market_making.glft_spectral import GlftModel, stationary_quotes

SIGMA, KAPPA, FLOW = 1.37, 0.192, 0.070
"""NEXOUSDT spot, 24.3 hours of July 2024 (docs/calibrate.md): bps per square root of a second, per bps, per second."""

LOTS = np.linspace(-10, 10, 81)
WHOLE_LOTS = range(-10, 11)
INVENTORY, DISTANCE = "inventory (lots of order_qty)", "bps from the mid"


def pictures() -> dict[str, str]:
    """Return the pictures of this module by name."""
    return {
        "half-spread": half_spread(),
        "kappa": kappa(),
        "risk-aversion": risk_aversion(),
        "horizon": horizon(),
        "volatility": volatility(),
        "glft-risk-aversion": glft_risk_aversion(),
        "glft-flow": glft_flow(),
        "glft-exact": glft_exact(),
    }


def half_spread() -> str:
    """Draw a distance in basis points and one in the quote currency while the price triples."""
    mids = np.linspace(1.0, 3.0, 41).tolist()
    relative = [fixed_spread_quotes(mid, mid * 100 * 1e-4) for mid in mids]
    absolute = [fixed_spread_quotes(mid, 0.01) for mid in mids]
    lines = [
        Line(mids, [(ask - mid) / mid * 1e4 for mid, (_, ask) in zip(mids, quotes, strict=True)], colour, label)
        for quotes, colour, label in (
            (relative, BLUE, "half_spread_bps: 100"),
            (absolute, RED, "half_spread_quote: 0.01"),
        )
    ]
    panel = Panel("The ask of the fixed-spread maker", "price (quote currency)", "distance in bps of the price", lines)
    return picture("Distance of a fixed spread in bps and in quote currency as the price rises", [panel], 280)


def kappa() -> str:
    """Draw the flow by depth, and what is left of it after costs."""
    depths = np.linspace(0, 30, 61)
    choices = ((0.1, GREEN), (KAPPA, BLUE), (0.4, RED))
    flow = [Line(depths.tolist(), (_flow(depths, k) * 3600).tolist(), c, f"k = {k:g}") for k, c in choices]
    means = [liquidity_premium(0.0, k) for k, _ in choices]
    flow += [
        Line([mean], [float(_flow(mean, k)) * 3600], c, kind="dots")
        for mean, (k, c) in zip(means, choices, strict=True)
    ]
    earned = [
        Line(depths.tolist(), ((depths - cost) * _flow(depths, KAPPA) * 3600).tolist(), colour, f"cost {cost} bps")
        for cost, colour in ((0, BLUE), (4, ORANGE), (10, RED))
    ]
    left = Panel(
        "Fills thin out with distance", DISTANCE, "orders per hour that get there", flow, [Note(11.2, 90, "dots: 1/k")]
    )
    right = Panel(
        f"What is left (k = {KAPPA})", DISTANCE, "bps × fills per hour", earned, y_range=(-420, 520), x_range=(0, 30)
    )
    return picture("Flow by depth for three kappas, and earnings by depth for three costs", [left, right])


def _flow(depth: float | np.ndarray, k: float) -> np.ndarray:
    return np.asarray(FLOW * np.exp(-k * np.asarray(depth)))


def risk_aversion() -> str:
    """Draw the quotes of both horizons by inventory, for several gammas."""
    finite, infinite = [], []
    for gamma, colour in ((0.0, GREY), (0.001, BLUE), (0.003, RED)):
        quotes = [finite_horizon_quotes(0, q, gamma, SIGMA, KAPPA, 300) for q in LOTS]
        finite += _both_sides(quotes, colour, f"{gamma:g}")
    for gamma, colour in ((0.05, BLUE), (0.02, ORANGE), (0.01, RED)):
        quotes = [infinite_horizon_quotes(0, q, gamma, SIGMA, KAPPA, 10) for q in LOTS]
        infinite += _both_sides(quotes, colour, f"{gamma:g}")
    ends = (-30.0, 30.0)
    note = [Note(-9.5, -27, "solid: ask, dashed: bid")]
    left = Panel("finite, 300 s left, by gamma", INVENTORY, DISTANCE, finite, note, y_range=ends)
    right = Panel("infinite, limit 10 lots, by gamma", INVENTORY, DISTANCE, infinite, y_range=ends)
    return picture("Quotes of Avellaneda-Stoikov by inventory for several risk aversions", [left, right], 380)


def _both_sides(quotes: list[tuple[float, float]], colour: str, label: str) -> list[Line]:
    bids, asks = ([side if math.isfinite(side) else math.nan for side in s] for s in zip(*quotes, strict=True))
    return [Line(LOTS.tolist(), asks, colour, label), Line(LOTS.tolist(), bids, colour, kind="dashed")]


def horizon() -> str:
    """Draw the lean and the spread through the sessions of a finite horizon."""
    seconds = np.arange(0, 1200, 5)
    lean, width = [], []
    for length, colour in ((60, GREEN), (300, BLUE), (600, RED)):
        left = [length - float(t % length) for t in seconds]
        shifts = [-reservation_price(0, 5, 0.001, SIGMA, rest) for rest in left]
        spreads = [total_spread(0.001, SIGMA, KAPPA, rest) for rest in left]
        lean.append(Line(seconds.tolist(), shifts, colour, f"{length} s"))
        width.append(Line(seconds.tolist(), spreads, colour, f"{length} s"))
    panels = [
        Panel("Lean with 5 lots held", "seconds", "bps that both quotes are lower", lean),
        Panel("Spread", "seconds", "bps from bid to ask", width, y_range=(10, 12)),
    ]
    return picture("How lean and spread fade within each session of a finite horizon", panels)


def volatility() -> str:
    """Draw the spread and the lean of three models by volatility."""
    sigmas = np.linspace(0.2, 6, 59).tolist()
    gamma = 0.003
    finite = [finite_horizon_quotes(0, 5, gamma, s, KAPPA, 300) for s in sigmas]
    endless = [infinite_horizon_quotes(0, 5, 0.05, s, KAPPA, 10) for s in sigmas]
    glft = [(-b, a) for b, a in (glft_distances(5, gamma, s, FLOW, KAPPA) for s in sigmas)]
    models = ((finite, BLUE, "A-S finite"), (endless, GREEN, "A-S infinite"), (glft, RED, "GLFT"))
    width = [Line(sigmas, [a - b for b, a in quotes], colour, name) for quotes, colour, name in models]
    lean = [Line(sigmas, [-(a + b) / 2 for b, a in quotes], colour, name) for quotes, colour, name in models]
    x_title = "volatility (bps per √second)"
    panels = [
        Panel("Spread", x_title, "bps from bid to ask", width, y_range=(0, 50)),
        Panel("Lean with 5 lots held", x_title, "bps that both quotes are lower", lean, y_range=(0, 50)),
    ]
    return picture("Spread and lean by volatility for Avellaneda-Stoikov and GLFT", panels)


def glft_risk_aversion() -> str:
    """Draw GLFT's closed form by inventory for several gammas."""
    lines = []
    for gamma, colour in ((0.0, GREY), (0.001, BLUE), (0.005, RED)):
        quotes = [(-b, a) for b, a in (glft_distances(q, gamma, SIGMA, FLOW, KAPPA) for q in LOTS)]
        lines += _both_sides(quotes, colour, f"risk_aversion_per_bps {gamma:g}")
    panel = Panel("GLFT, closed form", INVENTORY, DISTANCE, lines, [Note(-9.5, -14, "solid: ask, dashed: bid")])
    return picture("Quotes of GLFT by inventory for several risk aversions", [panel])


def glft_flow() -> str:
    """Draw what A does to GLFT."""
    flows = np.linspace(0.01, 0.5, 99).tolist()
    lean = [skew_per_unit(0.005, SIGMA, a, KAPPA, 0.005, 1.0) for a in flows]
    half = [glft_distances(0, 0.005, SIGMA, a, KAPPA)[0] for a in flows]
    lines = [
        Line(flows, half, BLUE, "distance of each quote, no inventory"),
        Line(flows, lean, RED, "lean per lot held"),
    ]
    panel = Panel("GLFT: more flow, less worry", "A: market orders per second on each side", "bps", lines)
    return picture("Half-spread and lean of GLFT by the intensity of the flow", [panel], 300)


def glft_exact() -> str:
    """Draw the closed form against the exact solution, whose limit is 10 lots."""
    gamma = 0.0005
    table = stationary_quotes(GlftModel(gamma, SIGMA, FLOW, KAPPA), 10)
    lines = []
    for side, name, colour in ((1, "ask", RED), (0, "bid", BLUE)):
        sign = 1 if side else -1
        closed = [sign * glft_distances(q, gamma, SIGMA, FLOW, KAPPA)[side] for q in WHOLE_LOTS]
        exact = [sign * table.distances(q)[side] for q in WHOLE_LOTS]
        shown = [value if math.isfinite(value) else math.nan for value in exact]
        lines.append(Line(list(WHOLE_LOTS), closed, colour, f"{name}, closed_form", "dashed"))
        lines.append(Line(list(WHOLE_LOTS), shown, colour, f"{name}, exact", "dots"))
    notes = [Note(10.2, -13, "full: no bid", BLUE, "end"), Note(-10.2, 12, "full: no ask", RED)]
    panel = Panel("GLFT with a limit of 10 lots", INVENTORY, DISTANCE, lines, notes, (-10.4, 10.4), (-15, 15))
    return picture("Closed form and exact solution of GLFT near the inventory limit", [panel], 380)
