"""A pair as a strategy or an actor watches it: both mids on a timer, their gap, and whether the pair still holds."""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import PositiveFloat, PositiveInt
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from actors.history import HistoryRow, HistoryWanted
from models.pairs.pair_monitor import MonitorSettings, PairMonitor, RatioKind, Reading, Verdict

_SECOND_NS: Final = 1_000_000_000


class PairSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How a pair is watched; the relation is ln y = intercept + beta ln x + gap.

    Parameters
    ----------
    leg_y, leg_x : InstrumentId
        The two instruments.
    sample_interval_secs : int
        How often both mids are taken, at whole multiples of it in UTC: one sample, such as 300.
    max_quote_age_secs : int, default 0
        A sample is left out where the last quote of a leg is older; 0 for two intervals.
    hedge_ratio : {"ols", "tls", "kalman", "fixed"}
        Where beta and the intercept come from: by regression over the lookback, from a filter, or given.
    fixed_ratio, fixed_intercept : float
        Those of "fixed".
    fixed_sd : float, optional
        With "fixed": the gap's standard deviation, its mean then being 0. Nothing is then estimated, and nothing
        waited for.
    kalman_drift, kalman_gap_variance : float
        Those of "kalman"; see `models.pairs.kalman_ratio`.
    lookback : int
        Samples that mean and standard deviation of the gap, the ratio and the re-test come from.
    retest_every_secs : int, default 0
        How often the pair is tested anew over the lookback; 0 for never.
    coint_pvalue : float, default 0.05
        A pair whose p-value is above this at a re-test is broken, until a later one says otherwise.
    max_half_life_secs : int, default 0
        So is one whose gap takes longer to halve; 0 for no such limit.

    """

    leg_y: InstrumentId
    leg_x: InstrumentId
    sample_interval_secs: PositiveInt
    max_quote_age_secs: Annotated[int, Meta(ge=0)] = 0
    hedge_ratio: RatioKind = "ols"
    fixed_ratio: float | None = None
    fixed_intercept: float = 0.0
    fixed_sd: PositiveFloat | None = None
    kalman_drift: Annotated[float, Meta(ge=0, lt=1)] = 1e-6
    kalman_gap_variance: PositiveFloat = 1e-4
    lookback: Annotated[int, Meta(ge=20, le=100_000)]
    retest_every_secs: Annotated[int, Meta(ge=0)] = 0
    coint_pvalue: Annotated[float, Meta(ge=0, le=1)] = 0.05
    max_half_life_secs: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        if self.leg_y == self.leg_x:
            raise ValueError(f"leg_x: was {self.leg_x}, which is leg_y: a pair has two legs")
        if (self.hedge_ratio == "fixed") != (self.fixed_ratio is not None):
            raise ValueError("fixed_ratio: goes with hedge_ratio: fixed, and that with it")
        if self.fixed_sd is not None and self.hedge_ratio != "fixed":
            raise ValueError(f"fixed_sd: goes with hedge_ratio: fixed, and hedge_ratio is {self.hedge_ratio}")

    @property
    def legs(self) -> tuple[InstrumentId, InstrumentId]:
        """Both instruments, y first."""
        return self.leg_y, self.leg_x

    @property
    def warm_up_samples(self) -> int:
        """How many samples are needed before the first reading."""
        return 0 if self.fixed_sd is not None else self.lookback

    @property
    def history(self) -> HistoryWanted | None:
        """What has to be known before the first reading; None where nothing has."""
        if not self.warm_up_samples:
            return None
        return HistoryWanted(self.legs, self.sample_interval_secs, self.warm_up_samples)

    @property
    def monitor(self) -> MonitorSettings:
        """What the pair is watched by."""
        return MonitorSettings(
            ratio=self.hedge_ratio,
            lookback=self.lookback,
            beta=1.0 if self.fixed_ratio is None else self.fixed_ratio,
            intercept=self.fixed_intercept,
            sd=self.fixed_sd,
            kalman_drift=self.kalman_drift,
            kalman_gap_variance=self.kalman_gap_variance,
        )


class PairSample(NamedTuple):
    """
    One sample of a pair.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    reading : Reading
        What the two mids say.
    broken : str, optional
        Why the pair does not hold; None while it does.

    """

    ts_ns: int
    reading: Reading
    broken: str | None


class WatchedPair:
    """
    Takes samples of a pair for whoever owns it.

    Parameters
    ----------
    owner : Actor
        Whose clock, cache and subscriptions are used.
    settings : PairSettings
        What is watched.
    on_sample : callable
        Takes every sample that says something.

    """

    def __init__(self, owner: Actor, settings: PairSettings, on_sample: Callable[[PairSample], None]) -> None:
        self.monitor = PairMonitor(settings.monitor)
        self._owner = owner
        self._settings = settings
        self._on_sample = on_sample
        self._interval_ns = settings.sample_interval_secs * _SECOND_NS
        self._max_age_ns = settings.max_quote_age_secs * _SECOND_NS or 2 * self._interval_ns
        self._timer = f"{owner.id}-pair"
        self.verdict: Verdict | None = None
        """What the last re-test said; None before the first."""
        self._tested_ns: int | None = None

    def start(self, history: Sequence[HistoryRow] = ()) -> None:
        """Subscribe to both legs and begin to take samples; those of `history` count as taken already."""
        for row in history:
            self.monitor.update(*row.prices)
            self._retest(row.ts_ns)
        for leg in self._settings.legs:
            self._owner.subscribe_quote_ticks(leg)
        now_ns = self._owner.clock.timestamp_ns()
        first_ns = now_ns - now_ns % self._interval_ns
        self._owner.clock.set_timer_ns(self._timer, self._interval_ns, first_ns, 0, self._on_time)

    def _on_time(self, event: TimeEvent) -> None:
        if self.silent_legs(event.ts_event):
            return
        quotes = (self._owner.cache.quote_tick(leg) for leg in self._settings.legs)
        y, x = (quote.bid_price.as_double() + quote.ask_price.as_double() for quote in quotes)
        reading = self.monitor.update(y / 2.0, x / 2.0)
        self._retest(event.ts_event)
        if reading is not None:
            self._on_sample(PairSample(event.ts_event, reading, self.broken))

    def silent_legs(self, now_ns: int) -> list[InstrumentId]:
        """Return the legs that have no quote, or whose last one is too old for a sample."""
        quotes = {leg: self._owner.cache.quote_tick(leg) for leg in self._settings.legs}
        return [leg for leg, quote in quotes.items() if quote is None or now_ns - quote.ts_init > self._max_age_ns]

    @property
    def next_sample_ns(self) -> int | None:
        """When the next sample is taken, UNIX ns; None while none is."""
        return self._owner.clock.next_time_ns(self._timer) or None

    def _retest(self, now_ns: int) -> None:
        every_ns = self._settings.retest_every_secs * _SECOND_NS
        if every_ns and (self._tested_ns is None or now_ns - self._tested_ns >= every_ns):
            verdict = self.monitor.verdict()
            if verdict is not None:
                self.verdict, self._tested_ns = verdict, now_ns

    @property
    def half_life_secs(self) -> float:
        """How long the gap takes to halve by the last re-test, in seconds; infinite before the first."""
        samples = math.inf if self.verdict is None else self.verdict.half_life
        return samples * self._settings.sample_interval_secs

    @property
    def broken(self) -> str | None:
        """Why the pair does not hold by the last re-test; None while it does."""
        if self.verdict is None:
            return None
        limit = self._settings.max_half_life_secs
        if self.verdict.p_value > self._settings.coint_pvalue:
            return f"p-value {self.verdict.p_value:.3f}"
        return f"half-life {self.half_life_secs:.0f} s" if limit and self.half_life_secs > limit else None
