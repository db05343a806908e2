"""Pictures of what the quoting base makes of a model's prices: sizes, limits, levels, skews and bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import numpy as np
from nautilus_trader.model.objects import Money
from of_models import KAPPA
from svg import BLUE, GREEN, GREY, ORANGE, RED, Line, Note, Panel, picture, steps

from data_catalog.instruments import find_instrument
from models.market_making.avellaneda_stoikov import finite_horizon_quotes
from models.market_making.fixed_spread import fixed_spread_quotes
from models.market_making.quote_plan import Quote, Side, WorkingOrder
from strategies.grid import Grid
from strategies.inventory import SpotInventory
from strategies.quote_shaping import QuoteShaper
from strategies.quoting_config import QuotingConfig

BITCOIN = find_instrument("BTCUSDT-PERP.BINANCE")
MID = 600_000.0
"""60,000 USDT in ticks: fine enough for smooth lines."""
TOUCH = (599_999, 600_001)
HELD = "inventory (BTC)"


def pictures() -> dict[str, str]:
    """Return the pictures of this module by name."""
    return {
        "size-and-limit": size_and_limit(),
        "target": target(),
        "ladder": ladder(),
        "spread-bounds": spread_bounds(),
        "price-skew": price_skew(),
        "size-skew": size_skew(),
    }


@dataclass
class Held:
    """An inventory that is what it is told to be."""

    lots: int
    is_spot: bool = False
    target: Decimal | None = None

    def refresh(self) -> None:
        """Stay."""

    def aim_at(self, target: Decimal) -> None:
        """Stay."""

    def retarget(self, weight: Decimal, price: Decimal) -> None:
        """Stay."""

    def affordable_lots(self, side: Side, price_ticks: int, own_orders: Sequence[WorkingOrder]) -> int:
        """Return more than anybody wants."""
        return 10**9


def _quotes(held: float, half_spread_bps: float = 5.0, **values: Any) -> list[Quote]:
    """Return the quotes of a fixed-spread maker of 0.02 BTC a side and at most 0.1, which holds `held` BTC."""
    config = QuotingConfig(instrument_id=BITCOIN.id, **({"order_qty": 0.02, "max_position": 0.1} | values))
    grid = Grid.of(BITCOIN, config)
    shaper = QuoteShaper(config, grid, Held(round(held / float(grid.step))))
    prices = fixed_spread_quotes(MID, MID * half_spread_bps * 1e-4)
    return shaper.quotes(prices, TOUCH, shaper.default_size_factors(), ())


def _size(quotes: Sequence[Quote], side: Side) -> float:
    return sum(quote.quantity for quote in quotes if quote.side is side) * float(BITCOIN.size_increment)


def _bps(quotes: Sequence[Quote], side: Side) -> float:
    return next(((quote.price / MID - 1) * 1e4 for quote in quotes if quote.side is side), float("nan"))


def size_and_limit() -> str:
    """Draw the sizes of both sides by inventory."""
    held = [i / 1000 for i in range(-120, 121)]
    panels = []
    for side, name, colour in ((Side.BID, "Bid", BLUE), (Side.ASK, "Ask", RED)):
        lines = [
            Line(held, [_size(_quotes(h, order_qty=quantity), side) for h in held], shade, f"order_qty {quantity}")
            for quantity, shade in ((0.02, colour), (0.05, ORANGE))
        ]
        panels.append(Panel(f"{name} with max_position 0.1", HELD, "size of the quote (BTC)", lines, y_range=(0, 0.06)))
    return picture("Sizes of bid and ask by inventory, with a limit", panels, 300)


class _Balances:
    """The three calls that a spot inventory makes to the engine's books."""

    def __init__(self, base: float, quote: float) -> None:
        self._held = {"NEXO": base, "USDT": quote}
        self.portfolio = self

    def account(self, venue: object) -> "_Balances":
        return self

    def balance_total(self, currency: Any) -> Money:
        return Money(self._held[currency.code], currency)


def target() -> str:
    """Draw what the inventory is counted from: a quantity, or a share of the account."""
    spot = find_instrument("NEXOUSDT.BINANCE")
    held = list(range(3000, 5001, 25))
    shifts = []
    for wanted, colour in ((4000, BLUE), (3700, RED)):
        config = QuotingConfig(
            instrument_id=spot.id, order_qty=50, max_position=500, target_base_qty=wanted, inventory_skew_bps=8
        )
        grid = Grid.of(spot, config)
        inventories = [SpotInventory(cast("Any", _Balances(h, 5000)), spot, grid, Decimal(wanted)) for h in held]
        shift = [-QuoteShaper(config, grid, i).price_shift(1.0) * 1e4 for i in inventories]
        shifts.append(Line(held, shift, colour, f"{wanted:,}"))
    prices = np.linspace(0.6, 2.4, 73).tolist()
    weights = []
    for weight, colour in ((70, GREEN), (50, BLUE), (30, RED)):
        targets = []
        for price in prices:
            inventory = SpotInventory(cast("Any", _Balances(4000, 5000)), spot, grid, Decimal(0))
            inventory.retarget(Decimal(weight) / 100, Decimal(repr(price)))
            targets.append(4000 - inventory.lots * float(grid.step))
        weights.append(Line(prices, targets, colour, f"{weight} %"))
    weights.append(Line(prices, [4000] * len(prices), GREY, "held", "dashed"))
    panels = [
        Panel("target_base_qty", "NEXO held", "bps that the skew moves both quotes", shifts),
        Panel("target_weight_pct", "price of NEXO (USDT)", "NEXO wanted", weights),
    ]
    return picture("What counts as no inventory", panels)


