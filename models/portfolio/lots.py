"""Wanted values as whole lots that the venue takes and the cash pays for."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from models.portfolio.rebalance import Destination


class Holding(NamedTuple):
    """
    What is held of one asset, and what an order for it must obey.

    Parameters
    ----------
    quantity : Decimal
        Held, in the base asset.
    free : Decimal
        Of that, what no open order holds back.
    mid : Decimal
        What it is valued at, in the quote currency.
    step : Decimal
        The size of a lot.
    least_lots : int
        The smallest order, by the venue's rules and one's own.
    fee : Decimal
        What a trade costs as a share of its value; a purchase pays it in the base asset.

    """

    quantity: Decimal
    free: Decimal
    mid: Decimal
    step: Decimal
    least_lots: int
    fee: Decimal


def lots_to_trade(holding: Holding, trade: Decimal, way: Decimal, to: Destination) -> int:
    """
    Return how many lots to buy (positive) or sell (negative).

    To the edge, the lots are rounded up, so that the weight ends inside its band; to the target they are rounded down.
    A trade below the smallest order is made as large as that if it then does not pass the target; otherwise nothing is
    traded.

    Parameters
    ----------
    holding : Holding
        What is held.
    trade : Decimal
        The value to buy (positive) or sell (negative), in the quote currency.
    way : Decimal
        The trade that would lead to the target.
    to : {"target", "edge"}
        Where the trade leads.

    """
    side = 1 if trade > 0 else -1
    lot_value = holding.mid * holding.step * (1 - holding.fee if side > 0 else 1)
    rounding = ROUND_CEILING if to == "edge" else ROUND_FLOOR
    lots = int((abs(trade) / lot_value).to_integral_value(rounding))
    if 0 < lots < holding.least_lots:
        room = int(max(side * way, Decimal(0)) / lot_value)
        lots = holding.least_lots if holding.least_lots <= room else 0
    if side < 0:
        lots = min(lots, int(holding.free / holding.step))
        if lots < holding.least_lots:
            lots = 0
    return side * lots


class Purchase(NamedTuple):
    """Lots to buy, what one lot costs at most with its fee, and the smallest order in lots."""

    lots: int
    lot_cost: Decimal
    least_lots: int


def affordable(purchases: Sequence[Purchase], cash: Decimal) -> list[int]:
    """
    Return the lots of each purchase that the cash pays for: all of them, or all made smaller by the same share.

    One that becomes smaller than the smallest order is left out.
    """
    cost = sum((purchase.lots * purchase.lot_cost for purchase in purchases), Decimal(0))
    if cost <= cash:
        return [purchase.lots for purchase in purchases]
    share = max(cash, Decimal(0)) / cost
    lots = [int(purchase.lots * share) for purchase in purchases]
    return [n if n >= purchase.least_lots else 0 for n, purchase in zip(lots, purchases, strict=True)]
