"""The real node and the real adapter against the local exchange, with a strategy that does what a test tells it."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from nautilus_trader.adapters.binance import (
    BinanceAccountType,
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceInstrumentProviderConfig,
    BinanceLiveDataClientFactory,
    BinanceLiveExecClientFactory,
)
from nautilus_trader.adapters.binance.factories import (
    get_cached_binance_futures_instrument_provider,
    get_cached_binance_http_client,
    get_cached_binance_spot_instrument_provider,
)
from nautilus_trader.config import LiveExecEngineConfig, LoggingConfig, StrategyConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import OrderSide, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.trading.strategy import Strategy

from binance_double.double import BinanceDouble
from binance_double.keys import ApiKey
from binance_double.rules import Product, product_of

VENUE = Venue("DOUBLE")
"""
What the node calls the exchange. Once a backtest has run in a process, the engine computes the balances of every
account of its venue itself, on top of what an exchange reports; BINANCE is the venue of the other tests' backtests.
"""


class Told(Strategy):
    """Places what it is told and writes down what it hears."""

    def __init__(self, instrument_id: str) -> None:
        super().__init__(StrategyConfig(manage_stop=False, order_id_tag="T"))
        self.instrument_id = _named(instrument_id)
        self.heard: list[Any] = []
        self.quotes: list[Any] = []
        self.trades: list[Any] = []

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(self.instrument_id)
        self.subscribe_quote_ticks(self.instrument_id)
        self.subscribe_trade_ticks(self.instrument_id)

    def on_quote_tick(self, tick: Any) -> None:
        self.quotes.append(tick)

    def on_trade_tick(self, tick: Any) -> None:
        self.trades.append(tick)

    def on_order_event(self, event: Any) -> None:
        self.heard.append(event)

    def limit(self, side: OrderSide, price: str, quantity: str, post_only: bool = True) -> Any:
        order = self.order_factory.limit(
            self.instrument_id,
            side,
            self.instrument.make_qty(Decimal(quantity)),
            self.instrument.make_price(Decimal(price)),
            time_in_force=TimeInForce.GTC,
            post_only=post_only,
        )
        self.submit_order(order)
        return order

    def market(self, side: OrderSide, quantity: str) -> Any:
        order = self.order_factory.market(self.instrument_id, side, self.instrument.make_qty(Decimal(quantity)))
        self.submit_order(order)
        return order

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.heard]


class LiveNode:
    """
    A trading node that runs only while a test waits for something.

    Its event loop is driven by `until`, so that the test needs neither threads nor sleeps.
    """

    def __init__(
        self, double: BinanceDouble, instrument_id: str, key: ApiKey | None = None, **exec_options: Any
    ) -> None:
        self.double = double
        self._exchange: Any = double.spot if product_of(instrument_id) == Product.SPOT else double.futures
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        forget_clients()
        self.strategy = Told(instrument_id)
        self.node = TradingNode(_config(double, instrument_id, key or double.key, exec_options), loop=self.loop)
        self.node.trader.add_strategy(self.strategy)
        self.node.add_data_client_factory(VENUE.value, BinanceLiveDataClientFactory)
        self.node.add_exec_client_factory(VENUE.value, BinanceLiveExecClientFactory)
        self.node.build()
        self.task = self.loop.create_task(self.node.run_async())

    def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Run the node until the condition holds."""

        async def wait() -> None:
            end = time.monotonic() + seconds
            while not condition():
                assert time.monotonic() < end, "the node did not get there in time"
                await asyncio.sleep(0.005)

        self.loop.run_until_complete(wait())

    @property
    def cache(self) -> Any:
        return self.node.cache

    @property
    def exec_client(self) -> Any:
        return next(iter(self.node.kernel.exec_engine._clients.values()))

    def streams(self) -> set[str]:
        """Return the market streams that the exchange sends."""
        return self.double.call(lambda: self._exchange.market.names)

    def totals(self) -> dict[str, Decimal]:
        """Return the exchange's balances by asset."""
        account = self._exchange.venue.account
        if self._exchange.venue.product == Product.FUTURES:
            return dict(account.wallet)
        return {asset: balance.total for asset, balance in account.balances.items()}

    def stop(self) -> None:
        self.loop.run_until_complete(self.node.stop_async())
        left = asyncio.all_tasks(
            self.loop
        )  # the node leaves workers behind that would complain when they are collected
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.node.dispose()
        asyncio.set_event_loop(None)


def forget_clients() -> None:
    """Empty the adapter's caches: it would give one node's HTTP client to the next."""
    get_cached_binance_http_client.cache_clear()
    get_cached_binance_spot_instrument_provider.cache_clear()
    get_cached_binance_futures_instrument_provider.cache_clear()


def _config(double: BinanceDouble, instrument_id: str, key: ApiKey, exec_options: dict[str, Any]) -> TradingNodeConfig:
    product = product_of(instrument_id)
    where = double.addresses(product)
    spot = product == Product.SPOT
    common: dict[str, Any] = {
        "venue": VENUE,
        "api_key": key.key,
        "api_secret": key.secret,
        "account_type": BinanceAccountType.SPOT if spot else BinanceAccountType.USDT_FUTURES,
        "base_url_http": where.http,
        "instrument_provider": BinanceInstrumentProviderConfig(
            load_ids=frozenset({_named(instrument_id)}), query_commission_rates=not spot
        ),
    }
    return TradingNodeConfig(
        trader_id="TESTER-001",
        logging=LoggingConfig(log_level="OFF"),
        exec_engine=LiveExecEngineConfig(
            reconciliation=True, generate_missing_orders=not spot, reconciliation_startup_delay_secs=0
        ),
        data_clients={VENUE.value: BinanceDataClientConfig(**common, base_url_ws=where.market_ws)},
        exec_clients={
            VENUE.value: BinanceExecClientConfig(
                **common, base_url_ws=where.api_ws, base_url_ws_stream=None if spot else where.user_ws, **exec_options
            )
        },
        timeout_connection=10.0,
        timeout_reconciliation=5.0,
        timeout_portfolio=5.0,
        timeout_disconnection=5.0,
        timeout_post_stop=0.2,
    )


def _named(instrument_id: str) -> InstrumentId:
    """Return the id of one of Binance's instruments as the node calls it."""
    return InstrumentId(Symbol(instrument_id.partition(".")[0]), VENUE)
