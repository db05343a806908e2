"""The `risk:` section held against the instruments, their prices, and what the strategies want."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from nautilus_trader.model.instruments import Instrument

from bad_input import nearest_name
from runtime.risk.settings import RiskSettings
from runtime.setup.components import ResolvedComponent
from runtime.setup.load import LoadedSetup

type PriceOf = Callable[[str], Decimal]


def check_risk(loaded: LoadedSetup, instruments: Sequence[Instrument], price_of: PriceOf) -> None:
    """
    Hold the limits against the system that they are for.

    Raises
    ------
    BadInput
        If a limit is for an instrument that is not traded, the largest order is worth more than the largest position,
        or a strategy's orders could never pass.

    """
    risk = loaded.setup.risk
    if risk is None:
        return
    known = [str(instrument.id) for instrument in instruments]
    for key in ("max_position_qty", "max_order_qty"):
        for name in getattr(risk, key):
            if name not in known:
                problem, hint = f"{name} is not among the setup's instruments", nearest_name(name, known)
                raise loaded.tree.complaint(problem, ("risk", key, name), hint)
    most = risk.max_order_notional_quote
    for name, position in risk.max_position_qty.items() if most is not None else ():
        worth = position * price_of(name)
        if most is not None and most > worth:
            problem = f'was "{most}", expected at most max_position_qty of {name}, worth {worth:.6g} at the start'
            raise loaded.tree.complaint(problem, ("risk", "max_order_notional_quote"))
    for component in loaded.strategies:
        if hasattr(component.config, "order_qty") and hasattr(component.config, "instrument_id"):
            _check_orders_of(loaded, component, risk, price_of)


def _check_orders_of(loaded: LoadedSetup, component: ResolvedComponent, risk: RiskSettings, price_of: PriceOf) -> None:
    """Refuse a strategy none of whose orders could ever pass the guard."""
    name, wanted = str(component.config.instrument_id), component.config.order_qty
    quantity, path = Decimal(str(wanted)), (*component.path, "config", "order_qty")
    for key in ("max_order_qty", "max_position_qty"):
        limit = getattr(risk, key).get(name)
        if limit is not None and quantity > limit:
            raise loaded.tree.complaint(f'was "{wanted}", expected at most risk.{key} of {name}, {limit}', path)
    most = risk.max_order_notional_quote
    if most is not None and quantity * price_of(name) > most:
        worth = quantity * price_of(name)
        problem = f'was "{wanted}", worth {worth:.6g} at the start, expected at most risk.max_order_notional_quote'
        raise loaded.tree.complaint(f"{problem}, {most}", path)
