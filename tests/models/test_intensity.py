import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.intensity import (
    IntensityFit,
    exceedance_counts,
    exponential_distance,
    poisson_fit,
    regression_fit,
    tail_excess,
    tail_fit,
)
from models.market_statistics import sweep_starts
from models.online_intensity import OnlineIntensity, decayed_intensity

A, K, SECONDS = 2.0, 0.3, 1_000.0
LEVELS = np.arange(0.0, 11.0)


def depths_of(seed: int, threshold: float = 0.0, step: float = 0.0) -> np.ndarray:
    """Return the depths of market orders that arrive at A exp(-K depth), on a grid of `step`."""
    rng = np.random.default_rng(seed)
    depths = rng.exponential(1 / K, rng.poisson(A * SECONDS))
    depths = depths[depths >= threshold]
    return np.floor(depths / step) * step if step else depths


def maximum(likelihood, start, widths):
    """Climb a concave function of two variables by shrinking steps along axes and diagonals: slow, and no calculus."""
    place, widths = np.array(start, dtype=float), np.array(widths, dtype=float)
    directions = [np.array(d) for d in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1))]
    best = likelihood(*place)
    while widths.max() > 1e-9:
        trials = [(likelihood(*(place + d * widths)), tuple(place + d * widths)) for d in directions]
        value, where = max(trials)
        if value > best:
            best, place = value, np.array(where)
        else:
            widths = widths / 2
    return place


