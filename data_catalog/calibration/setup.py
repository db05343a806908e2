"""A setup that `run_backtest.py` accepts, with every value's reason in a comment."""

import json
from decimal import Decimal
from pathlib import Path

from nautilus_trader.model.instruments import CurrencyPair, Instrument

from data_catalog.calibration.choices import LOTS, Choices, StrategyName, choose
from data_catalog.calibration.estimates import Calibration
from data_catalog.calibration.market_window import utc_text
from data_catalog.setup_text import comment, digits, round_up, setup_name
from models.market_statistics import Interval

LEVERAGE = 10

CLASSES: dict[StrategyName, str] = {
    "avellaneda_stoikov": "AvellanedaStoikov",
    "glft": "Glft",
    "fixed_spread": "FixedSpread",
}
TITLES: dict[StrategyName, str] = {
    "avellaneda_stoikov": "Avellaneda-Stoikov",
    "glft": "Guéant-Lehalle-Fernandez-Tapia",
    "fixed_spread": "Fixed spread",
}

NO_EARNINGS = (
    "At no depth that was measured did a fill earn the fee and the move against it: expect a loss with these fees."
)


def setup_text(found: Calibration, strategy: StrategyName, catalog: Path, file: Path) -> str:
    """
    Return the setup as YAML.

    Parameters
    ----------
    found : Calibration
        What was estimated.
    strategy : {"avellaneda_stoikov", "fixed_spread"}
        The maker.
    catalog : Path
        The folder of the catalog, as it was given.
    file : Path
        Where the text will be stored; the setup's name is that of the file.

    """
    chosen, instrument = choose(found, strategy), found.window.instrument
    title = TITLES[strategy]
    lines = [
        *_header(found, title),
        "",
        f"name: {setup_name(file, 'calibrated')}",
        f"description: {title} on {instrument.id}, calibrated",
        "",
        "instruments:",
        f"  - {instrument.id}",
        "",
        "strategies:",
        f"  - path: strategies.{strategy}:{CLASSES[strategy]}",
        "    config:",
        f"      instrument_id: {instrument.id}",
        *_sizes(found, chosen),
        *(_fixed_spread(chosen) if strategy == "fixed_spread" else _model(found, chosen, strategy)),
        *comment("A quote that is off by less stays: every move costs its place in the queue. A quarter of 1/k.", 6),
        f"      requote_threshold_bps: {digits(chosen.requote_threshold_bps, 2)}",
        "",
        *_backtest(found, chosen, catalog),
    ]
    return "\n".join(lines) + "\n"


def _header(found: Calibration, title: str) -> list[str]:
    window, flow, trades = found.window, found.flow, found.trades
    sigma, fit = found.volatility.best, flow.best
    facts = [
        f"{title} on {window.instrument.id}, made by `python -m data_catalog calibrate`.",
        f"Calibrated on {utc_text(window.start_ns)} to {utc_text(window.end_ns)}: {trades.trades:,} trades, which are "
        f"{trades.market_orders:,} market orders. ± is one standard error, [ ] a 95 % interval.",
        f"sigma {_with_interval(sigma.bps_per_sqrt_s)} bps per sqrt(second) ({sigma.label})",
        f"k {_with_interval(flow.kappa, fit.kappa_error)} per bp: the market orders that reach a quote thin out to 1/e "
        f"every {1 / fit.kappa:.3g} bps",
        f"A {_with_interval(flow.intensity_a, fit.intensity_a_error)} per second and side; A and k hold from "
        f"{flow.from_bps:.3g} to {flow.to_bps:.3g} bps from the mid",
        f"spread {found.spread.mean_bps:.3g} bps on average",
        *found.warnings,
        *([NO_EARNINGS] if found.by_depth and found.best_depth is None else []),
        "A replay of the same time shows how well the values fit it, not what they earn: replay another time, too.",
    ]
    return [line for fact in facts for line in comment(fact, 0)]


def _with_interval(interval: Interval, error: float | None = None) -> str:
    plus_minus = "" if error is None else f" ± {error:.2g}"
    return f"{interval.value:.3g}{plus_minus} [{interval.low:.3g}, {interval.high:.3g}]"


def _sizes(found: Calibration, chosen: Choices) -> list[str]:
    base = found.window.instrument.base_currency
    return [
        *comment(f"{base} per quote: the median market order, and no less than the venue takes.", 6),
        f"      order_qty: {chosen.order_qty.normalize():f}",
        *comment(f"Never more than {LOTS} quotes long or short.", 6),
        f"      max_position: {chosen.max_position.normalize():f}",
    ]


