"""What a spot account and one of USD-M futures can be asked, in one vocabulary."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from data_catalog.exchange_info import ExchangeInfo, SymbolInfo
from runtime.live.rest import Refused, Rest

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