def curvature_errors(likelihood, place, widths):
    """Return standard errors and covariance from a numerical second derivative at the maximum."""
    h = np.array(widths)
    f = lambda i, j: likelihood(place[0] + i * h[0], place[1] + j * h[1])  # noqa: E731
    second = np.array(
        [
            [f(1, 0) - 2 * f(0, 0) + f(-1, 0), (f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / 4],
            [(f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / 4, f(0, 1) - 2 * f(0, 0) + f(0, -1)],
        ]
    )
    return np.linalg.inv(-second / np.outer(h, h))


def same_errors(fit: IntensityFit, covariance: np.ndarray, rel: float) -> None:
    assert fit.intensity_a_error / fit.intensity_a == pytest.approx(math.sqrt(covariance[0, 0]), rel=rel)
    assert fit.kappa_error == pytest.approx(math.sqrt(covariance[1, 1]), rel=rel)
    assert fit.covariance == pytest.approx(covariance[0, 1], rel=rel)


# -- Counts of exceedances and their regression ------------------------------------------------------------------------


@given(st.lists(st.integers(-5, 20), max_size=40), st.lists(st.integers(-5, 20), max_size=8))
@settings(max_examples=40)
def test_exceedances_are_counted(depths, levels):
    expected = [sum(depth >= level for depth in depths) for level in levels]
    assert exceedance_counts(depths, levels).tolist() == expected


@pytest.mark.parametrize("weighting", ["equal", "counts"])
def test_regression_finds_the_line_through_exact_counts(weighting):
    counts = SECONDS * A * np.exp(-K * LEVELS)
    fit = regression_fit(LEVELS, counts, SECONDS, weighting)
    assert (fit.intensity_a, fit.kappa) == pytest.approx((A, K), rel=1e-12)


@pytest.mark.parametrize(("weighting", "root_weights"), [("equal", np.ones_like), ("counts", np.sqrt)])
def test_regression_is_the_weighted_least_squares_line(weighting, root_weights):
    counts = exceedance_counts(depths_of(1), LEVELS).astype(float)
    slope, intercept = np.polyfit(LEVELS, np.log(counts / SECONDS), 1, w=root_weights(counts))
    fit = regression_fit(LEVELS, counts, SECONDS, weighting)
    assert fit.kappa == pytest.approx(-slope, rel=1e-9)
    assert fit.intensity_a == pytest.approx(math.exp(intercept), rel=1e-9)


@pytest.mark.parametrize("weighting", ["equal", "counts"])
def test_regression_states_the_spread_of_its_results(weighting):
    fits = [regression_fit(LEVELS, exceedance_counts(depths_of(s), LEVELS), SECONDS, weighting) for s in range(400)]
    found = np.array([(math.log(fit.intensity_a), fit.kappa) for fit in fits])
    stated = np.array([(fit.intensity_a_error / fit.intensity_a, fit.kappa_error) for fit in fits])
    assert stated.mean(axis=0) == pytest.approx(found.std(axis=0), rel=0.15)
    covariance = np.mean([fit.covariance for fit in fits])
    assert covariance == pytest.approx(np.cov(found.T)[0, 1], rel=0.25)


# -- Maximum likelihood of the depths ----------------------------------------------------------------------------------


def test_tail_by_hand():
    # Of five orders three reach 2, on average 1.5 beyond: k = 1/1.5 and A = 3/10 exp(2/1.5).
    fit = tail_fit([0.5, 2.0, 3.0, 1.0, 5.5], 10.0, threshold=2.0)
    assert fit.kappa == pytest.approx(1 / 1.5, rel=1e-14)
    assert fit.intensity_a == pytest.approx(0.3 * math.exp(2 / 1.5), rel=1e-14)
    assert fit.kappa_error == pytest.approx(fit.kappa / math.sqrt(3), rel=1e-14)


@pytest.mark.parametrize(("threshold", "step"), [(0.0, 0.0), (2.0, 0.0), (0.0, 1.0), (3.0, 1.0)])
def test_tail_is_where_the_likelihood_is_largest(threshold, step):
    depths = depths_of(2, threshold, step)
    count, total = len(depths), float(np.sum(depths - threshold))

    def likelihood(log_a, kappa):
        # Poisson arrivals beyond the threshold, and depths that are exponential or, on a grid, geometric.
        mean = SECONDS * math.exp(log_a - kappa * threshold)
        each = math.log(1 - math.exp(-kappa * step)) if step else math.log(kappa)
        return count * math.log(mean) - mean + count * each - kappa * total

    fit = tail_fit(depths, SECONDS, threshold, step)
    found = maximum(likelihood, (0.0, 0.5), (0.1, 0.1))
    assert (math.log(fit.intensity_a), fit.kappa) == pytest.approx(tuple(found), abs=1e-6)
    same_errors(fit, curvature_errors(likelihood, found, (1e-3, 1e-3)), rel=1e-3)


def test_grid_depths_taken_for_continuous_overstate_k():
    depths = depths_of(3, step=1.0)
    assert tail_fit(depths, SECONDS, step=1.0).kappa == pytest.approx(K, rel=0.1)
    assert tail_fit(depths, SECONDS).kappa == pytest.approx(1.166 * K, rel=0.1)


def test_a_grid_of_prices_off_by_rounding_is_still_a_grid():
    ticks = depths_of(4, step=1.0)
    rounded = ticks * 0.1 + 1e-12 * np.random.default_rng(1).normal(size=len(ticks))
    assert tail_fit(rounded, SECONDS, 0.3, 0.1).kappa == pytest.approx(
        10 * tail_fit(ticks, SECONDS, 3.0, 1.0).kappa, rel=1e-9
    )


# -- Poisson likelihood of independent counts --------------------------------------------------------------------------


def independent_counts(seed: int) -> tuple[np.ndarray, np.ndarray]:
    exposures = np.linspace(50.0, 150.0, len(LEVELS))
    return np.random.default_rng(seed).poisson(exposures * A * np.exp(-K * LEVELS)), exposures


def test_poisson_is_where_the_likelihood_is_largest():
    counts, exposures = independent_counts(1)

    def likelihood(log_a, kappa):
        mean = exposures * np.exp(log_a - kappa * LEVELS)
        return float(np.sum(counts * np.log(mean) - mean))

    fit = poisson_fit(LEVELS, counts, exposures)
    found = maximum(likelihood, (0.0, 0.0), (0.1, 0.1))
    assert (math.log(fit.intensity_a), fit.kappa) == pytest.approx(tuple(found), abs=1e-6)
    same_errors(fit, curvature_errors(likelihood, found, (1e-3, 1e-3)), rel=1e-3)


@given(st.lists(st.integers(0, 400), min_size=3, max_size=8), st.integers(0, 3))
@settings(max_examples=60)
def test_poisson_score_is_zero_at_its_maximum(counts, scale):
    levels = np.arange(len(counts)) * 10.0**scale
    if sum(counts) == 0 or sum(counts) in {counts[0], counts[-1]}:
        with pytest.raises(ValueError, match="not identified"):
            poisson_fit(levels, counts, np.full(len(counts), 7.0))
        return
    fit = poisson_fit(levels, counts, np.full(len(counts), 7.0))
    expected = 7.0 * fit.intensity_a * np.exp(-fit.kappa * levels)
    assert expected.sum() == pytest.approx(sum(counts), rel=1e-8)
    assert np.dot(expected, levels) == pytest.approx(np.dot(counts, levels), rel=1e-8)


# -- All of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fit_of",
    [
        lambda seed: regression_fit(LEVELS, exceedance_counts(depths_of(seed), LEVELS), SECONDS),
        lambda seed: regression_fit(LEVELS, exceedance_counts(depths_of(seed), LEVELS), SECONDS, "equal"),
        lambda seed: tail_fit(depths_of(seed), SECONDS),
        lambda seed: tail_fit(depths_of(seed, step=0.5), SECONDS, 2.0, 0.5),
        lambda seed: poisson_fit(LEVELS, *independent_counts(seed)),
    ],
)
def test_truth_lies_within_the_stated_errors(fit_of):
    fits = [fit_of(seed) for seed in range(100)]
    # The error of A is proportional to A, so that of its logarithm is the one that is the same on both sides.
    a = np.array([math.log(fit.intensity_a / A) * fit.intensity_a / fit.intensity_a_error for fit in fits])
    k = np.array([(fit.kappa - K) / fit.kappa_error for fit in fits])
    assert max(np.abs(a).max(), np.abs(k).max()) < 4
    assert (a.std(), k.std()) == pytest.approx((1.0, 1.0), abs=0.25)


def test_rate_and_its_error():
    fit = tail_fit(depths_of(6), SECONDS)
    assert fit.rate(3.0) == pytest.approx(fit.intensity_a * math.exp(-3 * fit.kappa), rel=1e-15)
    logs = [math.log(tail_fit(depths_of(seed), SECONDS).rate(3.0)) for seed in range(400)]
    assert fit.log_rate_error(3.0) == pytest.approx(np.std(logs), rel=0.15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regression_fit([1, 2], [5, 0], 1.0), "reached by nobody"),
        (lambda: regression_fit([1, 2], [5, 6], 1.0), "exceedances"),
        (lambda: regression_fit([2, 1], [5, 3], 1.0), "exceedances"),
        (lambda: regression_fit([1, 1], [5, 5], 1.0), "2 different levels"),
        (lambda: regression_fit([1, 2], [5, 3], 0.0), "exposure_secs was 0"),
        (lambda: tail_fit([1.0, 1.0], 1.0, 1.0), "of 2 market orders that reached 1 none went beyond"),
        (lambda: tail_fit([1.0, 1.9], 1.0, 1.0, 1.0), "not identified"),
        (lambda: tail_fit([], 1.0), "not identified"),
        (lambda: tail_fit([1.0], -1.0), "exposure_secs"),
        (lambda: poisson_fit([1, 2], [5, 3], [1, 0]), "above 0"),
        (lambda: poisson_fit([1, 2], [5, -3], [1, 1]), "negative"),
        (lambda: poisson_fit([1, 2], [5, 3], [1, 1, 1]), "one length"),
        (lambda: exponential_distance([1.0], 2.0), "none went beyond"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -- How exponential a tail is -----------------------------------------------------------------------------------------


def test_distance_by_hand():
    # Excesses 1 and 3 of k = 1/2: F = 1 - exp(-1/2), 1 - exp(-3/2); the steps go from 0 to 1/2 to 1.
    distance, _ = exponential_distance([2.0, 4.0], 1.0)
    assert distance == pytest.approx(1 - math.exp(-1 / 2), rel=1e-14)


def test_stephens_critical_value_is_exceeded_by_five_in_a_hundred():
    rng = np.random.default_rng(8)
    statistics = [exponential_distance(rng.exponential(3.0, 100))[1] for _ in range(2_000)]
    assert np.mean(np.array(statistics) > 1.094) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 2_000))


