"""One rebalancing on its way: sales first, then what the cash pays for, then the account of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.trading.strategy import Strategy
from numpy.typing import NDArray

from messages.trading import AssetWeight, Rebalanced
from models.market_making.quote_plan import Side
from models.portfolio.lots import Purchase, affordable
from strategies.crossing import CrossingAsset
from strategies.holdings import Portfolio, balance

type Floats = NDArray[np.float64]

_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What is to be done, and why.

    Parameters
    ----------
    reason : str
        "drift" or "interval".
    before : Portfolio
        What was held when it was decided.
    targets, lower, upper : array
        The target weights and the edges of their bands.
    trades : sequence of int
        The lots of each asset to buy (positive) or sell (negative).

    """

    reason: str
    before: Portfolio
    targets: Floats
    lower: Floats
    upper: Floats
    trades: Sequence[int]


class RebalanceAction:
    """
    Carries out plans, one at a time.

    The strategy passes on what happens to the orders by calling `go_on`. An order that is not answered in time is
    cancelled.

    Parameters
    ----------
    strategy : Strategy
        Whose orders they are.
    assets : sequence of CrossingAsset
        In the order of the plans.
    timeout_secs : float
        When an order is cancelled.
    on_done : callable
        Takes the account of each action in which an order was sent.

    """

    def __init__(
        self,
        strategy: Strategy,
        assets: Sequence[CrossingAsset],
        timeout_secs: float,
        on_done: Callable[[Rebalanced], None],
    ) -> None:
        self._strategy = strategy
        self._assets = assets
        self._timeout_ns = round(timeout_secs * _SECOND_NS)
        self._on_done = on_done
        self._plan: Plan | None = None
        self.in_vain = False
        """Whether the last plan had trades, and no order for them could be sent."""
        self._started_ns = 0
        self._orders_before = 0
        self._buying = False
        self._sending = False

    @property
    def under_way(self) -> bool:
        """Whether a plan is being carried out."""
        return self._plan is not None

    def begin(self, plan: Plan) -> None:
        """Begin with the sales of a plan."""
        self._plan = plan
        self._started_ns = self._strategy.clock.timestamp_ns()
        self._orders_before = self._orders_sent()
        self._buying = False
        self._send(Side.ASK, [max(-lots, 0) for lots in plan.trades])

    def give_up(self) -> None:
        """Forget the plan; its orders are left to the strategy."""
        self._plan = None

    def go_on(self) -> None:
        """Take the next step once every order is answered."""
        plan = self._plan
        if plan is None or self._sending or any(asset.orders.all() for asset in self._assets):
            return
        if not self._buying:
            self._buying = True
            self._send(Side.BID, self.affordable(plan))
            return
        self._plan = None
        is_sent = self._orders_sent() > self._orders_before
        self.in_vain = any(plan.trades) and not is_sent
        if is_sent:
            self._on_done(self._account_of(plan))

    def affordable(self, plan: Plan) -> list[int]:
        """Return the lots of each asset that a plan buys and the free cash pays for."""
        first = self._assets[0].instrument
        cash = balance(self._strategy, first, first.quote_currency, free=True)
        purchases = [_purchase(asset, lots) for asset, lots in zip(self._assets, plan.trades, strict=True)]
        return affordable(purchases, cash)

    def _send(self, side: Side, lots: Sequence[int]) -> None:
        now_ns = self._strategy.clock.timestamp_ns()
        self._sending = True  # an order that is denied at once must not move the plan on
        for asset, quantity in zip(self._assets, lots, strict=True):
            asset.send(side, quantity, now_ns)
        self._sending = False
        self._look_again(now_ns)
        self.go_on()

    def _look_again(self, now_ns: int) -> None:
        """Look after the orders in a second: an answer may be lost, and a backtest answers when something happens."""
        if any(asset.orders.all() for asset in self._assets):
            clock, name = self._strategy.clock, f"{self._strategy.id}-answers"
            if name in clock.timer_names:
                clock.cancel_timer(name)
            clock.set_time_alert_ns(name, now_ns + _SECOND_NS, self._on_answers_due)

    def _on_answers_due(self, event: TimeEvent) -> None:
        for asset in self._assets:
            for order in asset.orders.all():
                asset.orders.settled(order.order_id)  # forgets it if the engine says that it is closed
            if any(order.placed_ns <= event.ts_event - self._timeout_ns for order in asset.orders.all()):
                asset.orders.cancel_all()
        self._look_again(event.ts_event)
        self.go_on()

    def _orders_sent(self) -> int:
        return sum(asset.adapter.sent for asset in self._assets)

    def _account_of(self, plan: Plan) -> Rebalanced:
        after = portfolio_of(self._strategy, self._assets)
        rows = zip(self._assets, plan.targets, plan.lower, plan.upper, plan.before.values, after.values, strict=True)
        return Rebalanced(
            strategy_id=self._strategy.id.value,
            reason=plan.reason,
            started_ns=self._started_ns,
            ts_ns=self._strategy.clock.timestamp_ns(),
            assets=tuple(
                AssetWeight(
                    instrument_id=asset.id.value,
                    target=float(target),
                    lower=float(lower),
                    upper=float(upper),
                    value_before=before,
                    value_after=value,
                )
                for asset, target, lower, upper, before, value in rows
            ),
            cash_before=plan.before.cash,
            cash_after=after.cash,
            orders=self._orders_sent() - self._orders_before,
        )


def _purchase(asset: CrossingAsset, lots: int) -> Purchase:
    """Return what lots to buy cost at most, with the fee, wherever it is taken from; none where there is no price."""
    price = asset.limit_price(Side.BID) if lots > 0 else None
    if price is None:
        return Purchase(0, Decimal(0), 1)
    cost = asset.grid.price(price) * asset.grid.step * (1 + Decimal(asset.instrument.taker_fee))
    return Purchase(lots, cost, asset.holding().least_lots)


def portfolio_of(strategy: Strategy, assets: Sequence[CrossingAsset]) -> Portfolio:
    """Return what is held now, at the mids."""
    first = assets[0].instrument
    values = tuple(asset.holding().quantity * asset.mid() for asset in assets)
    return Portfolio(values, balance(strategy, first, first.quote_currency))
