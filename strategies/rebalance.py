"""Keeps a portfolio of spot assets at its target weights, and says what that cost."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from numpy.typing import NDArray

from actors.history import HistoryWanted, decode_history
from messages.risk import RiskStateChanged
from messages.signals import TargetInventory, target_topic
from messages.trading import REBALANCE_TOPIC, Rebalanced
from messages.views import NOT_RUNNING, View
from models.market_making.quote_plan import Quote, Side
from models.portfolio.bands import band, no_trade_halfwidth, outside
from models.portfolio.lots import lots_to_trade
from models.portfolio.rebalance import Destination, leave_alone, trades_in_value
from strategies.config_checks import MarketFacts
from strategies.crossing import CrossingAsset
from strategies.crossing_strategy import CrossingStrategy
from strategies.holdings import Portfolio
from strategies.rebalance_action import Plan, RebalanceAction, portfolio_of
from strategies.rebalance_config import RebalanceConfig
from strategies.rebalance_view import RebalanceState, rebalance_view
from strategies.target_weights import TargetWeights

type Floats = NDArray[np.float64]

_SECOND_NS: Final = 1_000_000_000
_PCT: Final = 0.01
_INSIDE: Final = 0.02
"""To the edge means so far inside it, as a share of the band's half-width: limits hold cash back for slippage."""


