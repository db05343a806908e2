"""The ledger: what was traded, what it earned and why, on fills and timers, in backtest and live alike."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.instruments import Instrument

from actors.account_reading import AccountReader, Holdings
from actors.books import Books, Owner, sum_exactly
from actors.due_list import DueList
from actors.fill_reader import FillReader
from actors.kept_books import EarlierBooks, Entry, Keeper, Opening, Transfer
from actors.ledger_records import MARKOUT_HORIZONS_SECS, EquityPoint, FillRecord, PositionPoint
from actors.marking import Marking, Marks
from actors.order_trace import Messages
from actors.touches import Touches
from messages.ledger import (
    CHARGE_TOPIC,
    EQUITY_TOPIC,
    FUNDING_TOPIC,
    SAMPLE_TOPIC,
    AccountCharged,
    EquityMark,
    FundingPaid,
)
from messages.trading import PAIR_TOPIC, QUOTING_TOPIC, REBALANCE_TOPIC, PairTraded, QuotingSample, Rebalanced
from models.attribution import EXACT, Parts, PositionLedger

_SECOND_NS: Final = 1_000_000_000
_GRID: Final = "ledger-grid"
_BOOKING: Final = 0
"""The horizon at which a fill is booked: its own time, when all market data of that moment have been seen."""
_NOTICED: Final = Decimal("0.01")
"""Cash that differs by less is rounding: the venue rounds each fee and each average price."""


class LedgerConfig(ActorConfig, frozen=True, kw_only=True):
    """
    What the ledger books.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        The instruments; all are quoted in `currency`.
    currency : str
        The currency that everything is valued in.
    interval_secs : int, default 10
        The grid of the equity curve, in seconds of market time.

    """

    instrument_ids: tuple[InstrumentId, ...]
    currency: str
    interval_secs: PositiveInt = 10


class Ledger(Actor):
    """
    Books fills, fees and positions, and marks them to the mid on a grid of time.

    Equity is the balance of `currency` plus everything held, valued at the mid: spot balances and positions alike. A
    fill is booked when the market data of its own moment have been seen, so that its mid is the last one at or before
    the fill. Nothing is done on ticks but to find the first mid of each instrument, where the books open.
    """

    keeper: Keeper | None = None
    """Keeps the books beyond this process; nobody does in a backtest."""
    earlier: EarlierBooks | None = None
    """The books of a process that was killed: these go on with them."""
    entry_prices: Mapping[str, Decimal] = MappingProxyType({})
    """By instrument: the venue's average price of the position that is held already; the engine's own is a guess."""

    def __init__(self, config: LedgerConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self.fills: list[FillRecord] = []
        self.equity_curve: list[EquityPoint] = []
        self.position_points: list[PositionPoint] = []
        self.samples: dict[Owner, QuotingSample] = {}
        self.rebalances: list[Rebalanced] = []
        self.pair_trades: list[PairTraded] = []
        self.funding: list[FundingPaid] = []
        self.charges: list[AccountCharged] = []
        self.messages = Messages(Counter(), Counter())
        self._instruments: dict[str, Instrument] = {}
        self._waiting: set[InstrumentId] = set()
        self._seen: set[tuple[InstrumentId, TradeId]] = set()
        self._books = Books()
        self._shown: dict[str, QuotingSample] = {}

    @property
    def is_open(self) -> bool:
        """Whether every instrument has had a mid, so that equity is known."""
        return bool(self.equity_curve)

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Listen to fills, and to quotes until each instrument has had its first."""
        self._touches = Touches(self.cache, self.config.instrument_ids)
        self._fill_reader = FillReader(self.cache, self._instruments)
        self._due = DueList(self.clock, self._settle)
        for instrument_id in self.config.instrument_ids:
            instrument = self.cache.instrument(instrument_id)
            if instrument is None:
                raise RuntimeError(f"the ledger knows no instrument {instrument_id}")
            self._instruments[instrument_id.value] = instrument
            self._waiting.add(instrument_id)
            self.msgbus.subscribe(f"events.fills.{instrument_id}", self._on_fill)
            self.subscribe_quote_ticks(instrument_id)
        self._marking = Marking(self._books, self._touches, self._instruments)
        self._fill_reader.listen(self.msgbus)
        self.msgbus.subscribe(QUOTING_TOPIC, self._on_quoting_sample)
        self.msgbus.subscribe(REBALANCE_TOPIC, self.rebalances.append)
        self.msgbus.subscribe(PAIR_TOPIC, self.pair_trades.append)
        self.msgbus.subscribe(FUNDING_TOPIC, self._on_funding)
        self.msgbus.subscribe(CHARGE_TOPIC, self._on_charge)

    def handle_quote_tick(self, tick: QuoteTick, historical: bool = False) -> None:
        """
        Open the books once every instrument has had a quote.

        It takes the place of the engine's own handler and stays subscribed, which costs 0.15 us for each quote. After
        somebody has unsubscribed from an instrument's quotes, the engine's bus takes 0.6 us more for each of them.
        """
        if self._waiting and self.is_running:
            self._waiting.discard(tick.instrument_id)
            if not self._waiting:
                self._open(self.clock.timestamp_ns())

    def on_stop(self) -> None:
        """Book what is still due, take the last point and count the messages of the run."""
        self.messages = self._fill_reader.messages()
        if self.is_open:
            now_ns = self.clock.timestamp_ns()
            self._due.settle(now_ns)
            if now_ns > self.equity_curve[-1].ts_ns:
                self._record(now_ns)

    def close(self, missed: Sequence[Entry] = ()) -> None:
        """
        Book what has come since the stop, and take the last point after it; to be called when nothing more can come.

        Live, actors stop before strategies, and orders are filled until the venue has cancelled them; in a backtest
        nothing arrives after the end. Nobody is told of the point: whoever would act on it has stopped.

        Parameters
        ----------
        missed : sequence of Entry
            What happened at the venue and nobody heard of.

        """
        if not self.is_open:
            return
        now_ns = max(self.clock.timestamp_ns(), self.equity_curve[-1].ts_ns + 1)
        self._due.settle(now_ns)
        self._due.settle_all(_BOOKING)  # a venue whose clock is ahead dates fills later than now
        for entry in missed:
            self._enter(entry, news=True)
        self.clock.cancel_timers()
        if not self._books.is_settled:
            self._take_point(now_ns)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Opening ------------------------------------------------------------------------------------------------------

    def _open(self, now_ns: int) -> None:
        currency, entry_prices = self.config.currency, self.entry_prices
        held = AccountReader(
            self.cache, self.portfolio, currency, self._instruments, self._touches, entry_prices
        ).read()
        opening = Opening(now_ns, held.equity, held.cash, held.books)
        if self.earlier is None:
            self._open_books(opening)
            if self.keeper is not None:
                self.keeper.opened(opening)
        else:
            self._go_on(self.earlier, now_ns, held)
        self._record(now_ns)
        interval_ns = self.config.interval_secs * _SECOND_NS
        self.clock.set_timer_ns(_GRID, interval_ns, now_ns - now_ns % interval_ns, 0, self._on_grid)

    def _open_books(self, opening: Opening) -> None:
        self._books.equity_start = opening.equity
        for book in opening.books:
            self._books.open(book.strategy, book.instrument, book.position, book.mid)

    # -- Going on with the books of a process that was killed -------------------------------------------------------

    def _go_on(self, earlier: EarlierBooks, now_ns: int, held: Holdings) -> None:
        self._open_books(earlier.kept.opening)
        for entry in earlier.kept.entries:
            self._enter(entry)
        self.equity_curve.extend(earlier.kept.points)
        for entry in earlier.missed():
            self._enter(entry, news=True)
        self._take_over_transfers(now_ns, held)

    def _enter(self, entry: Entry, news: bool = False) -> None:
        """Book what an earlier process has kept, or what it has missed."""
        if news and self.keeper is not None:
            self.keeper.entered(entry)
        if isinstance(entry, FillRecord):
            self._seen.add((InstrumentId.from_str(entry.instrument), TradeId(entry.trade_id)))
            self.fills.append(entry)
            # Nobody saw the market of a fill that was missed: it counts as one without an edge.
            self._post(entry, entry.price if entry.mid is None else entry.mid)
        elif isinstance(entry, FundingPaid):
            self.funding.append(entry)
            self._books.to_book(entry.strategy_id, entry.instrument_id).fund(entry.amount)
        else:
            self._books.receive(entry.instrument, entry.amount, entry.mid)

    def _take_over_transfers(self, now_ns: int, held: Holdings) -> None:
        """Book what the account has more or less than the books, as neither profit nor loss."""
        mids = {name: self.mid(name) for name in self._instruments}
        self._books.mark(mids)
        for name, mid in mids.items():
            owned = sum_exactly(*(book.position for book in held.books if book.instrument == name))
            spare = EXACT.subtract(owned, self.position(name))
            if spare:
                self._enter(Transfer(now_ns, name, spare, mid), news=True)
        cash = EXACT.subtract(held.equity, self.equity())
        if abs(cash) >= _NOTICED:
            self._enter(Transfer(now_ns, "", cash, Decimal(1)), news=True)

    # -- Fills --------------------------------------------------------------------------------------------------------

    def _on_fill(self, event: OrderFilled) -> None:
        trade = (event.instrument_id, event.trade_id)
        if trade in self._seen or (event.reconciliation and not self.is_open):
            return  # told a second time, or a fill of an earlier run, which is in the balances and positions
        self._seen.add(trade)
        fill = self._fill_reader.read(event)
        self.fills.append(fill)
        self._due.put(fill.ts_ns, fill, _BOOKING)

    def _settle(self, fill: FillRecord, horizon: int) -> None:
        if horizon == _BOOKING:
            self._book(fill)
        else:
            fill.markout_mids[horizon] = self.mid(fill.instrument)

    def _book(self, fill: FillRecord) -> None:
        fill.mid = self.mid(fill.instrument)
        if self.keeper is not None:
            self.keeper.entered(fill)  # before the fee in the base asset is valued: it will be booked once more
        self._post(fill, fill.mid)
        for horizon in MARKOUT_HORIZONS_SECS:
            self._due.put(fill.ts_ns + horizon * _SECOND_NS, fill, horizon)

    def _post(self, fill: FillRecord, mid: Decimal) -> None:
        book = self._books.to_book(fill.strategy, fill.instrument)
        fill.mid = mid
        fill.spread = book.fill(fill.sign * fill.quantity, fill.price, fill.fee, mid, fee_base=fill.fee_base)
        fill.fee = EXACT.add(fill.fee, EXACT.multiply(fill.fee_base, mid))
        fill.position_after = book.position

    # -- Payments without a fill --------------------------------------------------------------------------------------

    def _on_funding(self, paid: FundingPaid) -> None:
        if self.is_open:  # what was paid before is in the balance
            self._enter(paid, news=True)

    def _on_charge(self, charged: AccountCharged) -> None:
        if self.is_open:
            self.charges.append(charged)
            self._books.to_book(charged.strategy_id, charged.instrument_id).charge(charged.amount)

    # -- The grid -----------------------------------------------------------------------------------------------------

    def _on_grid(self, event: TimeEvent) -> None:
        self._due.settle(event.ts_event)
        self._record(event.ts_event)

    def _record(self, now_ns: int) -> None:
        self.msgbus.publish(SAMPLE_TOPIC, now_ns)
        marks = self._take_point(now_ns)
        equity = marks.equity if marks.sound else None
        mark = EquityMark(ts_ns=now_ns, equity=equity, interval_secs=self.config.interval_secs)
        self.msgbus.publish(EQUITY_TOPIC, mark)

    def _take_point(self, now_ns: int) -> Marks:
        marks = self._marking.marks()
        equity, parts, holdings, positions, _ = marks
        point = EquityPoint(now_ns, equity, parts, holdings)
        self.equity_curve.append(point)
        if self.keeper is not None:
            self.keeper.marked(point)
        for name, (bid, ask, _), held in positions:
            sample = self._shown.get(name)
            quotes = (None, None, None) if sample is None else (sample.bid, sample.ask, sample.fair_value)
            self.position_points.append(PositionPoint(now_ns, name, bid, ask, *quotes, held, equity))
        return marks

    def _on_quoting_sample(self, sample: QuotingSample) -> None:
        instrument, strategy = sample.instrument_id, sample.strategy_id
        self.samples[strategy, instrument] = sample
        shown = self._shown.get(instrument)
        if shown is None or shown.strategy_id == strategy:  # of several makers the first one's quotes are recorded
            self._shown[instrument] = sample

    # -- What the books say -------------------------------------------------------------------------------------------

    @property
    def books(self) -> Mapping[Owner, PositionLedger]:
        """The books by strategy, or `HOLDINGS`, and instrument."""
        return self._books.by_owner

    @property
    def equity_start(self) -> Decimal:
        """The account's value when the books were opened, and what came or went without a trade since."""
        return self._books.equity_start

    def mid(self, instrument: str) -> Decimal:
        """Return the middle of the instrument's last quote."""
        return self._touches.of(instrument).mid

    def equity(self) -> Decimal:
        """Return the account's value at the last marks, in the ledger's currency."""
        return self._books.equity()

    def position(self, instrument: str) -> Decimal:
        """Return all that is held of `instrument`: what was there at the start and what every strategy traded."""
        return self._books.position(instrument)

    def parts(self, strategy: str | None = None, instrument: str | None = None) -> Parts:
        """Return the profit and loss by origin, of one strategy or instrument or of all."""
        return self._books.parts(strategy, instrument)
