"""
Instruments built offline from Binance's exchangeInfo answers (spot and USD-M futures).

The ids are those of Nautilus's Binance adapter: `NEXOUSDT.BINANCE` on spot, `BTCUSDT-PERP.BINANCE` for a USD-M
perpetual. Prices and sizes have the decimals of the tick and the step. exchangeInfo states no fees, so instruments
carry the venue's ordinary tier; a setup may state others.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from pathlib import Path

from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Instrument
from nautilus_trader.model.objects import Currency, Money, Price, Quantity

from bad_input import BadInput, nearest_name
from data_catalog.exchange_info import Filter, SymbolInfo, read_exchange_info

SPOT_MAKER_FEE = Decimal("0.001")
SPOT_TAKER_FEE = Decimal("0.001")
USDM_MAKER_FEE = Decimal("0.0002")
USDM_TAKER_FEE = Decimal("0.0005")

DEFINITIONS = Path(__file__).parent / "definitions"

_SYNTHETIC_ID = re.compile(r"(?P<symbol>SYN[A-Z]?USDT)-PERP\.BINANCE")
_CRYPTO_DECIMALS = 8


def find_instrument(instrument_id: str, exchange_info_file: Path | None = None) -> Instrument:
    """
    Return the instrument with this id.

    Parameters
    ----------
    instrument_id : str
        Such as `NEXOUSDT.BINANCE` (spot), `BTCUSDT-PERP.BINANCE` (USD-M) or `SYNUSDT-PERP.BINANCE` (synthetic).
    exchange_info_file : Path, optional
        A saved exchangeInfo answer, searched before the project's own definitions.

    Raises
    ------
    BadInput
        If the id is unknown or the file cannot be used.

    """
    return find_instruments([instrument_id], exchange_info_file)[0]


def find_instruments(instrument_ids: Sequence[str], exchange_info_file: Path | None = None) -> list[Instrument]:
    """
    Return the instruments with these ids, in this order; as `find_instrument`, for many.

    Raises
    ------
    BadInput
        If an id is unknown or the file cannot be used; says of how many the definition is missing.

    """
    known: dict[str, tuple[SymbolInfo, Path]] = {}
    for path in (DEFINITIONS / "spot.json", DEFINITIONS / "usdm.json", exchange_info_file):
        if path is not None:
            known |= {id_: (info, path) for id_, info in read_exchange_info(path).items()}
    synthetic = {id_: match["symbol"] for id_ in instrument_ids if (match := _SYNTHETIC_ID.fullmatch(id_))}
    unknown = [id_ for id_ in instrument_ids if id_ not in known and id_ not in synthetic]
    if len(unknown) > 1:
        raise BadInput(
            f'no definition of {len(unknown)} of {len(instrument_ids)} instruments, such as "{unknown[0]}"',
            file=exchange_info_file,
            hint="save Binance's exchangeInfo answer and give it by --exchange-info FILE",
        )
    if unknown:
        raise BadInput(
            f'no definition of instrument "{unknown[0]}"',
            file=exchange_info_file,
            hint=nearest_name(unknown[0], [*known, "SYNUSDT-PERP.BINANCE"])
            or "ids look like NEXOUSDT.BINANCE (spot) or BTCUSDT-PERP.BINANCE; give others by --exchange-info FILE",
        )
    return [
        build_instrument(*known[id_]) if id_ in known else synthetic_perpetual(synthetic[id_]) for id_ in instrument_ids
    ]


def synthetic_perpetual(
    symbol: str,
    price_precision: int = 2,
    size_precision: int = 3,
    min_notional: Decimal = Decimal(5),
) -> CryptoPerpetual:
    """
    Return a made-up USD-M perpetual whose tick and step are one unit of the last decimal.

    Parameters
    ----------
    symbol : str
        Ends with USDT, such as `SYNUSDT`; the id becomes `SYNUSDT-PERP.BINANCE`.
    price_precision, size_precision : int
        Decimals of price and size.
    min_notional : Decimal
        The least value of an order, in USDT.

    Raises
    ------
    BadInput
        If `symbol` does not end with USDT.

    """
    base = symbol.removesuffix("USDT")
    if not base or base == symbol:
        raise BadInput(f'synthetic symbol "{symbol}" was expected to end with USDT')
    tick, step = Decimal(1).scaleb(-price_precision), Decimal(1).scaleb(-size_precision)
    info = SymbolInfo(
        symbol=symbol,
        baseAsset=base,
        quoteAsset="USDT",
        marginAsset="USDT",
        contractType="PERPETUAL",
        filters=[
            Filter("PRICE_FILTER", tickSize=f"{tick:f}", minPrice=f"{tick:f}", maxPrice="10000000"),
            Filter("LOT_SIZE", stepSize=f"{step:f}", minQty=f"{step:f}", maxQty="1000000"),
            Filter("MIN_NOTIONAL", notional=f"{min_notional:f}"),
        ],
    )
    return build_instrument(info, None)


def currency(code: str) -> Currency:
    """Return the currency with this code, registered as a crypto currency with 8 decimals when it is new."""
    known = Currency.from_internal_map(code)
    if known is None:
        known = Currency(code, _CRYPTO_DECIMALS, 0, code, CurrencyType.CRYPTO)
        Currency.register(known)
    return known


def build_instrument(info: SymbolInfo, source: Path | None = None) -> CurrencyPair | CryptoPerpetual:
    """
    Return the instrument that exchangeInfo describes.

    Raises
    ------
    BadInput
        If the tick, the step or a limit is missing or cannot be used; it names `source`.

    """
    try:
        rules = _rules(info)
    except (KeyError, InvalidOperation, ValueError) as error:
        raise BadInput(f"filters of {info.symbol} cannot be used ({error!r})", file=source) from error
    common = rules | {
        "instrument_id": InstrumentId.from_str(info.instrument_id),
        "raw_symbol": Symbol(info.symbol),
        "base_currency": currency(info.baseAsset),
        "quote_currency": currency(info.quoteAsset),
        "ts_event": 0,
        "ts_init": 0,
    }
    if info.contractType is None:
        # The adapter builds spot pairs with lot_size = step and no margin.
        fees = {"maker_fee": SPOT_MAKER_FEE, "taker_fee": SPOT_TAKER_FEE}
        return CurrencyPair(
            lot_size=rules["size_increment"], margin_init=Decimal(0), margin_maint=Decimal(0), **fees, **common
        )
    # A margin of 1 makes the initial margin notional / leverage, as on the exchange; the adapter does the same.
    return CryptoPerpetual(
        settlement_currency=currency(info.marginAsset or info.quoteAsset),
        is_inverse=False,
        margin_init=Decimal(1),
        margin_maint=Decimal(1),
        maker_fee=USDM_MAKER_FEE,
        taker_fee=USDM_TAKER_FEE,
        **common,
    )


def _rules(info: SymbolInfo) -> dict[str, Price | Quantity | Money | int | None]:
    by_type = {item.filterType: item for item in info.filters}
    price, lot = by_type["PRICE_FILTER"], by_type["LOT_SIZE"]
    notional = by_type.get("NOTIONAL") or by_type.get("MIN_NOTIONAL")
    tick, step = _increment(price.tickSize), _increment(lot.stepSize)
    min_notional = (notional.minNotional or notional.notional) if notional else None
    return {
        "price_precision": _decimals(tick),
        "size_precision": _decimals(step),
        "price_increment": Price.from_str(f"{tick:f}"),
        "size_increment": Quantity.from_str(f"{step:f}"),
        "min_price": Price.from_str(low) if (low := _limit(price.minPrice, tick, ROUND_CEILING)) else None,
        "max_price": Price.from_str(high) if (high := _limit(price.maxPrice, tick, ROUND_FLOOR)) else None,
        "min_quantity": Quantity.from_str(low) if (low := _limit(lot.minQty, step, ROUND_CEILING)) else None,
        "max_quantity": Quantity.from_str(high) if (high := _limit(lot.maxQty, step, ROUND_FLOOR)) else None,
        "max_notional": None,
        "min_notional": Money(Decimal(min_notional), currency(info.quoteAsset)) if min_notional else None,
    }


def _increment(text: str | None) -> Decimal:
    """Return a tick or step without trailing zeros: "0.00100000" has three decimals."""
    value = Decimal(text or "0").normalize()
    if not value > 0:
        raise ValueError(f"tick or step was {text!r}, expected a positive number")
    return value


def _decimals(increment: Decimal) -> int:
    return max(0, -int(increment.as_tuple().exponent))


def _limit(text: str | None, increment: Decimal, rounding: str) -> str | None:
    """Return a price or size limit on the grid as text; the exchange's 0 means no limit."""
    value = Decimal(text or "0")
    if value == 0:
        return None
    on_grid = (value / increment).to_integral_value(rounding) * increment
    return f"{on_grid.quantize(increment):f}"
