"""The replayed market of one symbol, as it stands now: the others' orders, not ours."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from binance_double.orders import ZERO, Side

_LEVELS_BEHIND = 20


class MarketBook:
    """
    Levels of price and size of everybody else.

    A market known by its quotes alone has one level a side. Who takes more than that is given further levels of the
    same size, one tick behind the other: the real ones are not recorded.

    Parameters
    ----------
    tick : Decimal
        The grid of prices.

    """

    def __init__(self, tick: Decimal) -> None:
        self._tick = tick
        self._levels: dict[Side, dict[Decimal, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
        self._taken = dict.fromkeys(Side, ZERO)
        self._top_only = True
        self.update_id = 0
        self.last_price: Decimal | None = None

    def quote(self, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal) -> None:
        """Move a market known by its quotes; what was taken of a price is not there again while the price stands."""
        for side, price, size in ((Side.BUY, bid, bid_size), (Side.SELL, ask, ask_size)):
            stands = self._top_only and price in self._levels[side]
            self._taken[side] = min(self._taken[side], size) if stands else ZERO
            self._levels[side] = {price: size - self._taken[side]}
        self._top_only = True
        self.update_id += 1

    def change(self, changes: Iterable[tuple[Side, Decimal, Decimal]], clear: bool = False) -> None:
        """Set levels of a market known in depth to their new sizes, 0 for none; `clear` empties it before."""
        if clear or self._top_only:
            self._levels = {Side.BUY: {}, Side.SELL: {}}
        self._top_only = False
        for side, price, size in changes:
            if size:
                self._levels[side][price] = size
            else:
                self._levels[side].pop(price, None)
        self.update_id += 1

    def emptied(self) -> list[tuple[Side, Decimal, Decimal]]:
        """Return the changes that would empty the market."""
        return [(side, price, ZERO) for side in Side for price in self._levels[side]]

    def best(self, side: Side) -> Decimal | None:
        """Return the best price of a side, None if it is empty."""
        prices = self._levels[side]
        if not prices:
            return None
        return max(prices) if side is Side.BUY else min(prices)

    def mid(self) -> Decimal | None:
        """Return the middle of the market, the last trade's price if a side is empty, None if there was none."""
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return (bid + ask) / 2 if bid is not None and ask is not None else self.last_price

    def size_at(self, side: Side, price: Decimal) -> Decimal | None:
        """Return what the market shows at a price; None where its quotes do not reach."""
        best = self.best(side)
        if best is None:
            return ZERO
        behind = price < best if side is Side.BUY else price > best
        if behind and self._top_only:
            return None
        return self._levels[side].get(price, ZERO)

    def levels(self, side: Side, limit: int | None = None) -> list[tuple[Decimal, Decimal]]:
        """Return price and size of the side's levels, best first, without those that were taken."""
        return [level for level in self._known(side) if level[1]][:limit]

    def sweep(self, side: Side, quantity: Decimal, limit: Decimal | None) -> list[tuple[Decimal, Decimal]]:
        """Return price and quantity of what an order of this side would take, no worse than `limit`."""
        taken: list[tuple[Decimal, Decimal]] = []
        for price, size in self._levels_behind(side.opposite):
            beyond = limit is not None and (price > limit if side is Side.BUY else price < limit)
            if beyond or not quantity:
                break
            part = min(size, quantity)
            if part:
                taken.append((price, part))
                quantity -= part
        return taken

    def take(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Remove liquidity of a level that the market shows; an emptied one stays as the market's price."""
        levels = self._levels[side]
        if price in levels:
            part = min(quantity, levels[price])
            levels[price] -= part
            self._taken[side] += part

    def _known(self, side: Side) -> list[tuple[Decimal, Decimal]]:
        return sorted(self._levels[side].items(), reverse=side is Side.BUY)

    def _levels_behind(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        known = self._known(side)
        yield from known
        if not self._top_only or not known:
            return
        price, size = known[-1]
        step = -self._tick if side is Side.BUY else self._tick
        for n in range(1, _LEVELS_BEHIND + 1):
            yield price + step * n, size