def _model(found: Calibration, chosen: Choices, strategy: StrategyName) -> list[str]:
    """Return the values of a maker that knows the flow and leans against its inventory."""
    fit, sigma = found.flow.best, found.volatility.sigmas[0].bps_per_sqrt_s.value
    seen = f"with the {sigma:.3g} bps per sqrt(second) that the maker sees from move to move"
    half = chosen.half_spread_bps
    lines = comment(f"The measured k: without risk the model quotes 1/k = {1 / fit.kappa:.3g} bps from the mid.", 6)
    lines.append(f"      kappa_per_bps: {digits(fit.kappa, 3)}")
    lines += comment(
        f"The model knows no fees, so bid and ask are kept 2 x {half:.3g} bps apart or more: {chosen.half_spread_why}.",
        6,
    )
    lines.append(f"      min_spread_bps: {digits(2 * half, 3)}")
    if strategy == "glft":
        lines += comment("The measured A: market orders per second and side, carried to the mid.", 6)
        lines.append(f"      intensity_per_s: {digits(fit.intensity_a, 3)}")
        lean = f"a full inventory moves them by {half:.3g} bps (= {LOTS} x sigma x sqrt(gamma e/(2 k A)), {seen})"
    else:
        lean = (
            f"at the start of a session a full inventory moves them by {half:.3g} bps (= {LOTS} x gamma x sigma² x "
            f"horizon, {seen})"
        )
    lines += comment(f"gamma, how strongly quotes lean against the inventory: {lean}.", 6)
    lines.append(f"      risk_aversion_per_bps: {digits(chosen.risk_aversion_per_bps, 2)}")
    if strategy == "avellaneda_stoikov":
        lines.append("      horizon: finite")
        lines += comment(f"About the time in which {LOTS} quotes are filled; the lean fades within each session.", 6)
        lines.append(f"      horizon_secs: {chosen.horizon_secs}")
    lines += comment("The memory of the maker's volatility; it quotes nothing until it has seen that much.", 6)
    lines.append(f"      volatility_window_secs: {chosen.volatility_window_secs}")
    return lines


def _fixed_spread(chosen: Choices) -> list[str]:
    return [
        *comment(f"Each quote this far from the mid. {chosen.half_spread_why}.", 6),
        f"      half_spread_bps: {digits(chosen.half_spread_bps, 3)}",
        *comment("Every so often, quotes are put exactly where they should be.", 6),
        "      order_refresh_secs: 60",
    ]


def _backtest(found: Calibration, chosen: Choices, catalog: Path) -> list[str]:
    instrument = found.window.instrument
    maker, taker = (Decimal(str(fee)) * 10_000 for fee in (instrument.maker_fee, instrument.taker_fee))
    fees = f"maker_bps: {maker.normalize():f}, taker_bps: {taker.normalize():f}"
    spot = isinstance(instrument, CurrencyPair)
    return [
        "backtest:",
        f"  catalog: {json.dumps(str(catalog), ensure_ascii=False)}",
        "  data: [quotes, trades]",
        f"  # start: {utc_text(found.window.end_ns)}   # from here on the calibration has seen nothing",
        *comment("On spot one owns both sides, and both count into the equity." if spot else "The margin account.", 2),
        f"  starting_balances: [{', '.join(_balances(instrument, chosen, found))}]",
        f"  fees: {{{fees}{', paid_in: received' if spot else ''}}}   # the venue's ordinary tier",
        "  fills: queue_latency   # optimistic, queue, queue_latency or pessimistic: try them all",
        "  latency: {insert_ms: 50, modify_ms: 50, cancel_ms: 50}",
        *([] if spot else [f"  leverage: {LEVERAGE}"]),
        "  seed: 1",
    ]


def _balances(instrument: Instrument, chosen: Choices, found: Calibration) -> list[str]:
    price = Decimal(repr(float(found.window.mid[-1] * found.window.tick)))
    quote = f"{round_up(chosen.max_position * price * Decimal('1.5'))} {instrument.quote_currency}"
    if not isinstance(instrument, CurrencyPair):
        return [quote]
    return [quote, f"{round_up(chosen.max_position * Decimal('1.5'))} {instrument.base_currency}"]
