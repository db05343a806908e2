"""
A synthetic market: quotes and trades whose laws are known, so that a model can be checked against what it assumes.

Prices of several assets share one factor F: log price_i = log start + b_i F + X_i with b_0 = 1 and X_0 = 0; the others
have b_i = hedge_ratio and an Ornstein-Uhlenbeck X_i, so that they are cointegrated with the first. F is a Brownian
motion, with jumps and mean reversion when asked for, and moves with informed orders.

Market orders arrive on each side of each asset as a Poisson process of rate A. Each reaches an exponentially
distributed depth D from the middle of the touch, P(D > d) = exp(-k d), and prints ONE trade at the furthest tick it
reaches: a sale at the lowest tick at or above mid - D, a purchase at the highest at or below mid + D. So a resting
order d away from the mid is reached by a trade at its price or beyond at the rate A exp(-k d), whatever d is. Trades
inside the touch are those that only a quote inside it would have had; trades outside it are sweeps, after which the
touch is refilled at once. A microsecond after each trade comes a quote, moved by the impact if the order was informed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]

NS_PER_SECOND = 1_000_000_000
QUOTE_AFTER_TRADE_NS = 1_000
BPS = 1e-4
_BLOCK_EVENTS = 500_000.0
_BLOCK_SECONDS = 3_600.0
_LARGEST_LOG_MOVE = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketModel:
    """
    The laws of a synthetic market.

    Parameters
    ----------
    ticks : tuple of float
        The price increment of each asset; their number is the number of assets.
    start_price : float
        The mid of every asset at the start, but for X_i.
    sigma_bps_per_sqrt_s : float
        Volatility of F in basis points per square root of a second, without impact and jumps.
    mean_reversion_half_life_secs : float
        F halves its distance from the start in this time; 0 for none.
    jumps_per_hour, jump_size_bps : float
        Rate of jumps of F, and the standard deviation of their (Gaussian) size.
    quotes_per_s : float
        Rate of quotes per asset, besides those that follow trades. Most change sizes only.
    spread_ticks : int
        Ask minus bid.
    touch_qty, order_qty : float
        Mean size at each side of the touch and of a market order (both exponential).
    market_orders_per_s : float
        A: rate of market orders on EACH side of each asset.
    depth_decay_per_bps : float
        k: per basis point of `start_price`.
    informed_pct : float
        Share of market orders after which the mid moves for good.
    impact_bps : float
        How far it then moves, in the order's direction; through F, so that cointegration holds.
    hedge_ratio : float
        b_i of the second and later assets.
    pair_sigma_bps, pair_half_life_secs : float
        Stationary standard deviation and half-life of X_i.

    """

    ticks: tuple[float, ...]
    start_price: float
    sigma_bps_per_sqrt_s: float
    mean_reversion_half_life_secs: float
    jumps_per_hour: float
    jump_size_bps: float
    quotes_per_s: float
    spread_ticks: int
    touch_qty: float
    order_qty: float
    market_orders_per_s: float
    depth_decay_per_bps: float
    informed_pct: float
    impact_bps: float
    hedge_ratio: float
    pair_sigma_bps: float
    pair_half_life_secs: float

    @property
    def events_per_s(self) -> float:
        """Expected rows per second of market time: quotes, trades and the quotes after them, over all assets."""
        return len(self.ticks) * (self.quotes_per_s + 4 * self.market_orders_per_s)

    @property
    def shown_sigma_bps_per_sqrt_s(self) -> float:
        """Volatility of the first asset's mid over times short against any half-life: diffusion, impact and jumps."""
        own = 2 * self.market_orders_per_s * self.informed_pct / 100 * self.impact_bps**2
        others = own * (len(self.ticks) - 1) / self.hedge_ratio**2
        jumps = self.jumps_per_hour / 3600 * self.jump_size_bps**2
        return math.sqrt(self.sigma_bps_per_sqrt_s**2 + own + others + jumps)

    def loading(self, asset: int) -> float:
        """Return b_i."""
        return self.hedge_ratio if asset else 1.0


@dataclass(frozen=True, slots=True)
class MarketBlock:
    """
    What one asset did in a stretch of time. Times are nanoseconds from the start, all different and increasing.

    Parameters
    ----------
    quote_time_ns, bid_ticks, ask_ticks : ndarray of int64
        The touch, in ticks.
    bid_qty, ask_qty : ndarray of float64
        The sizes at the touch.
    mid : ndarray of float64
        The true mid, of which the touch shows the nearest tick.
    trade_time_ns, trade_ticks : ndarray of int64
        Time and price of each trade.
    trade_qty : ndarray of float64
        Its size.
    buyer : ndarray of bool
        True where the market order was a purchase.
    reach_bps : ndarray of float64
        D, in basis points of the start price.
    informed : ndarray of bool
        True where the mid moved for good.

    """

    quote_time_ns: Ints
    bid_ticks: Ints
    ask_ticks: Ints
    bid_qty: Floats
    ask_qty: Floats
    mid: Floats
    trade_time_ns: Ints
    trade_ticks: Ints
    trade_qty: Floats
    buyer: Flags
    reach_bps: Floats
    informed: Flags


