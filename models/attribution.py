"""
Where a maker's profit comes from, in exact decimals.

The parts sum to the change in equity exactly, because each sum telescopes and nothing is rounded: all arithmetic runs
in a context of 50 digits that raises `decimal.Inexact` instead of rounding. A mid (bid + ask)/2 is an exact decimal.

For one instrument with position q, mid m and fills of signed quantity v at price p, all in the quote currency:

- spread: sum v (m - p), the edge to the mid at the moment of each fill;
- inventory: sum q dm, the position carried through every move of the mid;
- fees: minus what was paid (a rebate is positive). A fee taken in the base asset shortens the position by f: the
  position changes by v - f while cash changes by -v p, so against the spread above the equity lacks f m, which is
  booked as a fee at the mid of the fill;
- funding: payments received, negative when paid.

Then spread + inventory + fees + funding = change of cash + q m - q_0 m_0. A position in which the last mid is not yet
known cannot be valued, so a ledger that starts with one must be given its mid.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from itertools import pairwise
from typing import NamedTuple

EXACT = Context(prec=50, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic that raises rather than rounds."""

ZERO = Decimal(0)


class Fill(NamedTuple):
    """
    A fill of one order.

    Parameters
    ----------
    time_ns : int
        When it happened.
    signed_qty : Decimal
        Positive for a buy, negative for a sale, before any fee in the base asset.
    price : Decimal
        In the quote currency.
    fee : Decimal
        Paid in the quote currency; negative for a rebate.
    fee_base : Decimal
        Paid in the base asset; it shortens the position.

    """

    time_ns: int
    signed_qty: Decimal
    price: Decimal
    fee: Decimal = ZERO
    fee_base: Decimal = ZERO


class Parts(NamedTuple):
    """The parts of the profit so far, in the quote currency."""

    spread: Decimal
    inventory: Decimal
    fees: Decimal
    funding: Decimal

    @property
    def total(self) -> Decimal:
        """The sum of the parts: the change in equity."""
        return EXACT.add(EXACT.add(self.spread, self.inventory), EXACT.add(self.fees, self.funding))


