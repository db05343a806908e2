"""USD-M futures: orders need margin, fills change positions, funding is paid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from binance_double import wire_futures
from binance_double.clock import Clock
from binance_double.errors import ApiError
from binance_double.filters import check_filters
from binance_double.futures_account import FuturesAccount
from binance_double.margin import Margin, is_reducing, symbol_margin
from binance_double.orders import ZERO, Fill, NewOrder, Order, PublicTrade, Side
from binance_double.rules import Product, Rules
from binance_double.venue import Venue

_GRID = Decimal("1e-8")
_MARK_EVERY_MS = 1000
_POST_ONLY = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)


@dataclass(frozen=True)
class Income:
    """A change of a wallet that is no deposit."""

    kind: str
    symbol: str
    asset: str
    amount: Decimal
    time_ms: int
    trade_id: int = 0


class FuturesVenue(Venue):
    """
    The futures exchange with one account, in cross margin.

    The mark price is the middle of the market. Nobody is liquidated.

    Parameters
    ----------
    rules : iterable of Rules
        The contracts it lists.
    clock : Clock
        Its time.
    wallet : mapping
        The account's balances at the start.

    """

    product = Product.FUTURES
    prevention = "EXPIRED"

    def __init__(self, rules: Iterable[Rules], clock: Clock, wallet: Mapping[str, Decimal]) -> None:
        super().__init__(rules, clock)
        self.account = FuturesAccount(wallet)
        self.income: list[Income] = []
        self.funding_rates: dict[str, Decimal] = {}
        self._funding_due: dict[str, int] = {}
        self._countdowns: dict[str, int] = {}
        self._last_depth_id: dict[str, int] = {}
        self._marked_ms = 0

    # Requests

    def modify(
        self,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        *,
        side: Side,
        quantity: Decimal,
        price: Decimal,
    ) -> Order:
        """
        Give an open order another price and quantity.

        It keeps its place in the queue if only the quantity shrinks. A post-only order that would take is cancelled,
        and so is one of which no more is left to execute.

        Raises
        ------
        ApiError
            If there is no such open order, nothing changes, or a rule is broken: the order then stays as it was.

        """
        order = self.order(symbol, order_id, client_order_id)
        if not order.is_open or order.asked.side is not side:
            raise ApiError(-2013, "Order does not exist.")
        asked = replace(order.asked, quantity=quantity, price=price)
        if asked == order.asked:
            raise ApiError(-5027, "No need to modify the order.")
        check_filters(self.rules[symbol], asked, self.books[symbol].mid())
        self._check_funds(asked, self.rules[symbol], instead_of=order)
        resting = self.resting[symbol]
        keeps_place = price == order.asked.price and quantity < order.asked.quantity
        if not keeps_place:
            resting.remove(order)
        if quantity <= order.executed or (asked.post_only and self._would_take(asked)):
            self._close(order, "CANCELED", "CANCELED")
            return order
        order.asked = asked
        order.updated_ms = self.clock.ms()
        self._publish_order(order, "AMENDMENT")
        if not keeps_place:
            self._trade_with_market(order)
            if order.is_open:
                resting.add(order)
        return order

    def count_down(self, symbol: str, milliseconds: int) -> None:
        """Cancel all orders of a symbol after this time unless told again; 0 calls it off."""
        self.rules_for(symbol)
        self._countdowns.pop(symbol, None)
        if milliseconds:
            self._countdowns[symbol] = self.clock.ms() + milliseconds

    def set_leverage(self, symbol: str, leverage: int) -> None:
        """Change a symbol's leverage; -4028 if it is not between 1 and 125."""
        self.rules_for(symbol)
        if not 1 <= leverage <= 125:
            raise ApiError(-4028, f"Leverage {leverage} is not valid")
        self.account.leverage[symbol] = leverage

    def set_hedge_mode(self, hedge_mode: bool) -> None:
        """Change the position mode; refused while anything is open or held, or if nothing changes."""
        if hedge_mode == self.account.hedge_mode:
            raise ApiError(-4059, "No need to change position side.")
        if self.open_orders():
            raise ApiError(-4067, "Position side cannot be changed if there exists open orders.")
        if any(position.amount for position in self.account.positions.values()):
            raise ApiError(-4068, "Position side cannot be changed if there exists position.")
        self.account.hedge_mode = hedge_mode

    def set_wallet(self, asset: str, balance: Decimal) -> None:
        """Deposit or withdraw until a wallet holds this much, and tell the owner."""
        change = balance - self.account.wallet.get(asset, ZERO)
        self.account.credit(asset, change)
        self._publish_account("DEPOSIT" if change > 0 else "WITHDRAW", asset, [], change)

    def announce_funding(self, symbol: str, rate: Decimal, due_ms: int) -> None:
        """Say from now on that funding is paid at this rate and time, UNIX ms, and do so when the time has come."""
        self.rules_for(symbol)
        self.funding_rates[symbol] = rate
        self._funding_due[symbol] = due_ms
        self._publish_marks()

    def next_funding_ms(self, symbol: str) -> int:
        """Return when funding is paid next, UNIX ms: as announced, otherwise at the next of the usual times."""
        return self._funding_due.get(symbol, wire_futures.next_funding_ms(self.clock.ms()))

    def settle_funding(self, symbol: str, rate: Decimal) -> None:
        """Let positions pay funding: longs pay shorts `rate` of their value at the mark price, if it is positive."""
        self.funding_rates[symbol] = rate
        mark, asset = self.mark_price(symbol), self.rules[symbol].quote
        for (held, _), position in list(self.account.positions.items()):
            if held != symbol or not position.amount or mark is None:
                continue
            payment = (-position.amount * mark * rate).quantize(_GRID)
            self.account.credit(asset, payment)
            self.account.funding_received[asset] += payment
            self.income.append(Income("FUNDING_FEE", symbol, asset, payment, self.clock.ms()))
            self._publish_account("FUNDING_FEE", asset, [], payment)

    def tick(self) -> None:
        """Cancel and settle what is due, and publish mark prices once a second."""
        now = self.clock.ms()
        for symbol in [symbol for symbol, due in self._funding_due.items() if due <= now]:
            del self._funding_due[symbol]
            self.settle_funding(symbol, self.funding_rates[symbol])
        for symbol in [symbol for symbol, due in self._countdowns.items() if due <= now]:
            del self._countdowns[symbol]
            self.cancel_all(symbol)
        for order in self.open_orders():
            if 0 < order.asked.good_till_ms <= now:
                self._close(order, "EXPIRED", "EXPIRED")
        if now - self._marked_ms >= _MARK_EVERY_MS:
            self._marked_ms = now
            self._publish_marks()

    # Margin

    def margin(self, symbol: str) -> Margin:
        """Return what a symbol's positions and orders need."""
        mark = self.mark_price(symbol) or ZERO
        return symbol_margin(self.account, self.rules[symbol], self._exposures(symbol), mark)

    def total_margin(self, asset: str) -> Margin:
        """Return what all symbols of a margin asset need."""
        return sum((self.margin(symbol) for symbol, rules in self.rules.items() if rules.quote == asset), Margin())

    def available(self, asset: str) -> Decimal:
        """Return what is left of a wallet for new positions."""
        margin = self.total_margin(asset)
        return max(ZERO, self.account.wallet.get(asset, ZERO) + margin.unrealised - margin.initial)

    def _exposures(self, symbol: str, without: Order | None = None) -> list[tuple[NewOrder, Decimal]]:
        return [(order.asked, order.leaves) for order in self.resting[symbol] if order is not without]

    def _check_funds(self, asked: NewOrder, rules: Rules, instead_of: Order | None = None) -> None:
        if (asked.position_side == "BOTH") == self.account.hedge_mode:
            raise ApiError(-4061, "Order's position side does not match user's setting.")
        if is_reducing(asked):
            if not self._reducible(asked):
                raise ApiError(-2022, "ReduceOnly Order is rejected.")
            return
        mark = self.mark_price(rules.symbol) or asked.price
        executed = instead_of.executed if instead_of is not None else ZERO
        others = self._exposures(rules.symbol, without=instead_of)
        now = symbol_margin(self.account, rules, self._exposures(rules.symbol), mark)
        then = symbol_margin(self.account, rules, [*others, (asked, asked.quantity - executed)], mark)
        if then.initial - now.initial > self.available(rules.quote):
            raise ApiError(-2019, "Margin is insufficient.")

    def _reducible(self, asked: NewOrder) -> Decimal:
        """Return how much of a position an order of this side can close."""
        position = self.account.position(asked.symbol, asked.position_side)
        return max(ZERO, -asked.side.sign * position.amount)

    def _may_fill(self, order: Order) -> Decimal:
        return min(order.leaves, self._reducible(order.asked)) if is_reducing(order.asked) else order.leaves

    def _after_fill(self, order: Order) -> None:
        """Expire orders that may only reduce and have nothing left to reduce."""
        for other in (*self.resting[order.asked.symbol], order):
            if other.is_open and not self._may_fill(other):
                self._close(other, "EXPIRED", "EXPIRED")

    # Booking

    def _market_closed(self) -> ApiError:
        return ApiError(-4140, "Invalid symbol status for opening position.")

    def _duplicate(self) -> ApiError:
        return ApiError(-4116, "ClientOrderId is duplicated.")

    def _too_many_open(self) -> ApiError:
        return ApiError(-2025, "Reach max open order limit.")

    def _would_take_refusal(self) -> ApiError:
        return ApiError(-5022, _POST_ONLY)

    def _lock(self, order: Order) -> None:
        """Margin is computed from the open orders."""

    def _release(self, order: Order) -> None:
        """Margin is computed from the open orders."""

    def _settle(self, order: Order, price: Decimal, quantity: Decimal, is_maker: bool, trade_id: int) -> Fill:
        asked, rules, now = order.asked, self.rules[order.asked.symbol], self.clock.ms()
        position = self.account.position(asked.symbol, asked.position_side)
        realised = position.trade(asked.side.sign * quantity, price)
        position.updated_ms = now
        rate = rules.maker_fee if is_maker else rules.taker_fee
        commission = (price * quantity * rate).quantize(_GRID, ROUND_DOWN)
        self.account.credit(rules.quote, realised - commission)
        self.account.fees_paid[rules.quote] += commission
        for kind, amount in (("REALIZED_PNL", realised), ("COMMISSION", -commission)):
            if amount:
                self.income.append(Income(kind, rules.symbol, rules.quote, amount, now, trade_id))
        return Fill(
            trade_id=trade_id,
            order_id=order.order_id,
            symbol=asked.symbol,
            side=asked.side,
            position_side=asked.position_side,
            price=price,
            quantity=quantity,
            commission=commission,
            commission_asset=rules.quote,
            is_maker=is_maker,
            time_ms=now,
            realised=realised,
        )

    # Telling

    def _publish_order(self, order: Order, execution_type: str) -> None:
        rules = self.rules[order.asked.symbol]
        self.user_feed(wire_futures.order_update(rules, order, execution_type, None, self.clock.ms()))

    def _publish_fill(self, order: Order, fill: Fill) -> None:
        rules = self.rules[order.asked.symbol]
        self._publish_account("ORDER", rules.quote, [(fill.symbol, fill.position_side)], ZERO)
        self.user_feed(wire_futures.order_update(rules, order, "TRADE", fill, self.clock.ms()))

    def _publish_account(self, reason: str, asset: str, changed: list[tuple[str, str]], change: Decimal) -> None:
        positions = [
            wire_futures.position_update(
                self.rules[symbol], side, self.account.position(symbol, side), self.mark_price(symbol) or ZERO
            )
            for symbol, side in changed
        ]
        wallet = self.account.wallet.get(asset, ZERO)
        self.user_feed(
            wire_futures.account_update(reason, asset, wallet, change, positions=positions, now_ms=self.clock.ms())
        )

    def _publish_top(self, symbol: str, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal]) -> None:
        message = wire_futures.book_ticker(self.rules[symbol], self.books[symbol].update_id, bid, ask, self.clock.ms())
        self.market_feed("bookTicker", symbol, message)

    def _publish_depth(self, symbol: str, changes: list[tuple[Side, Decimal, Decimal]]) -> None:
        update_id = self.books[symbol].update_id
        previous = self._last_depth_id.get(symbol, update_id - 1)
        self._last_depth_id[symbol] = update_id
        message = wire_futures.depth_update(self.rules[symbol], update_id, previous, changes, self.clock.ms())
        self.market_feed("depth", symbol, message)

    def _publish_trade(self, symbol: str, trade: PublicTrade) -> None:
        self.market_feed("aggTrade", symbol, wire_futures.aggregate_trade(self.rules[symbol], trade))

    def _publish_marks(self) -> None:
        for symbol, rules in self.rules.items():
            mark = self.mark_price(symbol)
            if mark is not None:
                funding = (self.funding_rates.get(symbol, ZERO), self.next_funding_ms(symbol))
                self.market_feed("markPrice", symbol, wire_futures.mark_price(rules, mark, funding, self.clock.ms()))