@dataclass(frozen=True, slots=True)
class _Orders:
    time: Ints
    buyer: Flags
    reach_bps: Floats
    informed: Flags
    qty: Floats

    def take(self, rows: Flags | NDArray[np.intp]) -> "_Orders":
        return _Orders(*(getattr(self, field.name)[rows] for field in fields(self)))


def generate(model: MarketModel, seconds: float, seed: int) -> Iterator[list[MarketBlock]]:
    """
    Yield the market in stretches of at most an hour: a list with one block per asset.

    Parameters
    ----------
    model : MarketModel
        The laws.
    seconds : float
        How long it lasts, above 0.
    seed : int
        At least 0; the same seed and laws give the same market, bit for bit, on the same numpy.

    Yields
    ------
    list of MarketBlock
        One per asset, in the order of `model.ticks`.

    Raises
    ------
    ValueError
        If `seconds` is not positive, or a price falls below one tick or moves by a factor of millions.

    """
    if not seconds > 0:
        raise ValueError(f"seconds was {seconds}, expected above 0")
    market = _Market(model, seed)
    end = round(seconds * NS_PER_SECOND)
    step = round(min(_BLOCK_SECONDS, _BLOCK_EVENTS / model.events_per_s) * NS_PER_SECOND) + 1
    for start in range(0, end, step):
        yield market.block(start, min(start + step, end))