class PositionLedger:
    """
    The parts of one instrument's profit, kept up to date fill by fill.

    Parameters
    ----------
    position : Decimal
        The position held at the start, in the base asset.
    mid : Decimal
        The mid that values it; without a position it does not matter.

    Raises
    ------
    ValueError
        If a position is given with a mid that is not positive.

    """

    __slots__ = (
        "_fees",
        "_funding",
        "_inventory",
        "_mid",
        "_position",
        "_spread",
        "_start_position",
        "_start_value",
        "cash_change",
    )

    def __init__(self, position: Decimal = ZERO, mid: Decimal = ZERO) -> None:
        if position and not mid > 0:
            raise ValueError(f"a position of {position} cannot be valued at a mid of {mid}")
        self._position = self._start_position = position
        self._mid = mid
        self._start_value = EXACT.multiply(position, mid)
        self._spread = self._inventory = self._fees = self._funding = ZERO
        self.cash_change = ZERO

    @property
    def position(self) -> Decimal:
        """The position in the base asset; negative when short."""
        return self._position

    @property
    def mid(self) -> Decimal:
        """The last mid it was told; 0 before the first."""
        return self._mid

    @property
    def inventory(self) -> Decimal:
        """Of the parts the one that changes with every mid."""
        return self._inventory

    @property
    def parts(self) -> Parts:
        """The parts of the profit up to the last mid."""
        return Parts(self._spread, self._inventory, self._fees, self._funding)

    @property
    def initial(self) -> Decimal:
        """What the mid did to the position held at the start: q_0 (m - m_0)."""
        return EXACT.subtract(EXACT.multiply(self._start_position, self._mid), self._start_value)

    @property
    def equity_change(self) -> Decimal:
        """Change of cash + q m - q_0 m_0, counted apart from the parts, which sum to it."""
        value_change = EXACT.subtract(EXACT.multiply(self._position, self._mid), self._start_value)
        return EXACT.add(self.cash_change, value_change)

    def mark(self, mid: Decimal) -> None:
        """
        Value the position at a new mid.

        Raises
        ------
        decimal.Inexact
            If the sum does not fit into 50 digits.

        """
        if self._position:
            move = EXACT.subtract(mid, self._mid)
            self._inventory = EXACT.add(self._inventory, EXACT.multiply(self._position, move))
        self._mid = mid

    def fill(
        self, signed_qty: Decimal, price: Decimal, fee: Decimal, mid: Decimal, fee_base: Decimal = ZERO
    ) -> Decimal:
        """
        Book a fill, after marking the position at the mid of that moment.

        Parameters
        ----------
        signed_qty : Decimal
            Positive for a buy, negative for a sale, before any fee in the base asset.
        price : Decimal
            In the quote currency.
        fee : Decimal
            Paid in the quote currency; negative for a rebate.
        mid : Decimal
            The mid at the fill; a quote at the same time counts as before it.
        fee_base : Decimal
            Paid in the base asset.

        Returns
        -------
        Decimal
            The edge earned: signed_qty (mid - price).

        Raises
        ------
        decimal.Inexact
            If a sum does not fit into 50 digits.

        """
        self.mark(mid)
        edge = EXACT.multiply(signed_qty, EXACT.subtract(mid, price))
        paid = EXACT.add(fee, EXACT.multiply(fee_base, mid))
        self._spread = EXACT.add(self._spread, edge)
        self._fees = EXACT.subtract(self._fees, paid)
        self._position = EXACT.add(self._position, EXACT.subtract(signed_qty, fee_base))
        self.cash_change = EXACT.subtract(self.cash_change, EXACT.add(EXACT.multiply(signed_qty, price), fee))
        return edge

    def receive(self, quantity: Decimal, mid: Decimal) -> None:
        """Take in what came without a trade (negative: what went), at a mid: neither profit nor loss."""
        self.mark(mid)
        self._position = EXACT.add(self._position, quantity)
        self._start_value = EXACT.add(self._start_value, EXACT.multiply(quantity, mid))

    def fund(self, amount: Decimal) -> None:
        """Book a funding payment in the quote currency: positive when received."""
        self._funding = EXACT.add(self._funding, amount)
        self.cash_change = EXACT.add(self.cash_change, amount)

    def charge(self, amount: Decimal) -> None:
        """Book a fee that belongs to no fill, in the quote currency: positive when paid."""
        self._fees = EXACT.subtract(self._fees, amount)
        self.cash_change = EXACT.subtract(self.cash_change, amount)


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    The parts of the profit of a list of fills, in the quote currency.

    Two identities hold exactly: spread + inventory_mtm + fees = total, and
    spread + adverse + carry + initial + fees = total.

    Parameters
    ----------
    spread : Decimal
        Edge to the mid at each fill.
    adverse : Decimal
        What the mid did to each fill within the horizon; negative when the flow was informed.
    carry : Decimal
        What it did afterwards, to the end.
    initial : Decimal
        What it did to the position held at the start.
    inventory_mtm : Decimal
        The position carried through every move: adverse + carry + initial, summed another way.
    fees : Decimal
        Minus what was paid, fees in the base asset at the mid of the fill.
    total : Decimal
        The change in equity, from cash and value alone.

    """

    spread: Decimal
    adverse: Decimal
    carry: Decimal
    initial: Decimal
    inventory_mtm: Decimal
    fees: Decimal
    total: Decimal

    @property
    def markout(self) -> Decimal:
        """Spread + adverse: what the fills were worth at the horizon, before fees."""
        return EXACT.add(self.spread, self.adverse)


def attribute(
    fills: Sequence[Fill], mids: Sequence[tuple[int, Decimal]], horizon_ns: int, position: Decimal = ZERO
) -> Attribution:
    """
    Split the profit of `fills` into its parts.

    Parameters
    ----------
    fills : sequence of Fill
        In order of time, none before the first mid.
    mids : sequence of (time_ns, mid)
        In order of time, at least one. The mid holds until the next one; a mid at the time of a fill comes before it,
        and of several at one time the last holds. The last mid values the end.
    horizon_ns : int
        How long after a fill its adverse selection is measured, at least 0.
    position : Decimal
        The position held at the first mid.

    Returns
    -------
    Attribution
        Adverse selection and carry count the quantity held after a fee in the base asset.

    Raises
    ------
    ValueError
        If there is no mid, a fill comes before the first one, the times are not in order or `horizon_ns` is negative.
    decimal.Inexact
        If a sum does not fit into 50 digits.

    """
    path = _MidPath(mids, [fill.time_ns for fill in fills])
    if horizon_ns < 0:
        raise ValueError(f"horizon_ns was {horizon_ns}, expected at least 0")
    spread = adverse = carry = fees = cash = ZERO
    changes: list[tuple[int, Decimal]] = []
    held = position
    for fill in fills:
        now, later = path.at(fill.time_ns), path.at(fill.time_ns + horizon_ns)
        change = EXACT.subtract(fill.signed_qty, fill.fee_base)
        spread = EXACT.add(spread, EXACT.multiply(fill.signed_qty, EXACT.subtract(now, fill.price)))
        adverse = EXACT.add(adverse, EXACT.multiply(change, EXACT.subtract(later, now)))
        carry = EXACT.add(carry, EXACT.multiply(change, EXACT.subtract(path.last, later)))
        fees = EXACT.subtract(fees, EXACT.add(fill.fee, EXACT.multiply(fill.fee_base, now)))
        cash = EXACT.subtract(cash, EXACT.add(EXACT.multiply(fill.signed_qty, fill.price), fill.fee))
        held = EXACT.add(held, change)
        changes.append((fill.time_ns, change))
    value_change = EXACT.subtract(EXACT.multiply(held, path.last), EXACT.multiply(position, path.first))
    return Attribution(
        spread=spread,
        adverse=adverse,
        carry=carry,
        initial=EXACT.multiply(position, EXACT.subtract(path.last, path.first)),
        inventory_mtm=_carried(changes, mids, position),
        fees=fees,
        total=EXACT.add(cash, value_change),
    )


def markout_bps(fills: Sequence[Fill], mids_at_horizon: Sequence[Decimal | None]) -> float | None:
    """
    Return what the fills were worth at a horizon, in basis points of the notional they traded, before fees.

    Parameters
    ----------
    fills : sequence of Fill
        The fills.
    mids_at_horizon : sequence of Decimal or None
        The mid at the horizon after each fill; None where the data ended before, and that fill is left out.

    Returns
    -------
    float or None
        sum v (mid - p) / sum |v| p x 10,000; None when no fill has a mid at the horizon.

    Raises
    ------
    ValueError
        If the two have different lengths.

    """
    worth = notional = ZERO
    for fill, mid in zip(fills, mids_at_horizon, strict=True):
        if mid is not None:
            worth = EXACT.add(worth, EXACT.multiply(fill.signed_qty, EXACT.subtract(mid, fill.price)))
            notional = EXACT.add(notional, EXACT.multiply(fill.signed_qty.copy_abs(), fill.price))
    return float(worth) / float(notional) * 1e4 if notional else None


def _carried(changes: Sequence[tuple[int, Decimal]], mids: Sequence[tuple[int, Decimal]], position: Decimal) -> Decimal:
    """Return sum q dm, walking through the mids; a fill at the time of a mid holds its new position after it."""
    total, held, pending = ZERO, position, 0
    for (_, before), (time, after) in pairwise(mids):
        while pending < len(changes) and changes[pending][0] < time:
            held = EXACT.add(held, changes[pending][1])
            pending += 1
        total = EXACT.add(total, EXACT.multiply(held, EXACT.subtract(after, before)))
    return total


class _MidPath:
    """The mid as a right-continuous function of time."""

    def __init__(self, mids: Sequence[tuple[int, Decimal]], fill_times: Sequence[int]) -> None:
        self._times = [time for time, _ in mids]
        self._mids = [mid for _, mid in mids]
        if not mids:
            raise ValueError("there was no mid to value the position")
        for name, times in (("mids", self._times), ("fills", fill_times)):
            if any(later < earlier for earlier, later in pairwise(times)):
                raise ValueError(f"{name} were not in order of time")
        if fill_times and fill_times[0] < self._times[0]:
            raise ValueError("a fill came before the first mid")
        self.first, self.last = self._mids[0], self._mids[-1]

    def at(self, time: int) -> Decimal:
        return self._mids[bisect_right(self._times, time) - 1]
