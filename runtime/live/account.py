"""What a spot account and one of USD-M futures can be asked, in one vocabulary."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from data_catalog.exchange_info import ExchangeInfo, SymbolInfo
from runtime.live.rest import Refused, Rest

_ROWS: Final = 1_000
_GONE: Final = (-2011, -2013)
"""Binance's numbers for an order that is not there."""


@dataclass(frozen=True)
class VenueOrder:
    """An order that is open at the venue."""

    symbol: str
    client_order_id: str
    side: str
    price: Decimal
    quantity: Decimal

    def __str__(self) -> str:
        return f"{self.client_order_id} {self.side} {self.quantity:f} {self.symbol} at {self.price:f}"


@dataclass(frozen=True)
class VenueTrade:
    """A fill as the venue has it; the side is +1 for a buy, and the id is the same that the account's events carry."""

    symbol: str
    trade_id: int
    order_id: int
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_ms: int


@dataclass(frozen=True)
class VenueFunding:
    """A funding payment, positive when received."""

    symbol: str
    payment_id: str
    amount: Decimal
    time_ms: int


@dataclass(frozen=True)
class VenueFees:
    """What the account pays, as a share of the traded value."""

    maker: Decimal
    taker: Decimal


def symbol_of(instrument_id: str) -> str:
    """Return the venue's name of an instrument: BTCUSDT for BTCUSDT-PERP.BINANCE."""
    return instrument_id.rpartition(".")[0].removesuffix("-PERP")


