"""The synthetic market of `models.synthetic_market`, described by one struct and written to a catalog."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from nautilus_trader.model.instruments import Instrument
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.columns import BUYER, SELLER, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter, Written
from models.synthetic_market import MarketBlock, MarketModel, generate

NS_PER_HOUR = 3_600_000_000_000


class SyntheticMarket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A synthetic market; each field says its unit, and docs/synthetic-market.md what it means.

    The defaults are a market of 100 USDT with a tick of 1 bp, in which a maker that pays the ordinary fee of 2 bps
    and quotes about 3 bps from the mid earns a little or loses a little.
    """

    instruments: Annotated[tuple[str, ...], Meta(min_length=1, description="instrument ids, separated by commas")] = (
        "SYNUSDT-PERP.BINANCE",
    )
    start: Annotated[datetime, Meta(tz=True, description="UTC time of the first quote")] = datetime(
        2026, 1, 1, tzinfo=UTC
    )
    hours: Annotated[float, Meta(gt=0, le=8784, description="length in hours")] = 2.0
    seed: Annotated[int, Meta(ge=0, description="the same seed gives the same market")] = 1
    start_price: Annotated[float, Meta(gt=0, description="mid of every instrument at the start")] = 100.0
    sigma_bps_per_sqrt_s: Annotated[
        float, Meta(ge=0, le=100, description="volatility of the mid without impact and jumps, bps per sqrt(second)")
    ] = 0.8
    mean_reversion_half_life_secs: Annotated[
        float, Meta(ge=0, description="the mid halves its distance from the start in this time, seconds; 0 for never")
    ] = 0.0
    jumps_per_hour: Annotated[float, Meta(ge=0, le=36_000, description="jumps of the mid per hour")] = 0.0
    jump_size_bps: Annotated[float, Meta(ge=0, le=5_000, description="standard deviation of a jump, bps")] = 20.0
    quotes_per_s: Annotated[
        float, Meta(gt=0, le=10_000, description="quotes per second, besides one after each trade")
    ] = 8.0
    spread_ticks: Annotated[int, Meta(ge=1, le=10_000, description="ask minus bid, ticks")] = 4
    touch_qty: Annotated[float, Meta(gt=0, description="mean size at each side of the touch, base asset")] = 20.0
    order_qty: Annotated[float, Meta(gt=0, description="mean size of a market order, base asset")] = 5.0
    market_orders_per_s: Annotated[
        float, Meta(ge=0, le=10_000, description="A, the rate of market orders on each side, per second")
    ] = 0.3
    depth_decay_per_bps: Annotated[
        float, Meta(gt=0, le=1_000, description="k, the decay of the flow with depth, per bp of the start price")
    ] = 0.35
    informed_pct: Annotated[
        float, Meta(ge=0, le=100, description="share of market orders that move the mid for good, per cent")
    ] = 40.0
    impact_bps: Annotated[float, Meta(ge=0, le=1_000, description="how far each of those moves it, bps")] = 2.0
    hedge_ratio: Annotated[
        float, Meta(gt=0, le=100, description="log-price loading of the other instruments on the first")
    ] = 1.0
    pair_sigma_bps: Annotated[
        float, Meta(ge=0, le=5_000, description="standard deviation of the others' distance from it, bps")
    ] = 10.0
    pair_half_life_secs: Annotated[float, Meta(gt=0, description="half-life of that distance, seconds")] = 600.0


def checked_market(values: dict[str, object]) -> SyntheticMarket:
    """
    Return the market that these values describe.

    Raises
    ------
    BadInput
        If a name is unknown, or a value has the wrong type or is out of its bounds.

    """
    try:
        market = msgspec.convert(values, SyntheticMarket)
    except msgspec.ValidationError as error:
        problem, _, key = str(error).partition(" - at `$.")
        raise BadInput(problem, key=key.rstrip("`") or None) from error
    repeated = {name for name in market.instruments if market.instruments.count(name) > 1}
    if repeated:
        raise BadInput(f"{', '.join(sorted(repeated))} was given more than once", key="instruments")
    return market


