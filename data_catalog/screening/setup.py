"""A setup of the pairs that survived a screen, with every value's reason in a comment."""

import json
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
from nautilus_trader.model.instruments import CurrencyPair

from data_catalog.screening.price_table import NANOS, utc_text
from data_catalog.screening.screen import Screening
from data_catalog.screening.text import duration_text, headline, pair_name, remarks
from data_catalog.setup_text import comment, digits, round_up, setup_name
from models.pairs.screening import EXIT_Z, PairFindings

LEVERAGE = 5
MIN_ENTRY_Z = 1.0
MIN_STOP_Z = 4.0
HALF_LIVES_HELD = 4
RETEST_HALF_LIVES = 5
HALF_LIVES_LOOKED_BACK = 30
RETEST_P = 0.2
"""At 30 half-lives a pair that holds passes a test at this level 98 times in 100, and at 0.05 only 72 times."""

SAMPLES_PER_HALF_LIFE = 40
MIN_LOOKBACK = 100
MIN_EDGE_BPS = 10

_NICE_SECS = (60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)


def setup_text(screening: Screening, catalog: Path, file: Path, notional_quote: float) -> str:
    """
    Return the setup as YAML.

    Parameters
    ----------
    screening : Screening
        With one survivor or more.
    catalog : Path
        The folder of the catalog, as it was given.
    file : Path
        Where the text will be stored; the setup's name is that of the file.
    notional_quote : float
        The value of leg y of a full position.

    """
    pairs = screening.found.survivors()
    ids = sorted({screening.name(column) for one in pairs for column in (one.y, one.x)})
    names = ", ".join(pair_name(screening, one) for one in pairs)
    values = _values(pairs, notional_quote)
    lines = [
        *_header(screening),
        "",
        f"name: {setup_name(file, 'pairs')}",
        f"description: {json.dumps(f'Pairs chosen by a screen: {names}')}",
        "",
        "instruments:",
        *(f"  - {id_}" for id_ in ids),
        "",
        "strategies:",
        *(line for one in pairs for line in _strategy(screening, one, notional_quote)),
        "",
        "ledger: {interval_secs: 3600}",
        "",
        *_risk(screening, values, notional_quote * max(1.0, *(one.ratio.beta for one in pairs))),
        "",
        *_backtest(screening, catalog, pairs, values),
    ]
    return "\n".join(lines) + "\n"


def _header(screening: Screening) -> list[str]:
    facts = [
        "Pairs found by `python -m data_catalog screen`.",
        f"{headline(screening)}.",
        f"Of {len(screening.found.p):,} pairs {len(screening.found.survivors()):,} survived: level "
        f"{screening.rules.level:g}, correction {screening.rules.correction}.",
        *remarks(screening),
        "A replay of the bars that pairs were chosen on says how well they were chosen, not what they earn.",
    ]
    return [line for fact in facts for line in comment(fact, 0)]


def _strategy(screening: Screening, one: PairFindings, notional_quote: float) -> list[str]:
    assert one.process is not None
    assert one.entry_z is not None
    process, entry_z = one.process, max(one.entry_z, MIN_ENTRY_Z)
    half_life, interval = process.half_life * screening.prices.bar_secs, _interval_secs(screening, one)
    lookback = _lookback(screening, one)
    return [
        "  - path: strategies.pairs:Pairs",
        "    config:",
        "      pair:",
        f"        leg_y: {screening.name(one.y)}",
        f"        leg_x: {screening.name(one.x)}",
        *comment(f"{SAMPLES_PER_HALF_LIFE} samples in a half-life, or a bar: more often tells no more.", 8),
        f"        sample_interval_secs: {interval}",
        *comment(
            f"ln y = {one.ratio.intercept:.4g} + {one.ratio.beta:.4g} ± {one.ratio.beta_error:.2g} ln x, p = "
            f"{one.p:.2g} ({one.adjusted_p:.2g} corrected).",
            8,
        ),
        "        hedge_ratio: fixed",
        f"        fixed_ratio: {digits(one.ratio.beta, 5)}",
        f"        fixed_intercept: {digits(one.ratio.intercept, 6)}",
        *comment(
            f"Mean and deviation of the gap are those of {HALF_LIVES_LOOKED_BACK} half-lives, or of all that the pair "
            "was chosen on, and so is the re-test. It is easier to pass than the screen: a pair that is traded is not "
            "to be dropped for a bad stretch.",
            8,
        ),
        f"        lookback: {lookback}",
        f"        retest_every_secs: {max(interval, round(RETEST_HALF_LIVES * half_life))}",
        f"        coint_pvalue: {RETEST_P}",
        f"        max_half_life_secs: {round(screening.rules.max_half_life * screening.prices.bar_secs)}",
        *comment("Value of leg y of a full position; leg x is worth the ratio times that.", 6),
        f"      notional_quote: {digits(notional_quote, 6)}",
        *comment(
            f"A standard deviation of the gap is {100 * process.sd:.2f} %, a round trip costs {100 * one.cost:.2f} % "
            f"of leg y. If the gap were exactly what was fitted, an entry at {one.entry_z:.2f} and an exit at the mean "
            f"would earn the most per time; below {MIN_ENTRY_Z:g} that trusts the fit too far.",
            6,
        ),
        f"      entry_z: {digits(entry_z, 3)}",
        f"      exit_z: {EXIT_Z:g}",
        f"      stop_z: {digits(max(MIN_STOP_Z, 2.0 * entry_z), 3)}",
        *comment(f"Half-life {duration_text(half_life)}: after four of them a sixteenth of a gap should be left.", 6),
        f"      max_holding_secs: {round(HALF_LIVES_HELD * half_life)}",
        f"      min_edge_bps: {MIN_EDGE_BPS}   # what must be left of the reversion in a half-life after all costs",
        f"      trade_after: {utc_text(_unseen_ns(screening))}   # what comes from here on the screen has not seen",
    ]