def test_a_grid_is_no_reason_to_doubt_and_a_heavy_tail_is():
    rng = np.random.default_rng(9)
    assert exponential_distance(np.floor(rng.exponential(3.0, 5_000)), 0.0, 1.0)[1] < 1.094
    assert exponential_distance(rng.pareto(2.0, 500))[1] > 3.0


# -- Online ------------------------------------------------------------------------------------------------------------

trade = st.tuples(st.integers(0, 3_000), st.booleans(), st.integers(90, 110))


@given(st.lists(trade, max_size=50), st.floats(0.5, 100.0), st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 2.0]))
@settings(max_examples=60)
def test_online_and_batch_agree(trades, window, step, min_depth):
    # Times in units of half a millisecond, so that some trades are sweeps; the touch widens with time.
    trades = sorted(trades, key=lambda one: one[0])
    estimator = OnlineIntensity(window, step, min_depth)
    estimator.advance(-1.0)
    times = np.array([one[0] for one in trades]) * 0.5e-3
    buyers, prices = np.array([one[1] for one in trades], bool), np.array([one[2] for one in trades], float)
    asks = 101.0 + np.arange(len(trades)) % 3
    for time, buyer, price, ask in zip(times, buyers, prices, asks, strict=True):
        estimator.update(price, 99.0, ask, buyer, time)
    estimator.advance(2.0)
    starts = np.flatnonzero(sweep_starts(np.rint(times * 1e9).astype(int), prices, buyers)) if trades else []
    lasts = np.append(starts[1:], len(trades)).astype(int) - 1 if trades else []
    mids = (99.0 + asks[starts]) / 2 if trades else np.array([])
    depths = np.where(buyers[starts], 1, -1) * (prices[lasts] - mids) if trades else []
    expected = decayed_intensity(
        depths,
        mids - 99.0,
        times[starts] if trades else [],
        start_secs=-1.0,
        end_secs=2.0,
        window_secs=window,
        step=step,
        min_depth=min_depth,
    )
    assert (estimator.intensity_a, estimator.kappa) == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_online_without_forgetting_is_the_maximum_likelihood():
    depths = depths_of(5, step=1.0)
    estimator = OnlineIntensity(1e9, step=1.0)
    estimator.advance(0.0)
    times = np.sort(np.random.default_rng(1).uniform(0.0, SECONDS, len(depths)))
    for depth, time in zip(depths, times, strict=True):
        estimator.update(500.0 + depth, 500.0, 500.0, True, time)
    estimator.advance(SECONDS)
    fit = tail_fit(depths, 2 * SECONDS, step=1.0)
    assert estimator.kappa == pytest.approx(fit.kappa, rel=0.02)  # a few orders within a millisecond count as one
    assert estimator.intensity_a == pytest.approx(fit.intensity_a, rel=0.02)