class _Market:
    """The market as it stands between two blocks."""

    def __init__(self, model: MarketModel, seed: int) -> None:
        self._model = model
        self._assets = range(len(model.ticks))
        # Independent streams: a change to one part of the market leaves the draws of the others as they were.
        streams = (np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(3))
        self._prices, self._flow, self._sizes = streams
        self._factor, self._factor_time = 0.0, 0
        spread = model.pair_sigma_bps * BPS
        self._deviations = [spread * self._prices.standard_normal() if asset else 0.0 for asset in self._assets]
        self._deviation_times = [0 for _ in self._assets]
        self._bids = [0 for _ in self._assets]

    def block(self, start: int, stop: int) -> list[MarketBlock]:
        """Return what happens from `start` up to but not including `stop`."""
        orders = [self._draw_orders(asset, start, stop) for asset in self._assets]
        quotes = [self._draw_quote_times(start, stop, one.time) for one in orders]
        timeline, places = _one_timeline([*quotes, *(one.time for one in orders)])
        quote_places, order_places = places[: len(orders)], places[len(orders) :]
        impact = np.zeros(len(timeline) + 1)
        for asset, one in enumerate(orders):
            signed = np.where(one.buyer, 1.0, -1.0) * one.informed
            # It acts from the next moment on: the order itself trades before.
            impact[order_places[asset] + 1] = signed * self._model.impact_bps * BPS / self._model.loading(asset)
        factor = self._factor_path(timeline, impact[:-1])
        blocks = []
        for asset, one in enumerate(orders):
            quote_time = timeline[quote_places[asset]]
            log_move = self._model.loading(asset) * factor[quote_places[asset]] + self._deviation(asset, quote_time)
            if np.abs(log_move).max(initial=0.0) > _LARGEST_LOG_MOVE:
                raise ValueError("a price ran away: lower the volatility, the impact or the length")
            mid = self._model.start_price * np.exp(log_move)
            blocks.append(self._publish(asset, quote_time, mid, timeline[order_places[asset]], one))
        return blocks

    def _arrivals(self, rate_per_s: float, start: int, stop: int) -> Ints:
        """Return the sorted times of a Poisson process, kept clear of the end by the quote that follows a trade."""
        last = max(stop - 10 * QUOTE_AFTER_TRADE_NS, start + 1)
        count = self._flow.poisson(rate_per_s * (stop - start) / NS_PER_SECOND)
        return np.sort(self._flow.integers(start, last, count))

    def _draw_orders(self, asset: int, start: int, stop: int) -> _Orders:
        model = self._model
        times = [self._arrivals(model.market_orders_per_s, start, stop) for _ in range(2)]
        count = sum(len(side) for side in times)
        orders = _Orders(
            time=np.concatenate(times),
            buyer=np.repeat([True, False], [len(side) for side in times]),
            reach_bps=self._flow.exponential(1.0 / model.depth_decay_per_bps, count),
            informed=self._flow.random(count) < model.informed_pct / 100.0,
            qty=self._flow.exponential(model.order_qty, count),
        )
        # Inside a spread of one tick nobody can quote, so an order that does not reach the touch meets nobody.
        meets = orders.reach_bps * self._ticks_per_bp(asset) >= 1.0 - model.spread_ticks / 2.0
        met = orders.take(meets)
        return met.take(np.argsort(met.time, kind="stable"))

    def _draw_quote_times(self, start: int, stop: int, trade_times: Ints) -> Ints:
        opening = np.array([start] if start == 0 else [], dtype=np.int64)
        own = self._arrivals(self._model.quotes_per_s, start, stop)
        return np.sort(np.concatenate([opening, own, trade_times + QUOTE_AFTER_TRADE_NS]))

    def _factor_path(self, timeline: Ints, impact: Floats) -> Floats:
        """Return F at every moment of the timeline and carry its end over."""
        if len(timeline) == 0:
            return np.empty(0)
        model = self._model
        elapsed = np.diff(timeline, prepend=self._factor_time) / NS_PER_SECOND
        sigma = model.sigma_bps_per_sqrt_s * BPS
        jumps = self._prices.poisson(model.jumps_per_hour * elapsed.sum() / 3600.0)
        shocks = impact.copy()
        jump_places = self._prices.integers(0, len(timeline), jumps)
        np.add.at(shocks, jump_places, self._prices.normal(0.0, model.jump_size_bps * BPS, jumps))
        noise = self._prices.standard_normal(len(timeline))
        if model.mean_reversion_half_life_secs > 0:
            speed = math.log(2.0) / model.mean_reversion_half_life_secs
            spread_out = np.sqrt(-np.expm1(-2.0 * speed * elapsed) / (2.0 * speed))
            factor = _recursion(self._factor, np.exp(-speed * elapsed), shocks + sigma * spread_out * noise)
        else:
            factor = self._factor + np.cumsum(shocks + sigma * np.sqrt(elapsed) * noise)
        self._factor, self._factor_time = float(factor[-1]), int(timeline[-1])
        return factor

    def _deviation(self, asset: int, times: Ints) -> Floats:
        """Return X_i at the asset's quotes and carry its end over."""
        if asset == 0 or len(times) == 0:
            return np.zeros(len(times))
        model = self._model
        elapsed = np.diff(times, prepend=self._deviation_times[asset]) / NS_PER_SECOND
        decay = np.exp2(-elapsed / model.pair_half_life_secs)
        noise = self._prices.standard_normal(len(times))
        path = _recursion(self._deviations[asset], decay, model.pair_sigma_bps * BPS * np.sqrt(1.0 - decay**2) * noise)
        self._deviations[asset], self._deviation_times[asset] = float(path[-1]), int(times[-1])
        return path

    def _publish(self, asset: int, quote_time: Ints, mid: Floats, trade_time: Ints, orders: _Orders) -> MarketBlock:
        """Return the touch around `mid` in whole ticks and the trades of `orders` against it."""
        model = self._model
        half_spread = model.spread_ticks / 2.0
        bid = np.floor(mid / model.ticks[asset] - half_spread + 0.5).astype(np.int64)
        if len(bid) and bid.min() < 1:
            raise ValueError("a price fell below one tick: lower the volatility, the impact or the length")
        bids = np.concatenate([[self._bids[asset]], bid])
        self._bids[asset] = int(bids[-1])
        centre = bids[np.searchsorted(quote_time, trade_time)] + half_spread
        reach = orders.reach_bps * self._ticks_per_bp(asset)
        traded = np.where(orders.buyer, np.floor(centre + reach), np.ceil(centre - reach)).astype(np.int64)
        return MarketBlock(
            quote_time_ns=quote_time,
            bid_ticks=bid,
            ask_ticks=bid + model.spread_ticks,
            bid_qty=self._sizes.exponential(model.touch_qty, len(bid)),
            ask_qty=self._sizes.exponential(model.touch_qty, len(bid)),
            mid=mid,
            trade_time_ns=trade_time,
            trade_ticks=np.maximum(traded, 1),
            trade_qty=orders.qty,
            buyer=orders.buyer,
            reach_bps=orders.reach_bps,
            informed=orders.informed,
        )

    def _ticks_per_bp(self, asset: int) -> float:
        return BPS * self._model.start_price / self._model.ticks[asset]


def _one_timeline(times: list[Ints]) -> tuple[Ints, list[NDArray[np.intp]]]:
    """Return all moments in order, equal ones set apart by a nanosecond, and the place of each input among them."""
    drawn = np.concatenate(times)
    in_order = np.argsort(drawn, kind="stable")
    ranks = np.arange(len(drawn))
    timeline = np.maximum.accumulate(drawn[in_order] - ranks) + ranks
    place = np.empty_like(in_order)
    place[in_order] = ranks
    return timeline, np.split(place, np.cumsum([len(one) for one in times])[:-1])


def _recursion(start: float, decay: Floats, shocks: Floats) -> Floats:
    """Return x_n = decay_n x_(n-1) + shock_n."""
    value = start
    path = []
    for keep, shock in zip(decay.tolist(), shocks.tolist(), strict=True):
        value = value * keep + shock
        path.append(value)
    return np.array(path)
