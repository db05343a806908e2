"""A calibration as tables of words and numbers, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from data_catalog.calibration.estimates import Calibration
from data_catalog.calibration.flow import FlowCalibration
from data_catalog.calibration.market_window import utc_text
from models.market_statistics import Interval
from models.realised_volatility import annualised_pct

ESTIMATORS = {
    "mle": "maximum likelihood of the depths",
    "wls": "regression, weighted by counts",
    "ols": "regression, unweighted",
    "poisson": "Poisson, a level per slot of time",
}


@dataclass(frozen=True)
class FactTable:
    """A table of text; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def fact_tables(found: Calibration) -> list[FactTable]:
    """Return all that was estimated, in tables."""
    tables = [_market(found), _volatility(found), _flow(found.flow)]
    if found.adverse:
        tables.append(_adverse(found))
    if found.by_depth:
        tables.append(_by_depth(found))
    return tables


def as_json_text(found: Calibration, catalog: Path) -> str:
    """Return all that was estimated as indented JSON; intervals are [low, high] at 95 %."""
    window, flow = found.window, found.flow
    document: dict[str, Any] = {
        "instrument_id": str(window.instrument.id),
        "catalog": str(catalog),
        "start": utc_text(window.start_ns),
        "end": utc_text(window.end_ns),
        "seconds": window.seconds,
        "synthetic": window.synthetic,
        "first_mid": float(window.mid[0] * window.tick),
        "tick_bps": window.tick_bps,
        "sigma": [
            {
                "name": sigma.name,
                "label": sigma.label,
                **_estimate("bps_per_sqrt_s", sigma.bps_per_sqrt_s),
                "annualised_pct": annualised_pct(sigma.bps_per_sqrt_s.value),
            }
            for sigma in found.volatility.sigmas
        ],
        "noise_bps": found.volatility.noise_bps,
        "signature": [{"step_secs": s, "bps_per_sqrt_s": v} for s, v in found.volatility.signature],
        "intensity": _intensity_document(flow),
        "spread": asdict(found.spread),
        "trades": asdict(found.trades) | {"quote_lag_ms": found.lag_ms},
        "adverse_selection": _adverse_documents(found),
        "maker_fee_bps": found.maker_fee_bps,
        "by_depth": _depth_documents(found),
        "warnings": list(found.warnings),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _intensity_document(flow: FlowCalibration) -> dict[str, Any]:
    return {
        **_estimate("intensity_a", flow.intensity_a),
        **_estimate("kappa_per_bps", flow.kappa),
        "from_bps": flow.from_bps,
        "to_bps": flow.to_bps,
        "orders": flow.orders,
        "exponential": flow.exponential,
        "distance": flow.distance,
        "fits": {
            name: {
                "intensity_a": fit.intensity_a,
                "intensity_a_error": fit.intensity_a_error,
                "kappa_per_bps": fit.kappa,
                "kappa_per_bps_error": fit.kappa_error,
            }
            for name, fit in flow.fits.items()
        },
    }


def _adverse_documents(found: Calibration) -> list[dict[str, Any]]:
    return [
        {
            "horizon_secs": one.horizon_secs,
            "orders": one.orders,
            **_estimate("impact_bps", one.impact_bps),
            **_estimate("realised_half_spread_bps", one.realised_half_spread_bps),
            **_estimate("informed_share", one.informed_share),
        }
        for one in found.adverse
    ]


def _depth_documents(found: Calibration) -> list[dict[str, Any]]:
    return [
        {
            "depth_bps": one.depth_bps,
            "orders": one.orders,
            "per_hour": one.per_hour,
            "horizon_secs": found.cost_horizon_secs,
            **_estimate("impact_bps", one.impact_bps),
            **_estimate("earned_bps", one.earned_bps),
        }
        for one in found.by_depth
    ]


def _estimate(name: str, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {name: None, f"{name}_ci95": None}
    return {name: interval.value, f"{name}_ci95": [interval.low, interval.high]}


def _market(found: Calibration) -> FactTable:
    spread, trades, base = found.spread, found.trades, found.window.instrument.base_currency
    rows = [
        ("spread, mean", f"{spread.mean_bps:.3g} bps, {spread.mean_ticks:.2f} ticks"),
        ("spread is one tick", f"{spread.one_tick_pct:.1f} % of the time (a tick is {found.window.tick_bps:.3g} bps)"),
        ("trades", f"{trades.trades:,}"),
        ("market orders", f"{trades.market_orders:,}, {trades.orders_per_hour:,.0f} per hour"),
        ("trades per market order", f"{trades.trades_per_order:.2f}"),
        ("bought", f"{trades.buy_pct:.1f} % of them"),
        ("went deeper than the touch", f"{trades.beyond_touch_pct:.1f} %"),
        ("size, median and mean", f"{trades.median_qty:.4g} and {trades.mean_qty:.4g} {base}"),
        ("bursts: variance/mean in 10 s", "" if trades.dispersion is None else f"{trades.dispersion:.2f} (1: none)"),
        ("touch looked up before a trade", f"{found.lag_ms:g} ms"),
    ]
    return FactTable("Market", ("", ""), rows)


def _volatility(found: Calibration) -> FactTable:
    rows = []
    for sigma in found.volatility.sigmas:
        value = sigma.bps_per_sqrt_s
        rows.append((sigma.label, _digits(value.value), _range(value), f"{annualised_pct(value.value):.1f} %"))
    return FactTable("Volatility", ("estimator", "bps/√s", "95 %", "a year"), rows)


def _flow(flow: FlowCalibration) -> FactTable:
    rows = [
        (
            ESTIMATORS[name],
            f"{_digits(fit.intensity_a)} ± {_digits(fit.intensity_a_error, 2)}",
            f"{_digits(fit.kappa)} ± {_digits(fit.kappa_error, 2)}",
            _digits(1 / fit.kappa),
        )
        for name, fit in flow.fits.items()
    ]
    kappas = flow.kappa
    widths = f"{_digits(1 / kappas.high)} to {_digits(1 / kappas.low)}"
    rows.append(("95 % with bursts (likelihood)", _range(flow.intensity_a), _range(kappas), widths))
    return FactTable("Order flow", ("estimator", "A per second and side", "k per bp", "1/k, bps"), rows)


def _adverse(found: Calibration) -> FactTable:
    rows = []
    for one in found.adverse:
        share = one.informed_share
        text = "" if share is None else f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
        rows.append(
            (f"{one.horizon_secs:g} s", _with_range(one.impact_bps), _with_range(one.realised_half_spread_bps), text)
        )
    columns = ("after", "mid moved, bps", "left to the maker, bps", "informed share")
    return FactTable("After the trade", columns, rows)


def _by_depth(found: Calibration) -> FactTable:
    rows = [
        (
            f"{_digits(one.depth_bps)} bps",
            f"{one.per_hour:,.1f}",
            _with_range(one.impact_bps),
            _with_range(one.earned_bps),
        )
        for one in found.by_depth
    ]
    horizon = f"{found.cost_horizon_secs:g} s"
    columns = ("quote at", "reached per hour", f"mid moved in {horizon}, bps", "left after the fee, bps")
    return FactTable("By depth", columns, rows)


def _range(interval: Interval) -> str:
    return f"{_digits(interval.low)} to {_digits(interval.high)}"


def _with_range(interval: Interval) -> str:
    return f"{_digits(interval.value)} [{_digits(interval.low)}, {_digits(interval.high)}]"


def _digits(value: float, count: int = 3) -> str:
    """Return a number with so many significant digits, zeros at the end included, so that columns line up."""
    text = f"{value:#.{count}g}"
    return f"{value:.{count}g}" if "e" in text else text.rstrip(".")