def test_trades_of_one_order_count_once_and_from_the_first_mid():
    estimator = OnlineIntensity(1e9, step=1.0)
    estimator.advance(0.0)
    for i, (price, bid, ask) in enumerate([(101, 99, 101), (102, 99, 102), (104, 99, 104)]):
        estimator.update(price, bid, ask, True, 50.0 + 0.0005 * i)
    estimator.advance(100.0)
    # One order in 100 s and two sides, three steps beyond the touch at 1: k = ln(1 + 1/3), A = exp(k)/200.
    assert estimator.kappa == pytest.approx(math.log(4 / 3), rel=1e-9)
    assert estimator.intensity_a == pytest.approx(4 / 3 / 200, rel=1e-6)


def test_a_silence_lets_the_rate_decay_and_keeps_k():
    estimator = OnlineIntensity(10.0)
    estimator.advance(0.0)
    for i in range(1, 101):
        estimator.update(100.0 + 1.0 + i % 3, 99.0, 101.0, i % 2 == 0, float(i))
    before = estimator.kappa, estimator.intensity_a
    estimator.advance(150.0)
    assert estimator.kappa == pytest.approx(before[0], rel=1e-12)
    assert estimator.intensity_a == pytest.approx(before[1] * math.exp(-5), rel=1e-3)


