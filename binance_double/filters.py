"""The filters an order has to pass."""

from decimal import Decimal

from binance_double.errors import ApiError, filter_failure
from binance_double.orders import NewOrder
from binance_double.rules import Product, Rules


def check_filters(rules: Rules, order: NewOrder, market_price: Decimal | None) -> None:
    """
    Check price, quantity and value of an order.

    Parameters
    ----------
    rules : Rules
        Of its symbol.
    order : NewOrder
        The order.
    market_price : Decimal, optional
        What a limit price is held against and a market order valued at; None if the market has no price yet.

    Raises
    ------
    ApiError
        With the code of the filter it breaks: -1013 on spot, one of many on futures.

    """
    check = _check_spot if rules.product == Product.SPOT else _check_futures
    check(rules, order, market_price)


def _check_spot(rules: Rules, order: NewOrder, market_price: Decimal | None) -> None:
    if order.price:
        _require(rules.min_price <= order.price <= rules.max_price and _on(order.price, rules.tick), "PRICE_FILTER")
        if market_price is not None:
            low, high = market_price * rules.multiplier_down, market_price * rules.multiplier_up
            _require(low <= order.price <= high, "PERCENT_PRICE_BY_SIDE")
    if order.quantity:
        in_bounds = rules.min_quantity <= order.quantity <= rules.max_quantity
        _require(in_bounds and _on(order.quantity, rules.step), "LOT_SIZE")
    _require(_value(order, market_price, rules) >= rules.min_notional, "NOTIONAL")


def _require(passed: bool, name: str) -> None:
    if not passed:
        raise filter_failure(name)


def _check_futures(rules: Rules, order: NewOrder, market_price: Decimal | None) -> None:
    _check_futures_quantity(rules, order.quantity)
    if order.price:
        _check_futures_price(rules, order.price, market_price)
    if not order.reduce_only and _value(order, market_price, rules) < rules.min_notional:
        least = f"{rules.min_notional.normalize():f}"
        raise ApiError(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")


def _check_futures_quantity(rules: Rules, quantity: Decimal) -> None:
    if quantity <= 0:
        raise ApiError(-4003, "Quantity less than or equal to zero.")
    if not _on(quantity, rules.step):
        raise ApiError(-1111, "Precision is over the maximum defined for this asset.")
    if quantity < rules.min_quantity:
        raise ApiError(-4004, "Quantity less than min quantity.")
    if quantity > rules.max_quantity:
        raise ApiError(-4005, "Quantity greater than max quantity.")


def _check_futures_price(rules: Rules, price: Decimal, market_price: Decimal | None) -> None:
    if not _on(price, rules.tick):
        raise ApiError(-4014, "Price not increased by tick size.")
    if price < rules.min_price:
        raise ApiError(-4013, "Price less than min price.")
    if price > rules.max_price:
        raise ApiError(-4002, "Price greater than max price.")
    if market_price is None:
        return
    if price > market_price * rules.multiplier_up:
        raise ApiError(-4016, f"Limit price can't be higher than {market_price * rules.multiplier_up:f}.")
    if price < market_price * rules.multiplier_down:
        raise ApiError(-4024, f"Limit price can't be lower than {market_price * rules.multiplier_down:f}.")


def _on(value: Decimal, increment: Decimal) -> bool:
    return value % increment == 0


def _value(order: NewOrder, market_price: Decimal | None, rules: Rules) -> Decimal:
    """Return what the order is worth in the quote asset; a market order without a market passes."""
    if order.quote_quantity:
        return order.quote_quantity
    price = order.price or market_price
    return rules.min_notional if price is None else price * order.quantity
