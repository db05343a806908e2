"""A setup of the pairs that survived a screen, with every value's reason in a comment."""

import json
import math
import re
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from textwrap import wrap

import numpy as np
from nautilus_trader.model.instruments import CurrencyPair

from data_catalog.screening.price_table import NANOS, utc_text
from data_catalog.screening.screen import Screening
from data_catalog.screening.text import duration_text, headline, pair_name, remarks
from models.pairs.screening import EXIT_Z, PairFindings

LEVERAGE = 5
MIN_ENTRY_Z = 1.0
MIN_STOP_Z = 4.0
HALF_LIVES_HELD = 4
HALF_LIVES_LOOKED_BACK = 10
MIN_LOOKBACK = 100

_WIDTH = 118


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
    lines = [
        *_header(screening),
        "",
        f"name: {_name(file)}",
        f"description: {json.dumps(f'Pairs chosen by a screen: {names}')}",
        "",
        "instruments:",
        *(f"  - {id_}" for id_ in ids),
        "",
        "strategies:",
        *(line for one in pairs for line in _strategy(screening, one, notional_quote)),
        "",
        *_backtest(screening, catalog, pairs, notional_quote),
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
    return [line for fact in facts for line in _comment(fact, 0)]


def _strategy(screening: Screening, one: PairFindings, notional_quote: float) -> list[str]:
    assert one.process is not None
    assert one.entry_z is not None
    secs, process = screening.prices.bar_secs, one.process
    half_life = process.half_life * secs
    entry_z = max(one.entry_z, MIN_ENTRY_Z)
    lookback = min(screening.formation, max(MIN_LOOKBACK, math.ceil(HALF_LIVES_LOOKED_BACK * process.half_life)))
    lines = [
        "  - path: strategies.pairs:Pairs",
        "    config:",
        f"      leg_y: {screening.name(one.y)}",
        f"      leg_x: {screening.name(one.x)}",
        f"      bar: {screening.prices.bar}",
        *_comment("Value of leg y of a full position; leg x is worth hedge ratio times that.", 6),
        f"      notional_quote: {_digits(notional_quote, 6)}",
        *_comment(
            f"ln y = {one.ratio.intercept:.4g} + {one.ratio.beta:.4g} ± {one.ratio.beta_error:.2g} ln x, p = "
            f"{one.p:.2g} ({one.adjusted_p:.2g} corrected).",
            6,
        ),
        "      hedge_ratio: fixed",
        f"      fixed_ratio: {_digits(one.ratio.beta, 5)}",
        f"      fixed_intercept: {_digits(one.ratio.intercept, 6)}",
        *_comment(f"Mean and deviation of the gap are those of {HALF_LIVES_LOOKED_BACK} half-lives.", 6),
        f"      lookback: {lookback}",
        *_comment(
            f"A standard deviation of the gap is {100 * process.sd:.2f} %, a round trip costs {100 * one.cost:.2f} % "
            f"of leg y. If the gap were exactly what was fitted, an entry at {one.entry_z:.2f} and an exit at the mean "
            f"would earn the most per time; below {MIN_ENTRY_Z:g} that trusts the fit too far.",
            6,
        ),
        f"      entry_z: {_digits(entry_z, 3)}",
        f"      exit_z: {EXIT_Z:g}",
        f"      stop_z: {_digits(max(MIN_STOP_Z, 2.0 * entry_z), 3)}",
        *_comment(f"Half-life {duration_text(half_life)}: after four of them a sixteenth of a gap should be left.", 6),
        f"      max_holding_secs: {round(HALF_LIVES_HELD * half_life)}",
        *_comment("Tested again every ten half-lives; a pair that fails, or reverts more slowly, is left.", 6),
        f"      max_half_life_secs: {round(max(screening.rules.max_half_life * secs, half_life))}",
        f"      coint_pvalue: {screening.rules.level:g}",
        f"      retest_every_secs: {round(HALF_LIVES_LOOKED_BACK * half_life)}",
    ]
    return lines


def _backtest(screening: Screening, catalog: Path, pairs: list[PairFindings], notional_quote: float) -> list[str]:
    instruments = screening.prices.instruments
    spot = any(isinstance(instruments[column], CurrencyPair) for one in pairs for column in (one.y, one.x))
    first = instruments[pairs[0].y]
    maker, taker = (Decimal(str(fee)) * 10_000 for fee in (first.maker_fee, first.taker_fee))
    fees = f"maker_bps: {maker.normalize():f}, taker_bps: {taker.normalize():f}"
    unseen_ns = int(screening.prices.times_ns[-1]) + NANOS
    return [
        "backtest:",
        f"  catalog: {json.dumps(str(catalog), ensure_ascii=False)}",
        "  data: [bars]",
        f"  start: {utc_text(unseen_ns)}   # what comes from here on the screen has not seen",
        *_comment("On spot one sells what one owns, so both legs are held, enough for each side." if spot else "", 2),
        f"  starting_balances: [{', '.join(_balances(screening, pairs, notional_quote, spot=spot))}]",
        f"  fees: {{{fees}}}   # the venue's ordinary tier",
        *([] if spot else [f"  leverage: {LEVERAGE}"]),
        "  seed: 1",
    ]


def _balances(screening: Screening, pairs: list[PairFindings], notional_quote: float, *, spot: bool) -> list[str]:
    """Return half as much again as all pairs together need, in the quote currency and on spot in each base asset."""
    values: dict[int, float] = {}
    for one in pairs:
        values[one.y] = values.get(one.y, 0.0) + notional_quote
        values[one.x] = values.get(one.x, 0.0) + notional_quote * one.ratio.beta
    quote = screening.prices.instruments[pairs[0].y].quote_currency
    balances = [f"{_round_up(1.5 * sum(values.values()))} {quote}"]
    if spot:
        last = np.exp(screening.prices.log_prices[-1])
        balances += [
            f"{_round_up(1.5 * value / float(last[column]))} {screening.prices.instruments[column].base_currency}"
            for column, value in sorted(values.items())
        ]
    return balances


def _round_up(amount: float) -> str:
    """Return an amount rounded up to two digits."""
    exact = Decimal(repr(amount))
    return f"{exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), ROUND_CEILING).normalize():f}"


def _digits(value: float, count: int) -> str:
    """Return a number with so many significant digits and no exponent."""
    return f"{Decimal(f'{value:.{count}g}'):f}"


def _comment(text: str, indent: int) -> list[str]:
    prefix = " " * indent + "# "
    return wrap(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False)


def _name(file: Path) -> str:
    """Return the file's name as a setup may be called."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", file.stem).lstrip("_.-")[:80] or "pairs"
    # A name such as "1e5" or "true" would read as a number or a boolean.
    return json.dumps(name)
