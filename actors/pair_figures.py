"""A watched pair in figures, for whoever looks on."""

import math
from typing import Final

from actors.watched_pair import PairSample, PairSettings, WatchedPair
from messages.views import Figure, Level, Scale, Silence

_BPS: Final = 10_000
_MS_NS: Final = 1_000_000


def sampling_silences(pair: WatchedPair, settings: PairSettings, now_ns: int, *, sampled: bool) -> tuple[Silence, ...]:
    """Return why there is no reading to decide by; none where there is one, which `sampled` says."""
    silent = pair.silent_legs(now_ns)
    if silent:
        names = " and of ".join(leg.value for leg in silent)
        return (Silence(reason="no_market_data", text=f"no quote of {names} that is young enough: no sample is taken"),)
    needed, samples = settings.warm_up_samples, pair.monitor.samples
    if samples < needed:
        text = f"warming up: {samples} of the {needed} samples of the lookback are there"
        return (Silence(reason="warming_up", text=text),)
    if not sampled:
        return (Silence(reason="next_sample", text="the next sample is the first that says something"),)
    return ()


def warm_up_scale(pair: WatchedPair, settings: PairSettings) -> tuple[Scale, ...]:
    """Return how much of the lookback is there; nothing once all of it is."""
    needed, samples = settings.warm_up_samples, pair.monitor.samples
    if samples >= needed:
        return ()
    return (Scale(name="samples", label="Samples of the lookback", value=samples, low=0.0, high=needed),)


def z_scale(sample: PairSample | None, inside: tuple[float, float] | None, levels: tuple[Level, ...]) -> Scale:
    """Return the z-score among its levels; `inside` is where nothing is done about it, None for nowhere."""
    z = 0.0 if sample is None or math.isnan(sample.reading.z) else abs(sample.reading.z)
    reach = 1.1 * max(z, *(abs(level.at) for level in levels), 3.0)
    return Scale(
        name="z",
        label="z-score",
        value=None if sample is None else sample.reading.z,
        low=-reach,
        high=reach,
        inside=None if inside is None else (max(inside[0], -reach), min(inside[1], reach)),
        levels=levels,
    )


def pair_figures(pair: WatchedPair, settings: PairSettings, sample: PairSample | None) -> tuple[Figure, ...]:
    """Return what is known of a pair: its gap, hedge ratio, half-life and p-value, and when it is looked at."""
    reading, verdict = None if sample is None else sample.reading, pair.verdict
    limit = f"broken above {settings.coint_pvalue:g}" if settings.retest_every_secs else "not tested"
    next_ns = pair.next_sample_ns
    return (
        Figure(
            name="gap_bps",
            label="Gap from its mean",
            value=None if reading is None else reading.away * _BPS,
            unit="bps",
            note="" if reading is None else f"{settings.leg_y.symbol} is {'dear' if reading.away > 0 else 'cheap'}",
        ),
        Figure(
            name="hedge_ratio",
            label="Hedge ratio",
            value=None if reading is None else reading.relation.beta,
            note=settings.hedge_ratio,
        ),
        Figure(
            name="half_life_secs",
            label="Half-life",
            value=None if verdict is None else pair.half_life_secs,
            unit="secs",
        ),
        Figure(name="p_value", label="p-value", value=None if verdict is None else verdict.p_value, note=limit),
        Figure(
            name="sample_ms",
            label="Last sample",
            value=None if sample is None else sample.ts_ns // _MS_NS,
            unit="ms_utc",
        ),
        Figure(
            name="next_sample_ms",
            label="Next sample",
            value=None if next_ns is None else next_ns // _MS_NS,
            unit="ms_utc",
        ),
    )
