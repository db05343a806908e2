"""The whole screen: of prices with nothing in common none may survive, planted pairs must, and each step must bite."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from models.pairs.screening import ScreenRules, Verdict, screen_pairs

LEVEL, COST = 0.05, 1e-4
RULES = ScreenRules(level=LEVEL, correction="bh", min_half_life=2.0, max_half_life=60.0, max_cost_sds=1.0)


def walks(seed: int, bars: int, assets: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, (bars, assets)), axis=0) + 3.0


def reverting(seed: int, bars: int, half_life: float, sd: float) -> np.ndarray:
    b = 0.5 ** (1 / half_life)
    return lfilter([1.0], [1.0, -b], np.random.default_rng(seed).normal(0, sd * math.sqrt(1 - b * b), bars))


def rules(**changes) -> ScreenRules:
    return ScreenRules(**{**RULES.__dict__, **changes})


@pytest.mark.parametrize("correction", ["none", "bh"])
@pytest.mark.parametrize("seed", [1, 2])
def test_of_100_unrelated_prices_no_more_survive_than_the_level_says(seed, correction):
    table = walks(seed, 600, 100)
    found = screen_pairs(table[:300], table[300:], [COST] * 100, rules(correction=correction))
    assert len(found.pairs) == 4_950
    assert len(found.survivors()) <= LEVEL * 4_950
    if correction == "bh":
        assert found.survivors() == []


def test_screened_on_returns_all_unrelated_prices_would_be_cointegrated():
    """The mistake of testing returns: every pair passes, corrected, and again on later prices."""
    table = np.diff(walks(1, 600, 40), axis=0)
    found = screen_pairs(table[:300], table[300:], [COST] * 40, rules(min_half_life=0.0))
    assert found.adjusted_p.max() < LEVEL
    assert len(found.findings) == len(found.pairs)


def test_planted_pairs_survive_and_are_measured_within_four_standard_errors():
    table = walks(3, 3_000, 30)
    for i, (beta, half_life) in enumerate([(0.8, 10.0), (1.3, 12.0), (0.5, 15.0)]):
        table[:, 2 * i + 1] = 0.2 + beta * table[:, 2 * i] + reverting(50 + i, 3_000, half_life, 0.01)
    found = screen_pairs(table[:1_500], table[1_500:], [COST] * 30, RULES)
    assert {frozenset((one.y, one.x)) for one in found.survivors()} == {frozenset((2 * i, 2 * i + 1)) for i in range(3)}
    for one in found.survivors():
        beta, half_life = [(0.8, 10.0), (1.3, 12.0), (0.5, 15.0)][one.y // 2]
        beta = beta if one.y % 2 else 1 / beta
        assert one.verdict is Verdict.CONFIRMED
        assert abs(one.ratio.beta - beta) < 4 * one.ratio.beta_error
        assert abs(math.log(one.process.half_life / half_life)) < 4 * one.process.theta_error / one.process.theta
        assert one.cost == pytest.approx(2 * COST * (1 + one.ratio.beta))
        assert abs(one.confirmation.shift_sds) < 1.5
        assert 0 < one.profit_per_bar < one.process.sd


@pytest.mark.parametrize(
    ("beta", "half_life", "changes", "verdict"),
    [
        (0.8, 10, {}, Verdict.CONFIRMED),
        (-0.8, 10, {}, Verdict.OPPOSITE),
        (0.8, 0.4, {}, Verdict.TOO_FAST),
        (0.8, 10, {"max_half_life": 5.0}, Verdict.TOO_SLOW),
        (0.8, 10, {"max_cost_sds": 0.01}, Verdict.TOO_NARROW),
        (0.8, 10, {"level": 1e-12}, None),
    ],
)
def test_each_step_drops_what_it_is_there_for(beta, half_life, changes, verdict):
    table = walks(7, 1_600, 3)
    table[:, 1] = beta * table[:, 0] + reverting(8, 1_600, half_life, 0.01)
    found = screen_pairs(table[:800], table[800:], [COST] * 3, rules(**changes))
    assert [one.verdict for one in found.findings[:1]] == ([verdict] if verdict else [])


def test_a_pair_that_breaks_is_not_confirmed_and_without_later_prices_none_is():
    table = walks(7, 1_600, 3)
    table[:800, 1] = 0.8 * table[:800, 0] + reverting(8, 800, 10, 0.01)
    assert screen_pairs(table[:800], table[800:], [COST] * 3, RULES).findings[0].verdict is Verdict.NOT_CONFIRMED
    (one,) = screen_pairs(table[:800], None, [COST] * 3, RULES).survivors()
    assert (one.verdict, one.confirmation) == (Verdict.SELECTED, None)


def test_a_pair_that_stands_still_later_is_not_confirmed():
    table = walks(7, 900, 2)
    table[:, 1] = 0.8 * table[:, 0] + reverting(8, 900, 10, 0.01)
    table[800:] = table[800]
    (one,) = screen_pairs(table[:800], table[800:], [COST] * 2, RULES).findings
    assert (one.verdict, one.confirmation.process) == (Verdict.NOT_CONFIRMED, None)


def test_what_passes_alone_may_be_chance_among_many():
    table = walks(12, 400, 40)
    found = screen_pairs(table, None, [COST] * 40, RULES)
    assert {one.verdict for one in found.findings} == {Verdict.CHANCE}
    assert [one.p for one in found.findings] == sorted(one.p for one in found.findings)
