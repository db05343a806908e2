"""The `risk:` section of a setup becomes the guard, the actors that watch, and the kill switch."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.common.actor import Actor
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.system.kernel import NautilusKernel

from actors.breaker_watch import BreakerWatch, BreakerWatchConfig
from actors.data_watch import DataWatch, DataWatchConfig
from actors.exposure_watch import ExposureWatch, ExposureWatchConfig
from actors.kill_switch import KillSwitch, KillSwitchConfig, Latch
from actors.loss_watch import LossWatch, LossWatchConfig
from actors.market_watch import MarketWatch, MarketWatchConfig
from actors.order_gate import OrderGate
from actors.position_watch import PositionWatch, PositionWatchConfig
from actors.risk_guard import RiskGuard, RiskGuardConfig
from models.pre_trade import PreTradeLimits
from runtime.risk.enforcement import Enforcement
from runtime.risk.settings import RiskSettings


@dataclass(frozen=True)
class RiskControls:
    """The risk actors of one system that results are made of."""

    guard: RiskGuard
    kill_switch: KillSwitch


@dataclass(frozen=True)
class RiskContext:
    """
    What the risk actors need to know of the system besides their limits.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        What is traded.
    account_leverage : Decimal
        What margin is computed with.
    equity_interval_secs : int
        The ledger's grid.
    latch : Latch, optional
        Keeps halts over restarts and brings a person's commands; a backtest has none.

    """

    instrument_ids: tuple[InstrumentId, ...]
    account_leverage: Decimal
    equity_interval_secs: int
    latch: Latch | None = None


def add_risk_controls(kernel: NautilusKernel, settings: RiskSettings, context: RiskContext) -> RiskControls:
    """Add all risk actors, and the gate in front of the engine, to a system whose strategies are not started yet."""
    guard = RiskGuard(
        RiskGuardConfig(
            instrument_ids=context.instrument_ids,
            limits=_limits(settings, context.account_leverage),
            max_orders_per_10s=settings.max_orders_per_10s,
            order_reserve=settings.order_reserve,
            duplicate_window_secs=settings.duplicate_window_secs,
        )
    )

    kill_switch = KillSwitch(
        KillSwitchConfig(
            instrument_ids=context.instrument_ids,
            actions=settings.actions,
            check_interval_secs=settings.check_interval_secs,
        ),
        Enforcement(kernel, guard),
        context.latch,
    )
    gate = OrderGate(guard, kernel.risk_engine.execute)
    for actor in (guard, gate, *_watches(settings, context), kill_switch):
        kernel.trader.add_actor(actor)
    return RiskControls(guard, kill_switch)


def _watches(settings: RiskSettings, context: RiskContext) -> Iterator[Actor]:
    yield LossWatch(
        LossWatchConfig(
            max_drawdown_pct=settings.max_drawdown_pct,
            max_loss_pct=settings.max_loss_pct,
            drawdown_confirmations=settings.drawdown_confirmations,
            max_daily_loss_pct=settings.max_daily_loss_pct,
            equity_interval_secs=context.equity_interval_secs,
        )
    )
    if settings.stop_loss_pct or settings.trailing_stop_pct or settings.max_position_qty:
        yield PositionWatch(
            PositionWatchConfig(
                instrument_ids=context.instrument_ids,
                stop_loss_pct=settings.stop_loss_pct,
                trailing_stop_pct=settings.trailing_stop_pct,
                stop_confirmations=settings.stop_confirmations,
                max_position_qty=settings.max_position_qty,
                check_interval_secs=settings.check_interval_secs,
            )
        )
    if settings.max_fills_per_window or settings.max_rejections_per_window:
        yield BreakerWatch(
            BreakerWatchConfig(
                max_fills_per_window=settings.max_fills_per_window,
                fill_window_secs=settings.fill_window_secs,
                max_rejections_per_window=settings.max_rejections_per_window,
                rejection_window_secs=settings.rejection_window_secs,
            )
        )
    limits = _limits(settings, context.account_leverage)
    if limits.limit_values:
        yield ExposureWatch(ExposureWatchConfig(instrument_ids=context.instrument_ids, limits=limits))
    yield from _market_watches(settings, context)


def _market_watches(settings: RiskSettings, context: RiskContext) -> Iterator[Actor]:
    if settings.max_clock_skew_secs is not None or settings.max_price_move_bps is not None:
        yield MarketWatch(market_watch_config(settings, context.instrument_ids))
    if settings.max_data_age_secs is not None:
        yield DataWatch(
            DataWatchConfig(
                instrument_ids=context.instrument_ids,
                max_data_age_secs=settings.max_data_age_secs,
                check_interval_secs=settings.check_interval_secs,
            )
        )


def market_watch_config(settings: RiskSettings, instrument_ids: tuple[InstrumentId, ...]) -> MarketWatchConfig:
    """Return how clocks and prices of these instruments are watched."""
    return MarketWatchConfig(
        instrument_ids=instrument_ids,
        max_clock_skew_secs=settings.max_clock_skew_secs,
        max_price_move_bps=settings.max_price_move_bps,
        price_move_window_secs=settings.price_move_window_secs,
        check_interval_secs=settings.check_interval_secs,
    )


def _limits(settings: RiskSettings, account_leverage: Decimal) -> PreTradeLimits:
    return PreTradeLimits(
        max_position_qty=settings.max_position_qty,
        max_order_qty=settings.max_order_qty,
        max_order_notional_quote=settings.max_order_notional_quote,
        max_instrument_notional_quote=settings.max_instrument_notional_quote,
        max_strategy_notional_quote=settings.max_strategy_notional_quote,
        max_strategy_net_notional_quote=settings.max_strategy_net_notional_quote,
        max_gross_notional_quote=settings.max_gross_notional_quote,
        max_net_notional_quote=settings.max_net_notional_quote,
        max_leverage=settings.max_leverage,
        min_free_margin_pct=settings.min_free_margin_pct,
        account_leverage=account_leverage,
        price_collar_bps=settings.price_collar_bps,
        max_data_age_secs=settings.max_data_age_secs,
    )
