"""Trades the divergence of two instruments that move together, when it is worth more than it costs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument

from actors.history import HistoryRow, HistoryWanted, decode_history
from actors.pair_figures import pair_figures, sampling_silences, warm_up_scale, z_scale
from actors.watched_pair import PairSample, WatchedPair
from messages.risk import RiskStateChanged
from messages.trading import PAIR_TOPIC, PairTraded
from messages.views import NOT_RUNNING, Figure, Holding, Silence, View
from models.pairs.edge import edge_bps, holding_cost, round_trip_cost
from models.pairs.leg_operation import LegRules, Outcome, clips_for
from models.pairs.leg_sizes import PairLots, pair_lots, rounding_residual
from models.pairs.z_score import FLAT, Side, ZScoreRule, ZScoreState, next_state
from strategies.config_checks import MarketFacts
from strategies.crossing_strategy import CrossingStrategy
from strategies.leg_manager import LegManager
from strategies.pair_leg import PairLeg
from strategies.pairs_config import PairsConfig
from strategies.pairs_view import PairState, pair_silences, position_text, z_levels

_SECOND_NS: Final = 1_000_000_000
_NOTHING: Final = PairLots(0, 0)
_LEFT: Final = {
    "stop": "given up at the stop",
    "broken": "given up, as the pair no longer held together",
    "time": "given up, as its time was over",
}


class Pairs(CrossingStrategy[PairLeg]):
    """
    Holds a pair while its gap is far from its mean.

    On every sample the gap is held against its thresholds. A position is entered if the reversion that is expected
    exceeds its costs, on the relation of that moment, and left by that same relation: at the exit threshold, at the
    stop, when its time is over or when a re-test says that the pair is broken. An entry that could not be had is not
    tried again until the gap has come back.
    """

    def __init__(self, config: PairsConfig) -> None:
        super().__init__(config)
        stop_z = float("inf") if config.stop_z is None else config.stop_z
        self._rule = ZScoreRule(config.entry_z, config.exit_z, stop_z)
        self._forget()

    def _forget(self) -> None:
        self._pair: WatchedPair | None = None
        self.legs = ()
        self._manager: LegManager | None = None
        self._state = ZScoreState()
        self._entered_ns = 0
        self._latest: PairSample | None = None
        self._reason = ""
        self._locked_by = ""
        self._leaving = False
        self._history: list[HistoryRow] = []

    # -- Checks before a run ------------------------------------------------------------------------------------------

    @classmethod
    def check_config(cls, config: PairsConfig, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """
        Hold a configuration against the instruments before anything starts.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        y, x = (instruments[leg] for leg in config.pair.legs)
        if y.quote_currency != x.quote_currency:
            raise ValueError(f"pair: {y.id} is not quoted in {x.quote_currency}, as {x.id} is")

    @classmethod
    def check_series(cls, config: PairsConfig, markets: Mapping[InstrumentId, MarketFacts]) -> list[str]:
        """
        Hold a configuration against the data of a backtest; return what is allowed but foolish.

        Raises
        ------
        ValueError
            As `key: problem`, if the legs do not overlap in time, there are fewer samples than the lookback, or y
            would be worth less than the venue takes.

        """
        y, x = (markets[leg] for leg in config.pair.legs)
        first_ns, last_ns = max(y.first_ns, x.first_ns), min(y.last_ns, x.last_ns)
        if last_ns <= first_ns:
            raise ValueError(f"pair: {y.instrument.id} and {x.instrument.id} have no time in common")
        samples = int((last_ns - first_ns) / (config.pair.sample_interval_secs * _SECOND_NS))
        if samples <= config.pair.warm_up_samples:
            problem = f"was {config.pair.lookback}, and the legs have {samples} samples in common"
            raise ValueError(f"pair: lookback {problem}")
        least = y.instrument.min_notional.as_decimal() if y.instrument.min_notional else Decimal(0)
        if Decimal(repr(config.notional_quote)) < least:
            problem = f"was {config.notional_quote:g}, expected at least the {least:f} of {y.instrument.id}"
            raise ValueError(f"notional_quote: {problem}")
        return []

    @classmethod
    def history_wanted(cls, config: PairsConfig) -> HistoryWanted | None:
        """Return the prices of the lookback."""
        return config.pair.history

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Look up the legs and begin to watch; without one of them the strategy stops."""
        config = self.config
        if not self.find_legs(config.pair.legs, lambda found: PairLeg(self, found, config.max_slippage_bps)):
            return
        y, x = self.legs
        self._manager = LegManager(self, y, x, config.order_timeout_secs, self._on_over)
        self._pair = WatchedPair(self, config.pair, self._on_sample)
        self._pair.start(self._history)

    def on_stop(self) -> None:
        """Give up what is under way, and cancel this strategy's own orders."""
        if self._manager is not None:
            self._manager.give_up()
        super().on_stop()

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take over prices from before the start."""
        self._history = decode_history(state)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Samples ------------------------------------------------------------------------------------------------------

    def _on_sample(self, sample: PairSample) -> None:
        self._latest = sample
        assert self._manager is not None
        if self.restricted:
            self.obey()
        elif not self._manager.under_way:
            self._decide(sample, next_state(self._rule, self._state, sample.reading.z))

    def _decide(self, sample: PairSample, state: ZScoreState) -> None:
        side = self._state.side
        if side != FLAT:
            reason = self._reason_to_leave(sample, state)
            if reason is not None:
                self._lock(FLAT if reason == "exit" else side, _LEFT.get(reason, ""))
                self._leave(reason)
        elif state.side == FLAT:
            self._state = state
        elif self._barriers(sample) or self._no_edge(sample):
            self._state = ZScoreState()
        else:
            self._enter(sample, state)

    def _reason_to_leave(self, sample: PairSample, state: ZScoreState) -> str | None:
        if state.stopped != FLAT:
            return "stop"
        if state.side != self._state.side:
            return "exit"
        if sample.broken is not None:
            return "broken"
        return "time" if self._held_too_long(sample.ts_ns) else None

    def _held_too_long(self, now_ns: int) -> bool:
        limit = self.config.max_holding_secs
        return bool(limit) and now_ns - self._entered_ns >= limit * _SECOND_NS

    def _lock(self, stopped: Side, why: str) -> None:
        """Hold nothing; where a side is `stopped`, enter nothing until the gap has come back."""
        self._state = ZScoreState(FLAT, stopped=stopped)
        self._locked_by = why

    def _barriers(self, sample: PairSample) -> list[Silence]:
        """Return what keeps from entering at any gap."""
        found, after = [], self.config.trade_after
        if sample.broken is not None:
            found.append(Silence(reason="broken", text=f"the pair does not hold together: {sample.broken}"))
        if after is not None and sample.ts_ns < after.timestamp() * _SECOND_NS:
            found.append(Silence(reason="too_early", text=f"nothing is entered before {after:%Y-%m-%d %H:%M %Z}"))
        return found

    def _no_edge(self, sample: PairSample) -> Silence | None:
        """Return what the gap lacks to be worth its costs; None if it is."""
        edge, least = self._edge_bps(sample), self.config.min_edge_bps
        if edge >= least:
            return None
        text = f"the reversion that is expected leaves {edge:.1f} bps after costs, min_edge_bps is {least:g}"
        return Silence(reason="no_edge", text=text)

    def _edge_bps(self, sample: PairSample) -> float:
        """Return what the expected reversion leaves after all costs, in basis points of the value of y."""
        assert self._pair is not None
        config, (y, x) = self.config, self.legs
        cost = round_trip_cost(y.cost(config.execution == "rest_y"), x.cost(False), sample.reading.relation.beta)
        half_life = self._pair.half_life_secs
        longest = config.max_holding_secs or config.pair.lookback * config.pair.sample_interval_secs
        return edge_bps(sample.reading.away, cost, holding_cost(config.funding_bps_per_day, min(half_life, longest)))

    # -- Entries and exits --------------------------------------------------------------------------------------------

    def _enter(self, sample: PairSample, state: ZScoreState) -> None:
        assert self._manager is not None
        assert self._pair is not None
        beta = Decimal(sample.reading.relation.beta)
        y, x = self.legs
        value = Decimal(repr(self.config.notional_quote))
        wanted = pair_lots(state.side, value, beta, y.lot_value(), x.lot_value())
        held = self._manager.held()
        trade = PairLots(wanted.y - held.y, wanted.x - held.x)
        rules = self._rules(value)
        problem = self._manager.shortfall(trade, rules)
        if problem is not None:
            self.log.warning(f"not entered: {problem}")
            self._lock(state.side, f"not entered: {problem}")
            self._publish("refused", sample, _NOTHING)
            return
        self._state = state
        self._entered_ns = sample.ts_ns
        self._pair.monitor.hold()
        self._reason, self._leaving = "entry", False
        self._manager.begin(wanted, rules, leaving=False)

    def _leave(self, reason: str) -> None:
        assert self._manager is not None
        assert self._pair is not None
        self._pair.monitor.release()
        self._reason, self._leaving = reason, True
        held = self._manager.held()
        rules = self._rules(abs(held.y) * self.legs[0].lot_value())
        self._manager.begin(_NOTHING, rules, leaving=True)

    def _rules(self, value: Decimal) -> LegRules:
        config = self.config
        part = config.max_unhedged_quote or float(value)
        return LegRules(
            clips=clips_for(float(value), part),
            passive=config.execution == "rest_y",
            passive_ns=config.rest_secs * _SECOND_NS,
            max_unhedged_ns=round(config.max_unhedged_secs * _SECOND_NS),
            max_attempts=config.max_leg_attempts,
        )

    def _on_over(self, outcome: Outcome) -> None:
        assert self._manager is not None
        assert self._pair is not None
        held = self._manager.held()
        if not self._leaving and held == _NOTHING:
            self._lock(self._state.side, "the entry could not be had")
            self._pair.monitor.release()
        reason = self._reason if outcome == "done" else f"{self._reason} {outcome}"
        if self._latest is not None:
            self._publish(reason, self._latest, held)

    def _publish(self, reason: str, sample: PairSample, held: PairLots) -> None:
        y, x = self.legs
        beta = Decimal(sample.reading.relation.beta)
        self.msgbus.publish(
            PAIR_TOPIC,
            PairTraded(
                strategy_id=self.id.value,
                ts_ns=self.clock.timestamp_ns(),
                reason=reason,
                z=sample.reading.z,
                beta=sample.reading.relation.beta,
                edge_bps=self._edge_bps(sample),
                held_y=held.y * y.grid.step,
                held_x=held.x * x.grid.step,
                unhedged_quote=rounding_residual(held, beta, y.lot_value(), x.lot_value()),
            ),
        )

    # -- Events -------------------------------------------------------------------------------------------------------

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Keep a resting order at the touch."""
        if self._manager is not None:
            self._manager.on_quote()

    def go_on(self) -> None:
        """Take the next step of the operation."""
        if self._manager is not None:
            self._manager.go_on()

    # -- Risk states --------------------------------------------------------------------------------------------------

    def on_restricted(self, change: RiskStateChanged) -> None:
        """Give up what is under way, and enter no more until the gap has come back."""
        if self._manager is not None:
            self._manager.give_up()
        self._lock(self._state.side or self._state.stopped, "a risk control ended it")

    def obey(self) -> None:
        """Cancel what is on its way; then close both legs, as far as the state allows it."""
        assert self._manager is not None
        if any(leg.risk.withdrawn for leg in self.legs):
            for leg in self.legs:
                leg.withdraw()
        elif not self._manager.under_way:
            live = [leg for leg in self.legs if leg.is_live]
            for leg in live:
                leg.cancel()
            if not live and self._manager.can_close():
                self._leave("risk")

    # -- For whoever looks on -----------------------------------------------------------------------------------------

    def view(self) -> View:
        """Return what it decides by, what it holds, and why it trades nothing now; nothing changes by it."""
        if self._pair is None or self._manager is None:
            return View(owner_id=self.id.value, silences=(NOT_RUNNING,))
        settings, sample, now_ns = self.config.pair, self._latest, self.clock.timestamp_ns()
        sampling = sampling_silences(self._pair, settings, now_ns, sampled=sample is not None)
        inside, levels = z_levels(self._rule, self._state)
        return View(
            owner_id=self.id.value,
            silences=pair_silences(self._pair_state(self._manager, sampling)),
            scales=(*warm_up_scale(self._pair, settings), z_scale(sample, inside, levels)),
            figures=(*self._position_figures(self._manager), *pair_figures(self._pair, settings, sample)),
            holdings=self._holdings(self._manager),
        )

    def _pair_state(self, manager: LegManager, sampling: Sequence[Silence]) -> PairState:
        sample = self._latest
        return PairState(
            running=self.is_running,
            restricted=self.restricted,
            under_way=manager.under_way,
            waits_for_quote=manager.waits_for_quote,
            sampling=sampling,
            rule=self._rule,
            state=self._state,
            locked_by=self._locked_by,
            z=float("nan") if sample is None else sample.reading.z,
            barriers=() if sample is None else self._barriers(sample),
            no_edge=None if sample is None else self._no_edge(sample),
        )

    def _position_figures(self, manager: LegManager) -> tuple[Figure, ...]:
        sample = self._latest
        is_held = self._state.side != FLAT or manager.under_way or manager.can_close()
        y, x = (leg.id.symbol.value for leg in self.legs)
        text = position_text(manager.held() if is_held else _NOTHING, y, x)
        figures = [Figure(name="position", label="Position", text=text)]
        if manager.under_way:
            figures.append(Figure(name="under_way", label="Under way", text=self._reason))
        if self._state.side != FLAT:
            entered_ms = self._entered_ns // 1_000_000
            figures.append(Figure(name="entered_ms", label="Entered", value=entered_ms, unit="ms_utc"))
        note = f"min_edge_bps {self.config.min_edge_bps:g}"
        edge = None if sample is None else self._edge_bps(sample)
        return (*figures, Figure(name="edge_bps", label="Edge of an entry now", value=edge, unit="bps", note=note))

    def _holdings(self, manager: LegManager) -> tuple[Holding, ...]:
        aims = manager.under_way or self._state.side != FLAT
        held, target = manager.held(), manager.goal if aims else _NOTHING
        rows = zip(self.legs, held, target, strict=True)
        return tuple(
            Holding(instrument_id=leg.id.value, held_qty=lots * leg.grid.step, target_qty=wanted * leg.grid.step)
            for leg, lots, wanted in rows
        )