def _interval_secs(screening: Screening, one: PairFindings) -> int:
    """Return the longest round interval of whole bars that a half-life has 40 of; a bar where there is none."""
    assert one.process is not None
    bar = round(screening.prices.bar_secs)
    most = one.process.half_life * bar / SAMPLES_PER_HALF_LIFE
    return max((secs for secs in _NICE_SECS if secs % bar == 0 and secs <= most), default=bar)


def _lookback(screening: Screening, one: PairFindings) -> int:
    """Return how many samples to look back: no more than pairs were chosen on."""
    assert one.process is not None
    bars_per_sample = _interval_secs(screening, one) / screening.prices.bar_secs
    wanted = math.ceil(HALF_LIVES_LOOKED_BACK * one.process.half_life / bars_per_sample)
    return min(int(screening.formation / bars_per_sample), max(MIN_LOOKBACK, wanted))


def _unseen_ns(screening: Screening) -> int:
    return int(screening.prices.times_ns[-1]) + NANOS


def _risk(screening: Screening, values: dict[int, float], largest: float) -> list[str]:
    """Return limits a good way beyond what the strategies want: backstops that hold at every price seen so far."""
    spot, lowest = _is_spot(screening, values), np.exp(screening.prices.log_prices.min(axis=0))
    limits = [
        f"{screening.name(i)}: {_rounded_up(2.0 * max(value, largest) / float(lowest[i]))}"
        for i, value in sorted(values.items())
    ]
    bar = round(screening.prices.bar_secs)
    drawdown = "60   # of all that is held, whose own price moves" if spot else "20"
    return [
        "risk:   # docs/risk.md",
        f"  max_position_qty: {{{', '.join(limits)}}}   # what may be traded away from the start",
        f"  max_order_notional_quote: {_rounded_up(1.5 * largest)}",
        *([] if spot else [f"  max_leverage: {LEVERAGE}"]),
        "  price_collar_bps: 500",
        f"  max_orders_per_10s: {90 if spot else 280}   # Binance takes {100 if spot else 300}",
        "  order_reserve: 10   # of these, only for closing positions",
        f"  max_data_age_secs: {max(21_600, 3 * bar)}   # exchanges rest for hours, too",
        "  max_clock_skew_secs: 5",
        "  max_price_move_bps: 2000",
        f"  price_move_window_secs: {_price_move_window_secs(bar)}   # a shorter one would hold no two bars",
        f"  max_drawdown_pct: {drawdown}",
        "  drawdown_confirmations: 2",
        "  max_rejections_per_window: 20",
        "  max_fills_per_window: 50",
        f"  check_interval_secs: {min(60, bar)}   # looking every second takes time",
    ]


def _price_move_window_secs(bar_secs: int) -> int:
    """Return a window of a dozen bars, at most an hour, but at least two bars and a minute."""
    return max(60, min(3_600, 12 * bar_secs), 2 * bar_secs)


def _backtest(screening: Screening, catalog: Path, pairs: list[PairFindings], values: dict[int, float]) -> list[str]:
    first, spot = screening.prices.instruments[pairs[0].y], _is_spot(screening, values)
    maker, taker = (Decimal(str(fee)) * 10_000 for fee in (first.maker_fee, first.taker_fee))
    longest = max(_lookback(screening, one) * _interval_secs(screening, one) for one in pairs)
    start = max(int(screening.prices.times_ns[0]), _unseen_ns(screening) - longest * NANOS)
    return [
        *comment("The strategy reads quotes. Of candles, import them with --quotes-from-closes --spread-bps X.", 0),
        "backtest:",
        f"  catalog: {json.dumps(str(catalog), ensure_ascii=False)}",
        "  data: [quotes]",
        f"  start: {utc_text(start)}   # a lookback before the first trade",
        *comment("On spot one sells what one owns, so both legs are held, enough for each side." if spot else "", 2),
        f"  starting_balances: [{', '.join(_balances(screening, values))}]",
        f"  fees: {{maker_bps: {maker.normalize():f}, taker_bps: {taker.normalize():f}}}   # the venue's ordinary tier",
        "  fills: queue_latency",
        *([] if spot else [f"  leverage: {LEVERAGE}"]),
        "  seed: 1",
    ]


def _values(pairs: list[PairFindings], notional_quote: float) -> dict[int, float]:
    """Return by instrument the value of full positions in all of its pairs."""
    values: dict[int, float] = {}
    for one in pairs:
        values[one.y] = values.get(one.y, 0.0) + notional_quote
        values[one.x] = values.get(one.x, 0.0) + notional_quote * one.ratio.beta
    return values


def _is_spot(screening: Screening, values: dict[int, float]) -> bool:
    return any(isinstance(screening.prices.instruments[column], CurrencyPair) for column in values)


def _balances(screening: Screening, values: dict[int, float]) -> list[str]:
    """Return half as much again as all pairs together need, in the quote currency and on spot in each base asset."""
    instruments = screening.prices.instruments
    balances = [f"{_rounded_up(1.5 * sum(values.values()))} {instruments[min(values)].quote_currency}"]
    if _is_spot(screening, values):
        balances += [
            f"{_qty(screening, column, 1.5 * value)} {instruments[column].base_currency}"
            for column, value in sorted(values.items())
        ]
    return balances


def _qty(screening: Screening, column: int, value: float) -> str:
    """Return about how much of an instrument a value buys at the last price, rounded up."""
    return _rounded_up(value / float(np.exp(screening.prices.log_prices[-1, column])))


def _rounded_up(amount: float) -> str:
    return round_up(Decimal(repr(amount)))