class BinanceAccount:
    """
    Asks and tells the venue in the name of one account; each method raises VenueError where that fails.

    Parameters
    ----------
    rest : Rest
        The way to the venue.
    spot : bool
        Whether it is a spot account.

    """

    def __init__(self, rest: Rest, spot: bool) -> None:
        self.rest = rest
        self.spot = spot
        self._api = "/api/v3" if spot else "/fapi/v1"

    # -- Public -------------------------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        """Return the venue's time, UNIX ms."""
        return int(self.rest.get(f"{self._api}/time")["serverTime"])

    def symbols(self, names: Sequence[str]) -> tuple[dict[str, SymbolInfo], dict[str, str]]:
        """Return the trading rules of symbols, and their status, by symbol; what the venue does not list is missing."""
        asked = {"symbols": json.dumps(list(names), separators=(",", ":"))} if self.spot else {}
        answer = self.rest.get(f"{self._api}/exchangeInfo", **asked)
        rows = [row for row in answer["symbols"] if row["symbol"] in names]
        if not self.spot:
            rows = [row for row in rows if row.get("contractType") == "PERPETUAL"]
        info = msgspec.convert({"symbols": rows}, ExchangeInfo)
        statuses = {row["symbol"]: str(row.get("status") or row.get("contractStatus")) for row in rows}
        return {symbol.symbol: symbol for symbol in info.symbols}, statuses

    def touch(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return the best bid and ask."""
        row = self.rest.get(f"{self._api}/ticker/bookTicker", symbol=symbol)
        return Decimal(row["bidPrice"]), Decimal(row["askPrice"])

    # -- The account --------------------------------------------------------------------------------------------------

    def account(self) -> dict[str, Any]:
        """Return the venue's own answer about the account."""
        answer: dict[str, Any] = self.rest.signed("GET", "/api/v3/account" if self.spot else "/fapi/v2/account")
        return answer

    def balances(self, account: dict[str, Any]) -> dict[str, Decimal]:
        """Return what an answer of `account` says is owned, locked or not, by asset."""
        if self.spot:
            return {row["asset"]: Decimal(row["free"]) + Decimal(row["locked"]) for row in account["balances"]}
        return {row["asset"]: Decimal(row["walletBalance"]) for row in account["assets"]}

    def positions(self) -> dict[str, Decimal]:
        """Return the positions on futures by symbol, those that are flat left out."""
        positions: dict[str, Decimal] = {}
        for row in self.rest.signed("GET", "/fapi/v3/positionRisk"):
            amount = Decimal(row["positionAmt"])
            if amount:
                positions[row["symbol"]] = positions.get(row["symbol"], Decimal(0)) + amount
        return positions

    def entry_prices(self) -> dict[str, Decimal]:
        """Return the average prices of the positions on futures by symbol, those that are flat left out."""
        rows = self.rest.signed("GET", "/fapi/v3/positionRisk")
        return {row["symbol"]: Decimal(row["entryPrice"]) for row in rows if Decimal(row["positionAmt"])}

    def is_hedge_mode(self) -> bool:
        """Return whether the futures account keeps longs and shorts apart."""
        return str(self.rest.signed("GET", "/fapi/v1/positionSide/dual")["dualSidePosition"]).lower() == "true"

    def leverages(self) -> dict[str, int]:
        """Return the leverage that is set on futures, by symbol."""
        return {row["symbol"]: int(row["leverage"]) for row in self.rest.signed("GET", "/fapi/v1/symbolConfig")}

    def fees(self, symbol: str) -> VenueFees:
        """Return what the account pays on a symbol."""
        if self.spot:
            rates = self.rest.signed("GET", "/api/v3/account/commission", symbol=symbol)["standardCommission"]
            return VenueFees(Decimal(rates["maker"]), Decimal(rates["taker"]))
        rates = self.rest.signed("GET", "/fapi/v1/commissionRate", symbol=symbol)
        return VenueFees(Decimal(rates["makerCommissionRate"]), Decimal(rates["takerCommissionRate"]))

    # -- Orders -------------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str) -> list[VenueOrder]:
        """Return every open order on a symbol, whoever sent it."""
        rows = self.rest.signed("GET", f"{self._api}/openOrders", symbol=symbol)
        return [
            VenueOrder(
                row["symbol"],
                row["clientOrderId"],
                row["side"],
                Decimal(row["price"]),
                Decimal(row["origQty"]) - Decimal(row["executedQty"]),
            )
            for row in rows
        ]

    def client_order_id(self, symbol: str, order_id: int) -> str:
        """Return what the sender of an order called it."""
        return str(self.rest.signed("GET", f"{self._api}/order", symbol=symbol, orderId=order_id)["clientOrderId"])

    def cancel(self, order: VenueOrder) -> None:
        """Cancel an order; one that is gone already is no error."""
        try:
            self.rest.signed(
                "DELETE", f"{self._api}/order", symbol=order.symbol, origClientOrderId=order.client_order_id
            )
        except Refused as error:
            if error.code not in _GONE:
                raise

    def count_down(self, symbol: str, milliseconds: int) -> None:
        """Let the venue cancel all orders of a futures symbol when it hears no more for so long; 0 ends that."""
        self.rest.signed("POST", "/fapi/v1/countdownCancelAll", symbol=symbol, countdownTime=milliseconds)

    # -- What happened ------------------------------------------------------------------------------------------------

    def last_trade_id(self, symbol: str) -> int:
        """Return the id of the account's last trade on a symbol, 0 where there is none."""
        return max((trade.trade_id for trade in self._trades(symbol, limit=1)), default=0)

    def trades_since(self, symbol: str, trade_id: int) -> list[VenueTrade]:
        """Return the account's trades on a symbol from an id on, that one included, in order."""
        found: list[VenueTrade] = []
        while True:
            page = sorted(self._trades(symbol, fromId=trade_id, limit=_ROWS), key=lambda trade: trade.trade_id)
            found += page
            if len(page) < _ROWS:
                return found
            trade_id = page[-1].trade_id + 1

    def _trades(self, symbol: str, **asked: int) -> list[VenueTrade]:
        path = "/api/v3/myTrades" if self.spot else "/fapi/v1/userTrades"
        return [_trade(row) for row in self.rest.signed("GET", path, symbol=symbol, **asked)]

    def funding_since(self, time_ms: int) -> list[VenueFunding]:
        """Return the funding payments on futures from a time on, that one included, in order."""
        found: dict[str, VenueFunding] = {}
        while True:
            asked = {"incomeType": "FUNDING_FEE", "startTime": time_ms, "limit": _ROWS}
            rows = self.rest.signed("GET", "/fapi/v1/income", **asked)
            page = [
                VenueFunding(row["symbol"], str(row["tranId"]), Decimal(row["income"]), int(row["time"]))
                for row in rows
            ]
            known = len(found)
            found |= {payment.payment_id: payment for payment in page}
            if len(page) < _ROWS or len(found) == known:
                return sorted(found.values(), key=lambda payment: payment.time_ms)
            time_ms = max(payment.time_ms for payment in page)


def _trade(row: dict[str, Any]) -> VenueTrade:
    is_buy = row["isBuyer"] if "isBuyer" in row else row["side"] == "BUY"
    return VenueTrade(
        symbol=row["symbol"],
        trade_id=int(row["id"]),
        order_id=int(row["orderId"]),
        side=1 if is_buy else -1,
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"],
        is_maker=bool(row["isMaker"] if "isMaker" in row else row["maker"]),
        time_ms=int(row["time"]),
    )
