"""Tells makers where a pair's gap should take a price."""

from typing import Annotated

from msgspec import Meta
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveFloat
from nautilus_trader.model.identifiers import InstrumentId

from actors.history import HistoryRow, HistoryWanted, decode_history
from actors.pair_figures import pair_figures, sampling_silences, warm_up_scale, z_scale
from actors.watched_pair import PairSample, PairSettings, WatchedPair
from messages.signals import AlphaSignal, alpha_topic
from messages.views import NOT_RUNNING, Figure, Level, Silence, View

_BPS = 1e-4


class PairSignalConfig(ActorConfig, frozen=True, kw_only=True):
    """
    What is told.

    Parameters
    ----------
    pair : PairSettings
        The two legs and how they are watched.
    share_of_y : float, default 1
        Which share of a closing gap the price of y makes up: 1 if y follows x, 0.5 if they meet. x makes up the rest,
        divided by beta, and gets a signal of its own where that is above 0.
    min_z : float, default 0
        Gaps nearer to the mean than so many standard deviations are no signal.
    max_bps : float, default 50
        The largest signal either way.

    """

    pair: PairSettings
    share_of_y: Annotated[float, Meta(ge=0, le=1)] = 1.0
    min_z: Annotated[float, Meta(ge=0)] = 0.0
    max_bps: PositiveFloat = 50.0


class PairSignal(Actor):
    """
    Publishes an `AlphaSignal` for y, and for x where it takes a share, with every sample.

    The signal is the reversion expected over one half-life, half of the gap. It is 0 while the pair is broken.
    """

    def __init__(self, config: PairSignalConfig) -> None:
        super().__init__(config)
        self._pair: WatchedPair | None = None
        self._latest: PairSample | None = None
        self._history: list[HistoryRow] = []

    @classmethod
    def history_wanted(cls, config: PairSignalConfig) -> HistoryWanted | None:
        """Return the prices of the lookback."""
        return config.pair.history

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take over prices from before the start."""
        self._history = decode_history(state)

    def on_start(self) -> None:
        """Begin to watch."""
        self._pair = WatchedPair(self, self.config.pair, self._on_sample)
        self._pair.start(self._history)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._pair = None
        self._latest = None
        self._history = []

    def _on_sample(self, sample: PairSample) -> None:
        self._latest = sample
        for leg, bps in self._signals(sample).items():
            signal = AlphaSignal(instrument_id=leg.value, bps=bps, ts_ns=sample.ts_ns, source=self.id.value)
            self.msgbus.publish(alpha_topic(leg.value), signal)

    def _signals(self, sample: PairSample) -> dict[InstrumentId, float]:
        """Return by how much the price of each leg should be higher, in basis points."""
        config, reading = self.config, sample.reading
        reversion = 0.0 if self._quiet(sample) else -reading.away / 2.0 / _BPS
        wanted = {config.pair.leg_y: config.share_of_y * reversion}
        beta = reading.relation.beta
        if config.share_of_y < 1.0 and beta != 0.0:
            wanted[config.pair.leg_x] = -(1.0 - config.share_of_y) * reversion / beta
        return {leg: max(-config.max_bps, min(config.max_bps, bps)) for leg, bps in wanted.items()}

    def _quiet(self, sample: PairSample) -> tuple[Silence, ...]:
        """Return why the gap is no signal; nothing where it is one."""
        if sample.broken is not None:
            return (Silence(reason="broken", text=f"no signal: the pair does not hold together, {sample.broken}"),)
        z, least = sample.reading.z, self.config.min_z
        if abs(z) >= least:
            return ()
        return (Silence(reason="inside_band", text=f"no signal: z is {z:+.2f}, min_z is {least:g}"),)

    def view(self) -> View:
        """Return what it tells, and why it tells nothing; nothing changes by it."""
        pair, settings, sample = self._pair, self.config.pair, self._latest
        if pair is None or not self.is_running:
            return View(owner_id=self.id.value, silences=(NOT_RUNNING,))
        sampling = sampling_silences(pair, settings, self.clock.timestamp_ns(), sampled=sample is not None)
        least = self.config.min_z
        levels = tuple(Level(name="min_z", at=at) for at in (-least, least) if least)
        signals = {} if sample is None else self._signals(sample)
        told = (
            Figure(name="signal_bps", of=leg.value, label=f"Signal for {leg.symbol}", value=bps, unit="bps")
            for leg, bps in signals.items()
        )
        return View(
            owner_id=self.id.value,
            silences=sampling or (() if sample is None else self._quiet(sample)),
            scales=(*warm_up_scale(pair, settings), z_scale(sample, (-least, least) if least else None, levels)),
            figures=(*told, *pair_figures(pair, settings, sample)),
        )