def market_model(market: SyntheticMarket) -> MarketModel:
    """Return the laws of the market for its instruments' ticks; BadInput for an unknown instrument."""
    ticks = tuple(float(find_instrument(name).price_increment) for name in market.instruments)
    shared = {name: getattr(market, name) for name in MarketModel.__slots__ if name != "ticks"}
    return MarketModel(ticks=ticks, **shared)


def write_synthetic_market(
    catalog: Path,
    market: SyntheticMarket,
    *,
    replace: bool = False,
    progress: Callable[[float], None] = lambda hours: None,
) -> list[Written]:
    """
    Generate the market and write its instruments, quotes and trades to a catalog: all of it or nothing.

    Parameters
    ----------
    catalog : Path
        The catalog's folder; made when it does not exist.
    market : SyntheticMarket
        What to generate.
    replace : bool
        Whether stored data of the same instruments and time is replaced.
    progress : callable
        Called with the hours of market written so far.

    Returns
    -------
    list of Written
        Quotes and trades of each instrument; `unchanged` where the catalog holds this very market.

    Raises
    ------
    BadInput
        If a parameter is out of bounds, an instrument is unknown, a price falls below one tick, or the catalog holds
        other data of that time and `replace` is false.

    """
    market = checked_market(msgspec.to_builtins(market))
    model = market_model(market)
    instruments = [find_instrument(name) for name in market.instruments]
    origin = Origin("synthetic", notes=_notes(market))
    start_ns = round(market.start.timestamp()) * 1_000_000_000
    next_trade_ids = [1 for _ in instruments]
    with CatalogWriter(catalog, replace=replace) as writer:
        for blocks in _generate(model, market):
            for i, (instrument, block) in enumerate(zip(instruments, blocks, strict=True)):
                writer.instrument(instrument)
                writer.quotes(instrument, _quotes(block, instrument, start_ns), origin)
                writer.trades(instrument, _trades(block, instrument, start_ns, next_trade_ids[i]), origin)
                next_trade_ids[i] += len(block.trade_time_ns)
            if len(blocks[0].quote_time_ns):
                progress(int(blocks[0].quote_time_ns[-1]) / NS_PER_HOUR)
    return writer.results


def _generate(model: MarketModel, market: SyntheticMarket) -> Iterator[list[MarketBlock]]:
    try:
        yield from generate(model, market.hours * 3600.0, market.seed)
    except ValueError as error:
        raise BadInput(f"this market cannot be: {error}") from error


def _quotes(block: MarketBlock, instrument: Instrument, start_ns: int) -> Quotes:
    per_tick, time = _counts_per_tick(instrument), start_ns + block.quote_time_ns
    return Quotes(
        bid_price=block.bid_ticks * per_tick,
        ask_price=block.ask_ticks * per_tick,
        bid_size=_whole_lots(block.bid_qty, instrument),
        ask_size=_whole_lots(block.ask_qty, instrument),
        ts_event=time,
        ts_init=time,
    )


def _trades(block: MarketBlock, instrument: Instrument, start_ns: int, first_id: int) -> Trades:
    time = start_ns + block.trade_time_ns
    return Trades(
        price=block.trade_ticks * _counts_per_tick(instrument),
        size=_whole_lots(block.trade_qty, instrument),
        aggressor=np.where(block.buyer, BUYER, SELLER).astype(np.uint8),
        trade_id=np.arange(first_id, first_id + len(time)),
        ts_event=time,
        ts_init=time,
    )


def _counts_per_tick(instrument: Instrument) -> int:
    return int(instrument.price_increment.as_decimal().scaleb(instrument.price_precision))


def _whole_lots(quantity: NDArray[np.float64], instrument: Instrument) -> NDArray[np.int64]:
    """Return sizes as counts of the last decimal, in whole steps and at least one."""
    step = int(instrument.size_increment.as_decimal().scaleb(instrument.size_precision))
    lots = np.rint(quantity / float(instrument.size_increment)).astype(np.int64)
    return np.asarray(np.maximum(lots, 1) * step)


def _notes(market: SyntheticMarket) -> dict[str, int | float | str]:
    return {
        name: value if isinstance(value, int | float) else ",".join(value) if isinstance(value, tuple) else f"{value}"
        for name, value in msgspec.structs.asdict(market).items()
    }
