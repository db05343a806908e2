"""
From the prices of many assets to the few pairs worth trading: tests, correction for their number, filters, and a
second look at prices that had no part in the choice.

Everything is measured on logarithms of prices, so gaps and costs are fractions of the value of y, and in bars.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pairs.engle_granger import EngleGranger, both_ways
from models.pairs.hedge_ratio import HedgeRatio, ols_ratio
from models.pairs.multiple_testing import Correction, adjusted_p_values
from models.pairs.optimal_thresholds import best_entry_z, profit_per_time
from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck, fit_ornstein_uhlenbeck
from models.pairs.unit_root import dickey_fuller

type Floats = NDArray[np.float64]

EXIT_Z = 0.0
"""Positions are valued as left at the mean of the gap."""


class Verdict(StrEnum):
    """Where a pair that passed its own test fell out, or that it did not."""

    CHANCE = "may be chance"
    OPPOSITE = "moves opposite"
    TOO_SLOW = "reverts too slowly"
    TOO_FAST = "reverts too fast"
    TOO_NARROW = "too narrow for the costs"
    SELECTED = "selected"
    NOT_CONFIRMED = "not confirmed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True)
class ScreenRules:
    """
    What a pair must pass.

    Parameters
    ----------
    level : float
        Of the tests, after correction.
    correction : {"none", "bonferroni", "holm", "bh", "by"}
        For the number of pairs tried; see `adjusted_p_values`.
    min_half_life, max_half_life : float
        In bars.
    max_cost_sds : float
        The most that entering and leaving may cost, in standard deviations of the gap; at most 5.

    """

    level: float
    correction: Correction
    min_half_life: float
    max_half_life: float
    max_cost_sds: float


@dataclass(frozen=True)
class Confirmation:
    """
    The gap, with the ratio found before, on prices that came later.

    Parameters
    ----------
    p, adjusted_p : float
        Of the Dickey-Fuller test, and corrected by Holm for the number of pairs that were selected.
    process : OrnsteinUhlenbeck or None
        Fitted to it.
    shift_sds : float
        How far its mean has moved, in standard deviations of the gap before.

    """

    p: float
    adjusted_p: float
    process: OrnsteinUhlenbeck | None
    shift_sds: float


@dataclass(frozen=True)
class PairFindings:
    """
    One pair that passed its own test: y is the asset that the other hedges better.

    Parameters
    ----------
    y, x : int
        Columns of the prices.
    p, adjusted_p : float
        Of the Engle-Granger test, the worse of both orders, and corrected.
    lags : int
        Lagged differences in the test.
    ratio : HedgeRatio
        ln y = intercept + beta ln x.
    process : OrnsteinUhlenbeck or None
        The gap, per bar; None where it does not revert.
    cost : float
        Of entering and leaving, both legs, as a fraction of the value of y.
    entry_z : float or None
        The best entry for an exit at the mean; None where costs leave none.
    profit_per_bar : float or None
        What that is expected to earn if the process holds, as a fraction of the value of y.
    confirmation : Confirmation or None
        None where the pair was not selected or there are no later prices.
    verdict : Verdict
        What became of it.

    """

    y: int
    x: int
    p: float
    adjusted_p: float
    lags: int
    ratio: HedgeRatio
    process: OrnsteinUhlenbeck | None
    cost: float
    entry_z: float | None
    profit_per_bar: float | None
    confirmation: Confirmation | None
    verdict: Verdict


@dataclass(frozen=True)
class PairScreen:
    """
    The screen of all pairs.

    Parameters
    ----------
    pairs : ndarray of int, shape (m, 2)
        All pairs of columns.
    p, adjusted_p : ndarray, shape (m,)
        NaN where a pair could not be tested.
    findings : list of PairFindings
        Those that passed the test of a single pair, by p-value.

    """

    pairs: NDArray[np.int64]
    p: Floats
    adjusted_p: Floats
    findings: list[PairFindings]

    def survivors(self) -> list[PairFindings]:
        """Return the pairs that no step threw out."""
        return [one for one in self.findings if one.verdict in {Verdict.SELECTED, Verdict.CONFIRMED}]


@dataclass(frozen=True)
class _Tests:
    """The tests of all pairs, each row of `sides` with y first."""

    sides: NDArray[np.int64]
    tested: EngleGranger
    adjusted_p: Floats


def screen_pairs(
    formation: ArrayLike, confirmation: ArrayLike | None, costs: Sequence[float], rules: ScreenRules
) -> PairScreen:
    """
    Screen all pairs of assets.

    Parameters
    ----------
    formation : array_like, shape (n, assets)
        Logarithms of prices that pairs are chosen on.
    confirmation : array_like, shape (k, assets), optional
        Later ones that the chosen pairs are tested on again, at least 20; without them nothing is confirmed.
    costs : sequence of float
        Of trading each asset once (fee and half-spread), as a fraction of its value.
    rules : ScreenRules
        What a pair must pass.

    Raises
    ------
    ValueError
        If the prices are not finite tables of at least 20 rows.

    """
    table = np.asarray(formation, dtype=np.float64)
    later = None if confirmation is None else np.asarray(confirmation, dtype=np.float64)
    pairs = np.column_stack(np.triu_indices(table.shape[1], 1)).astype(np.int64)
    tested, swapped = both_ways(table, pairs)
    adjusted = adjusted_p_values(tested.p, rules.correction)
    tests = _Tests(np.where(swapped[:, None], pairs[:, ::-1], pairs), tested, adjusted)
    passed = np.flatnonzero(tested.p <= rules.level)
    passed = passed[np.argsort(tested.p[passed], kind="stable")]
    findings = [_findings(table, tests, int(i), costs, rules) for i in passed]
    if later is not None:
        findings = _confirmed(findings, later, rules)
    return PairScreen(pairs, tested.p, adjusted, findings)


def _findings(table: Floats, tests: _Tests, i: int, costs: Sequence[float], rules: ScreenRules) -> PairFindings:
    y, x = (int(column) for column in tests.sides[i])
    ratio = ols_ratio(table[:, y], table[:, x])
    process = fit_ornstein_uhlenbeck(gaps(ratio, table[:, y], table[:, x]))
    cost = 2.0 * (costs[y] + abs(ratio.beta) * costs[x])
    entry_z = profit = None
    if process is not None and 0.0 < cost <= rules.max_cost_sds * process.sd:
        entry_z = best_entry_z(process, EXIT_Z, cost)
        profit = profit_per_time(process, entry_z, EXIT_Z, cost)
    return PairFindings(
        y=y,
        x=x,
        p=float(tests.tested.p[i]),
        adjusted_p=float(tests.adjusted_p[i]),
        lags=int(tests.tested.lags[i]),
        ratio=ratio,
        process=process,
        cost=cost,
        entry_z=entry_z,
        profit_per_bar=profit,
        confirmation=None,
        verdict=_verdict(float(tests.adjusted_p[i]), ratio, process, entry_z, rules),
    )


def gaps(ratio: HedgeRatio, y: Floats, x: Floats) -> Floats:
    """Return the gaps of columns of logarithms of prices."""
    return np.asarray(y - ratio.intercept - ratio.beta * x)


def _verdict(
    adjusted_p: float,
    ratio: HedgeRatio,
    process: OrnsteinUhlenbeck | None,
    entry_z: float | None,
    rules: ScreenRules,
) -> Verdict:
    if adjusted_p > rules.level:
        return Verdict.CHANCE
    if ratio.beta <= 0.0:
        return Verdict.OPPOSITE
    if process is None or process.half_life < rules.min_half_life:
        return Verdict.TOO_FAST
    if process.half_life > rules.max_half_life:
        return Verdict.TOO_SLOW
    return Verdict.SELECTED if entry_z is not None else Verdict.TOO_NARROW


def _confirmed(findings: list[PairFindings], later: Floats, rules: ScreenRules) -> list[PairFindings]:
    selected = [one for one in findings if one.verdict is Verdict.SELECTED]
    later_gaps = [gaps(one.ratio, later[:, one.y], later[:, one.x]) for one in selected]
    moving = [np.ptp(values) > 0.0 for values in later_gaps]
    p = [dickey_fuller(values).p if moves else 1.0 for values, moves in zip(later_gaps, moving, strict=True)]
    adjusted = adjusted_p_values(p, "holm")
    confirmed: dict[int, PairFindings] = {}
    for i, one in enumerate(selected):
        assert one.process is not None
        process = fit_ornstein_uhlenbeck(later_gaps[i]) if moving[i] else None
        slow = process is None or process.half_life > rules.max_half_life
        verdict = Verdict.NOT_CONFIRMED if slow or adjusted[i] > rules.level else Verdict.CONFIRMED
        shift = one.process.z(float(later_gaps[i].mean()))
        seen = Confirmation(p[i], float(adjusted[i]), process, shift)
        confirmed[id(one)] = replace(one, confirmation=seen, verdict=verdict)
    return [confirmed.get(id(one), one) for one in findings]
