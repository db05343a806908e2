"""Spot: orders lock balances, fills exchange them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal

from binance_double import wire_spot
from binance_double.clock import Clock
from binance_double.errors import ApiError, filter_failure
from binance_double.orders import ZERO, Fill, NewOrder, Order, PublicTrade, Side
from binance_double.rules import Product, Rules
from binance_double.spot_account import SpotAccount
from binance_double.venue import Venue

_REJECTED = -2010


class SpotVenue(Venue):
    """
    The spot exchange with one account.

    Parameters
    ----------
    rules : iterable of Rules
        The symbols it lists.
    clock : Clock
        Its time.
    balances : mapping
        The account's free balances at the start.

    """

    product = Product.SPOT
    prevention = "TRADE_PREVENTION"

    def __init__(self, rules: Iterable[Rules], clock: Clock, balances: Mapping[str, Decimal]) -> None:
        super().__init__(rules, clock)
        self.account = SpotAccount(balances)
        self.keys_withdraw = False
        """Whether the account's keys may withdraw; only told, nothing is withdrawn."""
        self.pays_in_bnb = False
        """Whether the account is set to pay its fees in BNB; only told, they are paid in what is traded."""

    def set_balance(self, asset: str, free: Decimal) -> None:
        """Deposit or withdraw until this much is free, and tell the owner."""
        change = free - self.account.balance(asset).free
        self.account.balance(asset).free = free
        self.user_feed(wire_spot.balance_update(asset, change, self.clock.ms()))
        self._publish_balances([asset])

    def _market_closed(self) -> ApiError:
        return ApiError(-1013, "Market is closed.")

    def _duplicate(self) -> ApiError:
        return ApiError(_REJECTED, "Duplicate order sent.")

    def _too_many_open(self) -> ApiError:
        return filter_failure("MAX_NUM_ORDERS")

    def _would_take_refusal(self) -> ApiError:
        return ApiError(_REJECTED, "Order would immediately match and take.")

    def _complete(self, asked: NewOrder) -> NewOrder:
        """Turn a quantity in the quote asset into one in the base asset."""
        if not asked.quote_quantity:
            return asked
        rules, left, quantity = self.rules[asked.symbol], asked.quote_quantity, ZERO
        for price, size in self.books[asked.symbol].sweep(asked.side, rules.max_quantity, None):
            part = min(size, (left / price / rules.step).to_integral_value(ROUND_DOWN) * rules.step)
            quantity += part
            left -= part * price
        return replace(asked, quantity=quantity)

    def _check_funds(self, asked: NewOrder, rules: Rules) -> None:
        asset, needed = self._cost(asked, rules)
        if self.account.balance(asset).free < needed:
            raise ApiError(_REJECTED, "Account has insufficient balance for requested action.")

    def _cost(self, asked: NewOrder, rules: Rules) -> tuple[str, Decimal]:
        if asked.side is Side.SELL:
            return rules.base, asked.quantity
        if asked.price:
            return rules.quote, asked.price * asked.quantity
        taken = self.books[asked.symbol].sweep(asked.side, asked.quantity, None)
        return rules.quote, sum((price * quantity for price, quantity in taken), ZERO)

    def _lock(self, order: Order) -> None:
        asset, order.locked = self._cost(order.asked, self.rules[order.asked.symbol])
        self.account.lock(asset, order.locked)

    def _release(self, order: Order) -> None:
        rules = self.rules[order.asked.symbol]
        self.account.lock(rules.base if order.asked.side is Side.SELL else rules.quote, -order.locked)
        order.locked = ZERO

    def _settle(self, order: Order, price: Decimal, quantity: Decimal, is_maker: bool, trade_id: int) -> Fill:
        asked, rules = order.asked, self.rules[order.asked.symbol]
        held = quantity * (asked.price or price) if asked.side is Side.BUY else quantity
        unlocked = order.locked if quantity == order.leaves else min(held, order.locked)
        order.locked -= unlocked
        commission = self.account.settle(rules, asked.side, price, quantity, unlocked=unlocked, is_maker=is_maker)
        return Fill(
            trade_id=trade_id,
            order_id=order.order_id,
            symbol=asked.symbol,
            side=asked.side,
            position_side=asked.position_side,
            price=price,
            quantity=quantity,
            commission=commission,
            commission_asset=rules.base if asked.side is Side.BUY else rules.quote,
            is_maker=is_maker,
            time_ms=self.clock.ms(),
        )

    def _publish_order(self, order: Order, execution_type: str) -> None:
        rules = self.rules[order.asked.symbol]
        self.user_feed(wire_spot.execution_report(rules, order, execution_type, None, self.clock.ms()))
        self._publish_balances([rules.base, rules.quote])

    def _publish_fill(self, order: Order, fill: Fill) -> None:
        rules = self.rules[order.asked.symbol]
        self.user_feed(wire_spot.execution_report(rules, order, "TRADE", fill, self.clock.ms()))
        self._publish_balances([rules.base, rules.quote])

    def _publish_balances(self, assets: list[str]) -> None:
        balances = {asset: self.account.balance(asset) for asset in assets}
        self.user_feed(wire_spot.account_position(balances, self.clock.ms()))

    def _publish_top(self, symbol: str, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal]) -> None:
        message = wire_spot.book_ticker(self.rules[symbol], self.books[symbol].update_id, bid, ask)
        self.market_feed("bookTicker", symbol, message)

    def _publish_depth(self, symbol: str, changes: list[tuple[Side, Decimal, Decimal]]) -> None:
        book = self.books[symbol]
        message = wire_spot.depth_update(self.rules[symbol], book.update_id, changes, self.clock.ms())
        self.market_feed("depth", symbol, message)

    def _publish_trade(self, symbol: str, trade: PublicTrade) -> None:
        self.market_feed("trade", symbol, wire_spot.public_trade(self.rules[symbol], trade))
        self.market_feed("aggTrade", symbol, wire_spot.aggregate_trade(self.rules[symbol], trade))
