"""Every limit of the `risk:` section, with what is held against it now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor

from actors.breaker_watch import BreakerWatch
from actors.loss_watch import LossWatch
from actors.position_watch import PositionWatch
from actors.risk_guard import RiskGuard
from messages.risk import ACCOUNT
from models.risk_exposure import ZERO, Exposure
from runtime.live.web.state import Limit
from runtime.risk.settings import DEFAULT_ACTIONS, RiskSettings

_HUNDRED: Final = Decimal(100)
_BY_INSTRUMENT: Final = ("max_position_qty", "max_order_qty")


@dataclass(frozen=True)
class Look:
    """
    What limits are measured on.

    Parameters
    ----------
    guard : RiskGuard
        Has the positions with every open order.
    mids : mapping
        The mid of each instrument that has one.
    ages : mapping
        Seconds since the last quote of each instrument that has one.
    equity : Decimal, optional
        None before the books open.
    watches : list of Actor
        The risk actors among them are asked.

    """

    guard: RiskGuard
    mids: Mapping[str, Decimal]
    ages: Mapping[str, float]
    equity: Decimal | None
    watches: list[Actor] = field(default_factory=list)


type Measured = Iterator[tuple[str, Decimal | None]]


def limit_rows(settings: RiskSettings, look: Look) -> list[Limit]:
    """Return every limit that is set, by rule and scope."""
    rows = []
    for rule in _MEASURES:
        setting = getattr(settings, rule)
        if setting is None or setting == {}:
            continue
        found = False
        for scope, value in _MEASURES[rule](look):
            limit = setting.get(scope) if isinstance(setting, dict) else Decimal(setting)
            if limit is not None:
                rows.append(_row(settings, rule, scope, value, limit))
                found = True
        if not found and not isinstance(setting, dict):
            rows.append(_row(settings, rule, ACCOUNT, None, Decimal(setting)))
    return rows


def _row(settings: RiskSettings, rule: str, scope: str, value: Decimal | None, limit: Decimal) -> Limit:
    action = settings.action(rule) if rule in DEFAULT_ACTIONS else "refuse"
    return Limit(rule=rule, scope=scope, value=value, limit=limit, used_pct=_used(rule, value, limit), action=action)


def _used(rule: str, value: Decimal | None, limit: Decimal) -> float | None:
    if value is None:
        return None
    if rule.startswith("min_"):
        return float(limit / value * _HUNDRED) if value > 0 else 100.0
    return max(0.0, float(value / limit * _HUNDRED))


# -- Orders and exposures ---------------------------------------------------------------------------------------------


def _positions(look: Look) -> Measured:
    for name, book in look.guard.exposures.items():
        yield name, book.total.worst()


def _order_quantities(look: Look) -> Measured:
    for name, book in look.guard.exposures.items():
        yield name, max((order.held * book.unit for order in book.orders.values()), default=ZERO)


def _order_value(look: Look) -> Measured:
    values = []
    for name, _ in _valued(look):
        book = look.guard.exposures[name]
        for order in book.orders.values():
            price = look.mids[name] if order.price is None else order.price * book.unit
            values.append(order.held * book.unit * price)
    yield ACCOUNT, max(values, default=ZERO)


def _valued(look: Look) -> list[tuple[str, Exposure]]:
    return [(name, book.total) for name, book in look.guard.exposures.items() if name in look.mids]


def _instrument_values(look: Look) -> Measured:
    for name, book in _valued(look):
        yield name, book.worst() * look.mids[name]


def _of_strategies(look: Look) -> dict[str, list[tuple[str, Exposure]]]:
    books: dict[str, list[tuple[str, Exposure]]] = {}
    for name, _ in _valued(look):
        for strategy, book in look.guard.exposures[name].by_strategy.items():
            books.setdefault(strategy, []).append((name, book))
    return books


def _gross(books: list[tuple[str, Exposure]], look: Look) -> Decimal:
    return sum((book.worst() * look.mids[name] for name, book in books), ZERO)


def _net(books: list[tuple[str, Exposure]], look: Look) -> Decimal:
    return max(abs(sum((book.net(side) * look.mids[name] for name, book in books), ZERO)) for side in (1, -1))


def _strategy_values(look: Look) -> Measured:
    for strategy, books in _of_strategies(look).items():
        yield strategy, _gross(books, look)


def _strategy_net_values(look: Look) -> Measured:
    for strategy, books in _of_strategies(look).items():
        yield strategy, _net(books, look)


def _gross_value(look: Look) -> Measured:
    yield ACCOUNT, _gross(_valued(look), look)


def _net_value(look: Look) -> Measured:
    yield ACCOUNT, _net(_valued(look), look)


def _leverage(look: Look) -> Measured:
    if look.equity is not None and look.equity > 0:
        yield ACCOUNT, _gross(_valued(look), look) / look.equity


def _free_margin(look: Look) -> Measured:
    if look.equity is not None and look.equity > 0:
        margin = _gross(_valued(look), look) / look.guard.config.limits.account_leverage
        yield ACCOUNT, (look.equity - margin) * _HUNDRED / look.equity


def _orders_sent(look: Look) -> Measured:
    sent = look.guard.orders_in_window()
    if sent is not None:
        yield ACCOUNT, Decimal(sent)


# -- Markets and losses -----------------------------------------------------------------------------------------------


def _ages(look: Look) -> Measured:
    for name, age in look.ages.items():
        yield name, Decimal(str(round(age, 3)))


def _loss_from(mark: str) -> Callable[[Look], Measured]:
    def measured(look: Look) -> Measured:
        for watch in look.watches:
            if isinstance(watch, LossWatch) and look.equity is not None:
                origin = Decimal(watch.on_save().get(mark, b"0").decode())
                if origin > 0:
                    yield ACCOUNT, max(ZERO, (origin - look.equity) * _HUNDRED / origin)

    return measured


def _fall(rule: str) -> Callable[[Look], Measured]:
    def measured(look: Look) -> Measured:
        for watch in look.watches:
            if isinstance(watch, PositionWatch):
                for (strategy, instrument_id), stop in watch.stops.items():
                    mid = look.mids.get(instrument_id.value)
                    fall = None if mid is None else stop.falls(mid).get(rule)
                    if fall is not None:
                        yield f"{strategy} {instrument_id}", max(ZERO, fall)

    return measured


def _count(rule: str) -> Callable[[Look], Measured]:
    def measured(look: Look) -> Measured:
        for watch in look.watches:
            if isinstance(watch, BreakerWatch):
                for (counted, strategy), count in watch.counts().items():
                    if counted == rule:
                        yield strategy, Decimal(count)

    return measured


def _nothing(look: Look) -> Measured:
    yield ACCOUNT, None


_MEASURES: Final[dict[str, Callable[[Look], Measured]]] = {
    "max_position_qty": _positions,
    "max_order_qty": _order_quantities,
    "max_order_notional_quote": _order_value,
    "max_instrument_notional_quote": _instrument_values,
    "max_strategy_notional_quote": _strategy_values,
    "max_strategy_net_notional_quote": _strategy_net_values,
    "max_gross_notional_quote": _gross_value,
    "max_net_notional_quote": _net_value,
    "max_leverage": _leverage,
    "min_free_margin_pct": _free_margin,
    "max_drawdown_pct": _loss_from("peak"),
    "max_loss_pct": _loss_from("start"),
    "max_daily_loss_pct": _loss_from("day_start"),
    "stop_loss_pct": _fall("stop_loss_pct"),
    "trailing_stop_pct": _fall("trailing_stop_pct"),
    "max_data_age_secs": _ages,
    "max_orders_per_10s": _orders_sent,
    "max_fills_per_window": _count("max_fills_per_window"),
    "max_rejections_per_window": _count("max_rejections_per_window"),
    "price_collar_bps": _nothing,
    "duplicate_window_secs": _nothing,
    "max_clock_skew_secs": _nothing,
    "max_price_move_bps": _nothing,
}
