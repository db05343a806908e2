"""The ledger: what was traded, what it earned and why, on fills and timers, in backtest and live alike."""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import is_
from types import MappingProxyType
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.objects import Currency

from actors.kept_books import EarlierBooks, Entry, Keeper, OpenedBook, Opening, Transfer
from actors.ledger_records import MARKOUT_HORIZONS_SECS, EquityPoint, FillRecord, Marks, PositionPoint
from actors.order_trace import Messages, OrderTraces, mid_of
from messages import (
    ALPHA_TOPICS,
    CHARGE_TOPIC,
    EQUITY_TOPIC,
    FUNDING_TOPIC,
    PAIR_TOPIC,
    QUOTING_TOPIC,
    REBALANCE_TOPIC,
    SAMPLE_TOPIC,
    AccountCharged,
    AlphaSignal,
    EquityMark,
    FundingPaid,
    PairTraded,
    QuotingSample,
    Rebalanced,
)
from models.attribution import EXACT, Parts, PositionLedger

HOLDINGS: Final = "(holdings)"
"""The book of what was held before the first trade; its profit belongs to no strategy."""

_SECOND_NS: Final = 1_000_000_000
_DUE: Final = "ledger-due"
_GRID: Final = "ledger-grid"
_TWO: Final = Decimal(2)
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
        self.samples: dict[tuple[str, str], QuotingSample] = {}
        self.rebalances: list[Rebalanced] = []
        self.pair_trades: list[PairTraded] = []
        self.funding: list[FundingPaid] = []
        self.charges: list[AccountCharged] = []
        self._alphas: dict[str, dict[str, float]] = {}
        self.books: dict[tuple[str, str], PositionLedger] = {}
        self.equity_start = Decimal(0)
        self.traces = OrderTraces(self.cache)
        self.messages = Messages(Counter(), Counter())
        self._instruments: dict[str, Instrument] = {}
        self._waiting: set[str] = set()
        self._due: list[tuple[int, int, FillRecord, int]] = []
        self._sequence = 0
        self._alert_ns = 0
        self._seen: set[tuple[InstrumentId, TradeId]] = set()
        self._marks: Marks | None = None
        self._marked_at: list[QuoteTick] = []
        self._booked = True

    @property
    def is_open(self) -> bool:
        """Whether every instrument has had a mid, so that equity is known."""
        return bool(self.equity_curve)

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Listen to fills, and to quotes until each instrument has had its first."""
        for instrument_id in self.config.instrument_ids:
            instrument = self.cache.instrument(instrument_id)
            if instrument is None:
                raise RuntimeError(f"the ledger knows no instrument {instrument_id}")
            self._instruments[instrument_id.value] = instrument
            self._waiting.add(instrument_id.value)
            self.msgbus.subscribe(f"events.fills.{instrument_id}", self._on_fill)
            self.subscribe_quote_ticks(instrument_id)
        self.traces = OrderTraces(self.cache)
        self.traces.listen(self.msgbus)
        self.msgbus.subscribe(QUOTING_TOPIC, self._on_quoting_sample)
        self.msgbus.subscribe(REBALANCE_TOPIC, self.rebalances.append)
        self.msgbus.subscribe(PAIR_TOPIC, self.pair_trades.append)
        self.msgbus.subscribe(ALPHA_TOPICS, self._on_alpha)
        self.msgbus.subscribe(FUNDING_TOPIC, self._on_funding)
        self.msgbus.subscribe(CHARGE_TOPIC, self._on_charge)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Open the books once every instrument has had a quote, then stop listening to quotes."""
        self._waiting.discard(tick.instrument_id.value)
        if not self._waiting and not self.is_open:
            for instrument_id in self.config.instrument_ids:
                self.unsubscribe_quote_ticks(instrument_id)
            self._open(self.clock.timestamp_ns())

    def on_stop(self) -> None:
        """Book what is still due, take the last point and count the messages of the run."""
        self.messages = self.traces.messages()
        if self.is_open:
            now_ns = self.clock.timestamp_ns()
            self._settle_due(now_ns)
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
        self._settle_due(now_ns)
        self._book_all()
        for entry in missed:
            self._enter(entry, news=True)
        self.clock.cancel_timers()
        if self._booked:
            self._take_point(now_ns)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Opening ------------------------------------------------------------------------------------------------------

    def _open(self, now_ns: int) -> None:
        cash, held, equity = self._account()
        if self.earlier is None:
            self._open_books(now_ns, cash, held, equity)
        else:
            self._go_on(self.earlier, now_ns, held, equity)
        self._record(now_ns)
        interval_ns = self.config.interval_secs * _SECOND_NS
        self.clock.set_timer_ns(_GRID, interval_ns, now_ns - now_ns % interval_ns, 0, self._on_grid)

    def _account(self) -> tuple[Decimal, list[OpenedBook], Decimal]:
        """Return the account's cash, what it holds (on futures with the strategy that holds it), and its value."""
        cash = equity = self._balance(Currency.from_str(self.config.currency))
        held: dict[str, OpenedBook] = {}
        for name, instrument in self._instruments.items():
            mid = self.mid(name)
            if isinstance(instrument, CurrencyPair):
                base = instrument.base_currency
                if base.code not in held:
                    owned = self._balance(base)
                    held[base.code] = OpenedBook(HOLDINGS, name, owned, mid)
                    equity = EXACT.add(equity, EXACT.multiply(owned, mid))
                continue
            for position in self.cache.positions_open(instrument_id=instrument.id):
                owned = position.signed_decimal_qty()
                entry = self.entry_prices.get(name, Decimal(repr(position.avg_px_open)))
                gain = EXACT.multiply(owned, EXACT.subtract(mid, entry))
                equity = EXACT.add(equity, gain)
                held[position.id.value] = OpenedBook(position.strategy_id.value, name, owned, mid)
        return cash, list(held.values()), equity

    def _open_books(self, now_ns: int, cash: Decimal, held: list[OpenedBook], equity: Decimal) -> None:
        self.equity_start = equity
        for book in held:
            self.books[book.strategy, book.instrument] = PositionLedger(position=book.position, mid=book.mid)
        if self.keeper is not None:
            self.keeper.opened(Opening(now_ns, equity, cash, tuple(held)))

    # -- Going on with the books of a process that was killed -------------------------------------------------------

    def _go_on(self, earlier: EarlierBooks, now_ns: int, held: list[OpenedBook], equity: Decimal) -> None:
        kept = earlier.kept
        self.equity_start = kept.opening.equity
        for book in kept.opening.books:
            self.books[book.strategy, book.instrument] = PositionLedger(position=book.position, mid=book.mid)
        for entry in kept.entries:
            self._enter(entry)
        self.equity_curve.extend(kept.points)
        for entry in earlier.missed():
            self._enter(entry, news=True)
        self._take_over_transfers(now_ns, held, equity)

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
            self._book_of(entry.strategy_id, entry.instrument_id).fund(entry.amount)
        else:
            self._receive(entry)

    def _take_over_transfers(self, now_ns: int, held: list[OpenedBook], equity: Decimal) -> None:
        """Book what the account has more or less than the books, as neither profit nor loss."""
        for name in self._instruments:
            mid = self.mid(name)
            for (_, traded), book in self.books.items():
                if traded == name:
                    book.mark(mid)
            owned = _exact_sum(*(book.position for book in held if book.instrument == name))
            spare = EXACT.subtract(owned, self.position(name))
            if spare:
                self._enter(Transfer(now_ns, name, spare, mid), news=True)
        cash = EXACT.subtract(equity, self.equity())
        if abs(cash) >= _NOTICED:
            self._enter(Transfer(now_ns, "", cash, Decimal(1)), news=True)

    def _receive(self, transfer: Transfer) -> None:
        value = EXACT.multiply(transfer.amount, transfer.mid)
        self.equity_start = EXACT.add(self.equity_start, value)
        if transfer.instrument:
            owner = (HOLDINGS, transfer.instrument)
            self._book_of(*owner).receive(transfer.amount, transfer.mid)

    def _balance(self, currency: Currency) -> Decimal:
        account = self.portfolio.account(self.config.instrument_ids[0].venue)
        balance = account.balance_total(currency)
        return Decimal(0) if balance is None else Decimal(balance.as_decimal())

    def mid(self, instrument: str) -> Decimal:
        """Return the middle of the instrument's last quote."""
        quote = self.cache.quote_tick(self._instruments[instrument].id)
        return EXACT.divide(quote.bid_price.as_decimal() + quote.ask_price.as_decimal(), _TWO)

    # -- Fills --------------------------------------------------------------------------------------------------------

    def _on_fill(self, event: OrderFilled) -> None:
        trade = (event.instrument_id, event.trade_id)
        if trade in self._seen or (event.reconciliation and not self.is_open):
            return  # told a second time, or a fill of an earlier run, which is in the balances and positions
        self._seen.add(trade)
        trace = self.traces.of(event.client_order_id)
        rested = trace.rests_at is not None
        fill = FillRecord(
            ts_ns=event.ts_event,
            strategy=event.strategy_id.value,
            instrument=event.instrument_id.value,
            side="BUY" if event.order_side == OrderSide.BUY else "SELL",
            liquidity="MAKER" if event.liquidity_side == LiquiditySide.MAKER else "TAKER",
            client_order_id=event.client_order_id.value,
            trade_id=event.trade_id.value,
            price=event.last_px.as_decimal(),
            quantity=event.last_qty.as_decimal(),
            decision_mid=mid_of(trace.sent_at),
            quoted_mid=mid_of(trace.rests_at),
            rested_secs=(event.ts_event - trace.rests_since_ns) / _SECOND_NS if rested else None,
        )
        signals = self._alphas.get(fill.instrument)
        fill.alpha_bps = sum(signals.values()) if signals else None
        commission = event.commission
        if commission is not None:
            self._take_fee(fill, commission.as_decimal(), commission.currency)
        self.fills.append(fill)
        self._schedule(event.ts_event, fill, 0)

    def _on_alpha(self, signal: AlphaSignal) -> None:
        self._alphas.setdefault(signal.instrument_id, {})[signal.source] = signal.bps

    def _take_fee(self, fill: FillRecord, amount: Decimal, currency: Currency) -> None:
        instrument = self._instruments[fill.instrument]
        if currency == instrument.quote_currency:
            fill.fee = amount
        elif currency == instrument.base_currency:
            fill.fee_base = amount
        else:
            raise RuntimeError(f"a fee in {currency} cannot be valued: {fill.instrument} trades neither side in it")

    def _book(self, fill: FillRecord) -> None:
        fill.mid = self.mid(fill.instrument)
        if self.keeper is not None:
            self.keeper.entered(fill)  # before the fee in the base asset is valued: it will be booked once more
        self._post(fill, fill.mid)
        for horizon in MARKOUT_HORIZONS_SECS:
            self._schedule(fill.ts_ns + horizon * _SECOND_NS, fill, horizon)

    def _post(self, fill: FillRecord, mid: Decimal) -> None:
        book = self._book_of(fill.strategy, fill.instrument)
        fill.mid = mid
        fill.spread = book.fill(fill.sign * fill.quantity, fill.price, fill.fee, mid, fee_base=fill.fee_base)
        fill.fee = EXACT.add(fill.fee, EXACT.multiply(fill.fee_base, mid))
        fill.position_after = book.position

    def _book_of(self, strategy: str, instrument: str) -> PositionLedger:
        self._booked = True
        book = self.books.get((strategy, instrument))
        if book is None:
            book = self.books[strategy, instrument] = PositionLedger()
        return book

    # -- Payments without a fill --------------------------------------------------------------------------------------

    def _on_funding(self, paid: FundingPaid) -> None:
        if self.is_open:  # what was paid before is in the balance
            self._enter(paid, news=True)

    def _on_charge(self, charged: AccountCharged) -> None:
        if self.is_open:
            self.charges.append(charged)
            self._book_of(charged.strategy_id, charged.instrument_id).charge(charged.amount)

    # -- What is due when ---------------------------------------------------------------------------------------------

    def _schedule(self, ts_ns: int, fill: FillRecord, horizon: int) -> None:
        self._sequence += 1
        heapq.heappush(self._due, (ts_ns, self._sequence, fill, horizon))
        self._set_alert()

    def _set_alert(self) -> None:
        """Keep one alert at the earliest due time: the engine's clock looks at every alert on every tick."""
        if not self._due or self._due[0][0] == self._alert_ns:
            return
        if _DUE in self.clock.timer_names:
            self.clock.cancel_timer(_DUE)
        self._alert_ns = self._due[0][0]
        self.clock.set_time_alert_ns(_DUE, self._alert_ns, self._on_due)

    def _on_due(self, event: TimeEvent) -> None:
        self._alert_ns = 0
        self._settle_due(self.clock.timestamp_ns())

    def _settle_due(self, now_ns: int) -> None:
        while self._due and self._due[0][0] <= now_ns:
            _, _, fill, horizon = heapq.heappop(self._due)
            if horizon == 0:
                self._book(fill)
            else:
                fill.markout_mids[horizon] = self.mid(fill.instrument)
        self._set_alert()

    def _book_all(self) -> None:
        """Book fills that a venue whose clock is ahead dates later than now."""
        waiting = sorted(due for due in self._due if due[3] == 0)
        self._due = [due for due in self._due if due[3] > 0]
        heapq.heapify(self._due)
        for _, _, fill, _ in waiting:
            self._book(fill)

    # -- The grid -----------------------------------------------------------------------------------------------------

    def _on_grid(self, event: TimeEvent) -> None:
        self._settle_due(event.ts_event)
        self._record(event.ts_event)

    def _record(self, now_ns: int) -> None:
        self.msgbus.publish(SAMPLE_TOPIC, now_ns)
        marks = self._take_point(now_ns)
        equity = marks.equity if marks.sound else None
        mark = EquityMark(ts_ns=now_ns, equity=equity, interval_secs=self.config.interval_secs)
        self.msgbus.publish(EQUITY_TOPIC, mark)

    def _take_point(self, now_ns: int) -> Marks:
        marks = self._marked()
        self.equity_curve.append(EquityPoint(now_ns, marks.equity, marks.parts, marks.holdings))
        if self.keeper is not None:
            self.keeper.marked(self.equity_curve[-1])
        for name, (bid, ask, position) in marks.instruments.items():
            sample = next((sample for (_, traded), sample in self.samples.items() if traded == name), None)
            self.position_points.append(
                PositionPoint(
                    ts_ns=now_ns,
                    instrument=name,
                    bid=bid,
                    ask=ask,
                    quote_bid=sample.bid if sample else None,
                    quote_ask=sample.ask if sample else None,
                    fair_value=sample.fair_value if sample else None,
                    position=position,
                    equity=marks.equity,
                )
            )
        return marks

    def _marked(self) -> Marks:
        """Mark the books to the last quotes, unless nothing was quoted or booked since that was done."""
        quotes = [self.cache.quote_tick(instrument.id) for instrument in self._instruments.values()]
        if self._marks is None or self._booked or not all(map(is_, quotes, self._marked_at)):
            self._marks, self._marked_at, self._booked = self._mark(quotes), quotes, False
        return self._marks

    def _mark(self, quotes: Sequence[QuoteTick]) -> Marks:
        touches = {
            name: (quote.bid_price.as_decimal(), quote.ask_price.as_decimal())
            for name, quote in zip(self._instruments, quotes, strict=True)
        }
        for (_, name), book in self.books.items():
            bid, ask = touches[name]
            book.mark(EXACT.divide(bid + ask, _TWO))
        return Marks(
            instruments={name: (*touch, self.position(name)) for name, touch in touches.items()},
            equity=self.equity(),
            parts=self.parts(),
            holdings=_exact_sum(*(book.parts.total for (owner, _), book in self.books.items() if owner == HOLDINGS)),
            sound=all(0 < quote.bid_price.raw <= quote.ask_price.raw for quote in quotes),
        )

    def _on_quoting_sample(self, sample: QuotingSample) -> None:
        self.samples[sample.strategy_id, sample.instrument_id] = sample

    # -- What the books say -------------------------------------------------------------------------------------------

    def equity(self) -> Decimal:
        """Return the account's value at the last marks, in the ledger's currency."""
        return _exact_sum(self.equity_start, *(book.equity_change for book in self.books.values()))

    def position(self, instrument: str) -> Decimal:
        """Return all that is held of `instrument`: what was there at the start and what every strategy traded."""
        return _exact_sum(*(book.position for (_, name), book in self.books.items() if name == instrument))

    def parts(self, strategy: str | None = None, instrument: str | None = None) -> Parts:
        """Return the profit and loss by origin, of one strategy or instrument or of all."""
        chosen = [
            book.parts
            for (owner, name), book in self.books.items()
            if (strategy is None or owner == strategy) and (instrument is None or name == instrument)
        ]
        return (
            Parts(*(_exact_sum(*column) for column in zip(*chosen, strict=True)))
            if chosen
            else Parts(*[Decimal(0)] * 4)
        )


def _exact_sum(*numbers: Decimal) -> Decimal:
    return reduce(EXACT.add, numbers, Decimal(0))
