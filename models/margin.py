"""
Margin of a USD-M futures account in one-way mode: what orders and positions need, and when positions are liquidated.

All numbers are whole: quantities and prices count units of a grid (the engine's raw integers), a mark is
twice the mid (bid + ask), and money counts half of unit x unit, so that quantity x mark is money. Nothing is rounded
but the cost of what is left of a position, by less than 1.

Cross margin: equity = cash + sum q m. A symbol's orders and position need max(|q m + bids|, |q m - asks|, |q m|) /
leverage, of which an order that does not raise it needs nothing. Positions are liquidated when the equity is not above
the maintenance margin, rate x sum |q m|.

Isolated margin: a position holds |q e| / leverage of its own, e its average entry price, and is liquidated when that
and its unrealised profit are not above its maintenance margin. Orders need what the rest of the wallet has; an
unrealised profit is not part of it. No margin is added to a position later on, and funding does not touch it.

Simplified against the exchange: one maintenance rate for all sizes, where the exchange has tiers that rise with the
size and so gives small positions a little more room and large ones less; the mark is the mid.
"""

from collections.abc import Hashable
from fractions import Fraction

type Orders = tuple[int, int]
"""The value of bids and of asks, as money."""

type Bounds = tuple[int | None, int | None]
"""Marks at or below the first, or at or above the second, are worth a look; None where no mark is."""


class Holding:
    """One symbol: position, its cost (quantity x average entry price, in money) and the last mark."""

    __slots__ = ("cost", "mark", "quantity")

    def __init__(self) -> None:
        self.quantity = 0
        self.cost = 0
        self.mark = 0

    @property
    def value(self) -> int:
        """The position at the mark; negative when short."""
        return self.quantity * self.mark

    def fill(self, quantity: int, price: int) -> None:
        """Add a signed quantity at a price; what closes takes its part of the cost with it."""
        held = self.quantity
        self.quantity = held + quantity
        if held * quantity >= 0:
            self.cost += 2 * quantity * price
        elif abs(quantity) <= abs(held):
            self.cost = self.cost * self.quantity // held
        else:
            self.cost = 2 * self.quantity * price


class MarginAccount[Symbol: Hashable]:
    """
    The money and the positions of a futures account.

    Parameters
    ----------
    cash : int
        The wallet at the start, in money.
    leverage : int
        Value over initial margin.
    maintenance : Fraction
        Maintenance margin over value.
    isolated : bool
        Whether each position has a margin of its own; otherwise the account stands for all.

    """

    def __init__(self, cash: int, leverage: int, maintenance: Fraction, isolated: bool = False) -> None:
        self.cash = cash
        """The wallet, less what was paid for positions."""
        self.leverage = leverage
        self.maintenance = maintenance
        self.isolated = isolated
        self.holdings: dict[Symbol, Holding] = {}

    def holding(self, symbol: Symbol) -> Holding:
        """Return what is held of a symbol, flat if there never was any."""
        found = self.holdings.get(symbol)
        if found is None:
            found = self.holdings[symbol] = Holding()
        return found

    def fill(self, symbol: Symbol, quantity: int, price: int, fee: int) -> None:
        """Book a fill of a signed quantity; the fee is money."""
        self.holding(symbol).fill(quantity, price)
        self.cash -= 2 * quantity * price + fee

    @property
    def equity(self) -> int:
        """Cash and all positions at their marks."""
        return self.cash + sum(holding.value for holding in self.holdings.values())

    @property
    def maintenance_margin(self) -> Fraction:
        """What all positions need to be kept."""
        return self.maintenance * sum(abs(holding.value) for holding in self.holdings.values())

    # -- Before an order ----------------------------------------------------------------------------------------------

    def has_margin(self, symbol: Symbol, before: Orders, after: Orders, others: int = 0) -> bool:
        """
        Return whether the orders of a symbol may become others.

        Parameters
        ----------
        symbol : Symbol
            Whose orders.
        before, after : (int, int)
            The value of its bids and of its asks that can raise a position, as money: as it is, and as it is to be.
        others : int
            What orders of other symbols need beyond their positions, times the leverage.

        """
        if self.needed(symbol, after) <= self.needed(symbol, before):
            return True
        return self.slack(symbol, after, others) >= 0

    def slack(self, symbol: Symbol, orders: Orders, others: int = 0) -> int:
        """Return what may still be ordered when the orders of a symbol are these, in value at the leverage."""
        elsewhere = sum(self.needed(other) for other in self.holdings if other != symbol)
        return self._backing() * self.leverage - self.needed(symbol, orders) - elsewhere - others

    def certain(self, slack: int, percent: int) -> int:
        """Return what of a slack is left however marks move by up to so many per cent; at least 0."""
        gross = sum(abs(holding.value) for holding in self.holdings.values())
        return max(0, slack - gross * (self.leverage + 1) * percent // 100)

    def needed(self, symbol: Symbol, orders: Orders = (0, 0)) -> int:
        """Return the initial margin of a symbol's position and orders, times the leverage."""
        holding = self.holding(symbol)
        held = holding.cost if self.isolated else holding.value
        return max(abs(held + orders[0]), abs(held - orders[1]), abs(held))

    def _backing(self) -> int:
        """Return what stands for new positions and the margin of those that are there."""
        if not self.isolated:
            return self.equity
        return self.cash + sum(holding.cost for holding in self.holdings.values())

    # -- Liquidation --------------------------------------------------------------------------------------------------

    def breached(self) -> list[Symbol]:
        """Return the symbols whose positions are liquidated at the present marks."""
        held = [symbol for symbol, holding in self.holdings.items() if holding.quantity]
        if self.isolated:
            return [symbol for symbol in held if self._own_room(self.holdings[symbol]) <= 0]
        return held if held and self._room() <= 0 else []

    def own_margin(self, symbol: Symbol) -> Fraction:
        """Return the margin that a position holds of its own in isolated mode."""
        return Fraction(abs(self.holding(symbol).cost), self.leverage)

    def _room(self) -> int:
        """Return by how much the equity is above the maintenance margin, times the latter's denominator."""
        rate = self.maintenance
        values = sum(abs(holding.value) for holding in self.holdings.values())
        return self.equity * rate.denominator - rate.numerator * values

    def _own_room(self, holding: Holding) -> int:
        """Return the same of an isolated position, times the leverage too."""
        rate = self.maintenance
        backing = abs(holding.cost) + (holding.value - holding.cost) * self.leverage
        return backing * rate.denominator - rate.numerator * abs(holding.value) * self.leverage

    def bounds(self) -> dict[Symbol, Bounds]:
        """
        Return for each position the mark that it takes to liquidate anything, if the others lose as much.

        With several positions they are careful: a liquidation is certain not to happen before one of them is passed.
        """
        held = {symbol: holding for symbol, holding in self.holdings.items() if holding.quantity}
        room = 0 if self.isolated else self._room()
        rate = self.maintenance
        found: dict[Symbol, Bounds] = {}
        for symbol, holding in held.items():
            long = holding.quantity > 0
            # A falling price makes the maintenance margin of a long position smaller, a rising one that of a short.
            per_mark = abs(holding.quantity) * (rate.denominator + (-rate.numerator if long else rate.numerator))
            if self.isolated:
                distance = max(0, self._own_room(holding)) // (per_mark * self.leverage)
            else:
                distance = max(0, room) // (per_mark * len(held))
            found[symbol] = (holding.mark - distance, None) if long else (None, holding.mark + distance)
        return found