class Rebalance(CrossingStrategy[CrossingAsset]):
    """
    Trades spot assets back to their target weights when one has drifted out of its band, or on an interval.

    Weights are shares of all the account holds of the assets and of their quote currency, whoever bought it. At each
    check prices are noted, target weights computed anew where that is due, and makers of the same assets told where to
    lean. If a weight is outside its band, what is too much is sold first, and what the cash then pays for is bought,
    with limit orders that fill at once or not at all; what they leave over is for the next check.
    """

    def __init__(self, config: RebalanceConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self.legs = ()
        self._targets = TargetWeights(self.config)
        self._action: RebalanceAction | None = None
        self._on_interval_ns: int | None = None
        self._winding_down = False
        self._no_weights = ""

    @classmethod
    def history_wanted(cls, config: RebalanceConfig) -> HistoryWanted | None:
        """Return the prices of the lookback, where weights come from prices."""
        interval_secs = round(config.check_interval_secs)
        if not config.from_prices or interval_secs != config.check_interval_secs:
            return None
        return HistoryWanted(config.instrument_ids, interval_secs, config.lookback + 1)

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take over prices from before the start, as if they had been noted at checks."""
        for row in decode_history(state):
            self._note(row.prices, row.ts_ns)

    # -- Checks before a run ------------------------------------------------------------------------------------------

    @classmethod
    def check_config(cls, config: RebalanceConfig, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """
        Hold a configuration against the instruments before anything starts.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        bases: dict[str, InstrumentId] = {}
        first = instruments[config.instrument_ids[0]]
        for instrument_id in config.instrument_ids:
            instrument = instruments[instrument_id]
            if not isinstance(instrument, CurrencyPair):
                raise ValueError(f"instrument_ids: {instrument_id} is not spot: its position has no weight")
            base, quote = instrument.base_currency.code, instrument.quote_currency.code
            if base in bases:
                raise ValueError(f"instrument_ids: {instrument_id} is {base} again, and so is {bases[base]}")
            if quote != first.quote_currency.code:
                raise ValueError(f"instrument_ids: {instrument_id} is not quoted in {first.quote_currency.code}")
            bases[base] = instrument_id

    @classmethod
    def check_series(cls, config: RebalanceConfig, markets: Mapping[InstrumentId, MarketFacts]) -> list[str]:
        """
        Hold a configuration against the data of a backtest; return what is allowed but foolish.

        Raises
        ------
        ValueError
            As `key: problem`, if the data are too short for the weights.

        """
        starts = {instrument_id: markets[instrument_id].first_ns for instrument_id in config.instrument_ids}
        latest = max(starts, key=lambda instrument_id: starts[instrument_id])
        checks = int((markets[latest].last_ns - starts[latest]) / (config.check_interval_secs * _SECOND_NS))
        if config.from_prices and checks < config.lookback + 1:
            problem = f"was {config.lookback}, but from the first price of {latest} on there are {checks} checks"
            raise ValueError(f"lookback: {problem}, and one more than the lookback is needed")
        waited = (starts[latest] - min(starts.values())) / _SECOND_NS
        if waited <= config.check_interval_secs:
            return []
        return [f"Nothing is rebalanced in the first {waited / 3600:.1f} h: {latest} has no price before."]

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Look up the instruments and begin to check; without one of them the strategy stops."""
        config = self.config
        if not self.find_legs(config.instrument_ids, self._new_asset):
            return
        self._action = RebalanceAction(self, self.legs, config.order_timeout_secs, self._publish)
        for asset in self.legs:
            self.subscribe_quote_ticks(asset.id)
        interval_ns = round(config.check_interval_secs * _SECOND_NS)
        now_ns = self.clock.timestamp_ns()
        self.clock.set_timer_ns(self._timer, interval_ns, now_ns - now_ns % interval_ns, 0, self._on_check)

    @property
    def _timer(self) -> str:
        return f"{self.id}-check"

    def _new_asset(self, found: Instrument) -> CrossingAsset:
        return CrossingAsset(self, found, self.config.max_slippage_bps, self.config.min_trade_quote)

    def on_stop(self) -> None:
        """Give up the action under way, and cancel this strategy's own orders."""
        if self._action is not None:
            self._action.give_up()
        super().on_stop()

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Checks -------------------------------------------------------------------------------------------------------

    def _on_check(self, event: TimeEvent) -> None:
        if not all(asset.has_market for asset in self.legs):
            return
        self._note([float(asset.mid()) for asset in self.legs], event.ts_event)
        if self.restricted:
            self.obey()
            return
        targets = self._targets.now
        portfolio = portfolio_of(self, self.legs)
        assert self._action is not None
        if targets is not None and portfolio.equity > 0 and not self._action.under_way:
            self._lean_makers(portfolio, targets, event.ts_event)
            self._rebalance(self._action, portfolio, targets)

    def _note(self, prices: Sequence[float], ts_ns: int) -> None:
        try:
            self._targets.take(prices, ts_ns)
            self._no_weights = ""
        except ValueError as error:
            self._no_weights = str(error)
            self.log.error(f"no new weights, the old ones hold: {error}")

    def _lean_makers(self, portfolio: Portfolio, targets: Floats, now_ns: int) -> None:
        for asset, target in zip(self.legs, targets, strict=True):
            if asset.id in self.config.maker_instrument_ids:
                wanted = Decimal(float(target)) * portfolio.equity / asset.mid()
                message = TargetInventory(instrument_id=asset.id.value, base_qty=wanted, ts_ns=now_ns)
                self.msgbus.publish(target_topic(asset.id.value), message)

    def _rebalance(self, action: RebalanceAction, portfolio: Portfolio, targets: Floats) -> None:
        now_ns = self.clock.timestamp_ns()
        on_interval = self._interval_is_over(now_ns)
        if on_interval:
            self._on_interval_ns = now_ns
        plan = self._plan(portfolio, targets, on_interval)
        if plan is not None:
            action.begin(plan)

    def _plan(self, portfolio: Portfolio, targets: Floats, on_interval: bool) -> Plan | None:
        """Return what is to be done; None while every weight is within its band and no interval is over."""
        makers, widths = self._are_quoted(), self._halfwidths(targets)
        lower, upper = self._band(targets)
        out = outside(portfolio.weights, lower, upper)
        if not (out.any() or on_interval):
            return None
        to: Destination = "target" if on_interval else self.config.rebalance_to
        untouched = makers & ~out
        reached = band(targets, np.where(out, widths * (1.0 - _INSIDE), widths))
        wanted, edges = leave_alone(portfolio.weights, targets, reached, untouched)
        return Plan(
            reason="interval" if on_interval else "drift",
            before=portfolio,
            targets=targets,
            lower=lower,
            upper=upper,
            trades=np.where(untouched, 0, self._trades(portfolio, wanted, edges, to)).tolist(),
        )

    def _band(self, targets: Floats) -> tuple[Floats, Floats]:
        """Return the edges beyond which an asset is traded."""
        hard = (self.config.hard_threshold_pct or 0.0) * _PCT
        return band(targets, np.where(self._are_quoted(), hard, self._halfwidths(targets)))

    def _are_quoted(self) -> NDArray[np.bool_]:
        return np.array([asset.id in self.config.maker_instrument_ids for asset in self.legs])

    def _halfwidths(self, targets: Floats) -> Floats:
        config = self.config
        if config.rebalance_threshold_pct is not None:
            return np.full(len(targets), config.rebalance_threshold_pct * _PCT)
        costs = [float(asset.cost()) for asset in self.legs]
        pairs = zip(targets.tolist(), costs, strict=True)
        return np.array([no_trade_halfwidth(target, config.risk_aversion, cost) for target, cost in pairs])

    def _interval_is_over(self, now_ns: int) -> bool:
        over_ns = self._interval_over_ns
        return over_ns is not None and now_ns >= over_ns

    @property
    def _interval_over_ns(self) -> int | None:
        """From when on the next check trades to the targets, UNIX ns: 0 before the first; None without an interval."""
        interval_ns = round(self.config.rebalance_interval_secs * _SECOND_NS)
        if not interval_ns:
            return None
        return 0 if self._on_interval_ns is None else self._on_interval_ns + interval_ns

    def _trades(
        self, portfolio: Portfolio, targets: Floats, edges: tuple[Floats, Floats], to: Destination
    ) -> NDArray[np.int64]:
        """Return the lots of each asset to buy (positive) or sell (negative)."""
        holdings = np.array([float(value) for value in portfolio.values])
        costs = np.array([float(asset.cost()) for asset in self.legs])
        trades = trades_in_value(holdings, float(portfolio.cash), targets, edges, costs=costs, to=to)
        ways = targets * float(portfolio.equity) - holdings
        rows = zip(self.legs, trades.tolist(), ways.tolist(), strict=True)
        lots = [lots_to_trade(asset.holding(), Decimal(trade), Decimal(way), to) for asset, trade, way in rows]
        return np.array(lots, np.int64)

    def _publish(self, done: Rebalanced) -> None:
        self.msgbus.publish(REBALANCE_TOPIC, done)

    # -- Orders and risk states ---------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Take the next step of the action under way."""
        if self._action is not None:
            self._action.go_on()

    def on_restricted(self, change: RiskStateChanged) -> None:
        """Give up the action under way; sell what was bought if the state asks for it."""
        if self._action is not None:
            self._action.give_up()
        self._winding_down = change.action == "flatten_passively"

    def on_unrestricted(self) -> None:
        """Rebalance again from the next check on."""
        self._winding_down = False

    def obey(self) -> None:
        """Cancel what is on its way, and close what was traded where the state asks for it."""
        for asset in self.legs:
            if asset.risk.withdrawn:
                asset.risk.withdraw(asset.orders)
            elif self._winding_down and not asset.orders.all() and asset.has_market:
                self._reduce(asset)

    def _reduce(self, asset: CrossingAsset) -> None:
        lots = asset.adapter.traded_lots()
        side = Side.ASK if lots > 0 else Side.BID
        price = asset.limit_price(side)
        if lots and price is not None:
            for quote in asset.risk.permitted([Quote(side, price, abs(lots))]):
                asset.send(side, quote.quantity, self.clock.timestamp_ns())

    # -- For whoever looks on -----------------------------------------------------------------------------------------

    def view(self) -> View:
        """Return weights, bands and targets, and why nothing is traded now; nothing changes by it."""
        if self._action is None:
            return View(owner_id=self.id.value, silences=(NOT_RUNNING,))
        priced = all(asset.has_market for asset in self.legs)
        portfolio = portfolio_of(self, self.legs) if priced else None
        targets, edges, plan = self._targets.now, None, None
        if portfolio is not None and targets is not None and portfolio.equity > 0:
            edges = self._band(targets)
            plan = self._plan(portfolio, targets, self._interval_is_over(self.clock.timestamp_ns()))
        state = RebalanceState(
            running=self.is_running,
            restricted=self.restricted,
            assets=self.legs,
            portfolio=portfolio,
            targets=targets,
            band=edges,
            plan=plan,
            action=self._action,
            no_weights=self._no_weights,
            noted=self._targets.noted,
            needed=self.config.lookback + 1 if self.config.from_prices else 0,
            times_ns={
                "next_check": self.clock.next_time_ns(self._timer) or None,
                "next_interval": self._interval_over_ns,
                "next_weights": self._targets.next_ns,
            },
        )
        return rebalance_view(self.id.value, state)
