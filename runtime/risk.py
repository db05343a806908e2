"""The `risk:` section of a setup becomes the guard and the actors that watch."""

from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.system.kernel import NautilusKernel

from actors.order_gate import OrderGate
from actors.risk_guard import RiskGuard, RiskGuardConfig
from models.pre_trade import PreTradeLimits
from runtime.risk_settings import RiskSettings


@dataclass(frozen=True)
class RiskControls:
    """The risk actors of one system."""

    guard: RiskGuard


def add_risk_controls(
    kernel: NautilusKernel,
    settings: RiskSettings,
    instrument_ids: tuple[InstrumentId, ...],
    account_leverage: Decimal,
) -> RiskControls:
    """Add the guard, with the gate in front of the engine, to a system whose strategies are not started yet."""
    guard = RiskGuard(
        RiskGuardConfig(
            instrument_ids=instrument_ids,
            limits=_limits(settings, account_leverage),
            max_orders_per_10s=settings.max_orders_per_10s,
            order_reserve=settings.order_reserve,
            duplicate_window_secs=settings.duplicate_window_secs,
        )
    )
    kernel.trader.add_actor(guard)
    kernel.trader.add_actor(OrderGate(guard, kernel.risk_engine.execute))
    return RiskControls(guard)


def _limits(settings: RiskSettings, account_leverage: Decimal) -> PreTradeLimits:
    return PreTradeLimits(
        max_position_qty=settings.max_position_qty,
        max_order_qty=settings.max_order_qty,
        max_order_notional_quote=settings.max_order_notional_quote,
        max_instrument_notional_quote=settings.max_instrument_notional_quote,
        max_strategy_notional_quote=settings.max_strategy_notional_quote,
        max_gross_notional_quote=settings.max_gross_notional_quote,
        max_net_notional_quote=settings.max_net_notional_quote,
        max_leverage=settings.max_leverage,
        min_free_margin_pct=settings.min_free_margin_pct,
        account_leverage=account_leverage,
        price_collar_bps=settings.price_collar_bps,
        max_data_age_secs=settings.max_data_age_secs,
    )
