"""The rows of the check that need keys: permissions, modes, balances, fees, rates, open orders and positions."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.model.instruments import Instrument

from runtime.live.account import BinanceAccount, VenueOrder
from runtime.live.check_rows import Row, Verdict, go, no_go, warn
from runtime.live.environment import Environment
from runtime.live.prepare import PreparedLive
from runtime.live.rest import VenueError

_BPS: Final = 10_000
_TELLS_RIGHTS: Final = (Environment.REAL, Environment.LOCAL)
_WEIGHT_PER_MINUTE: Final = {True: 6_000, False: 2_400}
_OPEN_CHECK_WEIGHT: Final = {True: (0, 26), False: (40, 16)}
"""Of one look at the open orders: at all, and for each symbol. On futures conditional orders are looked at as well."""
_BOOKS_CHECK_WEIGHT: Final = {True: 46, False: 6}
_SHARE_FOR_CHECKS: Final = 0.5


class AccountChecks:
    """
    Asks about one account.

    Parameters
    ----------
    prepared : PreparedLive
        What is to be traded.
    account : BinanceAccount
        The account, with keys.
    instruments : sequence of Instrument
        What is traded, as the venue lists it; empty if it did not say.

    """

    def __init__(self, prepared: PreparedLive, account: BinanceAccount, instruments: Sequence[Instrument]) -> None:
        self._prepared = prepared
        self._account = account
        self._instruments = instruments
        self._answer: dict[str, Any] = {}

    def rows(self) -> list[Row]:
        """Return every row; what the venue refuses to say is a row that stops the start."""
        first = self._asked("account", self._permissions)
        if any(row.verdict is Verdict.NO_GO for row in first):
            return first
        rows = [*first, *self._asked("key", self._rights)]
        if not self._prepared.venue.spot:
            rows += self._asked("position mode", self._position_mode)
            rows += self._asked("leverage", self._leverage)
            rows += self._asked("positions", self._positions)
        rows += self._asked("balances", self._balances)
        rows += self._asked("fees", self._fees)
        rows += self._asked("open orders", self._open_orders)
        return [*rows, *self._rates()]

    def _asked(self, name: str, ask: Callable[[], Iterator[Row]]) -> list[Row]:
        try:
            return list(ask())
        except VenueError as error:
            return [no_go(name, "the venue says", str(error), "see what it says; the check asks again when repeated")]

    # -- What the account may -----------------------------------------------------------------------------------------

    def _permissions(self) -> Iterator[Row]:
        asked = "the key is known and may trade"
        self._answer = self._account.account()
        if self._answer.get("canTrade"):
            yield go("account", asked, "yes")
        else:
            yield no_go("account", asked, "canTrade is false", "allow trading for this key and account on Binance")

    def _rights(self) -> Iterator[Row]:
        """Ask what the key may do, and how fees are paid; Binance's test venues do not know."""
        if self._prepared.venue.environment not in _TELLS_RIGHTS or not self._prepared.venue.spot:
            return
        rights = self._account.rest.signed("GET", "/sapi/v1/account/apiRestrictions")
        asked = "it may not withdraw, and works from this address alone"
        if rights.get("enableWithdrawals"):
            yield warn("key", asked, "it may withdraw", "make a key without that right")
        elif not rights.get("ipRestrict"):
            yield warn("key", asked, "it works from any address", "restrict the key to this machine's address")
        else:
            yield go("key", asked, "yes")
        asked = "paid in what is traded"
        if self._account.rest.signed("GET", "/sapi/v1/bnbBurn").get("spotBNBBurn"):
            fix = "switch that off on Binance: the ledger cannot value them"
            yield no_go("fees in BNB", asked, "paid in BNB", fix)
        else:
            yield go("fees in BNB", asked, "yes")

    def _position_mode(self) -> Iterator[Row]:
        asked = "one-way: one position per symbol"
        if self._account.is_hedge_mode():
            yield no_go("position mode", asked, "hedge mode", "switch to one-way mode in the futures settings")
        else:
            yield go("position mode", asked, "one-way")

    def _leverage(self) -> Iterator[Row]:
        wanted = self._prepared.leverage
        found = self._account.leverages()
        asked = f"{wanted}x, as tested"
        for symbol in self._prepared.symbols:
            has = found.get(symbol, 0)
            if has == wanted:
                yield go("leverage", asked, f"{symbol}: {has}x")
            else:
                fix = f"set {symbol} to {wanted}x on the venue, or live.leverage to {has}"
                yield no_go("leverage", asked, f"{symbol}: {has}x", fix)

    # -- What is there ------------------------------------------------------------------------------------------------

    def _positions(self) -> Iterator[Row]:
        adopt = self._prepared.settings.positions_at_start == "adopt"
        asked = "none, or live.positions_at_start: adopt"
        held = {symbol: size for symbol, size in self._account.positions().items() if symbol in self._prepared.symbols}
        found = "; ".join(f"{size:f} {symbol}" for symbol, size in held.items())
        if not held:
            yield go("positions", asked, "none")
        elif adopt:
            yield warn("positions", asked, found, "they become the strategies' positions")
        else:
            yield no_go("positions", asked, found, "close them, or set live.positions_at_start: adopt")

    def _open_orders(self) -> Iterator[Row]:
        settings, owner = self._prepared.settings, self._prepared.owner
        orders = [order for symbol in self._prepared.symbols for order in self._account.open_orders(symbol)]
        ours = [order for order in orders if owner.owns(order.client_order_id)]
        others = [order for order in orders if not owner.owns(order.client_order_id)]
        if not orders:
            yield go("open orders", "none on the traded symbols", "none")
        if ours:
            asked = "no order of an earlier run is left"
            if settings.own_orders_at_start == "cancel":
                yield warn("open orders", asked, _listed(ours), "they are cancelled before trading starts")
            else:
                yield no_go("open orders", asked, _listed(ours), "cancel them, or set live.own_orders_at_start: cancel")
        if others:
            asked = "nobody else's orders on the traded symbols"
            if settings.other_orders_at_start == "ignore":
                yield warn("open orders", asked, _listed(others), "they are left alone")
            else:
                fix = "cancel them, use an account of its own, or set live.other_orders_at_start: ignore"
                yield no_go("open orders", asked, _listed(others), fix)

    def _balances(self) -> Iterator[Row]:
        held = self._account.balances(self._answer)
        needs = self._spot_needs() if self._prepared.venue.spot else self._margin_needs()
        for asset, (least, most, purpose) in needs.items():
            has = held.get(asset, Decimal(0))
            found, asked = f"{has:f} {asset}", f"{most.normalize():f} {asset} {purpose}"
            if has < least:
                yield no_go("balances", asked, found, f"at least {least.normalize():f} {asset} are needed to quote")
            elif has < most:
                yield warn("balances", asked, found, "quotes will be left out on that side when it runs out")
            else:
                yield go("balances", asked, found)

    def _spot_needs(self) -> dict[str, tuple[Decimal, Decimal, str]]:
        """Return by asset what one order needs, what all of the allowed inventory needs, and for what."""
        needs: dict[str, tuple[Decimal, Decimal, str]] = {}
        for instrument, first, most, mid in self._sizes():
            for asset, price, purpose in (
                (instrument.base_currency.code, Decimal(1), "to sell"),
                (instrument.quote_currency.code, mid, "to buy with"),
            ):
                least, all_of_it, _ = needs.get(asset, (Decimal(0), Decimal(0), ""))
                needs[asset] = (least + first * price, all_of_it + most * price, purpose)
        return needs

    def _margin_needs(self) -> dict[str, tuple[Decimal, Decimal, str]]:
        needs: dict[str, tuple[Decimal, Decimal, str]] = {}
        for instrument, first, most, mid in self._sizes():
            asset = instrument.settlement_currency.code
            least, all_of_it, _ = needs.get(asset, (Decimal(0), Decimal(0), ""))
            margin = mid / self._prepared.leverage
            needs[asset] = (least + first * margin, all_of_it + most * margin, "as margin")
        return needs

    def _sizes(self) -> Iterator[tuple[Instrument, Decimal, Decimal, Decimal]]:
        """Yield instrument, size of one order, largest inventory and mid of each strategy that has them."""
        by_id = {instrument.id: instrument for instrument in self._instruments}
        for strategy in self._prepared.loaded.strategies:
            config = strategy.config
            instrument = by_id.get(getattr(config, "instrument_id", None))
            if instrument is not None and hasattr(config, "order_qty") and hasattr(config, "max_position"):
                bid, ask = self._account.touch(instrument.raw_symbol.value)
                first, most = (Decimal(repr(size)) for size in (config.order_qty, config.max_position))
                yield instrument, first, most, ((bid + ask) / 2).quantize(instrument.price_increment.as_decimal())

    def _fees(self) -> Iterator[Row]:
        for instrument in self._instruments:
            tested = self._prepared.loaded.setup.backtest.fees
            maker = instrument.maker_fee * _BPS if tested.maker_bps is None else tested.maker_bps
            asked = f"{instrument.raw_symbol}: maker {maker.normalize():f} bps, as tested"
            found = self._account.fees(instrument.raw_symbol.value)
            words = f"maker {(found.maker * _BPS).normalize():f}, taker {(found.taker * _BPS).normalize():f} bps"
            if found.maker * _BPS > maker:
                yield warn("fees", asked, words, "backtest with these fees: backtest.fees")
            else:
                yield go("fees", asked, words)

    # -- What may be asked --------------------------------------------------------------------------------------------

    def _rates(self) -> Iterator[Row]:
        settings, spot = self._prepared.settings, self._prepared.venue.spot
        symbols = len(self._prepared.symbols)
        at_all, by_symbol = _OPEN_CHECK_WEIGHT[spot]
        looks = 60 / settings.reconcile_secs * (at_all + by_symbol * symbols)
        used = looks + 60 / settings.books_check_secs * _BOOKS_CHECK_WEIGHT[spot] * symbols
        allowed = _WEIGHT_PER_MINUTE[spot]
        asked = f"own checks use less than {_SHARE_FOR_CHECKS:.0%} of {allowed} a minute"
        found = f"about {used:.0f}; {self._account.rest.used_weight or 0} used in this minute"
        if used > allowed * _SHARE_FOR_CHECKS:
            yield no_go("rate limits", asked, found, "raise live.reconcile_secs and live.books_check_secs")
        else:
            yield go("rate limits", asked, found)


def _listed(orders: Sequence[VenueOrder]) -> str:
    shown = "; ".join(str(order) for order in orders[:5])
    return shown if len(orders) <= 5 else f"{shown}; and {len(orders) - 5} more"
