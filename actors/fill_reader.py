"""From the engine's fill to the ledger's: what is known of it at the moment it happens."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.common.component import MessageBus
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Currency

from actors.ledger_records import FillRecord
from actors.order_trace import Messages, OrderTraces, mid_of
from messages.signals import ALPHA_TOPICS, AlphaSignal

_SECOND_NS: Final = 1_000_000_000


class FillReader:
    """
    Knows of every order since when it rests, and of every instrument the last signals.

    Parameters
    ----------
    cache : CacheFacade
        Has the last quotes.
    instruments : mapping
        Those that are traded, by name.

    """

    def __init__(self, cache: CacheFacade, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._traces = OrderTraces(cache)
        self._alphas: dict[str, dict[str, float]] = {}

    def listen(self, msgbus: MessageBus) -> None:
        """Hear of every order and every signal."""
        self._traces.listen(msgbus)
        msgbus.subscribe(ALPHA_TOPICS, self._on_alpha)

    def _on_alpha(self, signal: AlphaSignal) -> None:
        self._alphas.setdefault(signal.instrument_id, {})[signal.source] = signal.bps

    def messages(self) -> Messages:
        """Count what was sent to the venue so far."""
        return self._traces.messages()

    def read(self, event: OrderFilled) -> FillRecord:
        """
        Return the fill, not booked yet: without its mid and what follows from it.

        Raises
        ------
        RuntimeError
            If its fee is in a currency that the instrument does not trade.

        """
        trace = self._traces.of(event.client_order_id)
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
        return fill

    def _take_fee(self, fill: FillRecord, amount: Decimal, currency: Currency) -> None:
        instrument = self._instruments[fill.instrument]
        if currency == instrument.quote_currency:
            fill.fee = amount
        elif currency == instrument.base_currency:
            fill.fee_base = amount
        else:
            raise RuntimeError(f"a fee in {currency} cannot be valued: {fill.instrument} trades neither side in it")