def test_ready_when_enough_orders_of_a_whole_window_weigh_in():
    estimator = OnlineIntensity(60.0)
    states = []
    for second in range(120):
        estimator.update(101.0 + second % 4, 99.0, 101.0, True, float(second))
        states.append(estimator.ready)
    assert states == [False] * 60 + [True] * 60
    estimator.advance(400.0)
    assert not estimator.ready
    estimator.reset()
    assert math.isnan(estimator.kappa)
    assert math.isnan(estimator.intensity_a)


def test_the_order_that_starts_the_watch_is_not_counted():
    estimator = OnlineIntensity(60.0)
    estimator.update(103.0, 99.0, 101.0, True, 5.0)
    estimator.update(104.0, 99.0, 101.0, True, 5.0005)
    assert math.isnan(estimator.kappa)
    estimator.update(97.0, 99.0, 101.0, False, 15.0)
    assert estimator.kappa == pytest.approx(1 / 2, rel=1e-12)


def test_flow_that_never_leaves_the_touch_has_no_k_and_is_never_ready():
    estimator = OnlineIntensity(10.0, step=1.0)
    for second in range(100):
        estimator.update(101.0, 99.0, 101.0, True, float(second))
    assert estimator.kappa == math.inf
    assert not estimator.ready


def test_online_follows_a_market_that_changes():
    rng = np.random.default_rng(4)
    estimator = OnlineIntensity(200.0)
    estimator.advance(0.0)
    for kappa, begin, end in ((0.3, 0.0, 2_000.0), (0.6, 2_000.0, 4_000.0)):
        times = np.sort(rng.uniform(begin, end, rng.poisson(2 * A * (end - begin))))
        for time, depth, buyer in zip(
            times, rng.exponential(1 / kappa, len(times)), rng.random(len(times)) < 0.5, strict=True
        ):
            estimator.update(500.0 + depth if buyer else 500.0 - depth, 500.0, 500.0, bool(buyer), time)
        # The weights amount to 2 * 200 s * 2 A effective orders.
        assert estimator.kappa == pytest.approx(kappa, rel=4 / math.sqrt(4 * A * 200))
        assert estimator.intensity_a == pytest.approx(A, rel=4 / math.sqrt(4 * A * 200))


def test_a_wide_market_does_not_overflow():
    estimator = OnlineIntensity(10.0)
    estimator.advance(0.0)
    estimator.update(1e6 + 1e-6, -1e6, 1e6, True, 1.0)
    assert estimator.intensity_a == math.inf


@pytest.mark.parametrize("arguments", [(0.0,), (math.nan,), (1.0, -1.0), (1.0, 0.0, -1.0), (1.0, 0.0, 0.0, -1.0)])
def test_online_refusals(arguments):
    with pytest.raises(ValueError, match="was"):
        OnlineIntensity(*arguments)


@pytest.mark.parametrize(("start", "end", "window"), [(1.0, 1.0, 1.0), (0.0, 1.0, 0.0)])
def test_batch_of_the_online_one_refuses(start, end, window):
    with pytest.raises(ValueError, match="window_secs"):
        decayed_intensity([], [], [], start_secs=start, end_secs=end, window_secs=window)


def test_excess_counts_whole_steps():
    assert tail_excess([0.5, 1.0, 1.5, 2.0, 2.6], 1.0, 0.5).tolist() == [0.0, 0.0, 0.5, 1.0, 1.5]
