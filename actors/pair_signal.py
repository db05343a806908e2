"""Tells makers where a pair's gap should take a price."""

from typing import Annotated

from msgspec import Meta
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveFloat
from nautilus_trader.model.identifiers import InstrumentId

from actors.history import HistoryRow, HistoryWanted, decode_history
from actors.watched_pair import PairSample, PairSettings, WatchedPair
from messages import AlphaSignal, alpha_topic

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
        self._history = []

    def _on_sample(self, sample: PairSample) -> None:
        config, reading = self.config, sample.reading
        holds = sample.broken is None and abs(reading.z) >= config.min_z
        reversion = -reading.away / 2.0 / _BPS if holds else 0.0
        self._publish(config.pair.leg_y, config.share_of_y * reversion, sample.ts_ns)
        beta = reading.relation.beta
        if config.share_of_y < 1.0 and beta != 0.0:
            self._publish(config.pair.leg_x, -(1.0 - config.share_of_y) * reversion / beta, sample.ts_ns)

    def _publish(self, leg: InstrumentId, bps: float, ts_ns: int) -> None:
        bounded = max(-self.config.max_bps, min(self.config.max_bps, bps))
        signal = AlphaSignal(instrument_id=leg.value, bps=bounded, ts_ns=ts_ns, source=self.id.value)
        self.msgbus.publish(alpha_topic(leg.value), signal)
