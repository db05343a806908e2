"""A screen in words and numbers: the rows that the terminal and the page show, and JSON."""

import json
import math
from pathlib import Path

from data_catalog.screening.price_table import utc_text
from data_catalog.screening.screen import Screening, passed_by_chance
from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck
from models.pairs.screening import PairFindings, Verdict

SECONDS_PER_YEAR = 365 * 86_400
MOST_ROWS = 20

COLUMNS = (
    "pair (y / x)",
    "p",
    "corrected",
    "hedge ratio",
    "half-life",
    "gap sd %",
    "cost %",
    "entry z",
    "in sample %/yr",
    "later p",
    "later half-life",
    "shift sd",
    "outcome",
)


def pair_row(screening: Screening, one: PairFindings) -> tuple[str, ...]:
    """Return the cells of a pair, in the order of `COLUMNS`."""
    secs, process, later = screening.prices.bar_secs, one.process, one.confirmation
    yearly = None if one.profit_per_bar is None else 100.0 * one.profit_per_bar * SECONDS_PER_YEAR / secs
    return (
        pair_name(screening, one),
        _p(one.p),
        _p(one.adjusted_p),
        f"{one.ratio.beta:.3f} ± {one.ratio.beta_error:.3f}",
        _half_life(process, secs),
        "" if process is None else f"{100.0 * process.sd:.2f}",
        f"{100.0 * one.cost:.2f}",
        "" if one.entry_z is None else f"{one.entry_z:.2f}",
        "" if yearly is None else f"{yearly:.0f}",
        "" if later is None else _p(later.adjusted_p),
        "" if later is None else _half_life(later.process, secs),
        "" if later is None else f"{later.shift_sds:+.1f}",
        str(one.verdict),
    )


def pair_name(screening: Screening, one: PairFindings) -> str:
    """Return both symbols, y first."""
    symbols = [screening.prices.instruments[column].id.symbol.value for column in (one.y, one.x)]
    return " / ".join(symbols)


def headline(screening: Screening) -> str:
    """Return what was looked at, in one line."""
    prices = screening.prices
    times = [utc_text(int(prices.times_ns[i])) for i in (0, screening.formation - 1, -1)]
    chosen = f"pairs chosen on {screening.formation:,} bars, {times[0]} to {times[1]}"
    later = f"confirmed on the {screening.confirmation:,} after them, to {times[2]}"
    text = f"{len(prices.ids)} instruments, bars of {prices.bar.lower()}: {chosen}"
    text += f"; {later}" if screening.confirmation else "; not confirmed on any others"
    return text + (". Synthetic" if prices.synthetic else "")


def remarks(screening: Screening) -> list[str]:
    """Return what a reader should know before he believes a pair."""
    prices, found = screening.prices, screening.found
    lines = []
    if prices.left_out:
        some = [f"{id_} ({why})" for id_, why in list(prices.left_out.items())[:5]]
        more = f" and {len(prices.left_out) - len(some)} more" if len(prices.left_out) > len(some) else ""
        lines.append(f"Left out: {', '.join(some)}{more}.")
    chance = passed_by_chance(screening)
    lines.append(
        f"Of pairs with nothing in common up to {chance:.3g} of {len(found.p):,} would pass their own test at "
        f"{screening.rules.level:g} by chance; {len(found.findings):,} did."
    )
    if screening.rules.correction == "none":
        lines.append("Nothing was corrected for the number of pairs tried: what passed may have passed by chance.")
    if not screening.confirmation:
        lines.append("Not confirmed: the pairs were chosen on all of these bars.")
    if not found.survivors():
        lines.append("No pair survived.")
    shifted = [one for one in found.survivors() if one.confirmation and abs(one.confirmation.shift_sds) > 1.0]
    if shifted:
        names = ", ".join(pair_name(screening, one) for one in shifted)
        lines.append(f"The later mean of the gap lies more than one standard deviation from the earlier one: {names}.")
    return lines


def as_json_text(screening: Screening, catalog: Path) -> str:
    """Return the screen as JSON: the funnel, and every pair that passed its own test."""
    prices, times = screening.prices, screening.prices.times_ns
    values = {
        "catalog": str(catalog),
        "bar": prices.bar,
        "instruments": prices.ids,
        "left_out": prices.left_out,
        "synthetic": prices.synthetic,
        "formation": {
            "start": utc_text(int(times[0])),
            "end": utc_text(int(times[screening.formation - 1])),
            "bars": screening.formation,
        },
        "confirmation": {"end": utc_text(int(times[-1])), "bars": screening.confirmation}
        if screening.confirmation
        else None,
        "level": screening.rules.level,
        "correction": screening.rules.correction,
        "passed_by_chance": passed_by_chance(screening),
        "funnel": [{"step": text, "pairs": count} for text, count in screening.funnel()],
        "pairs": [_as_dict(screening, one) for one in screening.found.findings],
    }
    return json.dumps(values, indent=2, allow_nan=False)


def _as_dict(screening: Screening, one: PairFindings) -> dict[str, object]:
    secs, later = screening.prices.bar_secs, one.confirmation
    return {
        "leg_y": screening.name(one.y),
        "leg_x": screening.name(one.x),
        "outcome": Verdict(one.verdict).name.lower(),
        "p": one.p,
        "corrected_p": one.adjusted_p,
        "lags": one.lags,
        "beta": one.ratio.beta,
        "beta_error": one.ratio.beta_error,
        "intercept": one.ratio.intercept,
        "half_life_secs": None if one.process is None else one.process.half_life * secs,
        "gap_sd": None if one.process is None else one.process.sd,
        "cost": one.cost,
        "entry_z": one.entry_z,
        "in_sample_per_year": None if one.profit_per_bar is None else one.profit_per_bar * SECONDS_PER_YEAR / secs,
        "later": None
        if later is None
        else {
            "p": later.p,
            "corrected_p": later.adjusted_p,
            "half_life_secs": None if later.process is None else later.process.half_life * secs,
            "shift_sds": later.shift_sds,
        },
    }


def duration_text(seconds: float) -> str:
    """Return a length of time in two or three digits, such as `2.5 d`."""
    for unit, length in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def _half_life(process: OrnsteinUhlenbeck | None, bar_secs: float) -> str:
    if process is None:
        return "none"
    relative = process.half_life_error / process.half_life
    return f"{duration_text(process.half_life * bar_secs)} ± {100.0 * relative:.0f} %"


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