def ladder() -> str:
    """Draw three ladders: one level, three equal ones, five that grow."""
    choices: tuple[dict[str, Any], ...] = (
        {},
        {"order_levels": 3, "level_spacing_bps": 2.0},
        {"order_levels": 5, "level_spacing_bps": 1.0, "level_qty_step": 0.01},
    )
    titles = ("1 level", "3 levels, spacing 2", "5 levels, step 0.01")
    panels = []
    for values, title in zip(choices, titles, strict=True):
        quotes = _quotes(0.0, 3.0, max_position=0.5, **values)
        lines = []
        for side, colour, name in ((Side.ASK, RED, "ask"), (Side.BID, BLUE, "bid")):
            of_side = [quote for quote in quotes if quote.side is side]
            sizes = [_size([quote], side) for quote in of_side]
            lines.append(Line(sizes, [_bps([quote], side) for quote in of_side], colour, name, "bar"))
        panels.append(Panel(title, "size (BTC)", "bps from the mid", lines, (), (0, 0.07), (-8.5, 8.5)))
    return picture("Ladders of one, three and five levels", panels, 340)


def spread_bounds() -> str:
    """Draw the spread of a model by volatility, within bounds."""
    sigmas = np.linspace(0.2, 4, 77).tolist()
    lines = []
    for low, high, colour, kind in ((0.0, 0.0, GREY, "dashed"), (16.0, 30.0, BLUE, "line")):
        config = QuotingConfig(
            instrument_id=BITCOIN.id, order_qty=0.02, max_position=0.1, min_spread_bps=low, max_spread_bps=high
        )
        shaper = QuoteShaper(config, Grid.of(BITCOIN, config), Held(0))
        widths = []
        for sigma in sigmas:
            bid, ask = finite_horizon_quotes(0, 0, 0.006, sigma, KAPPA, 300)
            prices = MID * (1 + bid * 1e-4), MID * (1 + ask * 1e-4)
            quotes = shaper.quotes(prices, TOUCH, (1.0, 1.0), ())
            widths.append(_bps(quotes, Side.ASK) - _bps(quotes, Side.BID))
        label = f"min_spread_bps {low:g}, max_spread_bps {high:g}" if high else "without bounds"
        lines.append(Line(sigmas, widths, colour, label, kind))  # type: ignore[arg-type]
    panel = Panel("Avellaneda-Stoikov within bounds", "volatility (bps per √second)", "bps from bid to ask", lines)
    return picture("Spread by volatility with and without bounds", [panel], 300)


def price_skew() -> str:
    """Draw the quotes by inventory for three skews of price."""
    held = [i / 1000 for i in range(-100, 101, 2)]
    lines = []
    for skew, colour in ((0.0, GREY), (2.0, BLUE), (6.0, RED)):
        quotes = [_quotes(h, inventory_skew_bps=skew) for h in held]
        lines.append(Line(held, [_bps(q, Side.ASK) for q in quotes], colour, f"inventory_skew_bps {skew:g}"))
        lines.append(Line(held, [_bps(q, Side.BID) for q in quotes], colour, kind="dashed"))
    note = [Note(-0.098, -10.5, "solid: ask, dashed: bid")]
    panel = Panel("Half-spread 5 bps, max_position 0.1", HELD, "bps from the mid", lines, note, y_range=(-12, 12))
    return picture("Quotes by inventory with three price skews", [panel])


def size_skew() -> str:
    """Draw the sizes by inventory for three skews of size."""
    held = [i / 1000 for i in range(-100, 101)]
    panels = []
    for side, name in ((Side.BID, "Bid"), (Side.ASK, "Ask")):
        lines = []
        for skew, colour in ((0.0, GREY), (0.5, BLUE), (1.0, RED)):
            sizes = [_size(_quotes(h, inventory_size_skew=skew), side) for h in held]
            xs, ys = steps(held, sizes)
            lines.append(Line(xs, ys, colour, f"{skew:g}"))
        panels.append(Panel(f"{name} by inventory_size_skew", HELD, "size (BTC)", lines, y_range=(0, 0.025)))
    return picture("Sizes by inventory with three size skews", panels, 300)
