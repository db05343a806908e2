"""Our own orders, from the moment they are sent until the venue says that they are gone."""

from models.market_making.quote_plan import Command, Modify, OrderState, Quote, Side, Submit, WorkingOrder
from strategies.order_adapter import OrderAdapter


class WorkingOrders:
    """
    Sends commands and follows what becomes of the orders.

    Each method for an event of the venue returns nothing; whether to plan anew is for the strategy to say.

    Parameters
    ----------
    adapter : OrderAdapter
        Talks to the engine.

    """

    def __init__(self, adapter: OrderAdapter) -> None:
        self._adapter = adapter
        self._orders: dict[str, WorkingOrder] = {}
        self.requotes = 0
        """Changes of working orders: modifications, and cancellations to move or withdraw a quote."""

    def all(self) -> list[WorkingOrder]:
        """Return every order that may still fill."""
        return list(self._orders.values())

    def and_others(self) -> list[WorkingOrder]:
        """Return them with the orders of other strategies on the instrument, which only stand in the way."""
        return [*self._orders.values(), *self._adapter.of_others()]

    def find(self, order_id: str) -> WorkingOrder | None:
        """Return the order with this client order id, if it may still fill."""
        return self._orders.get(order_id)

    def awaiting_replacement(self) -> int:
        """Return how many orders are being cancelled so that another can take their place."""
        return sum(order.state is OrderState.CANCELLING for order in self._orders.values())

    def execute(self, command: Command, now_ns: int) -> None:
        """Send one command; an order that the guard refuses is dropped, a change that it refuses is not made."""
        if isinstance(command, Modify):  # asked first: nearly all commands of a maker on futures are
            self._modify(*command, now_ns)
        elif isinstance(command, Submit):
            self._submit(command.quote, now_ns)
        else:
            command.order.state = OrderState.CANCELLING
            self.requotes += 1
            self._adapter.cancel(command.order)

    def _modify(self, order: WorkingOrder, quote: Quote, now_ns: int) -> None:
        order.state = OrderState.MODIFYING
        order.aimed_price = quote.price
        if self._adapter.modify(order, quote):
            order.placed_ns = now_ns
            self.requotes += 1
        else:
            self.settled(order.order_id)

    def _submit(self, quote: Quote, now_ns: int) -> None:
        order_id = self._adapter.new_order_id()
        self._orders[order_id] = WorkingOrder(order_id, quote.side, quote.price, quote.quantity, placed_ns=now_ns)
        if not self._adapter.submit(order_id, quote):
            self._orders.pop(order_id, None)

    def cancel_all(self) -> None:
        """Cancel every order of ours, in flight or not, and no other."""
        self._adapter.cancel_all(self._orders)

    def settled(self, order_id: str) -> None:
        """Note that no command for the order is on its way any more."""
        order = self._orders.get(order_id)
        if order is None:
            return
        if self._adapter.is_gone(order_id):
            del self._orders[order_id]
        else:
            _settle(order)

    def moved(self, order_id: str, price: int, total: int) -> None:
        """Take over a new price, in ticks, and a new quantity, in lots, of which a part may be filled already."""
        order = self._orders.get(order_id)
        if order is not None:
            order.price = price
            order.quantity = total - order.filled
            _settle(order)

    def filled(self, order_id: str) -> None:
        """Take over what is left after a fill; forget an order that has none."""
        order = self._orders.get(order_id)
        if order is not None:
            order.filled, order.quantity = self._adapter.filled_and_left(order_id)
            if not order.quantity:
                del self._orders[order_id]

    def gone(self, order_id: str) -> bool:
        """Forget the order; return whether it was known."""
        return self._orders.pop(order_id, None) is not None

    def hang(self, side: Side) -> None:
        """Leave the orders of one side where they are, whatever the quotes do."""
        for order in self._orders.values():
            if order.side is side and order.state is OrderState.WORKING:
                order.hanging = True

    def let_go(self, mid: float, distance: float) -> None:
        """Take orders that hang farther than `distance` from `mid`, both in ticks, back under the plan."""
        for order in self._orders.values():
            if order.hanging and abs(order.price - mid) > distance:
                order.hanging = False

    def age(self, now_ns: int, max_age_ns: int) -> None:
        """Take the tolerance from orders older than `max_age_ns`."""
        for order in self._orders.values():
            order.exact = now_ns - order.placed_ns > max_age_ns

    def best(self) -> tuple[int | None, int | None]:
        """Return the best bid and ask, in ticks, of the orders that stand at the venue."""
        standing = [order for order in self._orders.values() if order.state is not OrderState.SUBMITTING]
        bids = [order.price for order in standing if order.side is Side.BID]
        asks = [order.price for order in standing if order.side is Side.ASK]
        return max(bids, default=None), min(asks, default=None)


def _settle(order: WorkingOrder) -> None:
    order.state = OrderState.WORKING
    order.aimed_price = order.price
