"""Whether the figures of a results folder agree with each other."""

import numpy as np

from reports import format as fmt
from reports.definitions import PARTS
from reports.results_folder import Results

TOLERANCE = 1e-9


def disagreements(results: Results) -> list[str]:
    """
    Return what contradicts what in a results folder, in words; empty for one that is sound.

    The P&L is compared with its parts, with trading and holdings, with the change in equity, and with the last row of
    the equity grid, each within 1e-9 of the equity (or of 1, where that is more); the number of fills with their rows.
    """
    summary, equity = results.summary, results.equity
    pnl = summary.number("pnl")
    ends = [summary.number(f"equity_{end}") for end in ("start", "end")]
    parts = [summary.number(f"pnl_parts.{part}") for part in PARTS]
    claims = [("the parts of the P&L sum to", sum(p for p in parts if p is not None) if None not in parts else None)]
    start, end = ends
    if start is not None and end is not None:
        claims.append(("equity changed by", end - start))
    shares = [summary.number(f"pnl_{share}") for share in ("trading", "holdings")]
    if None not in shares:
        claims.append(("trading and holdings sum to", sum(share for share in shares if share is not None)))
    if len(equity.ts_ns):
        claims.append(("the grid of equity changed by", float(equity.equity[-1] - equity.equity[0])))
        total = sum(values[-1] - values[0] for values in equity.parts.values())
        claims.append(("the parts on the grid of equity sum to", float(total)))
    allowed = TOLERANCE * max([1.0, *(abs(value) for value in ends if value is not None)])
    found = [
        f"P&L is {fmt.number(pnl, 9)}, but {claim} {fmt.number(value, 9)}."
        for claim, value in claims
        if pnl is not None and value is not None and not np.isclose(value, pnl, rtol=0.0, atol=allowed)
    ]
    fills = summary.number("fills")
    if fills is not None and fills != len(results.fills):
        found.append(f"The summary counts {fmt.count(fills)} fills; fills.parquet has {fmt.count(len(results.fills))}.")
    return found
