"""What a setup file says: one trading system, and how a backtest of it is wired."""

import hashlib
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from runtime.live.settings import LiveSettings
from runtime.risk.settings import RiskSettings
from runtime.setup.tree import plain

type FillAssumptionName = Literal["optimistic", "queue", "queue_latency", "pessimistic"]
type DataType = Literal["quotes", "trades"]
type FundingSetting = Literal["catalog", "none"] | ConstantFunding

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of every section of a setup: a key that is not known is refused."""


class Component(Part, frozen=True, kw_only=True):
    """
    A strategy or an actor.

    Parameters
    ----------
    path : str
        Module and class, such as `strategies.avellaneda_stoikov:AvellanedaStoikov`.
    config : dict
        The values of the class's own configuration.

    """

    path: Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    config: dict[str, Any] = {}


class LedgerSettings(Part, frozen=True, kw_only=True):
    """
    How the ledger keeps its books.

    Parameters
    ----------
    interval_secs : int, default 10
        Market time between two points of the equity curve, in seconds.
    currency : str, optional
        The currency that everything is valued in; the quote currency of the instruments where left out.

    """

    interval_secs: Annotated[int, Meta(ge=1, le=86_400)] = 10
    currency: str | None = None


class Fees(Part, frozen=True, kw_only=True):
    """
    What the venue charges per fill, in basis points of the traded value; a rebate is negative.

    Parameters
    ----------
    maker_bps, taker_bps : Decimal, optional
        The venue's ordinary tier where left out.
    paid_in : {"received", "quote"}, default "received"
        On spot, Binance takes its fee from the asset that is received: the base asset of a buy. With "quote" it is
        always the quote currency. Futures always pay in the quote currency.

    """

    maker_bps: Decimal | None = None
    taker_bps: Decimal | None = None
    paid_in: Literal["received", "quote"] = "received"


class Latency(Part, frozen=True, kw_only=True):
    """
    Milliseconds from the decision until the venue acts on it; used by the fill assumptions that have latency.

    Parameters
    ----------
    insert_ms, modify_ms, cancel_ms : int, default 50
        For a new order, a change of price or quantity, and a cancellation.

    """

    insert_ms: Annotated[int, Meta(ge=0, le=60_000)] = 50
    modify_ms: Annotated[int, Meta(ge=0, le=60_000)] = 50
    cancel_ms: Annotated[int, Meta(ge=0, le=60_000)] = 50


class ConstantFunding(Part, frozen=True, kw_only=True):
    """
    Funding at a rate that the setup states.

    Parameters
    ----------
    rate_bps : Decimal
        What a long position pays at each funding time, in basis points of its value; negative when it receives.
    interval_hours : int, default 8
        Hours between two funding times, counted from midnight UTC.

    """

    rate_bps: Decimal
    interval_hours: Literal[1, 2, 4, 8] = 8


class MarginSettings(Part, frozen=True, kw_only=True):
    """
    Futures only: when the venue refuses orders for want of margin, and when it liquidates.

    Parameters
    ----------
    mode : {"cross", "isolated"}, default "cross"
        Whether all of the account stands for every position, or only a position's own margin.
    maintenance_pct : Decimal, default 1
        The maintenance margin, in percent of the position's value at any size; the first tier of most perpetuals.
    liquidation_fee_pct : Decimal, default 1.25
        What a liquidation costs, in percent of the value that is closed.

    """

    mode: Literal["cross", "isolated"] = "cross"
    maintenance_pct: Decimal = Decimal(1)
    liquidation_fee_pct: Decimal = Decimal("1.25")

    def __post_init__(self) -> None:
        for name in ("maintenance_pct", "liquidation_fee_pct"):
            if not 0 <= getattr(self, name) < 100:
                raise ValueError(f"{name}: was {getattr(self, name)}, expected a percentage from 0 to below 100")


class BacktestSettings(Part, frozen=True, kw_only=True):
    """
    How a backtest of the setup is wired.

    Parameters
    ----------
    catalog : str, default "catalog"
        The folder of the Parquet catalog, relative to the working directory. "synthetic" is the embedded market, which
        is generated when it is first needed.
    synthetic : dict
        With `catalog: synthetic`, what of the embedded market is different, such as `{hours: 24, seed: 2}`; see
        docs/synthetic-market.md. Its instruments are those of the setup.
    data : tuple of str
        The data types to replay: quotes, and trades where the fills of resting orders are to count on them.
    start, end : str, optional
        UTC times (ISO 8601); all of the data where left out.
    starting_balances : tuple of str
        Such as `10_000 USDT`; on spot every asset that is held.
    fees : Fees
        The venue's fees.
    fills : str, default "queue_latency"
        The fill assumption, from kind to cruel: optimistic, queue, queue_latency, pessimistic.
    latency : Latency
        How long orders travel.
    leverage : int, default 10
        Futures only: the leverage of the account.
    funding : "catalog", "none" or ConstantFunding, default "catalog"
        Perpetuals only: the rates that are paid at the funding times. "catalog" takes those of the catalog and warns
        where it has none; a mapping such as `{rate_bps: 1, interval_hours: 8}` assumes one.
    margin : MarginSettings
        Futures only: margin and liquidation.
    oms_type : {"NETTING"}
        How positions are kept: one per instrument, as Binance's one-way mode does.
    seed : int, default 1
        Seeds every random choice of the run.
    accept_data_because : str, optional
        Why data that the quality gate refuses are good enough; a run with it says so wherever it is shown.

    """

    catalog: str = "catalog"
    synthetic: dict[str, Any] = {}
    data: Annotated[tuple[DataType, ...], Meta(min_length=1)] = ("quotes", "trades")
    start: str | None = None
    end: str | None = None
    starting_balances: Annotated[tuple[str, ...], Meta(min_length=1)]
    fees: Fees = Fees()
    fills: FillAssumptionName = "queue_latency"
    latency: Latency = Latency()
    leverage: Annotated[int, Meta(ge=1, le=125)] = 10
    funding: FundingSetting = "catalog"
    margin: MarginSettings = MarginSettings()
    oms_type: Literal["NETTING"] = "NETTING"
    seed: Annotated[int, Meta(ge=0)] = 1
    accept_data_because: Annotated[str, Meta(min_length=10, max_length=500)] | None = None

    def __post_init__(self) -> None:
        if "quotes" not in self.data:
            raise ValueError("data: has no quotes, and without them nothing can be valued")
        if self.margin.maintenance_pct * self.leverage >= 100:
            most = f"a leverage of {self.leverage} leaves an initial margin of {Decimal(100) / self.leverage:.3g} %"
            raise ValueError(f"leverage: {most}, no more than the maintenance margin {self.margin.maintenance_pct} %")


class NamedFile(Part, frozen=True, kw_only=True):
    """
    What a file says that `run_backtest.py` takes.

    Parameters
    ----------
    name : str
        Names the folder of its results.
    description : str
        One sentence for people.

    """

    name: Annotated[str, Meta(pattern=NAME_PATTERN, max_length=80)]
    description: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it with every default filled in, as JSON types."""
        builtins: dict[str, Any] = plain(msgspec.to_builtins(self, builtin_types=(Decimal,)))
        return builtins

    def sha256(self) -> str:
        """Return the hash that names it: two files that say the same have the same."""
        return hashlib.sha256(msgspec.json.encode(self.as_dict(), order="sorted")).hexdigest()


class Setup(NamedFile, frozen=True, kw_only=True):
    """
    One trading system.

    Parameters
    ----------
    instruments : tuple of str
        What it trades, such as `NEXOUSDT.BINANCE` (spot) or `BTCUSDT-PERP.BINANCE` (USD-M perpetual).
    strategies, actors : tuple of Component
        The same objects in backtest and live.
    ledger : LedgerSettings
        How the books are kept.
    risk : RiskSettings, optional
        The limits of orders and losses; without it there is no risk control at all.
    backtest : BacktestSettings
        How a backtest is wired.
    live : LiveSettings
        How live trading is wired.

    """

    instruments: Annotated[tuple[str, ...], Meta(min_length=1)]
    strategies: Annotated[tuple[Component, ...], Meta(min_length=1)]
    actors: tuple[Component, ...] = ()
    ledger: LedgerSettings = LedgerSettings()
    risk: RiskSettings | None = None
    backtest: BacktestSettings
    live: LiveSettings = LiveSettings()
