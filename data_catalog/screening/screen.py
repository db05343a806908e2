"""The screen of a catalog: windows, costs and rules from what the user said and what the data are."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.screening.price_table import PriceTable, time_ns, utc_text
from models.pairs.multiple_testing import Correction
from models.pairs.screening import PairScreen, ScreenRules, Verdict, screen_pairs

MIN_FORMATION = 200
MIN_CONFIRMATION = 100

SLOWEST = 0.1
"""The longest half-life as a share of the formation window: a pair has to revert several times to be seen to."""

_MIN_BARS_OF_HALF_LIFE = 2.0


@dataclass(frozen=True)
class ScreenSettings:
    """
    What the user may decide.

    Parameters
    ----------
    split : str or Literal["half", "none"]
        The last moment (UTC, ISO 8601) that pairs are chosen on; half of the bars, or all of them.
    level : float
        Of the tests, after correction.
    correction : str
        For the number of pairs tried.
    min_half_life_secs, max_half_life_secs : float or None
        Two bars, and a tenth of the formation window, where None.
    max_cost_sds : float
        The most that a round trip may cost, in standard deviations of the gap.
    fee_bps : float or None
        Of each trade; the instrument's taker fee where None.
    half_spread_bps : float or None
        What crossing costs besides; half a tick where None, the least possible.
    most_traded : int or None
        Only so many instruments, by quote volume in the formation window.

    """

    split: str | Literal["half", "none"] = "half"
    level: float = 0.05
    correction: Correction = "bh"
    min_half_life_secs: float | None = None
    max_half_life_secs: float | None = None
    max_cost_sds: float = 1.0
    fee_bps: float | None = None
    half_spread_bps: float | None = None
    most_traded: int | None = None


@dataclass(frozen=True)
class Screening:
    """
    A screen of a catalog.

    Parameters
    ----------
    prices : PriceTable
        What was looked at.
    formation : int
        The first so many bars are those that pairs were chosen on.
    settings : ScreenSettings
        As they were given.
    rules : ScreenRules
        As they came out of them, in bars.
    costs : tuple of float
        Of trading each instrument once, as a fraction.
    found : PairScreen
        The result.

    """

    prices: PriceTable
    formation: int
    settings: ScreenSettings
    rules: ScreenRules
    costs: tuple[float, ...]
    found: PairScreen

    @property
    def confirmation(self) -> int:
        """The number of bars that chosen pairs were tested on again."""
        return len(self.prices.times_ns) - self.formation

    def name(self, column: int) -> str:
        """Return the id of an instrument."""
        return str(self.prices.instruments[column].id)

    def funnel(self) -> list[tuple[str, int]]:
        """Return how many pairs were left after each step, in order."""
        counts = Counter(one.verdict for one in self.found.findings)
        left = len(self.found.findings)
        steps = [("pairs", len(self.found.p)), ("tested", int(np.count_nonzero(~np.isnan(self.found.p))))]
        steps.append((f"cointegrated at {self.rules.level:g}, each by itself", left))
        for text, verdicts in _STEPS:
            left -= sum(counts[verdict] for verdict in verdicts)
            steps.append((text.format(correction=CORRECTIONS[self.rules.correction]), left))
        if self.confirmation:
            steps.append(("confirmed on the later bars", counts[Verdict.CONFIRMED]))
        return steps


CORRECTIONS: dict[Correction, str] = {
    "none": "no correction",
    "bonferroni": "Bonferroni",
    "holm": "Holm",
    "bh": "Benjamini-Hochberg",
    "by": "Benjamini-Yekutieli",
}

_STEPS = (
    ("after correction for their number ({correction})", (Verdict.CHANCE,)),
    ("with a hedge ratio above 0", (Verdict.OPPOSITE,)),
    ("with a half-life in bounds", (Verdict.TOO_SLOW, Verdict.TOO_FAST)),
    ("with gaps wide enough for the costs", (Verdict.TOO_NARROW,)),
)


def screen_catalog(prices: PriceTable, settings: ScreenSettings) -> Screening:
    """
    Screen all pairs of a table of prices.

    Raises
    ------
    BadInput
        If the split is no time inside the bars or leaves fewer than 200 bars to choose on or 100 to confirm on, the
        half-lives leave nothing between them, or fewer than two instruments have one quote currency.

    """
    prices = _one_currency(prices)
    formation = _formation_bars(prices, settings.split)
    if settings.most_traded is not None:
        prices = _most_traded(prices, formation, settings.most_traded)
    shortest = _bars(settings.min_half_life_secs, prices, _MIN_BARS_OF_HALF_LIFE)
    longest = _bars(settings.max_half_life_secs, prices, SLOWEST * formation)
    if shortest >= longest:
        raise BadInput(
            f"half-lives of {shortest:g} bars or more and {longest:g} bars or less leave none",
            key="--max-half-life-secs",
        )
    rules = ScreenRules(settings.level, settings.correction, shortest, longest, settings.max_cost_sds)
    costs = _costs(prices, formation, settings)
    later = prices.log_prices[formation:] if formation < len(prices.times_ns) else None
    found = screen_pairs(prices.log_prices[:formation], later, costs, rules)
    return Screening(prices, formation, settings, rules, costs, found)


def passed_by_chance(screening: Screening) -> float:
    """Return how many pairs would pass their own test by chance if none kept together: about this many or fewer."""
    return screening.rules.level * float(np.count_nonzero(~np.isnan(screening.found.p)))


def _formation_bars(prices: PriceTable, split: str) -> int:
    count = len(prices.times_ns)
    if split == "none":
        formation = count
    elif split == "half":
        formation = count // 2
    else:
        formation = int(np.searchsorted(prices.times_ns, time_ns(split, "--split"), side="right"))
    bars = f"common bars of {prices.bar} ({utc_text(int(prices.times_ns[0]))} to {utc_text(int(prices.times_ns[-1]))})"
    if formation < MIN_FORMATION:
        raise BadInput(f"{formation} {bars} to choose pairs on: {MIN_FORMATION} are needed")
    if split != "none" and count - formation < MIN_CONFIRMATION:
        raise BadInput(
            f"{count - formation} {bars} to confirm pairs on: {MIN_CONFIRMATION} are needed",
            hint="an earlier --split, or --no-confirmation",
        )
    return formation


def _one_currency(prices: PriceTable) -> PriceTable:
    """Return the instruments of the most common quote currency: gaps between others would be moves of the currency."""
    currencies = [str(one.quote_currency) for one in prices.instruments]
    common, number = Counter(currencies).most_common(1)[0]
    if number < 2:
        raise BadInput(f"no two instruments have one quote currency: {', '.join(prices.ids)}")
    others = {id_: f"quoted in {own}" for id_, own in zip(prices.ids, currencies, strict=True) if own != common}
    return prices.keep([i for i, own in enumerate(currencies) if own == common], others)


def _most_traded(prices: PriceTable, formation: int, number: int) -> PriceTable:
    volume = prices.quote_volume[:formation].sum(axis=0)
    ranks = np.argsort(-volume, kind="stable")
    others = {prices.ids[i]: f"not among the {number} most traded" for i in ranks[number:]}
    return prices.keep(sorted(ranks[:number].tolist()), others)


def _bars(seconds: float | None, prices: PriceTable, default: float) -> float:
    return default if seconds is None else seconds / prices.bar_secs


def _costs(prices: PriceTable, formation: int, settings: ScreenSettings) -> tuple[float, ...]:
    return tuple(
        _cost(instrument, float(np.median(prices.log_prices[:formation, i])), settings)
        for i, instrument in enumerate(prices.instruments)
    )


def _cost(instrument: Instrument, log_price: float, settings: ScreenSettings) -> float:
    """Return fee and half-spread of one trade, as a fraction of its value."""
    fee = float(instrument.taker_fee) if settings.fee_bps is None else settings.fee_bps * 1e-4
    if settings.half_spread_bps is not None:
        return fee + settings.half_spread_bps * 1e-4
    return fee + 0.5 * float(instrument.price_increment) / float(np.exp(log_price))
